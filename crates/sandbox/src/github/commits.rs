//! Commits and branches: ancestry, comparison, and the many ways to name a commit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::people::{Account, merge};
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use super::{GitHub, NewCommit, lock};
use crate::history::{self, Recorded};
use countersign_ground::digest;

/// The account in whose name GitHub commits by itself.
pub(super) const WEB_FLOW: &str = "web-flow";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
    network: u64,
    /// Later commits have higher numbers, and parents lower ones.
    serial: u64,
    pub(super) parents: Vec<String>,
    pub(super) message: String,
    pub(super) author: Option<u64>,
    pub(super) committer: Option<u64>,
    /// As git has them, where they are not the accounts' own.
    #[serde(default)]
    addresses: (Option<String>, Option<String>),
    pub(super) at: Timestamp,
    pub(super) files: Vec<String>,
}

impl Recorded for Commit {
    fn sha(&self) -> &str {
        &self.sha
    }

    fn parents(&self) -> &[String] {
        &self.parents
    }

    fn files(&self) -> &[String] {
        &self.files
    }

    fn serial(&self) -> u64 {
        self.serial
    }

    fn network(&self) -> u64 {
        self.network
    }
}

impl GitHub {
    /// Puts a commit on a branch and sends no webhook; a new branch begins at the default one.
    pub fn add_commit(&self, repository: &str, branch: &str, new: NewCommit) -> String {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        world.commit(id, branch, new)
    }

    /// Points a branch somewhere and sends no webhook.
    pub fn set_branch(&self, repository: &str, branch: &str, sha: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        world.point(id, branch, sha);
    }

    /// The first commit below another.
    pub fn parent(&self, sha: &str) -> Option<String> {
        let world = lock(&self.world);
        world.commits.get(sha)?.parents.first().cloned()
    }

    /// The commit that a branch points at.
    pub fn head(&self, repository: &str, branch: &str) -> Option<String> {
        let world = lock(&self.world);
        let repository = world.repository_named(repository)?;
        repository.branches.get(branch).cloned()
    }
}

impl World {
    pub(super) fn plant_root(&mut self, repository: u64) {
        let new = NewCommit {
            message: "Initial commit".to_owned(),
            files: vec!["README.md".to_owned()],
            ..NewCommit::default()
        };
        let sha = self.store(repository, Vec::new(), &new);
        self.point(repository, "main", &sha);
    }

    fn store(&mut self, repository: u64, parents: Vec<String>, new: &NewCommit) -> String {
        let serial = self.next_id();
        let network = self
            .repositories
            .get(&repository)
            .map_or(repository, |found| found.network);
        let seed = format!("{network} {serial} {parents:?} {}", new.message);
        let sha = digest::sha256_hex(seed.as_bytes())[..40].to_owned();
        let person = |text: &Option<String>| {
            let account = text.as_deref().and_then(|text| self.account_of(text));
            account.map(|account| account.id)
        };
        let address = |text: &Option<String>| text.clone().filter(|text| text.contains('@'));
        let commit = Commit {
            sha: sha.clone(),
            network,
            serial,
            parents,
            message: new.message.clone(),
            author: person(&new.author),
            committer: person(&new.committer),
            addresses: (address(&new.author), address(&new.committer)),
            at: self.now(),
            files: new.files.clone(),
        };
        self.commits.insert(sha.clone(), commit);
        sha
    }

    pub(super) fn commit(&mut self, repository: u64, branch: &str, mut new: NewCommit) -> String {
        let base = self.repositories.get(&repository).and_then(|found| {
            let default = || found.branches.get(&found.default_branch);
            found.branches.get(branch).or_else(default).cloned()
        });
        let merges = std::mem::take(&mut new.merges);
        let parents = base.into_iter().chain(merges).collect();
        let sha = self.store(repository, parents, &new);
        self.point(repository, branch, &sha);
        sha
    }

    /// A commit beside a branch, on top of the parents named only.
    pub(super) fn commit_on(
        &mut self,
        repository: u64,
        parents: Vec<String>,
        new: &NewCommit,
    ) -> String {
        self.store(repository, parents, new)
    }

    pub(super) fn point(&mut self, repository: u64, branch: &str, sha: &str) {
        let now = self.now();
        if let Some(repository) = self.repositories.get_mut(&repository) {
            repository.pushed_at = now;
            repository
                .branches
                .insert(branch.to_owned(), sha.to_owned());
        }
    }

