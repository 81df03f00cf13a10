//! Metrics: what the service counts, typed, and its Prometheus text. Names are part of the product: dashboards depend
//! on them, so they are listed in `docs/operations.md` and change with a note in the changelog.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Everything that is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    pub deliveries: Family<DeliveryLabels, Counter>,
    pub handled: Family<HandledLabels, Counter>,
    pub effects: Family<EffectLabels, Counter>,
    pub requests: Family<RequestLabels, Counter>,
    pub request_seconds: Histogram,
    pub connections: Gauge,
    pub reloads: Family<ReloadLabels, Counter>,
    pub webhook_looks: Family<WebhookLabels, Counter>,
    pub configuration_is_current: Gauge,
    pub oldest_unhandled_seconds: Gauge<f64, AtomicU64>,
    pub parked_effects: Gauge<i64, AtomicI64>,
    pub parked_deliveries: Gauge<i64, AtomicI64>,
    pub export_behind: Family<ExportLabels, Gauge>,
    pub ledger_is_sound: Gauge<i64, AtomicI64>,
    pub ledger_signed_entries: Gauge<i64, AtomicI64>,
    registry: Arc<Registry>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct DeliveryLabels {
    pub source: &'static str,
    pub answer: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct HandledLabels {
    pub source: &'static str,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct EffectLabels {
    pub kind: &'static str,
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    pub route: String,
    pub status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ReloadLabels {
    pub outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct WebhookLabels {
    pub repository: String,
    pub state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ExportLabels {
    pub export: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let mut metrics = Self {
            deliveries: Family::default(),
            handled: Family::default(),
            effects: Family::default(),
            requests: Family::default(),
            request_seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 16)),
            connections: Gauge::default(),
            reloads: Family::default(),
            webhook_looks: Family::default(),
            configuration_is_current: Gauge::default(),
            oldest_unhandled_seconds: Gauge::default(),
            parked_effects: Gauge::default(),
            parked_deliveries: Gauge::default(),
            export_behind: Family::default(),
            ledger_is_sound: Gauge::default(),
            ledger_signed_entries: Gauge::default(),
            registry: Arc::default(),
        };
        metrics.register(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }
}

impl Metrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "deliveries",
            "Requests to the hooks, by how they were answered",
            self.deliveries.clone(),
        );
        registry.register(
            "handled",
            "Deliveries taken from the inbox, by what became of them",
            self.handled.clone(),
        );
        registry.register(
            "effects",
            "Attempts to act outside, by how they ended",
            self.effects.clone(),
        );
        registry.register(
            "requests",
            "HTTP requests, by route and status",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request",
            "Time from a request's headers to its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "configuration_reloads",
            "Times the configuration was read again, by how it went",
            self.reloads.clone(),
        );
        registry.register(
            "webhook_looks",
            "Looks at the webhooks that lead here, by how they stood",
            self.webhook_looks.clone(),
        );
        registry.register(
            "configuration_is_current",
            "1 when the file's last reading was valid and is in force, else 0",
            self.configuration_is_current.clone(),
        );
        registry.register(
            "ledger_is_sound",
            "1 when the audit log fits what was signed, else 0: nothing is released then",
            self.ledger_is_sound.clone(),
        );
        registry.register(
            "ledger_signed_entries",
            "Entries of the audit log that the last signed head covers",
            self.ledger_signed_entries.clone(),
        );
        registry.register_with_unit(
            "oldest_unhandled",
            "Age of the oldest delivery that is not handled yet",
            Unit::Seconds,
            self.oldest_unhandled_seconds.clone(),
        );
        registry.register(
            "parked_effects",
            "Effects that keep failing and wait for a person",
            self.parked_effects.clone(),
        );
        registry.register(
            "parked_deliveries",
            "Deliveries that were set aside and wait for a person",
            self.parked_deliveries.clone(),
        );
        registry.register(
            "export_behind_entries",
            "Entries of the audit log that an export has not sent yet",
            self.export_behind.clone(),
        );
    }

    /// In the form of OpenMetrics 1.0.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// In Prometheus' own form, for whoever does not ask for the other.
    pub fn encode_plain(&self) -> Result<String, fmt::Error> {
        self.encode().map(|text| plain(&text))
    }
}

/// OpenMetrics as Prometheus' text format 0.0.4: a counter has its full name in the lines about it, and there is neither
/// a unit nor an end.
fn plain(text: &str) -> String {
    let counters: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let about = ["# HELP ", "# TYPE "].into_iter().find_map(|word| {
            let (name, rest) = line.strip_prefix(word)?.split_once(' ')?;
            counters.contains(name).then_some((word, name, rest))
        });
        match about {
            Some((word, name, rest)) => plain.extend([word, name, "_total ", rest, "\n"]),
            None if line.starts_with("# UNIT ") || line == "# EOF" => {}
            None => plain.extend([line, "\n"]),
        }
    }
    plain
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::default();
        metrics
            .deliveries
            .get_or_create(&DeliveryLabels {
                source: "github",
                answer: "stored",
            })
            .inc();
        let text = metrics.encode().unwrap();
        assert!(
            text.contains(r#"countersign_deliveries_total{source="github",answer="stored"} 1"#),
            "{text}"
        );
        assert!(
            text.contains("countersign_oldest_unhandled_seconds"),
            "{text}"
        );
    }

    #[test]
    fn the_plain_form_names_counters_in_full() {
        let open = "# HELP a A.\n# TYPE a counter\n# UNIT a seconds\na_total{b=\"c\"} 1\n\
                    # HELP d D.\n# TYPE d gauge\nd 2\n# EOF\n";
        let expect = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\
                      # HELP d D.\n# TYPE d gauge\nd 2\n";
        assert_eq!(plain(open), expect);
    }
}
