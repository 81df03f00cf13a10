//! Notices: what a chat is told about one commit and one environment: one message, which is changed as things move. It
//! is data; each chat renders it in its own way. Titles and names are as they came from outside, and are escaped there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{Message, Text};
use super::{Button, Ended, EnvironmentName, Repository, ServiceName, Sha};

/// The message about a commit and an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its buttons name it by this number.
    pub number: u64,
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub repository: Repository,
    pub sha: Sha,
    /// The first line of the commit's message.
    pub title: String,
    /// The commit's page on the forge.
    pub url: String,
    /// When the commit was first seen.
    pub seen_at: Timestamp,
    pub ships: Ships,
    pub stages: Vec<StageShown>,
    /// Who can approve.
    pub who: Text,
    pub news: News,
}

/// What would reach the environment with the commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ships {
    /// What is live; none when nothing known is.
    pub since: Option<Sha>,
    /// Oldest first; the last ones, when there are many.
    pub commits: Vec<Shipped>,
    /// How many more there are.
    pub more: u64,
    /// Whether there may be even more.
    pub is_partial: bool,
    /// The page of the forge that compares the two.
    pub compare: Option<String>,
    /// Why it is not known.
    pub unclear: Option<Text>,
}

/// A commit that ships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    pub sha: Sha,
    pub title: String,
    pub by: Vec<String>,
    /// The pull request that the title names, and its page.
    pub pull_request: Option<(u64, String)>,
}

/// A stage that the commit passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageShown {
    pub name: String,
    /// How long it had to stay green.
    pub soak: Option<String>,
    pub since: Option<Timestamp>,
    pub gates: Vec<GateShown>,
}

/// A gate that was green.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateShown {
    pub name: String,
    pub at: Option<Timestamp>,
    pub url: String,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum News {
    Ready,
    Waiting {
        request: u64,
        filled: u32,
        needed: u32,
        /// What is missing.
        missing: Text,
        expires_at: Timestamp,
        /// What stands in the way.
        obstacles: Message,
    },
    Deploying {
        request: u64,
        url: String,
    },
    /// It may have started.
    Unclear {
        request: u64,
    },
    Live {
        request: u64,
        url: String,
        since: Timestamp,
        /// From the decision to its end.
        took_seconds: Option<i64>,
    },
    Failed {
        request: u64,
        url: String,
        why: Text,
    },
    Over {
        request: u64,
        how: Ended,
        why: Text,
    },
    /// A newer commit is ready.
    Overtaken {
        by: Sha,
    },
    /// It was ready, and is not any more.
    Withdrawn {
        why: Text,
    },
    /// A person said no before it was asked for.
    Dismissed {
        why: Text,
    },
}

/// What kind of thing happened, by which channels choose what they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    Ready,
    Requested,
    Deploying,
    Live,
    Failed,
    Ended,
    StageFailed,
    Unexplained,
    Parked,
}

/// The mood of a message: a colour, a symbol and a word, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mood {
    /// Red, green and blue.
    pub colour: u32,
    pub symbol: &'static str,
    pub word: &'static str,
}

const BLUE: u32 = 0x001f_6feb;
const YELLOW: u32 = 0x00d2_9922;
const GREEN: u32 = 0x002e_a043;
const RED: u32 = 0x00da_3633;
const GREY: u32 = 0x006e_7681;

