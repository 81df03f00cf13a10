//! Webhooks: a signed request to a URL from the configuration. Nothing sends them yet, so none starts anything.

use std::fmt;

use super::{Kind, Release};
use crate::domain::policy_text::Record;
use crate::domain::{Forge, SeenRun, Start, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it goes.
    pub url: String,
}

impl Kind for Webhook {
    fn forge(&self) -> Option<Forge> {
        None
    }

    fn start(&self, _: &Release<'_>) -> Option<Start> {
        None
    }

    fn target(&self, _: &Release<'_>) -> Option<Target> {
        None
    }

    fn starts_at_branch(&self) -> bool {
        false
    }

    fn shows_absence(&self) -> bool {
        false
    }

    fn starts(&self, _: &SeenRun) -> bool {
        false
    }

    fn releases(&self, _: &SeenRun) -> bool {
        false
    }

    fn has_own_pipeline(&self) -> bool {
        false
    }

    fn deployment_waits(&self) -> bool {
        false
    }

    fn spelled(&self) -> Record {
        Record::default().with("webhook", self.url.as_str())
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signed webhook to {}", self.url)
    }
}
