//! Slack's requests, as much of them as is used. A value of another kind than expected is an error that names
//! its field.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use super::way_back;
use crate::chats::json;
use crate::domain::Speaker;
use crate::domain::{Chat, Handle};

/// A slash command.
#[derive(Debug, Deserialize)]
pub(super) struct Slash {
    pub(super) command: String,
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) team_id: Option<Id>,
    #[serde(default)]
    pub(super) enterprise_id: Option<Id>,
    pub(super) user_id: Id,
    #[serde(default)]
    pub(super) user_name: Option<String>,
    pub(super) channel_id: Id,
    #[serde(default)]
    pub(super) response_url: Option<String>,
    #[serde(default)]
    pub(super) trigger_id: Option<String>,
}

/// A press of a button, or a form that was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Interaction {
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// It may be there and be null.
    #[serde(default)]
    pub(super) team: Option<Named>,
    #[serde(default)]
    pub(super) enterprise: Option<Named>,
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) channel: Option<Named>,
    #[serde(default)]
    pub(super) actions: Option<Vec<Action>>,
    #[serde(default)]
    pub(super) view: Option<View>,
    #[serde(default)]
    pub(super) response_url: Option<String>,
    #[serde(default)]
    pub(super) trigger_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: Id,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) team_id: Option<Id>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Action {
    pub(super) action_id: String,
}

/// A form.
#[derive(Debug, Deserialize)]
pub(super) struct View {
    pub(super) id: Id,
    #[serde(default)]
    pub(super) hash: Option<String>,
    #[serde(default)]
    pub(super) callback_id: Option<String>,
    #[serde(default)]
    pub(super) private_metadata: Option<String>,
    #[serde(default)]
    pub(super) state: Option<State>,
}

/// What was filled in, by block and input.
#[derive(Debug, Deserialize)]
pub(super) struct State {
    #[serde(default)]
    pub(super) values: BTreeMap<String, BTreeMap<String, Input>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Input {
    #[serde(default)]
    pub(super) value: Option<String>,
}

/// What a form of ours carries along: where its button was pressed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carried {
    pub(super) channel: String,
    #[serde(default)]
    pub(super) response: Option<String>,
}

/// One of Slack's ids. Nothing in it can be anything but an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(String);

impl Id {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let is_id = (1..=32).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("this is no id of Slack"))
    }
}

/// A request of either kind.
#[derive(Debug)]
pub(super) enum Request {
    Slash(Slash),
    Interaction(Interaction),
}

/// The fields of a form that are read.
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(body);
    fields
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
}

impl Request {
    /// Reads a form, as Slack sends it to an address, or JSON, as it comes by a socket.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        if body.trim_ascii_start().first() == Some(&b'{') {
            #[derive(Deserialize)]
            struct Kind {
                #[serde(default)]
                command: Option<String>,
            }
            let kind: Kind = json::object(body)?;
            return match kind.command {
                Some(_) => json::object(body).map(Self::Slash),
                None => json::object(body).map(Self::Interaction),
            };
        }
        if let Some(payload) = field(body, "payload") {
            return json::object(payload.as_bytes()).map(Self::Interaction);
        }
        let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        if !fields.contains_key("command") {
            return Err("it is neither a command nor a press of a button".to_owned());
        }
        let text = |name: &str| fields.get(name).filter(|text| !text.is_empty()).cloned();
        let id = |name: &str| match text(name) {
            Some(text) => Id::parse(&text)
                .map(Some)
                .ok_or_else(|| format!("{name}: this is no id of Slack")),
            None => Ok(None),
        };
        let needed = |name: &str| id(name)?.ok_or_else(|| format!("{name} is missing"));
        Ok(Self::Slash(Slash {
            command: text("command").unwrap_or_default(),
            text: text("text"),
            team_id: id("team_id")?,
            enterprise_id: id("enterprise_id")?,
            user_id: needed("user_id")?,
            user_name: text("user_name"),
            channel_id: needed("channel_id")?,
            response_url: text("response_url"),
            trigger_id: text("trigger_id"),
        }))
    }

    /// Who spoke, where the request names them.
    pub(super) fn speaker(&self) -> Option<Speaker> {
        let (tenant, user, name) = match self {
            Self::Slash(slash) => (
                slash.team_id.as_ref().or(slash.enterprise_id.as_ref())?,
                &slash.user_id,
                slash.user_name.as_ref(),
            ),
            Self::Interaction(interaction) => {
                let user = interaction.user.as_ref()?;
                let team = interaction.team.as_ref().map(|team| &team.id);
                let enterprise = interaction.enterprise.as_ref().map(|one| &one.id);
                (
                    team.or(user.team_id.as_ref()).or(enterprise)?,
                    &user.id,
                    user.username.as_ref().or(user.name.as_ref()),
                )
            }
        };
        Some(Speaker {
            chat: Chat::Slack,
            tenant: tenant.to_string(),
            user: user.to_string(),
            name: name.cloned().unwrap_or_default(),
        })
    }

    /// The workspace that the speaker's account is of: not that of the channel, where that is shared with others.
    pub(super) fn home(&self) -> Option<String> {
        match self {
            // Others cannot give the commands of a workspace.
            Self::Slash(_) => None,
            Self::Interaction(interaction) => {
                let user = interaction.user.as_ref()?;
                user.team_id.as_ref().map(ToString::to_string)
            }
        }
    }

    /// Names what was said; the same for a repetition.
    pub(super) fn id(&self) -> Option<String> {
        let id = match self {
            Self::Slash(slash) => slash.trigger_id.clone()?,
            Self::Interaction(interaction) => match &interaction.view {
                Some(view) if interaction.kind == "view_submission" => {
                    format!("{}/{}", view.id, view.hash.as_deref()?)
                }
                _ => interaction.trigger_id.clone()?,
            },
        };
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
        ((1..=120).contains(&id.len()) && id.bytes().all(is_plain)).then_some(id)
    }

    pub(super) fn handle(&self) -> Handle {
        let (response, trigger) = match self {
            Self::Slash(slash) => (&slash.response_url, &slash.trigger_id),
            Self::Interaction(interaction) => (&interaction.response_url, &interaction.trigger_id),
        };
        Handle::Slack {
            response: response.as_deref().and_then(way_back::path),
            trigger: trigger.clone(),
        }
    }
}