    /// What a text means in this repository: a tag, a branch, a whole SHA, or the beginning of one. GitHub does not say
    /// which of a tag and a branch of one name it takes; git takes the tag.
    pub(super) fn resolve(&self, repository: &Repository, text: &str) -> Option<&Commit> {
        if let Some(sha) = history::named(&repository.tags, &repository.branches, text) {
            return self.commits.get(sha);
        }
        history::abbreviated(&self.commits, repository.network, text)
    }

    /// A ref in a comparison, which may name another owner of the same network.
    fn resolve_across(&self, repository: &Repository, text: &str) -> Option<&Commit> {
        let Some((owner, name)) = text.split_once(':') else {
            return self.resolve(repository, text);
        };
        let fork = self.repositories.values().find(|other| {
            other.network == repository.network && other.owner().eq_ignore_ascii_case(owner)
        })?;
        self.resolve(fork, name)
    }

    /// The account that a name or an address belongs to.
    fn account_of(&self, text: &str) -> Option<&Account> {
        let Some((local, host)) = text.split_once('@') else {
            return self.account_named(text);
        };
        match (host, local.split_once('+')) {
            ("github.com", _) if local == "noreply" => self.account_named(WEB_FLOW),
            ("users.noreply.github.com", Some((id, _))) => self.accounts.get(&id.parse().ok()?),
            ("users.noreply.github.com" | "example.com", None) => self.account_named(local),
            _ => None,
        }
    }

    fn signature(
        &self,
        (account, address): (Option<u64>, &Option<String>),
        at: Timestamp,
    ) -> Value {
        let mut signature = self.signatory(account);
        if let Some(address) = address {
            signature["name"] = address.split('@').next().into();
            signature["email"] = address.as_str().into();
        }
        signature["date"] = stamp(at).into();
        signature
    }

    /// Name and address, as pushes and runs tell them.
    pub(super) fn signatory(&self, account: Option<u64>) -> Value {
        let known = account.and_then(|id| self.accounts.get(&id));
        let name = known.map_or("somebody", |account| account.login.as_str());
        match name {
            WEB_FLOW => json!({ "name": "GitHub", "email": "noreply@github.com" }),
            name => json!({ "name": name, "email": format!("{name}@example.com") }),
        }
    }

    pub(super) fn tree_of(sha: &str) -> String {
        digest::sha256_hex(sha.as_bytes())[..40].to_owned()
    }

    pub(super) fn commit_json(&self, repository: &Repository, commit: &Commit) -> Value {
        let api = self.api_url(repository);
        let html = format!("https://github.com/{}", repository.full_name);
        let (sha, tree) = (&commit.sha, Self::tree_of(&commit.sha));
        let url = format!("{api}/commits/{sha}");
        let person = |id: Option<u64>| id.map_or(Value::Null, |id| self.user_json(id));
        let parents = commit.parents.iter().map(|parent| {
            json!({
                "sha": parent,
                "url": format!("{api}/commits/{parent}"),
                "html_url": format!("{html}/commit/{parent}"),
            })
        });
        json!({
            "sha": sha,
            "node_id": node("C", sha),
            "commit": {
                "author": self.signature((commit.author, &commit.addresses.0), commit.at),
                "committer": self.signature((commit.committer, &commit.addresses.1), commit.at),
                "message": commit.message,
                "tree": { "sha": tree, "url": format!("{api}/git/trees/{tree}") },
                "url": format!("{api}/git/commits/{sha}"),
                "comment_count": 0,
                "verification": {
                    "verified": false, "reason": "unsigned", "signature": null, "payload": null,
                    "verified_at": null,
                },
            },
            "url": url,
            "html_url": format!("{html}/commit/{sha}"),
            "comments_url": format!("{url}/comments"),
            "author": person(commit.author),
            "committer": person(commit.committer),
            "parents": parents.collect::<Vec<_>>(),
        })
    }

