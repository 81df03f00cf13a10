//! The clients of the forges that are configured. What is asked and done belongs to a repository, and its forge does it.
//! What only one of them can do has a type of its own, which the others do not give.

use std::sync::Arc;

use tokio::sync::watch;

use crate::call::CallError;
use crate::domain::{
    Departure, Fact, Forge, PinKind, Place, Question, Reaction, Repository, Sha, StatusState, Went,
};
use jiff::Timestamp;

pub use super::allowance::Allowance;
pub use super::github::client::FailedDelivery;
pub use super::gitlab::client::{FailedEvent, HookState};
use super::{github, gitlab};

/// The clients of the forges; they change when the configuration does.
#[derive(Clone, Debug)]
pub struct Clients {
    pub github: watch::Receiver<Option<Arc<github::client::Client>>>,
    pub gitlab: watch::Receiver<Option<Arc<gitlab::client::Client>>>,
}

/// The client of one forge.
#[derive(Clone, Debug)]
pub enum Client {
    GitHub(Arc<github::client::Client>),
    GitLab(Arc<gitlab::client::Client>),
}

impl Clients {
    /// The client of a forge, or why there is none.
    pub fn of(&self, forge: Forge) -> Result<Client, String> {
        let found = match forge {
            Forge::GitHub => self.github.borrow().clone().map(Client::GitHub),
            Forge::GitLab => self.gitlab.borrow().clone().map(Client::GitLab),
        };
        found.ok_or_else(|| format!("{forge} is not configured any more"))
    }
}

impl Client {
    /// What the forge lets us do on behalf of a repository, if it said so.
    pub fn allowance(&self, repository: &Repository) -> Option<Allowance> {
        match self {
            Self::GitHub(client) => client.allowance(repository),
            Self::GitLab(client) => client.allowance(),
        }
    }

    pub async fn find(&self, question: &Question) -> Result<Fact, CallError> {
        match self {
            Self::GitHub(client) => client.find(question).await,
            Self::GitLab(client) => client.find(question).await,
        }
    }

    pub async fn start(&self, departure: &Departure) -> Went {
        match self {
            Self::GitHub(client) => client.start(departure).await,
            Self::GitLab(client) => client.start(departure).await,
        }
    }

    pub async fn react(&self, place: &Place, reaction: Reaction) -> Result<(), CallError> {
        match self {
            Self::GitHub(client) => client.react(place, reaction).await,
            Self::GitLab(client) => client.react(place, reaction).await,
        }
    }

    pub async fn say(&self, place: &Place, text: &str, thread: &str) -> Result<u64, CallError> {
        match self {
            Self::GitHub(client) => client.say(place, text, thread).await,
            Self::GitLab(client) => client.say(place, text, thread).await,
        }
    }

    pub async fn say_instead(
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

    pub async fn said(&self, place: &Place, thread: &str) -> Result<Option<u64>, CallError> {
        match self {
            Self::GitHub(client) => client.said(place, thread).await,
            Self::GitLab(client) => client.said(place, thread).await,
        }
    }

    /// Shows how a commit stands.
    pub async fn commit_status(
        &self,
        about: (&Repository, &Sha),
        context: &str,
        state: StatusState,
        description: &str,
    ) -> Result<(), CallError> {
        let github = self.with_pages()?;
        github
            .commit_status(about, context, state, description)
            .await
    }

    /// Shows how a deployment goes.
    pub async fn deployment_status(
        &self,
        repository: &Repository,
        deployment: u64,
        state: StatusState,
        description: &str,
    ) -> Result<(), CallError> {
        let github = self.with_pages()?;
        github
            .deployment_status(repository, deployment, state, description)
            .await
    }

    /// Tells a run that it must not go on.
    pub async fn reject_run(
        &self,
        repository: &Repository,
        run: u64,
        environment: &str,
        comment: &str,
    ) -> Result<(), CallError> {
        let github = self.with_pages()?;
        github
            .reject_run(repository, run, environment, comment)
            .await
    }

    /// The forge on whose own pages we write: on GitLab, a status of ours would be a job of the very pipeline that gates
    /// wait for.
    fn with_pages(&self) -> Result<&github::client::Client, CallError> {
        match self {
            Self::GitHub(client) => Ok(client),
            Self::GitLab(_) => Err(CallError::Never(
                "GitLab has no place to show this".to_owned(),
            )),
        }
    }

    /// The repository with this name.
    pub async fn repository(&self, path: &str) -> Result<Option<Repository>, CallError> {
        match self {
            Self::GitHub(client) => client.repository(path).await,
            Self::GitLab(client) => client.repository(path).await,
        }
    }

    /// The number behind the name of a person, or of people whom the forge keeps together.
    pub async fn number_of(
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

/// A forge that puts webhooks of projects aside, and can be asked how each stands.
#[derive(Clone, Debug)]
pub struct Hooks(Arc<gitlab::client::Client>);

/// A forge that keeps the deliveries which it could not bring to its app.
#[derive(Clone, Debug)]
pub struct Undelivered(Arc<github::client::Client>);

impl Clients {
    /// The forges whose webhooks must be watched.
    pub fn hooks(&self) -> Vec<Hooks> {
        self.gitlab
            .borrow()
            .clone()
            .map(Hooks)
            .into_iter()
            .collect()
    }

    /// The forges that can be asked for what did not arrive.
    pub fn undelivered(&self) -> Vec<Undelivered> {
        let github = self.github.borrow().clone();
        let app = github.filter(|github| github.is_app());
        app.map(Undelivered).into_iter().collect()
    }
}

impl Hooks {
    pub fn forge(&self) -> Forge {
        Forge::GitLab
    }

    /// How the webhook of a repository stands that leads to this address.
    pub async fn state(
        &self,
        repository: &Repository,
        address: &str,
    ) -> Result<HookState, CallError> {
        self.0.hook(repository, address).await
    }

    /// Has one that was put aside used again.
    pub async fn wake(&self, repository: &Repository, hook: u64) -> Result<(), CallError> {
        self.0.wake_hook(repository, hook).await
    }

    pub async fn failed(
        &self,
        repository: &Repository,
        hook: u64,
    ) -> Result<Vec<FailedEvent>, CallError> {
        self.0.failed_events(repository, hook).await
    }

    pub async fn resend(
        &self,
        repository: &Repository,
        hook: u64,
        event: u64,
    ) -> Result<(), CallError> {
        self.0.resend(repository, hook, event).await
    }
}

impl Undelivered {
    pub fn forge(&self) -> Forge {
        Forge::GitHub
    }

    pub async fn since(&self, since: Timestamp) -> Result<Vec<FailedDelivery>, CallError> {
        self.0.failed_deliveries(since).await
    }

    pub async fn redeliver(&self, id: u64) -> Result<(), CallError> {
        self.0.redeliver(id).await
    }
}
