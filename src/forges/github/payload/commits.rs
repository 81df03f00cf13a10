//! Commits in GitHub's payloads: pushes, statuses, checks, and runs of workflows.

use serde::Deserialize;

use super::{Id, Moment, Numbered, Repository, User};
use crate::domain::{Invalid, Sha};

#[derive(Debug, Deserialize)]
pub(crate) struct Push {
    #[serde(rename = "ref")]
    pub(crate) reference: String,
    pub(crate) before: Tip,
    pub(crate) after: Tip,
    #[serde(default)]
    pub(crate) created: Option<bool>,
    #[serde(default)]
    pub(crate) deleted: Option<bool>,
    #[serde(default)]
    pub(crate) forced: Option<bool>,
    #[serde(default)]
    pub(crate) head_commit: Option<HeadCommit>,
    #[serde(default)]
    pub(crate) commits: Option<Vec<Touched>>,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

/// Where a branch stands. Zeros are GitHub's spelling of nowhere.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Tip(pub(crate) Option<Sha>);

impl TryFrom<String> for Tip {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let sha = Sha::try_from(text)?;
        let is_nowhere = sha.as_str().bytes().all(|digit| digit == b'0');
        Ok(Self((!is_nowhere).then_some(sha)))
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct HeadCommit {
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// The paths that a commit touches. GitHub does not promise to tell them.
#[derive(Debug, Deserialize)]
pub(crate) struct Touched {
    #[serde(default)]
    pub(crate) added: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) removed: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) modified: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: Id,
    pub(crate) sha: Sha,
    pub(crate) state: String,
    pub(crate) context: String,
    #[serde(default)]
    pub(crate) target_url: Option<String>,
    #[serde(default)]
    pub(crate) created_at: Moment,
    #[serde(default)]
    pub(crate) updated_at: Moment,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
    #[serde(default)]
    pub(crate) sender: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CheckRun {
    pub(crate) action: String,
    pub(crate) check_run: Check,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Check {
    pub(crate) id: Id,
    pub(crate) head_sha: Sha,
    pub(crate) name: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) conclusion: Option<String>,
    #[serde(default)]
    pub(crate) html_url: Option<String>,
    #[serde(default)]
    pub(crate) details_url: Option<String>,
    #[serde(default)]
    pub(crate) started_at: Moment,
    #[serde(default)]
    pub(crate) completed_at: Moment,
    #[serde(default)]
    pub(crate) app: Option<CheckApp>,
}

/// The app that made a check.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckApp {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) slug: Option<String>,
}

impl CheckApp {
    /// Whether workflows report in its name: their jobs, and whatever they post.
    pub(crate) fn is_of_workflows(&self) -> bool {
        const ACTIONS: (u64, &str) = (15_368, "github-actions");
        self.id.0 == ACTIONS.0 || self.slug.as_deref() == Some(ACTIONS.1)
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct WorkflowRun {
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) workflow: Option<Workflow>,
    pub(crate) workflow_run: Run,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Workflow {
    #[serde(default)]
    pub(crate) path: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: Id,
    pub(crate) head_sha: Sha,
    #[serde(default)]
    pub(crate) path: Option<String>,
    pub(crate) event: String,
    /// The branch or tag; no payload says which of both.
    #[serde(default)]
    pub(crate) head_branch: Option<String>,
    /// Nothing where it is gone.
    #[serde(default)]
    pub(crate) head_repository: Option<Numbered>,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) conclusion: Option<String>,
    /// The first attempt, where an old server does not tell.
    #[serde(default)]
    pub(crate) run_attempt: Option<Id>,
    #[serde(default)]
    pub(crate) display_title: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) html_url: Option<String>,
    #[serde(default)]
    pub(crate) created_at: Moment,
    #[serde(default)]
    pub(crate) updated_at: Moment,
    #[serde(default)]
    pub(crate) actor: Option<User>,
    #[serde(default)]
    pub(crate) triggering_actor: Option<User>,
}
