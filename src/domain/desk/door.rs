//! The door of the desk: whatever happens is handed to the room that decides about it.

use crate::domain::command::{Command, Found};
use crate::domain::desk::asked::{self, afterwards};
use crate::domain::desk::release::{follow, lost, runs};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::announcements;
use crate::domain::desk::{Outcome, candidates, chat, timers};
use crate::domain::{Incoming, Internal};

pub(crate) fn decide(sitting: &Sitting<'_>, incoming: &Incoming) -> Outcome {
    match incoming {
        Incoming::Ping => Outcome::default(),
        Incoming::NotOurs(why) => Outcome::ignored(why.clone()),
        Incoming::Push(push) => candidates::push(sitting, push),
        Incoming::Report(repository, report) => candidates::report(sitting, repository, report),
        Incoming::Deployment(deployment) => follow::deployment(sitting, deployment),
        Incoming::DeploymentMoved(moved) => follow::deployment_moved(sitting, moved),
        Incoming::Run(run) => runs::run(sitting, run),
        Incoming::RuleRequested(requested) => runs::rule_requested(sitting, requested),
        Incoming::PullRequest(moved) => candidates::pull_request_moved(sitting, moved),
        Incoming::Comment(comment) => Outcome::ignored(format!(
            "the comment {} holds no command",
            comment.place.comment
        )),
        Incoming::Command(asked) => asked::command(sitting, asked),
        Incoming::Said(said) => chat::said(sitting, said),
        Incoming::CommentChanged(changed) => afterwards::comment_changed(sitting, changed),
        Incoming::RepositoryChanged(changed) => afterwards::repository_changed(sitting, changed),
        Incoming::Internal(internal) => told(sitting, internal),
    }
}

pub(crate) fn told(sitting: &Sitting<'_>, internal: &Internal) -> Outcome {
    match internal {
        Internal::Due(due) => timers::due(sitting, due),
        Internal::Triggered {
            request,
            attempt,
            outcome,
        } => lost::triggered(sitting, *request, *attempt, outcome),
        Internal::Heard {
            spot,
            author,
            repository,
            line,
            command,
        } => {
            let found = match command {
                Some(command) => Some(Found {
                    line: line.clone(),
                    command: Ok((**command).clone()),
                }),
                None => Command::all_in(line).into_iter().next(),
            };
            match found {
                Some(found) => chat::heard(sitting, spot, author, repository, found),
                None => Outcome::ignored("it is no command any more"),
            }
        }
        Internal::Parked {
            outbox,
            effect,
            problem,
            repository,
        } => announcements::gave_up(sitting, *outbox, effect, problem, repository),
    }
}
