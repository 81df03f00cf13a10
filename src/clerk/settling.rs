//! Settling: the desk decides, and gets all of the state that it asks for from the transaction that will record what it
//! decided.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;

use super::LOOKS;
use crate::domain::{Catalog, Decision, Finding, Incoming, Knowledge, Outcome, Question, decide};
use crate::store::{StoreError, Tx, state};

/// How far a decision came.
#[derive(Debug)]
pub enum Settled {
    Outcome(Outcome),
    /// Only the forge knows the rest; `first` may be done already.
    Asks {
        first: Outcome,
        questions: Vec<Question>,
        facts: BTreeMap<Question, Finding>,
    },
    Panicked,
}

/// Lets the desk decide, and gives it all of the state that it asks for.
pub async fn settle(
    tx: &mut Tx,
    incoming: &Incoming,
    catalog: &Catalog,
    facts: BTreeMap<Question, Finding>,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let mut knowledge = Knowledge {
        seen: BTreeMap::new(),
        facts,
    };
    for _ in 0..LOOKS {
        let decided = catch_unwind(AssertUnwindSafe(|| {
            decide(incoming, catalog, &knowledge, now)
        }));
        let (missing, first) = match decided {
            Ok(Decision::Settled(outcome)) => return Ok(Settled::Outcome(outcome)),
            Ok(Decision::Needs { missing, first }) => (missing, first),
            Err(_) => return Ok(Settled::Panicked),
        };
        if missing.looks.is_empty() {
            return Ok(Settled::Asks {
                first,
                questions: missing.questions.into_iter().collect(),
                facts: knowledge.facts,
            });
        }
        for look in missing.looks {
            let seen = state::look(tx, &look).await?;
            knowledge.seen.insert(look, seen);
        }
    }
    tracing::error!("the desk asked for more and more of the state");
    Ok(Settled::Panicked)
}
