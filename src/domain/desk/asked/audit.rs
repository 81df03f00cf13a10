//! The audit log in an answer: a short table of what happened to the services of this repository, for
//! people who have the role of auditors.

use crate::domain::audit::{Filter, Noted};
use crate::domain::desk::known::named::list;
use crate::domain::desk::known::people;
use crate::domain::desk::sitting::Sitting;
use crate::domain::policy::Holding;
use crate::domain::reason::{Reason, code};
use crate::domain::{Asked, Look, RoleName, Seen, Service, command};

/// Who may ask.
const AUDITOR: &str = "auditor";

/// Entries of one answer.
const MOST: usize = 10;

/// Digits of a commit's id.
const SHORT: usize = 10;

/// What the log says, if the author may know.
pub(crate) fn audit(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    audit: &command::Audit,
) -> Result<String, Reason> {
    auditor(sitting, asked)?;
    // Ages count from when it was written, so that the same words always mean the same.
    let mut filter = Filter::parse(&audit.filters, asked.origin.said_at())
        .map_err(|why| Reason::refuses(why).help("`/help audit` shows how to ask."))?;
    if let Some(name) = &filter.service
        && services.iter().all(|service| service.name.as_str() != name)
    {
        let names = list(services.iter().map(|service| service.name.as_str()));
        let why = format!("no service here is called {}", code(name));
        return Err(Reason::refuses(why).help(format!("There are {names}.")));
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
        Some(Seen::Entries(Err(why))) => Err(Reason::refuses(code(why))),
        _ => Ok(String::new()),
    }
}

/// Whether the author has the role of auditors, now.
fn auditor(sitting: &Sitting<'_>, asked: &Asked) -> Result<(), Reason> {
    let configured: Option<RoleName> = AUDITOR
        .parse()
        .ok()
        .filter(|name| sitting.catalog.roles.contains_key(name));
    let Some(role) = configured else {
        return Err(
            Reason::refuses("nobody may search the audit log from here, because no role `auditor` is configured")
                .help("Whoever runs Countersign can add `[roles.auditor]`, or search with `countersign audit query`."),
        );
    };
    let who = code(&asked.author.login);
    let help = format!("It is for {}.", people::who(sitting, &role));
    match people::holding(sitting, &role, &asked.author, &asked.repository) {
        Holding::Held(_) => Ok(()),
        Holding::Not => Err(Reason::refuses(format!(
            "{who} does not have the role that may search the audit log"
        ))
        .help(help)),
        Holding::Unknown(why) => Err(Reason::unknown(format!(
            "whether {who} may search the audit log could not be found out: {why}"
        ))
        .help(help)),
    }
}

fn table(entries: &[Noted]) -> String {
    if entries.is_empty() {
        return "No entry about the services of this repository matches.".to_owned();
    }
    let mut text =
        "| entry | time | action | service | environment | who | commit | request | why |\n\
        |---:|---|---|---|---|---|---|---:|---|\n"
            .to_owned();
    for entry in entries.iter().take(MOST) {
        let short: Option<String> = entry
            .sha
            .as_ref()
            .map(|sha| sha.chars().take(SHORT).collect());
        let request = entry.request.map(|number| format!("#{number}"));
        let cells = [
            entry.seq.to_string(),
            entry.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            cell(Some(entry.action.as_str())),
            cell(entry.service.as_deref()),
            cell(entry.environment.as_deref()),
            cell(Some(&entry.who)),
            cell(short.as_deref()),
            cell(request.as_deref()),
            cell(Some(&entry.why)),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    if entries.len() > MOST {
        text.push_str(&format!(
            "\nThe newest {MOST}; there are more. Name a person, a time or another filter to see others.\n"
        ));
    }
    text
}

/// Text from outside that cannot leave its cell.
fn cell(text: Option<&str>) -> String {
    match text {
        Some(text) if !text.trim().is_empty() => code(text).replace('|', "\\|"),
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Action;

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
        let text = table(std::slice::from_ref(&entry));
        assert_eq!(
            text.lines().last().unwrap(),
            "| 7 | 2026-01-31 14:30:00Z | `refused` | `shop` |  | `ann` | `0123456789` | `#3` | `@everyone \\| 'x' [a](b)` |"
        );
        assert!(!table(&vec![entry.clone(); 10]).contains("there are more"));
        let more = table(&vec![entry; 11]);
        assert!(more.contains("The newest 10; there are more."));
        assert_eq!(more.matches("`shop`").count(), 10);
        assert!(table(&[]).contains("No entry"));
    }
}
