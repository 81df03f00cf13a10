//! Acts of machines: runners and tools run jobs, report about commits, deploy.

use serde_json::Value;

use super::deployments::NewDeployment;
use super::environments::Refusal;
use super::jobs;
use super::pipelines::Start;
use super::plan::JobPlan;
use super::statuses::Said;
use super::world::World;
use super::{GitLab, lock};

impl GitLab {
    /// The newest pipeline of a commit.
    pub fn pipeline_of(&self, project: &str, sha: &str) -> Option<u64> {
        let world = lock(&self.world);
        World::newest_pipeline(world.project_named(project)?, sha, None)
    }

    /// The job of this name in the newest pipeline of a commit: its number and its status.
    pub fn job_of(&self, project: &str, sha: &str, name: &str) -> Option<(u64, String)> {
        let world = lock(&self.world);
        let found = world.project_named(project)?;
        let pipeline = World::newest_pipeline(found, sha, None)?;
        let job = found.job_named(pipeline, name)?;
        Some((job.id, job.status.to_owned()))
    }

    /// The newest job of this name in any pipeline of a commit, children included.
    pub fn newest_job(&self, project: &str, sha: &str, name: &str) -> Option<u64> {
        let world = lock(&self.world);
        let found = world.project_named(project)?;
        let is_of_commit = |pipeline: &u64| {
            let pipeline = found.pipelines.get(pipeline);
            pipeline.is_some_and(|pipeline| pipeline.sha == sha)
        };
        let mut jobs = found.jobs.values().rev();
        let newest = jobs.find(|job| job.name == name && is_of_commit(&job.pipeline));
        newest.map(|job| job.id)
    }

    /// The status of a pipeline.
    pub fn pipeline_status(&self, pipeline: u64) -> Option<String> {
        let world = lock(&self.world);
        let mut all = world.projects.values();
        all.find_map(|found| found.pipelines.get(&pipeline))
            .map(|found| found.status.to_owned())
    }

    /// A person starts a pipeline from GitLab's pages; its number.
    pub async fn run_pipeline(&self, project: &str, branch: &str, by: &str) -> Option<u64> {
        self.run_pipeline_from(project, branch, ("web", by)).await
    }

