//! Starts: which runs, jobs and pipelines are those that triggers started.

use crate::domain::desk::known::named;
use crate::domain::desk::release::follow;
use crate::domain::desk::sitting::Sitting;
use crate::domain::{
    Environment, External, ExternalKind, Report, Repository, Request, SeenRun, Service,
};

/// Whether a run looks like the one that a request's trigger started.
pub(crate) fn starts(sitting: &Sitting<'_>, request: &Request, run: &SeenRun) -> bool {
    let configured = named::configured(sitting, request);
    configured.is_some_and(|place| place.environment.trigger.kind().starts(run))
        && run.is_for(request)
}

/// Whether a job belongs to a pipeline that releases, or to a child of one: it says nothing about its commit. While
/// a release leaves that is a pipeline of its own, any job may be of it, because jobs do not tell why they run;
/// those that are of others are told once more with their pipelines.
pub(crate) fn is_of_release(
    sitting: &Sitting<'_>,
    services: &[&Service],
    repository: &Repository,
    report: &Report,
) -> bool {
    let pipelines = [report.pipeline, report.parent];
    let mut pipelines = pipelines.into_iter().flatten().peekable();
    if pipelines.peek().is_none() {
        return false;
    }
    let has_own_pipeline =
        |environment: &Environment| environment.trigger.kind().has_own_pipeline();
    let mut environments = services.iter().flat_map(|service| &service.environments);
    if !environments.any(has_own_pipeline) {
        return false;
    }
    let is_known = |id: u64| {
        let pipeline = External {
            kind: ExternalKind::Pipeline,
            id,
            url: String::new(),
        };
        follow::request_of(sitting, repository, &pipeline).is_some()
    };
    let leaves_as_pipeline = |request: &Request| {
        named::configured(sitting, request).is_some_and(|place| has_own_pipeline(place.environment))
    };
    pipelines.any(is_known) || follow::departed(sitting, services, leaves_as_pipeline).is_some()
}
