//! A release from the decision to its end: it departs once the quorum is there and nothing stands in the
//! way at that very moment, and from then on moves forward only.

use jiff::SignedDuration;

use super::examine::{Examined, Subject};
use super::lost;
use super::{Change, Desk, Outcome};
use crate::domain::policy::Quorum;
use crate::domain::reason::Verdict;
use crate::domain::{
    Action, Departure, Detail, Due, Effect, Ended, Environment, ExternalKind, Flight,
    GitHubTrigger, Live, Look, Progress, Reaction, Relation, Request, RequestKind, RuleRequested,
    Seen, Service, Start, State, StatusState, Trigger,
};

/// A trigger that could not leave for so long is examined again first.
const DEPART_WITHIN: SignedDuration = SignedDuration::from_secs(60);

pub(super) const POLICY_CHANGED: &str = "the policy has changed since it was asked for";

/// What stood in the way for a moment is looked at again.
const SOON: SignedDuration = SignedDuration::from_secs(60);

impl Desk<'_> {
    /// What was asked for under a policy that is not in force any more counts for nothing.
    pub(super) fn is_outdated(&self, request: &Request) -> bool {
        self.configured(request)
            .is_none_or(|(service, environment)| {
                request.policy != self.digest(service, environment)
            })
    }

    /// Examines a request as it stands now.
    pub(super) fn examine_request(
        &self,
        request: &Request,
        service: &Service,
        environment: &Environment,
    ) -> Examined {
        let given: Vec<_> = request
            .given
            .iter()
            .filter(|given| given.sha == request.sha && given.policy == request.policy)
            .map(|given| (given.by.clone(), given.at))
            .collect();
        self.examine(&Subject {
            service,
            environment,
            repository: &request.repository,
            sha: &request.sha,
            kind: request.kind,
            open_head: request.open_head,
            requester: Some(&request.by),
            given: &given,
            number: Some(request.number),
        })
    }

    /// Lets a request go if it may: it departs, goes on waiting, or is void.
    pub(super) fn let_go(&self, mut request: Request, outcome: &mut Outcome) {
        let may_be_there = request.flight().is_some_and(|flight| flight.lost > 0);
        let Some((service, environment)) = self.configured(&request) else {
            if may_be_there {
                return self.stay_unknown(request, outcome);
            }
            let why = "the service or the environment is not configured any more";
            return self.end(request, Ended::Voided, why, outcome);
        };
        if let Some(bound) = self.bound_to(service)
            && bound.id == request.repository.id
        {
            // It may have been renamed since.
            request.repository = bound;
        }
        if !may_be_there && request.policy != self.digest(service, environment) {
            return self.end(request, Ended::Voided, POLICY_CHANGED, outcome);
        }
        if !may_be_there && request.expires_at <= self.now {
            let why = "it could not leave in time";
            return self.end(request, Ended::Expired, why, outcome);
        }
        let examined = self.examine_request(&request, service, environment);
        outcome.changes.extend(examined.changes.iter().cloned());
        for (person, why) in &examined.void {
            request.given.retain(|given| given.by.id != person.id);
            outcome.entries.push(
                self.about(&request, Action::ApprovalVoided)
                    .with_private("person", person.login.as_str())
                    .with("number", person.id)
                    .with_private("why", why.as_str()),
            );
        }
        let had_left = request.flight().is_some();
        match &examined.quorum {
            Ok(quorum)
                if examined.is_clear() && request.policy == self.digest(service, environment) =>
            {
                self.depart(
                    request,
                    (quorum, &examined),
                    (service, environment),
                    outcome,
                );
            }
            Ok(_) | Err(_) if may_be_there => self.stay_unknown(request, outcome),
            // What could not be found out may be found out in a minute.
            Ok(_) | Err(_) if had_left && examined.tree.mark == Verdict::Unknown => {
                self.timer(lost::depart(&request), &request, SOON, outcome);
                self.say_obstacles(&request, &examined, outcome);
                outcome.changes.push(Change::Request(Box::new(request)));
            }
            Ok(_) | Err(_) if had_left => {
                let why = "it may not leave any more";
                outcome.entries.push(
                    self.about(&request, Action::Refused)
                        .with("evidence", examined.evidence.clone()),
                );
                self.end_with(request, (Ended::Voided, why), Some(&examined), outcome);
            }
            quorum => {
                if quorum.is_ok() {
                    // A run may wait for it: what stands in the way is looked at again.
                    self.timer(lost::depart(&request), &request, SOON, outcome);
                }
                if examined.is_clear() {
                    self.say_request(&request, None, outcome);
                } else {
                    self.say_obstacles(&request, &examined, outcome);
                }
                outcome.changes.push(Change::Request(Box::new(request)));
            }
        }
    }

    /// Says what stands in the way, once for each thing: it is looked at again every minute.
    fn say_obstacles(&self, request: &Request, examined: &Examined, outcome: &mut Outcome) {
        let says: Vec<&str> = examined
            .tree
            .obstacles()
            .into_iter()
            .map(|obstacle| obstacle.says.as_str())
            .collect();
        let says: String = says.join("; ").chars().take(400).collect();
        let token = format!("obstacles/{}/{says}", request.number);
        if !self.was_remembered(&token) {
            outcome.changes.push(Change::Remember { token });
            self.say_request(request, Some(examined), outcome);
        }
    }

    pub(super) fn depart(
        &self,
        mut request: Request,
        (quorum, examined): (&Quorum, &Examined),
        (service, environment): (&Service, &Environment),
        outcome: &mut Outcome,
    ) {
        let trigger = &environment.trigger;
        let fits = trigger
            .forge()
            .is_none_or(|forge| forge == request.repository.forge());
        if !fits || matches!(trigger, Trigger::Webhook { .. }) {
            let why = "this trigger is not available for the service's repository";
            return self.end(request, Ended::Failed, why, outcome);
        }
        let waiting = self.waiting_run(&request, trigger);
        let waiting_run = waiting.as_ref().map(|waiting| waiting.run);
        let Some(start) = Start::of(trigger, (service, &request), waiting_run) else {
            // Approved; the run that it lets through has not reached the environment yet.
            self.say_request(&request, None, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
            return;
        };
        let before = request.flight().cloned();
        let attempt = before.as_ref().map_or(1, |flight| flight.attempt + 1);
        let flight = Flight {
            correlation: request.correlation(),
            attempt,
            lost: before.as_ref().map_or(0, |flight| flight.lost),
            looks: 0,
            since: before.map_or(self.now, |flight| flight.since),
            blind_looks: 0,
            left_at: self.now,
            external: None,
            waiting_run,
            runs: std::collections::BTreeMap::new(),
            url: String::new(),
        };
        request.state = State::Departing(flight);
        let not_after = self
            .now
            .checked_add(DEPART_WITHIN)
            .unwrap_or(jiff::Timestamp::MAX);
        let departure = Departure::new(quorum, &request, start, attempt, not_after);
        let approvals = quorum.approvals().iter().map(|approval| {
            let (person, roles) = (approval.by().person(), approval.by().roles());
            let rules = roles.values().cloned().collect::<Detail>();
            Detail::from([
                ("forge", person.forge.prefix().into()),
                ("login", Detail::private(person.login.as_str())),
                ("number", person.id.into()),
                ("at", approval.at().to_string().into()),
                ("roles", roles.keys().map(ToString::to_string).collect()),
                // They may name people.
                ("rules", Detail::private(rules)),
            ])
        });
        outcome.entries.push(
            self.about(&request, Action::Triggered)
                .with("attempt", attempt)
                .with("correlation", request.correlation())
                .with("trigger", environment.trigger.to_string())
                .with("departure", departure.spelled())
                .with("approvals", approvals.collect::<Detail>())
                .with("evidence", examined.evidence.clone()),
        );
        outcome.plan(departure.token(), Effect::Trigger { departure });
        outcome.changes.push(Change::NoTimer {
            due: Due::Expiry {
                service: request.service.clone(),
                request: request.number,
            },
        });
        self.say_request(&request, None, outcome);
        self.show(&request, StatusState::Pending, "deploying", outcome);
        outcome.changes.push(Change::Request(Box::new(request)));
    }

    /// The run that waits at the protection rule for this commit.
    pub(super) fn waiting_run(
        &self,
        request: &Request,
        trigger: &Trigger,
    ) -> Option<RuleRequested> {
        let Trigger::GitHub(GitHubTrigger::ProtectionRule { environment }) = trigger else {
            return None;
        };
        let look = Look::WaitingRuns {
            repository: request.repository.id,
            environment: environment.as_str().to_ascii_lowercase(),
        };
        let Some(Seen::WaitingRuns(runs)) = self.seen(look) else {
            return None;
        };
        let of_commit = |run: &&RuleRequested| run.sha.as_ref() == Some(&request.sha);
        runs.iter()
            .filter(of_commit)
            .max_by_key(|run| run.run)
            .cloned()
    }

    /// The run of a release moves, or its deployment does. Never backwards.
    pub(super) fn advance(
        &self,
        mut request: Request,
        progress: Progress,
        (url, by_run): (&str, bool),
        outcome: &mut Outcome,
    ) {
        let over_without_success = request.ended().is_some_and(|how| how != Ended::Succeeded);
        let healed = over_without_success && progress == Progress::Succeeded;
        let flight = match &request.state {
            State::Departing(flight)
            | State::Unknown(flight)
            | State::Sent(flight)
            | State::Running(flight) => flight,
            // Somebody ran it again in the forge, or gave it up too early: what was approved is live after
            // all.
            State::Ended {
                flight: Some(flight),
                ..
            } if healed => flight,
            State::Waiting | State::Ended { .. } => return,
        };
        let mut flight = flight.clone();
        if !url.is_empty() {
            url.clone_into(&mut flight.url);
        }
        let was_running = matches!(request.state, State::Running(_));
        if let (Some(run), true) = (flight.waiting_run, progress > Progress::Running) {
            outcome.changes.push(Change::RunGoesOn {
                repository: request.repository.id,
                run,
            });
        }
        let deployment = flight
            .external
            .as_ref()
            .filter(|external| by_run && external.kind == ExternalKind::Deployment)
            .map(|external| external.id);
        match progress {
            Progress::Waiting => {
                if was_running {
                    return;
                }
                request.state = State::Sent(flight);
                self.arm_follow(&request, outcome);
                outcome.changes.push(Change::Request(Box::new(request)));
            }
            Progress::Running => {
                request.state = State::Running(flight);
                self.arm_follow(&request, outcome);
                if !was_running {
                    outcome
                        .entries
                        .push(self.about(&request, Action::Started).with("url", url));
                    self.say_request(&request, None, outcome);
                    self.show_deployment(&request, deployment, StatusState::InProgress, outcome);
                }
                outcome.changes.push(Change::Request(Box::new(request)));
            }
            Progress::Succeeded => {
                request.state = State::Running(flight);
                self.show_deployment(&request, deployment, StatusState::Success, outcome);
                self.went_live(&request, outcome);
                self.end(request, Ended::Succeeded, "", outcome);
            }
            Progress::Failed => {
                request.state = State::Running(flight);
                self.show_deployment(&request, deployment, StatusState::Failure, outcome);
                self.end(request, Ended::Failed, "the release failed", outcome);
            }
            Progress::Cancelled | Progress::Skipped => {
                request.state = State::Running(flight);
                self.show_deployment(&request, deployment, StatusState::Error, outcome);
                let why = format!(
                    "the release was cancelled in {}",
                    request.repository.forge()
                );
                self.end(request, Ended::Failed, &why, outcome);
            }
        }
    }

    /// A release succeeded: it is live, and what waits with an older commit is superseded.
    fn went_live(&self, request: &Request, outcome: &mut Outcome) {
        outcome.changes.push(Change::Live(Live {
            service: request.service.clone(),
            environment: request.environment.clone(),
            sha: request.sha.clone(),
            request: Some(request.number),
            since: self.now,
        }));
        let Some((service, _)) = self.configured(request) else {
            return;
        };
        for other in self.open_requests(service) {
            if !other.is_waiting()
                || other.environment != request.environment
                || other.number == request.number
            {
                continue;
            }
            let is_forward = other.kind != RequestKind::Rollback;
            let is_older = other.sha == request.sha
                || is_forward
                    && self
                        .comparison(
                            &request.repository,
                            request.sha.as_str(),
                            other.sha.as_str(),
                        )
                        .is_ok_and(|found| found.relation == Relation::Behind);
            if is_older {
                let why = format!("#{} brought {} there", request.number, request.sha);
                self.end(other, Ended::Superseded, &why, outcome);
            }
        }
    }

    /// Ends a request and tells everybody who waits for it.
    pub(super) fn end(&self, request: Request, how: Ended, why: &str, outcome: &mut Outcome) {
        self.end_with(request, (how, why), None, outcome);
    }

    fn end_with(
        &self,
        mut request: Request,
        (how, why): (Ended, &str),
        examined: Option<&Examined>,
        outcome: &mut Outcome,
    ) {
        let flight = request.last_flight().cloned();
        request.state = State::Ended {
            how,
            at: self.now,
            why: why.to_owned(),
            flight,
        };
        let action = match how {
            Ended::Succeeded => Action::Succeeded,
            Ended::Failed => Action::Failed,
            Ended::Cancelled => Action::Cancelled,
            Ended::Rejected => Action::Rejected,
            Ended::Expired => Action::Expired,
            Ended::Superseded => Action::Superseded,
            Ended::Voided => Action::Voided,
        };
        outcome
            .entries
            .push(self.about(&request, action).with_private("why", why));
        for due in [
            Due::Expiry {
                service: request.service.clone(),
                request: request.number,
            },
            Due::Follow {
                service: request.service.clone(),
                request: request.number,
            },
        ] {
            outcome.changes.push(Change::NoTimer { due });
        }
        self.say_request(&request, examined, outcome);
        let reaction = match how {
            Ended::Succeeded => Reaction::Rocket,
            Ended::Failed
            | Ended::Cancelled
            | Ended::Rejected
            | Ended::Expired
            | Ended::Superseded
            | Ended::Voided => Reaction::Confused,
        };
        if let Some(place) = request.origin.comment() {
            outcome.plan(
                format!("{}/{}", request.thread, reaction.as_str()),
                Effect::React {
                    place: place.clone(),
                    reaction,
                },
            );
        }
        let (state, words) = match how {
            Ended::Succeeded => (StatusState::Success, "live"),
            Ended::Failed => (StatusState::Failure, "the release failed"),
            Ended::Cancelled => (StatusState::Error, "cancelled"),
            Ended::Rejected => (StatusState::Failure, "rejected"),
            Ended::Expired => (StatusState::Error, "expired without approval"),
            Ended::Superseded => (StatusState::Error, "superseded by a newer commit"),
            Ended::Voided => (
                StatusState::Error,
                "void: it changed since it was asked for",
            ),
        };
        self.show(&request, state, words, outcome);
        outcome.changes.push(Change::Request(Box::new(request)));
    }
}
