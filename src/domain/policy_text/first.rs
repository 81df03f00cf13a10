//! The first spelling, by which policies were named before they had a text with a version: the shape that serde
//! gave to the structs of that day, copied here so that those can change. It only recognises requests that were
//! stored then; nothing new is named by it. It can go a year after the first release that writes the text
//! beside it: nothing waits longer, because that is the longest `expires`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::trigger::pipeline::Creator;
use crate::domain::{
    self, AppId, Environment, EnvironmentName, Excluded, GitHubGate, GitLabGate, GroupPath, Login,
    RepositoryRole, Role, Service, TeamRef,
};

/// The text that was hashed. A freeze stood in it; it is taken as absent, because a frozen environment took no
/// requests, so that every request was made without.
pub(super) fn spell(
    service: &Service,
    environment: &Environment,
    roles: &[&Role],
) -> Option<String> {
    let stages = service.stages_before(environment).iter();
    let policy = Policy {
        service: service.name.as_str(),
        repository: service.repo.to_string(),
        branch: service.branch.as_str(),
        stages: stages.map(Stage::of).collect(),
        environment: Place::of(environment)?,
        roles: roles.iter().map(|role| Group::of(role)).collect(),
    };
    serde_json::to_string(&policy).ok()
}

#[derive(Serialize)]
struct Policy<'p> {
    service: &'p str,
    repository: String,
    branch: &'p str,
    stages: Vec<Stage<'p>>,
    environment: Place<'p>,
    roles: Vec<Group<'p>>,
}

#[derive(Serialize)]
struct Stage<'p> {
    name: &'p str,
    gates: Vec<Gate<'p>>,
    soak: Option<String>,
}

