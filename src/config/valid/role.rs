//! `[roles.NAME]`: who may approve. Refuses a role that no person has.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::at::At;
use crate::config::raw::{self, Level};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::domain::{AccessLevel, Role, RoleName};

type Written = BTreeMap<At<String>, At<raw::Role>>;

pub(super) fn roles(raw: Option<&Written>, review: &mut Review<'_>) -> BTreeMap<RoleName, Role> {
    raw.into_iter()
        .flatten()
        .filter_map(|(name, written)| role(name, written, review))
        .map(|role| (role.name.clone(), role))
        .collect()
}

fn role(name: &At<String>, at: &At<raw::Role>, review: &mut Review<'_>) -> Option<Role> {
    let raw = &at.value;
    let before = review.findings.problems.len();
    let parsed: Option<At<RoleName>> = review.parse(Some(name));
    let role = Role {
        name: parsed?.value,
        github_users: review.parse_all(raw.github_users.as_ref()),
        github_teams: review.parse_all(raw.github_teams.as_ref()),
        github_roles: review.parse_all(raw.github_roles.as_ref()),
        gitlab_users: review.parse_all(raw.gitlab_users.as_ref()),
        gitlab_groups: review.parse_all(raw.gitlab_groups.as_ref()),
        gitlab_access_level: raw.gitlab_access_level.as_ref().map(|at| level(at.value)),
    };
    let reported = review.findings.problems.len() > before || review.refused_any(&at.place);
    if !reported && !role.reaches_anybody() {
        let problem = Problem::new(
            &name.place,
            format!("the role `{}` has no members", role.name),
        );
        review.refuse(
            problem.help("name people or teams, for example: github_teams = [\"acme/sre\"]"),
        );
    }
    Some(role)
}

fn level(level: Level) -> AccessLevel {
    match level {
        Level::Developer => AccessLevel::Developer,
        Level::Maintainer => AccessLevel::Maintainer,
        Level::Owner => AccessLevel::Owner,
    }
}

/// A role that no environment asks for is allowed, but probably forgotten.
pub(super) fn warn_of_unused(file: &raw::File, review: &mut Review<'_>) {
    let services = file.service.iter().flatten();
    let environments = services.flat_map(|service| service.value.environment.iter().flatten());
    let used: BTreeSet<&str> = environments
        .flat_map(|environment| environment.value.approvals.iter().flatten())
        .map(|(role, _)| role.value.as_str())
        .collect();
    for name in file.roles.iter().flatten().map(|(name, _)| name) {
        if !used.contains(name.value.as_str()) {
            review.warn(
                &name.place,
                format!("no environment asks for the role `{}`", name.value),
            );
        }
    }
}
