//! Protection rules of GitHub: a workflow that somebody started waits at an environment until we answer. Which run it
//! is, is known before it starts.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, FoundRun, SeenRun, Start, Target, WorkflowFile};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionRule {
    /// The environment's name on GitHub.
    pub environment: ForgeName,
    /// The only workflow whose runs may pass, where one is named.
    pub workflow: Option<WorkflowFile>,
}

/// Events whose runs are of a commit that the forge chose, with nothing that a person gave along.
const UNASKED: [&str; 3] = ["merge_group", "push", "schedule"];

impl ProtectionRule {
    /// Whether a run is one that may pass: of the named workflow, or else started by the forge; and never one to which a
    /// person gave its inputs, or which runs another repository's code.
    fn fits(&self, run: &FoundRun, home: u64) -> bool {
        let event = run.event.as_deref().unwrap_or_default();
        let is_wanted = match &self.workflow {
            Some(file) => {
                let is_given = event.ends_with("_dispatch") || event.starts_with("pull_request");
                !event.is_empty() && !is_given && run.file.as_deref() == Some(file.as_str())
            }
            None => UNASKED.contains(&event),
        };
        is_wanted && run.home == Some(home)
    }
}

impl Kind for ProtectionRule {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitHub)
    }

    fn start(&self, release: &Release<'_>) -> Option<Start> {
        Some(Start::ProtectionRule {
            environment: self.environment.to_string(),
            run: release.waiting_run?,
        })
    }

    fn target(&self, release: &Release<'_>) -> Option<Target> {
        Some(Target::WaitingRun {
            run: release.waiting_run?,
        })
    }

    fn starts_at_branch(&self) -> bool {
        false
    }

    fn shows_absence(&self) -> bool {
        true
    }

    /// What runs was there before, and is known by its number.
    fn starts(&self, _: &SeenRun) -> bool {
        false
    }

    fn releases(&self, _: &SeenRun) -> bool {
        false
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    /// A job makes its deployment when it begins to wait for our answer.
    fn deployment_waits(&self) -> bool {
        true
    }

    fn spelled(&self) -> Record {
        Record::default()
            .with("github", "protection_rule")
            .with("environment", self.environment.as_str())
            .with_some("workflow", self.workflow.as_ref().map(WorkflowFile::as_str))
    }

    fn environment(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }

    fn waits_at(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }

    fn lets_pass(&self, run: &FoundRun, home: u64) -> bool {
        self.fits(run, home)
    }
}

impl fmt::Display for ProtectionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub protection rule of `{}`", self.environment)?;
        match &self.workflow {
            Some(workflow) => write!(f, " for `{workflow}`"),
            None => Ok(()),
        }
    }
}
