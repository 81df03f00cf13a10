//! Facts that the desk asks for are found out side by side, within a deadline, and never while the forge wants to be
//! left alone. What could not be found out is said so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::call::CallError;
use crate::clerk::{Answers, Asker};
use crate::domain::{Finding, Question};
use crate::forges::clients::{Allowance, Clients};
use crate::store::{Store, quiet};
use countersign_ground::clock::{Clock, later};

/// All questions of one round are answered within this time, or are unknown.
const DEADLINE: Duration = Duration::from_secs(20);
/// A question that failed for no lasting reason is asked again; asking changes nothing.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
/// Calls at the same time, by all lanes together.
const WIDTH: usize = 32;
/// When a forge is to be asked again, releases have so much time before everybody else.
const AFTER_RELEASES: SignedDuration = SignedDuration::from_secs(2);

impl Asker for Arc<Facts> {
    fn ask(&self, questions: Vec<Question>) -> Answers<'_> {
        Box::pin(self.find(questions, Purpose::Other))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A release hangs on the answer: it may use up what the forge allows.
    Release,
    /// It stops where the calls begin that are kept for releases.
    Other,
}

/// Finds things out.
#[derive(Debug)]
pub struct Facts {
    store: Store,
    clock: Clock,
    forges: Clients,
    width: Semaphore,
    /// How many calls are left by each limit, what is kept for releases, and until when.
    left: Mutex<HashMap<String, Left>>,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    calls: u64,
    reserve: u64,
    until: Timestamp,
}

impl Facts {
    pub fn new(store: Store, clock: Clock, forges: Clients) -> Self {
        Self {
            store,
            clock,
            forges,
            width: Semaphore::new(WIDTH),
            left: Mutex::default(),
        }
    }

    /// An answer, or a reason why there is none, for every question.
    pub async fn find(
        self: &Arc<Self>,
        questions: Vec<Question>,
        purpose: Purpose,
    ) -> BTreeMap<Question, Finding> {
        let mut asking = tokio::task::JoinSet::new();
        for question in questions.iter().cloned() {
            let facts = self.clone();
            asking.spawn(async move {
                let finding = facts.find_one(&question, purpose).await;
                (question, finding)
            });
        }
        let mut found = BTreeMap::new();
        let gather = async {
            while let Some(answer) = asking.join_next().await {
                if let Ok((question, finding)) = answer {
                    found.insert(question, finding);
                }
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, gather).await.is_ok();
        for question in questions {
            let forge = question.repository().forge();
            found.entry(question).or_insert_with(|| {
                Err(if in_time {
                    format!("asking {forge} broke off")
                } else {
                    format!("{forge} did not answer within {} s", DEADLINE.as_secs())
                })
            });
        }
        found
    }

    async fn find_one(&self, question: &Question, purpose: Purpose) -> Finding {
        let Ok(_room) = self.width.acquire().await else {
            return Err("the service is stopping".to_owned());
        };
        let client = self.forges.of(question.repository().forge())?;
        let limit = question.repository().limit();
        let mut tries = 1;
        loop {
            if let Some((until, why)) = self.is_quiet(&limit, purpose).await? {
                return Err(format!("{why}; it may be asked again after {until}"));
            }
            if let Some(left) = self.is_kept(&limit, question, purpose) {
                return Err(format!(
                    "only {} calls are left until {}, which are kept for releases",
                    left.calls, left.until
                ));
            }
            let found = client.find(question).await;
            self.note(&limit, client.allowance(question.repository()));
            match found {
                Ok(fact) => return Ok(fact),
                Err(CallError::Later {
                    why,
                    wait: Some(wait),
                }) => {
                    let until = later(self.clock.now(), wait);
                    self.keep_quiet(&limit, until, &why).await;
                    return Err(format!("{why}; it may be asked again after {until}"));
                }
                Err(CallError::Later { wait: None, .. }) if tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                Err(
                    CallError::Later { why, wait: None }
                    | CallError::Absent(why)
                    | CallError::Never(why),
                ) => {
                    return Err(why);
                }
            }
        }
    }

    fn note(&self, limit: &str, allowance: Option<Allowance>) {
        if let Some(allowance) = allowance {
            let left = Left {
                calls: allowance.left,
                reserve: allowance.reserve(),
                until: later(self.clock.now(), allowance.renewed_in),
            };
            let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(limit.to_owned(), left);
        }
    }

    /// What is left, where that is kept for releases. Who somebody is may be asked for longer, because a release begins
    /// with it.
    fn is_kept(&self, limit: &str, question: &Question, purpose: Purpose) -> Option<Left> {
        let all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = *all.get(limit)?;
        let reserve = match (question, purpose) {
            (Question::Acquaintance { .. }, _) => left.reserve / 2,
            (_, Purpose::Release) => 0,
            (_, Purpose::Other) => left.reserve,
        };
        (left.calls < reserve && left.until > self.clock.now()).then_some(left)
    }

    async fn is_quiet(
        &self,
        limit: &str,
        purpose: Purpose,
    ) -> Result<Option<(Timestamp, String)>, String> {
        let now = self.clock.now();
        let now = match purpose {
            Purpose::Release => now,
            Purpose::Other => now.checked_sub(AFTER_RELEASES).unwrap_or(now),
        };
        quiet::until(&self.store, limit, now)
            .await
            .map_err(|error| error.to_string())
    }

    async fn keep_quiet(&self, limit: &str, until: Timestamp, why: &str) {
        let (limit, why) = (limit.to_owned(), why.to_owned());
        let kept = self
            .store
            .unit(move |tx| {
                let (limit, why) = (limit.clone(), why.clone());
                Box::pin(async move { quiet::keep(tx, &limit, until, &why).await })
            })
            .await;
        if let Err(error) = kept {
            tracing::error!(error = %error, "a rate limit could not be remembered");
        }
    }
}
