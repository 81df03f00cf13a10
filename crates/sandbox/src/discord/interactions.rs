//! Interactions: people begin them, and the application answers within three seconds at first, within fifteen
//! minutes after that.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::command_form;
use super::components;
use super::error::{self, Complaints};
use super::mentions::Unsaid;
use super::message_form::{self, Draft, EPHEMERAL, LOADING};
use super::route::Call;
use super::seen::Form;
use super::world::{APPLICATION_ID, World};
use crate::desk::{Answer, Outcome};
use countersign_ground::clock::later;
use countersign_ground::digest;

/// Until the first answer.
pub(super) const FIRST: Duration = Duration::from_secs(3);
/// How long its token lives.
const LIFE: Duration = Duration::from_secs(900);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Ping = 1,
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    Form = 5,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Interaction {
    pub(super) id: u64,
    pub(super) token: String,
    pub(super) kind: Kind,
    pub(super) user: u64,
    pub(super) channel: u64,
    /// The message whose button was clicked, also when that opened the form.
    pub(super) message: Option<u64>,
    pub(super) began_at: Timestamp,
    pub(super) first: Option<First>,
    /// The application did not answer in time.
    pub(super) is_lost: bool,
}

/// The first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum First {
    Pong,
    Message(u64),
    /// A message that is announced, and not written yet.
    Deferred(u64),
    /// A change of the clicked message, now or later.
    Update(u64),
    DeferredUpdate(u64),
    Choices(Vec<Value>),
    Form(Form),
}

impl Interaction {
    pub(super) fn message_type(&self) -> u64 {
        if self.kind == Kind::Command { 20 } else { 0 }
    }

    /// The message that `@original` stands for.
    fn original(&self) -> Option<u64> {
        match &self.first {
            Some(
                First::Message(id)
                | First::Deferred(id)
                | First::Update(id)
                | First::DeferredUpdate(id),
            ) => Some(*id),
            Some(First::Pong | First::Choices(_) | First::Form(_)) | None => None,
        }
    }
}

impl World {
    pub(super) fn begin(&mut self, kind: Kind, user: u64, channel: u64) -> u64 {
        let id = self.next_id();
        let secret = digest::sha256_hex(format!("token of interaction {id}").as_bytes());
        let interaction = Interaction {
            id,
            token: format!("aW50ZXJhY3Rpb246{id}{secret}"),
            kind,
            user,
            channel,
            message: None,
            began_at: self.now(),
            first: None,
            is_lost: false,
        };
        self.interactions.insert(id, interaction);
        id
    }

    pub(super) fn interaction_metadata(&self, interaction: &Interaction) -> Value {
        let kind = interaction.kind as u64;
        let mut json = json!({
            "id": interaction.id.to_string(),
            "type": kind,
            "user": self.user_json(interaction.user),
            "authorizing_integration_owners": self.owners(interaction.channel),
        });
        if let Some(message) = interaction
            .message
            .filter(|_| interaction.kind == Kind::Component)
        {
            json["interacted_message_id"] = message.to_string().into();
        }
        if interaction.kind == Kind::Form {
            json["triggering_interaction_metadata"] = json!({
                "id": interaction.id.to_string(), "type": 2,
                "user": self.user_json(interaction.user),
                "authorizing_integration_owners": self.owners(interaction.channel),
            });
        }
        json
    }

