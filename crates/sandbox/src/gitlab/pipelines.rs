//! Pipelines: what starts one, how it is called, and how it is shown.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Content, Outcome};
use super::jobs::{Job, Kind};
use super::plan::JobPlan;
use super::projects::Project;
use super::world::{DEVELOPER, MAINTAINER, Need, World, merge, stamp};
use crate::history;

#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) iid: u64,
    pub(super) sha: String,
    pub(super) before: String,
    pub(super) reference: String,
    pub(super) is_tag: bool,
    pub(super) source: String,
    pub(super) status: &'static str,
    pub(super) user: u64,
    pub(super) variables: Vec<(String, String)>,
    pub(super) inputs: Map<String, Value>,
    /// The bridge that started it.
    pub(super) parent: Option<u64>,
    /// The merge request that it is for.
    pub(super) merge_request: Option<u64>,
    pub(super) made_at: Timestamp,
    pub(super) moved_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

/// Why a pipeline starts.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    pub(super) sha: String,
    pub(super) before: String,
    pub(super) reference: String,
    pub(super) is_tag: bool,
    pub(super) source: String,
    pub(super) user: u64,
    pub(super) variables: Vec<(String, String)>,
    pub(super) inputs: Map<String, Value>,
    pub(super) parent: Option<u64>,
    pub(super) merge_request: Option<u64>,
}

const NOTHING_TO_RUN: &str = "The resulting pipeline would have been empty. Review the rules configuration for the relevant jobs.";

impl World {
    /// A pipeline without jobs; its number.
    pub(super) fn begin(&mut self, project: u64, start: Start) -> Option<u64> {
        let (id, now) = (self.next_id(), self.now());
        let found = self.projects.get_mut(&project)?;
        let last = found.pipelines.values().map(|one| one.iid).max();
        let pipeline = Pipeline {
            id,
            iid: last.unwrap_or(0) + 1,
            sha: start.sha,
            before: start.before,
            reference: start.reference,
            is_tag: start.is_tag,
            source: start.source,
            status: "created",
            user: start.user,
            variables: start.variables,
            inputs: start.inputs,
            parent: start.parent,
            merge_request: start.merge_request,
            made_at: now,
            moved_at: now,
            started_at: None,
            finished_at: None,
        };
        found.pipelines.insert(id, pipeline);
        Some(id)
    }

    /// A pipeline with these jobs, of which the first wait for a runner; its number.
    pub(super) fn start(&mut self, project: u64, start: Start, plan: &[JobPlan]) -> Option<u64> {
        if plan.is_empty() {
            return None;
        }
        let user = start.user;
        let id = self.begin(project, start)?;
        let mut stages: Vec<&str> = Vec::new();
        let mut made = Vec::new();
        for planned in plan {
            let known = stages.iter().position(|stage| *stage == planned.stage);
            let rank = known.unwrap_or_else(|| {
                stages.push(&planned.stage);
                stages.len() - 1
            });
            made.push(self.add_job(project, (id, user), planned, rank));
        }
        for job in made {
            self.job_event(project, job);
        }
        self.proceed(project, id);
        Some(id)
    }

