//! The desk: everything that happens outside comes here, and leaves as an outcome. It cannot fail,
//! wait, or look at a clock.

use std::collections::BTreeMap;

use jiff::Timestamp;

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

const HELP: &str = "**Countersign** follows this repository's commits to production.\n\n\
    | command | what it does |\n|---|---|\n| `/help` | this answer |\n\n\
    Deploy commands are not available in this version yet.";

/// Decides what follows from something that happened.
pub fn decide(incoming: &Incoming, catalog: &Catalog, now: Timestamp) -> Outcome {
    match incoming {
        Incoming::Ping => Outcome::default(),
        Incoming::NotOurs(why) => Outcome::ignored(why.clone()),
        Incoming::Comment(comment) => decide_comment(comment, catalog, now),
    }
}

fn decide_comment(comment: &Comment, catalog: &Catalog, now: Timestamp) -> Outcome {
    if !catalog.follows_github(&comment.place.repository) {
        return Outcome::ignored("no service lives in this repository".to_owned());
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
                ("repository", place.repository.clone()),
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