    /// `POST /interactions/{id}/{token}/callback`.
    pub(super) fn callback(&mut self, call: &Call, id: &str, token: &str) -> Outcome {
        let known = id.parse().ok().and_then(|id| self.interactions.get(&id));
        let known = known.filter(|one| one.token == token);
        let unknown = || error::error(404, 10_062, "Unknown interaction");
        let id = known.ok_or_else(unknown)?.id;
        self.respond(id, &call.body)?;
        if call.asked("with_response") != Some("true") {
            return Ok(Answer::nothing());
        }
        let Some(interaction) = self.interactions.get(&id) else {
            return Err(unknown());
        };
        let mut shown = json!({
            "interaction": { "id": id.to_string(), "type": interaction.kind as u64 },
        });
        if let Some(message) = interaction.original().and_then(|id| self.messages.get(&id)) {
            let one = &mut shown["interaction"];
            one["response_message_id"] = message.id.to_string().into();
            one["response_message_loading"] = message.is_loading.into();
            one["response_message_ephemeral"] = message.ephemeral_to.is_some().into();
            shown["resource"] = json!({
                "type": call.body["type"], "message": self.message_json(message.id),
            });
        }
        Ok(Answer::json(200, shown))
    }

    /// The first answer to an interaction, whichever way it came.
    pub(super) fn respond(&mut self, id: u64, body: &Value) -> Result<(), Answer> {
        let now = self.now();
        let unknown = || error::error(404, 10_062, "Unknown interaction");
        let interaction = self.interactions.get(&id).ok_or_else(unknown)?;
        if interaction.is_lost || now > later(interaction.began_at, FIRST) {
            return Err(unknown());
        }
        if interaction.first.is_some() {
            let text = "Interaction has already been acknowledged.";
            return Err(error::error(400, 40_060, text));
        }
        let (kind, clicked) = (interaction.kind, interaction.message);
        let data = &body["data"];
        let first = match (body["type"].as_u64(), kind, clicked) {
            (Some(1), Kind::Ping, _) => First::Pong,
            (Some(4), Kind::Command | Kind::Component | Kind::Form, _) => {
                let draft = message_form::read_at("data", data, Draft::default(), Unsaid::Users)?;
                First::Message(self.write_answer(id, draft))
            }
            (Some(5), Kind::Command | Kind::Component | Kind::Form, _) => {
                let flags = data["flags"].as_u64().unwrap_or(0) & EPHEMERAL;
                let draft = Draft {
                    flags: flags | LOADING,
                    ..Draft::default()
                };
                First::Deferred(self.write_answer(id, draft))
            }
            (Some(6), Kind::Component | Kind::Form, Some(message)) => {
                First::DeferredUpdate(message)
            }
            (Some(7), Kind::Component | Kind::Form, Some(message)) => {
                if !data.is_null() {
                    self.edit(message, ("data", data), Unsaid::Users)?;
                }
                First::Update(message)
            }
            (Some(8), Kind::Autocomplete, _) => First::Choices(choices(data)?),
            (Some(9), Kind::Command | Kind::Component, _) => {
                let mut complaints = Complaints::default();
                components::of_form(data, &mut complaints);
                complaints.settle()?;
                First::Form(self.form(id, data))
            }
            _ => return Err(wrong_type(kind)),
        };
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.first = Some(first);
        }
        self.bell.send_modify(|rung| *rung += 1);
        Ok(())
    }

    fn form(&self, id: u64, data: &Value) -> Form {
        let interaction = self.interactions.get(&id);
        let text = |field: &str| data[field].as_str().unwrap_or_default().to_owned();
        let rows = data["components"].as_array();
        Form {
            custom_id: text("custom_id"),
            title: text("title"),
            components: components::numbered(rows.map_or(&[], Vec::as_slice)),
            channel: interaction.map_or(0, |one| one.channel),
            message: interaction.and_then(|one| one.message),
        }
    }

    /// A message that answers an interaction: of the bot, and ephemeral if its flags say so.
    fn write_answer(&mut self, interaction: u64, draft: Draft) -> u64 {
        let Some(asked) = self.interactions.get(&interaction) else {
            return 0;
        };
        let (user, channel) = (asked.user, asked.channel);
        let flags = draft.flags;
        let id = self.write(channel, APPLICATION_ID, draft);
        if let Some(message) = self.messages.get_mut(&id) {
            message.interaction = Some(interaction);
            message.is_loading = flags & LOADING != 0;
            message.ephemeral_to = (flags & EPHEMERAL != 0).then_some(user);
        }
        id
    }

    /// The interaction of a webhook's path. A token that was never answered is no webhook yet (10015);
    /// one that is too old is an invalid one (50027), with status 401.
    fn webhook(&self, application: &str, token: &str) -> Result<u64, Answer> {
        let known = self.interactions.values().find(|one| one.token == token);
        let known = known.filter(|one| {
            one.first.is_some() && !one.is_lost && application == APPLICATION_ID.to_string()
        });
        let unknown = || error::error(404, 10_015, "Unknown Webhook");
        let interaction = known.ok_or_else(unknown)?;
        if self.now() > later(interaction.began_at, LIFE) {
            return Err(error::error(401, 50_027, "Invalid Webhook Token"));
        }
        Ok(interaction.id)
    }

    /// `POST /webhooks/{application}/{token}`: after a deferral the first one is the answer itself.
    pub(super) fn follow_up(&mut self, call: &Call, application: &str, token: &str) -> Outcome {
        let id = self.webhook(application, token)?;
        let first = self.interactions.get(&id).and_then(|one| one.first.clone());
        if let Some(First::Deferred(original)) = first
            && self
                .messages
                .get(&original)
                .is_some_and(|message| message.is_loading)
        {
            self.edit(original, ("", &call.body), Unsaid::Users)?;
            return Ok(Answer::json(200, self.message_json(original)));
        }
        let draft = message_form::read(&call.body, Draft::default(), Unsaid::Users)?;
        let id = self.write_answer(id, draft);
        Ok(Answer::json(200, self.message_json(id)))
    }

    /// Everything under `/webhooks/{application}/{token}/messages/{id}`.
    pub(super) fn serve_webhook(
        &mut self,
        call: &Call,
        application: &str,
        token: &str,
        id: &str,
    ) -> Outcome {
        let interaction = self.webhook(application, token)?;
        let original = self
            .interactions
            .get(&interaction)
            .and_then(Interaction::original);
        let message = if id == "@original" {
            original
        } else {
            id.parse().ok()
        };
        let message = message.and_then(|id| self.messages.get(&id));
        let message = message
            .filter(|one| one.interaction == Some(interaction) || Some(one.id) == original)
            .ok_or_else(error::unknown_message)?
            .id;
        match call.method.as_str() {
            "GET" => Ok(Answer::json(200, self.message_json(message))),
            "PATCH" => {
                self.edit(message, ("", &call.body), Unsaid::Users)?;
                Ok(Answer::json(200, self.message_json(message)))
            }
            "DELETE" => {
                self.messages.remove(&message);
                Ok(Answer::nothing())
            }
            _ => Err(error::error(405, 0, "405: Method Not Allowed")),
        }
    }
}

fn choices(data: &Value) -> Result<Vec<Value>, Answer> {
    let mut complaints = Complaints::default();
    if data["choices"].is_null() {
        complaints.required("data/choices");
    }
    let choices = complaints.list("data/choices", &data["choices"], 25);
    for (index, choice) in choices.iter().enumerate() {
        let kind = if choice["value"].is_number() { 4 } else { 3 };
        let at = format!("data/choices/{index}");
        command_form::choice(&at, choice, kind, &mut complaints);
    }
    complaints.settle()?;
    Ok(choices.to_vec())
}

fn wrong_type(kind: Kind) -> Answer {
    let choices = match kind {
        Kind::Ping => "1",
        Kind::Command => "4, 5, 9",
        Kind::Component => "4, 5, 6, 7, 9",
        Kind::Autocomplete => "8",
        Kind::Form => "4, 5, 6, 7",
    };
    let mut complaints = Complaints::default();
    complaints.choices("type", choices);
    match complaints.settle() {
        Err(answer) => answer,
        Ok(()) => error::no_such_route(),
    }
}
