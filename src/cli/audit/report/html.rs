//! A report as one page that needs nothing else: no scripts, nothing fetched, readable on paper and in
//! black and white. Everything that came from outside is escaped.

use std::fmt::{Display, Write as _};

use super::{Evidence, words};
use crate::evidence::report::Deploy;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Release evidence</title>
<style>
body { font: 10pt/1.4 sans-serif; color: #000; background: #fff; margin: 2em; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #000; padding: .3em .5em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { border-bottom-width: 2px; }
.deploy { border: 1px solid #000; margin: 1em 0; padding: .5em 1em; break-inside: avoid; }
.deploy h3 { font-size: 10pt; margin: .2em 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 9em 1fr; margin: .5em 0; } dt { font-weight: bold; }
dd { margin: 0; overflow-wrap: anywhere; } .end { border: 1px solid #000; padding: 0 .4em; font-weight: bold; }
@media print { body { margin: 0; } a { color: #000; } h2 { break-after: avoid; } thead { display: table-header-group; } tr { break-inside: avoid; } }
@page { margin: 15mm; }
</style>
</head>
<body>
"#;

pub(super) fn render(evidence: &Evidence) -> String {
    let report = &evidence.report;
    let mut page = Page(HEAD.to_owned());
    page.raw("<h1>Release evidence</h1>\n");
    page.element("p", words::period(evidence));
    for sentence in words::basis(evidence) {
        page.element("p", sentence);
    }
    page.element("p", format!("Written at {}.", evidence.made_at));

    page.element("h2", "Totals");
    let ends = words::ends(evidence).into_iter();
    page.table(
        ["Service", "Environment", "End", "Deploys"],
        ends.map(|(service, environment, end, count)| {
            [service, environment, end.to_owned(), count.to_string()]
        }),
    );
    page.element("p", format!("{} deploys in all.", report.totals.deploys));
    let refused = words::refused(evidence).into_iter();
    page.table(
        ["Service", "Refusals"],
        refused.map(|(service, count)| [service, count.to_string()]),
    );
    page.element("p", format!("{} refusals in all.", report.totals.refusals));

    page.element("h2", "Deploys");
    for deploy in &report.deploys {
        page.deploy(deploy);
    }
    page.element("h2", "Releases without an approval");
    if report.unexplained.is_empty() {
        page.element("p", words::NO_UNEXPLAINED);
    } else {
        let rows = report.unexplained.iter();
        page.table(
            [
                "Time",
                "Service",
                "Environment",
                "Commit",
                "What",
                "By",
                "Entry",
            ],
            rows.map(|one| {
                [
                    one.at.to_string(),
                    one.service.clone(),
                    one.environment.clone(),
                    one.sha.clone(),
                    one.what.clone(),
                    one.by.clone().unwrap_or(words::ERASED.to_owned()),
                    one.seq.to_string(),
                ]
            }),
        );
    }
    page.element("h2", "Approved by the requester, as the policy allowed");
    let self_approved = report.self_approved().map(words::named);
    page.list(self_approved.collect(), words::NO_SELF_APPROVED);
    page.element("h2", "Overridden, dropped or retried by operators");
    let interventions = report.interventions.iter().map(words::intervention);
    page.list(interventions.collect(), words::NO_INTERVENTIONS);
    page.element("p", words::NO_OVERRIDE);
    page.element("h2", "Retried");
    page.list(
        report.retried().map(words::named).collect(),
        words::NO_RETRIED,
    );
    page.raw("</body>\n</html>\n");
    page.0
}

struct Page(String);

impl Page {
    fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    fn element(&mut self, name: &'static str, text: impl Display) {
        // Writing to a string cannot fail.
        let _written = writeln!(self.0, "<{name}>{}</{name}>", escaped(&text.to_string()));
    }

    fn list(&mut self, items: Vec<String>, none: &'static str) {
        if items.is_empty() {
            return self.element("p", none);
        }
        self.raw("<ul>\n");
        for item in items {
            self.element("li", item);
        }
        self.raw("</ul>\n");
    }

    fn table<const N: usize>(
        &mut self,
        header: [&'static str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) {
        self.raw("<table>\n<thead><tr>");
        for cell in header {
            self.element("th", cell);
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for cell in row {
                self.element("td", cell);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table>\n");
    }

    fn deploy(&mut self, deploy: &Deploy) {
        self.raw("<section class=\"deploy\">\n<h3>");
        let title = format!(
            "#{} {} → {} at {} ",
            deploy.request, deploy.service, deploy.environment, deploy.sha
        );
        self.0.push_str(&escaped(&title));
        self.raw("<span class=\"end\">");
        self.0.push_str(deploy.end.as_str());
        self.raw("</span></h3>\n<dl>\n");
        self.item("Entry", deploy.seq.to_string());
        self.item("Kind", deploy.kind.clone());
        self.item("Asked for by", words::requester(deploy));
        for approver in &deploy.approvers {
            self.item("Approved by", words::approver(approver));
        }
        for gate in &deploy.gates {
            self.item("Gate", words::gate(gate));
        }
        self.item("Policy", deploy.policy.clone());
        self.item("Started by", deploy.trigger.clone());
        self.item("Commits", deploy.commits.join(" "));
        self.item("Titles", words::titles(deploy));
        self.item("Requested", words::time(deploy.requested));
        self.item("Approved", deploy.approved.clone().unwrap_or_default());
        self.item("Triggered", deploy.triggered.to_string());
        self.item("Started", words::time(deploy.started));
        self.item("Ended", words::time(deploy.ended));
        self.item("Run", deploy.url.clone());
        self.raw("</dl>\n</section>\n");
    }

    /// What is not known is left out.
    fn item(&mut self, name: &'static str, text: String) {
        if !text.is_empty() {
            self.element("dt", name);
            self.element("dd", text);
        }
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in words::plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(
            escaped("<script>alert('&\"')</script>\u{1b}"),
            "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"
        );
    }
}
