//! People in chats: who speaks, where, and which of our buttons they pressed. Until it is linked, a chat's account
//! stands for no account on a forge; a link is an identity, never a right.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Account, Forge};

/// A chat platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chat {
    Discord,
    Slack,
}

impl Chat {
    pub const ALL: [Self; 2] = [Self::Discord, Self::Slack];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Slack => "slack",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "discord" => Some(Self::Discord),
            "slack" => Some(Self::Slack),
            _ => None,
        }
    }

    /// What it calls the place of one team.
    pub fn tenant(self) -> &'static str {
        match self {
            Self::Discord => "server",
            Self::Slack => "workspace",
        }
    }

    /// How people call it.
    pub fn called(self) -> &'static str {
        match self {
            Self::Discord => "Discord",
            Self::Slack => "Slack",
        }
    }
}

/// A person's account in a chat. Platform, tenant (a guild or a workspace) and user decide; the name is for display.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Speaker {
    pub chat: Chat,
    pub tenant: String,
    pub user: String,
    pub name: String,
}

impl Speaker {
    /// Whether two are the same account, whatever it is called now.
    pub fn is(&self, other: &Self) -> bool {
        (self.chat, &self.tenant, &self.user) == (other.chat, &other.tenant, &other.user)
    }
}

/// By what an answer reaches the speaker, for some minutes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handle {
    Discord {
        token: String,
    },
    Slack {
        /// The path behind the platform's own address for answers.
        response: Option<String>,
        trigger: Option<String>,
    },
}

impl fmt::Debug for Handle {
    /// Never shown: the holder of one can speak in our name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discord { .. } => f.write_str("Handle::Discord"),
            Self::Slack { .. } => f.write_str("Handle::Slack"),
        }
    }
}

/// Where and by whom something was said in a chat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    pub speaker: Speaker,
    /// The channel's own id.
    pub channel: String,
    /// Names what was said; the same for a repetition.
    pub id: String,
    pub handle: Handle,
    pub said_at: Timestamp,
}

/// A speaker did something in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub spot: Spot,
    /// The tenant that the speaker's account is of, where the chat tells it: a channel can be shared with others.
    pub home: Option<String>,
    pub act: Act,
    /// Random words, drawn when it was read: a new link's code.
    pub lot: String,
}

/// What the speaker did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A command, written as in a comment: `/deploy prod`.
    Command(String),
    /// One of our buttons was pressed, and its question answered if it asks one.
    Press {
        button: Button,
        reason: Option<String>,
    },
    /// A button or a form that this version does not know.
    Strange(String),
}

/// One of our buttons. Each is for one notice, request or offer, and says so by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// Release the commit of this notice.
    Deploy {
        notice: u64,
    },
    /// Explain what stands in its way.
    Details {
        notice: u64,
    },
    /// Return to what was live before this notice's commit.
    RollBack {
        notice: u64,
    },
    /// The commit should not ship, although it is ready.
    Dismiss {
        notice: u64,
    },
    Approve {
        request: u64,
    },
    Reject {
        request: u64,
    },
    Retry {
        request: u64,
    },
    /// This account on the forge is mine. Versions before named only the offer.
    Link {
        offer: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claimant: Option<Claimant>,
    },
    /// It is not.
    NoLink {
        offer: u64,
    },
}

/// An account on a forge that used a code, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claimant {
    pub forge: Forge,
    pub id: u64,
}

impl From<&Account> for Claimant {
    fn from(account: &Account) -> Self {
        Self {
            forge: account.forge,
            id: account.id,
        }
    }
}

/// What every id of ours begins with, so that others' components are told apart.
const OURS: &str = "cs/";

impl Button {
    /// The id by which the platform tells us that it was pressed.
    pub fn spelled(self) -> String {
        let (word, number) = self.parts();
        let mut spelled = format!("{OURS}{word}/{number}");
        if let Self::Link {
            claimant: Some(Claimant { forge, id }),
            ..
        } = self
        {
            spelled.push_str(&format!("/{}/{id}", forge.prefix()));
        }
        spelled
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.strip_prefix(OURS)?.split_once('/')?;
        if let ("link", Some((offer, account))) = (word, rest.split_once('/')) {
            let (forge, id) = account.split_once('/')?;
            let claimant = Claimant {
                forge: Forge::of_prefix(forge)?,
                id: number(id)?,
            };
            return Some(Self::Link {
                offer: number(offer)?,
                claimant: Some(claimant),
            });
        }
        let number = number(rest)?;
        Some(match word {
            "deploy" => Self::Deploy { notice: number },
            "details" => Self::Details { notice: number },
            "rollback" => Self::RollBack { notice: number },
            "dismiss" => Self::Dismiss { notice: number },
            "approve" => Self::Approve { request: number },
            "reject" => Self::Reject { request: number },
            "retry" => Self::Retry { request: number },
            "link" => Self::Link {
                offer: number,
                claimant: None,
            },
            "nolink" => Self::NoLink { offer: number },
            _ => return None,
        })
    }

