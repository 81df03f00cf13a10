//! The evidence of a period, folded out of the entries in their order. Pure: the reader of the log hands over the
//! entries of the period first, then the whole story of each request that was released in it. What was erased is told
//! apart from what never was.

use std::collections::{BTreeMap, BTreeSet};

use countersign_ledger::Action;
use countersign_ledger::Whole;
use jiff::Timestamp;

mod deploy;

pub use deploy::{Approver, Deploy, End, Gate, Who};

use deploy::{deploy, follow, who};

/// What is asked for: from this time on, and before that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub from: Timestamp,
    pub to: Timestamp,
    pub service: Option<String>,
}

/// A release that no approval explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    pub seq: i64,
    pub at: Timestamp,
    pub service: String,
    pub environment: String,
    pub sha: String,
    pub what: String,
    pub by: Option<String>,
}

/// A person or the service stepped out of the ordinary road.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    pub seq: i64,
    pub at: Timestamp,
    pub action: &'static str,
    pub by: Option<Who>,
    /// What it was done to.
    pub what: String,
    pub reason: Option<String>,
}

/// How much of the log a report rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Entries of the period.
    pub entries: u64,
    pub first: i64,
    pub last: i64,
    /// The newest entry that says something about a deploy of the period.
    pub newest: i64,
}

/// Counts that must agree with the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub deploys: u64,
    /// By service, environment and end.
    pub ends: BTreeMap<(String, String), BTreeMap<End, u64>>,
    pub refusals: u64,
    /// By service; empty where a command named none.
    pub refused: BTreeMap<String, u64>,
}

/// The evidence of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub scope: Scope,
    pub reading: Reading,
    pub deploys: Vec<Deploy>,
    pub unexplained: Vec<Unexplained>,
    pub interventions: Vec<Intervention>,
    pub totals: Totals,
    /// Values that are not what their entries committed to, by entry and name. None is shown.
    pub altered: Vec<(i64, String)>,
}

impl Report {
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            reading: Reading::default(),
            deploys: Vec::new(),
            unexplained: Vec::new(),
            interventions: Vec::new(),
            totals: Totals::default(),
            altered: Vec::new(),
        }
    }

    /// Takes the next entry. One that is not of the period changes nothing.
    pub fn take(&mut self, entry: &Whole) {
        if entry.at < self.scope.from || entry.at >= self.scope.to {
            return;
        }
        self.reading.entries += 1;
        if self.reading.first == 0 {
            self.reading.first = entry.seq;
        }
        self.reading.last = entry.seq;
        self.reading.newest = self.reading.newest.max(entry.seq);
        self.note_altered(entry);
        let elsewhere = |service: &String| entry.service.as_ref() != Some(service);
        let is_elsewhere = self.scope.service.as_ref().is_some_and(elsewhere);
        if is_elsewhere && entry.service.is_some() {
            return;
        }
        match entry.action {
            // These name a row of the outbox and no service.
            Action::EffectDropped | Action::EffectRetried | Action::TriggerUnproven => {
                let what = entry.text("token").unwrap_or_default();
                self.step_in(entry, what.to_owned());
            }
            Action::Triggered | Action::Unexplained | Action::Refused if is_elsewhere => {}
            Action::Triggered => self.deploys.push(deploy(entry)),
            Action::Unexplained => self.unexplained.push(Unexplained {
                seq: entry.seq,
                at: entry.at,
                service: entry.service.clone().unwrap_or_default(),
                environment: entry.environment.clone().unwrap_or_default(),
                sha: entry.sha.clone().unwrap_or_default(),
                what: entry.text("what").unwrap_or_default().to_owned(),
                by: entry.text("by").map(str::to_owned),
            }),
            Action::Refused => {
                let service = entry.service.clone().unwrap_or_default();
                *self.totals.refused.entry(service).or_default() += 1;
                self.totals.refusals += 1;
            }
            Action::StagePassed
            | Action::StageFailed
            | Action::CandidateReady
            | Action::CommandReceived
            | Action::CommentChanged
            | Action::Answered
            | Action::Requested
            | Action::Approved
            | Action::ApprovalVoided
            | Action::Rejected
            | Action::Cancelled
            | Action::Expired
            | Action::Superseded
            | Action::Voided
            | Action::TriggerHeld
            | Action::TriggerLost
            | Action::TriggerFound
            | Action::Started
            | Action::Succeeded
            | Action::Failed
            | Action::Locked
            | Action::Unlocked
            | Action::NameChangedHands
            | Action::RepositoryChanged
            | Action::ConfigurationLoaded
            | Action::DeliveryParked
            | Action::DeliveryRetried
            | Action::EffectParked
            | Action::LogOpened
            | Action::KeyRotated
            | Action::HeadAdopted
            | Action::DatabaseRestored
            | Action::PrivateErased
            | Action::CheckpointAnchored
            | Action::TokenMade
            | Action::TokenRevoked
            | Action::LinkOffered
            | Action::LinkClaimed
            | Action::LinkDeclined
            | Action::IdentityLinked
            | Action::IdentityUnlinked => {}
        }
    }

    /// The requests whose whole stories are needed.
    pub fn requests(&self) -> BTreeSet<i64> {
        self.deploys.iter().map(|deploy| deploy.request).collect()
    }

    /// Takes everything that was recorded about a request, in order.
    pub fn tell(&mut self, request: i64, story: &[Whole]) {
        for entry in story {
            self.note_altered(entry);
            self.reading.newest = self.reading.newest.max(entry.seq);
        }
        let mut deploys = self.deploys.iter_mut();
        while let Some(deploy) = deploys.find(|deploy| deploy.request == request) {
            follow(deploy, story);
        }
    }

    /// Counts, once everything was told.
    #[must_use]
    pub fn finished(mut self) -> Self {
        for deploy in &self.deploys {
            let place = (deploy.service.clone(), deploy.environment.clone());
            let ends = self.totals.ends.entry(place).or_default();
            *ends.entry(deploy.end).or_default() += 1;
            self.totals.deploys += 1;
        }
        self.altered.sort_unstable();
        self.altered.dedup();
        self
    }

    /// Deploys to which the requester also said yes.
    pub fn self_approved(&self) -> impl Iterator<Item = &Deploy> {
        self.deploys
            .iter()
            .filter(|deploy| deploy.is_self_approved())
    }

    /// Deploys that were asked for again, or started again.
    pub fn retried(&self) -> impl Iterator<Item = &Deploy> {
        let retried = |deploy: &&Deploy| deploy.attempt > 1 || deploy.kind.starts_with("retry");
        self.deploys.iter().filter(retried)
    }

    fn note_altered(&mut self, entry: &Whole) {
        let names = entry.altered.iter().cloned();
        self.altered.extend(names.map(|name| (entry.seq, name)));
    }

    fn step_in(&mut self, entry: &Whole, what: String) {
        self.interventions.push(Intervention {
            seq: entry.seq,
            at: entry.at,
            action: entry.action.as_str(),
            by: who(entry),
            what,
            reason: entry
                .text("reason")
                .or_else(|| entry.text("problem"))
                .map(str::to_owned),
        });
    }
}
