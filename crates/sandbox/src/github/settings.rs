//! Settings that people make on GitHub's pages: what the app asks for and is told, where webhooks lead,
//! workflows that are switched off, environments and what they wait for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::Workflow;
use super::call::{Answer, Call, Identity, Outcome};
use super::hooks::Listener;
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};

/// What the app asks for on its own page; installations grant it or not.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) events: BTreeSet<String>,
}

/// An environment of a repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Environment {
    id: u64,
    /// The apps whose word it waits for, each with the number of its rule.
    rules: BTreeMap<String, u64>,
}

impl GitHub {
    /// What the app asks for on its own page, or does not ask for any more.
    pub fn ask_for(&self, permission: &str, access: Option<&str>) {
        let permissions = &mut lock(&self.world).asked.permissions;
        match access {
            Some(access) => drop(permissions.insert(permission.to_owned(), access.to_owned())),
            None => drop(permissions.remove(permission)),
        }
    }

    /// The app is not told about these any more.
    pub fn unsubscribe(&self, event: &str) {
        lock(&self.world).asked.events.remove(event);
    }

    /// What a classic token of a person may do; fine-grained ones, as every token is at first, do not say.
    pub fn set_scopes(&self, token: &str, scopes: &str) {
        let scopes = scopes.to_owned();
        drop(lock(&self.world).scopes.insert(token.to_owned(), scopes));
    }

    /// Changes what is set at a webhook: its content type, and whether it is active.
    pub fn set_hook(&self, id: u64, content_type: &str, is_active: bool) {
        let mut world = lock(&self.world);
        for listener in world.hooks.listeners.iter_mut().filter(|one| one.id == id) {
            content_type.clone_into(&mut listener.content_type);
            listener.is_active = is_active;
        }
    }

    /// A person switches a workflow off.
    pub fn switch_off(&self, repository: &str, file: &str) {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        if let Some(repository) = world.repositories.get_mut(&repository) {
            for workflow in &mut repository.workflows {
                workflow.is_off |= workflow.file == file;
            }
        }
    }

    pub fn add_environment(&self, repository: &str, name: &str) {
        let mut world = lock(&self.world);
        let (repository, id) = (world.id_of(repository), world.next_id());
        if let Some(repository) = world.repositories.get_mut(&repository) {
            let rules = BTreeMap::new();
            let made = Environment { id, rules };
            repository.environments.insert(name.to_owned(), made);
        }
    }

    /// From now on an environment waits for the word of this app.
    pub fn protect(&self, repository: &str, environment: &str, app: &str) {
        let mut world = lock(&self.world);
        let (repository, id) = (world.id_of(repository), world.next_id());
        let repository = world.repositories.get_mut(&repository);
        let found = repository.and_then(|found| found.environments.get_mut(environment));
        if let Some(environment) = found {
            environment.rules.insert(app.to_owned(), id);
        }
    }
}

impl World {
    /// `GET /app/hook/config`
    pub(super) fn app_hook(&self, call: &Call) -> Outcome {
        Self::only_app(call)?;
        let mut listeners = self.hooks.listeners.iter();
        let own = listeners.find(|listener| listener.repository.is_none());
        Answer::ok(own.map_or_else(
            || json!({ "content_type": "form", "insecure_ssl": "0", "url": "" }),
            config_json,
        ))
    }

    /// `GET /repos/{owner}/{repo}/hooks`
    pub(super) fn list_hooks(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        let found = self.reach(call, owner, name, Need::Read("repository_hooks"))?;
        let api = self.api_url(found);
        let own = |listener: &&Listener| listener.repository == Some(found.id);
        let hooks = self.hooks.listeners.iter().filter(own).collect();
        let made = stamp(found.made_at);
        call.list(hooks, |listener| {
            let url = format!("{api}/hooks/{}", listener.id);
            json!({
                "type": "Repository", "id": listener.id, "name": "web",
                "active": listener.is_active, "events": self.asked.events,
                "config": config_json(listener), "updated_at": made, "created_at": made,
                "url": url, "test_url": format!("{url}/test"), "ping_url": format!("{url}/pings"),
                "deliveries_url": format!("{url}/deliveries"),
                "last_response": { "code": null, "status": "unused", "message": null },
            })
        })
    }

