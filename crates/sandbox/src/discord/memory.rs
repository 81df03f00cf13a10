//! Memories of a Discord, written down so that another one can go on from there: the channels with their
//! threads, the messages, and what people began and may still be answered. Guilds and their people are for the
//! test to set up, and commands are registered anew.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::interactions::Interaction;
use super::messages::Message;
use super::messages::Nonce;
use super::world::Channel;
use super::{Discord, lock};

#[derive(Deserialize)]
struct Memory {
    last_id: u64,
    channels: BTreeMap<u64, Channel>,
    messages: BTreeMap<u64, Message>,
    nonces: Vec<((u64, String), Nonce)>,
    interactions: BTreeMap<u64, Interaction>,
}

impl Discord {
    /// Everything that was said and asked.
    pub fn memory(&self) -> Value {
        let world = lock(&self.world);
        json!({
            "last_id": world.last_id,
            "channels": world.channels,
            "messages": world.messages,
            "nonces": world.nonces.iter().collect::<Vec<_>>(),
            "interactions": world.interactions,
        })
    }

    /// Goes on from what another one wrote down.
    pub fn remember(&self, memory: Value) -> Result<(), serde_json::Error> {
        let memory: Memory = serde_json::from_value(memory)?;
        let mut world = lock(&self.world);
        world.last_id = memory.last_id;
        world.channels = memory.channels;
        world.messages = memory.messages;
        world.nonces = memory.nonces.into_iter().collect();
        world.interactions = memory.interactions;
        Ok(())
    }
}
