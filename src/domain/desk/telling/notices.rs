//! Notices: one message for each commit and environment, changed as things move, with what is decided in its thread.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::ships::{self, kept};
use crate::domain::desk::telling::words;
use crate::domain::desk::{Change, Outcome};
use crate::domain::gates::{StageVerdict, StageView};
use crate::domain::reason::Reason;
use crate::domain::text::{Message, text};
use crate::domain::{
    Candidate, Ended, Environment, GateShown, Happening, InChat, Look, News, Notice, Planned,
    Request, RequestKind, Service, Sha, StageShown, State, Subscription,
};

/// A commit is ready: it is offered where the service's channels want to know, in place of older ones.
pub(crate) fn offer(
    sitting: &Sitting<'_>,
    place: Destination<'_>,
    candidate: &Candidate,
    views: &[StageView],
    outcome: &mut Outcome,
) {
    let (service, environment) = (place.service, place.environment);
    if listeners(service, environment).next().is_none() {
        return;
    }
    let offered = service
        .names_with(environment)
        .flat_map(|(service, environment)| {
            sitting.notices(Look::Offered {
                service,
                environment,
            })
        });
    let offered: Vec<Notice> = offered.collect();
    let is_newer = |notice: &&Notice| notice.seen_at > candidate.seen_at;
    if offered.iter().any(|notice| is_newer(&notice)) {
        return;
    }
    for mut older in offered {
        if older.sha != candidate.sha {
            older.news = News::Overtaken {
                by: candidate.sha.clone(),
            };
            show_notice(sitting, older, outcome);
        }
    }
    let known = newest_notice(sitting, service, environment, &candidate.sha);
    let number = match known {
        Some(notice) if notice.news.request().is_some() => return,
        Some(notice) => notice.number,
        None => 0,
    };
    let mut notice = Notice {
        number,
        service: service.name.clone(),
        environment: environment.name.clone(),
        repository: candidate.repository.clone(),
        sha: candidate.sha.clone(),
        title: kept(&candidate.title),
        url: ships::commit_page(sitting, &candidate.repository, &candidate.sha),
        seen_at: candidate.seen_at,
        ships: ships::ships(
            sitting,
            service,
            environment,
            &candidate.repository,
            &candidate.sha,
        ),
        stages: stages(service, environment, views),
        who: people::helpers(sitting, environment),
        news: News::Ready,
    };
    if number == 0 {
        notice.number = sitting.next_notice();
    }
    show_notice(sitting, notice, outcome);
}

/// What was offered is not ready any more.
pub(crate) fn withdraw(
    sitting: &Sitting<'_>,
    place: Destination<'_>,
    sha: &Sha,
    outcome: &mut Outcome,
) {
    let (service, environment) = (place.service, place.environment);
    if listeners(service, environment).next().is_none() {
        return;
    }
    if let Some(mut notice) = newest_notice(sitting, service, environment, sha)
        && notice.news == News::Ready
    {
        notice.news = News::Withdrawn {
            why: "One of its stages is no longer green.".into(),
        };
        show_notice(sitting, notice, outcome);
    }
}

/// A request moved: its notice shows how far it is.
pub(crate) fn notify_of(
    sitting: &Sitting<'_>,
    request: &Request,
    tree: Option<&Reason>,
    outcome: &mut Outcome,
) {
    let Some(Destination {
        service,
        environment,
    }) = named::configured(sitting, request)
    else {
        return;
    };
    if listeners(service, environment).next().is_none() {
        return;
    }
    let news = news(sitting, request, environment, tree);
    let known = newest_notice(sitting, service, environment, &request.sha);
    let same = known.clone().filter(|notice| {
        notice.news.request().is_none_or(|number| {
            let is_again = request.kind == RequestKind::Retry { of: number };
            number == request.number
                || is_again && matches!(notice.news, News::Failed { .. } | News::Over { .. })
        })
    });
    let mut notice = match same {
        Some(notice) => notice,
        None => Notice {
            number: sitting.next_notice(),
            service: service.name.clone(),
            environment: environment.name.clone(),
            repository: request.repository.clone(),
            sha: request.sha.clone(),
            title: known
                .as_ref()
                .map(|known| known.title.clone())
                .unwrap_or_default(),
            url: ships::commit_page(sitting, &request.repository, &request.sha),
            seen_at: request.opened_at,
            ships: ships::ships(
                sitting,
                service,
                environment,
                &request.repository,
                &request.sha,
            ),
            stages: known.map(|known| known.stages).unwrap_or_default(),
            who: people::helpers(sitting, environment),
            news: News::Ready,
        },
    };
    if notice.title.is_empty() {
        let title = notice
            .ships
            .commits
            .last()
            .map(|commit| commit.title.clone());
        notice.title = title.unwrap_or_default();
    }
    if notice.news == news {
        return;
    }
    notice.news = news;
    show_notice(sitting, notice, outcome);
}

