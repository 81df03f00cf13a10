//! Triggers: how a release starts. Each kind has a file of its own, which holds its settings and all that is known of
//! it; here stands which kinds there are, and what the desk and others ask of each. Holds no secrets.

pub mod approve_then_play;
pub mod deployment;
pub mod pipeline;
pub mod play_job;
pub mod protection_rule;
pub mod repository_dispatch;
pub mod values;
pub mod webhook;
pub mod workflow_dispatch;

use std::fmt;

use super::policy_text::Record;
use super::{
    Forge, ForgeName, FoundRun, Login, Reference, Request, SeenRun, Service, Start, Target,
    WorkflowFile,
};
use approve_then_play::ApproveThenPlay;
use deployment::Deployment;
use pipeline::Pipeline;
use play_job::PlayJob;
use protection_rule::ProtectionRule;
use repository_dispatch::RepositoryDispatch;
use webhook::Webhook;
use workflow_dispatch::WorkflowDispatch;

/// How a release starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    Deployment(Deployment),
    WorkflowDispatch(WorkflowDispatch),
    RepositoryDispatch(RepositoryDispatch),
    ProtectionRule(ProtectionRule),
    PlayJob(PlayJob),
    Pipeline(Pipeline),
    ApproveThenPlay(ApproveThenPlay),
    Webhook(Webhook),
}

impl Trigger {
    /// The kind that it is, which answers every question about it.
    pub(crate) fn kind(&self) -> &dyn Kind {
        match self {
            Self::Deployment(kind) => kind,
            Self::WorkflowDispatch(kind) => kind,
            Self::RepositoryDispatch(kind) => kind,
            Self::ProtectionRule(kind) => kind,
            Self::PlayJob(kind) => kind,
            Self::Pipeline(kind) => kind,
            Self::ApproveThenPlay(kind) => kind,
            Self::Webhook(kind) => kind,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// The release that a trigger is filled in for.
pub(crate) struct Release<'r> {
    pub(crate) service: &'r Service,
    pub(crate) request: &'r Request,
    /// The run that waits for our answer, where one does.
    pub(crate) waiting_run: Option<u64>,
}

impl Release<'_> {
    /// The branch whose pipelines are the commit's own. The head of an open merge request is on a branch of its own.
    fn branch(&self) -> Option<String> {
        match self.request.open_head {
            None => Some(self.service.branch.to_string()),
            Some(_) => None,
        }
    }
}

/// What is asked of every kind, as a trait, so that a new one needs no arm but its own. How it is displayed, people
/// read. What only some kinds have is left out by the others.
pub(crate) trait Kind: fmt::Display {
    /// The forge that starts it, whose services can use it; none where nothing starts it yet.
    fn forge(&self) -> Option<Forge>;

    /// What starts a release; nothing while no run waits for it.
    fn start(&self, release: &Release<'_>) -> Option<Start>;

    /// Where what was started would be found.
    fn target(&self, release: &Release<'_>) -> Option<Target>;

    /// Whether it starts at a branch, and the commit goes along as a value.
    fn starts_at_branch(&self) -> bool;

    /// Whether a look that finds nothing shows that nothing is there.
    fn shows_absence(&self) -> bool;

    /// Whether a run looks like one that it starts. For whom, and whether we did, is not asked here.
    fn starts(&self, run: &SeenRun) -> bool;

    /// Whether a run does what it starts, whoever started it.
    fn releases(&self, run: &SeenRun) -> bool;

    /// Whether it makes a pipeline that does nothing but release, so that none of its jobs is a gate.
    fn has_own_pipeline(&self) -> bool;

    /// Whether a deployment is there before it begins, and may never begin.
    fn deployment_waits(&self) -> bool;

    /// How the policy's text spells it.
    fn spelled(&self) -> Record;

    /// The environment on the forge that it names itself.
    fn environment(&self) -> Option<&ForgeName> {
        None
    }

    /// Who else reports how a deployment goes.
    fn reporter(&self) -> Option<&Login> {
        None
    }

    /// Whether a run that waits there may pass, for a repository with this number.
    fn lets_pass(&self, _: &FoundRun, _: u64) -> bool {
        false
    }

    /// The environment at whose protection rule a run waits for our answer.
    fn waits_at(&self) -> Option<&ForgeName> {
        None
    }

    /// The workflow that it starts.
    fn workflow(&self) -> Option<&WorkflowFile> {
        None
    }

    /// The branch or tag that it names itself.
    fn reference(&self) -> Option<&Reference> {
        None
    }

    /// The job of the commit's own pipeline that releases, and so is no gate.
    fn job(&self) -> Option<&ForgeName> {
        None
    }

    /// What a GitHub app must be allowed to write for it, besides what each may.
    fn writes(&self) -> Option<&'static str> {
        None
    }
}

#[cfg(test)]
mod tests;
