//! A report as CSV: one row for each deploy.

use super::words;
use crate::cli::audit::sheet::cell;
use crate::evidence::report::{Deploy, Report};

const HEADER: [&str; 24] = [
    "entry",
    "request",
    "attempt",
    "service",
    "environment",
    "sha",
    "kind",
    "requester",
    "requester_id",
    "approvers",
    "self_approved",
    "rules",
    "gates",
    "policy",
    "trigger",
    "commits",
    "titles",
    "requested_at",
    "approved_at",
    "triggered_at",
    "started_at",
    "ended_at",
    "end",
    "run_url",
];

pub(super) fn render(report: &Report) -> String {
    let mut text = row(&HEADER.map(str::to_owned));
    for deploy in &report.deploys {
        text.push_str(&row(&cells(deploy)));
    }
    text
}

fn cells(deploy: &Deploy) -> [String; 24] {
    let requester = deploy.requester.as_ref();
    let name = requester.map(|who| who.name.as_deref().unwrap_or(words::ERASED));
    let approvers: Vec<String> = deploy.approvers.iter().map(words::approver).collect();
    let rules: Vec<String> = deploy.approvers.iter().map(words::rules).collect();
    let gates: Vec<String> = deploy.gates.iter().map(words::gate).collect();
    [
        deploy.seq.to_string(),
        deploy.request.to_string(),
        deploy.attempt.to_string(),
        deploy.service.clone(),
        deploy.environment.clone(),
        deploy.sha.clone(),
        deploy.kind.clone(),
        name.unwrap_or_default().to_owned(),
        requester.map(|who| who.person.clone()).unwrap_or_default(),
        approvers.join("; "),
        if deploy.is_self_approved() {
            "yes"
        } else {
            "no"
        }
        .to_owned(),
        rules.join("; "),
        gates.join("; "),
        deploy.policy.clone(),
        deploy.trigger.clone(),
        deploy.commits.join(" "),
        words::titles(deploy),
        words::time(deploy.requested),
        deploy.approved.clone().unwrap_or_default(),
        deploy.triggered.to_string(),
        words::time(deploy.started),
        words::time(deploy.ended),
        deploy.end.as_str().to_owned(),
        deploy.url.clone(),
    ]
}

fn row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}
