//! Callers: whether somebody is listened to, and how often. Whether a person belongs here is the first question of all,
//! and a cheap one: a stranger spends nobody's rate limit. What is said beyond a person's measure is counted, and the
//! count recorded.

use jiff::{SignedDuration, Timestamp};

use crate::domain::desk::known::people::{self, Acquaintance};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer};
use crate::domain::desk::{Change, Outcome};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Text, code, person, text};
use crate::domain::{Account, Action, Actor, Asked, Caller, Due, Repository, RepositoryId};

/// For so long commands are counted, and a stranger stays one.
const MEASURE: SignedDuration = SignedDuration::from_secs(60);

/// Commands of one person within this time that are answered.
const MOST: u64 = 30;

/// How much of what a stranger wrote is kept.
const LONGEST: usize = 300;

/// Whether to listen: what goes with that, or what happens instead.
pub(super) fn listen(
    sitting: &Sitting<'_>,
    asked: &Asked,
    repository: Result<(), &Text>,
) -> Result<Outcome, Outcome> {
    let (home, author) = (&asked.repository, &asked.author);
    let mut outcome = Outcome::default();
    let mut known = sitting.caller(home.id, author.id);
    if let Some(over) = known.take_if(|known| known.until <= sitting.now) {
        count_out(sitting, &over, author, &mut outcome);
    }
    let caller = Caller {
        repository: home.id,
        account: author.id,
        until: known
            .as_ref()
            .map_or(until(sitting.now), |known| known.until),
        heard: known.as_ref().map_or(1, |known| known.heard + 1),
        is_stranger: known.as_ref().is_some_and(|known| known.is_stranger),
    };
    if known.is_some_and(|known| known.heard >= most(&known)) {
        return Err(unheard(asked, caller));
    }
    let acquaintance = match repository {
        Ok(()) => people::acquaintance(sitting, home, author),
        // Whoever took over a name is no acquaintance.
        Err(why) => Acquaintance::Stranger(Some(why.clone())),
    };
    let turned_away = match acquaintance {
        Acquaintance::Known => None,
        Acquaintance::Stranger(why) => Some((true, stranger(author, home, why))),
        Acquaintance::Unclear(why) => {
            let says = text![
                "whether ",
                person(author),
                format!(" belongs to this repository could not be found out: {why}")
            ];
            let reason = Reason::unknown(Rule::REQUESTER, says);
            Some((false, reason.help("Say it again in a minute.")))
        }
    };
    let is_stranger = turned_away.as_ref().is_some_and(|(is_one, _)| *is_one);
    outcome.changes.push(Change::Caller(Caller {
        is_stranger,
        ..caller
    }));
    let Some((_, reason)) = turned_away else {
        return Ok(outcome);
    };
    turn_away(sitting, asked, &reason, &mut outcome);
    Err(outcome)
}

fn until(now: Timestamp) -> Timestamp {
    now.checked_add(MEASURE).unwrap_or(Timestamp::MAX)
}

/// How many commands of such a person are answered.
fn most(caller: &Caller) -> u64 {
    if caller.is_stranger { 1 } else { MOST }
}

fn stranger(author: &Account, home: &Repository, why: Option<Text>) -> Reason {
    if let Some(why) = why {
        return Reason::refuses(Rule::REPOSITORY, why);
    }
    let says = text![
        person(author),
        " may not give commands here: no role names them, and ",
        code(&home.path),
        " does not count them among its people"
    ];
    Reason::refuses(Rule::REQUESTER, says)
}

/// One short answer, and an entry without evidence.
fn turn_away(sitting: &Sitting<'_>, asked: &Asked, reason: &Reason, outcome: &mut Outcome) {
    let line: String = asked.found.line.chars().take(LONGEST).collect();
    outcome.entries.push(
        sitting
            .entry(Action::Refused, Actor::from(&asked.author))
            .with_private("command", line)
            .with("repository", asked.repository.path.as_str())
            .with("why", reason.detail()),
    );
    let text = Answer::refused_because("", reason.item()).without_reaction();
    answers::answer(asked, text, outcome);
}

/// Nothing is answered; the timer says how much that was.
fn unheard(asked: &Asked, caller: Caller) -> Outcome {
    let mut outcome = Outcome::ignored("its author said more than is answered within a minute");
    outcome.changes.push(Change::Timer {
        due: Due::Unheard {
            repository: caller.repository,
            account: asked.author.clone(),
        },
        repository: caller.repository,
        at: caller.until,
    });
    outcome.changes.push(Change::Caller(caller));
    outcome
}

/// A person's minute is over: what was not answered in it becomes an entry.
pub(crate) fn count(
    sitting: &Sitting<'_>,
    repository: RepositoryId,
    account: &Account,
    outcome: &mut Outcome,
) {
    let known = sitting.caller(repository, account.id);
    if let Some(caller) = known.filter(|known| known.until <= sitting.now) {
        count_out(sitting, &caller, account, outcome);
    }
}

fn count_out(sitting: &Sitting<'_>, caller: &Caller, account: &Account, outcome: &mut Outcome) {
    let answered = most(caller);
    if caller.heard <= answered {
        return;
    }
    outcome.entries.push(
        sitting
            .entry(Action::Refused, Actor::from(account))
            .with("count", caller.heard - answered)
            .with("why", "more commands within a minute than are answered"),
    );
    outcome.changes.push(Change::Caller(Caller {
        heard: answered,
        ..caller.clone()
    }));
}
