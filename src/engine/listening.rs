//! Listening: for those without an address that a chat can reach, we call and listen. What comes is stored like a
//! delivery, and acknowledged only when it is durable.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{FALLBACK, Shared, backoff};
use crate::call::CallError;
use crate::chats::clients::{Calling, Clients, Said};
use crate::store::Door;
use countersign_ground::chance;

/// The loop that listens.
#[derive(Debug)]
pub struct Listening {
    pub shared: Shared,
    pub door: Door,
    pub chats: Clients,
}

impl Listening {
    /// Listens until it is told to stop; with another configuration, it calls anew.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let Some(chat) = self.chats.calling() else {
                tokio::select! {
                    will = self.chats.calling_changes() => if !will { return },
                    () = stop.cancelled() => return,
                }
                continue;
            };
            let mut changes = self.chats.clone();
            let ended = tokio::select! {
                ended = self.listen(&chat, &mut failures) => ended,
                true = changes.calling_changes() => Ok(()),
                () = stop.cancelled() => return,
            };
            let pause = match ended {
                Ok(()) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(error = %error, "{}'s socket broke off and will be opened again", chat.chat().called());
                    failures += 1;
                    let wait = match error {
                        CallError::Later { wait, .. } => wait,
                        CallError::Absent(_) | CallError::Never(_) => None,
                    };
                    backoff::pause(failures, wait, chance::fraction())
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// One connection, until the chat ends it.
    async fn listen(&self, chat: &Calling, failures: &mut u64) -> Result<(), CallError> {
        let called = chat.chat().called();
        let mut line = chat.open().await?;
        loop {
            match line.next().await? {
                Said::Hello => {
                    *failures = 0;
                    tracing::info!("listening to {called}");
                }
                Said::Delivery {
                    delivery,
                    bytes,
                    name,
                } => {
                    let now = self.shared.clock.now();
                    if self.door.store(delivery, &bytes, now).await.is_err() {
                        // What is not acknowledged is said again.
                        tokio::time::sleep(FALLBACK).await;
                        continue;
                    }
                    line.acknowledge(&name).await?;
                }
                Said::Notice(name) => line.acknowledge(&name).await?,
                Said::Again(why) => {
                    tracing::info!(why, "{called} asks to be called again");
                    return Ok(());
                }
                Said::Nothing => {}
            }
        }
    }
}
