//! The digest of a policy: everything that decides what may be released to an environment, and by whom.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::{Environment, Role, Service, Stage};

#[derive(Serialize)]
struct Policy<'p> {
    service: &'p str,
    repository: String,
    branch: &'p str,
    stages: &'p [Stage],
    environment: &'p Environment,
    roles: &'p [&'p Role],
}

/// SHA-256 over the policy's JSON, in hexadecimal.
pub fn policy_digest(service: &Service, environment: &Environment, roles: &[&Role]) -> String {
    let policy = Policy {
        service: service.name.as_str(),
        repository: service.repo.to_string(),
        branch: service.branch.as_str(),
        stages: service.stages_before(environment),
        environment,
        roles,
    };
    // Only maps with keys that are not text can fail, and there are none.
    let spelled = serde_json::to_vec(&policy).unwrap_or_default();
    Sha256::digest(&spelled)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
