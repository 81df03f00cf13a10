//! The forges at the door: what their edges need to check who sent something.

use std::sync::Arc;

use tokio::sync::watch;

use crate::forges::{github, gitlab};

/// What forges sign with; it changes when the configuration does.
#[derive(Clone, Debug)]
pub struct Forges {
    pub github: watch::Receiver<Arc<github::edge::WebhookSecrets>>,
    pub gitlab: watch::Receiver<Arc<gitlab::edge::WebhookSecrets>>,
}
