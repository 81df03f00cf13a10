//! Effects: what must be done outside. An effect is data: it is stored with the decision that caused it, and carried
//! out later, perhaps by another process.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{Message, Text};
use super::{
    Button, ChannelRef, EnvironmentName, Happening, Notice, Place, Priority, Quorum, Repository,
    Request, ServiceName, Sha, Spot, Start,
};

/// One thing to do outside, by where it is done: whoever has the place does it, or nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Forge(OnForge),
    Chat(InChat),
    /// Start a release.
    Trigger(Box<Departure>),
}

/// What is done in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum OnForge {
    /// Put a reaction on a comment.
    React { place: Place, reaction: Reaction },
    /// Answer a comment. A thread has one comment, which is changed from then on.
    Say {
        place: Place,
        thread: String,
        text: Message,
    },
    /// Show how a commit stands.
    CommitStatus {
        repository: Repository,
        sha: Sha,
        context: String,
        state: StatusState,
        description: String,
    },
    /// Show how a deployment goes.
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
}

/// What is done in a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum InChat {
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

impl From<OnForge> for Effect {
    fn from(effect: OnForge) -> Self {
        Self::Forge(effect)
    }
}

impl From<InChat> for Effect {
    fn from(effect: InChat) -> Self {
        Self::Chat(effect)
    }
}

impl From<Departure> for Effect {
    fn from(departure: Departure) -> Self {
        Self::Trigger(Box::new(departure))
    }
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
            Self::Trigger(_) => Priority::Trigger,
            Self::Forge(
                OnForge::React { .. } | OnForge::Say { .. } | OnForge::RejectRun { .. },
            )
            | Self::Chat(InChat::Reply { .. } | InChat::Form { .. }) => Priority::Reply,
            Self::Forge(OnForge::CommitStatus { .. } | OnForge::DeploymentStatus { .. })
            | Self::Chat(InChat::Notice { .. } | InChat::Remark { .. }) => Priority::Notice,
        }
    }

    /// One word, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Forge(effect) => effect.kind(),
            Self::Chat(effect) => effect.kind(),
            Self::Trigger(_) => TRIGGER,
        }
    }

    /// The repository whose lane hears how it went; none when it is done in a chat.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Forge(effect) => Some(effect.repository()),
            Self::Trigger(departure) => Some(&departure.repository),
            Self::Chat(_) => None,
        }
    }

    /// Effects that share a rate limit have the same: those of one installation, those of one channel of a chat.
    pub fn limit(&self) -> String {
        match self {
            Self::Forge(effect) => effect.repository().limit(),
            Self::Trigger(departure) => departure.repository.limit(),
            Self::Chat(InChat::Notice { channel, .. } | InChat::Remark { channel, .. }) => {
                channel.to_string()
            }
            Self::Chat(InChat::Reply { spot, .. } | InChat::Form { spot, .. }) => {
                format!("{}/replies", spot.speaker.chat.as_str())
            }
        }
    }

    /// It is tried until it works: a chat may be away for long, and shows the newest state when it is back.
    pub fn is_patient(&self) -> bool {
        matches!(self, Self::Chat(_))
    }

    /// Only the last of what a thread would show matters: an older one that waits is left out.
    pub fn replaces_older(&self) -> bool {
        matches!(self, Self::Chat(InChat::Notice { .. }))
    }

    /// Effects with the same thread are done one after the other, in the order of their planning.
    pub fn thread(&self) -> Option<String> {
        match self {
            Self::Forge(effect) => effect.thread(),
            Self::Chat(effect) => effect.thread(),
            Self::Trigger(_) => None,
        }
    }
}

