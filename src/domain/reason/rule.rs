//! Rules by name. A name stands in the audit log for ever, so none is ever changed. Here stand the names that several
//! rooms use; a rule of the examination that is looked at in one place only names itself in its own file.

/// Something that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(&'static str);

impl Rule {
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Rule {
    /// Everything that stands between a commit and an environment.
    pub const RELEASE: Self = Self::named("release");
    /// The person who asks may ask.
    pub const REQUESTER: Self = Self::named("requester");
    pub const LOCK: Self = Self::named("lock");
    /// The commit is on the release branch.
    pub const BRANCH: Self = Self::named("branch");
    /// The head of an open pull request may be released.
    pub const OPEN_HEAD: Self = Self::named("open-head");
    pub const DRAFT: Self = Self::named("draft");
    pub const FORK: Self = Self::named("fork");
    /// The stages before the environment have passed.
    pub const STAGES: Self = Self::named("stages");
    pub const STAGE: Self = Self::named("stage");
    pub const GATE: Self = Self::named("gate");
    pub const SOAK: Self = Self::named("soak");
    /// Forward or back, as it was asked for.
    pub const DIRECTION: Self = Self::named("direction");
    /// One release at a time.
    pub const TURN: Self = Self::named("turn");
    /// Enough people said yes.
    pub const APPROVALS: Self = Self::named("approvals");
    pub const APPROVAL: Self = Self::named("approval");
    /// The policy is the one that people approved.
    pub const POLICY: Self = Self::named("policy");
    pub const EXPIRY: Self = Self::named("expiry");
    /// A yes belongs to what was asked for before it.
    pub const ORDER: Self = Self::named("order");
    /// A command is understood, and names what there is.
    pub const COMMAND: Self = Self::named("command");
    /// A command is meant now.
    pub const AGE: Self = Self::named("age");
    /// A request is in a state in which this can be done.
    pub const STATE: Self = Self::named("state");
    /// A channel is for some services and environments.
    pub const CHANNEL: Self = Self::named("channel");
    /// A chat's server or workspace is ours.
    pub const TENANT: Self = Self::named("tenant");
    /// An account in a chat is linked with one on the forge.
    pub const LINK: Self = Self::named("link");
    /// A repository is still the one that it was.
    pub const REPOSITORY: Self = Self::named("repository");
    /// The audit log is for auditors.
    pub const AUDITOR: Self = Self::named("auditor");
}
