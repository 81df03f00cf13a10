//! Cover: before a trigger leaves, the log must hold the decision and every approval that it names, under a signed
//! head. A row that an attacker put into the database has none of them, and starts nothing.

use std::time::Duration;

use serde_json::Value;

use super::Shared;
use super::signer::{Problem, Standing};
use crate::domain::{Action, Catalog, Departure, Went};
use crate::store::ledger::{self, Stored};
use countersign_ledger::{Head, Wanted, leaf, leaf_is_in, person};

/// How long a trigger waits for a signature. It is decided less than a minute before it leaves.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many seconds later a trigger departs again whose approval could not be signed.
const WHEN_UNSIGNED: u64 = 30;
/// The same, where a process has not read the rules that are in force: another one may take it.
const WHEN_BY_OTHER_RULES: u64 = 5;

/// Why a trigger does not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Uncovered {
    /// It may leave later: the log could not be signed in time.
    NotYet(String),
    /// It leaves when other rules are read, or from a process that has read them.
    ByOtherRules(String),
    /// The log does not fit what was signed.
    Broken(String),
    /// The log does not hold what would allow it.
    Unproven(String),
}

impl Uncovered {
    /// What the desk is told of it.
    pub(super) fn went(&self, departure: &Departure) -> Went {
        match self {
            Self::NotYet(why) => Went::Held {
                why: why.clone(),
                seconds: WHEN_UNSIGNED,
            },
            Self::ByOtherRules(why) => {
                tracing::error!(request = departure.request(), why, "a release is held");
                Went::Held {
                    why: why.clone(),
                    seconds: WHEN_BY_OTHER_RULES,
                }
            }
            Self::Broken(why) => Went::Forbidden {
                why: format!(
                    "the audit log does not fit what was signed, so nothing is released until an operator has looked: {why}"
                ),
            },
            Self::Unproven(why) => Went::Forbidden {
                why: format!("the audit log does not allow it: {why}"),
            },
        }
    }
}

/// What the log says about a departure.
enum Proven {
    Yes,
    No(String),
    /// It was decided, or would leave, by rules that are not in force any more.
    ByOtherRules(String),
}

/// Waits until a signed head covers the decision, and checks what is under it.
pub(super) async fn covered(
    shared: &Shared,
    catalog: &Catalog,
    departure: &Departure,
    (token, cause): (&str, i64),
) -> Result<(), Uncovered> {
    if token != departure.token() {
        // A row under another name would be the same trigger a second time.
        let why = format!("the row {token:?} is not the one of this decision");
        return Err(Uncovered::Unproven(why));
    }
    let head = signed(shared, cause).await?;
    match proven(shared, catalog, departure, head).await {
        Ok(Proven::Yes) => Ok(()),
        Ok(Proven::No(why)) => Err(Uncovered::Unproven(why)),
        Ok(Proven::ByOtherRules(why)) => Err(Uncovered::ByOtherRules(why)),
        Err(Problem::Passing(why)) => Err(Uncovered::NotYet(why)),
        Err(Problem::Broken(why)) => Err(Uncovered::Broken(why)),
    }
}

