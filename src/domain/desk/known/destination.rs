//! Destinations: a service and one of its environments, which most commands are about.

use std::fmt::Display;

use crate::domain::text::{Text, commit, strong, text};
use crate::domain::{Environment, Request, Service, Sha};

/// Where something is to be released.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'c> {
    pub(crate) service: &'c Service,
    pub(crate) environment: &'c Environment,
}

impl Destination<'_> {
    /// `shop → prod`.
    pub(crate) fn says(self) -> Text {
        between(&self.service.name, &self.environment.name)
    }

    /// `shop → prod at 0123…`.
    pub(crate) fn at(self, sha: &Sha) -> Text {
        text![self.says(), " at ", commit(sha.as_str())]
    }

    /// The environment alone.
    pub(crate) fn name(self) -> Text {
        strong(&self.environment.name).into()
    }
}

/// A request by its number and by what it would ship.
pub(crate) fn in_full(request: &Request) -> Text {
    text![
        format!("#{}, ", request.number),
        between(&request.service, &request.environment),
        " at ",
        commit(request.sha.as_str())
    ]
}

/// `shop → prod`, by the names alone.
pub(crate) fn between(service: &impl Display, environment: &impl Display) -> Text {
    text![service.to_string(), " → ", strong(environment)]
}
