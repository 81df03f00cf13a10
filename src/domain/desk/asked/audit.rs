//! The audit log in an answer: a short table of what happened to the services of this repository, for
//! people who have the role of auditors.

use crate::domain::audit::{Filter, Noted};
use crate::domain::command::Audit;
use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::policy::Holding;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Message, Text, code, command, person, text, ticked};
use crate::domain::{Asked, Look, RoleName, Seen, Service};

/// Who may ask.
const AUDITOR: &str = "auditor";

/// Entries of one answer.
const MOST: usize = 10;

/// The columns of an answer.
const HEAD: [&str; 9] = [
    "entry",
    "time",
    "action",
    "service",
    "environment",
    "who",
    "commit",
    "request",
    "why",
];
/// Digits of a commit's id.
const SHORT: usize = 10;

/// What the log says, if the author may know.
pub(crate) fn audit(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    audit: &Audit,
) -> Result<Message, Reason> {
    auditor(sitting, asked)?;
    // Ages count from when it was written, so that the same words always mean the same.
    let mut filter = Filter::parse(&audit.filters, asked.origin.said_at()).map_err(|why| {
        let help = text![command("/help audit"), " shows how to ask."];
        Reason::refuses(Rule::COMMAND, ticked(&why)).help(help)
    })?;
    if let Some(name) = &filter.service
        && services.iter().all(|service| service.name.as_str() != name)
    {
        return Err(named::no_service(name, services));
    }
    if let Some(written) = &mut filter.environment
        && let Some(meant) = services
            .iter()
            .find_map(|service| service.environment(written))
    {
        *written = meant.name.as_str().to_owned();
    }
    let look = Look::Entries {
        services: services
            .iter()
            .map(|service| service.name.clone())
            .collect(),
        filter,
        // One more than is shown tells whether there are more.
        most: u32::try_from(MOST + 1).unwrap_or(u32::MAX),
    };
    match sitting.seen(look) {
        Some(Seen::Entries(Ok(entries))) => Ok(table(entries)),
        Some(Seen::Entries(Err(why))) => Err(Reason::refuses(Rule::COMMAND, code(why))),
        _ => Ok(Message::default()),
    }
}

/// Whether the author has the role of auditors, now.
fn auditor(sitting: &Sitting<'_>, asked: &Asked) -> Result<(), Reason> {
    let configured: Option<RoleName> = AUDITOR
        .parse()
        .ok()
        .filter(|name| sitting.catalog.roles.contains_key(name));
    let Some(role) = configured else {
        let says = text![
            "nobody may search the audit log from here, because no role ",
            code(AUDITOR),
            " is configured"
        ];
        return Err(Reason::refuses(Rule::AUDITOR, says).help(text![
            "Whoever runs Countersign can add ",
            code("[roles.auditor]"),
            ", or search with ",
            code("countersign audit query"),
            "."
        ]));
    };
    let who = person(&asked.author);
    let help = text!["It is for ", people::who(sitting, &role), "."];
    match people::holding(sitting, &role, &asked.author, &asked.repository) {
        Holding::Held(_) => Ok(()),
        Holding::Not => {
            let says = text![who, " does not have the role that may search the audit log"];
            Err(Reason::refuses(Rule::AUDITOR, says).help(help))
        }
        Holding::Unknown(why) => {
            let about = " may search the audit log could not be found out: ";
            let says = text!["whether ", who, about, why];
            Err(Reason::unknown(Rule::AUDITOR, says).help(help))
        }
    }
}

fn table(entries: &[Noted]) -> Message {
    if entries.is_empty() {
        return text!["No entry about the services of this repository matches."].into();
    }
    let mut message = Message::default();
    message.table(HEAD, entries.iter().take(MOST).map(row).collect());
    if entries.len() > MOST {
        message.say(format!(
            "The newest {MOST}; there are more. Name a person, a time or another filter to see others."
        ));
    }
    message
}

fn row(entry: &Noted) -> Vec<Text> {
    let short = entry.sha.as_ref();
    let short: Option<String> = short.map(|sha| sha.chars().take(SHORT).collect());
    let request = entry.request.map(|number| format!("#{number}"));
    let at = entry.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    vec![
        entry.seq.to_string().into(),
        at.into(),
        cell(Some(entry.action.as_str())),
        cell(entry.service.as_deref()),
        cell(entry.environment.as_deref()),
        cell(Some(&entry.who)),
        cell(short.as_deref()),
        cell(request.as_deref()),
        cell(Some(&entry.why)),
    ]
}

/// Text from outside that cannot leave its cell.
fn cell(text: Option<&str>) -> Text {
    match text {
        Some(text) if !text.trim().is_empty() => code(text).into(),
        Some(_) | None => Text::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Action;
    use crate::domain::text::Line;

    #[test]
    fn hostile_text_stays_in_its_cell() {
        let entry = Noted {
            seq: 7,
            at: "2026-01-31T14:30:00Z".parse().unwrap(),
            action: Action::Refused,
            service: Some("shop".to_owned()),
            environment: None,
            who: "ann".to_owned(),
            sha: Some("0123456789abcdef".to_owned()),
            request: Some(3),
            why: "@everyone | `x`\n[a](b)".to_owned(),
        };
        let message = table(std::slice::from_ref(&entry));
        assert_eq!(
            message.plain().lines().last().unwrap(),
            "7 | 2026-01-31 14:30:00Z | refused | shop |  | ann | 0123456789 | #3 | @everyone | 'x' [a](b)"
        );
        let Some(Line::Row(cells)) = message.lines().last() else {
            panic!("{message:?}");
        };
        assert_eq!(cells.len(), HEAD.len());
        assert!(
            !table(&vec![entry.clone(); 10])
                .plain()
                .contains("there are more")
        );
        let more = table(&vec![entry; 11]).plain();
        assert!(more.contains("The newest 10; there are more."));
        assert_eq!(more.matches("shop").count(), 10);
        assert!(table(&[]).plain().contains("No entry"));
    }
}
