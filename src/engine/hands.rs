//! Carries out one effect through the client of its forge or chat. Decides nothing: a trigger's outcome
//! goes back to the desk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::speech::Chats;

use crate::call::CallError;
use crate::clock::Clock;
use crate::domain::{Departure, Effect, Internal, Place, Went};
use crate::forges::github::client::Client;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// Done; and what the outside world calls what was made.
    Done { result: Option<String> },
    /// Over, whatever the outcome: the desk is told.
    Told(Internal),
    /// Try again, after `wait` at the earliest.
    Later { why: String, wait: Option<Duration> },
    /// Trying again will not help: a person must look.
    Never { why: String },
}

/// One attempt at an effect.
#[derive(Clone, Debug)]
pub struct Job<'j> {
    pub effect: &'j Effect,
    /// Names the effect, the same for every attempt.
    pub token: &'j str,
    /// Nobody can have attempted it before.
    pub is_first: bool,
    /// What the newest effect of the same thread made.
    pub made: Option<String>,
    /// The signed head of the audit log, in short.
    pub anchor: Option<String>,
}

/// Whoever can carry out effects.
pub trait Executor: Send + Sync + 'static {
    fn act(&self, job: Job<'_>) -> impl Future<Output = Acted> + Send;
}

/// The real hands.
#[derive(Clone, Debug)]
pub struct Hands {
    pub clock: Clock,
    pub github: watch::Receiver<Option<Arc<Client>>>,
    pub chats: Chats,
}

impl Executor for Hands {
    async fn act(&self, job: Job<'_>) -> Acted {
        let github = self.github.borrow().clone();
        if let Effect::Trigger { departure } = job.effect {
            return start(github.as_deref(), departure, job.is_first, &self.clock).await;
        }
        let done = match (job.effect.chat(), github) {
            (Some(chat), _) => self.chats.carry_out(chat, &job).await,
            (None, Some(github)) => carry_out(&github, &job).await,
            (None, None) => Err(CallError::Never(
                "GitHub is not configured any more".to_owned(),
            )),
        };
        match done {
            Ok(result) => Acted::Done { result },
            Err(CallError::Later { why, wait }) => Acted::Later { why, wait },
            Err(CallError::Never(why) | CallError::Absent(why)) => Acted::Never { why },
        }
    }
}

/// A trigger is sent by its first holder, soon after it was decided, or not at all.
async fn start(
    github: Option<&Client>,
    departure: &Departure,
    is_first: bool,
    clock: &Clock,
) -> Acted {
    let outcome = if !is_first {
        lost("whoever had the trigger before vanished")
    } else if clock.now() > departure.not_after() {
        Went::Stale
    } else {
        match github {
            Some(github) => github.start(departure).await,
            None => Went::Refused {
                why: "GitHub is not configured any more".to_owned(),
            },
        }
    };
    told(departure, outcome)
}

/// What the desk is told about a trigger.
pub(super) fn told(departure: &Departure, outcome: Went) -> Acted {
    Acted::Told(Internal::Triggered {
        request: departure.request(),
        attempt: departure.attempt(),
        outcome,
    })
}

pub(super) fn lost(why: &str) -> Went {
    Went::Lost {
        why: why.to_owned(),
    }
}

async fn carry_out(github: &Client, job: &Job<'_>) -> Result<Option<String>, CallError> {
    match job.effect {
        Effect::React { place, reaction } => github.react(place, *reaction).await.map(|()| None),
        Effect::Say {
            place,
            thread,
            text,
        } => say(github, job, (place, thread, text)).await,
        Effect::CommitStatus {
            repository,
            sha,
            context,
            state,
            description,
        } => github
            .commit_status((repository, sha), context, *state, description)
            .await
            .map(|()| None),
        Effect::DeploymentStatus {
            repository,
            deployment,
            state,
            description,
        } => github
            .deployment_status(repository, *deployment, *state, description)
            .await
            .map(|()| None),
        Effect::RejectRun {
            repository,
            run,
            environment,
            comment,
        } => github
            .reject_run(repository, *run, environment, comment)
            .await
            .map(|()| None),
        Effect::Trigger { .. }
        | Effect::Reply { .. }
        | Effect::Form { .. }
        | Effect::Notice { .. }
        | Effect::Remark { .. } => Ok(None),
    }
}

/// Changes the thread's comment, or writes it. From the second attempt on, an earlier holder may have
/// written it already: look first.
async fn say(
    github: &Client,
    job: &Job<'_>,
    (place, thread, text): (&Place, &str, &str),
) -> Result<Option<String>, CallError> {
    let known = match job.made.as_ref().and_then(|made| made.parse().ok()) {
        Some(comment) => Some(comment),
        None if !job.is_first => github.said(place, thread).await?,
        None => None,
    };
    if let Some(comment) = known
        && github.say_instead(place, comment, text, thread).await?
    {
        return Ok(Some(comment.to_string()));
    }
    let comment = github.say(place, text, thread).await?;
    Ok(Some(comment.to_string()))
}
