//! Commits that would reach an environment, and where the forge shows them.

use crate::domain::desk::sitting::Sitting;
use crate::domain::text::code;
use crate::domain::{Comparison, Environment, Repository, Service, Sha, Shipped, Ships};

/// Commits that are listed; the others are counted.
const LISTED: usize = 10;

/// Characters of a title that are kept.
const TITLE: usize = 200;

/// What would reach the environment.
pub(crate) fn ships(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
    repository: &Repository,
    sha: &Sha,
) -> Ships {
    let Some(live) = sitting.live(service, environment) else {
        return Ships::default();
    };
    let mut ships = Ships {
        since: Some(live.sha.clone()),
        compare: Some(format!(
            "{}/compare/{}...{sha}",
            page(sitting, repository),
            live.sha
        )),
        ..Ships::default()
    };
    match sitting.comparison(repository, live.sha.as_str(), sha.as_str()) {
        Ok(comparison) => list(sitting, comparison, repository, &mut ships),
        Err(why) => ships.unclear = Some(code(&why).into()),
    }
    ships
}

fn list(
    sitting: &Sitting<'_>,
    comparison: &Comparison,
    repository: &Repository,
    ships: &mut Ships,
) {
    let (forge, page) = (repository.forge(), page(sitting, repository));
    let hidden = comparison.commits.len().saturating_sub(LISTED);
    ships.more = u64::try_from(hidden).unwrap_or(u64::MAX);
    ships.is_partial = !comparison.complete;
    ships.commits = comparison
        .commits
        .iter()
        .skip(hidden)
        .map(|commit| {
            let by = commit.people().into_iter();
            Shipped {
                sha: commit.sha.clone(),
                title: kept(&commit.title),
                by: by.map(|one| one.login.clone()).collect(),
                pull_request: forge
                    .pull_request_in(&commit.title)
                    .map(|number| (number, forge.pull_request_page(&page, number))),
            }
        })
        .collect();
}

fn page(sitting: &Sitting<'_>, repository: &Repository) -> String {
    let forge = repository.forge();
    let web_url = sitting.catalog.web_urls.get(&forge);
    forge.page(web_url.map_or("", String::as_str), &repository.path)
}

pub(crate) fn commit_page(sitting: &Sitting<'_>, repository: &Repository, sha: &Sha) -> String {
    format!("{}/commit/{sha}", page(sitting, repository))
}

pub(crate) fn kept(title: &str) -> String {
    title.chars().take(TITLE).collect()
}
