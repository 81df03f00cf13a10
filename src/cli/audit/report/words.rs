//! Words: how parts of a report are written, whatever it is written as.

use jiff::Timestamp;

use super::Evidence;
use crate::evidence::report::{Approver, Deploy, Gate, Intervention, Who};
use countersign_ledger::{base64, is_invisible};

pub(super) const ERASED: &str = "erased";

pub(super) fn who(who: &Who) -> String {
    let name = who.name.as_deref().unwrap_or(ERASED);
    format!("{name} ({})", who.person)
}

pub(super) fn requester(deploy: &Deploy) -> String {
    deploy.requester.as_ref().map(who).unwrap_or_default()
}

pub(super) fn approver(approver: &Approver) -> String {
    format!(
        "{} as {} ({}) at {}",
        who(&approver.who),
        approver.roles.join(" and "),
        rules(approver),
        approver.at
    )
}

pub(super) fn rules(approver: &Approver) -> String {
    let rules = approver.rules.as_ref();
    rules.map_or(ERASED.to_owned(), |rules| rules.join(", "))
}

pub(super) fn gate(gate: &Gate) -> String {
    format!("{}: {}", gate.name, gate.conclusions.join(", "))
}

pub(super) fn titles(deploy: &Deploy) -> String {
    let titles = deploy.titles.as_ref();
    titles.map_or(ERASED.to_owned(), |titles| titles.join("; "))
}

pub(super) fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

pub(super) fn period(evidence: &Evidence) -> String {
    let scope = &evidence.report.scope;
    let service = scope.service.as_ref();
    format!(
        "{}, from {} on, before {}",
        service.map_or("All services".to_owned(), |name| format!("Service {name}")),
        scope.from,
        scope.to
    )
}

/// What the report rests on, in sentences.
pub(super) fn basis(evidence: &Evidence) -> Vec<String> {
    let reading = &evidence.report.reading;
    let mut says = Vec::new();
    if reading.entries == 0 {
        says.push("The log has no entries in this period.".to_owned());
        return says;
    }
    says.push(format!(
        "Read {} entries of this period, number {} to {}, of the log {}.",
        reading.entries,
        reading.first,
        reading.last,
        evidence.log.as_deref().unwrap_or_default()
    ));
    if reading.newest > reading.last {
        says.push(format!(
            "How its deploys ended was read up to entry {}.",
            reading.newest
        ));
    }
    says.push(match &evidence.head {
        Some(head) => format!(
            "The signed head of {} entries covers all of them; its root is {}.",
            head.size,
            base64(&head.root)
        ),
        None => "No signed head covers all of them yet.".to_owned(),
    });
    if !evidence.report.altered.is_empty() {
        let altered = evidence.report.altered.iter();
        let altered: Vec<String> = altered
            .map(|(seq, name)| format!("{name} of {seq}"))
            .collect();
        says.push(format!(
            "ATTENTION: these private values were changed and are left out: {}. Run `countersign audit verify`.",
            altered.join(", ")
        ));
    }
    says
}

pub(super) const NO_UNEXPLAINED: &str = "None: every release that Countersign saw had an approval.";
pub(super) const NO_SELF_APPROVED: &str = "None: no requester approved their own release.";
pub(super) const NO_INTERVENTIONS: &str =
    "None: every trigger was proven before it left, and no operator dropped or retried a call.";
pub(super) const NO_RETRIED: &str = "None: no release was retried.";
pub(super) const NO_OVERRIDE: &str = "This version has no way to override a policy.";

pub(super) fn intervention(one: &Intervention) -> String {
    let by = one.by.as_ref().map(who);
    format!(
        "{} by {}: {} (entry {}): {}",
        one.action,
        by.unwrap_or("Countersign".to_owned()),
        one.what,
        one.seq,
        one.reason.as_deref().unwrap_or(ERASED)
    )
}

/// How a deploy is called in a list.
pub(super) fn named(deploy: &Deploy) -> String {
    format!(
        "#{} {} → {} at {} (entry {})",
        deploy.request, deploy.service, deploy.environment, deploy.sha, deploy.seq
    )
}

/// The totals as lines of service, environment, end and count.
pub(super) fn ends(evidence: &Evidence) -> Vec<(String, String, &'static str, u64)> {
    let places = evidence.report.totals.ends.iter();
    places
        .flat_map(|((service, environment), ends)| {
            ends.iter().map(move |(end, count)| {
                (service.clone(), environment.clone(), end.as_str(), *count)
            })
        })
        .collect()
}

/// Refusals as lines of service and count.
pub(super) fn refused(evidence: &Evidence) -> Vec<(String, u64)> {
    let services = evidence.report.totals.refused.iter();
    let named = |service: &String| match service.as_str() {
        "" => "no service named".to_owned(),
        service => service.to_owned(),
    };
    services
        .map(|(service, count)| (named(service), *count))
        .collect()
}

/// Without what a terminal would obey, and what turns the order of letters round.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |c: &char| !c.is_control() && !is_invisible(*c);
    text.chars().filter(is_plain).collect()
}
