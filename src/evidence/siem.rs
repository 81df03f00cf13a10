//! An entry in the words of others: as it is (NDJSON), in the Elastic Common Schema, or in the Open
//! Cybersecurity Schema Framework as Entity Management. Pure; one line for each entry.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use countersign_ledger::{Action, Ending};
use countersign_ledger::{Aside, Whole};

/// The schemas that entries are mapped to.
const ECS_VERSION: &str = "8.11.0";
const OCSF_VERSION: &str = "1.3.0";
/// Entity Management, in the category Identity & Access Management.
const CLASS: u64 = 3004;
const CATEGORY: u64 = 3;

/// How an entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ndjson,
    Ocsf,
    Ecs,
}

/// What was done to the thing that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Create,
    Read,
    Update,
    Delete,
    Enable,
    Disable,
    Other,
}

/// One line, without its end. `body` are the stored bytes, `asides` what still lies aside.
pub fn line(format: Format, whole: &Whole, body: &[u8], asides: &[Aside]) -> String {
    match format {
        Format::Ndjson => as_it_is(whole, body, asides),
        Format::Ecs => ecs(whole).to_string(),
        Format::Ocsf => ocsf(whole).to_string(),
    }
}

/// The exact bytes that are hashed, and beside them what lies aside.
fn as_it_is(whole: &Whole, body: &[u8], asides: &[Aside]) -> String {
    let mut shown = Map::new();
    for aside in asides {
        let value = serde_json::from_str(&aside.value);
        if let (Ok(value), false) = (value, whole.altered.contains(&aside.name)) {
            shown.insert(aside.name.clone(), value);
        }
    }
    let shown = Value::Object(shown);
    format!(
        r#"{{"aside":{shown},"entry":{}}}"#,
        String::from_utf8_lossy(body)
    )
}

fn ecs(whole: &Whole) -> Value {
    let (category, kind) = ecs_kind(whole.action);
    let ending = whole.action.ending();
    let mut entry = json!({
        "@timestamp": whole.at.to_string(),
        "ecs": { "version": ECS_VERSION },
        "event": {
            "action": whole.action.as_str(),
            "category": [category],
            "dataset": "countersign.audit",
            "id": id(whole),
            "kind": if ending == Ending::Alarm { "alert" } else { "event" },
            "module": "countersign",
            "outcome": outcome(ending),
            "sequence": whole.seq,
            "type": [kind],
        },
        "labels": labels(whole),
        "message": message(whole),
    });
    let mut add = |name: &str, value: Value| {
        if let Value::Object(parts) = &mut entry {
            parts.insert(name.to_owned(), value);
        }
    };
    if let Some(person) = &whole.person {
        add("user", with_name(json!({ "id": person }), whole));
    }
    if let Some(service) = &whole.service {
        let mut about = json!({ "name": service });
        if let (Value::Object(about), Some(environment)) = (&mut about, &whole.environment) {
            about.insert("environment".to_owned(), json!(environment));
        }
        add("service", about);
    }
    entry
}

fn ocsf(whole: &Whole) -> Value {
    let deed = deed(whole.action);
    let ending = whole.action.ending();
    let (severity_id, severity) = severity(ending);
    let (status_id, status) = match outcome(ending) {
        "success" => (1, "Success"),
        "failure" => (2, "Failure"),
        _ => (0, "Unknown"),
    };
    let actor = match &whole.person {
        Some(person) => json!({ "user": with_name(json!({ "uid": person }), whole) }),
        None => json!({ "app_name": "Countersign" }),
    };
    json!({
        "activity_id": deed.id(),
        "activity_name": deed.as_str(),
        "actor": actor,
        "category_name": "Identity & Access Management",
        "category_uid": CATEGORY,
        "class_name": "Entity Management",
        "class_uid": CLASS,
        "entity": entity(whole),
        "message": message(whole),
        "metadata": {
            "event_code": whole.action.as_str(),
            "log_name": whole.log,
            "product": { "name": "Countersign", "vendor_name": "Countersign" },
            "sequence": whole.seq,
            "uid": id(whole),
            "version": OCSF_VERSION,
        },
        "severity": severity,
        "severity_id": severity_id,
        "status": status,
        "status_id": status_id,
        "time": whole.at.as_millisecond(),
        "type_name": format!("Entity Management: {}", deed.as_str()),
        "type_uid": CLASS * 100 + deed.id(),
        "unmapped": { "detail": whole.detail, "labels": labels(whole) },
    })
}

/// What an entry is about: a request, a service, or the log itself.
fn entity(whole: &Whole) -> Value {
    match (whole.request, &whole.service) {
        (Some(request), _) => json!({
            "name": format!("#{request}"), "type": "Release Request", "uid": request.to_string(),
        }),
        (None, Some(service)) => json!({ "name": service, "type": "Service", "uid": service }),
        (None, None) => json!({ "name": whole.log, "type": "Audit Log", "uid": whole.log }),
    }
}

