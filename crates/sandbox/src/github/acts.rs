//! Acts: what people and machines do on GitHub by themselves. Each act changes the world and tells about it.

use serde_json::json;

use super::actions::{Run, Start};
use super::deployments::NewDeployment;
use super::installations::Fate;
use super::pull_acts::Join;
use super::pushes::Moved;
use super::reports::{Checked, Said};
use super::world::World;
use super::{GitHub, NewCommit, lock};

impl GitHub {
    /// Pushes commits onto a branch; the last one's SHA. Workflows `on: push` start.
    pub async fn push(&self, repository: &str, branch: &str, commits: Vec<NewCommit>) -> String {
        self.push_of(None, repository, branch, commits)
    }

    /// A person pushes what others may have written.
    pub async fn push_as(
        &self,
        person: &str,
        repository: &str,
        branch: &str,
        commits: Vec<NewCommit>,
    ) -> String {
        let by = lock(&self.world).person(person);
        self.push_of(Some(by), repository, branch, commits)
    }

    fn push_of(
        &self,
        by: Option<u64>,
        repository: &str,
        branch: &str,
        commits: Vec<NewCommit>,
    ) -> String {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        let before = world.branch_head(id, branch);
        let pushed: Vec<String> = commits
            .into_iter()
            .map(|new| world.commit(id, branch, new))
            .collect();
        let after = world.branch_head(id, branch).unwrap_or_default();
        let moved = Moved {
            branch,
            before: before.as_deref(),
            commits: &pushed,
            by,
            is_merge: false,
        };
        world.pushed(id, &moved);
        after
    }

    /// Points a branch at another commit, whatever was there.
    pub async fn force_push(&self, repository: &str, branch: &str, sha: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        let before = world.branch_head(id, branch);
        world.point(id, branch, sha);
        let moved = Moved {
            branch,
            before: before.as_deref(),
            commits: &[],
            by: None,
            is_merge: false,
        };
        world.pushed(id, &moved);
    }

    pub async fn delete_branch(&self, repository: &str, branch: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        let before = world.branch_head(id, branch);
        if let Some(found) = world.repositories.get_mut(&id) {
            found.branches.remove(branch);
        }
        let moved = Moved {
            branch,
            before: before.as_deref(),
            commits: &[],
            by: None,
            is_merge: false,
        };
        world.pushed(id, &moved);
    }

    /// A person tags a commit. Workflows that run on pushes run for it, too.
    pub async fn tag(&self, repository: &str, tag: &str, sha: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        world.tagged(id, tag, sha);
    }