/// Keeps a notice as it is now, and shows it.
pub(crate) fn show_notice(sitting: &Sitting<'_>, notice: Notice, outcome: &mut Outcome) {
    let happening = notice.news.happening();
    if let Some(service) = sitting.catalog.service(&notice.service) {
        for one in &service.notify {
            if !one.covers(&notice.environment) {
                continue;
            }
            let effect = InChat::Notice {
                channel: one.channel.clone(),
                notice: Box::new(notice.clone()),
                call: one.call.clone().filter(|_| happening == Happening::Ready),
                post: one.on.contains(&happening),
            };
            let quiet = one.quiet.as_ref().filter(|_| happening == Happening::Ready);
            outcome.effects.push(Planned {
                token: format!("notice/{}/{}", one.channel, notice.number),
                effect: effect.into(),
                not_before: quiet.and_then(|quiet| quiet.end(sitting.now)),
                is_back: false,
            });
            if let News::Failed { request, why, .. } = &notice.news
                && one.on.contains(&Happening::Failed)
            {
                // A changed message calls no person by name.
                outcome.plan(
                    format!("failed/{}/{request}", one.channel),
                    InChat::Remark {
                        channel: one.channel.clone(),
                        notice: Some(notice.number),
                        kind: Some(Happening::Failed),
                        text: text![format!("#{request}: "), why].into(),
                        call: one.call.clone(),
                    },
                );
            }
        }
    }
    outcome.changes.push(Change::Notice(Box::new(notice)));
}

/// Something that was decided about a request, in the thread of its notice.
pub(crate) fn remark(
    sitting: &Sitting<'_>,
    request: &Request,
    text: &Message,
    outcome: &mut Outcome,
) {
    let Some(Destination {
        service,
        environment,
    }) = named::configured(sitting, request)
    else {
        return;
    };
    if listeners(service, environment).next().is_none() {
        return;
    }
    let notice = newest_notice(sitting, service, environment, &request.sha);
    let Some(notice) = notice.filter(|one| one.news.request() == Some(request.number)) else {
        return;
    };
    for one in listeners(service, environment) {
        outcome.plan(
            format!("remark/{}/{}", one.channel, request.number),
            InChat::Remark {
                channel: one.channel.clone(),
                notice: Some(notice.number),
                kind: None,
                text: text.clone(),
                call: None,
            },
        );
    }
}

fn news(
    sitting: &Sitting<'_>,
    request: &Request,
    environment: &Environment,
    tree: Option<&Reason>,
) -> News {
    let number = request.number;
    let url = |flight: Option<&crate::domain::Flight>| {
        flight.map(|flight| flight.url.clone()).unwrap_or_default()
    };
    match &request.state {
        State::Waiting => {
            let needed: u32 = environment.approvals.values().sum();
            let missing = words::shortage(environment, request);
            let lacking: u32 = missing.values().sum();
            let obstacles = tree.filter(|tree| !tree.is_clear()).map(Reason::parts);
            News::Waiting {
                request: number,
                filled: needed.saturating_sub(lacking),
                needed,
                missing: words::wanted(sitting, &missing),
                expires_at: request.expires_at,
                obstacles: obstacles.unwrap_or_default(),
            }
        }
        State::Departing(flight) | State::Sent(flight) | State::Running(flight) => {
            News::Deploying {
                request: number,
                url: url(Some(flight)),
            }
        }
        State::Unknown(_) => News::Unclear { request: number },
        State::Ended {
            how,
            at,
            why,
            flight,
        } => match how {
            Ended::Succeeded => News::Live {
                request: number,
                url: url(flight.as_ref()),
                since: *at,
                took_seconds: flight
                    .as_ref()
                    .map(|flight| at.duration_since(flight.since).as_secs()),
            },
            Ended::Failed => News::Failed {
                request: number,
                url: url(flight.as_ref()),
                why: why.clone(),
            },
            Ended::Cancelled
            | Ended::Rejected
            | Ended::Expired
            | Ended::Superseded
            | Ended::Voided => News::Over {
                request: number,
                how: *how,
                why: why.clone(),
            },
        },
    }
}

fn newest_notice(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
    sha: &Sha,
) -> Option<Notice> {
    let found = service
        .names_with(environment)
        .flat_map(|(service, environment)| {
            sitting.notices(Look::Notice {
                service,
                environment,
                sha: sha.clone(),
            })
        });
    found.max_by_key(|notice| notice.number)
}

/// The channels that are told about an environment.
fn listeners<'s>(
    service: &'s Service,
    environment: &'s Environment,
) -> impl Iterator<Item = &'s Subscription> {
    service
        .notify
        .iter()
        .filter(|one| one.covers(&environment.name))
}

fn stages(service: &Service, environment: &Environment, views: &[StageView]) -> Vec<StageShown> {
    let before = service.stages_before(environment);
    before
        .iter()
        .filter_map(|stage| {
            let view = views.iter().find(|view| view.name == stage.name)?;
            let since = match view.verdict {
                StageVerdict::Passed { since } => Some(since),
                StageVerdict::Soaking { .. } | StageVerdict::Pending | StageVerdict::Failed => None,
            };
            let gates = view.gates.iter().flat_map(|gate| {
                gate.reports.iter().map(|report| GateShown {
                    name: format!("{}:{}", report.kind.as_str(), kept(&report.name)),
                    at: Some(report.at),
                    url: report.url.clone(),
                })
            });
            Some(StageShown {
                name: stage.name.to_string(),
                soak: stage.soak.as_ref().map(ToString::to_string),
                since,
                gates: gates.collect(),
            })
        })
        .collect()
}
