//! Pipelines in GitLab's payloads: jobs, pipelines of jobs, and the deployments that jobs make.

use serde::Deserialize;

use super::{Id, Moment, Project, User};
use crate::domain::Sha;

/// A job by itself. GitLab calls it a build here, and its `commit.id` is the pipeline's number.
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) sha: Sha,
    #[serde(default)]
    pub(crate) pipeline_id: Option<Id>,
    #[serde(default, rename = "ref")]
    pub(crate) reference: Option<String>,
    #[serde(default)]
    pub(crate) tag: Option<bool>,
    pub(crate) build_id: Id,
    pub(crate) build_name: String,
    #[serde(default)]
    pub(crate) build_stage: Option<String>,
    pub(crate) build_status: String,
    #[serde(default)]
    pub(crate) build_failure_reason: Option<String>,
    #[serde(default)]
    pub(crate) build_allow_failure: Option<bool>,
    #[serde(default)]
    pub(crate) build_created_at: Moment,
    #[serde(default)]
    pub(crate) build_started_at: Moment,
    #[serde(default)]
    pub(crate) build_finished_at: Moment,
    #[serde(default)]
    pub(crate) project_id: Option<Id>,
    /// Older servers do not tell it.
    #[serde(default)]
    pub(crate) project: Option<Project>,
    #[serde(default)]
    pub(crate) repository: Option<Addresses>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) environment: Option<Environment>,
    #[serde(default)]
    pub(crate) source_pipeline: Option<Origin>,
}

/// What started a pipeline that another one started.
#[derive(Debug, Deserialize)]
pub(crate) struct Origin {
    #[serde(default)]
    pub(crate) pipeline_id: Option<Id>,
}

/// Where a project lives.
#[derive(Debug, Deserialize)]
pub(crate) struct Addresses {
    #[serde(default)]
    pub(crate) homepage: Option<String>,
    #[serde(default)]
    pub(crate) git_ssh_url: Option<String>,
}

/// What a job does to an environment.
#[derive(Debug, Deserialize)]
pub(crate) struct Environment {
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// `start`, `stop`, `prepare`, `verify`, `access`.
    #[serde(default)]
    pub(crate) action: Option<String>,
}

/// A pipeline with its newest jobs. It has variables, so it cannot be printed.
#[derive(Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) object_attributes: Attributes,
    pub(crate) project: Project,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) builds: Option<Vec<Build>>,
    #[serde(default)]
    pub(crate) source_pipeline: Option<Origin>,
}

#[derive(Deserialize)]
pub(crate) struct Attributes {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) sha: Sha,
    #[serde(default, rename = "ref")]
    pub(crate) reference: Option<String>,
    #[serde(default)]
    pub(crate) tag: Option<bool>,
    /// What started it: `push`, `merge_request_event`, `api`...
    pub(crate) source: String,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) created_at: Moment,
    #[serde(default)]
    pub(crate) finished_at: Moment,
    #[serde(default)]
    pub(crate) url: Option<String>,
    #[serde(default)]
    pub(crate) variables: Option<Vec<Variable>>,
}

/// What a pipeline was started with, in clear text.
#[derive(Deserialize)]
pub(crate) struct Variable {
    #[serde(default)]
    pub(crate) key: Option<String>,
    #[serde(default)]
    pub(crate) value: Option<String>,
}

/// A job among those of its pipeline.
#[derive(Debug, Deserialize)]
pub(crate) struct Build {
    pub(crate) id: Id,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) stage: Option<String>,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) when: Option<String>,
    #[serde(default)]
    pub(crate) manual: Option<bool>,
    #[serde(default)]
    pub(crate) allow_failure: Option<bool>,
    #[serde(default)]
    pub(crate) created_at: Moment,
    #[serde(default)]
    pub(crate) started_at: Moment,
    #[serde(default)]
    pub(crate) finished_at: Moment,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) deployment_id: Id,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) status_changed_at: Moment,
    pub(crate) environment: String,
    pub(crate) project: Project,
    /// The job that deploys.
    #[serde(default)]
    pub(crate) deployable_id: Option<Id>,
    #[serde(default)]
    pub(crate) deployable_url: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    /// The only place where the whole commit id stands.
    #[serde(default)]
    pub(crate) commit_url: Option<String>,
}
