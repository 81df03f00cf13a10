//! Effects: what must be done outside. An effect is data: it is stored with the decision that caused it, and carried
//! out later, perhaps by another process.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{Message, Text};
use super::{
    Button, ChannelRef, Chat, EnvironmentName, Happening, Notice, Place, Quorum, Repository,
    Request, ServiceName, Sha, Spot, Start,
};

/// One thing to do outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Put a reaction on a comment.
    React { place: Place, reaction: Reaction },
    /// Answer a comment. A thread has one comment, which is changed from then on.
    Say {
        place: Place,
        thread: String,
        text: Message,
    },
    /// Start a release.
    Trigger { departure: Departure },
    /// Show on the forge how a commit stands.
    CommitStatus {
        repository: Repository,
        sha: Sha,
        context: String,
        state: StatusState,
        description: String,
    },
    /// Show on the forge how a deployment goes.
    DeploymentStatus {
        repository: Repository,
        deployment: u64,
        state: StatusState,
        description: String,
    },
    /// Tell a run that it must not go on.
    RejectRun {
        repository: Repository,
        run: u64,
        environment: String,
        comment: Text,
    },
    /// Answer a speaker, so that only they see it.
    Reply {
        spot: Spot,
        text: Message,
        buttons: Vec<Button>,
    },
    /// Ask a speaker a question in a form.
    Form { spot: Spot, button: Button },
    /// Show a notice in a channel: change its message, or post it.
    Notice {
        channel: ChannelRef,
        notice: Box<Notice>,
        /// Whom to call, by the chat's own id of a role or group.
        call: Option<String>,
        /// Post it if it is not there yet.
        post: bool,
    },
    /// Say something in a channel, in the thread of a notice if it belongs to one.
    Remark {
        channel: ChannelRef,
        notice: Option<u64>,
        kind: Option<Happening>,
        text: Message,
        call: Option<String>,
    },
}

/// The reactions that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    Eyes,
    Rocket,
    Confused,
}

/// The states that we write, by GitHub's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusState {
    Pending,
    InProgress,
    Success,
    Failure,
    Error,
}

/// What leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A production trigger.
    Trigger,
    /// An answer that a person waits for.
    Reply,
    /// Everything else.
    Notice,
}

/// An effect together with the name of what it means: the same meaning is never planned twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub token: String,
    pub effect: Effect,
    /// It leaves then at the earliest.
    pub not_before: Option<Timestamp>,
}

/// An order to start a release. Only a quorum makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Departure {
    request: u64,
    attempt: u64,
    correlation: String,
    repository: Repository,
    sha: Sha,
    service: ServiceName,
    environment: EnvironmentName,
    start: Start,
    not_after: Timestamp,
}

impl Departure {
    /// The order as text. The ledger holds it, so that nothing else can be started in its name.
    pub fn spelled(&self) -> String {
        // Only maps with keys that are not text can fail, and there are none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The order for a request whose approvals were all examined just now.
    pub fn new(
        quorum: &Quorum,
        request: &Request,
        start: Start,
        attempt: u64,
        not_after: Timestamp,
    ) -> Self {
        debug_assert!(!quorum.approvals().is_empty());
        Self {
            request: request.number,
            attempt,
            correlation: request.correlation(),
            repository: request.repository.clone(),
            sha: request.sha.clone(),
            service: request.service.clone(),
            environment: request.environment.clone(),
            start,
            not_after,
        }
    }

    /// The name of what it means: one trigger for each attempt of a request.
    pub fn token(&self) -> String {
        format!("trigger/{}/{}", self.request, self.attempt)
    }

    pub fn request(&self) -> u64 {
        self.request
    }

    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    pub fn correlation(&self) -> &str {
        &self.correlation
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub fn sha(&self) -> &Sha {
        &self.sha
    }

    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    pub fn environment(&self) -> &EnvironmentName {
        &self.environment
    }

    pub fn start(&self) -> &Start {
        &self.start
    }

    /// When it was decided too long ago to leave.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }
}

impl Reaction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
        }
    }
}

impl StatusState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

impl Effect {
    pub fn priority(&self) -> Priority {
        match self {
            Self::Trigger { .. } => Priority::Trigger,
            Self::React { .. }
            | Self::Say { .. }
            | Self::RejectRun { .. }
            | Self::Reply { .. }
            | Self::Form { .. } => Priority::Reply,
            Self::CommitStatus { .. }
            | Self::DeploymentStatus { .. }
            | Self::Notice { .. }
            | Self::Remark { .. } => Priority::Notice,
        }
    }

    /// One word, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::React { .. } => "react",
            Self::Say { .. } => "say",
            Self::Trigger { .. } => "trigger",
            Self::CommitStatus { .. } => "commit_status",
            Self::DeploymentStatus { .. } => "deployment_status",
            Self::RejectRun { .. } => "reject_run",
            Self::Reply { .. } => "reply",
            Self::Form { .. } => "form",
            Self::Notice { .. } => "notice",
            Self::Remark { .. } => "remark",
        }
    }

    /// The repository in which it is done; none when it is done in a chat.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::React { place, .. } | Self::Say { place, .. } => Some(&place.repository),
            Self::Trigger { departure } => Some(&departure.repository),
            Self::CommitStatus { repository, .. }
            | Self::DeploymentStatus { repository, .. }
            | Self::RejectRun { repository, .. } => Some(repository),
            Self::Reply { .. } | Self::Form { .. } | Self::Notice { .. } | Self::Remark { .. } => {
                None
            }
        }
    }

    /// The chat in which it is done.
    pub fn chat(&self) -> Option<Chat> {
        match self {
            Self::Reply { spot, .. } | Self::Form { spot, .. } => Some(spot.speaker.chat),
            Self::Notice { channel, .. } | Self::Remark { channel, .. } => Some(channel.chat()),
            Self::React { .. }
            | Self::Say { .. }
            | Self::Trigger { .. }
            | Self::CommitStatus { .. }
            | Self::DeploymentStatus { .. }
            | Self::RejectRun { .. } => None,
        }
    }

    /// It is tried until it works: a chat may be away for long, and shows the newest state when it is back.
    pub fn is_patient(&self) -> bool {
        self.chat().is_some()
    }

    /// Only the last of what a thread would show matters: an older one that waits is left out.
    pub fn replaces_older(&self) -> bool {
        matches!(self, Self::Notice { .. })
    }

    /// Effects with the same thread are done one after the other, in the order of their planning.
    pub fn thread(&self) -> Option<String> {
        match self {
            Self::Say { thread, .. } => Some(thread.clone()),
            Self::CommitStatus {
                repository,
                sha,
                context,
                ..
            } => Some(format!("status/{}/{sha}/{context}", repository.id)),
            Self::DeploymentStatus {
                repository,
                deployment,
                ..
            } => Some(format!("deployment/{}/{deployment}", repository.id)),
            Self::Reply { spot, .. } => Some(format!(
                "reply/{}/{}/{}",
                spot.speaker.chat.as_str(),
                spot.speaker.tenant,
                spot.id
            )),
            Self::Notice {
                channel, notice, ..
            } => Some(notice_thread(channel, notice.number)),
            Self::Remark {
                channel, notice, ..
            } => notice.map(|notice| notice_thread(channel, notice)),
            Self::React { .. }
            | Self::Trigger { .. }
            | Self::RejectRun { .. }
            | Self::Form { .. } => None,
        }
    }
}

fn notice_thread(channel: &ChannelRef, notice: u64) -> String {
    format!("notice/{channel}/{notice}")
}
