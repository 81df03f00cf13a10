//! Carries out one effect through the client of its forge or chat. Decides nothing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::{Effect, Place};
use crate::forges::call::CallError;
use crate::forges::github;
use crate::store::outbox::Claimed;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    Done,
    /// Try again, after `wait` at the earliest.
    Later {
        why: String,
        wait: Option<Duration>,
    },
    /// Trying again will not help: a person must look.
    Never {
        why: String,
    },
}

/// Whoever can carry out effects.
pub trait Executor: Send + Sync + 'static {
    fn act(&self, row: &Claimed, effect: &Effect) -> impl Future<Output = Acted> + Send;
}

/// The real hands.
#[derive(Clone, Debug)]
pub struct Hands {
    pub github: watch::Receiver<Option<Arc<github::client::Client>>>,
}

impl Executor for Hands {
    async fn act(&self, row: &Claimed, effect: &Effect) -> Acted {
        let Some(github) = self.github.borrow().clone() else {
            return Acted::Never {
                why: "GitHub is not configured any more".to_owned(),
            };
        };
        let acted = match effect {
            Effect::React { place, reaction } => github.react(place, *reaction).await,
            Effect::Reply { place, text } => reply(&github, row, place, text).await,
        };
        match acted {
            Ok(()) => Acted::Done,
            Err(CallError::Later { why, wait }) => Acted::Later { why, wait },
            Err(CallError::Never(why)) => Acted::Never { why },
        }
    }
}

/// From the second claim on, an earlier holder may have answered already: look first.
async fn reply(
    github: &github::client::Client,
    row: &Claimed,
    place: &Place,
    text: &str,
) -> Result<(), CallError> {
    if row.fence > 1 && github.has_reply(place, &row.token).await? {
        return Ok(());
    }
    github.reply(place, text, &row.token).await
}
