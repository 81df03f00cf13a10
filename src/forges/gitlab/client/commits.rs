//! Commits, branches and merge requests, and how two commits are related.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::people::{User, behind};
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{
    Account, Commit, Comparison, Credit, Part, PullRequest, Relation, Repository, Sha, Somebody,
};
use crate::forges::co_authors::co_authors;
use crate::web::escaped;

/// GitLab shows at most so many changed files.
const MOST_PATHS: usize = 1_000;

#[derive(Deserialize)]
struct RawCommit {
    id: Sha,
    #[serde(default)]
    title: String,
    #[serde(default)]
    author_name: String,
    #[serde(default)]
    author_email: String,
    #[serde(default)]
    committer_name: String,
    #[serde(default)]
    committer_email: String,
    #[serde(default)]
    parent_ids: Vec<Sha>,
    #[serde(default)]
    message: String,
}

impl Client {
    pub(super) async fn commit(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Commit, CallError> {
        let path = format!(
            "{}/repository/commits/{}",
            project(repository),
            escaped(reference)
        );
        let raw: RawCommit = self.read(&path).await?;
        self.known(raw).await
    }

    /// When a commit was made, as it says itself.
    pub(super) async fn committed_at(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Timestamp, CallError> {
        #[derive(Deserialize)]
        struct Dated {
            #[serde(default)]
            committed_date: Option<Timestamp>,
        }
        let path = format!("{}/repository/commits/{sha}", project(repository));
        let found: Dated = self.read(&path).await?;
        Ok(found.committed_date.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The commit with the accounts of its people.
    async fn known(&self, raw: RawCommit) -> Result<Commit, CallError> {
        let mut named = vec![
            (
                Part::Author,
                raw.author_name.as_str(),
                raw.author_email.as_str(),
            ),
            (
                Part::Committer,
                raw.committer_name.as_str(),
                raw.committer_email.as_str(),
            ),
        ];
        let others = co_authors(&raw.message);
        named.extend(others.map(|(name, email)| (Part::CoAuthor, name, email)));
        let mut asked: BTreeMap<String, Option<Account>> = BTreeMap::new();
        let mut credits = Vec::new();
        for (part, name, email) in named {
            let key = email.to_ascii_lowercase();
            let account = match asked.get(&key) {
                Some(known) => known.clone(),
                None => self.author(email).await?,
            };
            asked.insert(key, account.clone());
            let who = account.map_or_else(
                || Somebody::Stranger(format!("{name} <{email}>")),
                Somebody::Known,
            );
            credits.push(Credit { part, who });
        }
        Ok(Commit {
            sha: raw.id,
            title: raw.title,
            credits,
            parents: raw.parent_ids,
        })
    }

    /// Where a branch stands; nothing when there is none.
    pub(super) async fn head(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<Sha>, CallError> {
        #[derive(Deserialize)]
        struct Branch {
            commit: Tip,
        }
        #[derive(Deserialize)]
        struct Tip {
            id: Sha,
        }
        let path = format!(
            "{}/repository/branches/{}",
            project(repository),
            escaped(branch)
        );
        let found: Option<Branch> = self.read_maybe(&path).await?;
        Ok(found.map(|branch| branch.commit.id))
    }

    pub(super) async fn merge_request(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<PullRequest, CallError> {
        #[derive(Deserialize)]
        struct Merging {
            iid: u64,
            #[serde(default)]
            author: Option<User>,
            state: String,
            #[serde(default)]
            draft: bool,
            sha: Sha,
            #[serde(default)]
            merge_commit_sha: Option<Sha>,
            #[serde(default)]
            squash_commit_sha: Option<Sha>,
            #[serde(default)]
            source_project_id: Option<u64>,
            target_branch: String,
        }
        let path = format!("{}/merge_requests/{number}", project(repository));
        let found: Merging = self.read(&path).await?;
        // Without a commit of its own the branch was moved ahead to the head, or to the squashed commit.
        let landed = [found.merge_commit_sha, found.squash_commit_sha];
        let landed = landed.into_iter().flatten().next();
        let merged = (found.state == "merged").then(|| landed.unwrap_or_else(|| found.sha.clone()));
        Ok(PullRequest {
            number: found.iid,
            opener: behind(found.author),
            head: found.sha,
            head_repository: found.source_project_id,
            base: found.target_branch,
            open: found.state == "opened",
            draft: found.draft,
            merged,
        })
    }

    /// What lies between two commits. GitLab tells what the one has and the other has not, so it is asked
    /// both ways.
    pub(super) async fn compare(
        &self,
        repository: &Repository,
        base: &str,
        head: &str,
    ) -> Result<Comparison, CallError> {
        let (ahead, behind) = tokio::try_join!(
            self.beyond(repository, base, head),
            self.beyond(repository, head, base)
        )?;
        let relation = match (ahead.is_empty(), behind.is_empty()) {
            (true, true) => Relation::Identical,
            (false, true) => Relation::Ahead,
            (true, false) => Relation::Behind,
            (false, false) => Relation::Diverged,
        };
        let paths = ahead.paths();
        let complete = !ahead.compare_timeout && !behind.compare_timeout;
        let mut commits = Vec::with_capacity(ahead.commits.len());
        for raw in ahead.commits {
            commits.push(self.known(raw).await?);
        }
        Ok(Comparison {
            relation,
            commits,
            complete,
            paths,
        })
    }

    async fn beyond(
        &self,
        repository: &Repository,
        from: &str,
        to: &str,
    ) -> Result<Compared, CallError> {
        let path = format!(
            "{}/repository/compare?from={}&to={}",
            project(repository),
            escaped(from),
            escaped(to)
        );
        self.read(&path).await
    }
}

#[derive(Deserialize)]
struct Compared {
    commits: Vec<RawCommit>,
    #[serde(default)]
    diffs: Vec<Diff>,
    /// Whether GitLab gave up before it had seen everything.
    #[serde(default)]
    compare_timeout: bool,
}

#[derive(Deserialize)]
struct Diff {
    old_path: String,
    new_path: String,
}

impl Compared {
    fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// The paths that are touched, if all of them are told.
    fn paths(&self) -> Option<Vec<String>> {
        let all = !self.compare_timeout && self.diffs.len() < MOST_PATHS;
        let paths = self
            .diffs
            .iter()
            .flat_map(|diff| [&diff.old_path, &diff.new_path]);
        all.then(|| {
            let paths: BTreeSet<&String> = paths.collect();
            paths.into_iter().cloned().collect()
        })
    }
}
