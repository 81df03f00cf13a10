//! Acts of people: they type commands, click buttons, fill in forms. Slack lets them do only what its own
//! windows offer; `click_raw` is for a window that shows an old state.

use serde_json::{Value, json};

use super::Slack;
use super::blocks::elements_of;
use super::chat::Message;
use super::delivery::Told;
use super::views::View;
use super::world::World;
use crate::desk::Said;
use crate::lock;

/// What a person sees after having done something.
#[derive(Clone, Debug)]
pub enum Seen {
    Message(Box<Message>),
    /// It was taken, and nothing changed yet.
    Nothing,
    /// Another view stands in place of the one that was sent.
    View(View),
    /// The view is still open, with these complaints by block.
    Errors(Value),
    Closed,
    /// The app did not answer, or not as it should: the words that Slack shows.
    Failed(String),
    /// Slack does not let them do that at all; the app heard nothing.
    Impossible(String),
}

impl Seen {
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Nothing
            | Self::View(_)
            | Self::Errors(_)
            | Self::Closed
            | Self::Failed(_)
            | Self::Impossible(_) => None,
        }
    }

    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub fn is_impossible(&self) -> bool {
        matches!(self, Self::Impossible(_))
    }
}

impl Slack {
    /// A user sends a command such as `/deploy` with a text.
    pub async fn slash(&self, user: &str, channel: &str, command: &str, text: &str) -> Seen {
        let fields = {
            let mut world = lock(&self.world);
            if !world.is_member(user, channel) {
                return Seen::Impossible("they are not in this channel".to_owned());
            }
            world.command_fields(user, channel, (command, text))
        };
        let url = fields.iter().find(|(name, _)| name == "response_url");
        let url = url.map(|(_, url)| url.clone()).unwrap_or_default();
        let said = match self.tell(Told::Command(fields)).await {
            Err(why) => return Seen::Failed(why),
            Ok(said) => said,
        };
        let body = match said {
            Said::Nothing => return Seen::Nothing,
            Said::Json(body) => body,
            Said::Text(text) => json!({ "text": text }),
        };
        let mut world = lock(&self.world);
        let path = url.strip_prefix(&format!("http://{}", world.address));
        match world.respond(path.unwrap_or_default(), &body) {
            Ok(Some(ts)) => {
                let key = (channel.to_owned(), ts);
                let message = world.messages.get(&key).cloned();
                message.map_or(Seen::Nothing, |message| Seen::Message(Box::new(message)))
            }
            Ok(None) => Seen::Nothing,
            Err(answer) => Seen::Failed(format!("invalid_command_response: {answer:?}")),
        }
    }

    /// A user clicks an element that is there.
    pub async fn click(&self, user: &str, message: &Message, action_id: &str) -> Seen {
        let now = self.message(&message.channel, &message.ts);
        match now {
            Some(now) => self.click_raw(user, &now, action_id).await,
            None => Seen::Impossible("there is no such message".to_owned()),
        }
    }

    /// A user clicks an element of a message as their window shows it, however old that is.
    pub async fn click_raw(&self, user: &str, message: &Message, action_id: &str) -> Seen {
        let payload = {
            let mut world = lock(&self.world);
            let is_shown = message
                .ephemeral_to
                .as_deref()
                .is_none_or(|only| only == user);
            if !is_shown || !world.is_member(user, &message.channel) {
                return Seen::Impossible("they do not see this message".to_owned());
            }
            let found = message.blocks.iter().find_map(|block| {
                let elements = elements_of(block).into_iter();
                let mut named = elements.filter(|(_, one)| one["action_id"] == action_id);
                let (_, element) = named.next()?;
                Some((block["block_id"].as_str().unwrap_or_default(), element))
            });
            let Some(found) = found else {
                return Seen::Impossible("there is no such element".to_owned());
            };
            world.click_payload(user, message, found)
        };
        // What the answer says is not looked at; the app changes things by calls.
        match self.tell(Told::Interaction(payload)).await {
            Ok(_) => Seen::Nothing,
            Err(why) => Seen::Failed(why),
        }
    }