/// The signed head, once it covers an entry.
async fn signed(shared: &Shared, cause: i64) -> Result<Head, Uncovered> {
    let cause = u64::try_from(cause).unwrap_or_default();
    let mut standing = shared.standing.subscribe();
    let wait = async {
        loop {
            match &*standing.borrow_and_update() {
                Standing::Sound(head) if head.size >= cause => return Ok(*head),
                Standing::Broken { why } => return Err(Uncovered::Broken(why.clone())),
                Standing::Sound(_) | Standing::Checking => {}
            }
            shared.sign.notify_one();
            if standing.changed().await.is_err() {
                return Err(Uncovered::NotYet("nobody signs the audit log".to_owned()));
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| {
            Err(Uncovered::NotYet(format!(
                "the audit log was not signed within {} s",
                PATIENCE.as_secs()
            )))
        })
}

/// Whether the log allows this departure.
async fn proven(
    shared: &Shared,
    catalog: &Catalog,
    departure: &Departure,
    head: Head,
) -> Result<Proven, Problem> {
    let request = i64::try_from(departure.request()).unwrap_or(i64::MAX);
    let entries = ledger::of_request(&shared.store, request).await?;
    let sha = Some(departure.sha().as_str());
    let mut decision = None;
    for entry in of(&entries, Action::Triggered) {
        if detail(entry)["departure"].as_str() == Some(departure.spelled().as_str()) {
            decision = Some(entry);
        }
    }
    let Some(decision) = decision else {
        return Ok(Proven::No(
            "the audit log holds no such decision".to_owned(),
        ));
    };
    let went_on = entries
        .iter()
        .find(|entry| entry.seq > decision.seq && says_how_it_went(entry));
    if let Some(later) = went_on {
        let why = format!("by entry {}, it left or was over before", later.seq);
        return Ok(Proven::No(why));
    }
    let mut needed = vec![decision];
    let detail_of_decision = detail(decision);
    let approvals = detail_of_decision["approvals"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if approvals.is_empty() {
        return Ok(Proven::No("the decision names no approval".to_owned()));
    }
    for approval in &approvals {
        let (Some(forge), Some(number)) = (approval["forge"].as_str(), approval["number"].as_u64())
        else {
            return Ok(Proven::No(
                "the decision names an approval by nobody".to_owned(),
            ));
        };
        let who = person(forge, number);
        let approved = of(&entries, Action::Approved)
            .filter(|entry| entry.seq < decision.seq && entry.sha.as_deref() == sha)
            .filter(|entry| entry.person.as_deref() == Some(&who))
            .last();
        let Some(approved) = approved else {
            return Ok(Proven::No(format!(
                "the audit log holds no approval by {who}"
            )));
        };
        let voided = of(&entries, Action::ApprovalVoided)
            .filter(|entry| (approved.seq..decision.seq).contains(&entry.seq))
            .any(|entry| detail(entry)["number"].as_u64() == Some(number));
        if voided {
            return Ok(Proven::No(format!("the approval by {who} was void")));
        }
        needed.push(approved);
    }
    for entry in needed {
        if !is_under(shared, entry, head).await? {
            return Ok(Proven::No(format!(
                "entry {} is not under the signed head",
                entry.seq
            )));
        }
    }
    by_other_rules(shared, catalog, departure, decision).await
}

/// Whether the rules are those that were loaded last, wherever that was, and the decision was made by them. A process
/// that has not read the newest configuration releases nothing.
async fn by_other_rules(
    shared: &Shared,
    catalog: &Catalog,
    departure: &Departure,
    decision: &Stored,
) -> Result<Proven, Problem> {
    let loaded = ledger::latest(&shared.store, Action::ConfigurationLoaded).await?;
    let loaded = loaded.as_ref().map(detail);
    let rules = loaded.as_ref().and_then(|loaded| loaded["rules"].as_str());
    if rules.is_some_and(|rules| rules != catalog.rules().as_str()) {
        let why = "other rules were loaded last, by another process, and this one has not read them: reload it";
        return Ok(Proven::ByOtherRules(why.to_owned()));
    }
    let detail = detail(decision);
    let Some(under) = detail["evidence"]["policy"].as_str() else {
        return Ok(Proven::Yes);
    };
    let place = catalog.service(departure.service()).and_then(|service| {
        let environment = service.environment_called(departure.environment())?;
        catalog.policy(service, environment)
    });
    if place.is_some_and(|policy| policy.is_named(under)) {
        return Ok(Proven::Yes);
    }
    let why = "it was decided by a policy that is not in force any more";
    Ok(Proven::ByOtherRules(why.to_owned()))
}

/// Whether an entry about a request comes after its trigger has left, or will not leave.
fn says_how_it_went(entry: &Stored) -> bool {
    [
        Action::Triggered,
        Action::TriggerHeld,
        Action::TriggerLost,
        Action::TriggerFound,
        Action::Started,
        Action::Succeeded,
        Action::Failed,
        Action::Cancelled,
        Action::Rejected,
        Action::Expired,
        Action::Superseded,
        Action::Voided,
    ]
    .iter()
    .any(|action| action.as_str() == entry.action)
}

fn of(entries: &[Stored], action: Action) -> impl Iterator<Item = &Stored> {
    entries
        .iter()
        .filter(move |entry| entry.action == action.as_str())
}

fn detail(entry: &Stored) -> Value {
    let mut body: Value = serde_json::from_slice(&entry.body).unwrap_or_default();
    body["detail"].take()
}

/// Whether the tree of a head holds exactly these bytes at this place, and they say what the row says.
async fn is_under(shared: &Shared, entry: &Stored, head: Head) -> Result<bool, Problem> {
    let Some(log) = shared.store.sealer().map(|sealer| sealer.log().to_owned()) else {
        return Ok(false);
    };
    if countersign_ledger::check_row(&entry.row(), &log).is_err() {
        return Ok(false);
    }
    let Some(index) = u64::try_from(entry.seq)
        .ok()
        .and_then(|seq| seq.checked_sub(1))
    else {
        return Ok(false);
    };
    if index >= head.size {
        return Ok(false);
    }
    let wanted = Wanted::Leaf {
        size: head.size,
        index,
    };
    let proof = ledger::prove(&shared.store, wanted).await?;
    Ok(proof.is_some_and(|proof| leaf_is_in(head, index, leaf(&entry.body), &proof)))
}
