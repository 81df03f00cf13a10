//! Environments: where a candidate can be released, and under which policy. An environment without approvals cannot be
//! configured: no policy means refusal.

use std::collections::BTreeMap;

use super::{EnvironmentName, RoleName, StageName, TimeSpan, Trigger};

/// A place to release to, with its own policy and trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The name, unique within the service.
    pub name: EnvironmentName,
    /// Other names that commands may use.
    pub aliases: Vec<EnvironmentName>,
    /// The stage that must have passed, with every stage before it.
    pub after: StageName,
    /// How many people of each role must approve; never empty, never zero.
    pub approvals: BTreeMap<RoleName, u32>,
    /// Who cannot approve.
    pub exclude: Exclude,
    /// How long a request may wait.
    pub expires: TimeSpan,
    /// After how long without news the forge is asked how a release goes.
    pub follow: TimeSpan,
    /// What is released although it is refused by default.
    pub allow: Allow,
    /// Why nothing is released at present.
    pub freeze: Option<String>,
    /// How the release starts.
    pub trigger: Trigger,
}

impl Environment {
    /// Whether a command that says `name` means this environment.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name.as_str() == name || self.aliases.iter().any(|alias| alias.as_str() == name)
    }

    /// What closes it by the configuration alone, for the configuration's reader.
    pub fn closings(&self) -> Vec<String> {
        let freeze = self.freeze.iter();
        freeze.map(|reason| format!("FROZEN: {reason}")).collect()
    }
}

/// Who cannot approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exclude {
    /// Those who wrote or committed something that would ship.
    pub author: bool,
    /// The person who asked for the release.
    pub requester: bool,
}

/// What is released although it is refused by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allow {
    /// The head of an open pull request, which is not on the release branch.
    pub open_heads: bool,
    /// An open head that comes from a fork.
    pub forks: bool,
    /// An open head whose pull request is a draft.
    pub drafts: bool,
}
