//! Starts: how one release is started: a trigger of the configuration, filled in for a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Branch, GitHubTrigger, GitLabTrigger, Placeholder, Request, Service, Target, Template, Trigger,
};

/// The variable of a pipeline that holds our mark.
pub const CORRELATION: &str = "COUNTERSIGN_CORRELATION";

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    Deployment {
        environment: String,
    },
    WorkflowDispatch {
        workflow: String,
        reference: String,
        inputs: BTreeMap<String, String>,
    },
    RepositoryDispatch {
        event_type: String,
    },
    ProtectionRule {
        environment: String,
        run: u64,
    },
    /// The job of this name in the commit's own pipeline: one that a push to this branch started, if there is one.
    /// Others can be started with variables that were not approved.
    Job {
        name: String,
        branch: Option<String>,
    },
    /// A pipeline at a branch or tag.
    Pipeline {
        reference: String,
        variables: BTreeMap<String, String>,
        /// Whether it is created with a trigger token.
        by_token: bool,
    },
    /// The job behind the deployment that waits for approval, after it is approved.
    WaitingJob {
        environment: String,
        branch: Option<String>,
    },
}

impl Start {
    /// What a trigger means for one request; `None` while no run waits at the protection rule.
    pub fn of(
        trigger: &Trigger,
        service: &Service,
        request: &Request,
        waiting_run: Option<u64>,
    ) -> Option<Self> {
        let value = |placeholder| match placeholder {
            Placeholder::Sha => request.sha.to_string(),
            Placeholder::Service => request.service.to_string(),
            Placeholder::Environment => request.environment.to_string(),
            Placeholder::Request => request.number.to_string(),
            Placeholder::Correlation => request.correlation(),
        };
        let rendered = |templates: &BTreeMap<String, Template>| -> BTreeMap<String, String> {
            let templates = templates.iter();
            templates
                .map(|(name, template)| (name.clone(), template.render(value)))
                .collect()
        };
        let trigger = match trigger {
            Trigger::GitHub(trigger) => trigger,
            Trigger::GitLab(trigger) => {
                return Some(Self::on_gitlab(trigger, service, request, rendered));
            }
            Trigger::Webhook { .. } => return None,
        };
        Some(match trigger {
            GitHubTrigger::Deployment { environment } => Self::Deployment {
                environment: environment.to_string(),
            },
            GitHubTrigger::WorkflowDispatch {
                workflow,
                reference,
                inputs,
            } => Self::WorkflowDispatch {
                workflow: workflow.to_string(),
                reference: reference.to_string(),
                inputs: rendered(inputs),
            },
            GitHubTrigger::RepositoryDispatch { event_type } => Self::RepositoryDispatch {
                event_type: event_type.to_string(),
            },
            GitHubTrigger::ProtectionRule { environment } => Self::ProtectionRule {
                environment: environment.to_string(),
                run: waiting_run?,
            },
        })
    }

    fn on_gitlab(
        trigger: &GitLabTrigger,
        service: &Service,
        request: &Request,
        rendered: impl Fn(&BTreeMap<String, Template>) -> BTreeMap<String, String>,
    ) -> Self {
        let pipeline = |reference: &Branch, variables, by_token| {
            let mut variables = rendered(variables);
            variables.insert(CORRELATION.to_owned(), request.correlation());
            Self::Pipeline {
                reference: reference.to_string(),
                variables,
                by_token,
            }
        };
        // The head of an open merge request is on a branch of its own.
        let branch = match request.open_head {
            None => Some(service.branch.to_string()),
            Some(_) => None,
        };
        match trigger {
            GitLabTrigger::PlayJob { job } => Self::Job {
                name: job.to_string(),
                branch,
            },
            GitLabTrigger::CreatePipeline {
                reference,
                variables,
            } => pipeline(reference, variables, false),
            GitLabTrigger::TriggerToken {
                reference,
                variables,
            } => pipeline(reference, variables, true),
            GitLabTrigger::ApproveThenPlay { environment } => Self::WaitingJob {
                environment: environment.to_string(),
                branch,
            },
        }
    }

    /// Where it would be found.
    pub fn target(&self) -> Target {
        match self {
            Self::Deployment { environment } => Target::Deployment {
                environment: environment.clone(),
            },
            Self::WorkflowDispatch { workflow, .. } => Target::WorkflowDispatch {
                workflow: workflow.clone(),
            },
            Self::RepositoryDispatch { .. } => Target::RepositoryDispatch,
            Self::ProtectionRule { run, .. } => Target::WaitingRun { run: *run },
            Self::Job { name, branch } => Target::Job {
                name: name.clone(),
                branch: branch.clone(),
            },
            Self::Pipeline { by_token, .. } => Target::Pipeline {
                by_token: *by_token,
            },
            Self::WaitingJob {
                environment,
                branch,
            } => Target::WaitingJob {
                environment: environment.clone(),
                branch: branch.clone(),
            },
        }
    }
}