impl OnForge {
    fn kind(&self) -> &'static str {
        match self {
            Self::React { .. } => "react",
            Self::Say { .. } => "say",
            Self::CommitStatus { .. } => "commit_status",
            Self::DeploymentStatus { .. } => "deployment_status",
            Self::RejectRun { .. } => "reject_run",
        }
    }

    /// The repository in which it is done.
    pub fn repository(&self) -> &Repository {
        match self {
            Self::React { place, .. } | Self::Say { place, .. } => &place.repository,
            Self::CommitStatus { repository, .. }
            | Self::DeploymentStatus { repository, .. }
            | Self::RejectRun { repository, .. } => repository,
        }
    }

    fn thread(&self) -> Option<String> {
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
            Self::React { .. } | Self::RejectRun { .. } => None,
        }
    }
}

impl InChat {
    fn kind(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "reply",
            Self::Form { .. } => "form",
            Self::Notice { .. } => "notice",
            Self::Remark { .. } => "remark",
        }
    }

    fn thread(&self) -> Option<String> {
        match self {
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
            Self::Form { .. } => None,
        }
    }
}

fn notice_thread(channel: &ChannelRef, notice: u64) -> String {
    format!("notice/{channel}/{notice}")
}

/// The word of a trigger where effects are stored.
const TRIGGER: &str = "trigger";
/// What is done in chats, by the words that stand where effects are stored.
const IN_CHATS: [&str; 4] = ["reply", "form", "notice", "remark"];

/// A trigger as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<D> {
    #[serde(rename = "do")]
    what: Word,
    departure: D,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Trigger,
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Forge(effect) => effect.serialize(serializer),
            Self::Chat(effect) => effect.serialize(serializer),
            Self::Trigger(departure) => Stored {
                what: Word::Trigger,
                departure,
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Effect {
    /// Where it is done follows from the word for what is done, so that an error names the part that is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let word = value.get("do").and_then(serde_json::Value::as_str);
        match word {
            Some(TRIGGER) => serde_json::from_value(value)
                .map(|stored: Stored<Box<Departure>>| Self::Trigger(stored.departure)),
            Some(word) if IN_CHATS.contains(&word) => serde_json::from_value(value).map(Self::Chat),
            Some(_) | None => serde_json::from_value(value).map(Self::Forge),
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Forge, RepositoryId};

    fn repository(forge: Forge, installation: Option<u64>) -> Repository {
        Repository {
            id: RepositoryId::on(forge, 9),
            path: "acme/shop".to_owned(),
            installation,
        }
    }

    #[test]
    fn a_limit_of_one_forge_silences_no_other() {
        for (forge, installation, expect) in [
            (Forge::GitHub, Some(4), "github/4"),
            (Forge::GitHub, None, "github"),
            (Forge::GitLab, None, "gitlab"),
        ] {
            let effect = OnForge::DeploymentStatus {
                repository: repository(forge, installation),
                deployment: 3,
                state: StatusState::Success,
                description: String::new(),
            };
            assert_eq!(Effect::from(effect).limit(), expect);
        }
    }

    #[test]
    fn what_is_stored_says_where_it_is_done_by_its_word() {
        let effect = Effect::from(OnForge::DeploymentStatus {
            repository: repository(Forge::GitHub, None),
            deployment: 3,
            state: StatusState::Success,
            description: "live".to_owned(),
        });
        let stored = serde_json::to_value(&effect).unwrap();
        assert_eq!(stored["do"], "deployment_status");
        assert_eq!(
            serde_json::from_value::<Effect>(stored.clone()).unwrap(),
            effect
        );
        let refused = |part: &str, value: serde_json::Value| {
            let mut other = stored.clone();
            other[part] = value;
            serde_json::from_value::<Effect>(other)
                .unwrap_err()
                .to_string()
        };
        assert!(refused("do", "sing".into()).contains("unknown variant `sing`"));
        assert!(refused("do", "reply".into()).contains("unknown field"));
        assert!(refused("do", "trigger".into()).contains("unknown field"));
        assert!(refused("more", 1.into()).contains("unknown field `more`"));
        assert!(refused("deployment", "three".into()).contains("invalid type"));
    }
}
