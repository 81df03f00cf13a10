//! What channels are told that should not wait for anybody to look: a stage that failed, a release that nobody
//! approved, an effect that was given up.

use super::foreign::Sighted;
use super::{Desk, Outcome};
use crate::domain::gates::StageView;
use crate::domain::reason::code;
use crate::domain::{
    Action, Actor, Candidate, Colour, Effect, Happening, Planned, Repository, Service, Subscription,
};

impl Desk<'_> {
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
            .filter(|gate| gate.colour == Colour::Red)
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
        let entry = self.entry(Action::Answered, Actor::Countersign);
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
}
