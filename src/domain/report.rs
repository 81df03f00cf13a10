//! A fact that a gate waits for, as a forge reported it. Of several reports by the same source the
//! newest counts, by the forge's own numbers and never by the order of arrival.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Account, Gate, RepositoryId, Sha};

/// One report about one commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Report {
    /// The repository's number.
    pub repository: RepositoryId,
    pub sha: Sha,
    pub kind: ReportKind,
    /// The status's context, the name of the check, job or pipeline, the workflow's file, or the environment.
    pub name: String,
    pub source: Reporter,
    pub rank: Rank,
    pub colour: Colour,
    /// The forge's own word: `success`, `timed_out`...
    pub word: String,
    pub url: String,
    /// When, by the forge's clock.
    pub at: Timestamp,
    /// What it was made on, where that matters: a branch by its name, a tag as `refs/tags/…`. A pipeline on another
    /// branch, or on a tag, can be started with other variables by more people.
    #[serde(default)]
    pub reference: Option<String>,
    /// The pipeline of a job.
    #[serde(default)]
    pub pipeline: Option<u64>,
    /// The pipeline whose job started that one, or this.
    #[serde(default)]
    pub parent: Option<u64>,
    /// When we heard that it is so. Versions before did not write it down.
    #[serde(default)]
    pub heard: Option<Timestamp>,
}

/// How a report on a tag begins to say so.
const TAGS: &str = "refs/tags/";

/// What a report was made on that does not say whether that is a branch or a tag.
const UNSAID: &str = "refs/";

/// How a report begins to say that an event made it that the forge does not choose.
const EVENTS: &str = "refs/events/";

/// What a check was made on that a workflow posted, of whichever branch.
const POSTED: &str = "refs/posted";

/// Events by which the forge itself starts what a branch's commits are tested with. To others somebody gives something.
const OF_BRANCHES: [&str; 3] = ["merge_group", "push", "schedule"];

/// Where the forge tries what is about to be merged, by the branch that it goes to.
const QUEUE: &str = "gh-readonly-queue/";

/// What a run was made on, as it is kept: the branch that it is for where the forge started it, else its event.
pub fn run_on(event: &str, branch: Option<&str>, is_at_home: bool) -> String {
    if !is_at_home || !OF_BRANCHES.contains(&event) {
        return format!("{EVENTS}{event}");
    }
    let queued = branch.and_then(|branch| {
        let (base, _) = branch.strip_prefix(QUEUE)?.rsplit_once("/pr-")?;
        Some(base)
    });
    made_on(queued.or(branch), Some(false))
}

/// What a check was made on that a workflow posted with its token.
pub fn posted() -> String {
    POSTED.to_owned()
}

/// What a report was made on, as it is kept. A tag can have a branch's name, so that a name alone says nothing.
pub fn made_on(name: Option<&str>, is_tag: Option<bool>) -> String {
    match (name, is_tag) {
        (Some(name), Some(false)) => name.to_owned(),
        (Some(name), Some(true)) => format!("{TAGS}{name}"),
        (None, _) | (_, None) => UNSAID.to_owned(),
    }
}

/// What kind of fact it is, by the words that gates use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    Status,
    Check,
    Workflow,
    Job,
    Pipeline,
    Deployment,
}

impl ReportKind {
    const ALL: [Self; 6] = [
        Self::Status,
        Self::Check,
        Self::Workflow,
        Self::Job,
        Self::Pipeline,
        Self::Deployment,
    ];
}

/// Who reported it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reporter {
    /// The forge itself.
    Forge,
    /// An app, by its number.
    App(u64),
    /// A person or an app's account; a commit status tells no more.
    Account(Account),
}

/// Which of two reports by the same source is newer. Compared field by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// The number of the status, check run, workflow run or deployment.
    pub id: u64,
    /// The attempt of a run, the number of a deployment's status; else zero.
    pub attempt: u64,
    /// How far it is: queued, running, completed.
    pub phase: u8,
    /// When it got there, in epoch seconds.
    pub second: i64,
}

