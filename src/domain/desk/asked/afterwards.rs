//! Comments and repositories after they mattered: a later change of them is remembered.

use crate::domain::desk::Outcome;
use crate::domain::desk::known::repositories;
use crate::domain::desk::sitting::Sitting;
use crate::domain::{Action, Actor, CommentChanged, Look, RepositoryChanged};

/// A comment that asked or approved was changed later: that changes nothing, and is remembered.
pub(crate) fn comment_changed(sitting: &Sitting<'_>, changed: &CommentChanged) -> Outcome {
    let look = Look::RequestsOfComment {
        repository: changed.place.repository.id,
        comment: changed.place.comment,
    };
    let requests = sitting.requests(look);
    if requests.is_empty() {
        return Outcome::ignored("commands come from new comments only");
    }
    let what = if changed.deleted { "deleted" } else { "edited" };
    let mut outcome = Outcome::default();
    for request in requests {
        outcome.entries.push(
            sitting
                .entry(Action::CommentChanged, Actor::from(&changed.by))
                .with("request", request.number)
                .with("comment", changed.place.comment)
                .with("what", what),
        );
    }
    outcome
}

pub(crate) fn repository_changed(sitting: &Sitting<'_>, changed: &RepositoryChanged) -> Outcome {
    let mut outcome = Outcome::default();
    match repositories::services_at(sitting, &changed.repository, &mut outcome) {
        Ok(services) if services.is_empty() => {
            Outcome::ignored("no service lives in this repository")
        }
        Ok(_) => {
            outcome.entries.push(
                sitting
                    .entry(Action::RepositoryChanged, Actor::Countersign)
                    .with("repository", changed.repository.path.as_str())
                    .with("number", changed.repository.id.number())
                    .with("what", changed.what.as_str()),
            );
            outcome
        }
        Err(why) => repositories::usurped(sitting, &changed.repository, &why),
    }
}
