//! Registering tells a chat which commands there are: at the start and whenever the configuration changes.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::backoff;
use crate::call::CallError;
use crate::chats::clients::Registered;
use countersign_ground::chance;

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

/// Tries until the chat has them, or says that it never will.
async fn register(wanted: &Registered) {
    let called = wanted.chat().called();
    let mut failures = 0;
    loop {
        match wanted.register().await {
            Ok(()) => return tracing::info!("{called} knows the commands"),
            Err(CallError::Later { why, wait }) => {
                tracing::warn!(
                    why,
                    "{called} could not be told the commands and will be told again"
                );
                failures += 1;
                tokio::time::sleep(backoff::pause(failures, wait, chance::fraction())).await;
            }
            Err(CallError::Absent(why) | CallError::Never(why)) => {
                return tracing::error!(why, "{called} does not take the commands");
            }
        }
    }
}
