//! `token`: lets programs read the audit log over HTTP, and stops them. Making and revoking are recorded.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

use crate::domain::{Action, Actor, Detail, Entry, Scope, TimeSpan};
use crate::store::tokens::{self, NewToken, Token};
use crate::store::{Store, ledger};
use countersign_ground::chance;
use countersign_ground::clock::{Clock, later};
use countersign_ground::digest::hex;

use super::{ConfigFile, EXIT_INVALID, complain, open, say, say_json};

const PAGE: u32 = 200;
const LONGEST_NAME: usize = 100;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token and print it; it is shown this once
    #[command(
        after_help = "For example:\n  countersign token create --name auditors --scope audit --expires 90d"
    )]
    Create(Create),
    /// List all tokens, without their secrets
    List(List),
    /// Take a token out of force for good
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    file: ConfigFile,
    /// Who or what it is for
    #[arg(long, value_parser = name)]
    name: String,
    /// What it opens: `audit` to ask the audit log, `log` to copy its entries
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// After how long it ends by itself, such as `90d`; never, unless told so
    #[arg(long, value_name = "TIME")]
    expires: Option<TimeSpan>,
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
pub(super) struct Revoke {
    #[command(flatten)]
    file: ConfigFile,
    /// The token's number, as `token list` shows it
    id: i64,
    /// Why; recorded in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(command: TokenCommand) -> anyhow::Result<ExitCode> {
    let file = match &command {
        TokenCommand::Create(create) => &create.file,
        TokenCommand::List(list) => &list.file,
        TokenCommand::Revoke(revoke) => &revoke.file,
    };
    let Some(store) = open::configured_store(&file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let now = Clock::system().now();
    let code = match command {
        TokenCommand::Create(create) => make(&store, create, now).await?,
        TokenCommand::List(list) => show(&store, &list, now).await?,
        TokenCommand::Revoke(asked) => revoke(&store, &asked, now).await?,
    };
    store.close().await;
    Ok(code)
}

/// Keeps the hash of a new token and records who made it, together; then prints the token.
async fn make(store: &Store, create: Create, now: Timestamp) -> anyhow::Result<ExitCode> {
    let drawn = chance::secret::<32>().context("the machine gives no random bytes for a token")?;
    let secret = format!("cst_{}", hex(&drawn));
    let token = NewToken {
        name: create.name,
        scopes: BTreeSet::from_iter(create.scopes),
        hash: tokens::hash(&secret),
        made_at: now,
        expires_at: create.expires.map(|span| later(now, span.as_duration())),
    };
    let id = store
        .unit(move |tx| {
            let token = token.clone();
            Box::pin(async move {
                let id = tokens::make(tx, &token).await?;
                ledger::append(tx, &made(id, &token)).await?;
                Ok(id)
            })
        })
        .await?;
    say(&secret);
    complain(&format!(
        "this is token {id}; it cannot be shown again, so keep it in a safe place"
    ));
    Ok(ExitCode::SUCCESS)
}

fn made(id: i64, token: &NewToken) -> Entry {
    let scopes: Detail = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let entry = entry(Action::TokenMade, id, &token.name, token.made_at).with("scopes", scopes);
    match token.expires_at {
        Some(end) => entry.with("expires_at", end.to_string()),
        None => entry,
    }
}

fn entry(action: Action, id: i64, name: &str, now: Timestamp) -> Entry {
    let operator = Actor::Operator {
        name: open::operator(),
    };
    Entry::new(now, action, operator)
        .with("token", id.to_string())
        .with_private("name", name)
}

/// Takes the token out of force and records who did it, together.
async fn revoke(store: &Store, asked: &Revoke, now: Timestamp) -> anyhow::Result<ExitCode> {
    let id = asked.id;
    let Some(token) = tokens::find(store, id).await? else {
        complain(&format!("there is no token {id}"));
        return Ok(ExitCode::FAILURE);
    };
    let mut entry = entry(Action::TokenRevoked, id, &token.name, now);
    if let Some(reason) = &asked.reason {
        entry = entry.with_private("reason", reason.as_str());
    }
    let changed = store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                let changed = tokens::revoke(tx, id, now).await?;
                if changed {
                    ledger::append(tx, &entry).await?;
                }
                Ok(changed)
            })
        })
        .await?;
    if changed {
        say("revoked");
        Ok(ExitCode::SUCCESS)
    } else {
        complain(&format!(
            "nothing was changed: token {id} is revoked already"
        ));
        Ok(ExitCode::FAILURE)
    }
}

async fn show(store: &Store, list: &List, now: Timestamp) -> anyhow::Result<ExitCode> {
    let mut after = 0;
    let mut shown = 0_usize;
    loop {
        let rows = tokens::list(store, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        if shown == 0 && !list.json {
            say(&format!(
                "{:>5}  {:<8}  {:<10}  {:<17}  {:<17}  NAME",
                "TOKEN", "STATE", "SCOPES", "EXPIRES", "LAST USED"
            ));
        }
        for token in &rows {
            if list.json {
                say_json(&as_json(token, now));
            } else {
                say(&as_line(token, now));
            }
        }
        shown += rows.len();
    }
    if shown == 0 && !list.json {
        say("there are no tokens");
    }
    Ok(ExitCode::SUCCESS)
}

fn as_line(token: &Token, now: Timestamp) -> String {
    let time = |time: Option<Timestamp>| {
        time.map_or("never".to_owned(), |time| {
            time.strftime("%Y-%m-%d %H:%MZ").to_string()
        })
    };
    format!(
        "{:>5}  {:<8}  {:<10}  {:<17}  {:<17}  {}",
        token.id,
        state(token, now),
        scopes(token).join(" "),
        time(token.expires_at),
        time(token.last_used_at),
        token.name
    )
}

fn as_json(token: &Token, now: Timestamp) -> String {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    json!({
        "id": token.id,
        "name": token.name,
        "state": state(token, now),
        "scopes": scopes(token),
        "made_at": token.made_at.to_string(),
        "expires_at": time(token.expires_at),
        "revoked_at": time(token.revoked_at),
        "last_used_at": time(token.last_used_at),
    })
    .to_string()
}

fn scopes(token: &Token) -> Vec<&'static str> {
    token.scopes.iter().map(|scope| scope.as_str()).collect()
}

fn state(token: &Token, now: Timestamp) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.is_in_force(now) => "in force",
        None => "expired",
    }
}

/// A name that a list can show in one line.
fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(format!(
            "a name has 1 to {LONGEST_NAME} bytes and no line breaks"
        ));
    }
    Ok(text.to_owned())
}
