//! What chats are told: one message for each commit and environment, changed as things move, what is decided in
//! its thread, and what should not wait for anybody to look.

use super::examine::Examined;
use super::foreign::Sighted;
use super::{Change, Desk, Outcome, words};
use crate::domain::gates::{StageVerdict, StageView};
use crate::domain::reason::code;
use crate::domain::{
    Action, Candidate, Comparison, Effect, Ended, Environment, GateShown, Happening, Look, News,
    Notice, Planned, Repository, Request, RequestKind, Seen, Service, Sha, Shipped, Ships,
    StageShown, State, Subscription,
};

/// Commits that are listed; the others are counted.
const LISTED: usize = 10;
/// Characters of a title that are kept.
const TITLE: usize = 200;

impl Desk<'_> {
    /// A commit is ready: it is offered where the service's channels want to know, in place of older ones.
    pub(super) fn offer(
        &self,
        (service, environment): (&Service, &Environment),
        candidate: &Candidate,
        views: &[StageView],
        outcome: &mut Outcome,
    ) {
        if listeners(service, environment).next().is_none() {
            return;
        }
        let look = Look::Offered {
            service: service.name.clone(),
            environment: environment.name.clone(),
        };
        let offered = self.notices(look);
        let is_newer = |notice: &&Notice| notice.seen_at > candidate.seen_at;
        if offered.iter().any(|notice| is_newer(&notice)) {
            return;
        }
        for mut older in offered {
            if older.sha != candidate.sha {
                older.news = News::Overtaken {
                    by: candidate.sha.clone(),
                };
                self.show_notice(older, outcome);
            }
        }
        let known = self.newest_notice(service, environment, &candidate.sha);
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
            url: self.commit_page(&candidate.repository, &candidate.sha),
            seen_at: candidate.seen_at,
            ships: self.ships(
                service,
                environment,
                (&candidate.repository, &candidate.sha),
            ),
            stages: stages(service, environment, views),
            who: self.helpers(environment),
            news: News::Ready,
        };
        if number == 0 {
            notice.number = self.next_notice();
        }
        self.show_notice(notice, outcome);
    }

    /// What was offered is not ready any more.
    pub(super) fn withdraw(
        &self,
        (service, environment): (&Service, &Environment),
        sha: &Sha,
        outcome: &mut Outcome,
    ) {
        if listeners(service, environment).next().is_none() {
            return;
        }
        if let Some(mut notice) = self.newest_notice(service, environment, sha)
            && notice.news == News::Ready
        {
            notice.news = News::Withdrawn {
                why: "a stage is not green any more".to_owned(),
            };
            self.show_notice(notice, outcome);
        }
    }

    /// A request moved: its notice shows how far it is.
    pub(super) fn notify_of(
        &self,
        request: &Request,
        examined: Option<&Examined>,
        outcome: &mut Outcome,
    ) {
        let Some((service, environment)) = self.configured(request) else {
            return;
        };
        if listeners(service, environment).next().is_none() {
            return;
        }
        let news = self.news(request, environment, examined);
        let known = self.newest_notice(service, environment, &request.sha);
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
                number: self.next_notice(),
                service: service.name.clone(),
                environment: environment.name.clone(),
                repository: request.repository.clone(),
                sha: request.sha.clone(),
                title: known
                    .as_ref()
                    .map(|known| known.title.clone())
                    .unwrap_or_default(),
                url: self.commit_page(&request.repository, &request.sha),
                seen_at: request.opened_at,
                ships: self.ships(service, environment, (&request.repository, &request.sha)),
                stages: known.map(|known| known.stages).unwrap_or_default(),
                who: self.helpers(environment),
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
        self.show_notice(notice, outcome);
    }

    /// Keeps a notice as it is now, and shows it.
    pub(super) fn show_notice(&self, notice: Notice, outcome: &mut Outcome) {
        let happening = notice.news.happening();
        if let Some(service) = self.catalog.service(&notice.service) {
            for one in &service.notify {
                if !one.covers(&notice.environment) {
                    continue;
                }
                let effect = Effect::Notice {
                    channel: one.channel.clone(),
                    notice: Box::new(notice.clone()),
                    call: one.call.clone().filter(|_| happening == Happening::Ready),
                    post: one.on.contains(&happening),
                };
                let quiet = one.quiet.as_ref().filter(|_| happening == Happening::Ready);
                outcome.effects.push(Planned {
                    token: format!("notice/{}/{}", one.channel, notice.number),
                    effect,
                    not_before: quiet.and_then(|quiet| quiet.end(self.now)),
                });
                if let News::Failed { request, why, .. } = &notice.news
                    && one.on.contains(&Happening::Failed)
                {
                    // A changed message calls nobody.
                    outcome.plan(
                        format!("failed/{}/{request}", one.channel),
                        Effect::Remark {
                            channel: one.channel.clone(),
                            notice: Some(notice.number),
                            kind: Some(Happening::Failed),
                            text: format!("#{request}: {why}"),
                            call: one.call.clone(),
                        },
                    );
                }
            }
        }
        outcome.changes.push(Change::Notice(Box::new(notice)));
    }

    /// Something that was decided about a request, in the thread of its notice.
    pub(super) fn remark(&self, request: &Request, text: &str, outcome: &mut Outcome) {
        let Some((service, environment)) = self.configured(request) else {
            return;
        };
        if listeners(service, environment).next().is_none() {
            return;
        }
        let notice = self.newest_notice(service, environment, &request.sha);
        let Some(notice) = notice.filter(|one| one.news.request() == Some(request.number)) else {
            return;
        };
        for one in listeners(service, environment) {
            outcome.plan(
                format!("remark/{}/{}", one.channel, request.number),
                Effect::Remark {
                    channel: one.channel.clone(),
                    notice: Some(notice.number),
                    kind: None,
                    text: text.to_owned(),
                    call: None,
                },
            );
        }
    }

    pub(super) fn announce_stage(
        &self,
        service: &Service,
        candidate: &Candidate,
        view: &StageView,
        outcome: &mut Outcome,
    ) {
        let red: Vec<String> = view
            .gates
            .iter()
            .filter(|gate| gate.colour == crate::domain::Colour::Red)
            .map(|gate| code(&gate.label))
            .collect();
        let text = format!(
            "{}: {} failed at {} {}: {}",
            service.name,
            view.name,
            code(candidate.sha.short()),
            code(&candidate.title),
            red.join(", ")
        );
        let what = format!("{}/{}/{}", service.name, candidate.sha, view.name);
        self.announce(service, (Happening::StageFailed, &what), &text, outcome);
    }

    pub(super) fn announce_unexplained(&self, sighted: &Sighted<'_>, outcome: &mut Outcome) {
        let text = format!(
            "{} → **{}** at {} was released without an approval, by {}",
            sighted.service.name,
            sighted.environment.name,
            code(sighted.sha.as_str()),
            code(&sighted.by)
        );
        let what = format!(
            "{}/{}/{}",
            sighted.service.name, sighted.environment.name, sighted.what
        );
        let kind = (Happening::Unexplained, what.as_str());
        self.announce(sighted.service, kind, &text, outcome);
    }

    /// An effect was given up; somebody must look.
    pub(super) fn gave_up(
        &self,
        outbox: i64,
        (what, problem): (&str, &str),
        repository: &Repository,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let services = self
            .services_at(repository, &mut outcome)
            .unwrap_or_default();
        let text = format!(
            "{} was given up: {}. `countersign outbox list` shows it.",
            code(what),
            code(problem)
        );
        let mut told = Vec::new();
        for service in services {
            for one in &service.notify {
                if told.contains(&&one.channel) {
                    continue;
                }
                told.push(&one.channel);
                self.announce_at(
                    one,
                    (Happening::Parked, &outbox.to_string()),
                    &text,
                    &mut outcome,
                );
            }
        }
        if outcome.effects.is_empty() {
            return Outcome::ignored("no channel is told");
        }
        let entry = self.entry(Action::Answered, crate::domain::Actor::Countersign);
        outcome
            .entries
            .push(entry.with("outbox", outbox.to_string()));
        outcome
    }

    fn announce(
        &self,
        service: &Service,
        kind: (Happening, &str),
        text: &str,
        outcome: &mut Outcome,
    ) {
        for one in &service.notify {
            self.announce_at(one, kind, text, outcome);
        }
    }

    fn announce_at(
        &self,
        one: &Subscription,
        (happening, what): (Happening, &str),
        text: &str,
        outcome: &mut Outcome,
    ) {
        if !one.on.contains(&happening) {
            return;
        }
        let quiet = one
            .quiet
            .as_ref()
            .filter(|_| happening == Happening::StageFailed);
        outcome.effects.push(Planned {
            token: format!(
                "{}/{}/{what}/{}",
                happening.as_str(),
                one.channel,
                self.now.as_microsecond()
            ),
            effect: Effect::Remark {
                channel: one.channel.clone(),
                notice: None,
                kind: Some(happening),
                text: text.to_owned(),
                call: None,
            },
            not_before: quiet.and_then(|quiet| quiet.end(self.now)),
        });
    }

    fn news(
        &self,
        request: &Request,
        environment: &Environment,
        examined: Option<&Examined>,
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
                let wanted: Vec<String> = missing
                    .iter()
                    .map(|(role, count)| format!("{count} × {}", self.who(role)))
                    .collect();
                let obstacles = examined
                    .filter(|examined| !examined.is_clear())
                    .map(|examined| examined.tree.render());
                News::Waiting {
                    request: number,
                    filled: needed.saturating_sub(lacking),
                    needed,
                    missing: wanted.join("; "),
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

    fn notices(&self, look: Look) -> Vec<Notice> {
        if let Some(Seen::Notices(notices)) = self.seen(look) {
            notices.clone()
        } else {
            Vec::new()
        }
    }

    fn newest_notice(
        &self,
        service: &Service,
        environment: &Environment,
        sha: &Sha,
    ) -> Option<Notice> {
        let look = Look::Notice {
            service: service.name.clone(),
            environment: environment.name.clone(),
            sha: sha.clone(),
        };
        self.notices(look).into_iter().next()
    }

    /// What would reach the environment.
    fn ships(
        &self,
        service: &Service,
        environment: &Environment,
        (repository, sha): (&Repository, &Sha),
    ) -> Ships {
        let Some(live) = self.live(service, environment) else {
            return Ships::default();
        };
        let mut ships = Ships {
            since: Some(live.sha.clone()),
            compare: Some(format!(
                "{}/compare/{}...{sha}",
                self.page(repository),
                live.sha
            )),
            ..Ships::default()
        };
        match self.comparison(repository, live.sha.as_str(), sha.as_str()) {
            Ok(comparison) => self.list(comparison, repository, &mut ships),
            Err(why) => ships.unclear = Some(code(&why)),
        }
        ships
    }

    fn list(&self, comparison: &Comparison, repository: &Repository, ships: &mut Ships) {
        let hidden = comparison.commits.len().saturating_sub(LISTED);
        ships.more = u64::try_from(hidden).unwrap_or(u64::MAX);
        ships.is_partial = !comparison.complete;
        ships.commits = comparison
            .commits
            .iter()
            .skip(hidden)
            .map(|commit| {
                let mut by: Vec<String> =
                    commit.people.iter().map(|one| one.login.clone()).collect();
                by.dedup();
                Shipped {
                    sha: commit.sha.clone(),
                    title: kept(&commit.title),
                    by,
                    pull_request: pull_request(&commit.title)
                        .map(|number| (number, format!("{}/pull/{number}", self.page(repository)))),
                }
            })
            .collect();
    }

    fn page(&self, repository: &Repository) -> String {
        format!("{}/{}", self.catalog.web_url, repository.path)
    }

    fn commit_page(&self, repository: &Repository, sha: &Sha) -> String {
        format!("{}/commit/{sha}", self.page(repository))
    }
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

/// The pull request that a title names, as the forge writes it when it merges.
fn pull_request(title: &str) -> Option<u64> {
    let digits = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number)
    };
    if let Some(rest) = title.strip_prefix("Merge pull request #") {
        return digits(rest.split(' ').next()?);
    }
    let (_, last) = title.trim_end().strip_suffix(')')?.rsplit_once("(#")?;
    digits(last)
}

fn kept(title: &str) -> String {
    title.chars().take(TITLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_names_its_pull_request_as_the_forge_writes_it() {
        for (title, expect) in [
            ("Sell more (#12)", Some(12)),
            ("Merge pull request #7 from ann/more", Some(7)),
            ("Fix #7", None),
            ("Sell (#x)", None),
            ("Sell (#)", None),
            ("(#3)", Some(3)),
            ("Sell more (#12) now", None),
        ] {
            assert_eq!(pull_request(title), expect, "{title}");
        }
    }
}
