//! Triggers: how a release starts. Holds what the forge must be told, and no secrets.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Branch, Forge, ForgeName, Template, WorkflowFile};

/// How a release starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// Through GitHub.
    GitHub(GitHubTrigger),
    /// Through GitLab.
    GitLab(GitLabTrigger),
    /// A signed webhook to a URL from the configuration.
    Webhook {
        /// Where it goes.
        url: String,
    },
}

/// What starts a release on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GitHubTrigger {
    /// A deployment of the exact SHA; workflows start `on: deployment`.
    Deployment {
        /// The environment's name on GitHub.
        environment: ForgeName,
    },
    /// A `workflow_dispatch`; it runs at a branch or tag, so the SHA goes along as an input.
    WorkflowDispatch {
        /// The workflow's file.
        workflow: WorkflowFile,
        /// The branch or tag whose workflow file runs.
        reference: Branch,
        /// The inputs; one of them holds the SHA.
        inputs: BTreeMap<String, Template>,
    },
    /// A `repository_dispatch`; it runs on the default branch, so the SHA goes along in the payload.
    RepositoryDispatch {
        /// The event type that workflows listen to.
        event_type: ForgeName,
    },
    /// The answer to a workflow that waits at an environment's protection rule.
    ProtectionRule {
        /// The environment's name on GitHub.
        environment: ForgeName,
    },
}

/// What starts a release on GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GitLabTrigger {
    /// A manual job of the candidate's own pipeline is played.
    PlayJob {
        /// The job's name.
        job: ForgeName,
    },
    /// A pipeline is created; it runs at a branch or tag, so the SHA goes along as a variable.
    CreatePipeline {
        /// The branch or tag.
        reference: Branch,
        /// The variables; one of them holds the SHA.
        variables: BTreeMap<String, Template>,
    },
    /// A pipeline is created with a trigger token.
    TriggerToken {
        /// The branch or tag.
        reference: Branch,
        /// The variables; one of them holds the SHA.
        variables: BTreeMap<String, Template>,
    },
    /// A deployment that waits for approval is approved, then its job is played.
    ApproveThenPlay {
        /// The environment's name on GitLab.
        environment: ForgeName,
    },
}

impl Trigger {
    /// The forge whose services can use this trigger; a webhook serves all.
    pub fn forge(&self) -> Option<Forge> {
        match self {
            Self::GitHub(_) => Some(Forge::GitHub),
            Self::GitLab(_) => Some(Forge::GitLab),
            Self::Webhook { .. } => None,
        }
    }

    /// The environment on the forge that it names itself.
    pub fn environment(&self) -> Option<&ForgeName> {
        match self {
            Self::GitHub(
                GitHubTrigger::Deployment { environment }
                | GitHubTrigger::ProtectionRule { environment },
            )
            | Self::GitLab(GitLabTrigger::ApproveThenPlay { environment }) => Some(environment),
            Self::GitHub(
                GitHubTrigger::WorkflowDispatch { .. } | GitHubTrigger::RepositoryDispatch { .. },
            )
            | Self::GitLab(
                GitLabTrigger::PlayJob { .. }
                | GitLabTrigger::CreatePipeline { .. }
                | GitLabTrigger::TriggerToken { .. },
            )
            | Self::Webhook { .. } => None,
        }
    }

    /// Whether it starts at a branch, and the commit goes along as a value.
    pub fn starts_at_branch(&self) -> bool {
        match self {
            Self::GitHub(
                GitHubTrigger::WorkflowDispatch { .. } | GitHubTrigger::RepositoryDispatch { .. },
            )
            | Self::GitLab(
                GitLabTrigger::CreatePipeline { .. } | GitLabTrigger::TriggerToken { .. },
            ) => true,
            Self::GitHub(
                GitHubTrigger::Deployment { .. } | GitHubTrigger::ProtectionRule { .. },
            )
            | Self::GitLab(GitLabTrigger::PlayJob { .. } | GitLabTrigger::ApproveThenPlay { .. })
            | Self::Webhook { .. } => false,
        }
    }

    /// Whether a look that finds nothing shows that nothing is there. On GitHub a dispatched run is found by its name
    /// only, and the workflow may or may not give it our mark; a pipeline of GitLab has it among its variables.
    pub fn shows_absence(&self) -> bool {
        match self {
            Self::GitHub(
                GitHubTrigger::Deployment { .. } | GitHubTrigger::ProtectionRule { .. },
            )
            | Self::GitLab(_) => true,
            Self::GitHub(
                GitHubTrigger::WorkflowDispatch { .. } | GitHubTrigger::RepositoryDispatch { .. },
            )
            | Self::Webhook { .. } => false,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GitHub(trigger) => trigger.fmt(f),
            Self::GitLab(trigger) => trigger.fmt(f),
            Self::Webhook { url } => write!(f, "signed webhook to {url}"),
        }
    }
}

impl fmt::Display for GitHubTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployment { environment } => {
                write!(f, "GitHub deployment to `{environment}`")
            }
            Self::WorkflowDispatch {
                workflow,
                reference,
                inputs,
            } => {
                write!(f, "GitHub workflow `{workflow}` at `{reference}`")?;
                write_values(f, inputs)
            }
            Self::RepositoryDispatch { event_type } => {
                write!(f, "GitHub repository dispatch `{event_type}`")
            }
            Self::ProtectionRule { environment } => {
                write!(f, "GitHub protection rule of `{environment}`")
            }
        }
    }
}

impl fmt::Display for GitLabTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlayJob { job } => write!(f, "GitLab job `{job}`"),
            Self::CreatePipeline {
                reference,
                variables,
            } => {
                write!(f, "GitLab pipeline at `{reference}`")?;
                write_values(f, variables)
            }
            Self::TriggerToken {
                reference,
                variables,
            } => {
                write!(f, "GitLab pipeline at `{reference}` by trigger token")?;
                write_values(f, variables)
            }
            Self::ApproveThenPlay { environment } => {
                write!(
                    f,
                    "GitLab deployment to `{environment}`, approved, then played"
                )
            }
        }
    }
}

fn write_values(f: &mut fmt::Formatter<'_>, values: &BTreeMap<String, Template>) -> fmt::Result {
    for (position, (key, value)) in values.iter().enumerate() {
        let before = if position == 0 { " with " } else { ", " };
        write!(f, "{before}{key} = {value}")?;
    }
    Ok(())
}
