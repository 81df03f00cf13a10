//! Commits, branches and tags: ancestry, comparison, and the many ways to name a commit.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::projects::Project;
use super::world::{World, merge, signed, stamp};
use super::{GitLab, NewCommit, lock};
use crate::history::{self, Recorded};
use countersign_ground::digest;

#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) sha: String,
    network: u64,
    /// Later commits have higher numbers, and parents lower ones.
    serial: u64,
    parents: Vec<String>,
    pub(super) message: String,
    pub(super) author: Signatory,
    committer: Signatory,
    pub(super) at: Timestamp,
    /// What it touches; `old => new` for what it moves.
    pub(super) files: Vec<String>,
}

/// A commit knows people by their addresses only.
#[derive(Clone, Debug)]
pub(super) struct Signatory {
    pub(super) name: String,
    pub(super) email: String,
}

impl Commit {
    pub(super) fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
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

impl GitLab {
    /// Puts a commit on a branch and sends no webhook; a new branch begins at the default one.
    pub fn add_commit(&self, project: &str, branch: &str, new: NewCommit) -> String {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        world.commit(id, branch, new)
    }

    /// Points a branch somewhere and sends no webhook.
    pub fn set_branch(&self, project: &str, branch: &str, sha: &str) {
        self.change_project(project, |found| {
            found.branches.insert(branch.to_owned(), sha.to_owned());
        });
    }

    /// The first commit below another.
    pub fn parent(&self, sha: &str) -> Option<String> {
        let world = lock(&self.world);
        world.commits.get(sha)?.parents.first().cloned()
    }

    /// The commit that a branch points at.
    pub fn head(&self, project: &str, branch: &str) -> Option<String> {
        let world = lock(&self.world);
        world.project_named(project)?.branches.get(branch).cloned()
    }

    /// From now on comparisons give up before they have seen every file, or no longer do.
    pub fn let_compares_time_out(&self, time_out: bool) {
        lock(&self.world).compares_time_out = time_out;
    }
}

impl World {
    pub(super) fn plant_root(&mut self, project: u64) {
        let new = NewCommit {
            message: "Initial commit".to_owned(),
            files: vec!["README.md".to_owned()],
            ..NewCommit::default()
        };
        let sha = self.commit_on(project, Vec::new(), &new);
        self.point(project, "main", &sha);
    }

    /// A username, or an address that may belong to no account.
    fn signatory(&self, name: Option<&str>) -> Signatory {
        let name = name.unwrap_or("somebody");
        let known = self.person_named(name).or_else(|| self.person_with(name));
        match known {
            Some(person) => Signatory {
                name: person.name.clone(),
                email: person.email.clone(),
            },
            None if name.contains('@') => Signatory {
                name: name.split('@').next().unwrap_or_default().to_owned(),
                email: name.to_owned(),
            },
            None => Signatory {
                name: name.to_owned(),
                email: format!("{name}@elsewhere.example"),
            },
        }
    }

    /// A commit beside the branches, on top of these parents.
    pub(super) fn commit_on(
        &mut self,
        project: u64,
        parents: Vec<String>,
        new: &NewCommit,
    ) -> String {
        let serial = self.next_id();
        let network = self
            .projects
            .get(&project)
            .map_or(project, |found| found.network);
        let seed = format!("{network} {serial} {parents:?} {}", new.message);
        let sha = digest::sha256_hex(seed.as_bytes())[..40].to_owned();
        let commit = Commit {
            sha: sha.clone(),
            network,
            serial,
            parents,
            message: new.message.clone(),
            author: self.signatory(new.author.as_deref()),
            committer: self.signatory(new.committer.as_deref()),
            at: self.now(),
            files: new.files.clone(),
        };
        self.commits.insert(sha.clone(), commit);
        sha
    }

    pub(super) fn commit(&mut self, project: u64, branch: &str, mut new: NewCommit) -> String {
        let base = self.projects.get(&project).and_then(|found| {
            let default = || found.branches.get(&found.default_branch);
            found.branches.get(branch).or_else(default).cloned()
        });
        let merges = std::mem::take(&mut new.merges);
        let parents = base.into_iter().chain(merges).collect();
        let sha = self.commit_on(project, parents, &new);
        self.point(project, branch, &sha);
        sha
    }

