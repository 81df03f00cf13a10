//! Projects: their numbers, which stay, and their paths, which may change; and whatever belongs to one
//! of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::awards::Award;
use super::call::{Answer, Call, Outcome};
use super::deployments::Deployment;
use super::environments::{Environment, Protection};
use super::jobs::Job;
use super::merge_requests::MergeRequest;
use super::notes::Note;
use super::pipelines::Pipeline;
use super::plan::{self, JobPlan};
use super::pushes::PushEvent;
use super::world::{Need, REPORTER, World, merge, stamp};
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: u64,
    /// With its namespace: `acme/shop`.
    pub(super) path: String,
    pub(super) is_private: bool,
    pub(super) default_branch: String,
    /// Projects of one network share their commits; a fork has its parent's.
    pub(super) network: u64,
    made_at: Timestamp,
    /// By person, how much they may do.
    pub(super) members: BTreeMap<u64, u8>,
    /// By name, the commit.
    pub(super) branches: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    /// The oldest first.
    pub(super) pushes: Vec<PushEvent>,
    pub(super) merge_requests: BTreeMap<u64, MergeRequest>,
    pub(super) notes: BTreeMap<u64, Note>,
    pub(super) awards: BTreeMap<u64, Award>,
    /// What a pipeline consists of.
    pub(super) plan: Vec<JobPlan>,
    pub(super) pipelines: BTreeMap<u64, Pipeline>,
    pub(super) jobs: BTreeMap<u64, Job>,
    pub(super) environments: BTreeMap<u64, Environment>,
    pub(super) deployments: BTreeMap<u64, Deployment>,
    /// By the environment's name.
    pub(super) protections: BTreeMap<String, Protection>,
    /// Whether who began a pipeline may approve its deployments.
    pub(super) triggerer_may_approve: bool,
    /// Whether jobs that deploy what is older than what is live are refused.
    pub(super) is_forward_only: bool,
    /// And in whose name they act.
    pub(super) trigger_tokens: BTreeMap<String, u64>,
}

impl Project {
    pub(super) fn namespace(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(space, _)| space)
    }

    pub(super) fn name(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or(&self.path, |(_, name)| name)
    }

    fn visibility_level(&self) -> u8 {
        if self.is_private { 0 } else { 20 }
    }
}

impl GitLab {
    /// A public project with one commit on `main`, and a group for it where there is none.
    pub fn add_project(&self, id: u64, path: &str) {
        lock(&self.world).add_project(id, path);
    }

    /// A fork shares its parent's commits.
    pub fn add_fork(&self, id: u64, path: &str, parent: &str) {
        let mut world = lock(&self.world);
        let parent = world.id_of(parent);
        let Some(source) = world.projects.get(&parent) else {
            return;
        };
        let (network, branches) = (source.network, source.branches.clone());
        world.add_project(id, path);
        if let Some(fork) = world.projects.get_mut(&id) {
            fork.network = network;
            fork.branches = branches;
        }
    }

    pub fn set_private(&self, project: &str, private: bool) {
        self.change_project(project, |found| found.is_private = private);
    }

    /// What the pipelines of a project consist of from now on; nothing for no pipelines.
    pub fn set_jobs(&self, project: &str, plan: Vec<JobPlan>) {
        self.change_project(project, |found| found.plan = plan);
    }

    /// Whether what is live keeps older pipelines from deploying, which it does at first.
    pub fn set_forward_only(&self, project: &str, is_forward_only: bool) {
        self.change_project(project, |found| found.is_forward_only = is_forward_only);
    }

    /// The project moves; its number stays, and its former path leads to that.
    pub fn rename_project(&self, project: &str, path: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        world.former_paths.insert(project.to_ascii_lowercase(), id);
        if let Some(found) = world.projects.get_mut(&id) {
            path.clone_into(&mut found.path);
        }
    }

    pub fn delete_project(&self, project: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        world.projects.remove(&id);
    }

    pub(super) fn change_project(&self, project: &str, change: impl FnOnce(&mut Project)) {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        if let Some(found) = world.projects.get_mut(&id) {
            change(found);
        }
    }
}

impl World {
    pub(super) fn add_project(&mut self, id: u64, path: &str) {
        let project = Project {
            id,
            path: path.to_owned(),
            is_private: false,
            default_branch: "main".to_owned(),
            network: id,
            made_at: self.now(),
            members: BTreeMap::new(),
            branches: BTreeMap::new(),
            pushes: Vec::new(),
            tags: BTreeMap::new(),
            merge_requests: BTreeMap::new(),
            notes: BTreeMap::new(),
            awards: BTreeMap::new(),
            plan: plan::usual(),
            pipelines: BTreeMap::new(),
            jobs: BTreeMap::new(),
            environments: BTreeMap::new(),
            deployments: BTreeMap::new(),
            protections: BTreeMap::new(),
            triggerer_may_approve: false,
            is_forward_only: true,
            trigger_tokens: BTreeMap::new(),
        };
        let space = project.namespace().to_owned();
        let mut groups = self.groups.values();
        if !space.is_empty() && !groups.any(|group| group.full_path == space) {
            let group = self.next_id();
            self.add_group(group, &space);
        }
        self.projects.insert(id, project);
        self.plant_root(id);
    }