    /// A user fills in a view, by block, and sends it.
    pub async fn submit_view(&self, user: &str, view: &View, written: &[(&str, &str)]) -> Seen {
        let (view, payload) = {
            let mut world = lock(&self.world);
            let known = world.views.get(&view.id).filter(|view| view.user == user);
            let Some(view) = known.cloned() else {
                return Seen::Impossible("this view is not open before them".to_owned());
            };
            let state = match filled(&view, written) {
                Ok(state) => state,
                Err(why) => return Seen::Impossible(why),
            };
            let payload = world.view_payload("view_submission", user, (&view, &state));
            (view, payload)
        };
        match self.tell(Told::Interaction(payload)).await {
            Err(why) => Seen::Failed(why),
            Ok(Said::Nothing) => self.close(&view),
            Ok(Said::Text(text)) => Seen::Failed(format!("not JSON: {text}")),
            Ok(Said::Json(body)) => self.answer_view(&view, &body),
        }
    }

    /// A user closes a view; the app hears of it if it asked to.
    pub async fn close_view(&self, user: &str, view: &View) -> Seen {
        let payload = {
            let mut world = lock(&self.world);
            if world.views.remove(&view.id).is_none() {
                return Seen::Impossible("this view is not open".to_owned());
            }
            if view.body["notify_on_close"] != true {
                return Seen::Closed;
            }
            world.view_payload("view_closed", user, (view, &json!({})))
        };
        match self.tell(Told::Interaction(payload)).await {
            Ok(_) => Seen::Closed,
            Err(why) => Seen::Failed(why),
        }
    }

    fn close(&self, view: &View) -> Seen {
        lock(&self.world).views.remove(&view.id);
        Seen::Closed
    }

    fn answer_view(&self, view: &View, body: &Value) -> Seen {
        match body["response_action"].as_str() {
            Some("errors") => {
                let errors = body["errors"].as_object();
                let is_block = |id: &String| view.blocks().any(|one| one["block_id"] == **id);
                match errors {
                    Some(errors) if !errors.is_empty() && errors.keys().all(is_block) => {
                        Seen::Errors(body["errors"].clone())
                    }
                    _ => Seen::Failed("errors name no block of the view".to_owned()),
                }
            }
            Some("update" | "push") => match lock(&self.world).replace_view(view, &body["view"]) {
                Ok(view) => Seen::View(view),
                Err(answer) => Seen::Failed(format!("{answer:?}")),
            },
            Some("clear") => {
                lock(&self.world)
                    .views
                    .retain(|_, one| one.user != view.user);
                Seen::Closed
            }
            _ if body.as_object().is_some_and(serde_json::Map::is_empty) => self.close(view),
            _ => Seen::Failed("no response_action that Slack knows".to_owned()),
        }
    }
}

impl World {
    fn is_member(&self, user: &str, channel: &str) -> bool {
        let channel = self.channels.get(channel);
        channel.is_some_and(|channel| channel.members.contains(user))
    }
}

/// The values of a view as it is sent, if it may be.
fn filled(view: &View, written: &[(&str, &str)]) -> Result<Value, String> {
    let mut state = json!({});
    for (block, _) in written {
        let is_input = |one: &Value| one["block_id"] == *block && one["type"] == "input";
        if !view.blocks().any(is_input) {
            return Err(format!("there is no input `{block}`"));
        }
    }
    for block in view.blocks().filter(|block| block["type"] == "input") {
        let id = block["block_id"].as_str().unwrap_or_default();
        let element = &block["element"];
        let given = written
            .iter()
            .find(|(name, _)| *name == id)
            .map(|(_, text)| *text);
        let text = given
            .or_else(|| element["initial_value"].as_str())
            .unwrap_or_default();
        let length = text.chars().count() as u64;
        if length == 0 && block["optional"] != true {
            return Err(format!("`{id}` must be filled in"));
        }
        let least = element["min_length"].as_u64().unwrap_or(0);
        let most = element["max_length"].as_u64().unwrap_or(3_000);
        if length > most || (length > 0 && length < least) {
            return Err(format!("`{id}` takes {least} to {most} letters"));
        }
        let value = if text.is_empty() {
            Value::Null
        } else {
            text.into()
        };
        let action = element["action_id"].as_str().unwrap_or_default();
        state[id][action] = match element["type"].as_str() {
            Some(kind @ ("static_select" | "radio_buttons")) => {
                let options = element["options"].as_array();
                let chosen = options
                    .into_iter()
                    .flatten()
                    .find(|one| one["value"] == value);
                json!({ "type": kind, "selected_option": chosen })
            }
            kind => json!({ "type": kind, "value": value }),
        };
    }
    Ok(state)
}
