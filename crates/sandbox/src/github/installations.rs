//! Installations of the app: they come, change and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::app::Installation;
use super::repositories::Repository;
use super::world::{World, node};

/// What becomes of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Created,
    Deleted,
    Suspended,
    Unsuspended,
    NewPermissionsAccepted,
}

impl World {
    pub(super) fn settle_fate(&mut self, id: u64, account: &str, fate: Fate) {
        if fate == Fate::Created {
            self.install(id, account, None);
        }
        let action = match fate {
            Fate::Created => "created",
            Fate::Deleted => "deleted",
            Fate::Suspended => "suspend",
            Fate::Unsuspended => "unsuspend",
            Fate::NewPermissionsAccepted => "new_permissions_accepted",
        };
        if let Some(installation) = self.installations.get_mut(&id) {
            match fate {
                Fate::Suspended => installation.is_suspended = true,
                Fate::Unsuspended => installation.is_suspended = false,
                Fate::Created | Fate::Deleted | Fate::NewPermissionsAccepted => {}
            }
        }
        let Some(installation) = self.installations.get(&id) else {
            return;
        };
        let covered = self
            .repositories
            .values()
            .filter(|one| installation.covers(one));
        let payload = json!({
            "action": action,
            "installation": self.installation_json(installation),
            "repositories": covered.map(Self::named).collect::<Vec<_>>(),
            "sender": self.user_json(5),
        });
        self.tell_app("installation", &payload);
        if fate == Fate::Deleted {
            self.installations.remove(&id);
            self.issued.retain(|_, issued| issued.installation != id);
        }
    }

    pub(super) fn choose(&mut self, id: u64, repository: u64, chosen: bool) {
        let covered = |installation: &Installation| {
            let covered = self
                .repositories
                .values()
                .filter(|one| installation.covers(one));
            covered.map(|one| one.id).collect::<BTreeSet<u64>>()
        };
        let Some(before) = self.installations.get(&id).map(covered) else {
            return;
        };
        if let Some(installation) = self.installations.get_mut(&id) {
            let mut after = before;
            if chosen {
                after.insert(repository);
            } else {
                after.remove(&repository);
            }
            installation.repositories = Some(after);
        }
        let (Some(installation), Some(found)) = (
            self.installations.get(&id),
            self.repositories.get(&repository),
        ) else {
            return;
        };
        let named = vec![Self::named(found)];
        let (added, removed) = if chosen {
            (named, Vec::new())
        } else {
            (Vec::new(), named)
        };
        let payload = json!({
            "action": if chosen { "added" } else { "removed" },
            "installation": self.installation_json(installation),
            "repository_selection": "selected",
            "repositories_added": added,
            "repositories_removed": removed,
            "requester": null,
            "sender": self.user_json(5),
        });
        self.tell_app("installation_repositories", &payload);
    }

    fn named(repository: &Repository) -> Value {
        json!({
            "id": repository.id,
            "node_id": node("R", repository.id),
            "name": repository.name(),
            "full_name": repository.full_name,
            "private": repository.is_private,
        })
    }
}