/// What a report means for a gate. Of two reports with the same rank the worse counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    Green,
    Pending,
    Red,
}

impl Report {
    /// Whether this report counts instead of `other`, which is about the same thing by the same source.
    pub fn replaces(&self, other: &Self) -> bool {
        (self.rank, self.colour) > (other.rank, other.colour)
    }

    /// Whether it was made on a branch or a tag, and does not say on which of both.
    pub fn is_of_unsaid_origin(&self) -> bool {
        self.reference.as_deref() == Some(UNSAID)
    }

    /// Whether it counts for a gate of what is released from a branch, or, where heads of pull requests are released,
    /// from any.
    pub fn counts_for(&self, gate: &Gate, branch: &str, elsewhere_too: bool) -> bool {
        let Some(reference) = self.reference.as_deref() else {
            return true;
        };
        if gate.is_posted() {
            return true;
        }
        if let Some(event) = self.event() {
            return gate.events().iter().any(|named| named == event);
        }
        if self.is_posted() {
            return false;
        }
        let is_of_branch = reference != UNSAID && !reference.starts_with(TAGS);
        is_of_branch && (elsewhere_too || reference == branch)
    }

    /// Why it does not count for what is released from a branch.
    pub fn why_aside(&self, branch: &str) -> String {
        let reference = self.reference.as_deref().unwrap_or_default();
        match self.event() {
            Some(event) => format!("its run was started by {event}"),
            None if self.is_posted() => "a workflow posted it, as any can".to_owned(),
            None if reference.starts_with(TAGS) => "it is of a tag".to_owned(),
            None if reference == UNSAID => "it does not say which branch it is of".to_owned(),
            None => format!("it is not of {branch}"),
        }
    }

    /// The event that made it, where the forge did not choose it.
    pub fn event(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix(EVENTS)
    }

    /// Whether a workflow posted it.
    pub fn is_posted(&self) -> bool {
        self.reference.as_deref() == Some(POSTED)
    }

    /// Since when it has been so, as far as we know. The time that it carries is its sender's, who could choose one
    /// long ago.
    pub fn stands_since(&self) -> Timestamp {
        self.heard.unwrap_or(self.at)
    }

    /// Whether this says of the same run or check what `other` said.
    pub fn repeats(&self, other: &Self) -> bool {
        self.is_of(other) && self.colour == other.colour
    }

    /// Whether this is about the same run or check.
    pub fn is_of(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.kind, one.rank.id, one.rank.attempt);
        key(self) == key(other) && self.name == other.name
    }

    /// Its source and what it was made on, as a key: what one branch shows takes nothing away from another.
    pub fn origin(&self) -> String {
        let source = self.source.key();
        match &self.reference {
            Some(reference) => format!("{source}@{reference}"),
            None => source,
        }
    }
}

impl ReportKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Check => "check",
            Self::Workflow => "workflow",
            Self::Job => "job",
            Self::Pipeline => "pipeline",
            Self::Deployment => "deployment",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Reporter {
    /// The source as a key; accounts by number.
    pub fn key(&self) -> String {
        match self {
            Self::Forge => "forge".to_owned(),
            Self::App(id) => format!("app/{id}"),
            Self::Account(account) => format!("account/{}", account.id),
        }
    }
}

impl Colour {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Pending => "pending",
            Self::Red => "red",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_without_a_branch_or_a_pipeline_is_read() {
        let stored = r#"{"repository":9,"sha":"SHA","kind":"job","name":"build",
            "source":"Forge","rank":{"id":31,"attempt":0,"phase":2,"second":9},"colour":"green",
            "word":"success","url":"","at":"2026-01-01T00:00:09Z"}"#;
        let stored = stored.replace("SHA", &"a".repeat(40));
        let report: Report = serde_json::from_str(&stored).unwrap();
        assert_eq!((report.reference.as_deref(), report.pipeline), (None, None));
        assert_eq!(report.origin(), "forge");
        let on_main = Report {
            reference: Some("main".to_owned()),
            ..report
        };
        assert_eq!(on_main.origin(), "forge@main");
    }
}
