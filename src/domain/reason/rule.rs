//! Rules by name. A name stands in the audit log for ever, so none is ever changed.

/// Something that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Everything that stands between a commit and an environment.
    Release,
    /// The person who asks may ask.
    Requester,
    Freeze,
    Lock,
    /// The commit is on the release branch.
    Branch,
    /// The head of an open pull request may be released.
    OpenHead,
    Draft,
    Fork,
    /// The stages before the environment have passed.
    Stages,
    Stage,
    Gate,
    Soak,
    /// Forward or back, as it was asked for.
    Direction,
    /// One release at a time.
    Turn,
    /// Enough people said yes.
    Approvals,
    Approval,
    /// The policy is the one that people approved.
    Policy,
    Expiry,
    /// A yes belongs to what was asked for before it.
    Order,
    /// A command is understood, and names what there is.
    Command,
    /// A command is meant now.
    Age,
    /// A request is in a state in which this can be done.
    State,
    /// A channel is for some services and environments.
    Channel,
    /// A chat's server or workspace is ours.
    Tenant,
    /// An account in a chat is linked with one on the forge.
    Link,
    /// A repository is still the one that it was.
    Repository,
    /// The audit log is for auditors.
    Auditor,
}

impl Rule {
    pub const ALL: [Self; 27] = [
        Self::Release,
        Self::Requester,
        Self::Freeze,
        Self::Lock,
        Self::Branch,
        Self::OpenHead,
        Self::Draft,
        Self::Fork,
        Self::Stages,
        Self::Stage,
        Self::Gate,
        Self::Soak,
        Self::Direction,
        Self::Turn,
        Self::Approvals,
        Self::Approval,
        Self::Policy,
        Self::Expiry,
        Self::Order,
        Self::Command,
        Self::Age,
        Self::State,
        Self::Channel,
        Self::Tenant,
        Self::Link,
        Self::Repository,
        Self::Auditor,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Requester => "requester",
            Self::Freeze => "freeze",
            Self::Lock => "lock",
            Self::Branch => "branch",
            Self::OpenHead => "open-head",
            Self::Draft => "draft",
            Self::Fork => "fork",
            Self::Stages => "stages",
            Self::Stage => "stage",
            Self::Gate => "gate",
            Self::Soak => "soak",
            Self::Direction => "direction",
            Self::Turn => "turn",
            Self::Approvals => "approvals",
            Self::Approval => "approval",
            Self::Policy => "policy",
            Self::Expiry => "expiry",
            Self::Order => "order",
            Self::Command => "command",
            Self::Age => "age",
            Self::State => "state",
            Self::Channel => "channel",
            Self::Tenant => "tenant",
            Self::Link => "link",
            Self::Repository => "repository",
            Self::Auditor => "auditor",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_for_ever_and_belong_to_one_rule() {
        let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "release requester freeze lock branch open-head draft fork stages stage gate soak direction turn \
             approvals approval policy expiry order command age state channel tenant link repository auditor"
        );
    }
}
