//! GitLab, as only worlds have it whose services live there: its client, its jobs and pipelines, and what we sent.

use std::sync::Arc;
use std::time::Duration;

use countersign::domain::Forge;
use countersign::forges::gitlab::client::{Client, TriggerTokens};
use countersign_sandbox::gitlab::Exchange;

use super::service::TOKEN;
use super::world::{PLAIN, PRIVATE_ON_GITLAB, SHOP};
use super::{Engine, Setting, World};

const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// The token that creates pipelines.
pub(crate) const TRIGGER_TOKEN: &str = "glptt-of-tests";

/// The plain service's trigger.
const DEPLOYMENT: &str = r#"trigger = { github = "deployment", environment = "production" }"#;

pub(crate) const ON_GITLAB: Setting = Setting {
    engine: Engine::Sqlite,
    forge: Forge::GitLab,
};

/// The plain service with another trigger.
pub(crate) fn with_trigger(trigger: &str) -> String {
    assert!(PLAIN.contains(DEPLOYMENT));
    PLAIN.replace(DEPLOYMENT, trigger)
}

impl World {
    /// The plain service on GitLab.
    pub(crate) async fn on_gitlab() -> Self {
        Self::start(ON_GITLAB, PLAIN).await
    }

    /// A service on GitLab that is released by another trigger.
    pub(crate) async fn triggered_by(trigger: &str) -> Self {
        Self::start(ON_GITLAB, &with_trigger(trigger)).await
    }

    /// GitLab is asked through a fresh connection, which waits so long for answers.
    pub(crate) fn reconnect_to_gitlab(&self, deadline: Option<Duration>) {
        let deadline = deadline.unwrap_or(ANSWERS_WITHIN);
        let place = ("shop".parse().unwrap(), "prod".parse().unwrap());
        let tokens = TriggerTokens::from([(place, TRIGGER_TOKEN.to_owned())]);
        let client = Client::new(&self.gitlab.url(), TOKEN, deadline).unwrap();
        let client = client.with_private_emails(PRIVATE_ON_GITLAB);
        let client = Arc::new(client.with_trigger_tokens(tokens));
        self.gitlab_client.send_replace(Some(client));
    }

    /// Our writing calls whose path ends so, in order.
    pub(crate) fn posted(&self, end: &str) -> Vec<Arc<Exchange>> {
        let exchanges = self.gitlab.exchanges().into_iter();
        exchanges
            .filter(|exchange| exchange.method == "POST" && exchange.path.ends_with(end))
            .collect()
    }

    /// The production job of a commit's newest pipeline.
    pub(crate) fn production_job(&self, sha: &str) -> u64 {
        self.gitlab.job_of(SHOP, sha, "deploy-prod").unwrap().0
    }

    /// A job moves, and the service hears of it.
    pub(crate) async fn job_moves(&self, job: u64, status: &str) {
        self.gitlab.job_moves(job, status).await;
        self.settle().await;
    }
}
