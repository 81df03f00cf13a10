//! Names: what a configuration names on a forge, so that each is looked up once.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::domain::{Forge, PinKind, Role, Service};

/// The services of a forge, by the path of their repository.
pub(super) fn services(config: &Config, forge: Forge) -> BTreeMap<String, Vec<&Service>> {
    let mut found: BTreeMap<String, Vec<&Service>> = BTreeMap::new();
    let services = config.catalog.services.iter();
    for service in services.filter(|service| service.repo.forge() == forge) {
        found
            .entry(service.repo.path().to_owned())
            .or_default()
            .push(service);
    }
    found
}

/// The people and the groups that roles name on a forge.
pub(super) fn people(config: &Config, forge: Forge) -> BTreeSet<(PinKind, String)> {
    let named = |role: &Role| {
        let users = role.users(forge).iter().map(ToString::to_string);
        let crowds = role.crowds(forge);
        let crowds: Vec<String> = crowds.iter().map(ToString::to_string).collect();
        users
            .map(|name| (PinKind::User, name))
            .chain(crowds.into_iter().map(|name| (PinKind::Team, name)))
            .collect::<Vec<_>>()
    };
    config.catalog.roles.values().flat_map(named).collect()
}
