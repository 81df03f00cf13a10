//! Slack's Socket Mode: for those without an address that Slack can reach, we call and listen. What comes is
//! stored like a delivery, and acknowledged only when it is durable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{FALLBACK, Shared, backoff};
use crate::call::CallError;
use crate::chats::slack::client::Client;
use crate::chats::slack::edge;
use crate::chats::slack::socket::{Heard, Socket};
use crate::store::Door;
use countersign_ground::chance;

/// The loop that listens.
#[derive(Debug)]
pub struct Listening {
    pub shared: Shared,
    pub door: Door,
    pub slack: watch::Receiver<Option<Arc<Client>>>,
}

impl Listening {
    /// Listens until it is told to stop; with another configuration, it calls anew.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let client = self.slack.borrow_and_update().clone();
            let client = client.filter(|client| client.listens());
            let Some(client) = client else {
                tokio::select! {
                    changed = self.slack.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                continue;
            };
            let mut changes = self.slack.clone();
            let ended = tokio::select! {
                ended = self.listen(&client, &mut failures) => ended,
                Ok(()) = changes.changed() => Ok(()),
                () = stop.cancelled() => return,
            };
            let pause = match ended {
                Ok(()) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(error = %error, "Slack's socket broke off and will be opened again");
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

    /// One connection, until Slack ends it.
    async fn listen(&self, client: &Client, failures: &mut u64) -> Result<(), CallError> {
        let url = client.open_socket().await?;
        let mut socket = Socket::open(&url).await?;
        loop {
            match socket.next().await? {
                Heard::Hello => {
                    *failures = 0;
                    tracing::info!("listening to Slack");
                }
                Heard::Envelope(envelope) => {
                    let delivery =
                        edge::from_socket(&envelope.kind, &envelope.id, &envelope.payload);
                    if let Some(delivery) = delivery {
                        let now = self.shared.clock.now();
                        let stored = self.door.store(delivery, &envelope.payload, now).await;
                        if stored.is_err() {
                            // Slack repeats what is not acknowledged.
                            tokio::time::sleep(FALLBACK).await;
                            continue;
                        }
                    }
                    socket.acknowledge(&envelope.id).await?;
                }
                Heard::Disconnect(why) => {
                    tracing::info!(why, "Slack asks to be called again");
                    return Ok(());
                }
                Heard::Nothing => {}
            }
        }
    }
}
