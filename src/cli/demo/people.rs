//! People: who there is in the demo, and where things are said.

use super::forge;

/// A person with an account on the forge and one in the chat.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) part: Part,
    /// The number of the account on the forge.
    pub(super) number: u64,
    /// Where the person usually writes.
    pub(super) usual: Place,
}

/// What a person is for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Releases, and has linked both accounts.
    Deployer,
    /// Writes every change.
    Author,
    Approver,
    Reader,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Chat,
    /// The page of the change: a pull request, or a merge request.
    Change,
}

/// Somebody, and where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    pub(super) who: &'static Person,
    pub(super) place: Place,
}

pub(super) const ANN: Person = Person {
    name: "ann",
    part: Part::Deployer,
    number: 5,
    usual: Place::Chat,
};
pub(super) const BOB: Person = Person {
    name: "bob",
    part: Part::Author,
    number: 6,
    usual: Place::Change,
};
pub(super) const QUINN: Person = Person {
    name: "quinn",
    part: Part::Approver,
    number: 8,
    usual: Place::Change,
};
pub(super) const EVE: Person = Person {
    name: "eve",
    part: Part::Reader,
    number: 9,
    usual: Place::Change,
};

pub(super) const EVERYBODY: [&Person; 4] = [&ANN, &QUINN, &EVE, &BOB];

impl Person {
    /// Where they usually are.
    pub(super) const fn at_home(&'static self) -> Speaker {
        Speaker {
            who: self,
            place: self.usual,
        }
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        EVERYBODY.into_iter().find(|person| person.name == name)
    }
}

impl Part {
    /// In words, with the names of the forge and the chat.
    pub(super) fn about(self, forge: &str, chat: &str) -> String {
        match self {
            Self::Deployer => format!("a deployer, known on {forge} and on {chat}"),
            Self::Author => "the author of the change".to_owned(),
            Self::Approver => "who approves for qa".to_owned(),
            Self::Reader => "who may read and nothing else".to_owned(),
        }
    }
}

impl Place {
    /// As it stands in the prompt.
    pub(super) fn called(self, words: &forge::Words, change: u64) -> String {
        match self {
            Self::Chat => "in #releases".to_owned(),
            Self::Change => format!("on {}", words.numbered(change)),
        }
    }
}
