//! Workflows of GitHub, started by a `workflow_dispatch`. One runs at a branch or tag, so the SHA goes along as an
//! input. Its run is found by its name, which the workflow may or may not make of our mark.

use std::fmt;

use super::values::Values;
use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, Reference, RunOf, SeenRun, Start, Target, WorkflowFile};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowDispatch {
    /// The workflow's file.
    pub workflow: WorkflowFile,
    /// The branch or tag whose workflow file runs.
    pub reference: Reference,
    /// The inputs; one of them holds the SHA.
    pub inputs: Values,
}

impl Kind for WorkflowDispatch {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitHub)
    }

    fn start(&self, release: &Release<'_>) -> Option<Start> {
        Some(Start::WorkflowDispatch {
            workflow: self.workflow.to_string(),
            reference: self.reference.whole(),
            inputs: self.inputs.filled_in(release.request),
        })
    }

    fn target(&self, _: &Release<'_>) -> Option<Target> {
        Some(Target::WorkflowDispatch {
            workflow: self.workflow.to_string(),
        })
    }

    fn starts_at_branch(&self) -> bool {
        true
    }

    fn shows_absence(&self) -> bool {
        false
    }

    fn starts(&self, run: &SeenRun) -> bool {
        matches!(&run.what, RunOf::Workflow { file, event, .. }
            if event == "workflow_dispatch" && self.workflow.as_str() == file)
    }

    fn releases(&self, run: &SeenRun) -> bool {
        matches!(&run.what, RunOf::Workflow { file, .. } if self.workflow.as_str() == file)
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    fn deployment_waits(&self) -> bool {
        false
    }

    fn spelled(&self) -> Record {
        Record::default()
            .with("github", "workflow_dispatch")
            .with("inputs", self.inputs.spelled())
            .with("ref", self.reference.to_string())
            .with("workflow", self.workflow.as_str())
    }

    fn workflow(&self) -> Option<&WorkflowFile> {
        Some(&self.workflow)
    }

    fn reference(&self) -> Option<&Reference> {
        Some(&self.reference)
    }

    fn writes(&self) -> Option<&'static str> {
        Some("actions")
    }
}

impl fmt::Display for WorkflowDispatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workflow,
            reference,
            inputs,
        } = self;
        write!(f, "GitHub workflow `{workflow}` at `{reference}`{inputs}")
    }
}
