//! Views: what a surface shows, as data that the desk makes without writing anything. A comment, a chat and a page each
//! show the same view in their own way.

use jiff::Timestamp;

use super::gates::StageVerdict;
use super::text::Text;
use super::{
    Account, EnvironmentName, Exclude, Live, Reason, RoleName, ServiceName, Sha, StageName,
};

/// What a reader wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glance {
    Status {
        services: Vec<ServiceName>,
    },
    Examined {
        service: ServiceName,
        environment: EnvironmentName,
        sha: Sha,
    },
    People {
        service: ServiceName,
        environment: EnvironmentName,
    },
}

/// What they see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    Status(StatusView),
    Examined(Box<ExaminedView>),
    People(PeopleView),
}

/// What is live, what is under way, and how far the newest commits are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    pub services: Vec<ServiceView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    pub name: ServiceName,
    pub environments: Vec<EnvironmentView>,
    /// The newest first.
    pub newest: Vec<CandidateView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentView {
    pub name: EnvironmentName,
    pub live: Option<Live>,
    /// What closes it.
    pub closed: Vec<Reason>,
    pub open: Vec<OpenView>,
}

/// A request that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenView {
    pub number: u64,
    pub sha: Sha,
    pub by: Account,
    pub opened_at: Timestamp,
    pub step: Step,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Waiting,
    Starting,
    /// It may have started.
    Unclear,
    Started,
    Deploying,
}

/// A commit and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateView {
    pub sha: Sha,
    pub title: String,
    pub seen_at: Timestamp,
    pub stages: Vec<(StageName, StageVerdict)>,
}

/// What stands between a commit and an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExaminedView {
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub sha: Sha,
    /// The request that asks for it, if one waits.
    pub request: Option<u64>,
    pub tree: Reason,
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleView {
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub roles: Vec<RoleView>,
    /// Who cannot approve.
    pub excludes: Exclude,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleView {
    pub name: RoleName,
    pub count: u32,
    /// The role and the people and groups that fill it.
    pub who: Text,
}