    fn files_json(&self, repository: &Repository, commits: &[&Commit]) -> Vec<Value> {
        let api = self.api_url(repository);
        let html = format!("https://github.com/{}", repository.full_name);
        let mut last: BTreeMap<&str, &str> = BTreeMap::new();
        for commit in commits {
            last.extend(
                commit
                    .files
                    .iter()
                    .map(|file| (file.as_str(), commit.sha.as_str())),
            );
        }
        let file = |(name, sha): (&str, &str)| {
            json!({
                "sha": Self::tree_of(name), "filename": name, "status": "modified",
                "additions": 1, "deletions": 0, "changes": 1,
                "blob_url": format!("{html}/blob/{sha}/{name}"),
                "raw_url": format!("{html}/raw/{sha}/{name}"),
                "contents_url": format!("{api}/contents/{name}?ref={sha}"),
                "patch": "@@ -0,0 +1 @@\n+line",
            })
        };
        last.into_iter().take(300).map(file).collect()
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}`
    pub(super) fn get_commit(&self, call: &Call, owner: &str, name: &str, text: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("contents"))?;
        let commit = self.known(repository, text)?;
        let mut json = self.commit_json(repository, commit);
        let files = self.files_json(repository, &[commit]);
        let count = files.len();
        let more = json!({
            "stats": { "additions": count, "deletions": 0, "total": count },
            "files": files,
        });
        merge(&mut json, more);
        Answer::ok(json)
    }

    pub(super) fn known(&self, repository: &Repository, text: &str) -> Result<&Commit, Answer> {
        let found = self.resolve(repository, text);
        found.ok_or_else(|| Answer::invalid(&format!("No commit found for SHA: {text}")))
    }

    /// `GET /repos/{owner}/{repo}/branches/{branch}`
    pub(super) fn get_branch(&self, call: &Call, owner: &str, name: &str, branch: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("contents"))?;
        let head = repository
            .branches
            .get(branch)
            .and_then(|sha| self.commits.get(sha));
        let head = head.ok_or_else(|| Answer::message(404, "Branch not found"))?;
        let url = format!("{}/branches/{branch}", self.api_url(repository));
        Answer::ok(json!({
            "name": branch,
            "commit": self.commit_json(repository, head),
            "_links": {
                "self": url,
                "html": format!("https://github.com/{}/tree/{branch}", repository.full_name),
            },
            "protected": false,
            "protection": {
                "enabled": false,
                "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
            },
            "protection_url": format!("{url}/protection"),
        }))
    }

    /// `GET /repos/{owner}/{repo}/compare/{base}...{head}`
    pub(super) fn compare(&self, call: &Call, owner: &str, name: &str, range: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("contents"))?;
        let (base, head) = range.split_once("...").ok_or_else(Answer::not_found)?;
        let base = self
            .resolve_across(repository, base)
            .ok_or_else(Answer::not_found)?;
        let head = self
            .resolve_across(repository, head)
            .ok_or_else(Answer::not_found)?;
        let (base_sha, head_sha) = (base.sha.as_str(), head.sha.as_str());
        let Some(fork_point) = history::fork_point(&self.commits, base_sha, head_sha) else {
            let text = format!("No common ancestor between {base_sha} and {head_sha}.");
            return Err(Answer::message(404, &text));
        };
        let ahead = history::between(&self.commits, base_sha, head_sha);
        let behind = history::between(&self.commits, head_sha, base_sha).len();
        let status = match (ahead.is_empty(), behind) {
            (true, 0) => "identical",
            (true, _) => "behind",
            (false, 0) => "ahead",
            (false, _) => "diverged",
        };
        let commits = ahead
            .iter()
            .map(|commit| self.commit_json(repository, commit));
        let (shown, link) = call.page(commits.collect(), 250);
        let is_first = call.asked("page").is_none_or(|page| page == "1");
        let api = self.api_url(repository);
        let html = format!(
            "https://github.com/{}/compare/{}...{}",
            repository.full_name, base.sha, head.sha
        );
        let mut json = json!({
            "url": format!("{api}/compare/{}...{}", base.sha, head.sha),
            "html_url": html,
            "permalink_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "base_commit": self.commit_json(repository, base),
            "merge_base_commit": self.commit_json(repository, fork_point),
            "status": status,
            "ahead_by": ahead.len(),
            "behind_by": behind,
            "total_commits": ahead.len(),
            "commits": shown,
        });
        if is_first {
            json["files"] = self.files_json(repository, &ahead).into();
        }
        let mut answer = Answer::new(200, json);
        answer.headers.extend(link.map(|link| ("link", link)));
        Ok(answer)
    }
}
