//! The file as it is written: every key optional, every value with its place. The shape (which keys exist, their types,
//! which must be there) is the JSON Schema of these structs; meaning is checked later, in `valid`. A key that must be
//! there may still be absent here, when it was refused for its shape; code that finds it absent stays silent, since
//! that was reported.

mod connections;
mod services;
mod text_or;

pub(crate) use connections::{
    CommandScope, Database, Discord, Export, ExportFormat, GitHub, GitLab, Ledger, Secret, Server,
    Slack, Witness,
};
pub(crate) use services::{
    Allowed, Environment, Excluded, Gate, GitHubTriggerKind, GitLabTriggerKind, Happening, Level,
    Role, Service, Stage, Subscription, Trigger,
};
pub(crate) use text_or::{OneOrMany, TextOr};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::at::At;

/// The configuration of Countersign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bot.toml")]
pub(crate) struct File {
    /// Where Countersign listens, and its limits.
    pub(crate) server: Option<Server>,
    /// Where everything is stored.
    pub(crate) database: Option<Database>,
    /// The audit log.
    pub(crate) ledger: Option<Ledger>,
    /// The connection to GitHub.
    pub(crate) github: Option<At<GitHub>>,
    /// The connection to GitLab.
    pub(crate) gitlab: Option<At<GitLab>>,
    /// The connection to Discord.
    pub(crate) discord: Option<At<Discord>>,
    /// The connection to Slack.
    pub(crate) slack: Option<At<Slack>>,
    /// Groups of people who may approve, by the name that `approvals` uses.
    pub(crate) roles: Option<BTreeMap<At<String>, At<Role>>>,
    /// What is deployed.
    #[schemars(required, length(min = 1))]
    #[schemars(extend("x-missing" = "describe what is deployed in a `[[service]]`; bot.toml.example shows a whole one"))]
    pub(crate) service: Option<Vec<At<Service>>>,
}