    /// `GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}`
    pub(super) fn get_workflow(
        &self,
        call: &Call,
        (owner, name): (&str, &str),
        file: &str,
    ) -> Outcome {
        let found = self.reach(call, owner, name, Need::Read("actions"))?;
        let is_meant =
            |one: &&Workflow| one.file == file || file.parse().is_ok_and(|id: u64| one.id == id);
        let workflow = found.workflows.iter().find(is_meant);
        let workflow = workflow.ok_or_else(Answer::not_found)?;
        let made = stamp(found.made_at);
        let id = workflow.id;
        let page = format!("https://github.com/{}", found.full_name);
        Answer::ok(json!({
            "id": id, "node_id": node("W", id), "name": workflow.file,
            "path": format!(".github/workflows/{}", workflow.file),
            "state": if workflow.is_off { "disabled_manually" } else { "active" },
            "created_at": made, "updated_at": made,
            "url": format!("{}/actions/workflows/{id}", self.api_url(found)),
            "html_url": format!("{page}/blob/main/.github/workflows/{}", workflow.file),
            "badge_url": format!("{page}/workflows/{}/badge.svg", workflow.file),
        }))
    }

    /// `GET /repos/{owner}/{repo}/environments/{environment_name}`
    pub(super) fn get_environment(
        &self,
        call: &Call,
        (owner, name): (&str, &str),
        environment: &str,
    ) -> Outcome {
        let found = self.reach(call, owner, name, Need::Read("actions"))?;
        let id = environment_of(found, environment)?.id;
        let made = stamp(found.made_at);
        Answer::ok(json!({
            "id": id, "node_id": node("EN", id), "name": environment,
            "url": format!("{}/environments/{environment}", self.api_url(found)),
            "html_url": format!("https://github.com/{}/deployments/activity_log?environments_filter={environment}", found.full_name),
            "created_at": made, "updated_at": made,
            "protection_rules": [], "deployment_branch_policy": null,
        }))
    }

    /// `GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules`
    pub(super) fn list_rules(
        &self,
        call: &Call,
        (owner, name): (&str, &str),
        environment: &str,
    ) -> Outcome {
        let found = self.reach(call, owner, name, Need::Read("actions"))?;
        let environment = environment_of(found, environment)?;
        let rules = environment.rules.iter().map(|(slug, id)| {
            let app = self.apps.get(slug).map_or(0, |app| app.id);
            json!({
                "id": id, "node_id": node("GE", *id), "enabled": true,
                "app": {
                    "id": app, "node_id": node("A", app), "slug": slug,
                    "integration_url": format!("{}/apps/{slug}", self.url),
                },
            })
        });
        let rules: Vec<Value> = rules.collect();
        Answer::ok(json!({
            "total_count": rules.len(), "custom_deployment_protection_rules": rules,
        }))
    }

    /// The scopes of a caller with a classic token.
    pub(super) fn scopes_of(&self, call: &Call) -> Option<String> {
        let Identity::Person(person) = call.identity else {
            return None;
        };
        let mut tokens = self.tokens.iter();
        let own = tokens
            .find(|(token, owner)| **owner == person && self.scopes.contains_key(token.as_str()));
        own.and_then(|(token, _)| self.scopes.get(token).cloned())
    }
}

fn environment_of<'r>(repository: &'r Repository, name: &str) -> Result<&'r Environment, Answer> {
    let found = repository.environments.get(name);
    found.ok_or_else(Answer::not_found)
}

fn config_json(listener: &Listener) -> Value {
    let mut config = json!({
        "url": listener.url, "content_type": listener.content_type, "insecure_ssl": "0",
    });
    if !listener.secret.is_empty() {
        config["secret"] = "********".into();
    }
    config
}