    pub(super) fn point(&mut self, project: u64, branch: &str, sha: &str) {
        if let Some(found) = self.projects.get_mut(&project) {
            found.branches.insert(branch.to_owned(), sha.to_owned());
        }
    }

    pub(super) fn branch_head(&self, project: u64, branch: &str) -> Option<String> {
        self.projects.get(&project)?.branches.get(branch).cloned()
    }

    /// What a text means in this project: a tag, a branch, a whole SHA, or the beginning of one.
    pub(super) fn resolve(&self, project: &Project, text: &str) -> Option<&Commit> {
        if let Some(sha) = history::named(&project.tags, &project.branches, text) {
            return self.commits.get(sha);
        }
        history::abbreviated(&self.commits, project.network, text)
    }

    pub(super) fn commit_json(&self, project: &Project, commit: &Commit) -> Value {
        let at = signed(commit.at);
        json!({
            "id": commit.sha,
            "short_id": &commit.sha[..8],
            "created_at": at,
            "parent_ids": commit.parents,
            "title": commit.title(),
            "message": commit.message,
            "author_name": commit.author.name,
            "author_email": commit.author.email,
            "authored_date": at,
            "committer_name": commit.committer.name,
            "committer_email": commit.committer.email,
            "committed_date": at,
            "trailers": {},
            "extended_trailers": {},
            "web_url": format!("{}/-/commit/{}", self.web_url(project), commit.sha),
        })
    }

    /// As webhooks tell of the commit that they are about.
    pub(super) fn commit_attributes(&self, project: &Project, sha: &str) -> Value {
        let Some(commit) = self.commits.get(sha) else {
            return Value::Null;
        };
        json!({
            "id": sha,
            "message": commit.message,
            "title": commit.title(),
            "timestamp": signed(commit.at),
            "url": format!("{}/-/commit/{sha}", self.web_url(project)),
            "author": { "name": commit.author.name, "email": commit.author.email },
        })
    }

    pub(super) fn known(&self, project: &Project, text: &str) -> Result<&Commit, Answer> {
        let found = self.resolve(project, text);
        found.ok_or_else(|| Answer::not_found("Commit"))
    }

    /// `GET /projects/:id/repository/commits/:sha`
    pub(super) fn get_commit(&self, project: &Project, text: &str) -> Outcome {
        let commit = self.known(project, text)?;
        let mut shown = self.commit_json(project, commit);
        let files = commit.files.len();
        let last = project.pipelines.values().rev();
        let last = last.clone().find(|pipeline| pipeline.sha == commit.sha);
        let more = json!({
            "stats": { "additions": files, "deletions": 0, "total": files },
            "status": last.map(|pipeline| pipeline.status),
            "project_id": project.id,
            "last_pipeline": last.map(|pipeline| self.pipeline_basic(project, pipeline)),
        });
        merge(&mut shown, more);
        Answer::ok(shown)
    }

    /// `GET /projects/:id/repository/commits/:sha/refs`
    pub(super) fn commit_refs(&self, call: &Call, project: &Project, text: &str) -> Outcome {
        let sha = &self.known(project, text)?.sha;
        let kind = call.asked("type").unwrap_or("all");
        let kinds = [("branch", &project.branches), ("tag", &project.tags)];
        let refs = kinds
            .into_iter()
            .filter(|(name, _)| kind == "all" || kind == *name)
            .flat_map(|(kind, refs)| refs.iter().map(move |(name, head)| (kind, name, head)))
            .filter(|(_, _, head)| history::ancestors(&self.commits, head).contains(sha.as_str()))
            .map(|(kind, name, _)| json!({ "type": kind, "name": name }));
        call.list(refs.collect(), |shown| shown)
    }

    pub(super) fn branch_json(&self, project: &Project, name: &str, head: &Commit) -> Value {
        let is_default = name == project.default_branch;
        json!({
            "name": name,
            "commit": self.commit_json(project, head),
            "merged": false,
            "protected": is_default,
            "developers_can_push": false,
            "developers_can_merge": false,
            "can_push": true,
            "default": is_default,
            "web_url": format!("{}/-/tree/{name}", self.web_url(project)),
        })
    }

