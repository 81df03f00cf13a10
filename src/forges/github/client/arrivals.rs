//! Arrivals: which pull requests brought a commit to a branch, and who moved the branch.

use serde::Deserialize;

use super::authors::behind;
use super::hooks::next_page;
use super::{As, Client};
use crate::call::CallError;
use crate::domain::{Merge, Move, Repository, Sha, Somebody};
use crate::forges::github::payload::{Numbered, User};
use crate::web::escaped;

const PAGE: usize = 100;
/// Pages of a branch's activity.
const PAGES: usize = 5;
const NOTHING: &str = "0000000000000000000000000000000000000000";

#[derive(Deserialize)]
struct Pull {
    number: u64,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    merge_commit_sha: Option<Sha>,
    head: Head,
    base: Base,
}

#[derive(Deserialize)]
struct Head {
    sha: Sha,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    repo: Option<Numbered>,
}

#[derive(Deserialize)]
struct Activity {
    before: String,
    after: String,
    activity_type: String,
    #[serde(default)]
    actor: Option<User>,
}

impl Client {
    /// The merged pull requests that brought a commit to a branch. GitHub also tells of open ones and of other branches.
    pub(super) async fn merges(
        &self,
        repository: &Repository,
        (branch, sha): (&str, &Sha),
        with_mergers: bool,
    ) -> Result<Vec<Merge>, CallError> {
        let path = format!(
            "/repos/{}/commits/{sha}/pulls?per_page={PAGE}",
            repository.path
        );
        let pulls: Vec<Pull> = self.read(As::In(repository), &path).await?;
        if pulls.len() >= PAGE {
            return Err(CallError::Never(
                "there are too many pull requests to read them all".to_owned(),
            ));
        }
        let mut merges = Vec::new();
        for pull in pulls {
            let base = pull.base.repo.map(|repo| repo.id.0);
            if pull.merged_at.is_none()
                || pull.base.reference != branch
                || base != Some(repository.id.number())
            {
                continue;
            }
            let merger = if with_mergers {
                Some(self.merger(repository, pull.number).await?)
            } else {
                None
            };
            merges.push(Merge {
                number: pull.number,
                opener: behind(pull.user),
                merger,
                commit: pull.merge_commit_sha,
                heads: vec![pull.head.sha],
            });
        }
        Ok(merges)
    }

    async fn merger(&self, repository: &Repository, number: u64) -> Result<Somebody, CallError> {
        #[derive(Deserialize)]
        struct Whole {
            #[serde(default)]
            merged_by: Option<User>,
        }
        let path = format!("/repos/{}/pulls/{number}", repository.path);
        let whole: Whole = self.read(As::In(repository), &path).await?;
        Ok(behind(whole.merged_by))
    }

    /// How a branch was moved, the newest first, as far back as a commit.
    pub(super) async fn moves(
        &self,
        repository: &Repository,
        branch: &str,
        back_to: Option<&Sha>,
    ) -> Result<Vec<Move>, CallError> {
        let first = format!(
            "/repos/{}/activity?ref={}&per_page={PAGE}",
            repository.path,
            escaped(&format!("refs/heads/{branch}"))
        );
        let mut moves = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let mut path = first.clone();
            if let Some(cursor) = &cursor {
                path.push_str(&format!("&after={cursor}"));
            }
            let answer = self.get(As::In(repository), &path).await?;
            let found: Vec<Activity> = answer.read()?;
            let is_enough = found
                .iter()
                .any(|one| back_to.is_some_and(|sha| sha.as_str() == one.after));
            for one in found {
                // Where the branch was taken away it brought nothing.
                if let Some(after) = commit(&one.after)? {
                    moves.push(Move {
                        before: commit(&one.before)?,
                        after,
                        by: behind(one.actor),
                        forced: one.activity_type == "force_push",
                    });
                }
            }
            cursor = answer
                .header("link")
                .and_then(|link| next_page(link, "after"));
            if is_enough || cursor.is_none() {
                break;
            }
        }
        Ok(moves)
    }
}

/// Zeros stand for no commit.
fn commit(text: &str) -> Result<Option<Sha>, CallError> {
    if text == NOTHING {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        CallError::Never("GitHub tells of a branch that stood at no commit".to_owned())
    })
}
