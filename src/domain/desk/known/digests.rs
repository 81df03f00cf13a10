//! Digests: the policy that is in force, and requests that were asked for under another one.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::{PolicyDigest, Request};

/// Whether a request was asked for under the words of the policy that is in force, when they meant less.
pub(crate) fn meant_less(sitting: &Sitting<'_>, request: &Request) -> bool {
    let place = named::configured(sitting, request);
    let policy = place.and_then(|place| sitting.catalog.policy(place.service, place.environment));
    policy.is_some_and(|policy| policy.was_narrower(&request.policy))
}

/// Why a request that was asked for under another policy counts for nothing.
pub(crate) fn what_changed(sitting: &Sitting<'_>, request: &Request) -> &'static str {
    if meant_less(sitting, request) {
        "`author` in its policy means more since the upgrade: not only whom the commits name, but also whoever opened \
         the pull requests, and whoever pushed without one"
    } else {
        "the policy has changed since it was asked for"
    }
}

/// The digest of the policy that is in force, if there is one.
pub(crate) fn digest<'s>(
    sitting: &Sitting<'s>,
    place: Destination<'_>,
) -> Option<&'s PolicyDigest> {
    let policy = sitting.catalog.policy(place.service, place.environment);
    policy.map(|policy| &policy.digest)
}

/// Whether a request was asked for under the policy that is in force. Where there is none, nothing was.
pub(crate) fn is_current(sitting: &Sitting<'_>, request: &Request, place: Destination<'_>) -> bool {
    let policy = sitting.catalog.policy(place.service, place.environment);
    policy.is_some_and(|policy| policy.is_named(&request.policy))
}

/// What was asked for under a policy that is not in force any more counts for nothing.
pub(crate) fn is_outdated(sitting: &Sitting<'_>, request: &Request) -> bool {
    named::configured(sitting, request).is_none_or(|place| !is_current(sitting, request, place))
}
