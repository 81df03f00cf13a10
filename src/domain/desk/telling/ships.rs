//! Commits that would reach an environment, and where the forge shows them.

use crate::domain::desk::sitting::Sitting;
use crate::domain::text::code;
use crate::domain::{Comparison, Environment, Forge, Repository, Service, Sha, Shipped, Ships};

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
    let hidden = comparison.commits.len().saturating_sub(LISTED);
    ships.more = u64::try_from(hidden).unwrap_or(u64::MAX);
    ships.is_partial = !comparison.complete;
    ships.commits = comparison
        .commits
        .iter()
        .skip(hidden)
        .map(|commit| {
            let mut by: Vec<String> = commit.people.iter().map(|one| one.login.clone()).collect();
            by.dedup();
            Shipped {
                sha: commit.sha.clone(),
                title: kept(&commit.title),
                by,
                pull_request: pull_request(repository.forge(), &commit.title)
                    .map(|number| (number, pull_request_page(sitting, repository, number))),
            }
        })
        .collect();
}

fn page(sitting: &Sitting<'_>, repository: &Repository) -> String {
    let forge = repository.forge();
    let web = sitting.catalog.web_urls.get(&forge);
    let page = format!("{}/{}", web.map_or("", String::as_str), repository.path);
    match forge {
        Forge::GitHub => page,
        // GitLab keeps its own pages apart from those of groups below.
        Forge::GitLab => format!("{page}/-"),
    }
}

pub(crate) fn commit_page(sitting: &Sitting<'_>, repository: &Repository, sha: &Sha) -> String {
    format!("{}/commit/{sha}", page(sitting, repository))
}

fn pull_request_page(sitting: &Sitting<'_>, repository: &Repository, number: u64) -> String {
    let page = page(sitting, repository);
    match repository.forge() {
        Forge::GitHub => format!("{page}/pull/{number}"),
        Forge::GitLab => format!("{page}/merge_requests/{number}"),
    }
}

/// The pull request that a title names, as the forge writes it when it merges.
fn pull_request(forge: Forge, title: &str) -> Option<u64> {
    let digits = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number)
    };
    if forge == Forge::GitHub
        && let Some(rest) = title.strip_prefix("Merge pull request #")
    {
        return digits(rest.split(' ').next()?);
    }
    let (_, last) = title.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    digits(last.strip_prefix(forge.mark_of_pull_request())?)
}

pub(crate) fn kept(title: &str) -> String {
    title.chars().take(TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_its_pull_request_as_the_forge_writes_it() {
        for (forge, title, expect) in [
            (Forge::GitHub, "Sell more (#12)", Some(12)),
            (
                Forge::GitHub,
                "Merge pull request #7 from ann/more",
                Some(7),
            ),
            (Forge::GitHub, "Fix #7", None),
            (Forge::GitHub, "Sell (#x)", None),
            (Forge::GitHub, "Sell (#)", None),
            (Forge::GitHub, "(#3)", Some(3)),
            (Forge::GitHub, "Sell more (#12) now", None),
            (Forge::GitHub, "Sell more (!12)", None),
            (Forge::GitLab, "Sell more (!12)", Some(12)),
            // An issue, which has another page.
            (Forge::GitLab, "Sell more (#12)", None),
            (Forge::GitLab, "Merge pull request #7 from ann/more", None),
        ] {
            assert_eq!(pull_request(forge, title), expect, "{forge} {title}");
        }
    }
}
