//! Deliveries: what a stored delivery of GitLab's means, in our own words. Pure: nothing is asked and nothing is
//! decided. Refuses what it cannot read by event and field; what is none of our business says why.

pub(super) mod deployments;
pub(super) mod jobs;
#[cfg(test)]
mod never;
pub(super) mod pipelines;
#[cfg(test)]
mod planted;
mod push;
mod talk;
mod unused;

use serde::de::DeserializeOwned;

use super::payload::{self, Kind};
use crate::domain::{Account, Forge, Incoming, Repository, RepositoryId};

/// The events that are used, and what their bodies call themselves.
const KINDS: &[(&str, &str)] = &[
    ("Push Hook", "push"),
    ("Tag Push Hook", "tag_push"),
    ("Job Hook", "build"),
    ("Pipeline Hook", "pipeline"),
    ("Deployment Hook", "deployment"),
    ("Merge Request Hook", "merge_request"),
    ("Note Hook", "note"),
];

/// Says in our words what a stored delivery means, or which field cannot be read. One delivery can tell
/// several things; they are in the order in which they should be heard.
pub fn interpret(event: &str, body: &[u8]) -> Result<Vec<Incoming>, String> {
    let kind: Kind = serde_json::from_slice(body).unwrap_or_default();
    let kind = kind.object_kind.as_deref();
    // A hook of the whole server names no event in its header.
    let of_kind = KINDS.iter().find(|(_, other)| kind == Some(other));
    let event = match of_kind {
        Some((of_kind, _)) if event == "System Hook" => of_kind,
        _ => event,
    };
    // The header is not signed, the body is.
    let meant = KINDS.iter().find(|(name, _)| *name == event);
    if meant.is_some_and(|(_, meant)| kind.is_some_and(|kind| kind != *meant)) {
        return Ok(vec![not_ours("its body is of another kind of event")]);
    }
    Ok(match event {
        "Push Hook" => vec![push::push(read(event, body)?)],
        "Job Hook" => jobs::job(read(event, body)?),
        "Pipeline Hook" => pipelines::pipeline(read(event, body)?),
        "Deployment Hook" => deployments::deployment(read(event, body)?),
        "Merge Request Hook" => vec![talk::merge_request(read(event, body)?)],
        "Note Hook" => vec![talk::note(read(event, body)?)],
        _ => vec![unused::explain(event)],
    })
}

fn read<T: DeserializeOwned>(event: &str, body: &[u8]) -> Result<T, String> {
    payload::read(body).map_err(|why| format!("{event}: {why}"))
}

fn not_ours(why: &str) -> Incoming {
    Incoming::NotOurs(why.to_owned())
}

fn place(project: payload::Project) -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitLab, project.id.0),
        path: project.path_with_namespace,
        installation: None,
    }
}

/// Nothing, where GitLab does not tell both number and name.
fn account(user: Option<payload::User>) -> Option<Account> {
    let user = user?;
    Some(Account {
        forge: Forge::GitLab,
        id: user.id?.0,
        login: user.username.filter(|name| !name.is_empty())?,
    })
}

/// An address that a person can follow, or nothing.
pub(crate) fn link(address: Option<&str>) -> String {
    let is_web = |address: &&str| {
        (address.starts_with("https://") || address.starts_with("http://"))
            && !address.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    };
    address.filter(is_web).unwrap_or_default().to_owned()
}

