//! Memories of a Slack, written down so that another one can go on from there: the messages, and the addresses
//! at which a user may still be answered. Channels and people are for the test to set up.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::Message;
use super::response_urls::ResponseUrl;
use super::{Slack, lock};

#[derive(Deserialize)]
struct Memory {
    last_id: u64,
    last_micros: i64,
    messages: Vec<Message>,
    response_urls: BTreeMap<String, ResponseUrl>,
}

impl Slack {
    /// Everything that was said, and what may be answered.
    pub fn memory(&self) -> Value {
        let world = lock(&self.world);
        json!({
            "last_id": world.last_id,
            "last_micros": world.last_micros,
            "messages": world.messages.values().collect::<Vec<_>>(),
            "response_urls": world.response_urls,
        })
    }

    /// Goes on from what another one wrote down.
    pub fn remember(&self, memory: Value) -> Result<(), serde_json::Error> {
        let memory: Memory = serde_json::from_value(memory)?;
        let by_place = |message: Message| {
            let place = (message.channel.clone(), message.ts.clone());
            (place, message)
        };
        let mut world = lock(&self.world);
        world.last_id = memory.last_id;
        world.last_micros = memory.last_micros;
        world.messages = memory.messages.into_iter().map(by_place).collect();
        world.response_urls = memory.response_urls;
        Ok(())
    }
}
