//! The world of this GitLab, everything in it, and who may touch it. What happens to it is told file by file:
//! people, projects, commits, merge requests, notes, pipelines, deployments, hooks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::call::{Answer, Call, Content};
use super::commits::Commit;
use super::hooks::Hooks;
use super::people::{Group, Person};
use super::projects::Project;
use super::tokens::Token;
use countersign_ground::clock::Clock;

pub(super) const GUEST: u8 = 10;
pub(super) const REPORTER: u8 = 20;
pub(super) const DEVELOPER: u8 = 30;
pub(super) const MAINTAINER: u8 = 40;

#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) url: String,
    last_id: u64,
    /// As `/version` says it.
    pub(super) version: String,
    /// Whether there are protected environments and approvals of deployments.
    pub(super) is_premium: bool,
    /// Whether comparisons give up before they are through.
    pub(super) compares_time_out: bool,
    pub(super) people: BTreeMap<u64, Person>,
    pub(super) groups: BTreeMap<u64, Group>,
    pub(super) projects: BTreeMap<u64, Project>,
    /// Former paths, and which project they lead to.
    pub(super) former_paths: BTreeMap<String, u64>,
    pub(super) commits: BTreeMap<String, Commit>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) hooks: Hooks,
    /// The event that a webhook began, and what comes of it belongs to.
    pub(super) chain: Option<String>,
}

/// What a call needs of its caller.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// To see the project.
    Sight,
    /// So much access, and a token that may act.
    Level(u8),
}

impl World {
    pub(super) fn new(clock: Clock, url: String) -> Self {
        Self {
            clock,
            url,
            last_id: 700_000,
            version: "19.1.0-ee".to_owned(),
            is_premium: true,
            compares_time_out: false,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            projects: BTreeMap::new(),
            former_paths: BTreeMap::new(),
            commits: BTreeMap::new(),
            tokens: BTreeMap::new(),
            hooks: Hooks::default(),
            chain: None,
        }
    }

    /// A number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether this version is that one, or a later one.
    pub(super) fn is_at_least(&self, major: u32, minor: u32) -> bool {
        let mut numbers = self.version.split(['.', '-']).map(str::parse::<u32>);
        let mut next = || numbers.next().and_then(Result::ok).unwrap_or(0);
        (next(), next()) >= (major, minor)
    }

    pub(super) fn project_named(&self, path: &str) -> Option<&Project> {
        self.projects
            .values()
            .find(|project| project.path.eq_ignore_ascii_case(path))
    }

    /// For those who speak to the sandbox itself; unknown paths are made up as a new project.
    pub(super) fn id_of(&mut self, path: &str) -> u64 {
        if let Some(known) = self.project_named(path) {
            return known.id;
        }
        let id = self.next_id();
        self.add_project(id, path);
        id
    }

    /// The project with this number or at this path, if the caller may do this with it.
    pub(super) fn reach(&self, call: &Call, text: &str, need: Need) -> Result<&Project, Answer> {
        let found = match text.parse() {
            Ok(id) => self.projects.get(&id),
            Err(_) => self.project_named(text),
        };
        let hidden = || Answer::not_found("Project");
        let project = found.ok_or_else(|| self.moved(call, text).unwrap_or_else(hidden))?;
        let level = call.who.and_then(|who| self.level(project, who));
        if project.is_private && level.is_none() {
            return Err(hidden());
        }
        match need {
            Need::Sight => Ok(project),
            Need::Level(_) if call.who.is_none() => Err(Answer::unauthorized()),
            Need::Level(needed) if level.is_none_or(|level| level < needed) => {
                Err(Answer::forbidden())
            }
            Need::Level(_) => Ok(project),
        }
    }

    /// A former path leads to the number, as long as no other project took it.
    fn moved(&self, call: &Call, path: &str) -> Option<Answer> {
        let id = self.former_paths.get(&path.to_ascii_lowercase())?;
        let rest = call.asked_path.splitn(4, '/').nth(3);
        let rest = rest.map_or_else(String::new, |rest| format!("/{rest}"));
        let url = format!("{}/api/v4/projects/{id}{rest}", self.url);
        let text = format!("This resource has been moved permanently to {url}");
        let mut answer = Answer::new(301, Content::Text(text));
        answer.headers.push(("location", url));
        Some(answer)
    }

    /// The number of a project that may be touched so.
    pub(super) fn reach_id(&self, call: &Call, text: &str, need: Need) -> Result<u64, Answer> {
        self.reach(call, text, need).map(|project| project.id)
    }

    /// How much a person may do in a project, groups above it included.
    pub(super) fn level(&self, project: &Project, person: u64) -> Option<u8> {
        let own = project.members.get(&person).copied();
        let inherited = self.level_above(project.namespace(), person);
        own.max(inherited)
    }

    /// How much a person may do in a group, groups above it included.
    pub(super) fn level_above(&self, full_path: &str, person: u64) -> Option<u8> {
        self.groups
            .values()
            .filter(|group| is_within(full_path, &group.full_path))
            .filter_map(|group| group.members.get(&person).copied())
            .max()
    }
}

/// Whether a path is this group's, or lies below it.
pub(super) fn is_within(path: &str, group: &str) -> bool {
    path.strip_prefix(group)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Times as the API writes them.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Times as most webhooks write them.
pub(super) fn spoken(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Times as webhooks about deployments write them.
pub(super) fn zoned(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}

/// Times as the commits in webhooks have them.
pub(super) fn signed(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// Seconds from one time to another, as durations are told.
pub(super) fn seconds(from: Option<Timestamp>, to: Option<Timestamp>) -> Value {
    match (from, to) {
        (Some(from), Some(to)) => {
            let span = to.duration_since(from).as_secs_f64();
            Value::from((span * 1_000.0).round() / 1_000.0)
        }
        _ => Value::Null,
    }
}

/// Adds the fields of the second object to the first.
pub(super) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
