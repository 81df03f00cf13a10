//! Pull requests come to be, change and end here, and webhooks tell of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::NewCommit;
use super::commits::WEB_FLOW;
use super::people::merge;
use super::pulls::{Merged, PullRequest};
use super::pushes::Moved;
use super::repositories::Repository;
use super::world::World;
use crate::history;

/// How a pull request is merged.
#[derive(Clone, Copy)]
pub(super) enum Join {
    Merge,
    Squash,
}

impl World {
    /// A pull request, `head` being `branch` or `owner:branch` of a fork.
    pub(super) fn open(
        &mut self,
        repository: u64,
        number: u64,
        by: u64,
        (head, base): (&str, &str),
    ) {
        let (id, now) = (self.next_id(), self.now());
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let (source, branch) = match head.split_once(':') {
            Some((owner, branch)) => {
                let mut forks = self.repositories.values();
                let fork = forks.find(|one| one.network == found.network && one.owner() == owner);
                (fork.unwrap_or(found), branch)
            }
            None => (found, head),
        };
        let sha = |repository: &Repository, branch: &str| repository.branches.get(branch).cloned();
        let pull = PullRequest {
            id,
            number,
            title: format!("Merge {branch}"),
            author: by,
            base: base.to_owned(),
            base_sha: sha(found, base).unwrap_or_default(),
            head_repository: source.id,
            head: branch.to_owned(),
            head_sha: sha(source, branch).unwrap_or_default(),
            is_draft: false,
            opened_at: now,
            closed_at: None,
            merged: None,
        };
        if let Some(found) = self.repositories.get_mut(&repository) {
            found.pulls.insert(number, pull);
        }
    }

    pub(super) fn pull_event(
        &mut self,
        (repository, number): (u64, u64),
        action: &str,
        by: u64,
        more: Value,
    ) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let Some(pull) = found.pulls.get(&number) else {
            return;
        };
        let mut payload = json!({
            "action": action,
            "number": number,
            "pull_request": self.whole_pull_json(found, pull),
        });
        merge(&mut payload, more);
        self.tell("pull_request", repository, by, payload);
    }

    pub(super) fn change_pull(
        &mut self,
        (repository, number): (&str, u64),
        by: &str,
        action: &str,
        change: impl FnOnce(&mut PullRequest),
    ) {
        let (repository, by) = (self.id_of(repository), self.person(by));
        let found = self.repositories.get_mut(&repository);
        if let Some(pull) = found.and_then(|found| found.pulls.get_mut(&number)) {
            change(pull);
        }
        self.pull_event((repository, number), action, by, json!({}));
    }

    /// Merges as GitHub's button does, which commits in its own name.
    pub(super) fn merge_pull(
        &mut self,
        repository: u64,
        number: u64,
        by: u64,
        how: Join,
    ) -> Option<String> {
        let now = self.now();
        let pull = self
            .repositories
            .get(&repository)?
            .pulls
            .get(&number)?
            .clone();
        let login = |id: &u64| self.accounts.get(id).map(|account| account.login.clone());
        let (merger, author) = (login(&by), login(&pull.author));
        let before = self.branch_head(repository, &pull.base);
        let committer = Some(WEB_FLOW.to_owned());
        let new = match how {
            Join::Merge => NewCommit {
                message: format!("Merge pull request #{number} from {}", pull.head),
                author: merger,
                committer,
                files: Vec::new(),
                merges: vec![pull.head_sha.clone()],
            },
            Join::Squash => NewCommit {
                message: format!("{} (#{number})", pull.title),
                author,
                committer,
                files: history::files_between(&self.commits, &pull.base_sha, &pull.head_sha),
                merges: Vec::new(),
            },
        };
        let sha = self.commit(repository, &pull.base, new);
        let base: BTreeSet<String> = before
            .iter()
            .flat_map(|sha| history::ancestors(&self.commits, sha))
            .map(str::to_owned)
            .collect();
        let brought = history::ancestors(&self.commits, &sha)
            .into_iter()
            .filter(|sha| !base.contains(*sha));
        let brought: Vec<String> = brought.map(str::to_owned).collect();
        let found = self.repositories.get_mut(&repository)?;
        let merged = found.pulls.get_mut(&number)?;
        merged.closed_at = Some(now);
        merged.merged = Some(Merged {
            sha: sha.clone(),
            by,
        });
        self.pull_event((repository, number), "closed", by, json!({}));
        let moved = Moved {
            branch: &pull.base,
            before: before.as_deref(),
            commits: &brought,
            by: Some(by),
            is_merge: true,
        };
        self.pushed(repository, &moved);
        Some(sha)
    }
}
