//! Repositories: their numbers, which stay, and their names, which may change; and whatever belongs
//! to one of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::{Run, Workflow};
use super::call::{Answer, Call, Outcome};
use super::comments::{Comment, Reaction};
use super::deployments::Deployment;
use super::people::{Kind, merge};
use super::pulls::PullRequest;
use super::pushes::Move;
use super::reports::{CheckRun, Status};
use super::settings::Environment;
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) full_name: String,
    pub(super) is_private: bool,
    pub(super) default_branch: String,
    /// Repositories of one network share their commits; a fork has its parent's.
    pub(super) network: u64,
    pub(super) made_at: Timestamp,
    pub(super) pushed_at: Timestamp,
    /// By account.
    pub(super) roles: BTreeMap<u64, String>,
    /// By name, the commit.
    pub(super) branches: BTreeMap<String, String>,
    /// The same.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// How branches were moved, the oldest first.
    #[serde(default)]
    pub(super) moves: Vec<Move>,
    pub(super) pulls: BTreeMap<u64, PullRequest>,
    pub(super) comments: BTreeMap<u64, Comment>,
    /// By comment.
    pub(super) reactions: BTreeMap<u64, Vec<Reaction>>,
    pub(super) statuses: Vec<Status>,
    pub(super) checks: Vec<CheckRun>,
    pub(super) workflows: Vec<Workflow>,
    pub(super) runs: BTreeMap<u64, Run>,
    pub(super) deployments: BTreeMap<u64, Deployment>,
    pub(super) environments: BTreeMap<String, Environment>,
}

impl Repository {
    pub(super) fn owner(&self) -> &str {
        self.full_name.split('/').next().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.full_name.split('/').nth(1).unwrap_or_default()
    }
}

impl GitHub {
    /// A public repository with one commit on `main`; an owner who is not known is made up.
    pub fn add_repository(&self, id: u64, full_name: &str) {
        lock(&self.world).add_repository(id, full_name);
    }

    /// A fork shares its parent's commits.
    pub fn add_fork(&self, id: u64, full_name: &str, parent: &str) {
        let mut world = lock(&self.world);
        let parent = world.id_of(parent);
        let Some(source) = world.repositories.get(&parent) else {
            return;
        };
        let (network, branches) = (source.network, source.branches.clone());
        world.add_repository(id, full_name);
        if let Some(fork) = world.repositories.get_mut(&id) {
            fork.network = network;
            fork.branches = branches;
        }
    }

    pub fn set_private(&self, repository: &str, private: bool) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        if let Some(repository) = world.repositories.get_mut(&id) {
            repository.is_private = private;
        }
    }

    pub fn delete_repository(&self, repository: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        world.repositories.remove(&id);
    }
}

