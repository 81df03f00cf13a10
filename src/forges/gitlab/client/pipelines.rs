//! Pipelines of a commit, and those that their jobs started: a child counts as what started it does, and is found
//! through it only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Client, project};
use crate::call::CallError;
use crate::domain::{Repository, Sha};
use crate::forges::gitlab::interpret::pipelines::CHILD;
use crate::web::escaped;

/// Of those that started for the same reason on the same branch, the newest say all.
const NEWEST: usize = 5;
/// Pipelines of one commit that are looked at.
const MOST: usize = 60;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) sha: Sha,
    #[serde(default, rename = "ref")]
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) web_url: Option<String>,
    /// Older servers do not tell it.
    #[serde(default)]
    project_id: Option<u64>,
}

/// A pipeline, and the one whose job started it.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub(super) pipeline: Pipeline,
    pub(super) parent: Option<u64>,
}

/// A job that starts another pipeline.
#[derive(Deserialize)]
struct Bridge {
    #[serde(default)]
    downstream_pipeline: Option<Pipeline>,
}

impl Pipeline {
    /// Whether it is a child of a pipeline of this commit, and no pipeline of another project.
    fn is_child(&self, repository: &Repository, sha: &Sha) -> bool {
        let is_here = |id: u64| id == repository.id.number();
        self.source.as_deref() == Some(CHILD)
            && self.sha == *sha
            && self.project_id.is_none_or(is_here)
    }
}

impl Client {
    /// The pipelines of a commit that no other one started; the newest first.
    pub(super) async fn pipelines(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Vec<Pipeline>, CallError> {
        let path = format!(
            "{}/pipelines?sha={sha}&order_by=id&sort=desc",
            project(repository)
        );
        let mut found: Vec<Pipeline> = self.read_all(&path).await?;
        let mut of_a_kind: BTreeMap<_, usize> = BTreeMap::new();
        found.retain(|one| {
            let kind = (one.source.clone(), one.reference.clone());
            let newer = of_a_kind.entry(kind).or_default();
            *newer += 1;
            one.source.as_deref() != Some(CHILD) && *newer <= NEWEST
        });
        Ok(found)
    }

    /// The pipelines of a commit that a push to the branch started, and their children. Others may carry variables
    /// that a person gave. Where heads of merge requests are released, those of their branches count.
    pub(super) async fn pipelines_by_push(
        &self,
        repository: &Repository,
        (sha, branch): (&Sha, Option<&str>),
    ) -> Result<Vec<Ran>, CallError> {
        let on = |source: &str, more: &str| {
            let place = project(repository);
            format!("{place}/pipelines?sha={sha}&source={source}{more}&order_by=id&sort=desc")
        };
        let by_push = match branch {
            Some(branch) => {
                let path = on("push", &format!("&ref={}", escaped(branch)));
                let mut found: Vec<Pipeline> = self.read_all(&path).await?;
                found.retain(|one| one.reference.as_deref() == Some(branch));
                found
            }
            None => {
                let (push, request) = (on("push", ""), on("merge_request_event", ""));
                let both =
                    tokio::try_join!(self.read_all::<Pipeline>(&push), self.read_all(&request))?;
                [both.0, both.1].concat()
            }
        };
        // A tag may have the branch's name.
        let mut of_branches = Vec::new();
        for pipeline in by_push {
            if self.page(repository, pipeline.id).await?.is_of_a_branch() {
                of_branches.push(pipeline);
            }
        }
        self.with_children(repository, of_branches).await
    }

    /// These pipelines, their children, and the children of those.
    pub(super) async fn with_children(
        &self,
        repository: &Repository,
        pipelines: Vec<Pipeline>,
    ) -> Result<Vec<Ran>, CallError> {
        let mut all: Vec<Ran> = Vec::new();
        let own = pipelines.into_iter();
        let mut next: Vec<Ran> = own
            .map(|pipeline| Ran {
                pipeline,
                parent: None,
            })
            .collect();
        while !next.is_empty() {
            let mut children = Vec::new();
            if all.len() + next.len() > MOST {
                return Err(CallError::Never(format!(
                    "the commit has more than {MOST} pipelines, too many to look at them all"
                )));
            }
            for ran in &next {
                let Pipeline { id, sha, .. } = &ran.pipeline;
                let path = format!("{}/pipelines/{id}/bridges?", project(repository));
                let bridges: Vec<Bridge> = self.read_all(&path).await?;
                let started = bridges
                    .into_iter()
                    .filter_map(|one| one.downstream_pipeline);
                let started = started.filter(|child| child.is_child(repository, sha));
                children.extend(started.map(|pipeline| Ran {
                    pipeline,
                    parent: Some(*id),
                }));
            }
            all.append(&mut next);
            // A pipeline cannot start itself; whatever a server says, this ends.
            children.retain(|child| all.iter().all(|ran| ran.pipeline.id != child.pipeline.id));
            next = children;
        }
        Ok(all)
    }
}
