//! The application's commands, everywhere and in one guild.

use serde_json::{Value, json};

use super::command_form;
use super::error::{self, Complaints};
use super::route::Call;
use super::world::{APPLICATION_ID, World};
use crate::desk::{Answer, Outcome};

/// A command that people can see.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) id: u64,
    version: u64,
    /// Everywhere if there is none.
    pub(super) guild: Option<u64>,
    /// As it was registered.
    pub(super) body: Value,
}

impl Command {
    pub(super) fn name(&self) -> &str {
        self.body["name"].as_str().unwrap_or_default()
    }

    pub(super) fn json(&self) -> Value {
        let body = &self.body;
        let or = |field: &str, otherwise: Value| {
            let given = Some(&body[field]).filter(|given| !given.is_null());
            given.cloned().unwrap_or(otherwise)
        };
        let mut json = json!({
            "id": self.id.to_string(),
            "application_id": APPLICATION_ID.to_string(),
            "version": self.version.to_string(),
            "type": or("type", json!(1)),
            "name": body["name"],
            "name_localizations": body["name_localizations"],
            "description": or("description", json!("")),
            "description_localizations": body["description_localizations"],
            "default_member_permissions": body["default_member_permissions"],
            "nsfw": or("nsfw", json!(false)),
        });
        if !body["options"].is_null() {
            json["options"] = body["options"].clone();
        }
        match self.guild {
            Some(guild) => json["guild_id"] = guild.to_string().into(),
            None => {
                json["dm_permission"] = true.into();
                json["contexts"] = body["contexts"].clone();
                json["integration_types"] = or("integration_types", json!([0]));
            }
        }
        json
    }
}

impl World {
    /// Whose commands a path is about: this application's, everywhere or in a guild that it is in.
    fn scope(&self, application: &str, guild: Option<&str>) -> Result<Option<u64>, Answer> {
        if application != APPLICATION_ID.to_string() {
            let text = "You are not authorized to perform this action on this application";
            return Err(error::error(403, 20_012, text));
        }
        let Some(guild) = guild else {
            return Ok(None);
        };
        let known = guild.parse().ok().and_then(|id| self.guilds.get(&id));
        let known = known.filter(|guild| guild.members.contains_key(&APPLICATION_ID));
        known
            .map(|guild| Some(guild.id))
            .ok_or_else(error::missing_access)
    }

    pub(super) fn commands_of(&self, guild: Option<u64>) -> impl Iterator<Item = &Command> {
        self.commands
            .values()
            .filter(move |command| command.guild == guild)
    }

    /// Everything under `/applications/{application}[/guilds/{guild}]/commands`.
    pub(super) fn serve_commands(
        &mut self,
        call: &Call,
        application: &str,
        guild: Option<&str>,
        id: Option<&str>,
    ) -> Outcome {
        let scope = self.scope(application, guild)?;
        let known = id.map(|id| self.command(scope, id)).transpose()?;
        match (call.method.as_str(), known) {
            ("GET", None) => {
                let all: Vec<Value> = self.commands_of(scope).map(Command::json).collect();
                Ok(Answer::json(200, all.into()))
            }
            ("GET", Some(id)) => Ok(Answer::json(200, self.show(id))),
            ("POST", None) => {
                let mut complaints = Complaints::default();
                command_form::examine("", &call.body, &mut complaints);
                complaints.settle()?;
                let (id, is_new) = self.register(scope, &call.body);
                let status = if is_new { 201 } else { 200 };
                Ok(Answer::json(status, self.show(id)))
            }
            ("PUT", None) => self.replace_commands(call, scope),
            ("PATCH", Some(id)) => self.patch_command(call, id),
            ("DELETE", Some(id)) => {
                self.commands.remove(&id);
                Ok(Answer::nothing())
            }
            _ => Err(error::error(405, 0, "405: Method Not Allowed")),
        }
    }

    fn command(&self, scope: Option<u64>, id: &str) -> Result<u64, Answer> {
        let known = id.parse().ok().and_then(|id| self.commands.get(&id));
        let known = known.filter(|command| command.guild == scope);
        let unknown = || error::error(404, 10_063, "Unknown application command");
        known.map(|command| command.id).ok_or_else(unknown)
    }

    fn show(&self, id: u64) -> Value {
        self.commands.get(&id).map_or(Value::Null, Command::json)
    }

    /// The same name is the same command.
    fn register(&mut self, guild: Option<u64>, body: &Value) -> (u64, bool) {
        let kind = |body: &Value| body["type"].as_u64().unwrap_or(1);
        let same = self.commands_of(guild).find(|command| {
            command.body["name"] == body["name"] && kind(&command.body) == kind(body)
        });
        let same = same.map(|command| command.id);
        let id = same.unwrap_or_else(|| self.next_id());
        let command = Command {
            id,
            version: self.next_id(),
            guild,
            body: body.clone(),
        };
        self.commands.insert(id, command);
        (id, same.is_none())
    }

    fn replace_commands(&mut self, call: &Call, guild: Option<u64>) -> Outcome {
        let mut complaints = Complaints::default();
        let commands = complaints.list("", &call.body, 110);
        let mut names = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            command_form::examine(&index.to_string(), command, &mut complaints);
            let name = (command["type"].as_u64().unwrap_or(1), &command["name"]);
            if names.contains(&name) {
                let at = format!("{index}/name");
                let text = "Application command names must be unique";
                complaints.add(&at, "APPLICATION_COMMANDS_DUPLICATE_NAME", text);
            }
            names.push(name);
        }
        complaints.settle()?;
        let kept: Vec<u64> = commands
            .iter()
            .map(|body| self.register(guild, body).0)
            .collect();
        self.commands
            .retain(|id, command| command.guild != guild || kept.contains(id));
        let all: Vec<Value> = kept.into_iter().map(|id| self.show(id)).collect();
        Ok(Answer::json(200, all.into()))
    }

    fn patch_command(&mut self, call: &Call, id: u64) -> Outcome {
        let version = self.next_id();
        let Some(command) = self.commands.get_mut(&id) else {
            return Err(error::no_such_route());
        };
        let mut body = command.body.clone();
        for (name, value) in call.body.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let mut complaints = Complaints::default();
        command_form::examine("", &body, &mut complaints);
        complaints.settle()?;
        command.body = body;
        command.version = version;
        Ok(Answer::json(200, self.show(id)))
    }
}