impl<'p> Stage<'p> {
    fn of(stage: &'p domain::Stage) -> Self {
        Self {
            name: stage.name.as_str(),
            gates: stage.gates.iter().map(Gate::of).collect(),
            soak: stage.soak.map(|soak| soak.to_string()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Gate<'p> {
    GitHub(OnGitHub<'p>),
    GitLab(OnGitLab<'p>),
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum OnGitHub<'p> {
    Status {
        name: &'p str,
        app: Option<u64>,
    },
    Check {
        name: &'p str,
        app: Option<u64>,
    },
    Workflow {
        file: &'p str,
    },
    Deployment {
        environment: &'p str,
        app: Option<u64>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum OnGitLab<'p> {
    Job { name: &'p str },
    Pipeline { name: &'p str },
    Status { name: &'p str },
    Deployment { environment: &'p str },
}

impl<'p> Gate<'p> {
    fn of(gate: &'p domain::Gate) -> Self {
        let app = gate.app().map(AppId::get);
        let name = gate.name().as_str();
        match gate {
            domain::Gate::GitHub(gate) => Self::GitHub(match gate {
                GitHubGate::Status { .. } => OnGitHub::Status { name, app },
                GitHubGate::Check { .. } => OnGitHub::Check { name, app },
                GitHubGate::Workflow { .. } => OnGitHub::Workflow { file: name },
                GitHubGate::Deployment { .. } => OnGitHub::Deployment {
                    environment: name,
                    app,
                },
            }),
            domain::Gate::GitLab(gate) => Self::GitLab(match gate {
                GitLabGate::Job { .. } => OnGitLab::Job { name },
                GitLabGate::Pipeline { .. } => OnGitLab::Pipeline { name },
                GitLabGate::Status { .. } => OnGitLab::Status { name },
                GitLabGate::Deployment { .. } => OnGitLab::Deployment { environment: name },
            }),
        }
    }
}

#[derive(Serialize)]
struct Place<'p> {
    name: &'p str,
    aliases: Vec<&'p str>,
    after: &'p str,
    approvals: BTreeMap<&'p str, u32>,
    exclude: Exclude,
    expires: String,
    follow: String,
    allow: Allow,
    freeze: Option<()>,
    trigger: Trigger<'p>,
}

#[derive(Serialize)]
struct Exclude {
    author: bool,
    requester: bool,
}

impl Exclude {
    /// A word that came later was never spelled like this, and `author` was one word.
    fn of(exclude: &domain::Exclude) -> Option<Self> {
        let author = exclude.has_authors();
        let is_known = |who: Excluded| match who {
            Excluded::CommitAuthor | Excluded::Opener | Excluded::Pusher | Excluded::CoAuthor => {
                author
            }
            Excluded::Requester => true,
            Excluded::Committer | Excluded::Merger | Excluded::App => false,
        };
        exclude.each().all(is_known).then(|| Self {
            author,
            requester: exclude.has(Excluded::Requester),
        })
    }
}

#[derive(Serialize)]
struct Allow {
    open_heads: bool,
    forks: bool,
    drafts: bool,
}

impl<'p> Place<'p> {
    fn of(environment: &'p Environment) -> Option<Self> {
        let approvals = environment.approvals.iter();
        Some(Self {
            name: environment.name.as_str(),
            aliases: environment
                .aliases
                .iter()
                .map(EnvironmentName::as_str)
                .collect(),
            after: environment.after.as_str(),
            approvals: approvals
                .map(|(role, people)| (role.as_str(), *people))
                .collect(),
            exclude: Exclude::of(&environment.exclude)?,
            expires: environment.expires.to_string(),
            follow: environment.follow.to_string(),
            allow: Allow {
                open_heads: environment.allow.open_heads,
                forks: environment.allow.forks,
                drafts: environment.allow.drafts,
            },
            freeze: None,
            trigger: Trigger::of(&environment.trigger)?,
        })
    }
}

type Values<'p> = BTreeMap<&'p str, &'p str>;

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Trigger<'p> {
    GitHub(ByGitHub<'p>),
    GitLab(ByGitLab<'p>),
    Webhook { url: &'p str },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ByGitHub<'p> {
    Deployment {
        environment: &'p str,
    },
    WorkflowDispatch {
        workflow: &'p str,
        reference: String,
        inputs: Values<'p>,
    },
    RepositoryDispatch {
        event_type: &'p str,
    },
    ProtectionRule {
        environment: &'p str,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ByGitLab<'p> {
    PlayJob {
        job: &'p str,
    },
    CreatePipeline {
        reference: String,
        variables: Values<'p>,
    },
    TriggerToken {
        reference: String,
        variables: Values<'p>,
    },
    ApproveThenPlay {
        environment: &'p str,
    },
}

impl<'p> Trigger<'p> {
    /// A kind that came later was never spelled like this.
    fn of(trigger: &'p domain::Trigger) -> Option<Self> {
        if let domain::Trigger::Webhook(kind) = trigger {
            return Some(Self::Webhook { url: &kind.url });
        }
        let on_github = ByGitHub::of(trigger).map(Self::GitHub);
        on_github.or_else(|| ByGitLab::of(trigger).map(Self::GitLab))
    }
}

impl<'p> ByGitHub<'p> {
    fn of(trigger: &'p domain::Trigger) -> Option<Self> {
        if let domain::Trigger::Deployment(kind) = trigger
            && kind.reporter.is_none()
        {
            return Some(Self::Deployment {
                environment: kind.environment.as_str(),
            });
        }
        if let domain::Trigger::WorkflowDispatch(kind) = trigger {
            return Some(Self::WorkflowDispatch {
                workflow: kind.workflow.as_str(),
                reference: kind.reference.to_string(),
                inputs: values(&kind.inputs),
            });
        }
        if let domain::Trigger::RepositoryDispatch(kind) = trigger {
            return Some(Self::RepositoryDispatch {
                event_type: kind.event_type.as_str(),
            });
        }
        if let domain::Trigger::ProtectionRule(kind) = trigger
            && kind.workflow.is_none()
        {
            return Some(Self::ProtectionRule {
                environment: kind.environment.as_str(),
            });
        }
        None
    }
}

impl<'p> ByGitLab<'p> {
    fn of(trigger: &'p domain::Trigger) -> Option<Self> {
        if let domain::Trigger::PlayJob(kind) = trigger {
            return Some(Self::PlayJob {
                job: kind.job.as_str(),
            });
        }
        if let domain::Trigger::Pipeline(kind) = trigger {
            let reference = kind.reference.to_string();
            let variables = values(&kind.variables);
            return Some(match kind.creator {
                Creator::Account => Self::CreatePipeline {
                    reference,
                    variables,
                },
                Creator::Token => Self::TriggerToken {
                    reference,
                    variables,
                },
            });
        }
        if let domain::Trigger::ApproveThenPlay(kind) = trigger {
            return Some(Self::ApproveThenPlay {
                environment: kind.environment.as_str(),
            });
        }
        None
    }
}

fn values(values: &domain::trigger::values::Values) -> Values<'_> {
    let values = values.0.iter();
    values
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

#[derive(Serialize)]
struct Group<'p> {
    name: &'p str,
    github_users: Vec<&'p str>,
    github_teams: Vec<Team<'p>>,
    github_roles: Vec<&'p str>,
    gitlab_users: Vec<&'p str>,
    gitlab_groups: Vec<&'p str>,
    gitlab_access_level: Option<String>,
}

#[derive(Serialize)]
struct Team<'p> {
    organization: &'p str,
    slug: &'p str,
}

impl<'p> Group<'p> {
    fn of(role: &'p Role) -> Self {
        let team = |team: &'p TeamRef| Team {
            organization: team.organization(),
            slug: team.slug(),
        };
        Self {
            name: role.name.as_str(),
            github_users: role.github_users.iter().map(Login::as_str).collect(),
            github_teams: role.github_teams.iter().map(team).collect(),
            github_roles: role
                .github_roles
                .iter()
                .map(RepositoryRole::as_str)
                .collect(),
            gitlab_users: role.gitlab_users.iter().map(Login::as_str).collect(),
            gitlab_groups: role.gitlab_groups.iter().map(GroupPath::as_str).collect(),
            gitlab_access_level: role.gitlab_access_level.map(|level| level.to_string()),
        }
    }
}
