//! The facts that a stage waits for. A gate belongs to one forge: a check run cannot gate a
//! service on GitLab, and a pipeline job cannot gate one on GitHub.

use std::fmt;

use serde::Serialize;

use super::workflow_file::looks_like_workflow_file;
use super::{Forge, Invalid, NamePattern};

/// The numeric id of the app that must have made a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AppId(u64);

impl AppId {
    /// An id as a forge gives them; zero is none.
    pub fn new(id: u64) -> Option<Self> {
        (id != 0).then_some(Self(id))
    }

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One fact that a stage waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// A fact that GitHub reports.
    GitHub(GitHubGate),
    /// A fact that GitLab reports.
    GitLab(GitLabGate),
}

/// A fact that GitHub reports about a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GitHubGate {
    /// A commit status, by its context.
    Status {
        /// The context.
        name: NamePattern,
        /// The only app whose reports count, where one is named.
        app: Option<AppId>,
    },
    /// A check run.
    Check {
        /// The check run's name.
        name: NamePattern,
        /// The only app whose reports count, where one is named.
        app: Option<AppId>,
        /// Whether what any workflow posted counts, and not only jobs of runs.
        posted: bool,
        /// Events whose runs count besides those that the forge starts for the release branch.
        events: Vec<String>,
    },
    /// A run of a workflow, by the workflow's file name.
    Workflow {
        /// The file in `.github/workflows`.
        file: NamePattern,
        /// Events whose runs count besides those that the forge starts for the release branch.
        events: Vec<String>,
    },
    /// A deployment to an environment.
    Deployment {
        /// The environment's name on GitHub.
        environment: NamePattern,
        /// The only app whose deployments count, where one is named.
        app: Option<AppId>,
    },
}

/// A fact that GitLab reports about a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GitLabGate {
    /// A job of a pipeline.
    Job {
        /// The job's name.
        name: NamePattern,
    },
    /// A whole pipeline.
    Pipeline {
        /// The pipeline's name; `*` for any.
        name: NamePattern,
    },
    /// An external commit status.
    Status {
        /// The status's name.
        name: NamePattern,
    },
    /// A deployment to an environment.
    Deployment {
        /// The environment's name on GitLab.
        environment: NamePattern,
    },
}

impl Gate {
    /// The name of a status that everyone who can write to the repository may report.
    pub fn reported_by_anybody(&self) -> Option<&NamePattern> {
        match self {
            Self::GitHub(GitHubGate::Status { name, app: None }) => Some(name),
            Self::GitHub(_) | Self::GitLab(_) => None,
        }
    }

