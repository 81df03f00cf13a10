//! Roles: who may approve. A role is a union: each person named in one of its lists has it. Names are looked up once;
//! the numeric ids behind them decide.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::repo::is_path_part;
use super::{Forge, Invalid, RoleName};

/// A group of people who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// The name, as approvals use it.
    pub name: RoleName,
    /// People, by their login on GitHub.
    pub github_users: Vec<Login>,
    /// Teams of GitHub organizations.
    pub github_teams: Vec<TeamRef>,
    /// Everybody who has exactly one of these roles in the service's repository.
    pub github_roles: Vec<RepositoryRole>,
    /// People, by their user name on GitLab.
    pub gitlab_users: Vec<Login>,
    /// Groups on GitLab.
    pub gitlab_groups: Vec<GroupPath>,
    /// Everybody who has at least this access to the service's project.
    pub gitlab_access_level: Option<AccessLevel>,
}

impl Role {
    /// Those who are named, by what they are called on this forge.
    pub fn users(&self, forge: Forge) -> &[Login] {
        match forge {
            Forge::GitHub => &self.github_users,
            Forge::GitLab => &self.gitlab_users,
        }
    }

    /// The groups of people on this forge that have it.
    pub fn crowds(&self, forge: Forge) -> Vec<Crowd> {
        match forge {
            Forge::GitHub => self.github_teams.iter().cloned().map(Crowd::Team).collect(),
            Forge::GitLab => self
                .gitlab_groups
                .iter()
                .cloned()
                .map(Crowd::Group)
                .collect(),
        }
    }

    /// Whether a person on this forge can have the role.
    pub fn reaches(&self, forge: Forge) -> bool {
        match forge {
            Forge::GitHub => {
                !(self.github_users.is_empty()
                    && self.github_teams.is_empty()
                    && self.github_roles.is_empty())
            }
            Forge::GitLab => {
                !(self.gitlab_users.is_empty() && self.gitlab_groups.is_empty())
                    || self.gitlab_access_level.is_some()
            }
        }
    }

    /// Whether a person on any forge can have it.
    pub fn reaches_anybody(&self) -> bool {
        Forge::ALL.into_iter().any(|forge| self.reaches(forge))
    }

    /// Whether it is held by whoever may do something in the service's repository, and not only by those who are named.
    pub fn goes_by_access(&self, forge: Forge) -> bool {
        match forge {
            Forge::GitHub => !self.github_roles.is_empty(),
            Forge::GitLab => self.gitlab_access_level.is_some(),
        }
    }

    /// Whether somebody has it who has this role in the service's repository.
    pub(super) fn is_given_by(&self, forge: Forge, held: &str) -> bool {
        match forge {
            Forge::GitHub => self.github_roles.iter().any(|one| one.as_str() == held),
            Forge::GitLab => self.gitlab_access_level.is_some_and(|least| {
                let mut levels = AccessLevel::ALL.into_iter();
                levels.any(|level| level >= least && level.to_string() == held)
            }),
        }
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A person's login, without `@`.
    Login
}
text! {
    /// A role in a repository, such as `maintain`, `admin` or a custom one.
    RepositoryRole
}
text! {
    /// A group's path, such as `acme/sre`.
    GroupPath
}

impl FromStr for Login {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write the login alone, like `octocat`";
        if text.starts_with('@') {
            return Err(Invalid::new("a login is written without `@`", way_out));
        }
        if text.ends_with("[bot]") {
            return Err(Invalid::new("an app cannot approve", "name people"));
        }
        if text.contains('/') {
            return Err(Invalid::new(
                "this is a team or a group",
                "put it into `github_teams` or `gitlab_groups`",
            ));
        }
        if !is_path_part(text) {
            return Err(Invalid::new("this is not a login", way_out));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for RepositoryRole {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "read" | "none" | "pull" => Err(Invalid::new(
                "everybody who can see the repository has this role",
                "name a role that somebody was given, like `maintain` or `admin`",
            )),
            "push" => Err(Invalid::new(
                "GitHub calls this role `write`",
                "the roles are `triage`, `write`, `maintain`, `admin`, and custom ones",
            )),
            _ if text.trim() != text || text.is_empty() || text.chars().any(char::is_control) => {
                Err(Invalid::new(
                    "this is not a role's name",
                    "the roles are `triage`, `write`, `maintain`, `admin`, and custom ones",
                ))
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl FromStr for GroupPath {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.split('/').all(is_path_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            "this is not a group's path",
            "write it as GitLab's address shows it, like `acme/sre`",
        ))
    }
}

/// A team of an organization: `acme/sre`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TeamRef {
    organization: String,
    slug: String,
}

impl TeamRef {
    /// The organization's login.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The team's slug.
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl FromStr for TeamRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write organization and team, like `acme/sre`";
        let Some((organization, slug)) = text.split_once('/') else {
            return Err(Invalid::new("the organization is missing", way_out));
        };
        if text.starts_with('@') || !is_path_part(organization) || !is_path_part(slug) {
            return Err(Invalid::new("this is not a team", way_out));
        }
        Ok(Self {
            organization: organization.to_owned(),
            slug: slug.to_owned(),
        })
    }
}

impl fmt::Display for TeamRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organization, self.slug)
    }
}

/// People whom a forge keeps together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Crowd {
    Team(TeamRef),
    Group(GroupPath),
}

impl Crowd {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Team(_) => "team",
            Self::Group(_) => "group",
        }
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(team) => team.fmt(f),
            Self::Group(group) => group.fmt(f),
        }
    }
}

/// The least access to a GitLab project that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessLevel {
    /// 30 on GitLab.
    Developer,
    /// 40 on GitLab.
    Maintainer,
    /// 50 on GitLab.
    Owner,
}

impl AccessLevel {
    pub const ALL: [Self; 3] = [Self::Developer, Self::Maintainer, Self::Owner];

    /// The number that GitLab's API uses.
    pub fn number(self) -> u64 {
        match self {
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_teams_and_roles_are_told_apart() {
        fn check<T: FromStr>(text: &str, expect: bool) {
            assert_eq!(text.parse::<T>().is_ok(), expect, "{text:?}");
        }
        check::<Login>("octocat", true);
        check::<Login>("emu_acme", true);
        check::<Login>("@octocat", false);
        check::<Login>("acme/sre", false);
        check::<Login>("dependabot[bot]", false);
        check::<Login>("", false);
        check::<TeamRef>("acme/sre", true);
        check::<TeamRef>("sre", false);
        check::<TeamRef>("@acme/sre", false);
        check::<TeamRef>("acme/sre/x", false);
        check::<GroupPath>("acme", true);
        check::<GroupPath>("acme/sre/night", true);
        check::<GroupPath>("acme/", false);
        check::<RepositoryRole>("maintain", true);
        check::<RepositoryRole>("Release manager", true);
        check::<RepositoryRole>("read", false);
        check::<RepositoryRole>("push", false);
        check::<RepositoryRole>("", false);
    }
}
