//! Installations: where the app acts, each with one token that all its calls share until it nears its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use octocrab::Octocrab;
use octocrab::models::InstallationId;

use super::{innermost, lock};
use crate::call::CallError;

/// How long a token must last to be used: well longer than a call.
const LASTS: TimeDelta = TimeDelta::minutes(2);

/// The installations that were asked about, by their number.
#[derive(Default)]
pub(super) struct Installations(Mutex<HashMap<u64, Arc<Installation>>>);

/// One installation.
pub(super) struct Installation {
    id: u64,
    /// Never cloned: a clone keeps the tokens that it mints to itself.
    crab: Octocrab,
    minting: tokio::sync::Mutex<()>,
}

impl Installations {
    pub(super) fn get(&self, app: &Octocrab, id: u64) -> Result<Arc<Installation>, CallError> {
        let mut known = lock(&self.0);
        if let Some(known) = known.get(&id) {
            return Ok(Arc::clone(known));
        }
        let crab = app
            .installation(InstallationId(id))
            .map_err(|error| CallError::Never(innermost(&error)))?;
        let made = Arc::new(Installation {
            id,
            crab,
            minting: tokio::sync::Mutex::default(),
        });
        known.insert(id, Arc::clone(&made));
        Ok(made)
    }

    /// Its token is not good any more, whatever the token's date says: the next call gets another.
    pub(super) fn forget(&self, installation: &Arc<Installation>) {
        let mut known = lock(&self.0);
        let is_current = known
            .get(&installation.id)
            .is_some_and(|current| Arc::ptr_eq(current, installation));
        if is_current {
            known.remove(&installation.id);
        }
    }
}

impl Installation {
    /// The connection, once it has a token that lasts. Calls that find none at the same time wait for one.
    pub(super) async fn with_token(&self) -> Result<&Octocrab, octocrab::Error> {
        let _alone = self.minting.lock().await;
        self.crab.installation_token_with_buffer(LASTS).await?;
        Ok(&self.crab)
    }
}