    /// The kinds of gates that a forge has, as words in front of the colon.
    pub fn kinds(forge: Forge) -> &'static [&'static str] {
        match forge {
            Forge::GitHub => &["check", "status", "workflow", "deployment"],
            Forge::GitLab => &["job", "pipeline", "status", "deployment"],
        }
    }

    /// Reads the short form, `check:build`.
    pub fn parse(forge: Forge, text: &str) -> Result<Self, Invalid> {
        match text.split_once(':') {
            Some((kind, name)) => Self::new(forge, kind, name, None),
            None if text == "pipeline" => Self::new(forge, text, "*", None),
            None => Err(Invalid::new(
                "the kind of this gate is missing",
                format!("write it like {}", example(forge)),
            )),
        }
    }

    /// Makes a gate from its kind, its name and its pinned source.
    pub fn new(forge: Forge, kind: &str, name: &str, app: Option<AppId>) -> Result<Self, Invalid> {
        let pattern = || name.parse::<NamePattern>();
        let gate = match (forge, kind) {
            (Forge::GitHub, "status") => Self::GitHub(GitHubGate::Status {
                name: pattern()?,
                app,
            }),
            (Forge::GitHub, "check") => Self::GitHub(GitHubGate::Check {
                name: pattern()?,
                app,
                posted: false,
                events: Vec::new(),
            }),
            (Forge::GitHub, "workflow") => Self::GitHub(GitHubGate::Workflow {
                file: workflow(pattern()?)?,
                events: Vec::new(),
            }),
            (Forge::GitHub, "deployment") => Self::GitHub(GitHubGate::Deployment {
                environment: pattern()?,
                app,
            }),
            (Forge::GitLab, "job") => Self::GitLab(GitLabGate::Job { name: pattern()? }),
            (Forge::GitLab, "pipeline") => Self::GitLab(GitLabGate::Pipeline { name: pattern()? }),
            (Forge::GitLab, "status") => Self::GitLab(GitLabGate::Status { name: pattern()? }),
            (Forge::GitLab, "deployment") => Self::GitLab(GitLabGate::Deployment {
                environment: pattern()?,
            }),
            (Forge::GitHub | Forge::GitLab, _) => return Err(unknown_kind(forge, kind)),
        };
        if app.is_some() && gate.app().is_none() {
            return Err(Invalid::new(
                format!("`app` says nothing about a {kind} of {forge}"),
                "leave `app` out: only the forge itself makes these reports",
            ));
        }
        Ok(gate)
    }

    /// The same, where more counts than what the forge itself started for the release branch.
    pub fn counting(mut self, also_posted: bool, also_of: Vec<String>) -> Result<Self, Invalid> {
        match &mut self {
            Self::GitHub(GitHubGate::Check { posted, events, .. }) => {
                *posted = also_posted;
                *events = also_of;
            }
            Self::GitHub(GitHubGate::Workflow { events, .. }) if !also_posted => *events = also_of,
            Self::GitHub(_) | Self::GitLab(_) if also_posted || !also_of.is_empty() => {
                let (key, kinds) = match also_posted {
                    true => ("posted", "checks of GitHub"),
                    false => ("events", "checks and workflows of GitHub"),
                };
                return Err(Invalid::new(
                    format!("`{key}` says nothing about a {}", self.kind()),
                    format!("leave it out: it is for {kinds}"),
                ));
            }
            Self::GitHub(_) | Self::GitLab(_) => {}
        }
        Ok(self)
    }

    /// Whether what any workflow posted counts.
    pub fn is_posted(&self) -> bool {
        matches!(self, Self::GitHub(GitHubGate::Check { posted: true, .. }))
    }

    /// Events whose runs count besides those that the forge starts for the release branch.
    pub fn events(&self) -> &[String] {
        match self {
            Self::GitHub(
                GitHubGate::Check { events, .. } | GitHubGate::Workflow { events, .. },
            ) => events,
            Self::GitHub(GitHubGate::Status { .. } | GitHubGate::Deployment { .. })
            | Self::GitLab(_) => &[],
        }
    }

    /// The word in front of the colon.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GitHub(GitHubGate::Status { .. }) | Self::GitLab(GitLabGate::Status { .. }) => {
                "status"
            }
            Self::GitHub(GitHubGate::Check { .. }) => "check",
            Self::GitHub(GitHubGate::Workflow { .. }) => "workflow",
            Self::GitHub(GitHubGate::Deployment { .. })
            | Self::GitLab(GitLabGate::Deployment { .. }) => "deployment",
            Self::GitLab(GitLabGate::Job { .. }) => "job",
            Self::GitLab(GitLabGate::Pipeline { .. }) => "pipeline",
        }
    }

    /// The name after the colon.
    pub fn name(&self) -> &NamePattern {
        match self {
            Self::GitHub(GitHubGate::Status { name, .. } | GitHubGate::Check { name, .. })
            | Self::GitLab(
                GitLabGate::Job { name }
                | GitLabGate::Pipeline { name }
                | GitLabGate::Status { name },
            ) => name,
            Self::GitHub(GitHubGate::Workflow { file, .. }) => file,
            Self::GitHub(GitHubGate::Deployment { environment, .. })
            | Self::GitLab(GitLabGate::Deployment { environment }) => environment,
        }
    }

    /// Whether nothing tells us of it: GitLab sends no event about a status that others report.
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::GitLab(GitLabGate::Status { .. }))
    }

    /// The only app whose reports count, where one is named.
    pub fn app(&self) -> Option<AppId> {
        match self {
            Self::GitHub(
                GitHubGate::Status { app, .. }
                | GitHubGate::Check { app, .. }
                | GitHubGate::Deployment { app, .. },
            ) => *app,
            Self::GitHub(GitHubGate::Workflow { .. }) | Self::GitLab(_) => None,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.name())?;
        match self.app() {
            Some(app) => write!(f, " (only from app {app})"),
            None => Ok(()),
        }
    }
}

