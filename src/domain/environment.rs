//! Environments: where a candidate can be released, and under which policy. An environment without approvals cannot be
//! configured: no policy means refusal.

use std::collections::{BTreeMap, BTreeSet};

use super::{EnvironmentName, RoleName, StageName, TimeSpan, Trigger};

/// A place to release to, with its own policy and trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The name, unique within the service.
    pub name: EnvironmentName,
    /// Other names that commands may use.
    pub aliases: Vec<EnvironmentName>,
    /// What it was called before. What was released, is live or closed under that name is its own.
    pub formerly: Option<EnvironmentName>,
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
    /// The name and the former one.
    pub fn names(&self) -> impl Iterator<Item = &EnvironmentName> {
        std::iter::once(&self.name).chain(&self.formerly)
    }

    /// Whether this is or was its name.
    pub fn is_called(&self, name: &EnvironmentName) -> bool {
        self.names().any(|one| one == name)
    }

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exclude(BTreeSet<Excluded>);

/// What somebody had to do with what would ship; what is proven best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excluded {
    /// Wrote a commit, as the commit says.
    CommitAuthor,
    /// Opened a pull request that brought commits.
    Opener,
    /// Pushed commits to the release branch without a pull request.
    Pusher,
    /// Committed a commit, as the commit says.
    Committer,
    /// Merged a pull request.
    Merger,
    /// Is named by a `Co-authored-by` line.
    CoAuthor,
    /// Asked for the release.
    Requester,
    /// Is an app, behind which nobody knows who is.
    App,
}

impl Excluded {
    pub const ALL: [Self; 8] = [
        Self::CommitAuthor,
        Self::Opener,
        Self::Pusher,
        Self::Committer,
        Self::Merger,
        Self::CoAuthor,
        Self::Requester,
        Self::App,
    ];
    /// What the configuration's `author` is short for.
    pub const AUTHOR: [Self; 4] = [
        Self::CommitAuthor,
        Self::Opener,
        Self::Pusher,
        Self::CoAuthor,
    ];

    /// As the configuration and the policy's text call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::CommitAuthor => "commit-author",
            Self::Opener => "opener",
            Self::Pusher => "pusher",
            Self::CoAuthor => "co-author",
            Self::Committer => "committer",
            Self::Merger => "merger",
            Self::Requester => "requester",
            Self::App => "app",
        }
    }

    /// Those whom it excludes, for a reader of the policy.
    pub fn people(self) -> &'static str {
        match self {
            Self::CommitAuthor => "commit authors",
            Self::Opener => "whoever opened a pull request",
            Self::Pusher => "whoever pushed without a pull request",
            Self::CoAuthor => "co-authors",
            Self::Committer => "committers",
            Self::Merger => "whoever merged a pull request",
            Self::Requester => "the requester",
            Self::App => "anybody, where an app wrote, opened or pushed something",
        }
    }
}

impl Exclude {
    pub fn has(&self, who: Excluded) -> bool {
        self.0.contains(&who)
    }

    pub fn has_any(&self, who: &[Excluded]) -> bool {
        who.iter().any(|who| self.has(*who))
    }

    /// The word by which the policy excludes somebody who had to do with it so.
    pub fn word_for(&self, who: Excluded) -> &'static str {
        if self.has_authors() && Excluded::AUTHOR.contains(&who) {
            "author"
        } else {
            who.word()
        }
    }

    /// Whether everything is excluded that `author` is short for.
    pub fn has_authors(&self) -> bool {
        Excluded::AUTHOR.into_iter().all(|who| self.has(who))
    }

    /// Whether it matters whose work would ship.
    pub fn looks_at_work(&self) -> bool {
        self.0.iter().any(|who| *who != Excluded::Requester)
    }

    pub fn each(&self) -> impl Iterator<Item = Excluded> {
        self.0.iter().copied()
    }

    /// Those who are excluded, for a reader of the policy.
    pub fn people(&self) -> Vec<&'static str> {
        let authors = self.has_authors().then_some("the authors of what ships");
        let others = self.each();
        let others = others.filter(|who| authors.is_none() || !Excluded::AUTHOR.contains(who));
        authors
            .into_iter()
            .chain(others.map(Excluded::people))
            .collect()
    }
}

impl FromIterator<Excluded> for Exclude {
    fn from_iter<T: IntoIterator<Item = Excluded>>(who: T) -> Self {
        Self(who.into_iter().collect())
    }
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
