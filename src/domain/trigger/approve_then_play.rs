//! Protected environments of GitLab: the deployment of the commit that waits for approval is approved, then its job is
//! played.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, RunOf, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApproveThenPlay {
    /// The environment's name on GitLab.
    pub environment: ForgeName,
}

impl Kind for ApproveThenPlay {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitLab)
    }

    fn start(&self, release: &Release<'_>) -> Option<Start> {
        Some(Start::WaitingJob {
            environment: self.environment.to_string(),
            branch: release.branch(),
        })
    }

    fn target(&self, release: &Release<'_>) -> Option<Target> {
        Some(Target::WaitingJob {
            environment: self.environment.to_string(),
            branch: release.branch(),
        })
    }

    fn starts_at_branch(&self) -> bool {
        false
    }

    fn shows_absence(&self) -> bool {
        true
    }

    fn starts(&self, run: &SeenRun) -> bool {
        matches!(&run.what, RunOf::Job { environment, .. }
            if environment.as_deref() == Some(self.environment.as_str()))
    }

    /// Its deployment tells of it.
    fn releases(&self, _: &SeenRun) -> bool {
        false
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    /// It waits for approval, and then to be played.
    fn deployment_waits(&self) -> bool {
        true
    }

    fn spelled(&self) -> Record {
        Record::default()
            .with("gitlab", "approve_then_play")
            .with("environment", self.environment.as_str())
    }

    fn environment(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }
}

impl fmt::Display for ApproveThenPlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment = &self.environment;
        write!(
            f,
            "GitLab deployment to `{environment}`, approved, then played"
        )
    }
}
