//! Environments, and the people who must agree before anything is deployed to the protected ones.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::jobs::Job;
use super::projects::Project;
use super::world::{DEVELOPER, MAINTAINER, Need, World, stamp};
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) id: u64,
    pub(super) name: String,
    made_at: Timestamp,
}

/// Who may deploy, and how many must agree.
#[derive(Clone, Debug)]
pub(super) struct Protection {
    id: u64,
    deployers: Vec<Access>,
    pub(super) approvals: u64,
}

/// Those to whom an environment is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// All with at least so much access.
    Level(u8),
    Person(u64),
    /// Members of this group.
    Group(u64),
}

/// Why something does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    MayNot,
    CanNot,
}

impl Environment {
    pub(super) fn tier(&self) -> &'static str {
        match self.name.as_str() {
            "production" | "prod" => "production",
            "staging" => "staging",
            _ => "other",
        }
    }

    pub(super) fn slug(&self) -> String {
        self.name.replace('/', "-")
    }
}

impl GitLab {
    /// From now on only these deploy to this environment, and so many of them must agree before.
    pub fn protect_environment(
        &self,
        project: &str,
        environment: &str,
        deployers: &[Access],
        approvals: u64,
    ) {
        let mut world = lock(&self.world);
        let (project, id) = (world.id_of(project), world.next_id());
        let protection = Protection {
            id,
            deployers: deployers.to_vec(),
            approvals,
        };
        if let Some(project) = world.projects.get_mut(&project) {
            project
                .protections
                .insert(environment.to_owned(), protection);
        }
    }

    /// Whether those who began a pipeline may approve its deployments.
    pub fn let_triggerer_approve(&self, project: &str, may: bool) {
        self.change_project(project, |found| found.triggerer_may_approve = may);
    }

    /// An instance that pays for protected environments, which it is at first, or does not.
    pub fn set_premium(&self, is_premium: bool) {
        lock(&self.world).is_premium = is_premium;
    }
}