    /// Opens a pull request from one branch to another; its number.
    pub async fn open_pull_request(
        &self,
        repository: &str,
        by: &str,
        head: &str,
        base: &str,
    ) -> u64 {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(repository), world.person(by));
        let last = world
            .repositories
            .get(&id)
            .and_then(|found| found.pulls.keys().next_back().copied());
        let number = last.unwrap_or(0) + 1;
        world.open(id, number, by, (head, base));
        world.pull_event((id, number), "opened", by, json!({}));
        number
    }

    /// Merges with a merge commit; its SHA.
    pub async fn merge(&self, repository: &str, number: u64, by: &str) -> String {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(repository), world.person(by));
        world
            .merge_pull(id, number, by, Join::Merge)
            .unwrap_or_default()
    }

    /// Merges as one new commit of the pull request's author; its SHA.
    pub async fn squash(&self, repository: &str, number: u64, by: &str) -> String {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(repository), world.person(by));
        world
            .merge_pull(id, number, by, Join::Squash)
            .unwrap_or_default()
    }

    pub async fn close(&self, repository: &str, number: u64, by: &str) {
        let mut world = lock(&self.world);
        let now = world.now();
        world.change_pull((repository, number), by, "closed", |pull| {
            pull.closed_at = Some(now);
        });
    }

    pub async fn convert_to_draft(&self, repository: &str, number: u64, by: &str) {
        lock(&self.world).change_pull((repository, number), by, "converted_to_draft", |pull| {
            pull.is_draft = true;
        });
    }

    pub async fn ready_for_review(&self, repository: &str, number: u64, by: &str) {
        lock(&self.world).change_pull((repository, number), by, "ready_for_review", |pull| {
            pull.is_draft = false;
        });
    }

    /// A person comments; the comment's id.
    pub async fn comment(&self, person: &str, repository: &str, number: u64, text: &str) -> u64 {
        let mut world = lock(&self.world);
        let (repository, person) = (world.id_of(repository), world.person(person));
        let id = world.write(repository, number, person, text);
        world.comment_event(repository, id, "created", person);
        id
    }

    pub async fn edit_comment(&self, person: &str, repository: &str, id: u64, text: &str) {
        let mut world = lock(&self.world);
        let (repository, person) = (world.id_of(repository), world.person(person));
        world.edit(repository, id, person, text);
    }

    pub async fn delete_comment(&self, person: &str, repository: &str, id: u64) {
        let mut world = lock(&self.world);
        let (repository, person) = (world.id_of(repository), world.person(person));
        world.comment_event(repository, id, "deleted", person);
        if let Some(found) = world.repositories.get_mut(&repository) {
            found.comments.remove(&id);
        }
    }

    /// A person or an app reports a commit status.
    pub async fn status(
        &self,
        repository: &str,
        sha: &str,
        context: &str,
        (state, by): (&str, &str),
    ) {
        let mut world = lock(&self.world);
        let (repository, by) = (world.id_of(repository), world.person(by));
        let said = Said {
            context,
            state,
            description: None,
            target_url: None,
        };
        world.say(repository, sha, &said, by);
    }

    /// An app reports on a check: `status`, and `conclusion` when it is completed.
    pub async fn check_run(
        &self,
        repository: &str,
        sha: &str,
        (name, app): (&str, &str),
        (status, conclusion): (&str, Option<&str>),
    ) -> u64 {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        // What GitHub Actions reports of itself is a job.
        let run = (app == "github-actions").then(|| world.tested(repository, sha));
        let checked = Checked {
            name,
            status,
            conclusion,
            app,
            run: run.flatten(),
        };
        world.check(repository, sha, &checked).unwrap_or(0)
    }

    /// A job of a run reports on its check; of a run that somebody dispatched, perhaps.
    pub async fn job_of(
        &self,
        repository: &str,
        run: u64,
        name: &str,
        (status, conclusion): (&str, Option<&str>),
    ) -> u64 {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        let found = world.repositories.get(&repository);
        let sha = found.and_then(|found| Some(found.runs.get(&run)?.sha.clone()));
        let checked = Checked {
            name,
            status,
            conclusion,
            app: "github-actions",
            run: Some(run),
        };
        world
            .check(repository, &sha.unwrap_or_default(), &checked)
            .unwrap_or(0)
    }

    /// Some workflow posts a check with its token, on whichever commit it likes.
    pub async fn post_check(
        &self,
        repository: &str,
        sha: &str,
        name: &str,
        conclusion: &str,
    ) -> u64 {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        let checked = Checked {
            name,
            status: "completed",
            conclusion: Some(conclusion),
            app: "github-actions",
            run: None,
        };
        world.check(repository, sha, &checked).unwrap_or(0)
    }

    /// A workflow starts; the run's id.
    pub async fn run(&self, repository: &str, file: &str, sha: &str, event: &'static str) -> u64 {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        let branch = world.branch_of(repository, sha);
        let actor = world
            .commits
            .get(sha)
            .and_then(|commit| commit.author)
            .unwrap_or(5);
        let Some(workflow) = world.workflow(repository, file) else {
            return 0;
        };
        let start = Start {
            event,
            branch,
            sha: sha.to_owned(),
            actor,
            context: json!({}),
        };
        world.start_run(repository, &workflow, &start)
    }

    /// A run moves to another status, with a conclusion when it is completed.
    pub async fn run_moves(&self, id: u64, status: &str, conclusion: Option<&str>) {
        let action = match status {
            "completed" => "completed",
            "in_progress" => "in_progress",
            _ => "",
        };
        lock(&self.world).move_run(id, action, |run, _| {
            status.clone_into(&mut run.status);
            run.conclusion = conclusion.map(str::to_owned);
        });
    }

    /// A person runs it again: the same id, the next attempt.
    pub async fn rerun(&self, id: u64) {
        lock(&self.world).move_run(id, "requested", Run::begin_again);
    }

    /// A person deploys past us; the deployment's id.
    pub async fn deploy(&self, repository: &str, sha: &str, environment: &str, by: &str) -> u64 {
        let mut world = lock(&self.world);
        let (repository, by) = (world.id_of(repository), world.person(by));
        let new = NewDeployment {
            sha: sha.to_owned(),
            reference: sha.to_owned(),
            task: "deploy".to_owned(),
            payload: json!({}),
            environment: environment.to_owned(),
            description: None,
            is_production: environment == "production",
            is_transient: false,
        };
        world.deploy(repository, new, by)
    }

    /// The workflow that carries a deployment out says how it goes.
    pub async fn deployment_status(&self, deployment: u64, state: &str) {
        let by = {
            let world = lock(&self.world);
            world.apps.get("github-actions").map_or(0, |app| app.bot)
        };
        self.say_how_it_goes(deployment, state, by);
    }

    /// A person who may write says how a deployment goes.
    pub async fn deployment_status_by(&self, deployment: u64, state: &str, by: &str) {
        let by = lock(&self.world).person(by);
        self.say_how_it_goes(deployment, state, by);
    }

    fn say_how_it_goes(&self, deployment: u64, state: &str, by: u64) {
        let mut world = lock(&self.world);
        let holders = world.repositories.values();
        let holder = holders
            .clone()
            .find(|found| found.deployments.contains_key(&deployment));
        if let Some(repository) = holder.map(|found| found.id) {
            world.advance(repository, deployment, state, by);
        }
    }

    /// A run waits for us before it enters an environment.
    pub async fn protection_rule_requested(
        &self,
        repository: &str,
        run: u64,
        environment: &str,
        deployment: u64,
    ) {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        world.move_run(run, "", |run, _| {
            "waiting".clone_into(&mut run.status);
            run.waits_for.insert(environment.to_owned(), 0);
        });
        world.ask_rule(repository, run, environment, deployment);
    }

    pub async fn rename_repository(&self, repository: &str, full_name: &str, by: &str) {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(repository), world.person(by));
        let Some(former) = world.rename(id, full_name) else {
            return;
        };
        let from = former.split('/').nth(1).unwrap_or_default();
        let payload = json!({
            "action": "renamed",
            "changes": { "repository": { "name": { "from": from } } },
        });
        world.tell("repository", id, by, payload);
    }

    /// Installs the app, removes it, or stops it for a while.
    pub async fn installation(&self, id: u64, account: &str, fate: Fate) {
        lock(&self.world).settle_fate(id, account, fate);
    }

    /// Adds a repository to an installation, or takes it out; it covers chosen ones from then on.
    pub async fn choose_repository(&self, installation: u64, repository: &str, chosen: bool) {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        world.choose(installation, repository, chosen);
    }

    /// GitHub greets a webhook.
    pub async fn ping(&self, hook: u64) {
        lock(&self.world).greet(hook);
    }
}

impl World {
    pub(super) fn person(&self, login: &str) -> u64 {
        self.account_named(login).map_or(0, |account| account.id)
    }
}
