//! The parts that a configuration makes for the forges: clients, and what their doors check. They are handed to whoever
//! runs, and replaced together when the configuration changes.

use std::sync::Arc;

use tokio::sync::watch;

use super::clients::Clients;
use super::door::Guard;
use super::{github, gitlab};

/// Everything that is made for the forges.
#[derive(Clone, Debug)]
pub struct Parts {
    pub github: Option<Arc<github::client::Client>>,
    pub github_secrets: Arc<github::edge::WebhookSecrets>,
    pub gitlab: Option<Arc<gitlab::client::Client>>,
    pub gitlab_secrets: Arc<gitlab::edge::WebhookSecrets>,
}

/// The sending ends.
#[derive(Debug)]
pub struct Handover {
    github: watch::Sender<Option<Arc<github::client::Client>>>,
    github_secrets: watch::Sender<Arc<github::edge::WebhookSecrets>>,
    gitlab: watch::Sender<Option<Arc<gitlab::client::Client>>>,
    gitlab_secrets: watch::Sender<Arc<gitlab::edge::WebhookSecrets>>,
}

impl Handover {
    pub fn new(parts: Parts) -> (Self, Clients, Guard) {
        let (github, github_client) = watch::channel(parts.github);
        let (github_secrets, github_door) = watch::channel(parts.github_secrets);
        let (gitlab, gitlab_client) = watch::channel(parts.gitlab);
        let (gitlab_secrets, gitlab_door) = watch::channel(parts.gitlab_secrets);
        let clients = Clients {
            github: github_client,
            gitlab: gitlab_client,
        };
        let door = Guard {
            github: github_door,
            gitlab: gitlab_door,
        };
        let handover = Self {
            github,
            github_secrets,
            gitlab,
            gitlab_secrets,
        };
        (handover, clients, door)
    }

    pub fn replace(&self, parts: Parts) {
        self.github_secrets.send_replace(parts.github_secrets);
        self.gitlab_secrets.send_replace(parts.gitlab_secrets);
        self.github.send_replace(parts.github);
        self.gitlab.send_replace(parts.gitlab);
    }
}