impl World {
    /// The environment of this name, which is made where it is missing.
    pub(super) fn environment(&mut self, project: u64, name: &str) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let Some(found) = self.projects.get_mut(&project) else {
            return 0;
        };
        let mut known = found.environments.values();
        if let Some(known) = known.find(|known| known.name == name) {
            return known.id;
        }
        let made = Environment {
            id,
            name: name.to_owned(),
            made_at: now,
        };
        found.environments.insert(id, made);
        id
    }

    pub(super) fn protection<'p>(
        &self,
        project: &'p Project,
        environment: &str,
    ) -> Option<&'p Protection> {
        let found = project.protections.get(environment);
        found.filter(|_| self.is_premium)
    }

    /// Whether a person may deploy to an environment.
    pub(super) fn may_deploy(&self, project: &Project, environment: &str, person: u64) -> bool {
        let level = self.level(project, person).unwrap_or(0);
        let Some(protection) = self.protection(project, environment) else {
            return level >= DEVELOPER;
        };
        protection.deployers.iter().any(|access| match access {
            Access::Level(needed) => level >= *needed,
            Access::Person(id) => *id == person,
            Access::Group(id) => self.groups.get(id).is_some_and(|group| {
                self.level_above(&group.full_path, person)
                    .is_some_and(|level| level >= DEVELOPER)
            }),
        })
    }

    /// Whether a job that has not run would put something older in place of what is live.
    fn is_outdated(project: &Project, job: &Job) -> bool {
        let mut all = project.deployments.values();
        let Some(own) = all.find(|one| one.job == Some(job.id)) else {
            return false;
        };
        let there = project.deployments.values();
        let live = there
            .filter(|one| one.environment == own.environment && one.status == "success")
            .max_by_key(|one| (one.moved_at, one.id));
        let is_behind = live.is_some_and(|live| own.id < live.id && own.sha != live.sha);
        // What ran before may run again: that is a rollback.
        project.is_forward_only && !job.is_over() && is_behind
    }

    /// Whether a person may start a job.
    pub(super) fn may_start(&self, project: &Project, job: &Job, person: u64) -> bool {
        let level = self.level(project, person).unwrap_or(0);
        let open = job
            .environment
            .as_deref()
            .is_none_or(|name| self.may_deploy(project, name, person));
        level >= DEVELOPER && open && !Self::is_outdated(project, job)
    }

    pub(super) fn environment_basic(&self, environment: &Environment) -> Value {
        json!({
            "id": environment.id,
            "name": environment.name,
            "slug": environment.slug(),
            "external_url": null,
            "created_at": stamp(environment.made_at),
            "updated_at": stamp(environment.made_at),
        })
    }

    fn environment_json(&self, environment: &Environment) -> Value {
        let mut shown = self.environment_basic(environment);
        shown["tier"] = environment.tier().into();
        shown["state"] = "available".into();
        shown["auto_stop_at"] = Value::Null;
        shown["description"] = Value::Null;
        shown
    }

    /// `GET /projects/:id/environments`
    pub(super) fn list_environments(&self, call: &Call, project: &Project) -> Outcome {
        let wanted = |one: &&Environment| {
            let named = call.asked("name").is_none_or(|name| one.name == name);
            let found = call
                .asked("search")
                .is_none_or(|text| one.name.contains(text));
            named && found
        };
        let found = project.environments.values().filter(wanted).collect();
        call.list(found, |one| self.environment_json(one))
    }

    /// `GET /projects/:id/environments/:environment_id`
    pub(super) fn get_environment(&self, project: &Project, id: &str) -> Outcome {
        let found = id.parse().ok().and_then(|id| project.environments.get(&id));
        let found = found.ok_or_else(|| Answer::not_found("Environment"))?;
        let mut shown = self.environment_json(found);
        let last = project
            .deployments
            .values()
            .rfind(|one| one.environment == found.id && one.status == "success");
        shown["last_deployment"] =
            last.map_or(Value::Null, |last| self.deployment_json(project, last));
        Answer::ok(shown)
    }

    fn access_json(&self, id: u64, access: Access) -> Value {
        let (level, person, group, words) = match access {
            Access::Level(level) => (Some(level), None, None, level_words(level).to_owned()),
            Access::Person(id) => {
                let name = self.people.get(&id).map(|person| person.name.clone());
                (None, Some(id), None, name.unwrap_or_default())
            }
            Access::Group(id) => {
                let name = self.groups.get(&id).map(|group| group.full_path.clone());
                (None, None, Some(id), name.unwrap_or_default())
            }
        };
        json!({
            "id": id, "access_level": level, "access_level_description": words,
            "user_id": person, "group_id": group, "group_inheritance_type": 0,
        })
    }

    /// The rules about approvals: one, for all who may deploy, where any are needed.
    pub(super) fn rules(&self, protection: &Protection) -> Vec<Value> {
        let first = protection.deployers.first().copied();
        let access = first.filter(|_| protection.approvals > 0);
        access
            .map(|access| {
                let mut rule = self.access_json(protection.id + 1, access);
                rule["required_approvals"] = protection.approvals.into();
                rule
            })
            .into_iter()
            .collect()
    }

    fn protection_json(&self, name: &str, protection: &Protection) -> Value {
        let deployers = protection.deployers.iter();
        let deployers: Vec<Value> = deployers
            .map(|access| self.access_json(protection.id, *access))
            .collect();
        json!({
            "name": name,
            "deploy_access_levels": deployers,
            "required_approval_count": 0,
            "approval_rules": self.rules(protection),
        })
    }

    /// `GET /projects/:id/protected_environments[/:name]`
    pub(super) fn protected_environments(
        &self,
        call: &Call,
        project: &str,
        name: Option<&str>,
    ) -> Outcome {
        let project = self.reach(call, project, Need::Level(MAINTAINER))?;
        if !self.is_premium {
            return Err(Answer::nowhere());
        }
        match name {
            None => call.list(project.protections.iter().collect(), |(name, one)| {
                self.protection_json(name, one)
            }),
            Some(name) => {
                let found = project.protections.get(name);
                let found = found.ok_or_else(|| Answer::message(404, "404 Not found"))?;
                Answer::ok(self.protection_json(name, found))
            }
        }
    }
}

fn level_words(level: u8) -> &'static str {
    match level {
        DEVELOPER => "Developers + Maintainers",
        MAINTAINER => "Maintainers",
        _ => "Administrators",
    }
}
