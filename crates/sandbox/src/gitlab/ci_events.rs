//! Events of pipelines, as webhooks tell of them: jobs, pipelines and deployments.

use serde_json::{Value, json};

use super::environments::Environment;
use super::jobs::{Job, Kind};
use super::pipelines::{Pipeline, spoken_status};
use super::projects::Project;
use super::world::{World, seconds, spoken, zoned};

impl World {
    fn stage_of(project: &Project, job: &Job) -> Value {
        let Some(name) = &job.environment else {
            return Value::Null;
        };
        let mut known = project.environments.values();
        let tier = known
            .find(|known| known.name == *name)
            .map(Environment::tier);
        json!({ "name": name, "action": "start", "deployment_tier": tier.unwrap_or("other") })
    }

    fn origin(&self, project: &Project, pipeline: &Pipeline) -> Option<Value> {
        let bridge = project.jobs.get(&pipeline.parent?)?;
        Some(json!({
            "project": {
                "id": project.id,
                "web_url": self.web_url(project),
                "path_with_namespace": project.path,
            },
            "pipeline_id": bridge.pipeline,
            "job_id": bridge.id,
        }))
    }

    pub(super) fn job_event(&mut self, project: u64, id: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(job) = found.jobs.get(&id).filter(|job| job.is_build()) else {
            return;
        };
        let Some(pipeline) = found.pipelines.get(&job.pipeline) else {
            return;
        };
        let commit = self.commits.get(&pipeline.sha);
        let author = commit.map(|commit| &commit.author);
        let known = author.and_then(|author| self.person_with(&author.email));
        let author_url = match known {
            Some(person) => format!("{}/{}", self.url, person.username),
            None => format!("mailto:{}", author.map_or("", |author| &author.email)),
        };
        let retried = found.jobs_of(pipeline.id);
        let retried = retried.filter(|one| one.name == job.name && one.is_retried);
        let time = |time: Option<jiff::Timestamp>| time.map(spoken);
        let mut payload = json!({
            "object_kind": "build",
            "ref": pipeline.reference,
            "tag": pipeline.is_tag,
            "before_sha": pipeline.before,
            "sha": pipeline.sha,
            "build_id": job.id,
            "build_name": job.name,
            "build_stage": job.stage,
            "build_status": job.status,
            "build_created_at": spoken(job.made_at),
            "build_started_at": time(job.started_at),
            "build_finished_at": time(job.finished_at),
            "build_duration": seconds(job.started_at, job.finished_at),
            "build_queued_duration": seconds(Some(job.made_at), job.started_at),
            "build_allow_failure": job.may_fail,
            "build_failure_reason": job.failure.unwrap_or("unknown_failure"),
            "retries_count": retried.count(),
            "pipeline_id": pipeline.id,
            "project_id": project,
            "project_name": found.path.replace('/', " / "),
            "runner": null,
            "user": self.user_attributes(job.user),
            "commit": {
                // Not the commit's: GitLab says the pipeline's here.
                "id": pipeline.id,
                "name": null,
                "sha": pipeline.sha,
                "message": commit.map(|commit| &commit.message),
                "author_name": author.map(|author| &author.name),
                "author_email": author.map(|author| &author.email),
                "author_url": author_url,
                "status": pipeline.status,
                "duration": seconds(pipeline.started_at, pipeline.finished_at),
                "started_at": time(pipeline.started_at),
                "finished_at": time(pipeline.finished_at),
            },
            "repository": self.repository_attributes(found),
            "environment": Self::stage_of(found, job),
        });
        if let Some(origin) = self.origin(found, pipeline) {
            payload["source_pipeline"] = origin;
        }
        self.tell("job_events", project, payload);
    }

    fn build_of(&self, project: &Project, job: &Job) -> Value {
        json!({
            "id": job.id,
            "stage": job.stage,
            "name": job.name,
            "status": job.status,
            "created_at": spoken(job.made_at),
            "started_at": job.started_at.map(spoken),
            "finished_at": job.finished_at.map(spoken),
            "duration": seconds(job.started_at, job.finished_at),
            "queued_duration": seconds(Some(job.made_at), job.started_at),
            "failure_reason": job.failure,
            "when": if job.is_manual { "manual" } else { "on_success" },
            "manual": job.is_manual,
            "allow_failure": job.may_fail,
            "user": self.user_attributes(job.user),
            "runner": null,
            "artifacts_file": { "filename": null, "size": null },
            "environment": Self::stage_of(project, job),
        })
    }

