//! Deliveries: what a stored delivery of GitHub's means, in our own words. Pure: nothing is asked and nothing is
//! decided. Refuses what it cannot read by event and field; what is none of our business says why.

pub(super) mod commits;
#[cfg(test)]
mod never;
#[cfg(test)]
mod planted;
pub(super) mod releases;
mod talk;
mod unused;

use serde::de::DeserializeOwned;

use super::payload;
use crate::domain::{Account, Forge, Incoming, Repository, RepositoryId};

/// The longest sentence about an unreadable field; it may quote what a stranger wrote.
const LONGEST_WHY: usize = 300;

/// Says in our words what a stored delivery means, or which field cannot be read. One delivery can tell
/// several things; they are in the order in which they should be heard.
pub fn interpret(event: &str, body: &[u8]) -> Result<Vec<Incoming>, String> {
    Ok(match event {
        "ping" => vec![Incoming::Ping],
        "push" => vec![commits::push(read(event, body)?)],
        "status" => vec![commits::status(read(event, body)?)],
        "check_run" => vec![commits::check_run(read(event, body)?)],
        "workflow_run" => commits::workflow_run(read(event, body)?),
        "deployment" => vec![releases::deployment(read(event, body)?)],
        "deployment_status" => releases::deployment_status(read(event, body)?),
        "deployment_protection_rule" => vec![releases::protection_rule(read(event, body)?)],
        "pull_request" => vec![talk::pull_request(read(event, body)?)],
        "issue_comment" => vec![talk::issue_comment(read(event, body)?)],
        "repository" => vec![talk::repository(read(event, body)?)],
        _ => vec![unused::explain(event, body)],
    })
}

fn read<T: DeserializeOwned>(event: &str, body: &[u8]) -> Result<T, String> {
    let error = match serde_json::from_slice(body) {
        Ok(payload) => return Ok(payload),
        Err(error) => error,
    };
    // Only what cannot be read is read again, slower, to learn which field it is.
    let mut again = serde_json::Deserializer::from_slice(body);
    let why = match serde_path_to_error::deserialize::<_, T>(&mut again) {
        Err(named) => format!("{event}: {named}"),
        Ok(_) => format!("{event}: {error}"),
    };
    Err(why.chars().take(LONGEST_WHY).collect())
}

fn not_ours(why: &str) -> Incoming {
    Incoming::NotOurs(why.to_owned())
}

fn place(repository: payload::Repository, installation: Option<payload::Numbered>) -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitHub, repository.id.0),
        path: repository.full_name,
        installation: installation.map(|installation| installation.id.0),
    }
}

fn account(user: payload::User) -> Account {
    Account {
        forge: Forge::GitHub,
        id: user.id.0,
        login: user.login,
    }
}

/// The first address that a person can follow, or nothing. The reporter of a fact chooses its address.
fn link(candidates: impl IntoIterator<Item = Option<String>>) -> String {
    let is_web = |address: &String| {
        (address.starts_with("https://") || address.starts_with("http://"))
            && !address.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    };
    candidates
        .into_iter()
        .flatten()
        .find(is_web)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::planted::{payload, with};
    use super::*;

    #[test]
    fn an_unreadable_payload_names_the_event_and_the_field() {
        for (event, field, value, expect) in [
            (
                "push",
                "/after",
                "abc",
                "push: after: this is not a full commit id",
            ),
            ("status", "/sha", "ABC", "status: sha: "),
            ("status", "/repository/id", "9", "status: repository.id: "),
            (
                "check_run",
                "/check_run/head_sha",
                "",
                "check_run: check_run.head_sha: ",
            ),
            (
                "issue_comment",
                "/comment/created_at",
                "soon",
                "issue_comment: comment.created_at: this is not a time",
            ),
            (
                "deployment_protection_rule",
                "/deployment_callback_url",
                "https://example.org/",
                "deployment_protection_rule: deployment_callback_url: it does not end in",
            ),
        ] {
            let body = with(event, |payload| {
                *payload.pointer_mut(field).unwrap() = value.into();
            });
            let why = interpret(event, &body).unwrap_err();
            assert!(why.starts_with(expect), "{why}");
        }
        for (number, expect) in [
            (serde_json::json!(-1), "check_run: check_run.id: "),
            (serde_json::json!(0), "check_run: check_run.id: "),
            (serde_json::json!(u64::MAX), "check_run: check_run.id: "),
            (serde_json::json!(1.5), "check_run: check_run.id: "),
        ] {
            let body = with("check_run", |payload| {
                payload["check_run"]["id"] = number.clone();
            });
            let why = interpret("check_run", &body).unwrap_err();
            assert!(why.starts_with(expect), "{number}: {why}");
        }
        let why = interpret("issue_comment", br#"{"action":"created"}"#).unwrap_err();
        assert!(why.contains("`comment`"), "{why}");
    }

    #[test]
    fn a_sentence_about_an_unreadable_field_is_short() {
        let body = with("status", |payload| {
            payload["repository"]["id"] = "x".repeat(1 << 20).into();
        });
        let why = interpret("status", &body).unwrap_err();
        assert_eq!(why.chars().count(), LONGEST_WHY);
    }

    #[test]
    fn bytes_after_the_payload_are_refused() {
        let mut body = payload("status").to_string().into_bytes();
        body.extend(b"{}");
        let why = interpret("status", &body).unwrap_err();
        assert!(why.contains("trailing"), "{why}");
    }

    #[test]
    fn only_addresses_of_the_web_are_shown() {
        let check = |candidates: &[&str], expect: &str| {
            let given = candidates.iter().map(|text| Some((*text).to_owned()));
            assert_eq!(link(given), expect, "{candidates:?}");
        };
        check(&[], "");
        check(
            &["", "https://ci.example.org/1"],
            "https://ci.example.org/1",
        );
        check(&["javascript:alert(1)", "http://ci/2"], "http://ci/2");
        check(&["https://ci/1 [x](y)", "/relative"], "");
    }

    #[test]
    fn a_ping_is_a_ping() {
        assert_eq!(interpret("ping", b"{}"), Ok(vec![Incoming::Ping]));
    }
}