    /// A pipeline of a branch starts for this reason, in the name of this person; its number.
    pub async fn run_pipeline_from(
        &self,
        project: &str,
        branch: &str,
        (source, by): (&str, &str),
    ) -> Option<u64> {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(project), world.person(by));
        let start = Start {
            sha: world.branch_head(id, branch)?,
            before: "0".repeat(40),
            reference: branch.to_owned(),
            source: source.to_owned(),
            user: by,
            ..Start::default()
        };
        let plan = world.projects.get(&id)?.plan.clone();
        world.start(id, start, &plan)
    }

    /// The pipeline of a merge request, beside the branch's; its number.
    pub async fn run_merge_request_pipeline(&self, project: &str, iid: u64) -> Option<u64> {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        let found = world.projects.get(&id)?;
        let about = found.merge_requests.get(&iid)?;
        let start = Start {
            sha: about.sha.clone(),
            before: "0".repeat(40),
            reference: format!("refs/merge-requests/{iid}/head"),
            source: "merge_request_event".to_owned(),
            user: about.author,
            merge_request: Some(iid),
            ..Start::default()
        };
        let plan = found.plan.clone();
        world.start(id, start, &plan)
    }

    /// A job of the newest pipeline of a commit moves; what is missing is made up, and what is over runs
    /// again as another job. The job's number.
    pub async fn job(&self, project: &str, sha: &str, name: &str, status: &str) -> u64 {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        let job = world.job_in(id, sha, name).unwrap_or(0);
        let ann = world.person("ann");
        let job = world.run_again(id, job, ann).unwrap_or(job);
        world.run_to(id, job, status);
        job
    }

    /// A job moves, unless it is over.
    pub async fn job_moves(&self, job: u64, status: &str) {
        let mut world = lock(&self.world);
        if let Some(project) = world.project_with_job(job) {
            world.run_to(project, job, status);
        }
    }

    /// Every job whose turn has come runs and ends well, until only people can go on.
    pub async fn pass(&self, project: &str, sha: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        loop {
            let found = world.projects.get(&id);
            let next = found.and_then(|found| {
                let pipeline = World::newest_pipeline(found, sha, None)?;
                let mut jobs = found.jobs_of(pipeline);
                jobs.find(|job| job.is_build() && matches!(job.status, "pending" | "running"))
                    .map(|job| job.id)
            });
            let Some(job) = next else {
                return;
            };
            world.move_job(id, job, "running");
            world.move_job(id, job, "success");
        }
    }

    /// A person starts a manual job; whether they could.
    pub async fn play(&self, job: u64, by: &str) -> bool {
        let mut world = lock(&self.world);
        let by = world.person(by);
        let Some(project) = world.project_with_job(job) else {
            return false;
        };
        world.play(project, job, by, Vec::new()).is_ok()
    }

    /// A person runs a job again: another job, whose number comes back.
    pub async fn retry(&self, job: u64, by: &str) -> Option<u64> {
        let mut world = lock(&self.world);
        let by = world.person(by);
        let project = world.project_with_job(job)?;
        let again: Result<u64, Refusal> = world.run_again(project, job, by);
        again.ok()
    }

    /// Cancels a pipeline.
    pub async fn cancel_pipeline(&self, pipeline: u64) {
        let mut world = lock(&self.world);
        let mut all = world.projects.values();
        let holder = all.find(|found| found.pipelines.contains_key(&pipeline));
        if let Some(project) = holder.map(|found| found.id) {
            world.cancel(project, pipeline);
        }
    }

    /// A person or a tool reports a commit status, and names the pipeline where no branch has the commit.
    pub async fn status(&self, project: &str, sha: &str, name: &str, (state, by): (&str, &str)) {
        let mut world = lock(&self.world);
        let (project, by) = (world.id_of(project), world.person(by));
        let Some(state) = jobs::status(state) else {
            return;
        };
        let found = world.projects.get(&project);
        let aside = found.filter(|found| world.branch_with(found, sha).is_none());
        let pipeline = aside.and_then(|found| {
            let newest = World::newest_pipeline(found, sha, None)?;
            let reference = found.pipelines.get(&newest)?.reference.clone();
            Some((newest, reference))
        });
        let said = Said {
            name,
            state,
            reference: pipeline.as_ref().map(|(_, reference)| reference.as_str()),
            pipeline: pipeline.as_ref().map(|(newest, _)| *newest),
            description: None,
            target_url: None,
        };
        // What GitLab does not take is not said.
        let _said = world.say(project, sha, &said, by);
    }

    /// A person's own tool deploys; the deployment's number.
    pub async fn deploy(&self, project: &str, sha: &str, environment: &str, by: &str) -> u64 {
        let mut world = lock(&self.world);
        let (project, by) = (world.id_of(project), world.person(by));
        let found = world.projects.get(&project);
        let branch = found.and_then(|found| world.branch_with(found, sha));
        let new = NewDeployment {
            environment: environment.to_owned(),
            sha: sha.to_owned(),
            reference: branch.unwrap_or_else(|| sha.to_owned()),
            user: by,
            job: None,
        };
        let id = world.new_deployment(project, new);
        world.move_deployment(project, id, "running");
        id
    }

    /// How a deployment goes: its job moves, or the tool that carries it out says so.
    pub async fn deployment_status(&self, deployment: u64, status: &str) {
        let mut world = lock(&self.world);
        let Some(project) = world.project_with_deployment(deployment) else {
            return;
        };
        let found = world.projects.get(&project);
        let one = found.and_then(|found| found.deployments.get(&deployment));
        match (one.and_then(|one| one.job), World::sayable(status)) {
            (Some(job), _) => world.run_to(project, job, status),
            (None, Some(status)) => world.move_deployment(project, deployment, status),
            (None, None) => {}
        }
    }

    /// The deployments to an environment, oldest first: number, status and SHA.
    pub fn deployments(&self, project: &str, environment: &str) -> Vec<(u64, String, String)> {
        let world = lock(&self.world);
        let Some(found) = world.project_named(project) else {
            return Vec::new();
        };
        let mut known = found.environments.values();
        let environment = known.find(|known| known.name == environment);
        let there = found
            .deployments
            .values()
            .filter(|one| environment.is_some_and(|known| known.id == one.environment));
        there
            .map(|one| (one.id, one.status.to_owned(), one.sha.clone()))
            .collect()
    }

    /// The variables with which a pipeline was started.
    pub fn pipeline_variables(&self, pipeline: u64) -> Vec<(String, String)> {
        let world = lock(&self.world);
        let mut all = world.projects.values();
        let found = all.find_map(|found| found.pipelines.get(&pipeline));
        found.map_or_else(Vec::new, |one| one.variables.clone())
    }

    /// The inputs that a pipeline was given.
    pub fn pipeline_inputs(&self, pipeline: u64) -> Value {
        let world = lock(&self.world);
        let mut all = world.projects.values();
        let found = all.find_map(|found| found.pipelines.get(&pipeline));
        found.map_or(Value::Null, |one| one.inputs.clone().into())
    }

    /// The variables with which a job was started.
    pub fn job_variables(&self, job: u64) -> Vec<(String, String)> {
        let world = lock(&self.world);
        let mut all = world.projects.values();
        let found = all.find_map(|found| found.jobs.get(&job));
        found.map_or_else(Vec::new, |job| job.variables.clone())
    }
}

impl World {
    /// A job moves as a runner moves it: nothing ends that did not run.
    fn run_to(&mut self, project: u64, job: u64, status: &str) {
        let Some(status) = jobs::status(status) else {
            return;
        };
        let found = self.projects.get(&project);
        let Some(found) = found.and_then(|found| found.jobs.get(&job)) else {
            return;
        };
        if matches!(found.status, "success" | "failed" | "canceled") {
            return;
        }
        if found.status != "running" && matches!(status, "success" | "failed") {
            self.move_job(project, job, "running");
        }
        self.move_job(project, job, status);
    }

    fn project_with_job(&self, job: u64) -> Option<u64> {
        let mut all = self.projects.values();
        all.find(|found| found.jobs.contains_key(&job))
            .map(|found| found.id)
    }

    /// A job of the newest pipeline of a commit; both are made where they are missing.
    fn job_in(&mut self, project: u64, sha: &str, name: &str) -> Option<u64> {
        let found = self.projects.get(&project)?;
        let newest = Self::newest_pipeline(found, sha, None);
        if let Some(job) = newest.and_then(|pipeline| found.job_named(pipeline, name)) {
            return Some(job.id);
        }
        let planned = JobPlan::new(name, "test");
        let user = self.person("ann");
        match newest {
            Some(pipeline) => {
                let job = self.add_job(project, (pipeline, user), &planned, 0);
                self.job_event(project, job);
                Some(job)
            }
            None => {
                let start = Start {
                    sha: sha.to_owned(),
                    before: "0".repeat(40),
                    reference: self.branch_with(found, sha)?,
                    source: "push".to_owned(),
                    user,
                    ..Start::default()
                };
                let pipeline = self.start(project, start, &[planned])?;
                let found = self.projects.get(&project)?;
                found.job_named(pipeline, name).map(|job| job.id)
            }
        }
    }
}
