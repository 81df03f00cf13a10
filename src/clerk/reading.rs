//! Reading: views of what is known. Nothing is written, and what only the forge knows is asked through the asker that
//! the reader brings along.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use super::LOOKS;
use crate::domain::view::{Glance, View};
use crate::domain::{Catalog, Finding, Knowledge, Question, Reason, Viewing, look};
use crate::store::{Store, StoreError, Tx, state};

/// How often the forge may be asked for one view.
const ROUNDS: usize = 8;

/// Answers of a forge, when they are there.
pub type Answers<'a> = Pin<Box<dyn Future<Output = BTreeMap<Question, Finding>> + Send + 'a>>;

/// What finds out what only the forge knows.
pub trait Asker: Sync {
    fn ask(&self, questions: Vec<Question>) -> Answers<'_>;
}

/// What became of a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewed {
    Seen(Box<View>),
    /// There is no such thing to see.
    Refused(Box<Reason>),
    /// The desk asked for more and more.
    Endless,
}

/// Makes a view of what is stored, and of what the asker finds out.
pub async fn view(
    store: &Store,
    glance: &Glance,
    catalog: &Arc<Catalog>,
    asker: &dyn Asker,
    now: Timestamp,
) -> Result<Viewed, StoreError> {
    let mut facts = BTreeMap::new();
    for _ in 0..ROUNDS {
        let (wanted, catalog, known) = (glance.clone(), catalog.clone(), facts.clone());
        let read = store
            .glance(move |tx| {
                let (wanted, catalog, known) = (wanted.clone(), catalog.clone(), known.clone());
                Box::pin(async move { read(tx, &wanted, &catalog, known, now).await })
            })
            .await?;
        match read {
            Read::Done(viewed) => return Ok(viewed),
            Read::Asks(questions) => facts.extend(asker.ask(questions).await),
        }
    }
    Ok(Viewed::Endless)
}

/// How far a glance came within one transaction.
enum Read {
    Done(Viewed),
    Asks(Vec<Question>),
}

async fn read(
    tx: &mut Tx,
    glance: &Glance,
    catalog: &Catalog,
    facts: BTreeMap<Question, Finding>,
    now: Timestamp,
) -> Result<Read, StoreError> {
    let mut knowledge = Knowledge {
        seen: BTreeMap::new(),
        facts,
    };
    for _ in 0..LOOKS {
        let missing = match look(glance, catalog, &knowledge, now) {
            Viewing::Seen(view) => return Ok(Read::Done(Viewed::Seen(view))),
            Viewing::Refused(reason) => return Ok(Read::Done(Viewed::Refused(reason))),
            Viewing::Needs(missing) => missing,
        };
        if missing.looks.is_empty() {
            return Ok(Read::Asks(missing.questions.into_iter().collect()));
        }
        for look in missing.looks {
            let seen = state::look(tx, &look).await?;
            knowledge.seen.insert(look, seen);
        }
    }
    Ok(Read::Done(Viewed::Endless))
}
