//! A report for a terminal: a line for each deploy, then whatever left the ordinary road, then the counts.

use super::{Evidence, words};
use crate::evidence::report::Deploy;

pub(super) fn render(evidence: &Evidence) -> String {
    let report = &evidence.report;
    let mut lines = vec![words::period(evidence)];
    lines.extend(words::basis(evidence));
    lines.push(String::new());
    lines.push(format!("DEPLOYS: {}", report.totals.deploys));
    for deploy in &report.deploys {
        lines.extend(self::deploy(deploy));
    }
    let unexplained = report.unexplained.iter().map(|one| {
        format!(
            "{} {} → {} at {} by {} ({}, entry {})",
            one.at,
            one.service,
            one.environment,
            one.sha,
            one.by.as_deref().unwrap_or(words::ERASED),
            one.what,
            one.seq
        )
    });
    section(
        &mut lines,
        "RELEASES WITHOUT AN APPROVAL",
        unexplained,
        words::NO_UNEXPLAINED,
    );
    section(
        &mut lines,
        "APPROVED BY THE REQUESTER, AS THE POLICY ALLOWED",
        report.self_approved().map(words::named),
        words::NO_SELF_APPROVED,
    );
    let interventions = report.interventions.iter();
    section(
        &mut lines,
        "OVERRIDDEN, DROPPED OR RETRIED BY OPERATORS",
        interventions.map(words::intervention),
        words::NO_INTERVENTIONS,
    );
    lines.push(format!("  {}", words::NO_OVERRIDE));
    section(
        &mut lines,
        "RETRIED",
        report.retried().map(words::named),
        words::NO_RETRIED,
    );
    let ends = words::ends(evidence).into_iter();
    section(
        &mut lines,
        "DEPLOYS BY SERVICE, ENVIRONMENT AND END",
        ends.map(|(service, environment, end, count)| {
            format!("{count:>6}  {service} → {environment}  {end}")
        }),
        "None.",
    );
    let refused = words::refused(evidence).into_iter();
    section(
        &mut lines,
        &format!("REFUSALS BY SERVICE: {}", report.totals.refusals),
        refused.map(|(service, count)| format!("{count:>6}  {service}")),
        "None.",
    );
    let lines: Vec<String> = lines.iter().map(|line| words::plain(line)).collect();
    lines.join("\n")
}

fn deploy(deploy: &Deploy) -> Vec<String> {
    let mut lines = vec![format!(
        "  {}  #{}  {} → {}  {}  {}  {}",
        deploy.triggered,
        deploy.request,
        deploy.service,
        deploy.environment,
        deploy.sha,
        deploy.kind,
        deploy.end.as_str()
    )];
    lines.push(format!(
        "      requested by {} at {}",
        words::requester(deploy),
        words::time(deploy.requested)
    ));
    for approver in &deploy.approvers {
        lines.push(format!("      approved by {}", words::approver(approver)));
    }
    for gate in &deploy.gates {
        lines.push(format!("      gate {}", words::gate(gate)));
    }
    lines.push(format!("      policy {}", deploy.policy));
    for (what, time) in [("started", deploy.started), ("ended", deploy.ended)] {
        if time.is_some() {
            lines.push(format!("      {what} at {}", words::time(time)));
        }
    }
    if !deploy.url.is_empty() {
        lines.push(format!("      run {}", deploy.url));
    }
    lines
}

fn section(lines: &mut Vec<String>, title: &str, items: impl Iterator<Item = String>, none: &str) {
    lines.push(String::new());
    lines.push(title.to_owned());
    let before = lines.len();
    lines.extend(items.map(|item| format!("  {item}")));
    if lines.len() == before {
        lines.push(format!("  {none}"));
    }
}
