//! The policy that is in force, and requests that were asked for under another one.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::{Environment, Request, Service};

/// The digest of the policy that is in force.
pub(crate) fn digest(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
) -> String {
    let key = (service.name.clone(), environment.name.clone());
    sitting
        .catalog
        .digests
        .get(&key)
        .cloned()
        .unwrap_or_default()
}

/// What was asked for under a policy that is not in force any more counts for nothing.
pub(crate) fn is_outdated(sitting: &Sitting<'_>, request: &Request) -> bool {
    named::configured(sitting, request).is_none_or(
        |Destination {
             service,
             environment,
         }| { request.policy != digest(sitting, service, environment) },
    )
}

pub(crate) const POLICY_CHANGED: &str = "the policy has changed since it was asked for";