fn id(whole: &Whole) -> String {
    format!("{}/{}", whole.log, whole.seq)
}

fn with_name(mut user: Value, whole: &Whole) -> Value {
    if let (Value::Object(user), Some(name)) = (&mut user, &whole.name) {
        user.insert("name".to_owned(), json!(name));
    }
    user
}

/// What to filter by, as text.
fn labels(whole: &Whole) -> Value {
    let labels = [
        ("environment", whole.environment.clone()),
        ("log", Some(whole.log.clone())),
        ("outcome", Some(whole.action.ending().as_str().to_owned())),
        ("request", whole.request.map(|request| request.to_string())),
        ("service", whole.service.clone()),
        ("sha", whole.sha.clone()),
    ];
    labels
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect::<Map<_, _>>()
        .into()
}

fn message(whole: &Whole) -> String {
    let mut text = whole.action.as_str().to_owned();
    let parts = [
        ("", whole.request.map(|request| format!("#{request}"))),
        ("", whole.service.clone()),
        ("to ", whole.environment.clone()),
        ("at ", whole.sha.clone()),
        ("by ", whole.name.clone().or_else(|| whole.person.clone())),
    ];
    for (before, part) in parts {
        if let Some(part) = part {
            // Writing to a string cannot fail.
            let _written = write!(text, " {before}{part}");
        }
    }
    text
}

fn outcome(ending: Ending) -> &'static str {
    match ending {
        Ending::Allowed | Ending::Succeeded => "success",
        Ending::Refused | Ending::Failed => "failure",
        Ending::Alarm | Ending::Noted => "unknown",
    }
}

fn severity(ending: Ending) -> (u64, &'static str) {
    match ending {
        Ending::Allowed | Ending::Succeeded | Ending::Noted => (1, "Informational"),
        Ending::Refused => (2, "Low"),
        Ending::Failed => (3, "Medium"),
        Ending::Alarm => (4, "High"),
    }
}

/// The category and the type of an event, among those that belong together.
fn ecs_kind(action: Action) -> (&'static str, &'static str) {
    let is_about_people = [
        Action::TokenMade,
        Action::TokenRevoked,
        Action::IdentityLinked,
        Action::IdentityUnlinked,
        Action::NameChangedHands,
    ]
    .contains(&action);
    let category = if is_about_people {
        "iam"
    } else {
        "configuration"
    };
    let kind = match deed(action) {
        Deed::Create => "creation",
        Deed::Delete => "deletion",
        Deed::Update | Deed::Enable | Deed::Disable => "change",
        Deed::Read | Deed::Other => "info",
    };
    (category, kind)
}

fn deed(action: Action) -> Deed {
    match action {
        Action::Requested | Action::LogOpened | Action::TokenMade | Action::IdentityLinked => {
            Deed::Create
        }
        Action::Answered => Deed::Read,
        Action::StagePassed
        | Action::StageFailed
        | Action::CandidateReady
        | Action::CommentChanged
        | Action::Approved
        | Action::ApprovalVoided
        | Action::Rejected
        | Action::Cancelled
        | Action::Expired
        | Action::Superseded
        | Action::Voided
        | Action::Triggered
        | Action::TriggerFound
        | Action::Started
        | Action::Succeeded
        | Action::Failed
        | Action::NameChangedHands
        | Action::RepositoryChanged
        | Action::ConfigurationLoaded
        | Action::DeliveryRetried
        | Action::EffectRetried
        | Action::KeyRotated
        | Action::HeadAdopted
        | Action::DatabaseRestored => Deed::Update,
        Action::EffectDropped
        | Action::PrivateErased
        | Action::TokenRevoked
        | Action::IdentityUnlinked => Deed::Delete,
        Action::Unlocked => Deed::Enable,
        Action::Locked => Deed::Disable,
        Action::CommandReceived
        | Action::Refused
        | Action::TriggerHeld
        | Action::TriggerLost
        | Action::TriggerUnproven
        | Action::Unexplained
        | Action::DeliveryParked
        | Action::EffectParked
        | Action::CheckpointAnchored
        | Action::LinkOffered
        | Action::LinkClaimed
        | Action::LinkDeclined => Deed::Other,
    }
}

impl Deed {
    fn id(self) -> u64 {
        match self {
            Self::Create => 1,
            Self::Read => 2,
            Self::Update => 3,
            Self::Delete => 4,
            Self::Enable => 8,
            Self::Disable => 9,
            Self::Other => 99,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Enable => "Enable",
            Self::Disable => "Disable",
            Self::Other => "Other",
        }
    }
}

#[cfg(test)]
mod tests;