    /// A job that has yet to begin.
    pub(super) fn add_job(
        &mut self,
        project: u64,
        (pipeline, user): (u64, u64),
        planned: &JobPlan,
        rank: usize,
    ) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let kind = if planned.child.is_empty() {
            Kind::Build
        } else {
            Kind::Bridge {
                child: None,
                plan: planned.child.clone(),
            }
        };
        let job = Job {
            id,
            pipeline,
            name: planned.name.clone(),
            stage: planned.stage.clone(),
            rank,
            status: "created",
            kind,
            is_manual: planned.is_manual,
            may_fail: planned.may_fail,
            environment: planned.environment.clone(),
            user,
            is_retried: false,
            failure: None,
            variables: Vec::new(),
            made_at: now,
            started_at: None,
            finished_at: None,
        };
        if let Some(found) = self.projects.get_mut(&project) {
            found.jobs.insert(id, job);
        }
        id
    }

    pub(super) fn pipeline_basic(&self, project: &Project, pipeline: &Pipeline) -> Value {
        json!({
            "id": pipeline.id,
            "iid": pipeline.iid,
            "project_id": project.id,
            "sha": pipeline.sha,
            "ref": pipeline.reference,
            "status": pipeline.status,
            "source": pipeline.source,
            "created_at": stamp(pipeline.made_at),
            "updated_at": stamp(pipeline.moved_at),
            "web_url": format!("{}/-/pipelines/{}", self.web_url(project), pipeline.id),
        })
    }

    fn pipeline_json(&self, project: &Project, pipeline: &Pipeline) -> Value {
        let mut shown = self.pipeline_basic(project, pipeline);
        let whole = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.zip(to)
                .map(|(from, to)| to.duration_since(from).as_secs())
        };
        let word = spoken_status(pipeline.status);
        let more = json!({
            "before_sha": pipeline.before,
            "tag": pipeline.is_tag,
            "yaml_errors": null,
            "user": self.person_json(pipeline.user),
            "started_at": Self::when(pipeline.started_at),
            "finished_at": Self::when(pipeline.finished_at),
            "committed_at": null,
            "duration": whole(pipeline.started_at, pipeline.finished_at),
            "queued_duration": whole(Some(pipeline.made_at), pipeline.started_at),
            "coverage": null,
            "detailed_status": {
                "icon": format!("status_{}", pipeline.status), "text": word, "label": word,
                "group": pipeline.status, "tooltip": word, "has_details": true,
                "details_path": format!("/{}/-/pipelines/{}", project.path, pipeline.id),
                "illustration": null, "favicon": "/assets/favicon.png",
            },
        });
        merge(&mut shown, more);
        shown
    }

    pub(super) fn find_pipeline<'p>(
        &self,
        project: &'p Project,
        id: &str,
    ) -> Result<&'p Pipeline, Answer> {
        let wrong = || Answer::error(400, "pipeline_id is invalid");
        let id = id.parse().map_err(|_| wrong())?;
        let found = project.pipelines.get(&id);
        found.ok_or_else(|| Answer::message(404, "404 Not found"))
    }

    /// `GET /projects/:id/pipelines`
    pub(super) fn list_pipelines(&self, call: &Call, project: &Project) -> Outcome {
        let after: Option<Timestamp> = call.asked("updated_after").and_then(|at| at.parse().ok());
        let before: Option<Timestamp> = call.asked("updated_before").and_then(|at| at.parse().ok());
        let is = |name: &str, value: &str| call.asked(name).is_none_or(|asked| asked == value);
        let who = |pipeline: &Pipeline| {
            let person = self.people.get(&pipeline.user);
            person.map_or("", |person| person.username.as_str())
        };
        let wanted = |pipeline: &&Pipeline| {
            // Child pipelines are shown to those who ask for them only.
            let is_shown = call.asked("source").is_some() || pipeline.parent.is_none();
            is_shown
                && is("sha", &pipeline.sha)
                && is("ref", &pipeline.reference)
                && is("source", &pipeline.source)
                && is("status", pipeline.status)
                && is("username", who(pipeline))
                && after.is_none_or(|after| pipeline.moved_at >= after)
                && before.is_none_or(|before| pipeline.moved_at <= before)
        };
        let mut found: Vec<&Pipeline> = project.pipelines.values().filter(wanted).collect();
        match call.asked("order_by") {
            Some("updated_at") => found.sort_by_key(|one| (one.moved_at, one.id)),
            Some("ref") => found.sort_by_key(|one| (&one.reference, one.id)),
            Some("status") => found.sort_by_key(|one| (one.status, one.id)),
            _ => {}
        }
        if call.asked("sort") != Some("asc") {
            found.reverse();
        }
        call.list(found, |one| self.pipeline_basic(project, one))
    }

    /// `GET /projects/:id/pipelines/latest`
    pub(super) fn latest_pipeline(&self, call: &Call, project: &Project) -> Outcome {
        let reference = call.asked("ref").unwrap_or(&project.default_branch);
        let head = project.branches.get(reference);
        let mut newest = project.pipelines.values().rev();
        let found = newest.find(|one| Some(&one.sha) == head && one.reference == reference);
        let found = found.ok_or_else(|| Answer::message(404, "404 Not found"))?;
        self.show_pipeline(project, found)
    }

    /// `GET /projects/:id/pipelines/:pipeline_id`
    pub(super) fn show_pipeline(&self, project: &Project, pipeline: &Pipeline) -> Outcome {
        let mut shown = self.pipeline_json(project, pipeline);
        shown["name"] = Value::Null;
        Answer::ok(shown)
    }

    /// `GET /projects/:id/pipelines/:pipeline_id/variables`
    pub(super) fn pipeline_variables(
        &self,
        call: &Call,
        project: &Project,
        pipeline: &Pipeline,
    ) -> Outcome {
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        let level = self.level(project, who).unwrap_or(0);
        let is_own = pipeline.user == who && level >= DEVELOPER;
        if level < MAINTAINER && !is_own {
            return Err(Answer::forbidden());
        }
        let shown = pipeline.variables.iter().map(|(key, value)| {
            json!({ "variable_type": "env_var", "key": key, "value": value, "raw": false })
        });
        Answer::ok(shown.collect())
    }

    /// A pipeline on request: it runs where its branch or tag is now.
    fn order(&mut self, project: u64, mut start: Start) -> Outcome {
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let base = |text: &str| Content::Json(json!({ "message": { "base": [text] } }));
        let refused = |text: &str| Answer::new(400, base(text));
        let name = start.reference.clone();
        if found.tags.contains_key(&name) && found.branches.contains_key(&name) {
            return Err(refused("Ref is ambiguous"));
        }
        let head = history::named(&found.tags, &found.branches, &name);
        start.sha = head
            .cloned()
            .ok_or_else(|| refused("Reference not found"))?;
        start.before = "0".repeat(40);
        let is_branch = name.starts_with("refs/heads/") || found.branches.contains_key(&name);
        start.is_tag = !is_branch;
        let short = name
            .strip_prefix("refs/heads/")
            .or_else(|| name.strip_prefix("refs/tags/"));
        start.reference = short.unwrap_or(&name).to_owned();
        let plan = found.plan.clone();
        let id = self.start(project, start, &plan);
        let id = id.ok_or_else(|| refused(NOTHING_TO_RUN))?;
        self.show_pipeline_by(project, id, 201)
    }

    fn show_pipeline_by(&self, project: u64, id: u64, status: u16) -> Outcome {
        let project = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let pipeline = project.pipelines.get(&id).ok_or_else(Answer::nowhere)?;
        let shown = Content::Json(self.pipeline_json(project, pipeline));
        Ok(Answer::new(status, shown))
    }

    /// `POST /projects/:id/pipeline`
    pub(super) fn create_pipeline(&mut self, call: &Call, project: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(DEVELOPER))?;
        let start = Start {
            reference: call.required("ref")?.to_owned(),
            source: "api".to_owned(),
            user: call.who.unwrap_or(0),
            variables: call.pairs("variables")?,
            inputs: call.map("inputs")?,
            ..Start::default()
        };
        self.order(project, start)
    }

    /// `POST /projects/:id/trigger/pipeline`, with its own kind of token.
    pub(super) fn trigger_pipeline(
        &mut self,
        call: &Call,
        project: &str,
        reference: Option<&str>,
    ) -> Outcome {
        // Else the webhooks of pipelines could start pipelines for ever.
        if call.event.as_deref() == Some("Pipeline Hook") {
            return Err(Answer::forbidden());
        }
        let found = match project.parse() {
            Ok(id) => self.projects.get(&id),
            Err(_) => self.project_named(project),
        };
        let found = found.ok_or_else(|| Answer::not_found("Project"))?;
        let reference = match reference {
            Some(reference) => reference,
            None => call.required("ref")?,
        };
        let token = call.required("token")?;
        let owner = found.trigger_tokens.get(token).copied();
        let user = owner.ok_or_else(|| Answer::message(404, "404 Not Found"))?;
        let said = call.map("variables")?;
        let variables = said
            .iter()
            .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect::<Option<Vec<_>>>();
        let variables = variables.ok_or_else(|| {
            Answer::message(400, "variables needs to be a map of key-valued strings")
        })?;
        if self
            .level(found, user)
            .is_none_or(|level| level < DEVELOPER)
        {
            return Err(Answer::forbidden());
        }
        let start = Start {
            reference: reference.to_owned(),
            source: "trigger".to_owned(),
            user,
            variables,
            ..Start::default()
        };
        let project = found.id;
        self.order(project, start)
    }

    /// `POST /projects/:id/pipelines/:pipeline_id/cancel` and `…/retry`
    pub(super) fn move_pipeline(
        &mut self,
        call: &Call,
        project: &str,
        (id, act): (&str, &str),
    ) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(DEVELOPER))?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let id = self.find_pipeline(found, id)?.id;
        if act == "cancel" {
            self.cancel(project, id);
            // Whether or not there was anything to cancel.
            return self.show_pipeline_by(project, id, 200);
        }
        let failed = |job: &&Job| {
            matches!(job.status, "failed" | "canceled") && !job.is_retried && job.is_build()
        };
        let failed = found.jobs_of(id).filter(failed).map(|job| job.id);
        for job in failed.collect::<Vec<_>>() {
            let _again = self.run_again(project, job, call.who.unwrap_or(0));
        }
        self.show_pipeline_by(project, id, 201)
    }
}

/// A status in the words of GitLab's pages.
pub(super) fn spoken_status(status: &str) -> &str {
    if status == "success" {
        "passed"
    } else {
        status
    }
}
