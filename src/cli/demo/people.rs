//! People: who there is in the demo, and where things are said.

/// A person with an account on GitHub and one on Discord.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: &'static str,
    /// What the person is for the others.
    pub(super) about: &'static str,
    pub(super) on_github: u64,
    pub(super) on_discord: u64,
    /// The role on GitHub.
    pub(super) role: &'static str,
    /// Where the person usually writes.
    pub(super) usual: Place,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Chat,
    PullRequest,
}

/// A deployer, whose accounts are linked.
pub(super) const ANN: Person = Person {
    name: "ann",
    about: "a deployer, known on GitHub and on Discord",
    on_github: 5,
    on_discord: 4_005,
    role: "maintain",
    usual: Place::Chat,
};
/// The author of every change.
pub(super) const BOB: Person = Person {
    name: "bob",
    about: "the author of the change",
    on_github: 6,
    on_discord: 4_006,
    role: "write",
    usual: Place::PullRequest,
};
pub(super) const QUINN: Person = Person {
    name: "quinn",
    about: "who approves for qa",
    on_github: 8,
    on_discord: 4_008,
    role: "write",
    usual: Place::PullRequest,
};
pub(super) const EVE: Person = Person {
    name: "eve",
    about: "who may read and nothing else",
    on_github: 9,
    on_discord: 4_009,
    role: "read",
    usual: Place::PullRequest,
};

pub(super) const EVERYBODY: [&Person; 4] = [&ANN, &QUINN, &EVE, &BOB];

impl Person {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        EVERYBODY.into_iter().find(|person| person.name == name)
    }
}

impl Place {
    /// As it stands in the prompt.
    pub(super) fn called(self, pull_request: u64) -> String {
        match self {
            Self::Chat => "in #releases".to_owned(),
            Self::PullRequest => format!("on pull request {pull_request}"),
        }
    }
}
