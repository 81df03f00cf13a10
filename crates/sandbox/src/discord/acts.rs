//! Acts of people: they type commands, click buttons, fill in forms. Discord lets them do only what its own
//! windows offer; `click_raw` is for a window that shows an old state.

use serde_json::{Value, json};

use super::Discord;
use super::components;
use super::interactions::Kind;
use super::seen::{Form, Seen};
use super::world::{ADMINISTRATOR, USE_COMMANDS, World};
use crate::lock;

type Spelled = Result<u64, String>;

impl Discord {
    /// A user sends a command, `deploy` or `deploy start` for a subcommand, with its options.
    pub async fn slash(
        &self,
        user: u64,
        channel: u64,
        command: &str,
        options: &[(&str, Value)],
    ) -> Seen {
        self.spell(Kind::Command, (user, channel), command, options)
            .await
    }

    /// A user types a command and is at the last of these options.
    pub async fn autocomplete(
        &self,
        user: u64,
        channel: u64,
        command: &str,
        options: &[(&str, Value)],
    ) -> Seen {
        self.spell(Kind::Autocomplete, (user, channel), command, options)
            .await
    }

    async fn spell(
        &self,
        kind: Kind,
        (user, channel): (u64, u64),
        command: &str,
        options: &[(&str, Value)],
    ) -> Seen {
        let begun = {
            let mut world = lock(&self.world);
            let data = world.spelled(kind, (user, channel), command, options);
            data.map(|data| (world.begin(kind, user, channel), data))
        };
        match begun {
            Ok((id, data)) => self.tell(id, data).await,
            Err(why) => Seen::Impossible(why),
        }
    }

    /// A user clicks a button that is there.
    pub async fn click(&self, user: u64, message: u64, custom_id: &str) -> Seen {
        let is_offered = lock(&self.world).is_offered(message, custom_id);
        match is_offered {
            Ok(()) => self.click_raw(user, message, custom_id).await,
            Err(why) => Seen::Impossible(why),
        }
    }

    /// A user clicks a button that their window still shows, whether or not it is there.
    pub async fn click_raw(&self, user: u64, message: u64, custom_id: &str) -> Seen {
        let begun = lock(&self.world).begin_at(Kind::Component, user, message);
        match begun {
            Ok(id) => {
                let data = json!({
                    "component_type": components::BUTTON, "custom_id": custom_id, "id": 2,
                });
                self.tell(id, data).await
            }
            Err(why) => Seen::Impossible(why),
        }
    }

    /// A user sends the form that is open before them; what they do not name keeps its value.
    pub async fn submit_modal(&self, user: u64, form: &Form, written: &[(&str, &str)]) -> Seen {
        let rows = match filled(form, written) {
            Ok(rows) => rows,
            Err(why) => return Seen::Impossible(why),
        };
        let id = {
            let mut world = lock(&self.world);
            let id = world.begin(Kind::Form, user, form.channel);
            if let Some(begun) = world.interactions.get_mut(&id) {
                begun.message = form.message;
            }
            id
        };
        let data = json!({
            "custom_id": form.custom_id, "components": rows, "resolved": {},
        });
        self.tell(id, data).await
    }
}

impl World {
    fn may_look(&self, user: u64, channel: u64) -> Result<Option<u64>, String> {
        let channel = self
            .channels
            .get(&channel)
            .ok_or("there is no such channel")?;
        let is_in = match channel.guild {
            Some(guild) => {
                let guild = self.guilds.get(&guild);
                guild.is_some_and(|guild| guild.members.contains_key(&user))
            }
            None => channel.recipient == Some(user),
        };
        if is_in {
            Ok(channel.guild)
        } else {
            Err("they are not in this channel".to_owned())
        }
    }

    fn begin_at(&mut self, kind: Kind, user: u64, message: u64) -> Spelled {
        let known = self
            .messages
            .get(&message)
            .ok_or("there is no such message")?;
        if known.ephemeral_to.is_some_and(|only| only != user) {
            return Err("they do not see this message".to_owned());
        }
        let channel = known.channel;
        self.may_look(user, channel)?;
        let id = self.begin(kind, user, channel);
        if let Some(begun) = self.interactions.get_mut(&id) {
            begun.message = Some(message);
        }
        Ok(id)
    }

    fn is_offered(&self, message: u64, custom_id: &str) -> Result<(), String> {
        let message = self
            .messages
            .get(&message)
            .ok_or("there is no such message")?;
        let button = message.buttons().find(|one| one["custom_id"] == custom_id);
        let button = button.ok_or("there is no such button")?;
        if button["disabled"] == true {
            return Err("the button is disabled".to_owned());
        }
        Ok(())
    }

