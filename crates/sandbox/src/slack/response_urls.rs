//! Addresses for answers, each for what a user did: its holder may answer there, five times within thirty minutes.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::chat;
use super::world::World;
use super::{BOT, TEAM};
use crate::desk::{Answer, Asked, Outcome, Said};
use countersign_ground::clock::later;

const USES: u32 = 5;
const LIFE: Duration = Duration::from_secs(30 * 60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ResponseUrl {
    user: String,
    channel: String,
    /// What `replace_original` means: the message clicked, or the first answer.
    original: Option<String>,
    began_at: Timestamp,
    uses: u32,
}

impl World {
    /// A new address for what a user did, in answer to a message or to none.
    pub(super) fn response_url(
        &mut self,
        user: &str,
        channel: &str,
        original: Option<&str>,
    ) -> String {
        let kind = if original.is_some() {
            "actions"
        } else {
            "commands"
        };
        let path = format!(
            "/{kind}/{TEAM}/{}/{}",
            self.next_id(),
            self.secret("response")
        );
        let url = ResponseUrl {
            user: user.to_owned(),
            channel: channel.to_owned(),
            original: original.map(str::to_owned),
            began_at: self.now(),
            uses: 0,
        };
        self.response_urls.insert(path.clone(), url);
        format!("http://{}{path}", self.address)
    }

    pub(super) fn use_response_url(&mut self, asked: &Asked) -> Outcome {
        let path = asked.address();
        let now = self.now();
        let Some(url) = self.response_urls.get_mut(&path) else {
            return Err(Answer::text(404, "no_service"));
        };
        if now > later(url.began_at, LIFE) {
            return Err(Answer::text(404, "expired_url"));
        }
        if url.uses >= USES {
            return Err(Answer::text(404, "used_url"));
        }
        if asked.content_type() != "application/json" {
            return Err(Answer::text(400, "invalid_payload"));
        }
        let body: Value = serde_json::from_slice(&asked.bytes)
            .map_err(|_| Answer::text(400, "invalid_payload"))?;
        self.respond(&path, &body)?;
        if let Some(url) = self.response_urls.get_mut(&path) {
            url.uses += 1;
        }
        Ok(Answer::text(200, "ok"))
    }

    /// What an answer does; the `ts` of the message that it made or changed.
    pub(super) fn respond(&mut self, path: &str, body: &Value) -> Result<Option<String>, Answer> {
        let Some(url) = self.response_urls.get(path).cloned() else {
            return Err(Answer::text(404, "no_service"));
        };
        let original = url.original.clone().map(|ts| (url.channel.clone(), ts));
        if body["delete_original"] == true {
            if let Some(key) = original {
                self.messages.remove(&key);
            }
            return Ok(None);
        }
        let plain = |answer: Answer| match answer.said {
            Said::Json(body) => {
                let word = body["error"].as_str().unwrap_or("invalid_payload");
                Answer::text(400, word)
            }
            Said::Text(_) | Said::Nothing => answer,
        };
        let mut draft = chat::draft(body).map_err(plain)?;
        if body["replace_original"] == true
            && let Some(key) = original
            && self.messages.contains_key(&key)
        {
            self.change(&key, Some(&draft.text), Some(draft.blocks));
            return Ok(Some(key.1));
        }
        let is_for_all = body["response_type"] == "in_channel";
        draft.ephemeral_to = (!is_for_all).then(|| url.user.clone());
        let ts = self.write(&url.channel, BOT, draft);
        if let Some(url) = self.response_urls.get_mut(path)
            && url.original.is_none()
        {
            url.original = Some(ts.clone());
        }
        Ok(Some(ts))
    }
}
