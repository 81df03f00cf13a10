//! The reload: the configuration is read again while the service runs. A file that is not valid changes nothing and is
//! complained about; a valid one is put in force and its digest recorded.

use std::path::{Path, PathBuf};

use crate::config::{Colour, Config};
use crate::domain::{Action, Actor, Entry};
use crate::metrics::{Metrics, ReloadLabels};
use crate::store::{Store, StoreError, ledger};
use countersign_ground::clock::Clock;
use countersign_ground::digest;

use super::handover::{self, Handover};

/// What is needed to read the configuration again.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) path: PathBuf,
    pub(super) current: Config,
    pub(super) handover: Handover,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
}

impl Reloader {
    pub(super) async fn reload(&mut self) {
        let outcome = match self.attempt().await {
            Ok(()) => {
                self.metrics.configuration_is_current.set(1);
                "loaded"
            }
            Err(why) => {
                self.metrics.configuration_is_current.set(0);
                tracing::error!(
                    why,
                    "the new configuration is not in force; the old one still is"
                );
                "refused"
            }
        };
        let labels = ReloadLabels { outcome };
        self.metrics.reloads.get_or_create(&labels).inc();
    }

    async fn attempt(&mut self) -> Result<(), String> {
        let config = Config::load(&self.path).map_err(|report| report.render(Colour::Never))?;
        let clients = handover::clients(&config)?;
        // First recorded, then in force: no configuration ever rules without a trace.
        record(&self.store, &self.clock, &self.path, &config)
            .await
            .map_err(|error| error.to_string())?;
        self.handover.replace(&config, clients);
        for what in needs_restart(&self.current, &config) {
            tracing::warn!(what, "changed in the file and not in force until a restart");
        }
        let digest = digest::sha256_hex(&config.source);
        tracing::info!(digest, "the new configuration is in force");
        self.current = config;
        Ok(())
    }
}

/// Notes in the ledger which configuration rules from now on.
pub(super) async fn record(
    store: &Store,
    clock: &Clock,
    path: &Path,
    config: &Config,
) -> Result<(), StoreError> {
    let mut entry = Entry::new(clock.now(), Action::ConfigurationLoaded, Actor::Countersign)
        .with("digest", digest::sha256_hex(&config.source))
        .with("file", path.display().to_string())
        .with("rules", handover::sealed(config).rules().as_str())
        .with("version", env!("CARGO_PKG_VERSION"));
    let renames = config.catalog.renames();
    if !renames.is_empty() {
        entry = entry.with("formerly", renames.join(", "));
    }
    store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { ledger::append(tx, &entry).await.map(drop) })
        })
        .await
}

/// What a running service cannot change about itself.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    use secrecy::ExposeSecret as _;

    let mut parts = Vec::new();
    if old.server != new.server {
        parts.push("[server]");
    }
    if old.database.url.expose_secret() != new.database.url.expose_secret() {
        parts.push("database.url");
    }
    if super::exports::differ(&old.ledger.exports, &new.ledger.exports) {
        parts.push("[[ledger.export]]");
    }
    if old.ledger.witnesses != new.ledger.witnesses {
        parts.push("[[ledger.witness]]");
    }
    parts
}
