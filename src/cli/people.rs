//! `people`: who is known in chats as whom on the forge, and an end to it. Ending a link is recorded.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::domain::{Action, Actor, Chat, Entry, Speaker};
use crate::store::state::{self, Linked};
use crate::store::{Store, ledger};
use countersign_ground::clock::Clock;

use super::{ConfigFile, EXIT_INVALID, complain, open, say, say_json};

/// What can be done with links.
#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// List which chat account belongs to which account of the forge
    List(List),
    /// End a link; the person must use `/link` again
    Unlink(Unlink),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Unlink {
    #[command(flatten)]
    file: ConfigFile,
    /// The account in the chat as `people list` shows it: `discord:SERVER/USER` or `slack:WORKSPACE/USER`
    #[arg(value_parser = whom)]
    who: Speaker,
    /// Why; recorded in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(command: PeopleCommand) -> anyhow::Result<ExitCode> {
    let file = match &command {
        PeopleCommand::List(list) => &list.file,
        PeopleCommand::Unlink(unlink) => &unlink.file,
    };
    let Some(store) = open::configured_store(&file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let code = match &command {
        PeopleCommand::List(list) => show(&store, list).await?,
        PeopleCommand::Unlink(asked) => unlink(&store, asked).await?,
    };
    store.close().await;
    Ok(code)
}

async fn show(store: &Store, list: &List) -> anyhow::Result<ExitCode> {
    let links = state::links(store).await?;
    if links.is_empty() && !list.json {
        say("no chat account is linked");
    }
    for linked in links {
        if list.json {
            say_json(&as_json(&linked));
        } else {
            say(&as_line(&linked));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_line(linked: &Linked) -> String {
    format!(
        "{}  {}:{} {}  since {}  called {:?}",
        spelled(&linked.speaker),
        linked.account.forge.prefix(),
        linked.account.id,
        linked.account.login,
        linked.since.strftime("%Y-%m-%d %H:%MZ"),
        linked.speaker.name
    )
}

fn as_json(linked: &Linked) -> String {
    let speaker = &linked.speaker;
    json!({
        "chat": speaker.chat.as_str(),
        "tenant": speaker.tenant,
        "user": speaker.user,
        "name": speaker.name,
        "account": { "forge": linked.account.forge.prefix(), "id": linked.account.id, "login": linked.account.login },
        "since": linked.since.to_string(),
    })
    .to_string()
}

/// Ends the link and records who did it, together.
async fn unlink(store: &Store, asked: &Unlink) -> anyhow::Result<ExitCode> {
    let operator = Actor::Operator {
        name: open::operator(),
    };
    let known = state::links(store).await?;
    let mut links: Vec<(Linked, Entry)> = Vec::new();
    for linked in known.into_iter().filter(|one| one.speaker.is(&asked.who)) {
        let operator = operator.clone();
        let entry = Entry::new(Clock::system().now(), Action::IdentityUnlinked, operator)
            .with("account", linked.account.id);
        let mut entry = linked.speaker.noted_in(entry);
        if let Some(reason) = &asked.reason {
            entry = entry.with_private("reason", reason.as_str());
        }
        links.push((linked, entry));
    }
    if links.is_empty() {
        complain(&format!("{} is not linked", spelled(&asked.who)));
        return Ok(ExitCode::FAILURE);
    }
    let changed = store
        .unit(move |tx| {
            let links = links.clone();
            Box::pin(async move {
                let mut changed = false;
                for (linked, entry) in &links {
                    let forge = linked.account.forge;
                    if state::unlink(tx, &linked.speaker, forge).await? {
                        ledger::append(tx, entry).await?;
                        changed = true;
                    }
                }
                Ok(changed)
            })
        })
        .await?;
    if changed {
        say("unlinked");
        return Ok(ExitCode::SUCCESS);
    }
    complain("nothing was changed: the link has just ended by itself");
    Ok(ExitCode::FAILURE)
}

fn spelled(speaker: &Speaker) -> String {
    format!(
        "{}:{}/{}",
        speaker.chat.as_str(),
        speaker.tenant,
        speaker.user
    )
}

fn whom(text: &str) -> Result<Speaker, String> {
    let parts = text.split_once(':').and_then(|(chat, rest)| {
        let (tenant, user) = rest.split_once('/')?;
        Some((Chat::parse(chat)?, tenant, user))
    });
    match parts {
        Some((chat, tenant, user)) if !tenant.is_empty() && !user.is_empty() => Ok(Speaker {
            chat,
            tenant: tenant.to_owned(),
            user: user.to_owned(),
            name: String::new(),
        }),
        Some(_) | None => Err(
            "write `discord:SERVER/USER` or `slack:WORKSPACE/USER`, as `people list` shows it"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_as_it_is_listed() {
        for text in ["discord:100/1", "slack:T1/U1"] {
            assert_eq!(spelled(&whom(text).unwrap()), text);
        }
        for text in [
            "",
            "ann",
            "github:7",
            "discord:100",
            "discord:/1",
            "slack:T1/",
        ] {
            assert!(whom(text).is_err(), "{text}");
        }
    }
}