impl World {
    pub(super) fn add_repository(&mut self, id: u64, full_name: &str) {
        let now = self.now();
        let repository = Repository {
            id,
            full_name: full_name.to_owned(),
            is_private: false,
            default_branch: "main".to_owned(),
            network: id,
            made_at: now,
            pushed_at: now,
            roles: BTreeMap::new(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
            moves: Vec::new(),
            pulls: BTreeMap::new(),
            comments: BTreeMap::new(),
            reactions: BTreeMap::new(),
            statuses: Vec::new(),
            checks: Vec::new(),
            workflows: Vec::new(),
            runs: BTreeMap::new(),
            deployments: BTreeMap::new(),
            environments: BTreeMap::new(),
        };
        self.former_names.remove(&full_name.to_ascii_lowercase());
        if self.account_named(repository.owner()).is_none() {
            let owner = self.next_id();
            self.add_account(owner, repository.owner(), Kind::Organization);
        }
        self.repositories.insert(id, repository);
        self.plant_root(id);
    }

    pub(super) fn rename(&mut self, id: u64, full_name: &str) -> Option<String> {
        let repository = self.repositories.get_mut(&id)?;
        let former = std::mem::replace(&mut repository.full_name, full_name.to_owned());
        self.former_names.insert(former.to_ascii_lowercase(), id);
        self.former_names.remove(&full_name.to_ascii_lowercase());
        Some(former)
    }

    pub(super) fn owner_json(&self, repository: &Repository) -> Value {
        self.account_named(repository.owner())
            .map_or(Value::Null, |owner| self.user_json(owner.id))
    }

    /// The short form, which other answers carry.
    pub(super) fn minimal_json(&self, repository: &Repository) -> Value {
        const LINKS: [(&str, &str); 36] = [
            ("archive_url", "/{archive_format}{/ref}"),
            ("assignees_url", "/assignees{/user}"),
            ("blobs_url", "/git/blobs{/sha}"),
            ("branches_url", "/branches{/branch}"),
            ("collaborators_url", "/collaborators{/collaborator}"),
            ("comments_url", "/comments{/number}"),
            ("commits_url", "/commits{/sha}"),
            ("compare_url", "/compare/{base}...{head}"),
            ("contents_url", "/contents/{+path}"),
            ("contributors_url", "/contributors"),
            ("deployments_url", "/deployments"),
            ("downloads_url", "/downloads"),
            ("events_url", "/events"),
            ("forks_url", "/forks"),
            ("git_commits_url", "/git/commits{/sha}"),
            ("git_refs_url", "/git/refs{/sha}"),
            ("git_tags_url", "/git/tags{/sha}"),
            ("hooks_url", "/hooks"),
            ("issue_comment_url", "/issues/comments{/number}"),
            ("issue_events_url", "/issues/events{/number}"),
            ("issues_url", "/issues{/number}"),
            ("keys_url", "/keys{/key_id}"),
            ("labels_url", "/labels{/name}"),
            ("languages_url", "/languages"),
            ("merges_url", "/merges"),
            ("milestones_url", "/milestones{/number}"),
            (
                "notifications_url",
                "/notifications{?since,all,participating}",
            ),
            ("pulls_url", "/pulls{/number}"),
            ("releases_url", "/releases{/id}"),
            ("stargazers_url", "/stargazers"),
            ("statuses_url", "/statuses/{sha}"),
            ("subscribers_url", "/subscribers"),
            ("subscription_url", "/subscription"),
            ("tags_url", "/tags"),
            ("teams_url", "/teams"),
            ("trees_url", "/git/trees{/sha}"),
        ];
        let api = self.api_url(repository);
        let mut json = json!({
            "id": repository.id,
            "node_id": node("R", repository.id),
            "name": repository.name(),
            "full_name": repository.full_name,
            "private": repository.is_private,
            "owner": self.owner_json(repository),
            "html_url": format!("https://github.com/{}", repository.full_name),
            "description": null,
            "fork": repository.network != repository.id,
            "url": api,
        });
        for (name, path) in LINKS {
            json[name] = format!("{api}{path}").into();
        }
        json
    }

    pub(super) fn api_url(&self, repository: &Repository) -> String {
        format!("{}/repos/{}", self.url, repository.full_name)
    }

    /// The form that pull requests and webhooks carry.
    pub(super) fn repository_json(&self, repository: &Repository) -> Value {
        let mut json = self.minimal_json(repository);
        let name = &repository.full_name;
        let open = repository
            .pulls
            .values()
            .filter(|pull| pull.is_open())
            .count();
        let more = json!({
            "created_at": stamp(repository.made_at),
            "updated_at": stamp(repository.pushed_at),
            "pushed_at": stamp(repository.pushed_at),
            "git_url": format!("git://github.com/{name}.git"),
            "ssh_url": format!("git@github.com:{name}.git"),
            "clone_url": format!("https://github.com/{name}.git"),
            "svn_url": format!("https://github.com/{name}"),
            "homepage": null, "size": 1, "stargazers_count": 0, "watchers_count": 0,
            "language": null, "has_issues": true, "has_projects": true, "has_downloads": true,
            "has_wiki": true, "has_pages": false, "has_discussions": false, "forks_count": 0,
            "mirror_url": null, "archived": false, "disabled": false, "open_issues_count": open,
            "license": null, "allow_forking": true, "is_template": false,
            "web_commit_signoff_required": false, "topics": [],
            "visibility": if repository.is_private { "private" } else { "public" },
            "forks": 0, "open_issues": open, "watchers": 0,
            "default_branch": repository.default_branch,
        });
        merge(&mut json, more);
        json
    }

    /// `GET /repos/{owner}/{repo}`
    pub(super) fn get_repository(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("metadata"))?;
        let mut json = self.repository_json(repository);
        merge(
            &mut json,
            json!({ "network_count": 0, "subscribers_count": 0 }),
        );
        Answer::ok(json)
    }
}