    pub(super) fn pipeline_event(&mut self, project: u64, id: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(pipeline) = found.pipelines.get(&id) else {
            return;
        };
        let mut stages: Vec<(usize, &str)> = found
            .jobs_of(id)
            .map(|job| (job.rank, job.stage.as_str()))
            .collect();
        stages.sort_unstable();
        stages.dedup();
        let builds = found.jobs_of(id).filter(|job| {
            let is_shown = matches!(job.kind, Kind::Build | Kind::Bridge { .. });
            is_shown && !job.is_retried
        });
        let builds: Vec<Value> = builds.map(|job| self.build_of(found, job)).collect();
        let variables = pipeline.variables.iter();
        let variables: Vec<Value> = variables
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        let about = pipeline.merge_request;
        let about = about.and_then(|iid| found.merge_requests.get(&iid));
        let mut payload = json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": id,
                "iid": pipeline.iid,
                "name": null,
                "ref": pipeline.reference,
                "tag": pipeline.is_tag,
                "sha": pipeline.sha,
                "before_sha": pipeline.before,
                "source": pipeline.source,
                "status": pipeline.status,
                "detailed_status": spoken_status(pipeline.status),
                "stages": stages.iter().map(|(_, stage)| stage).collect::<Vec<_>>(),
                "created_at": spoken(pipeline.made_at),
                "finished_at": pipeline.finished_at.map(spoken),
                "duration": seconds(pipeline.started_at, pipeline.finished_at),
                "queued_duration": seconds(Some(pipeline.made_at), pipeline.started_at),
                "protected_ref": pipeline.reference == found.default_branch,
                "variables": variables,
                "url": format!("{}/-/pipelines/{id}", self.web_url(found)),
            },
            "merge_request": about.map(|about| json!({
                "id": about.id,
                "iid": about.iid,
                "title": about.shown_title(),
                "source_branch": about.source,
                "source_project_id": about.source_project,
                "target_branch": about.target,
                "target_project_id": project,
                "state": about.state(),
                "merge_status": "can_be_merged",
                "detailed_merge_status": about.detailed_status(),
                "url": self.merge_request_url(found, about.iid),
            })),
            "user": self.user_attributes(pipeline.user),
            "project": self.project_attributes(found),
            "commit": self.commit_attributes(found, &pipeline.sha),
            "builds": builds,
        });
        if let Some(origin) = self.origin(found, pipeline) {
            payload["source_pipeline"] = origin;
        }
        self.tell("pipeline_events", project, payload);
    }

    pub(super) fn deployment_event(&mut self, project: u64, id: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(one) = found.deployments.get(&id) else {
            return;
        };
        let environment = found.environments.get(&one.environment);
        let job = one.job.and_then(|job| found.jobs.get(&job));
        // The person who started the job, if there is one.
        let user = job.map_or(one.user, |job| job.user);
        let person = self.people.get(&user);
        let commit = self.resolve(found, &one.sha);
        let sha = commit.map_or(one.sha.as_str(), |commit| commit.sha.as_str());
        let payload = json!({
            "object_kind": "deployment",
            "status": one.status,
            "status_changed_at": zoned(one.moved_at),
            "deployment_id": id,
            "deployable_id": one.job,
            "deployable_url": one.job.map(|job| self.job_url(found, job)),
            "environment": environment.map(|known| &known.name),
            "environment_tier": environment.map(Environment::tier),
            "environment_slug": environment.map(Environment::slug),
            "environment_external_url": null,
            "project": self.project_attributes(found),
            "short_sha": sha.get(..8),
            "user": self.user_attributes(user),
            "user_url": person.map(|person| format!("{}/{}", self.url, person.username)),
            "commit_url": format!("{}/-/commit/{sha}", self.web_url(found)),
            "commit_title": commit.map(super::commits::Commit::title),
            "ref": one.reference,
        });
        self.tell("deployment_events", project, payload);
    }

    pub(super) fn release_event(&mut self, project: u64, tag: &str, action: &str) {
        let (id, now) = (self.next_id(), self.now());
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let web = self.web_url(found);
        let archive = |format: &str| {
            let url = format!("{web}/-/archive/{tag}/{}-{tag}.{format}", found.name());
            json!({ "format": format, "url": url })
        };
        let sources: Vec<Value> = ["zip", "tar.gz", "tar.bz2", "tar"].map(archive).into();
        let sha = found.tags.get(tag).map_or("", String::as_str);
        let payload = json!({
            "id": id,
            "created_at": spoken(now),
            "description": "",
            "name": tag,
            "released_at": spoken(now),
            "tag": tag,
            "object_kind": "release",
            "project": self.project_attributes(found),
            "url": format!("{web}/-/releases/{tag}"),
            "action": action,
            "assets": { "count": sources.len(), "links": [], "sources": sources },
            "commit": self.commit_attributes(found, sha),
        });
        self.tell("releases_events", project, payload);
    }
}
