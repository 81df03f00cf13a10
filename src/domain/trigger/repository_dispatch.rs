//! Dispatches of a GitHub repository: workflows that listen to the event run on the default branch, so the SHA goes
//! along in the payload. A run is found by its name, which the workflow may or may not make of our mark.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, ForgeName, RunOf, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryDispatch {
    /// The event type that workflows listen to.
    pub event_type: ForgeName,
}

impl Kind for RepositoryDispatch {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitHub)
    }

    fn start(&self, _: &Release<'_>) -> Option<Start> {
        Some(Start::RepositoryDispatch {
            event_type: self.event_type.to_string(),
        })
    }

    fn target(&self, _: &Release<'_>) -> Option<Target> {
        Some(Target::RepositoryDispatch)
    }

    fn starts_at_branch(&self) -> bool {
        true
    }

    fn shows_absence(&self) -> bool {
        false
    }

    fn starts(&self, run: &SeenRun) -> bool {
        matches!(&run.what, RunOf::Workflow { event, .. } if event == "repository_dispatch")
    }

    /// Which workflows listen is not known here.
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
            .with("github", "repository_dispatch")
            .with("event_type", self.event_type.as_str())
    }

    fn writes(&self) -> Option<&'static str> {
        Some("contents")
    }
}

impl fmt::Display for RepositoryDispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub repository dispatch `{}`", self.event_type)
    }
}