    fn parts(self) -> (&'static str, u64) {
        match self {
            Self::Deploy { notice } => ("deploy", notice),
            Self::Details { notice } => ("details", notice),
            Self::RollBack { notice } => ("rollback", notice),
            Self::Dismiss { notice } => ("dismiss", notice),
            Self::Approve { request } => ("approve", request),
            Self::Reject { request } => ("reject", request),
            Self::Retry { request } => ("retry", request),
            Self::Link { offer, .. } => ("link", offer),
            Self::NoLink { offer } => ("nolink", offer),
        }
    }

    /// What stands on it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Deploy { .. } => "Deploy",
            Self::Details { .. } => "Details",
            Self::RollBack { .. } => "Roll back",
            Self::Approve { .. } => "Approve",
            Self::Reject { .. } | Self::Dismiss { .. } => "Reject",
            Self::Retry { .. } => "Retry",
            Self::Link { .. } => "Yes, that is me",
            Self::NoLink { .. } => "No",
        }
    }

    /// What is asked before it counts: a question for a form, with a title of at most 24 characters.
    pub fn asks(self) -> Option<Question> {
        match self {
            Self::Reject { .. } | Self::Dismiss { .. } => Some(Question {
                title: "Reject the release",
                label: "Why?",
            }),
            Self::RollBack { .. } => Some(Question {
                title: "Roll back",
                label: "Why?",
            }),
            Self::Deploy { .. }
            | Self::Details { .. }
            | Self::Approve { .. }
            | Self::Retry { .. }
            | Self::Link { .. }
            | Self::NoLink { .. } => None,
        }
    }

    /// Whether a release starts or continues by it.
    pub fn weight(self) -> Weight {
        match self {
            Self::Deploy { .. } | Self::Approve { .. } | Self::Link { .. } => Weight::Good,
            Self::Reject { .. } | Self::Dismiss { .. } | Self::RollBack { .. } => Weight::Danger,
            Self::Details { .. } | Self::Retry { .. } | Self::NoLink { .. } => Weight::Plain,
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// What a form asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub title: &'static str,
    pub label: &'static str,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Good,
    Danger,
    Plain,
}

/// A code was made for a speaker, with which an account of a forge can be linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub number: u64,
    pub spot: Spot,
    pub expires_at: Timestamp,
    /// The account that used the code.
    pub claimed_by: Option<Account>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_comes_back_from_its_id() {
        for button in [
            Button::Deploy { notice: 7 },
            Button::Details { notice: 7 },
            Button::RollBack { notice: u64::MAX },
            Button::Dismiss { notice: 7 },
            Button::Approve { request: 42 },
            Button::Reject { request: 42 },
            Button::Retry { request: 42 },
            Button::Link {
                offer: 1,
                claimant: None,
            },
            Button::Link {
                offer: u64::MAX,
                claimant: Some(Claimant {
                    forge: Forge::GitLab,
                    id: u64::MAX,
                }),
            },
            Button::NoLink { offer: 1 },
        ] {
            assert_eq!(Button::parse(&button.spelled()), Some(button));
            assert!(button.spelled().len() <= 100);
            assert!(button.asks().is_none_or(|asks| asks.title.len() <= 24));
        }
        for text in [
            "",
            "cs/",
            "cs/deploy",
            "cs/deploy/",
            "cs/deploy/x",
            "cs/deploy/+7",
            "deploy/7",
            "cs/deploy/99999999999999999999",
            "cs/launch/7",
            "cs/link/7/",
            "cs/link/7/github",
            "cs/link/7/github/",
            "cs/link/7/github/+5",
            "cs/link/7/elsewhere/5",
            "cs/link/7/github/5/6",
            "cs/approve/7/github/5",
        ] {
            assert_eq!(Button::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_handle_is_not_shown() {
        let handle = Handle::Discord {
            token: "secret".to_owned(),
        };
        assert!(!format!("{handle:?}").contains("secret"));
    }
}
