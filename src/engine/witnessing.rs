//! Witnessing shows every signed head to a witness, with the proof that the log only grew, and keeps what it cosigned.
//! Of several processes one does so at a time, and nothing ever waits for a witness.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::backoff::pause;
use super::{FALLBACK, Shared};
use crate::domain::{Action, Actor, Entry};
use crate::outposts::witness::{Answer, Witness};
use crate::store::lease::Hold;
use crate::store::ledger::witness::{self, KIND};
use crate::store::ledger::{self, Anchor, Checkpoint};
use crate::store::{Store, StoreError};
use countersign_ground::chance;
use countersign_ledger::{Wanted, WitnessKey, base64};

/// A witness is not asked more often.
const EVERY: Duration = Duration::from_secs(10);
/// Longer than both calls of one look take.
const LEASE: Duration = Duration::from_secs(60);
/// The log notes not more often that a witness saw it, so that it does not grow by itself.
const NOTED_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
/// More than all witnesses note within that time.
const NOTED: u32 = 64;

/// One witness.
#[derive(Debug)]
pub struct Witnessing {
    pub shared: Shared,
    pub key: WitnessKey,
    pub witness: Witness,
}

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The witness has seen the log up to this entry.
    Witnessed(i64),
    /// There is nothing new, or another process shows it.
    Idle,
    /// It did not cosign; tried again after this time.
    Failed(Duration),
}

/// Who looks, and what went wrong the last time.
#[derive(Debug)]
pub struct Looker {
    holder: String,
    failures: u64,
    why: Option<String>,
    hold: Option<Hold>,
}

impl Default for Looker {
    fn default() -> Self {
        Self {
            holder: chance::id(),
            failures: 0,
            why: None,
            hold: None,
        }
    }
}

impl Witnessing {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut looker = Looker::default();
        while !stop.is_cancelled() {
            // What was under way is found out from the witness by the next process.
            let step = tokio::select! {
                step = self.step(&mut looker) => step,
                () = stop.cancelled() => break,
            };
            let rest = match step {
                Ok(Step::Witnessed(_)) => EVERY,
                Ok(Step::Idle) => FALLBACK,
                Ok(Step::Failed(wait)) => wait,
                Err(error) => {
                    self.complain(&mut looker, error.to_string());
                    EVERY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = stop.cancelled() => {}
            }
        }
        if let Some(hold) = &looker.hold
            && let Err(error) = witness::keep(&self.shared.store, hold, Duration::ZERO).await
        {
            tracing::debug!(error = %error, "a witness was not given back; its lease runs out");
        }
    }

    /// Shows the newest head, if it is news.
    pub async fn step(&self, looker: &mut Looker) -> Result<Step, StoreError> {
        let store = &self.shared.store;
        if self.news().await?.is_none() {
            return Ok(Step::Idle);
        }
        let name = self.key.name();
        let claimed = witness::claim(store, name, &looker.holder, LEASE).await?;
        let Some(hold) = claimed else {
            return Ok(Step::Idle);
        };
        looker.hold = Some(hold.clone());
        // Only this process shows anything now.
        let Some((seen, head)) = self.news().await? else {
            witness::keep(store, &hold, Duration::ZERO).await?;
            return Ok(Step::Idle);
        };
        let note = match self.cosigned(seen, &head).await? {
            Ok(note) => note,
            Err(why) => {
                self.complain(looker, why);
                looker.failures += 1;
                let wait = pause(looker.failures, None, chance::fraction()).max(EVERY);
                witness::keep(store, &hold, wait + LEASE).await?;
                return Ok(Step::Failed(wait));
            }
        };
        let (size, entry) = (head.size, self.entry(&head).await?);
        let anchor = Anchor {
            place: name.to_owned(),
            kind: KIND.to_owned(),
            size,
            at: self.shared.clock.now(),
            note: Some(note),
        };
        // The lease goes on, so that no other process asks sooner.
        if !witness::record(store, &hold, anchor, entry, EVERY).await? {
            return Ok(Step::Idle);
        }
        looker.failures = 0;
        if looker.why.take().is_some() {
            tracing::info!(witness = name, "the witness cosigns again");
        }
        Ok(Step::Witnessed(size))
    }

