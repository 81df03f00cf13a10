//! Releases in GitHub's payloads: deployments, how they go, and runs that wait for our answer.

use serde::Deserialize;
use serde_json::Value;

use super::{Id, Moment, Numbered, Repository, User};
use crate::domain::Sha;

#[derive(Debug, Deserialize)]
pub(crate) struct DeploymentMade {
    pub(crate) action: String,
    pub(crate) deployment: Deployment,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: Id,
    pub(crate) sha: Sha,
    pub(crate) environment: String,
    /// Whatever its maker wrote: an object, or a text that may hold one.
    #[serde(default)]
    pub(crate) payload: Value,
    #[serde(default)]
    pub(crate) creator: Option<User>,
    #[serde(default)]
    pub(crate) performed_via_github_app: Option<Numbered>,
    #[serde(default)]
    pub(crate) created_at: Moment,
}

#[derive(Debug, Deserialize)]
pub(crate) struct DeploymentStatus {
    pub(crate) action: String,
    pub(crate) deployment_status: Step,
    pub(crate) deployment: Deployment,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
    #[serde(default)]
    pub(crate) sender: Option<User>,
}

/// One report about a deployment.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) id: Id,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) log_url: Option<String>,
    #[serde(default)]
    pub(crate) target_url: Option<String>,
    #[serde(default)]
    pub(crate) environment_url: Option<String>,
    #[serde(default)]
    pub(crate) creator: Option<User>,
    #[serde(default)]
    pub(crate) performed_via_github_app: Option<Numbered>,
    #[serde(default)]
    pub(crate) created_at: Moment,
    #[serde(default)]
    pub(crate) updated_at: Moment,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ProtectionRule {
    pub(crate) action: String,
    pub(crate) environment: String,
    pub(crate) deployment_callback_url: Callback,
    #[serde(default)]
    pub(crate) deployment: Option<Deployment>,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

/// The number of the run that waits, read off the address at which GitHub wants the answer. The address itself
/// is forgotten, so that we never call it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Callback {
    pub(crate) run: Id,
}

impl TryFrom<String> for Callback {
    type Error = &'static str;

    fn try_from(address: String) -> Result<Self, Self::Error> {
        const STRANGE: &str = "it does not end in `/actions/runs/` with a run's number and \
            `/deployment_protection_rule`";
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let run = path
            .strip_suffix("/deployment_protection_rule")
            .and_then(|path| path.rsplit_once("/actions/runs/"))
            .map(|(_, run)| run)
            .filter(|run| run.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|run| run.parse::<u64>().ok())
            .ok_or(STRANGE)?;
        Id::try_from(run).map(|run| Self { run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_that_waits_is_read_off_the_address() {
        const REPO: &str = "https://api.github.com/repos/acme/shop";
        let check = |rest: &str, expect: Option<u64>| {
            let callback = Callback::try_from(format!("{REPO}{rest}"));
            let run = callback.ok().map(|callback| callback.run.0);
            assert_eq!(run, expect, "{rest}");
        };
        check("/actions/runs/7/deployment_protection_rule", Some(7));
        check("/actions/runs/7/deployment_protection_rule?a=/b", Some(7));
        check(
            "/actions/runs/8/actions/runs/7/deployment_protection_rule",
            Some(7),
        );
        check("/actions/runs/7", None);
        check("/actions/runs/7/deployment_protection_rules", None);
        check("/actions/runs/7/x/deployment_protection_rule", None);
        check("/actions/runs/+7/deployment_protection_rule", None);
        check("/actions/runs/-7/deployment_protection_rule", None);
        check("/actions/runs/0/deployment_protection_rule", None);
        check("/actions/runs//deployment_protection_rule", None);
        check(
            "/actions/runs/99999999999999999999/deployment_protection_rule",
            None,
        );
        check("?/actions/runs/7/deployment_protection_rule", None);
        check("", None);
    }
}
