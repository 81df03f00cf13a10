//! Needs: what the configuration needs of a GitHub App: its permissions and its events.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names;
use crate::cli::github_app;
use crate::config::Config;
use crate::domain::{Forge, PinKind, Trigger};

/// What an app may do, and what we need.
pub(super) type Rights = BTreeMap<&'static str, &'static str>;

/// What the configuration needs of an app.
pub(super) fn needed(config: &Config) -> Rights {
    let mut needed = Rights::from(github_app::LEAST);
    let people = names::people(config, Forge::GitHub);
    if people.iter().any(|(kind, _)| *kind == PinKind::Team) {
        needed.insert("members", "read");
    }
    for trigger in triggers(config) {
        if let Some(what) = trigger.kind().writes() {
            needed.insert(what, "write");
        }
    }
    needed
}

/// What we must be told.
pub(super) fn events(config: &Config) -> BTreeSet<String> {
    let waits = |trigger: &Trigger| trigger.kind().waits_at().is_some();
    let rule = triggers(config).any(waits).then_some(github_app::ASKED);
    let heard = github_app::HEARD.into_iter().chain(rule);
    heard.map(str::to_owned).collect()
}

fn triggers(config: &Config) -> impl Iterator<Item = &Trigger> {
    let services = config.catalog.services.iter();
    let environments = services.flat_map(|service| &service.environments);
    environments.map(|environment| &environment.trigger)
}

/// What is needed and was not given, in the words of GitHub's pages.
pub(super) fn lacking(given: &BTreeMap<String, String>, needed: &Rights) -> Vec<String> {
    let suffices = |name: &str, access: &str| {
        let given = given.get(name).map(String::as_str);
        given == Some(access) || given == Some("write") || given == Some("admin")
    };
    let lacking = needed
        .iter()
        .filter(|(name, access)| !suffices(name, access));
    lacking
        .map(|(name, access)| format!("{name}: {access}"))
        .collect()
}