    /// The data of a command as it was typed.
    fn spelled(
        &self,
        kind: Kind,
        (user, channel): (u64, u64),
        name: &str,
        given: &[(&str, Value)],
    ) -> Result<Value, String> {
        let guild = self.may_look(user, channel)?;
        let mut words = name.split(' ');
        let first = words.next().unwrap_or_default();
        let here = guild.and_then(|guild| {
            self.commands_of(Some(guild))
                .find(|command| command.name() == first)
        });
        let everywhere = || {
            let mut all = self.commands_of(None);
            all.find(|command| command.name() == first && command.fits(guild.is_some()))
        };
        let command = here.or_else(everywhere).ok_or("there is no such command")?;
        if let Some(guild) = guild {
            let needed = command.body["default_member_permissions"].as_str();
            let needed: u64 = needed
                .and_then(|bits| bits.parse().ok())
                .unwrap_or(USE_COMMANDS);
            let has = self.permissions(guild, user);
            let is_admin = has & ADMINISTRATOR != 0;
            if !is_admin && (needed == 0 || has & needed != needed) {
                return Err("the command is not shown to them".to_owned());
            }
        }
        let mut at = &command.body["options"];
        let mut inner: Vec<(&str, u64)> = Vec::new();
        for word in words {
            let found = at
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| one["name"] == word);
            let found = found.ok_or("there is no such subcommand")?;
            inner.push((word, found["type"].as_u64().unwrap_or(1)));
            at = &found["options"];
        }
        let known = at.as_array().map_or(&[][..], Vec::as_slice);
        let mut options = typed(kind, known, given)?;
        let resolved = self.resolved(guild, &options);
        for (word, kind) in inner.into_iter().rev() {
            options = vec![json!({ "name": word, "type": kind, "options": options })];
        }
        let mut data = json!({
            "id": command.id.to_string(), "name": command.name(), "type": 1, "options": options,
        });
        if resolved.as_object().is_some_and(|found| !found.is_empty()) {
            data["resolved"] = resolved;
        }
        if let Some(guild) = command.guild {
            data["guild_id"] = guild.to_string().into();
        }
        Ok(data)
    }
}

impl super::commands::Command {
    /// Whether a command of everywhere is offered in guilds, or in direct messages.
    fn fits(&self, is_guild: bool) -> bool {
        let wanted = if is_guild { 0 } else { 1 };
        let contexts = self.body["contexts"].as_array();
        contexts.is_none_or(|contexts| contexts.iter().any(|one| one == wanted))
    }
}

/// The options that were typed, each as what it was registered.
fn typed(kind: Kind, known: &[Value], given: &[(&str, Value)]) -> Result<Vec<Value>, String> {
    if known
        .iter()
        .any(|one| one["type"].as_u64().is_some_and(|kind| kind < 3))
    {
        return Err("a subcommand is missing".to_owned());
    }
    let mut options = Vec::new();
    for (index, (name, value)) in given.iter().enumerate() {
        let option = known.iter().find(|one| one["name"] == *name);
        let option = option.ok_or_else(|| format!("there is no option `{name}`"))?;
        let is_typing = kind == Kind::Autocomplete && index + 1 == given.len();
        if is_typing && option["autocomplete"] != true {
            return Err(format!("`{name}` completes nothing"));
        }
        if !is_typing && !fits(option, value) {
            return Err(format!("`{name}` does not take {value}"));
        }
        let mut one = json!({ "name": name, "type": option["type"], "value": value });
        if is_typing {
            one["focused"] = true.into();
        }
        options.push(one);
    }
    let is_given = |one: &Value| given.iter().any(|(name, _)| one["name"] == *name);
    let missing = known
        .iter()
        .find(|one| one["required"] == true && !is_given(one));
    match missing {
        Some(missing) if kind == Kind::Command => {
            Err(format!("the option {} is missing", missing["name"]))
        }
        _ => Ok(options),
    }
}

fn fits(option: &Value, value: &Value) -> bool {
    let chosen = |choices: &Vec<Value>| choices.iter().any(|one| one["value"] == *value);
    let is_offered = option["choices"].as_array().is_none_or(chosen);
    let is_of_type = match option["type"].as_u64() {
        Some(3) => {
            let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
            let least = option["min_length"].as_u64().unwrap_or(0);
            let most = option["max_length"].as_u64().unwrap_or(6_000);
            value.is_string() && (least..=most).contains(&length)
        }
        Some(4) => value.is_i64(),
        Some(5) => value.is_boolean(),
        Some(10) => value.is_number(),
        _ => value.as_str().is_some_and(|id| id.parse::<u64>().is_ok()),
    };
    is_offered && is_of_type
}

/// The form as it comes back, if it may be sent.
fn filled(form: &Form, written: &[(&str, &str)]) -> Result<Vec<Value>, String> {
    let value = |id: &str| {
        let found = written.iter().find(|(name, _)| *name == id);
        let inputs = components::inputs(&form.components);
        let mut before = inputs.filter(|one| one["custom_id"] == id);
        let before = || {
            before
                .next()
                .and_then(|one| one["value"].as_str())
                .unwrap_or_default()
        };
        found.map_or_else(before, |(_, text)| text).to_owned()
    };
    for (name, _) in written {
        if !components::inputs(&form.components).any(|one| one["custom_id"] == *name) {
            return Err(format!("there is no field `{name}`"));
        }
    }
    for input in components::inputs(&form.components) {
        let id = input["custom_id"].as_str().unwrap_or_default();
        let length = value(id).chars().count() as u64;
        let least = input["min_length"].as_u64().unwrap_or(0);
        let most = input["max_length"].as_u64().unwrap_or(4_000);
        let is_needed = input["required"] != false;
        if length == 0 && is_needed {
            return Err(format!("`{id}` must be filled in"));
        }
        if length > most || (length > 0 && length < least) {
            return Err(format!("`{id}` takes {least} to {most} letters"));
        }
    }
    Ok(components::submitted(&form.components, value))
}
