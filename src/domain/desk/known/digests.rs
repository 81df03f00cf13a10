//! The policy that is in force, and requests that were asked for under another one.

use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::Reason;
use crate::domain::{Environment, PolicyDigest, Request, Service};

/// The digest of the policy that is in force, if there is one.
pub(crate) fn digest<'s>(
    sitting: &Sitting<'s>,
    service: &Service,
    environment: &Environment,
) -> Option<&'s PolicyDigest> {
    let policy = sitting.catalog.policy(service, environment);
    policy.map(|policy| &policy.digest)
}

/// Whether a request was asked for under the policy that is in force. Where there is none, nothing was.
pub(crate) fn is_current(
    sitting: &Sitting<'_>,
    request: &Request,
    service: &Service,
    environment: &Environment,
) -> bool {
    let policy = sitting.catalog.policy(service, environment);
    policy.is_some_and(|policy| policy.is_named(&request.policy))
}

/// What was asked for under a policy that is not in force any more counts for nothing.
pub(crate) fn is_outdated(sitting: &Sitting<'_>, request: &Request) -> bool {
    named::configured(sitting, request)
        .is_none_or(|(service, environment)| !is_current(sitting, request, service, environment))
}

/// Stands in the way where there is no policy.
pub(crate) fn missing(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
) -> Option<Reason> {
    let name = &environment.name;
    digest(sitting, service, environment).is_none().then(|| {
        Reason::refuses(format!("**{name}** has no policy that could be followed"))
            .help("Whoever runs Countersign must say in its configuration who has the roles that approve.")
    })
}

pub(crate) const POLICY_CHANGED: &str = "the policy has changed since it was asked for";