impl Happening {
    pub const ALL: [Self; 9] = [
        Self::Ready,
        Self::Requested,
        Self::Deploying,
        Self::Live,
        Self::Failed,
        Self::Ended,
        Self::StageFailed,
        Self::Unexplained,
        Self::Parked,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Requested => "requested",
            Self::Deploying => "deploying",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Ended => "ended",
            Self::StageFailed => "stage-failed",
            Self::Unexplained => "unexplained",
            Self::Parked => "parked",
        }
    }

    /// People may be called by name for it.
    pub fn calls(self) -> bool {
        matches!(self, Self::Ready | Self::Failed)
    }

    pub fn mood(self) -> Mood {
        let (colour, symbol, word) = match self {
            Self::Ready => (BLUE, "🟦", "Ready"),
            Self::Requested => (YELLOW, "🟨", "Waiting for approval"),
            Self::Deploying => (YELLOW, "🚀", "Deploying"),
            Self::Live => (GREEN, "✅", "Live"),
            Self::Failed => (RED, "❌", "Failed"),
            Self::Ended => (GREY, "⏹️", "Over"),
            Self::StageFailed => (RED, "❌", "Stage failed"),
            Self::Unexplained => (RED, "🚨", "Released without an approval"),
            Self::Parked => (RED, "🚨", "Given up"),
        };
        Mood {
            colour,
            symbol,
            word,
        }
    }
}

impl News {
    pub fn happening(&self) -> Happening {
        match self {
            Self::Ready => Happening::Ready,
            Self::Waiting { .. } => Happening::Requested,
            Self::Deploying { .. } | Self::Unclear { .. } => Happening::Deploying,
            Self::Live { .. } => Happening::Live,
            Self::Failed { .. } => Happening::Failed,
            Self::Over { .. }
            | Self::Overtaken { .. }
            | Self::Withdrawn { .. }
            | Self::Dismissed { .. } => Happening::Ended,
        }
    }

    /// The request that it is about.
    pub fn request(&self) -> Option<u64> {
        match self {
            Self::Waiting { request, .. }
            | Self::Deploying { request, .. }
            | Self::Unclear { request }
            | Self::Live { request, .. }
            | Self::Failed { request, .. }
            | Self::Over { request, .. } => Some(*request),
            Self::Ready
            | Self::Overtaken { .. }
            | Self::Withdrawn { .. }
            | Self::Dismissed { .. } => None,
        }
    }

    pub fn mood(&self) -> Mood {
        let mood = self.happening().mood();
        let (symbol, word) = match self {
            Self::Waiting { filled, needed, .. } if filled >= needed => ("🟨", "Approved"),
            Self::Unclear { .. } => ("❔", "Answer lost"),
            Self::Over { how, .. } => match how {
                Ended::Succeeded => ("✅", "Live"),
                Ended::Failed => ("❌", "Failed"),
                Ended::Cancelled => ("⏹️", "Cancelled"),
                Ended::Rejected => ("⛔", "Rejected"),
                Ended::Expired => ("⌛", "Expired"),
                Ended::Superseded => ("⏭️", "Superseded"),
                Ended::Voided => ("⛔", "Void"),
            },
            Self::Overtaken { .. } => ("⏭️", "Overtaken"),
            Self::Withdrawn { .. } => ("⏸️", "Not ready any more"),
            Self::Dismissed { .. } => ("⛔", "Rejected"),
            Self::Ready
            | Self::Waiting { .. }
            | Self::Deploying { .. }
            | Self::Live { .. }
            | Self::Failed { .. } => (mood.symbol, mood.word),
        };
        Mood {
            colour: mood.colour,
            symbol,
            word,
        }
    }
}

impl Notice {
    /// What can be done about it now. What was decided has no buttons.
    pub fn buttons(&self) -> Vec<Button> {
        let notice = self.number;
        match &self.news {
            News::Ready => vec![
                Button::Deploy { notice },
                Button::Dismiss { notice },
                Button::Details { notice },
            ],
            News::Waiting { request, .. } => {
                let request = *request;
                vec![
                    Button::Approve { request },
                    Button::Reject { request },
                    Button::Details { notice },
                ]
            }
            News::Failed { request, .. } => vec![
                Button::Retry { request: *request },
                Button::RollBack { notice },
                Button::Details { notice },
            ],
            News::Deploying { .. }
            | News::Unclear { .. }
            | News::Live { .. }
            | News::Over { .. }
            | News::Overtaken { .. }
            | News::Withdrawn { .. }
            | News::Dismissed { .. } => Vec::new(),
        }
    }
}
