//! Deliveries: what came through a hook: authentic bytes, and the little that must be known to store them.

/// Who sends deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    GitHub,
    GitLab,
    Discord,
    Slack,
    /// What we tell ourselves; never through a hook.
    Countersign,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Discord => "discord",
            Self::Slack => "slack",
            Self::Countersign => "countersign",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "github" => Some(Self::GitHub),
            "gitlab" => Some(Self::GitLab),
            "discord" => Some(Self::Discord),
            "slack" => Some(Self::Slack),
            "countersign" => Some(Self::Countersign),
            _ => None,
        }
    }
}

/// A delivery whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub source: Source,
    /// The same for a repetition of the same delivery. The sender's id alone is not enough: the
    /// signature does not cover it, so the signature is part of the key.
    pub key: String,
    pub event: String,
    /// Deliveries of one lane are handled in the order of their arrival; lanes do not wait
    /// for each other.
    pub lane: String,
    /// Why the body cannot be read, if so.
    pub malformed: Option<String>,
}
