//! Starts: how one release is started: a trigger of the configuration, filled in for a request. They are stored until
//! they left, so each is spelled as it ever was.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