/// A page of a project, or nothing.
fn page(project: Option<&str>, rest: &str) -> String {
    let project = link(project);
    match project.trim_end_matches('/') {
        "" => String::new(),
        project => format!("{project}/-/{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::planted::{EVENTS, heard, ignored, with};
    use super::*;

    #[test]
    fn an_unreadable_payload_names_the_event_and_the_field_and_no_value() {
        for (event, field, value, expect) in [
            (
                "Push Hook",
                "/after",
                json!("canary"),
                "Push Hook: after: this is not a full commit id",
            ),
            (
                "Push Hook",
                "/project/id",
                json!("canary"),
                "Push Hook: project.id: this should be u64",
            ),
            ("Job Hook", "/sha", json!("canary"), "Job Hook: sha: "),
            ("Job Hook", "/build_id", json!(0), "Job Hook: build_id: "),
            (
                "Pipeline Hook",
                "/object_attributes/variables/0/value",
                json!({"canary": "canary"}),
                "Pipeline Hook: object_attributes.variables[0].value: this should be a string",
            ),
            (
                "Pipeline Hook",
                "/builds/1/id",
                json!("canary"),
                "Pipeline Hook: builds[1].id: ",
            ),
            (
                "Deployment Hook",
                "/deployment_id",
                json!(-1),
                "Deployment Hook: deployment_id: ",
            ),
            (
                "Merge Request Hook",
                "/object_attributes/last_commit/id",
                json!("canary"),
                "Merge Request Hook: object_attributes.last_commit.id: ",
            ),
            (
                "Note Hook",
                "/object_attributes/created_at",
                json!("canary"),
                "Note Hook: object_attributes.created_at: this is not a time",
            ),
        ] {
            let body = with(event, |payload| {
                *payload.pointer_mut(field).unwrap() = value.clone();
            });
            let why = interpret(event, &body).unwrap_err();
            assert!(why.starts_with(expect), "{why}");
            assert!(!why.contains("canary"), "{why}");
        }
        let why = interpret("Note Hook", b"{}").unwrap_err();
        assert!(why.contains("`object_attributes`"), "{why}");
    }

    #[test]
    fn a_hook_of_the_whole_server_is_read_by_what_its_body_calls_itself() {
        for event in EVENTS {
            let body = with(event, |_| ());
            assert_eq!(interpret("System Hook", &body), interpret(event, &body));
        }
        let why = ignored("System Hook", |_| ());
        assert!(why.starts_with("`System Hook` is not used"), "{why}");
    }

    #[test]
    fn a_body_under_the_name_of_another_event_is_not_used() {
        for event in EVENTS {
            let name = if *event == "Push Hook" {
                "Note Hook"
            } else {
                "Push Hook"
            };
            let heard = interpret(name, &with(event, |_| ())).unwrap();
            let [Incoming::NotOurs(why)] = heard.as_slice() else {
                panic!("{heard:?}");
            };
            assert!(why.contains("another kind"), "{why}");
            let unnamed = |payload: &mut serde_json::Value| payload["object_kind"] = json!(7);
            assert_eq!(
                interpret(event, &with(event, unnamed)),
                interpret(event, &with(event, |_| ())),
            );
        }
    }

    #[test]
    fn bytes_after_the_payload_are_refused() {
        let mut body = with("Push Hook", |_| ());
        body.extend(b"{}");
        let why = interpret("Push Hook", &body).unwrap_err();
        assert!(why.contains("trailing"), "{why}");
    }

    #[test]
    fn only_pages_of_the_web_are_shown() {
        let check = |address: Option<&str>, expect: &str| {
            assert_eq!(page(address, "jobs/7"), expect, "{address:?}");
        };
        check(None, "");
        check(Some(""), "");
        check(Some("https://lab/a/b"), "https://lab/a/b/-/jobs/7");
        check(Some("http://lab/a/b/"), "http://lab/a/b/-/jobs/7");
        check(Some("javascript:alert(1)"), "");
        check(Some("https://lab/a [x](y)"), "");
    }

    #[test]
    fn somebody_without_number_or_name_is_nobody() {
        let check = |user: serde_json::Value, expect: Option<&str>| {
            let moved = heard("Deployment Hook", |payload| payload["user"] = user.clone());
            let [_, Incoming::DeploymentMoved(moved)] = moved.as_slice() else {
                panic!("{moved:?}");
            };
            let by = moved.by.as_ref().map(|by| by.login.as_str());
            assert_eq!(by, expect, "{user}");
        };
        check(json!({"id": 5, "username": "ann"}), Some("ann"));
        check(json!({"id": null, "username": null}), None);
        check(json!({"id": 5, "name": "Ann"}), None);
        check(json!({"id": 5, "username": ""}), None);
        check(json!({"username": "ann"}), None);
        check(json!(null), None);
    }
}
