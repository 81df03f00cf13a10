//! `[[service]]`: what is deployed, and how services stand beside each other.

use super::environment::{self, Surrounding};
use super::{Known, Secrets, stage, subscription};
use crate::config::at::{At, Place};
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::review::{Review, taken};
use crate::domain::{Branch, PathPattern, RepoRef, Service, ServiceName};

pub(super) fn services(
    known: &Known<'_>,
    secrets: &mut Secrets,
    review: &mut Review<'_>,
) -> Vec<Service> {
    let mut names: Vec<At<ServiceName>> = Vec::new();
    let mut former: Vec<At<ServiceName>> = Vec::new();
    let mut services: Vec<At<Service>> = Vec::new();
    for at in known.file.service.iter().flatten() {
        if let Some(name) = review.parse(at.value.name.as_ref()) {
            review.add_new(&mut names, name);
        }
        if let Some(name) = review.parse(at.value.formerly.as_ref()) {
            review.add_new(&mut former, name);
        }
        let Some(service) = service(at, known, secrets, review) else {
            continue;
        };
        let new = At {
            place: at
                .value
                .repo
                .as_ref()
                .map_or(&at.place, |repo| &repo.place)
                .clone(),
            value: service,
        };
        if let Some(other) = services
            .iter()
            .find(|other| overlap(&other.value, &new.value))
        {
            let problem = Problem::new(
                &new.place,
                "two services are the same repository, branch and paths",
            );
            review.refuse(
                problem
                    .also(&other.place, "the other one")
                    .help("give each its own `paths`, so that a commit belongs to one of them"),
            );
        }
        services.push(new);
    }
    for gone in &former {
        if let Some(name) = names.iter().find(|name| name.value == gone.value) {
            review.refuse(taken(gone, &name.place));
        }
    }
    services.into_iter().map(|service| service.value).collect()
}

fn service(
    at: &At<raw::Service>,
    known: &Known<'_>,
    secrets: &mut Secrets,
    review: &mut Review<'_>,
) -> Option<Service> {
    let raw = &at.value;
    let name = raw
        .name
        .as_ref()
        .and_then(|name| name.value.parse::<ServiceName>().ok());
    let formerly = raw
        .formerly
        .as_ref()
        .and_then(|name| name.value.parse::<ServiceName>().ok());
    let repo = review.parse::<RepoRef>(raw.repo.as_ref());
    let branch = review.parse::<Branch>(raw.branch.as_ref());
    let paths = review.parse_all::<PathPattern>(raw.paths.as_ref());
    if let Some(repo) = &repo {
        must_connect(repo, known, review);
    }
    let notify = subscription::notify(raw, known, review);
    let repo = repo.map(|repo| repo.value);
    let branch = branch.map(|branch| branch.value);
    let written = raw.stage.as_deref().unwrap_or_default();
    let stages = stage::stages(written, repo.as_ref(), review);
    let surrounding = Surrounding {
        service: name.as_ref(),
        repo: repo.as_ref(),
        branch: branch.as_ref(),
        stages: written,
        known,
    };
    let written = raw.environment.as_deref().unwrap_or_default();
    let environments = environment::environments(written, &surrounding, secrets, review);
    Some(Service {
        name: name?,
        formerly,
        repo: repo?,
        branch: branch?,
        paths,
        notify,
        stages,
        environments,
    })
}

fn must_connect(repo: &At<RepoRef>, known: &Known<'_>, review: &mut Review<'_>) {
    let forge = repo.value.forge();
    if !known.connects(forge) && !review.refused(&(0..0), forge.prefix()) {
        let message = format!(
            "this service is on {forge}, but there is no `[{}]`",
            forge.prefix()
        );
        let problem = Problem::new(&repo.place, message);
        review.refuse(problem.help(format!("add the section `[{}]`", forge.prefix())));
    }
}

/// Whether the same commit would surely belong to both.
fn overlap(one: &Service, other: &Service) -> bool {
    let same_repo = one.repo.forge() == other.repo.forge()
        && one.repo.path().eq_ignore_ascii_case(other.repo.path());
    let same_paths = (one.paths.is_empty() && other.paths.is_empty())
        || one.paths.iter().any(|path| other.paths.contains(path));
    same_repo && one.branch == other.branch && same_paths
}

/// The place of a key's value, or of its table.
pub(super) fn place_of<'a, T>(value: Option<&'a At<T>>, table: &'a Place) -> &'a Place {
    value.map_or(table, |value| &value.place)
}
