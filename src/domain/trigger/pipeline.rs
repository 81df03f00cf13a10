//! Pipelines of GitLab: one is created that does nothing but release. It runs at a branch or tag, so the SHA goes along
//! as a variable, and so does our mark, by which it is found.

use std::fmt;

use super::values::Values;
use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, Reference, RunOf, SeenRun, Start, Target};

/// The variable of a pipeline that holds our mark.
pub const CORRELATION: &str = "COUNTERSIGN_CORRELATION";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The branch or tag.
    pub reference: Reference,
    /// The variables; one of them holds the SHA.
    pub variables: Values,
    pub creator: Creator,
}

/// Who creates a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creator {
    /// Our account.
    Account,
    /// Whom a trigger token belongs to.
    Token,
}

impl Pipeline {
    fn is_by_token(&self) -> bool {
        self.creator == Creator::Token
    }
}

impl Kind for Pipeline {
    fn forge(&self) -> Option<Forge> {
        Some(Forge::GitLab)
    }

    fn start(&self, release: &Release<'_>) -> Option<Start> {
        let mut variables = self.variables.filled_in(release.request);
        variables.insert(CORRELATION.to_owned(), release.request.correlation());
        Some(Start::Pipeline {
            reference: self.reference.whole(),
            variables,
            by_token: self.is_by_token(),
        })
    }

    fn target(&self, _: &Release<'_>) -> Option<Target> {
        Some(Target::Pipeline {
            by_token: self.is_by_token(),
        })
    }

    fn starts_at_branch(&self) -> bool {
        true
    }

    /// A pipeline that is there has our mark among its variables.
    fn shows_absence(&self) -> bool {
        true
    }

    fn starts(&self, run: &SeenRun) -> bool {
        matches!(run.what, RunOf::Pipeline { .. })
    }

    fn releases(&self, _: &SeenRun) -> bool {
        false
    }

    /// A job makes its deployment before it runs.
    fn deployment_waits(&self) -> bool {
        true
    }

    fn has_own_pipeline(&self) -> bool {
        true
    }

    fn spelled(&self) -> Record {
        let kind = match self.creator {
            Creator::Account => "create_pipeline",
            Creator::Token => "trigger_token",
        };
        Record::default()
            .with("gitlab", kind)
            .with("ref", self.reference.to_string())
            .with("variables", self.variables.spelled())
    }

    fn reference(&self) -> Option<&Reference> {
        Some(&self.reference)
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.creator {
            Creator::Account => "",
            Creator::Token => " by trigger token",
        };
        let (reference, variables) = (&self.reference, &self.variables);
        write!(f, "GitLab pipeline at `{reference}`{by}{variables}")
    }
}