    /// What the witness is known to have seen, and a newer head with more in it than that heads were anchored.
    async fn news(&self) -> Result<Option<(i64, Checkpoint)>, StoreError> {
        let store = &self.shared.store;
        let Some(head) = ledger::last_checkpoint(store).await? else {
            return Ok(None);
        };
        let seen = ledger::anchor(store, self.key.name()).await?;
        let seen = seen.filter(|anchor| anchor.kind == KIND);
        let seen = seen.map_or(0, |anchor| anchor.size);
        let is_news = head.size > seen && witness::is_news(store, seen, head.size).await?;
        Ok(is_news.then_some((seen, head)))
    }

    /// The head with the witness's signature, or why there is none.
    async fn cosigned(
        &self,
        seen: i64,
        head: &Checkpoint,
    ) -> Result<Result<String, String>, StoreError> {
        let mut old = u64::try_from(seen).unwrap_or_default();
        let size = u64::try_from(head.size).unwrap_or_default();
        for _ in 0..2 {
            let Some(submission) = submission(&self.shared.store, old, head).await? else {
                return Ok(Err(format!(
                    "the proof that the log grew from {old} to {size} entries cannot be made"
                )));
            };
            match self.witness.add_checkpoint(submission).await {
                Ok(Answer::Cosigned(lines)) => {
                    let joined = self.key.join(&head.note, &lines);
                    return Ok(joined.map_err(|error| format!("its answer: {error}")));
                }
                Ok(Answer::Knows(knows)) if knows > size => {
                    return Ok(Err(format!(
                        "it has seen {knows} entries of this log, which has {size}"
                    )));
                }
                Ok(Answer::Knows(knows)) => old = knows,
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        Ok(Err(format!("it knows {old} entries, and yet others")))
    }

    /// What the log notes about it, unless it did so not long ago.
    async fn entry(&self, head: &Checkpoint) -> Result<Option<Entry>, StoreError> {
        let now = self.shared.clock.now();
        let noted = witness::anchorings(&self.shared.store, NOTED).await?;
        let is_recent = noted.iter().any(|body| {
            let entry: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let at: Option<jiff::Timestamp> =
                entry["at"].as_str().and_then(|text| text.parse().ok());
            entry["detail"]["witness"] == self.key.name()
                && at.is_some_and(|at| now.duration_since(at) < NOTED_EVERY)
        });
        let entry = Entry::new(now, Action::CheckpointAnchored, Actor::Countersign)
            .with("witness", self.key.name())
            .with("size", u64::try_from(head.size).unwrap_or_default())
            .with("root", base64(&head.root));
        Ok((!is_recent).then_some(entry))
    }

    /// Once, until something else goes wrong.
    fn complain(&self, looker: &mut Looker, why: String) {
        if looker.why.as_ref() == Some(&why) {
            tracing::debug!(witness = self.key.name(), why, "not cosigned");
            return;
        }
        tracing::warn!(
            witness = self.key.name(),
            why,
            "the signed head was not cosigned and will be shown again; nothing waits for it"
        );
        looker.why = Some(why);
    }
}

/// What is sent: the size that the witness knows, the proof that the log grew from there, and the head.
async fn submission(
    store: &Store,
    old: u64,
    head: &Checkpoint,
) -> Result<Option<String>, StoreError> {
    let new = u64::try_from(head.size).unwrap_or_default();
    let proof = if old == 0 || old == new {
        Some(Vec::new())
    } else {
        ledger::prove(store, Wanted::Growth { old, new }).await?
    };
    Ok(proof.map(|proof| {
        let mut text = format!("old {old}\n");
        for hash in proof {
            text.push_str(&base64(&hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&head.note);
        text
    }))
}
