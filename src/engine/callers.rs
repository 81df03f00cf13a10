//! The forges that are configured. What is asked and done belongs to a repository, and its forge does it.

use std::sync::Arc;

use tokio::sync::watch;

use crate::call::CallError;
use crate::domain::{
    Departure, Effect, Fact, Forge, PinKind, Place, Question, Reaction, Repository, Went,
};
use crate::forges::{self, github, gitlab};

/// The clients of the forges; they change when the configuration does.
#[derive(Clone, Debug)]
pub struct Callers {
    pub github: watch::Receiver<Option<Arc<github::client::Client>>>,
    pub gitlab: watch::Receiver<Option<Arc<gitlab::client::Client>>>,
}

/// The client of one forge.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    GitHub(Arc<github::client::Client>),
    GitLab(Arc<gitlab::client::Client>),
}

impl Callers {
    /// The client of a forge, or why there is none.
    pub(super) fn of(&self, forge: Forge) -> Result<Caller, String> {
        let found = match forge {
            Forge::GitHub => self.github.borrow().clone().map(Caller::GitHub),
            Forge::GitLab => self.gitlab.borrow().clone().map(Caller::GitLab),
        };
        found.ok_or_else(|| format!("{forge} is not configured any more"))
    }
}

impl Caller {
    pub(super) async fn find(&self, question: &Question) -> Result<Fact, CallError> {
        match self {
            Self::GitHub(client) => client.find(question).await,
            Self::GitLab(client) => client.find(question).await,
        }
    }

    pub(super) async fn start(&self, departure: &Departure) -> Went {
        match self {
            Self::GitHub(client) => client.start(departure).await,
            Self::GitLab(client) => client.start(departure).await,
        }
    }

    pub(super) async fn react(&self, place: &Place, reaction: Reaction) -> Result<(), CallError> {
        match self {
            Self::GitHub(client) => client.react(place, reaction).await,
            Self::GitLab(client) => client.react(place, reaction).await,
        }
    }

    pub(super) async fn say(
        &self,
        place: &Place,
        text: &str,
        thread: &str,
    ) -> Result<u64, CallError> {
        match self {
            Self::GitHub(client) => client.say(place, text, thread).await,
            Self::GitLab(client) => client.say(place, text, thread).await,
        }
    }

    pub(super) async fn say_instead(
        &self,
        place: &Place,
        comment: u64,
        text: &str,
        thread: &str,
    ) -> Result<bool, CallError> {
        match self {
            Self::GitHub(client) => client.say_instead(place, comment, text, thread).await,
            Self::GitLab(client) => client.say_instead(place, comment, text, thread).await,
        }
    }

    pub(super) async fn said(&self, place: &Place, thread: &str) -> Result<Option<u64>, CallError> {
        match self {
            Self::GitHub(client) => client.said(place, thread).await,
            Self::GitLab(client) => client.said(place, thread).await,
        }
    }

    /// What only GitHub's own pages show.
    pub(super) async fn show(&self, effect: &Effect) -> Result<(), CallError> {
        let Self::GitHub(github) = self else {
            return Err(CallError::Never(
                "GitLab has no place to show this".to_owned(),
            ));
        };
        match effect {
            Effect::CommitStatus {
                repository,
                sha,
                context,
                state,
                description,
            } => {
                github
                    .commit_status((repository, sha), context, *state, description)
                    .await
            }
            Effect::DeploymentStatus {
                repository,
                deployment,
                state,
                description,
            } => {
                github
                    .deployment_status(repository, *deployment, *state, description)
                    .await
            }
            Effect::RejectRun {
                repository,
                run,
                environment,
                comment,
            } => {
                let comment = &comment.clone().into();
                let comment = forges::comment::write(comment, repository.forge());
                github
                    .reject_run(repository, *run, environment, &comment)
                    .await
            }
            Effect::React { .. }
            | Effect::Say { .. }
            | Effect::Trigger { .. }
            | Effect::Reply { .. }
            | Effect::Form { .. }
            | Effect::Notice { .. }
            | Effect::Remark { .. } => Ok(()),
        }
    }

    /// The repository with this name.
    pub(super) async fn repository(&self, path: &str) -> Result<Option<Repository>, CallError> {
        match self {
            Self::GitHub(client) => client.repository(path).await,
            Self::GitLab(client) => client.repository(path).await,
        }
    }

    /// The number behind the name of a person, or of people whom the forge keeps together.
    pub(super) async fn number_of(
        &self,
        via: &Repository,
        kind: PinKind,
        name: &str,
    ) -> Result<Option<u64>, CallError> {
        match self {
            Self::GitHub(client) => client.number_of(via, kind, name).await,
            Self::GitLab(client) => client.number_of(kind, name).await,
        }
    }
}