fn workflow(file: NamePattern) -> Result<NamePattern, Invalid> {
    if looks_like_workflow_file(file.as_str()) || file.as_str().ends_with('*') {
        return Ok(file);
    }
    Err(Invalid::new(
        "a workflow is named by its file",
        "write the file in `.github/workflows`, like `workflow:ci.yml`; its title can be used by others",
    ))
}

fn example(forge: Forge) -> &'static str {
    match forge {
        Forge::GitHub => "`check:build`",
        Forge::GitLab => "`job:build`",
    }
}

fn unknown_kind(forge: Forge, kind: &str) -> Invalid {
    let known = || {
        let kinds: Vec<String> = Gate::kinds(forge)
            .iter()
            .map(|kind| format!("`{kind}`"))
            .collect();
        format!("{forge} has {}", kinds.join(", "))
    };
    let mut forges = Forge::ALL.into_iter();
    if forges.any(|forge| Gate::kinds(forge).contains(&kind)) {
        Invalid::new(format!("{forge} has no gate `{kind}`"), known())
    } else {
        Invalid::new("this kind of gate is not known", known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_written_as_kind_and_name() {
        let check = |forge: Forge, text: &str, kind: &str, name: &str| {
            let gate = Gate::parse(forge, text).unwrap();
            assert_eq!((gate.kind(), gate.name().as_str()), (kind, name));
        };
        check(Forge::GitHub, "check:build", "check", "build");
        check(Forge::GitHub, "check:e2e: all / *", "check", "e2e: all / *");
        check(Forge::GitHub, "status:ci/lint", "status", "ci/lint");
        check(Forge::GitHub, "workflow:ci.yml", "workflow", "ci.yml");
        check(Forge::GitHub, "deployment:staging", "deployment", "staging");
        check(Forge::GitLab, "job:unit 1/3", "job", "unit 1/3");
        check(Forge::GitLab, "pipeline", "pipeline", "*");
        check(Forge::GitLab, "pipeline:nightly", "pipeline", "nightly");
    }

    #[test]
    fn a_gate_of_another_forge_or_kind_is_refused() {
        let check = |forge: Forge, text: &str, problem: &str| {
            assert_eq!(
                Gate::parse(forge, text).unwrap_err().problem,
                problem,
                "{text}"
            );
        };
        check(Forge::GitHub, "job:build", "GitHub has no gate `job`");
        check(Forge::GitLab, "check:build", "GitLab has no gate `check`");
        check(Forge::GitHub, "pipeline", "GitHub has no gate `pipeline`");
        check(
            Forge::GitHub,
            "chekc:build",
            "this kind of gate is not known",
        );
        check(Forge::GitHub, "build", "the kind of this gate is missing");
        check(Forge::GitHub, "check:", "this name is empty");
        check(
            Forge::GitHub,
            "workflow:CI",
            "a workflow is named by its file",
        );
    }

    #[test]
    fn a_pinned_source_must_mean_something() {
        let app = AppId::new(15368);
        let gate = Gate::new(Forge::GitHub, "status", "load-test", app).unwrap();
        assert_eq!(gate.to_string(), "status:load-test (only from app 15368)");
        assert!(Gate::new(Forge::GitHub, "workflow", "ci.yml", app).is_err());
        assert!(Gate::new(Forge::GitLab, "job", "build", app).is_err());
        assert_eq!(AppId::new(0), None);
    }
}
