//! Registering tells Discord which commands there are: at the start and whenever the configuration changes. It is the
//! same list each time, so telling it again changes nothing.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::backoff;
use crate::call::CallError;
use crate::chats::discord::client::Client;
use countersign_ground::chance;

/// Where commands are registered: nowhere by name means once for all servers.
#[derive(Clone, Debug)]
pub struct Registered {
    pub client: Arc<Client>,
    pub guilds: Vec<String>,
}

/// Registers until it is told to stop.
pub async fn run(mut wanted: watch::Receiver<Option<Registered>>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = wanted.borrow_and_update().clone();
        if let Some(now) = now {
            tokio::select! {
                () = register(&now) => {}
                changed = wanted.changed() => {
                    if changed.is_err() { return }
                    wanted.mark_changed();
                }
                () = stop.cancelled() => return,
            }
        }
        tokio::select! {
            changed = wanted.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

/// Tries until Discord has them, or says that it never will.
async fn register(wanted: &Registered) {
    let mut failures = 0;
    loop {
        match wanted.client.register(&wanted.guilds).await {
            Ok(()) => return tracing::info!("Discord knows the commands"),
            Err(CallError::Later { why, wait }) => {
                tracing::warn!(
                    why,
                    "Discord could not be told the commands and will be told again"
                );
                failures += 1;
                tokio::time::sleep(backoff::pause(failures, wait, chance::fraction())).await;
            }
            Err(CallError::Absent(why) | CallError::Never(why)) => {
                return tracing::error!(why, "Discord does not take the commands");
            }
        }
    }
}
