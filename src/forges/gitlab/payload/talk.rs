//! Talk in GitLab's payloads: merge requests and the talk on them.

use serde::Deserialize;

use super::{Id, Moment, Project, User, Written};
use crate::domain::Sha;

#[derive(Debug, Deserialize)]
pub(crate) struct MergeRequestEvent {
    pub(crate) object_attributes: MergeRequest,
    pub(crate) project: Project,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MergeRequest {
    pub(crate) iid: Id,
    #[serde(default)]
    pub(crate) action: Option<String>,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) draft: Option<bool>,
    /// What older servers call a draft.
    #[serde(default)]
    pub(crate) work_in_progress: Option<bool>,
    #[serde(default)]
    pub(crate) last_commit: Option<LastCommit>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LastCommit {
    pub(crate) id: Sha,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NoteEvent {
    #[serde(default)]
    pub(crate) event_type: Option<String>,
    pub(crate) object_attributes: Note,
    pub(crate) project: Project,
    #[serde(default)]
    pub(crate) user: Option<User>,
    /// Present when the note is on a merge request.
    #[serde(default)]
    pub(crate) merge_request: Option<Noted>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Noted {
    pub(crate) iid: Id,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) note: Option<String>,
    #[serde(default)]
    pub(crate) noteable_type: Option<String>,
    #[serde(default)]
    pub(crate) author_id: Option<Id>,
    /// Whether GitLab wrote it itself, about something that a person did.
    #[serde(default)]
    pub(crate) system: Option<bool>,
    /// Whether only members see it.
    #[serde(default)]
    pub(crate) internal: Option<bool>,
    #[serde(default)]
    pub(crate) action: Option<String>,
    pub(crate) created_at: Written,
    #[serde(default)]
    pub(crate) updated_at: Moment,
    /// Who edited it, if it was edited.
    #[serde(default)]
    pub(crate) updated_by_id: Option<Id>,
}
