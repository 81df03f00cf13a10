//! Deployments of GitHub: one is made of the exact commit, and workflows start `on: deployment`. It is followed by its
//! own number, and its runs by the deployment.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, Login, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The environment's name on GitHub.
    pub environment: ForgeName,
    /// Who reports how it goes, besides its runs and ourselves.
    pub reporter: Option<Login>,
}

impl Kind for Deployment {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitHub)
    }

    fn start(&self, _: &Release<'_>) -> Option<Start> {
        Some(Start::Deployment {
            environment: self.environment.to_string(),
        })
    }

    fn target(&self, _: &Release<'_>) -> Option<Target> {
        Some(Target::Deployment {
            environment: self.environment.to_string(),
        })
    }

    fn starts_at_branch(&self) -> bool {
        false
    }

    fn shows_absence(&self) -> bool {
        true
    }

    fn starts(&self, run: &SeenRun) -> bool {
        run.what.is_of_deployment()
    }

    fn releases(&self, _: &SeenRun) -> bool {
        false
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    fn deployment_waits(&self) -> bool {
        false
    }

    fn spelled(&self) -> Record {
        Record::default()
            .with("github", "deployment")
            .with("environment", self.environment.as_str())
            .with_some("reporter", self.reporter.as_ref().map(Login::as_str))
    }

    fn environment(&self) -> Option<&ForgeName> {
        Some(&self.environment)
    }

    fn reporter(&self) -> Option<&Login> {
        self.reporter.as_ref()
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub deployment to `{}`", self.environment)
    }
}
