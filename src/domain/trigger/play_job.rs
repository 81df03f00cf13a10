//! Jobs of GitLab: a manual job of the candidate's own pipeline is played. It has the number already under which it
//! runs.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, Progress, RunOf, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayJob {
    /// The job's name.
    pub job: ForgeName,
}

impl Kind for PlayJob {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitLab)
    }

    fn start(&self, release: &Release<'_>) -> Option<Start> {
        Some(Start::Job {
            name: self.job.to_string(),
            branch: release.branch(),
        })
    }

    fn target(&self, release: &Release<'_>) -> Option<Target> {
        Some(Target::Job {
            name: self.job.to_string(),
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
        matches!(&run.what, RunOf::Job { name, .. } if self.job.as_str() == name)
    }

    /// A job that is cancelled may never have been played.
    fn releases(&self, run: &SeenRun) -> bool {
        self.starts(run) && run.progress != Progress::Cancelled
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    /// A job makes its deployment before it is played.
    fn deployment_waits(&self) -> bool {
        true
    }

    fn spelled(&self) -> Record {
        Record::default()
            .with("gitlab", "play_job")
            .with("job", self.job.as_str())
    }

    fn job(&self) -> Option<&ForgeName> {
        Some(&self.job)
    }
}

impl fmt::Display for PlayJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitLab job `{}`", self.job)
    }
}