    /// `GET /projects/:id/repository/branches/:branch`
    pub(super) fn get_branch(&self, project: &Project, name: &str) -> Outcome {
        let head = project.branches.get(name);
        let head = head.and_then(|sha| self.commits.get(sha));
        let head = head.ok_or_else(|| Answer::not_found("Branch"))?;
        Answer::ok(self.branch_json(project, name, head))
    }

    /// `GET /projects/:id/repository/tags/:tag_name`
    pub(super) fn get_tag(&self, project: &Project, name: &str) -> Outcome {
        let head = project.tags.get(name);
        let head = head.and_then(|sha| self.commits.get(sha));
        let head = head.ok_or_else(|| Answer::not_found("Tag"))?;
        Answer::ok(json!({
            "name": name,
            "message": "",
            "target": head.sha,
            "commit": self.commit_json(project, head),
            "release": null,
            "protected": false,
            "created_at": null,
        }))
    }

    /// `GET /projects/:id/repository/merge_base`
    pub(super) fn merge_base(&self, call: &Call, project: &Project) -> Outcome {
        let refs = call.asked_all("refs");
        if refs.len() < 2 {
            return Err(Answer::bad_request("Provide at least 2 refs"));
        }
        let mut base = self.known(project, refs[0])?;
        for text in &refs[1..] {
            let other = self.known(project, text)?;
            let shared = history::fork_point(&self.commits, &base.sha, &other.sha);
            base = shared.ok_or_else(|| Answer::not_found("Merge Base"))?;
        }
        Answer::ok(self.commit_json(project, base))
    }

    /// `GET /projects/:id/repository/compare`
    pub(super) fn compare(&self, call: &Call, project: &Project) -> Outcome {
        let text = |name: &str| {
            let missing = || Answer::error(400, &format!("{name} is missing"));
            call.asked(name).ok_or_else(missing)
        };
        let (from, to) = (text("from")?, text("to")?);
        let other = call.asked("from_project_id").and_then(|id| id.parse().ok());
        let source = other
            .and_then(|id| self.projects.get(&id))
            .unwrap_or(project);
        let unknown = || Answer::not_found("Ref");
        let from = self.resolve(source, from).ok_or_else(unknown)?;
        let to = self.resolve(project, to).ok_or_else(unknown)?;
        let commits = history::between(&self.commits, &from.sha, &to.sha);
        let mut files: BTreeSet<&String> =
            commits.iter().flat_map(|commit| &commit.files).collect();
        if call.asked("straight") == Some("true") {
            // From commit to commit, so what only the first side has shows as well.
            let behind = history::between(&self.commits, &to.sha, &from.sha);
            files.extend(behind.iter().flat_map(|commit| &commit.files));
        }
        if self.compares_time_out {
            files.clear();
        }
        let diff = |file: &String| {
            let (old, new) = file.split_once(" => ").unwrap_or((file, file));
            json!({
                "diff": "@@ -0,0 +1 @@\n+line\n", "new_path": new, "old_path": old,
                "a_mode": "100644", "b_mode": "100644", "new_file": false,
                "renamed_file": old != new, "deleted_file": false, "generated_file": false,
            })
        };
        let shown: Vec<Value> = commits
            .iter()
            .map(|commit| self.commit_json(project, commit))
            .collect();
        let web = self.web_url(project);
        Answer::ok(json!({
            "commit": shown.last(),
            "commits": shown,
            "diffs": files.into_iter().map(diff).collect::<Vec<_>>(),
            "compare_timeout": self.compares_time_out,
            "compare_same_ref": from.sha == to.sha,
            "web_url": format!("{web}/-/compare/{}...{}", from.sha, to.sha),
        }))
    }

    /// A time that may not have come, as the API writes it.
    pub(super) fn when(time: Option<Timestamp>) -> Value {
        time.map_or(Value::Null, |time| stamp(time).into())
    }
}
