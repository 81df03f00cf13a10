//! Saying yes, saying no, and taking a request back.

use std::fmt::Write as _;

use super::command::Answer;
use super::examine::Examined;
use super::people::refusal;
use super::release::POLICY_CHANGED;
use super::{Change, Desk, Outcome, words};
use crate::domain::policy::Unauthorized;
use crate::domain::reason::{Reason, Verdict, code};
use crate::domain::{
    Account, Action, Actor, Asked, Effect, Ended, Flight, GitHubTrigger, Given, Request, State,
    Trigger,
};

/// A trigger leaves within a minute after it was decided, or not at all.
const GONE_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

impl Desk<'_> {
    /// Somebody says yes.
    pub(super) fn approve(&self, asked: &Asked, mut request: Request, outcome: &mut Outcome) {
        let Some((service, environment)) = self.configured(&request) else {
            let why = "the service or the environment is not configured any more";
            return self.end(request, Ended::Voided, why, outcome);
        };
        let number = request.number;
        if request.policy != self.digest(service, environment) {
            let text = format!(
                "**Refused**: {} is void, because {POLICY_CHANGED}.",
                words::named(&request)
            );
            self.end(request, Ended::Voided, POLICY_CHANGED, outcome);
            return self.answer(asked, Answer::refused(text), outcome);
        }
        if request.expires_at <= self.now {
            let why = "nobody completed the approvals in time";
            let at = words::moment(request.expires_at);
            let text = format!("**Refused**: #{number} expired at {at}.");
            self.end(request, Ended::Expired, why, outcome);
            return self.answer(asked, Answer::refused(text), outcome);
        }
        if asked.origin.said_at() < request.origin.said_at() {
            let text = format!(
                "**Refused**: this was written before {} was asked for, and cannot be meant for it.",
                words::named(&request)
            );
            outcome.entries.push(
                self.about_by(&request, Action::Refused, &asked.author)
                    .with("why", "written before the request"),
            );
            return self.answer(asked, Answer::refused(text), outcome);
        }
        let person = &asked.author;
        if request.given.iter().any(|given| given.by.id == person.id) {
            let text = format!(
                "**Refused**: {} said yes before to {}.",
                code(&person.login),
                words::named(&request)
            );
            outcome.entries.push(
                self.about_by(&request, Action::Refused, person)
                    .with("why", "approved before"),
            );
            return self.answer(asked, Answer::refused(text), outcome);
        }
        let before = request.clone();
        request.given.push(Given {
            by: person.clone(),
            at: self.now,
            roles: environment.approvals.keys().cloned().collect(),
            sha: request.sha.clone(),
            policy: request.policy.clone(),
            comment: asked.origin.comment().map(|place| place.comment),
        });
        let examined = self.examine_request(&request, service, environment);
        outcome.changes.extend(examined.changes.iter().cloned());
        let exclusion = self.exclusion(person, environment, &examined.authors, &request.by);
        let authorized = self.authorize(person, environment, &request.repository, exclusion);
        match authorized {
            Ok(authorized) if examined.is_clear() => {
                request.given.pop();
                request.given.push(self.given(asked, &request, &authorized));
            }
            Ok(_) => return self.refuse_approval(asked, &before, (&examined, None), outcome),
            Err(why) => {
                return self.refuse_approval(asked, &before, (&examined, Some(&why)), outcome);
            }
        }
        for (person, why) in &examined.void {
            request.given.retain(|given| given.by.id != person.id);
            outcome.entries.push(
                self.about(&request, Action::ApprovalVoided)
                    .with_private("person", person.login.as_str())
                    .with("number", person.id)
                    .with_private("why", why.as_str()),
            );
        }
        outcome.entries.push(
            self.about_by(&request, Action::Approved, person)
                .with("evidence", examined.evidence.clone()),
        );
        let needed: u32 = environment.approvals.values().sum();
        let filled = examined
            .quorum
            .as_ref()
            .map_or_else(|short| short.filled, |_| needed);
        let mut text = format!(
            "**Approved** #{number} by {}: {filled} of {needed}, for {} → **{}** at {}.",
            code(&person.login),
            request.service,
            request.environment,
            request.sha
        );
        for (_, why) in &examined.void {
            // Writing to a string cannot fail.
            let _written = write!(text, "\n\n{why}: that approval does not count any more.");
        }
        self.answer(asked, Answer::said(text.clone()), outcome);
        self.go_or_wait(request.clone(), (&examined, None), outcome);
        self.remark(&request, &text, outcome);
    }

    fn refuse_approval(
        &self,
        asked: &Asked,
        request: &Request,
        (examined, why): (&Examined, Option<&Unauthorized>),
        outcome: &mut Outcome,
    ) {
        let mut parts = Vec::new();
        if let Some(why) = why {
            let helpers = self
                .configured(request)
                .map(|(_, environment)| self.helpers(environment))
                .unwrap_or_default();
            let (_, says) = refusal(&asked.author, why);
            parts.push(Reason::refuses(says).help(format!("These can: {helpers}.")));
        }
        parts.extend(
            examined
                .tree
                .under
                .iter()
                .filter(|part| part.mark > Verdict::Waits)
                .cloned(),
        );
        let tree = Reason::of("", parts);
        let text = format!(
            "**Refused**: approval of {}\n\n{}",
            words::named(request),
            tree.render()
        );
        outcome.entries.push(
            self.about_by(request, Action::Refused, &asked.author)
                .with("evidence", examined.evidence.clone())
                .with_private("why", tree.detail()),
        );
        self.answer(asked, Answer::refused(text), outcome);
    }

    /// Somebody says no.
    pub(super) fn reject(
        &self,
        asked: &Asked,
        request: Request,
        reason: Option<&str>,
        outcome: &mut Outcome,
    ) {
        let why = format!(
            "{} said no{}",
            code(&asked.author.login),
            reason
                .map(|reason| format!(": {}", code(reason)))
                .unwrap_or_default()
        );
        let text = format!("**Rejected** {}.", words::named(&request));
        self.reject_run(&request, &why, outcome);
        self.answer(asked, Answer::said(text), outcome);
        self.end(request, Ended::Rejected, &why, outcome);
        self.by(asked, outcome);
    }

    /// A run that waits for the answer gets it.
    fn reject_run(&self, request: &Request, why: &str, outcome: &mut Outcome) {
        let Some((_, environment)) = self.configured(request) else {
            return;
        };
        let trigger @ Trigger::GitHub(GitHubTrigger::ProtectionRule { environment: name }) =
            &environment.trigger
        else {
            return;
        };
        if let Some(waiting) = self.waiting_run(request, trigger) {
            outcome.changes.push(Change::RunGoesOn {
                repository: waiting.repository.id,
                run: waiting.run,
            });
            outcome.plan(
                format!("reject/{}/{}", request.number, waiting.run),
                Effect::RejectRun {
                    repository: waiting.repository,
                    run: waiting.run,
                    environment: name.to_string(),
                    comment: format!("#{}: {why}", request.number),
                },
            );
        }
    }

    /// Somebody withdraws a request.
    pub(super) fn cancel(
        &self,
        asked: &Asked,
        request: Request,
        reason: Option<&str>,
        outcome: &mut Outcome,
    ) {
        if !request.is_waiting()
            && let Err(reason) = self.may_give_up(asked, &request)
        {
            outcome.entries.push(
                self.about_by(&request, Action::Refused, &asked.author)
                    .with_private("why", reason.detail()),
            );
            let text = format!(
                "**Refused**: {} is under way.\n\n{}",
                words::named(&request),
                Reason::of("", vec![reason]).render()
            );
            return self.answer(asked, Answer::refused(text), outcome);
        }
        let why = format!(
            "withdrawn by {}{}",
            code(&asked.author.login),
            reason
                .map(|reason| format!(": {}", code(reason)))
                .unwrap_or_default()
        );
        self.answer(
            asked,
            Answer::said(format!("**Cancelled** {}.", words::named(&request))),
            outcome,
        );
        self.end(request, Ended::Cancelled, &why, outcome);
        self.by(asked, outcome);
    }

    /// Whether a release that may be running can be given up: by whoever may approve, and only after it
    /// was looked for, or nothing was heard of it for long.
    fn may_give_up(&self, asked: &Asked, request: &Request) -> Result<(), Reason> {
        let Some((_, environment)) = self.configured(request) else {
            return Ok(());
        };
        self.member(asked, environment)?;
        let silent_for = |flight: &Flight, periods: i32| {
            let patience = jiff::SignedDuration::try_from(environment.follow.as_duration())
                .unwrap_or(jiff::SignedDuration::MAX);
            let patience = patience.saturating_mul(periods);
            self.now.duration_since(flight.left_at) > patience
        };
        let may = match &request.state {
            // A trigger that was decided so long ago cannot leave any more.
            State::Departing(flight) => self.now.duration_since(flight.left_at) > GONE_AFTER,
            State::Unknown(flight) => flight.looks >= 4 || flight.blind_looks >= 4,
            State::Sent(flight) => silent_for(flight, 1),
            State::Running(flight) => silent_for(flight, 6),
            State::Waiting | State::Ended { .. } => true,
        };
        if may {
            return Ok(());
        }
        Err(
            Reason::refuses("it may be running at this moment").help(format!(
                "Cancel its run in {}; when nothing is heard of it, say this again later.",
                request.repository.forge()
            )),
        )
    }

    /// The last entry is the doing of whoever asked.
    fn by(&self, asked: &Asked, outcome: &mut Outcome) {
        if let Some(entry) = outcome.entries.last_mut() {
            entry.actor = Actor::person(&asked.author);
        }
    }

    pub(super) fn about_by(
        &self,
        request: &Request,
        action: Action,
        person: &Account,
    ) -> crate::domain::Entry {
        let mut entry = self.about(request, action);
        entry.actor = Actor::person(person);
        entry
    }
}
