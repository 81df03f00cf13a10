//! The hands carry out one effect through the client of its forge or chat. They decide nothing: a trigger's outcome
//! goes back to the desk.

use std::future::Future;
use std::time::Duration;

use super::speech;
use crate::call::CallError;
use crate::chats::clients::Clients as Chats;
use crate::domain::{Departure, Effect, Internal, OnForge, Place, Went};
use crate::forges::clients::{Client, Clients};
use crate::forges::comment;
use countersign_ground::clock::Clock;

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
    /// It cannot have been attempted before.
    pub is_first: bool,
    /// What the newest effect of the same thread made.
    pub made: Option<String>,
    /// The signed head of the audit log, in short.
    pub anchor: Option<String>,
}

/// What can carry out effects.
pub trait Executor: Send + Sync + 'static {
    fn act(&self, job: Job<'_>) -> impl Future<Output = Acted> + Send;
}

/// The real hands.
#[derive(Clone, Debug)]
pub struct Hands {
    pub clock: Clock,
    pub forges: Clients,
    pub chats: Chats,
}

impl Executor for Hands {
    async fn act(&self, job: Job<'_>) -> Acted {
        let done = match job.effect {
            Effect::Trigger(departure) => {
                let client = self.forges.of(departure.repository().forge());
                return start(client, departure, job.is_first, &self.clock).await;
            }
            Effect::Chat(effect) => speech::carry_out(&self.chats, effect, &job).await,
            Effect::Forge(effect) => match self.forges.of(effect.repository().forge()) {
                Ok(client) => carry_out(&client, effect, &job).await,
                Err(why) => Err(CallError::Never(why)),
            },
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
    client: Result<Client, String>,
    departure: &Departure,
    is_first: bool,
    clock: &Clock,
) -> Acted {
    let outcome = if !is_first {
        lost("whoever had the trigger before vanished")
    } else if clock.now() > departure.not_after() {
        Went::Stale
    } else {
        match client {
            Ok(client) => client.start(departure).await,
            Err(why) => Went::Forbidden { why },
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

async fn carry_out(
    client: &Client,
    effect: &OnForge,
    job: &Job<'_>,
) -> Result<Option<String>, CallError> {
    match effect {
        OnForge::React { place, reaction } => match client.react(place, *reaction).await {
            // Its author deleted the comment: nobody waits for a reaction.
            Err(CallError::Absent(_)) => Ok(()),
            reacted => reacted,
        },
        OnForge::Say {
            place,
            thread,
            text,
        } => {
            let text = comment::write(text, place.repository.forge());
            return say(client, job, (place, thread, &text)).await;
        }
        OnForge::CommitStatus {
            repository,
            sha,
            context,
            state,
            description,
        } => {
            let about = (repository, sha);
            client
                .commit_status(about, context, *state, description)
                .await
        }
        OnForge::DeploymentStatus {
            repository,
            deployment,
            state,
            description,
        } => {
            client
                .deployment_status(repository, *deployment, *state, description)
                .await
        }
        OnForge::RejectRun {
            repository,
            run,
            environment,
            comment,
        } => {
            let comment = &comment.clone().into();
            let comment = comment::write(comment, repository.forge());
            client
                .reject_run(repository, *run, environment, &comment)
                .await
        }
    }
    .map(|()| None)
}

/// Changes the thread's comment, or writes it. From the second attempt on, an earlier holder may have
/// written it already: look first.
async fn say(
    client: &Client,
    job: &Job<'_>,
    (place, thread, text): (&Place, &str, &str),
) -> Result<Option<String>, CallError> {
    let known = match job.made.as_ref().and_then(|made| made.parse().ok()) {
        Some(comment) => Some(comment),
        None if !job.is_first => client.said(place, thread).await?,
        None => None,
    };
    if let Some(comment) = known
        && client.say_instead(place, comment, text, thread).await?
    {
        return Ok(Some(comment.to_string()));
    }
    let comment = client.say(place, text, thread).await?;
    Ok(Some(comment.to_string()))
}
