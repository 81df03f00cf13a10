//! `audit erase`: shows what would be erased, and erases it when it is told so twice. What is erased is
//! gone for good; that it was erased, by whom and why, is recorded.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::cli::{ConfigFile, EXIT_INVALID, complain, counted, open, say};
use crate::store::Store;
use crate::store::ledger::private::{self, Found, Whom};
use countersign_ground::clock::Clock;

#[derive(Debug, Args)]
pub(in crate::cli) struct EraseLine {
    #[command(flatten)]
    file: ConfigFile,
    /// Whose name is erased, with everything private that names them: a login, or like github:583231
    #[arg(
        long,
        value_name = "PERSON",
        required_unless_present = "entry",
        conflicts_with = "entry"
    )]
    person: Option<String>,
    /// The number of an entry whose private parts are erased
    #[arg(long, value_name = "N")]
    entry: Option<i64>,
    /// Only this part of the entry, like `reason`
    #[arg(long, requires = "entry")]
    name: Option<String>,
    /// Why; recorded in the audit log
    #[arg(long)]
    reason: String,
    /// Do it; otherwise it is only shown
    #[arg(long)]
    yes: bool,
}

const KEPT: &str = "\
Kept, because it is needed to decide, to answer or to run, until it is pruned or over: requests and their
approvals, locks of environments, and what was received and sent (inbox, outbox). Copies of the database,
its free pages, and what was exported or reported before are beyond this command.";

pub(in crate::cli) async fn run(line: &EraseLine) -> anyhow::Result<ExitCode> {
    if line.reason.trim().is_empty() {
        complain("error: say why in `--reason`");
        return Ok(ExitCode::from(EXIT_INVALID));
    }
    let Some(store) = open::configured_store(&line.file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let done = in_store(&store, line).await;
    store.close().await;
    done
}

async fn in_store(store: &Store, line: &EraseLine) -> anyhow::Result<ExitCode> {
    let whom = match (&line.person, line.entry) {
        (Some(person), _) => person_of(store, person).await?,
        (None, Some(seq)) => Whom::Entry {
            seq,
            name: line.name.clone(),
        },
        (None, None) => bail!("name a person or an entry"),
    };
    if is_named(store, &whom, &line.reason).await? {
        complain("error: the reason names the person, and the log keeps it: leave the name out");
        return Ok(ExitCode::from(EXIT_INVALID));
    }
    let found = if line.yes {
        let (whom, reason) = (whom.clone(), line.reason.clone());
        let (operator, now) = (open::operator(), Clock::system().now());
        store
            .unit(move |tx| {
                let (whom, operator, reason) = (whom.clone(), operator.clone(), reason.clone());
                Box::pin(async move { private::erase(tx, &whom, &operator, &reason, now).await })
            })
            .await?
    } else {
        let whom = whom.clone();
        store
            .unit(move |tx| {
                let whom = whom.clone();
                Box::pin(async move { private::find(tx, &whom).await })
            })
            .await?
    };
    if found.is_empty() {
        say("There is nothing to erase.");
        return Ok(ExitCode::SUCCESS);
    }
    show(&whom, &found);
    say(KEPT);
    say(if line.yes {
        "Erased. The log's entries and proofs are unchanged."
    } else {
        "Nothing was erased yet: add --yes to erase this for good."
    });
    Ok(ExitCode::SUCCESS)
}

/// Whether a text names the very person whose name is to go.
async fn is_named(store: &Store, whom: &Whom, text: &str) -> anyhow::Result<bool> {
    let person = match whom {
        Whom::Named(login) => return Ok(private::names(text, login)),
        Whom::Entry { .. } => return Ok(false),
        Whom::Person(person) => person.clone(),
    };
    let logins = store
        .unit(move |tx| {
            let person = person.clone();
            Box::pin(async move { private::logins(tx, &person).await })
        })
        .await?;
    Ok(logins.iter().any(|login| private::names(text, login)))
}

fn show(whom: &Whom, found: &[Found]) {
    let of = match whom {
        Whom::Person(person) | Whom::Named(person) => {
            format!("{person}: {}", counted(found.len(), "private value"))
        }
        Whom::Entry { seq, .. } => {
            format!("entry {seq}: {}", counted(found.len(), "private value"))
        }
    };
    say(&of);
    for (name, count) in private::by_name(found) {
        say(&format!("{count:>6}  {name}"));
    }
}

/// The one person who is meant, by the number that stays.
async fn person_of(store: &Store, person: &str) -> anyhow::Result<Whom> {
    if person.contains(':') {
        return Ok(Whom::Person(person.to_owned()));
    }
    let person = person.trim_start_matches('@');
    let login = person.to_owned();
    let people = store
        .unit(move |tx| {
            let login = login.clone();
            Box::pin(async move { private::people(tx, &login).await })
        })
        .await?;
    match people.as_slice() {
        [one] => Ok(Whom::Person(one.clone())),
        [] => Ok(Whom::Named(person.to_owned())),
        many => bail!(
            "several people were called {person:?}: name one of {}",
            many.join(", ")
        ),
    }
}
