//! Reports about a commit as the forge has them now, and what the ledger keeps as evidence.

use crate::domain::desk::Change;
use crate::domain::desk::examine::Looked;
use crate::domain::desk::known::{digests, repositories};
use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::gates;
use crate::domain::reason::Reason;
use crate::domain::{Detail, Fact, PolicyDigest, Question, Report, Reporter, Repository, Sha};

/// Of the evidence in an entry. The first version, which had no number, kept the whole tree of reasons private.
const VERSION: u64 = 2;

/// The reports as the forge has them now, and how the stored ones change.
pub(crate) fn fresh_reports(
    sitting: &Sitting<'_>,
    repository: &Repository,
    sha: &Sha,
) -> Result<(Vec<Report>, Vec<Change>), String> {
    let question = Question::Reports {
        repository: repository.clone(),
        sha: sha.clone(),
        aside: release_jobs(sitting, repository),
    };
    let stored = sitting.stored_reports(repository.id, sha);
    let fresh = sitting.fact(question)?;
    let Fact::Reports(fresh) = fresh else {
        return Err(misfit(fresh));
    };
    let fresh: Vec<Report> = fresh
        .iter()
        .map(|report| {
            let known = stored.iter().find(|known| report.repeats(known));
            let heard = known.map_or(Some(sitting.now), |known| known.heard);
            Report {
                heard,
                ..report.clone()
            }
        })
        .collect();
    // An app may set its report back: of the same report what was just read counts.
    let mut all: Vec<Report> = stored
        .iter()
        .filter(|stored| !fresh.iter().any(|fresh| fresh.is_of(stored)))
        .cloned()
        .collect();
    all.extend(fresh.iter().cloned());
    let changes = fresh
        .iter()
        .filter(|report| {
            repositories::is_gate(sitting, repository, report) && !stored.contains(report)
        })
        .map(|report| Change::Report(report.clone()))
        .collect();
    Ok((all, changes))
}

/// The jobs of a repository's pipelines that release.
fn release_jobs(sitting: &Sitting<'_>, repository: &Repository) -> Vec<String> {
    let here = repository.remembered();
    let services = sitting.catalog.services.iter();
    let services = services.filter(|service| service.repo.remembered() == here);
    services
        .flat_map(|service| &service.environments)
        .filter_map(|environment| environment.trigger.kind().job())
        .map(ToString::to_string)
        .collect()
}

pub(crate) fn app_of(
    sitting: &Sitting<'_>,
    repository: &Repository,
    source: &Reporter,
) -> Result<Option<u64>, String> {
    match source {
        Reporter::App(id) => Ok(Some(*id)),
        Reporter::Forge => Ok(None),
        // Only an app's own account can report in its name.
        Reporter::Account(account) if account.login.ends_with("[bot]") => {
            let question = Question::AppBehind {
                repository: repository.clone(),
                login: account.login.clone(),
            };
            sitting.fact(question).and_then(|fact| {
                if let Fact::App(app) = fact {
                    Ok(*app)
                } else {
                    Err(misfit(fact))
                }
            })
        }
        Reporter::Account(_) => Ok(None),
    }
}

pub(super) fn evidence(sitting: &Sitting<'_>, looked: &Looked<'_>, tree: &Reason) -> Detail {
    let views = looked.stages.iter().flatten();
    let gates = views.flat_map(|view| &view.gates);
    let compared = looked.compared();
    let commits = compared.iter().flat_map(|found| &found.commits);
    let titles: Detail = commits
        .clone()
        .map(|commit| commit.title.as_str())
        .collect();
    Detail::from([
        ("version", Detail::from(VERSION)),
        ("gates", gates.map(gates::GateView::detail).collect()),
        (
            "commits",
            commits.map(|commit| commit.sha.as_str()).collect(),
        ),
        ("titles", Detail::private(titles)),
        (
            "policy",
            digests::digest(sitting, looked.subject.place)
                .map_or("none", PolicyDigest::as_str)
                .into(),
        ),
        ("reasons", tree.detail()),
    ])
}
