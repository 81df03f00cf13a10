//! Delivery of what people did: carried to the application's endpoint, signed, and answered within three
//! seconds; also anything else, signed as one likes.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::Discord;
use super::interactions::{FIRST, Kind};
use super::seen::Seen;
use super::world::World;
use crate::courier::{self, Reply};
use crate::desk::Said;
use crate::lock;
use countersign_ground::digest;

/// What was sent to the endpoint.
#[derive(Clone, Debug)]
pub struct Sent {
    pub body: String,
    pub timestamp: String,
    pub signature: String,
}

impl Discord {
    /// Where interactions go, from now on, if it passes Discord's test: a ping with a good signature is
    /// answered by a ping, one with a bad signature by 401.
    pub async fn set_endpoint(&self, url: &str) -> Result<(), String> {
        let good = self.ping_of();
        let stranger = SigningKey::from_bytes(&[7; 32]);
        let forged = Sent {
            signature: signature(&stranger, &good.timestamp, &good.body),
            ..good.clone()
        };
        let refusal = |why: &str| {
            Err(format!(
                "interactions_endpoint_url: The specified interactions endpoint url could not be verified: {why}"
            ))
        };
        let Some(reply) = post(url, &good).await else {
            return refusal("there was no answer");
        };
        if reply.status != 200 || !reply.is_json() || json_of(&reply)["type"] != 1 {
            return refusal("a ping was not answered by 200 and a ping");
        }
        match post(url, &forged).await {
            Some(reply) if reply.status == 401 => {}
            _ => return refusal("a wrong signature was not answered by 401"),
        }
        lock(&self.world).endpoint = Some(url.to_owned());
        Ok(())
    }

    /// The same without the test, for an address where no server listens.
    pub fn believe_endpoint(&self, url: &str) {
        lock(&self.world).endpoint = Some(url.to_owned());
    }

    /// Pings as Discord does now and then; the status and body of the answer.
    pub async fn ping(&self) -> Option<(u16, Value)> {
        let sent = self.ping_of();
        self.send_raw(&sent.body, &sent.timestamp, &sent.signature)
            .await
    }

    fn ping_of(&self) -> Sent {
        let mut world = lock(&self.world);
        let id = world.begin(Kind::Ping, super::world::APPLICATION_ID, 0);
        let payload = world.payload(id, Value::Null);
        world.sign(payload.to_string())
    }

    /// The signature of this body at this time, as hex.
    pub fn signed(&self, body: &str, timestamp: &str) -> String {
        signature(&lock(&self.world).key, timestamp, body)
    }

    /// Sends anything to the endpoint; the status and body of the answer, if there was one.
    pub async fn send_raw(
        &self,
        body: &str,
        timestamp: &str,
        signature: &str,
    ) -> Option<(u16, Value)> {
        let sent = Sent {
            body: body.to_owned(),
            timestamp: timestamp.to_owned(),
            signature: signature.to_owned(),
        };
        let url = lock(&self.world).endpoint.clone()?;
        let reply = post(&url, &sent).await?;
        Some((reply.status, json_of(&reply)))
    }

    /// Sends once more, byte by byte, what was last sent for a user.
    pub async fn repeat_last(&self) -> Option<(u16, Value)> {
        let sent = self.last_sent()?;
        self.send_raw(&sent.body, &sent.timestamp, &sent.signature)
            .await
    }

    /// What was last sent for a user.
    pub fn last_sent(&self) -> Option<Sent> {
        lock(&self.world).last_sent.clone()
    }

    /// Tells the application and waits until it answered, one way or the other, or three seconds passed.
    pub(super) async fn tell(&self, interaction: u64, data: Value) -> Seen {
        let (url, sent, clock, mut bell) = {
            let mut world = lock(&self.world);
            let payload = world.payload(interaction, data);
            let sent = world.sign(payload.to_string());
            world.last_sent = Some(sent.clone());
            let bell = world.bell.subscribe();
            (world.endpoint.clone(), sent, world.clock.clone(), bell)
        };
        let Some(url) = url else {
            return Seen::Failed("the application has no endpoint".to_owned());
        };
        let deadline = clock.sleep(FIRST);
        tokio::pin!(deadline);
        let reply = tokio::select! {
            reply = post(&url, &sent) => reply.ok_or("the connection broke"),
            () = &mut deadline => Err("three seconds passed"),
        };
        let taken = match &reply {
            Err(why) => Err((*why).to_owned()),
            // The answer comes as a call of its own.
            Ok(reply) if reply.status == 202 => Ok(()),
            Ok(reply) if reply.status == 200 && reply.is_json() => self.take(interaction, reply),
            Ok(reply) => Err(format!("status {}, and no JSON with 200", reply.status)),
        };
        loop {
            let first = lock(&self.world).first_of(interaction);
            match (first, &taken) {
                (Some(seen), _) => return seen,
                (None, Err(why)) => return self.lose(interaction, why),
                (None, Ok(())) => {}
            }
            tokio::select! {
                _rung = bell.changed() => {}
                () = &mut deadline => {
                    let first = lock(&self.world).first_of(interaction);
                    let lost = || self.lose(interaction, "three seconds passed");
                    return first.unwrap_or_else(lost);
                }
            }
        }
    }

    fn take(&self, interaction: u64, reply: &Reply) -> Result<(), String> {
        let taken = lock(&self.world).respond(interaction, &json_of(reply));
        taken.map_err(|answer| match answer.said {
            Said::Json(body) => body.to_string(),
            Said::Text(text) => text,
            Said::Nothing => String::new(),
        })
    }

    fn lose(&self, interaction: u64, why: &str) -> Seen {
        if let Some(lost) = lock(&self.world).interactions.get_mut(&interaction) {
            lost.is_lost = true;
        }
        Seen::Failed(why.to_owned())
    }
}

impl World {
    fn sign(&self, body: String) -> Sent {
        let timestamp = self.now().as_second().to_string();
        let signature = signature(&self.key, &timestamp, &body);
        Sent {
            body,
            timestamp,
            signature,
        }
    }

    fn first_of(&self, interaction: u64) -> Option<Seen> {
        let first = self.interactions.get(&interaction)?.first.as_ref()?;
        Some(self.shown(first))
    }
}

fn signature(key: &SigningKey, timestamp: &str, body: &str) -> String {
    let message = format!("{timestamp}{body}");
    digest::hex(&key.sign(message.as_bytes()).to_bytes())
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or(json!(null))
}

async fn post(url: &str, sent: &Sent) -> Option<Reply> {
    let headers = [
        ("Content-Type", "application/json"),
        (
            "User-Agent",
            "Discord-Interactions/1.0 (+https://discord.com)",
        ),
        ("X-Signature-Ed25519", &sent.signature),
        ("X-Signature-Timestamp", &sent.timestamp),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    courier::post(url, &headers, sent.body.as_bytes()).await
}
