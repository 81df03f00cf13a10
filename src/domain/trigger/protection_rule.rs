//! Protection rules of GitHub: a workflow that somebody started waits at an environment until we answer. Which run it
//! is, is known before it starts.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectionRule {
    /// The environment's name on GitHub.
    pub environment: ForgeName,
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
    }

    fn environment(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }

    fn waits_at(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }
}

impl fmt::Display for ProtectionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub protection rule of `{}`", self.environment)
    }
}
