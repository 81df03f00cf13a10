//! Arrivals: which merge requests brought a commit to a branch, and who moved the branch.

use serde::Deserialize;

use super::people::{User, behind};
use super::{Client, PAGE, PAGES, project};
use crate::call::CallError;
use crate::domain::{Merge, Move, Repository, Sha};

#[derive(Deserialize)]
struct Merging {
    iid: u64,
    state: String,
    target_branch: String,
    target_project_id: u64,
    #[serde(default)]
    author: Option<User>,
    #[serde(default)]
    merge_user: Option<User>,
    /// An older name.
    #[serde(default)]
    merged_by: Option<User>,
    #[serde(default)]
    sha: Option<Sha>,
    #[serde(default)]
    merge_commit_sha: Option<Sha>,
    #[serde(default)]
    squash_commit_sha: Option<Sha>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    author: Option<User>,
    #[serde(default)]
    push_data: Option<PushData>,
}

#[derive(Deserialize)]
struct PushData {
    ref_type: String,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    commit_from: Option<Sha>,
    #[serde(default)]
    commit_to: Option<Sha>,
}

impl Client {
    /// The merge requests by which a commit came to a branch. GitLab also tells of open ones and of other branches.
    pub(super) async fn merges(
        &self,
        repository: &Repository,
        (branch, sha): (&str, &Sha),
    ) -> Result<Vec<Merge>, CallError> {
        let list = format!(
            "{}/repository/commits/{sha}/merge_requests?per_page={PAGE}",
            project(repository)
        );
        let found: Vec<Merging> = self.read(&list).await?;
        if found.len() >= PAGE {
            return Err(CallError::Never(
                "there are too many merge requests to read them all".to_owned(),
            ));
        }
        let found = found.into_iter().filter(|one| {
            one.state == "merged"
                && one.target_branch == branch
                && one.target_project_id == repository.id.number()
        });
        Ok(found
            .map(|one| Merge {
                number: one.iid,
                opener: behind(one.author),
                merger: Some(behind(one.merge_user.or(one.merged_by))),
                commit: one.merge_commit_sha,
                heads: one.sha.into_iter().chain(one.squash_commit_sha).collect(),
            })
            .collect())
    }

    /// How a branch was moved, the newest first, as far back as a commit. GitLab tells of all pushes to a project.
    pub(super) async fn moves(
        &self,
        repository: &Repository,
        branch: &str,
        back_to: Option<&Sha>,
    ) -> Result<Vec<Move>, CallError> {
        let mut moves = Vec::new();
        for page in 1..=PAGES {
            let path = format!(
                "{}/events?action=pushed&per_page={PAGE}&page={page}",
                project(repository)
            );
            let found: Vec<Event> = self.read(&path).await?;
            let is_last = found.is_empty();
            for event in found {
                if let Some(data) = event.push_data
                    && data.ref_type == "branch"
                    && data.reference.as_deref() == Some(branch)
                    // Where the branch was taken away it brought nothing.
                    && let Some(after) = data.commit_to
                {
                    moves.push(Move {
                        before: data.commit_from,
                        after,
                        by: behind(event.author),
                        forced: false,
                    });
                }
            }
            let is_enough = moves.iter().any(|one| Some(&one.after) == back_to);
            if is_last || is_enough {
                break;
            }
        }
        Ok(moves)
    }
}
