//! The guard at the door of the forges: what each checks before anything that it sent is stored, and what it means later.

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{github, gitlab};
use crate::domain::{Delivery, Forge, Incoming};

/// What the forges sign with; it changes when the configuration does.
#[derive(Clone, Debug)]
pub struct Guard {
    pub github: watch::Receiver<Arc<github::edge::WebhookSecrets>>,
    pub gitlab: watch::Receiver<Arc<gitlab::edge::WebhookSecrets>>,
}

/// Why a delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnedAway {
    /// Nobody knows who sent it, so the sender is told little.
    Unauthentic(String),
    Refused(String),
}

impl Guard {
    /// Whether this forge is configured.
    pub fn expects(&self, forge: Forge) -> bool {
        match forge {
            Forge::GitHub => !self.github.borrow().is_empty(),
            Forge::GitLab => !self.gitlab.borrow().is_empty(),
        }
    }

    /// A delivery whose signature is right.
    pub fn receive(
        &self,
        forge: Forge,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Delivery, TurnedAway> {
        match forge {
            Forge::GitHub => {
                let secrets = self.github.borrow().clone();
                github::edge::receive(&secrets, headers, body)
                    .map_err(|why| turned_away(&why, why.is_unauthentic()))
            }
            Forge::GitLab => {
                let secrets = self.gitlab.borrow().clone();
                gitlab::edge::receive(&secrets, headers, body, now)
                    .map_err(|why| turned_away(&why, why.is_unauthentic()))
            }
        }
    }
}

fn turned_away(why: &dyn std::fmt::Display, is_unauthentic: bool) -> TurnedAway {
    if is_unauthentic {
        TurnedAway::Unauthentic(why.to_string())
    } else {
        TurnedAway::Refused(why.to_string())
    }
}

/// What a stored delivery means, or why it cannot be read.
pub fn interpret(forge: Forge, event: &str, body: &[u8]) -> Result<Vec<Incoming>, String> {
    match forge {
        Forge::GitHub => github::edge::interpret(event, body),
        Forge::GitLab => gitlab::edge::interpret(event, body),
    }
}
