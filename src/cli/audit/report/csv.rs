//! A report as CSV (RFC 4180): one row for each deploy. What a spreadsheet would take for a formula is
//! made plain text.

use super::words;
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

fn cell(text: &str) -> String {
    // With an apostrophe in front, spreadsheets show the text as it is.
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if is_formula { "'" } else { "" };
    if is_formula || text.contains([',', '"', '\r', '\n']) {
        format!("\"{mark}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_a_formula() {
        let check = |text: &str, expect: &str| assert_eq!(cell(text), expect, "{text:?}");
        check("plain", "plain");
        check("", "");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\r\nlines", "\"two\r\nlines\"");
        check("=1+1", "\"'=1+1\"");
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
        for first in ['+', '-', '@', '\t', '\r'] {
            check(&format!("{first}x"), &format!("\"'{first}x\""));
        }
        check("1-2", "1-2");
    }
}
