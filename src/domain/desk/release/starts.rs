//! Triggers, and which runs, jobs and pipelines they start.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::release::follow;
use crate::domain::desk::sitting::Sitting;
use crate::domain::{
    Environment, External, ExternalKind, GitHubTrigger, GitLabTrigger, Progress, Report,
    Repository, Request, SeenRun, Service, Trigger,
};

/// Whether a request's trigger starts runs of this kind.
pub(crate) fn starts(sitting: &Sitting<'_>, request: &Request, run: &SeenRun) -> bool {
    let Some(Destination { environment, .. }) = named::configured(sitting, request) else {
        return false;
    };
    let is_marked = || run.title.contains(&request.correlation());
    let is_job = || run.kind == ExternalKind::Job && request.sha == run.sha;
    match &environment.trigger {
        Trigger::GitHub(GitHubTrigger::WorkflowDispatch { workflow, .. }) => {
            run.event == "workflow_dispatch" && workflow.as_str() == run.workflow && is_marked()
        }
        Trigger::GitHub(GitHubTrigger::RepositoryDispatch { .. }) => {
            run.event == "repository_dispatch" && is_marked()
        }
        Trigger::GitLab(GitLabTrigger::PlayJob { job }) => is_job() && job.as_str() == run.workflow,
        // A job's title is its environment.
        Trigger::GitLab(GitLabTrigger::ApproveThenPlay { environment }) => {
            is_job() && environment.as_str() == run.title
        }
        Trigger::GitLab(
            GitLabTrigger::CreatePipeline { .. } | GitLabTrigger::TriggerToken { .. },
        ) => run.kind == ExternalKind::Pipeline && is_marked(),
        Trigger::GitHub(
            GitHubTrigger::Deployment { .. } | GitHubTrigger::ProtectionRule { .. },
        )
        | Trigger::Webhook { .. } => false,
    }
}

/// Whether a job belongs to a pipeline that releases: it says nothing about its commit. While a release
/// leaves that is a pipeline of its own, any job may be of it, because jobs do not tell why they run;
/// those that are of others are told once more with their pipelines.
pub(crate) fn is_of_release(
    sitting: &Sitting<'_>,
    services: &[&Service],
    repository: &Repository,
    report: &Report,
) -> bool {
    let Some(pipeline) = report.pipeline else {
        return false;
    };
    let mut environments = services.iter().flat_map(|service| &service.environments);
    if !environments.any(|environment| has_own_pipeline(&environment.trigger)) {
        return false;
    }
    let pipeline = External {
        kind: ExternalKind::Pipeline,
        id: pipeline,
        url: String::new(),
    };
    let leaves_as_pipeline = |request: &Request| {
        let configured = named::configured(sitting, request);
        configured
            .is_some_and(|Destination { environment, .. }| has_own_pipeline(&environment.trigger))
    };
    follow::request_of(sitting, repository, &pipeline).is_some()
        || follow::departed(sitting, services, leaves_as_pipeline).is_some()
}

/// Whether a trigger makes a pipeline that does nothing but release.
fn has_own_pipeline(trigger: &Trigger) -> bool {
    matches!(
        trigger,
        Trigger::GitLab(GitLabTrigger::CreatePipeline { .. } | GitLabTrigger::TriggerToken { .. })
    )
}

/// Whether a run does what an environment's trigger starts.
pub(crate) fn releases(environment: &Environment, run: &SeenRun) -> bool {
    match &environment.trigger {
        Trigger::GitHub(GitHubTrigger::WorkflowDispatch { workflow, .. }) => {
            workflow.as_str() == run.workflow
        }
        // A job that is cancelled may never have been played.
        Trigger::GitLab(GitLabTrigger::PlayJob { job }) => {
            run.kind == ExternalKind::Job
                && run.progress != Progress::Cancelled
                && job.as_str() == run.workflow
        }
        Trigger::GitHub(
            GitHubTrigger::Deployment { .. }
            | GitHubTrigger::RepositoryDispatch { .. }
            | GitHubTrigger::ProtectionRule { .. },
        )
        | Trigger::GitLab(
            GitLabTrigger::CreatePipeline { .. }
            | GitLabTrigger::TriggerToken { .. }
            | GitLabTrigger::ApproveThenPlay { .. },
        )
        | Trigger::Webhook { .. } => false,
    }
}