    pub(super) fn web_url(&self, project: &Project) -> String {
        format!("{}/{}", self.url, project.path)
    }

    fn addresses(&self, project: &Project) -> (String, String) {
        let host = self.url.trim_start_matches("http://");
        let host = host.split(':').next().unwrap_or(host);
        let (path, web) = (&project.path, self.web_url(project));
        (format!("git@{host}:{path}.git"), format!("{web}.git"))
    }

    /// As most webhooks show a project.
    pub(super) fn project_attributes(&self, project: &Project) -> Value {
        let (ssh, http) = self.addresses(project);
        let web = self.web_url(project);
        json!({
            "id": project.id,
            "name": project.name(),
            "description": "",
            "web_url": web,
            "avatar_url": null,
            "git_ssh_url": ssh,
            "git_http_url": http,
            "namespace": project.namespace(),
            "visibility_level": project.visibility_level(),
            "path_with_namespace": project.path,
            "default_branch": project.default_branch,
            "ci_config_path": "",
            "homepage": web,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": http,
        })
    }

    /// What webhooks call the repository.
    pub(super) fn repository_attributes(&self, project: &Project) -> Value {
        let (ssh, http) = self.addresses(project);
        json!({
            "name": project.name(),
            "url": ssh,
            "description": "",
            "homepage": self.web_url(project),
            "git_http_url": http,
            "git_ssh_url": ssh,
            "visibility_level": project.visibility_level(),
        })
    }

    /// `GET /projects/:id`
    pub(super) fn get_project(&self, call: &Call, project: &Project) -> Outcome {
        let (ssh, http) = self.addresses(project);
        let web = self.web_url(project);
        let api = format!("{}/api/v4/projects/{}", self.url, project.id);
        let space = project.namespace();
        let group = self.groups.values().find(|group| group.full_path == space);
        let mut shown = json!({
            "id": project.id,
            "description": "",
            "name": project.name(),
            "name_with_namespace": project.path.replace('/', " / "),
            "path": project.name(),
            "path_with_namespace": project.path,
            "created_at": stamp(project.made_at),
            "default_branch": project.default_branch,
            "tag_list": [],
            "topics": [],
            "ssh_url_to_repo": ssh,
            "http_url_to_repo": http,
            "web_url": web,
            "readme_url": null,
            "forks_count": 0,
            "avatar_url": null,
            "star_count": 0,
            "last_activity_at": stamp(self.now()),
            "visibility": if project.is_private { "private" } else { "public" },
            "namespace": {
                "id": group.map(|group| group.id),
                "name": space.rsplit('/').next(),
                "path": space.rsplit('/').next(),
                "kind": "group",
                "full_path": space,
                "parent_id": null,
                "avatar_url": null,
                "web_url": format!("{}/groups/{space}", self.url),
            },
            "_links": {
                "self": api,
                "issues": format!("{api}/issues"),
                "merge_requests": format!("{api}/merge_requests"),
                "repo_branches": format!("{api}/repository/branches"),
                "labels": format!("{api}/labels"),
                "events": format!("{api}/events"),
                "members": format!("{api}/members"),
                "cluster_agents": format!("{api}/cluster_agents"),
            },
            "archived": false,
            "empty_repo": false,
        });
        if let Some(who) = call.who {
            let access = |level: Option<u8>| {
                level.map(|level| json!({ "access_level": level, "notification_level": 3 }))
            };
            let own = project.members.get(&who).copied();
            let above = self.level_above(space, who);
            let more = json!({
                "merge_method": "merge",
                "ci_forward_deployment_enabled": project.is_forward_only,
                "ci_forward_deployment_rollback_allowed": true,
                "squash_option": "default_off",
                "allow_pipeline_trigger_approve_deployment": project.triggerer_may_approve,
                "permissions": { "project_access": access(own), "group_access": access(above) },
            });
            merge(&mut shown, more);
        }
        Answer::ok(shown)
    }

    /// The project, for a caller who may read its code, which guests of private projects may not.
    pub(super) fn reach_code(&self, call: &Call, text: &str) -> Result<&Project, Answer> {
        let project = self.reach(call, text, Need::Sight)?;
        let level = call.who.and_then(|who| self.level(project, who));
        if project.is_private && level.is_none_or(|level| level < REPORTER) {
            return Err(Answer::forbidden());
        }
        Ok(project)
    }
}
