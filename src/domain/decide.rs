//! The desk: everything that happens outside comes here, and leaves as an outcome. It cannot fail,
//! wait, or look at a clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Action, Actor, Catalog, Command, Comment, Effect, Entry, Incoming, Planned, Reaction};

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why nothing was decided, if so.
    pub ignored: Option<String>,
    /// What the ledger remembers.
    pub entries: Vec<Entry>,
    /// What must be done outside, because of the last entry.
    pub effects: Vec<Planned>,
}

/// A command that arrives later than this after it was written is not obeyed: forges repeat a delivery
/// for a week at most, so an older one is a replay.
pub const COMMAND_LIFETIME: SignedDuration = SignedDuration::from_hours(8 * 24);

const HELP: &str = "**Countersign** follows this repository's commits to production.\n\n\
    | command | what it does |\n|---|---|\n| `/help` | this answer |\n\n\
    Deploy commands are not available in this version yet.";

/// Decides what follows from something that happened.
pub fn decide(incoming: &Incoming, catalog: &Catalog, now: Timestamp) -> Outcome {
    match incoming {
        Incoming::Ping => Outcome::default(),
        Incoming::NotOurs(why) => Outcome::ignored(why.clone()),
        Incoming::Comment(comment) => decide_comment(comment, catalog, now),
        Incoming::Push(_)
        | Incoming::Report(_)
        | Incoming::Deployment(_)
        | Incoming::DeploymentMoved(_)
        | Incoming::Run(_)
        | Incoming::RuleRequested(_)
        | Incoming::PullRequest(_)
        | Incoming::CommentChanged(_)
        | Incoming::RepositoryChanged(_)
        | Incoming::Internal(_) => Outcome::ignored("not followed yet".to_owned()),
    }
}

fn decide_comment(comment: &Comment, catalog: &Catalog, now: Timestamp) -> Outcome {
    if !catalog.follows_github(&comment.place.repository.path) {
        return Outcome::ignored("no service lives in this repository".to_owned());
    }
    if now.duration_since(comment.place.written_at) > COMMAND_LIFETIME {
        return Outcome::ignored("the comment was written too long ago".to_owned());
    }
    match Command::all_in(&comment.body).first() {
        None => Outcome::ignored("the comment holds no command".to_owned()),
        Some(Command::Help) => answer_help(comment, now),
    }
}

fn answer_help(comment: &Comment, now: Timestamp) -> Outcome {
    let place = &comment.place;
    let token = |what: &str| format!("github/comment/{}/{what}", place.comment);
    Outcome {
        ignored: None,
        entries: vec![Entry {
            at: now,
            action: Action::CommandReceived,
            actor: Actor::Person {
                forge: "github",
                id: comment.author.id,
                login: comment.author.login.clone(),
            },
            detail: BTreeMap::from([
                ("command", "/help".to_owned()),
                ("repository", place.repository.path.clone()),
                ("pull_request", place.pull_request.to_string()),
                ("comment", place.comment.to_string()),
            ]),
        }],
        effects: vec![
            Planned {
                token: token("eyes"),
                effect: Effect::React {
                    place: place.clone(),
                    reaction: Reaction::Eyes,
                },
            },
            Planned {
                token: token("reply"),
                effect: Effect::Reply {
                    place: place.clone(),
                    text: HELP.to_owned(),
                },
            },
        ],
    }
}

impl Outcome {
    fn ignored(why: String) -> Self {
        Self {
            ignored: Some(why),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Account, Place, Repository, Service};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn asked(body: &str) -> Incoming {
        Incoming::Comment(Comment {
            place: Place {
                repository: Repository {
                    id: 9,
                    path: "Acme/Shop".to_owned(),
                    installation: None,
                },
                pull_request: 3,
                comment: 50,
                written_at: at(0),
            },
            author: Account {
                id: 5,
                login: "ann".to_owned(),
            },
            body: body.to_owned(),
        })
    }

    fn catalog(repository: &str) -> Catalog {
        Catalog {
            services: vec![Service {
                name: "shop".parse().unwrap(),
                repo: repository.parse().unwrap(),
                branch: "main".parse().unwrap(),
                paths: Vec::new(),
                notify: Vec::new(),
                stages: Vec::new(),
                environments: Vec::new(),
            }],
            ..Catalog::default()
        }
    }

    #[test]
    fn help_is_acknowledged_answered_and_remembered() {
        let outcome = decide(&asked("/help"), &catalog("github:acme/shop"), at(1));
        assert_eq!(outcome.ignored, None);
        assert_eq!(outcome.entries.len(), 1);
        let tokens: Vec<_> = outcome
            .effects
            .iter()
            .map(|one| one.token.as_str())
            .collect();
        assert_eq!(
            tokens,
            ["github/comment/50/eyes", "github/comment/50/reply"]
        );
    }

    #[test]
    fn what_is_not_for_us_is_passed_over_with_a_reason() {
        let shop = catalog("github:acme/shop");
        for (incoming, catalog, hour, expect) in [
            (asked("looks good"), &shop, 1, "holds no command"),
            (
                asked("/help"),
                &catalog("github:acme/other"),
                1,
                "no service",
            ),
            (
                asked("/help"),
                &catalog("gitlab:acme/shop"),
                1,
                "no service",
            ),
            (asked("/help"), &shop, 8 * 24 + 1, "too long ago"),
            (Incoming::NotOurs("planted".to_owned()), &shop, 1, "planted"),
        ] {
            let outcome = decide(&incoming, catalog, at(hour));
            assert!(outcome.ignored.unwrap().contains(expect), "{expect}");
            assert!(outcome.effects.is_empty() && outcome.entries.is_empty());
        }
        assert_eq!(decide(&Incoming::Ping, &shop, at(1)), Outcome::default());
    }
}
