//! Meaning: what is written becomes what is meant. Every function here gives back what it could make out and leaves in
//! the review what is wrong; nothing stops at the first mistake.

mod chats;
mod database;
mod environment;
mod export;
mod forges;
mod ledger;
mod role;
mod server;
mod service;
mod stage;
mod subscription;
mod trigger;
mod witness;

pub(super) use forges::pages_beside_api;

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::at::Place;
use super::raw;
use super::review::Review;
use super::settings::{Config, Discord, Slack};
use crate::domain::{Catalog, Chat, EnvironmentName, Forge, Role, RoleName, ServiceName};

/// The whole configuration; complete only if the review found nothing wrong.
pub(super) fn config(file: &raw::File, source: &str, review: &mut Review<'_>) -> Option<Config> {
    let server = server::server(file.server.as_ref(), review);
    let database = database::database(file.database.as_ref(), review);
    let ledger = ledger::ledger(file.ledger.as_ref(), &server, review);
    let github = file
        .github
        .as_ref()
        .map(|github| forges::github(github, review));
    let gitlab = file
        .gitlab
        .as_ref()
        .map(|gitlab| forges::gitlab(gitlab, review));
    let discord = file
        .discord
        .as_ref()
        .map(|discord| chats::discord(discord, review));
    let slack = file.slack.as_ref().map(|slack| chats::slack(slack, review));

    let roles = role::roles(file.roles.as_ref(), review);
    let known = Known {
        file,
        roles: &roles,
    };
    let mut secrets = Secrets::new();
    let services = service::services(&known, &mut secrets, review);
    role::warn_of_unused(file, review);
    let (github, discord, slack) = (whole(github)?, whole(discord)?, whole(slack)?);
    let gitlab = whole(gitlab)?;
    let of_github = github
        .iter()
        .map(|one| (Forge::GitHub, one.web_url.clone()));
    let of_gitlab = gitlab.iter().map(|one| (Forge::GitLab, one.url.clone()));
    let web_urls = of_github.chain(of_gitlab).collect();

    Some(Config {
        server,
        database: database?,
        ledger: ledger?,
        github,
        gitlab,
        catalog: Catalog {
            roles,
            services,
            tenants: tenants(discord.as_ref(), slack.as_ref()),
            web_urls,
            ..Catalog::default()
        },
        discord,
        slack,
        trigger_secrets: secrets,
        warnings: Vec::new(),
        source: source.as_bytes().to_vec(),
    })
}

/// The guilds and workspaces that are ours.
fn tenants(discord: Option<&Discord>, slack: Option<&Slack>) -> Vec<(Chat, String)> {
    let guilds = discord.into_iter().flat_map(|discord| &discord.guilds);
    let teams = slack.into_iter().flat_map(|slack| &slack.teams);
    let guilds = guilds.map(|id| (Chat::Discord, id.clone()));
    guilds
        .chain(teams.map(|id| (Chat::Slack, id.clone())))
        .collect()
}

/// What a service may refer to.
struct Known<'a> {
    file: &'a raw::File,
    roles: &'a BTreeMap<RoleName, Role>,
}

impl Known<'_> {
    /// The names of the roles as they are written, even where a role has a mistake.
    fn role_names(&self) -> impl Iterator<Item = (&str, &Place)> {
        let roles = self.file.roles.iter().flatten();
        roles.map(|(name, _)| (name.value.as_str(), &name.place))
    }

    /// Whether the section about this chat is there.
    fn speaks_in(&self, chat: Chat) -> bool {
        match chat {
            Chat::Discord => self.file.discord.is_some(),
            Chat::Slack => self.file.slack.is_some(),
        }
    }

    /// Whether the section about this forge is there.
    fn connects(&self, forge: Forge) -> bool {
        match forge {
            Forge::GitHub => self.file.github.is_some(),
            Forge::GitLab => self.file.gitlab.is_some(),
        }
    }
}

/// The secrets of triggers.
type Secrets = BTreeMap<(ServiceName, EnvironmentName), SecretString>;

/// A section that is absent is fine; one that is there must be whole.
#[expect(
    clippy::option_option,
    reason = "absent, broken and whole are three different things"
)]
fn whole<T>(section: Option<Option<T>>) -> Option<Option<T>> {
    match section {
        None => Some(None),
        Some(None) => None,
        Some(Some(whole)) => Some(Some(whole)),
    }
}
