//! Memories of a GitHub, written down so that another one can go on from there: all accounts, the repositories
//! with everything in them, the commits, and the last number that was given out. What was called and told,
//! tokens and webhooks are of one life only.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::app::App;
use super::commits::Commit;
use super::people::{Account, Team};
use super::repositories::Repository;
use super::{GitHub, lock};

#[derive(Deserialize)]
struct Memory {
    last_id: u64,
    accounts: BTreeMap<u64, Account>,
    teams: BTreeMap<u64, Team>,
    apps: BTreeMap<String, App>,
    repositories: BTreeMap<u64, Repository>,
    commits: BTreeMap<String, Commit>,
}

impl GitHub {
    /// Everything that is there.
    pub fn memory(&self) -> Value {
        let world = lock(&self.world);
        json!({
            "last_id": world.last_id,
            "accounts": world.accounts,
            "teams": world.teams,
            "apps": world.apps,
            "repositories": world.repositories,
            "commits": world.commits,
        })
    }

    /// Goes on from what another one wrote down, and sends no webhook; what was here is forgotten.
    pub fn remember(&self, memory: Value) -> Result<(), serde_json::Error> {
        let memory: Memory = serde_json::from_value(memory)?;
        let mut world = lock(&self.world);
        world.last_id = memory.last_id;
        world.accounts = memory.accounts;
        world.teams = memory.teams;
        world.apps = memory.apps;
        world.repositories = memory.repositories;
        world.commits = memory.commits;
        world.find_runs();
        Ok(())
    }
}
