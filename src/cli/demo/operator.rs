//! The operator: what is done at the machine itself: the program's own commands on the demo's database, the database
//! changed by hand, the service asked how it is.

use std::process::ExitCode;

use anyhow::bail;
use clap::Parser as _;

use super::ask;
use super::forge::Words;
use super::guide::Fact;
use super::people::{EVE, EVERYBODY, QUINN};
use super::session::Session;
use super::written::LOG;
use crate::cli::{Command, Line, audit, say};
use crate::domain::Action;
use countersign_sandbox::intruder::{self, Swap};

/// Entries that a table shows at first.
const LISTED: &str = "14";

impl Session<'_> {
    /// Runs a command of the command line on the demo's database.
    pub(super) async fn audit(&mut self, words: &[String]) -> anyhow::Result<ExitCode> {
        if words.first().is_some_and(|first| first == "follow") {
            self.screen
                .tell("audit follow goes on until Ctrl-C, which would end the demo. Say audit.");
            return Ok(ExitCode::FAILURE);
        }
        let config = self.home.config.display().to_string();
        let is_named = words.first().is_some_and(|first| !first.starts_with('-'));
        let mut line = vec!["countersign".to_owned(), "audit".to_owned()];
        if !is_named {
            line.push("query".to_owned());
        }
        line.extend(words.iter().cloned());
        if words.is_empty() {
            line.extend(["--limit".to_owned(), LISTED.to_owned()]);
        }
        line.extend(["--config".to_owned(), config]);
        self.screen.typed(&line.join(" "));
        match Line::try_parse_from(line) {
            Ok(Line {
                command: Command::Audit(command),
            }) => audit::run(*command).await,
            Ok(_) => Ok(ExitCode::FAILURE),
            Err(error) => {
                say(error.to_string().trim_end());
                Ok(ExitCode::FAILURE)
            }
        }
    }

    pub(super) async fn verify(&mut self) -> anyhow::Result<()> {
        self.screen.gap();
        let is_sound = self.audit(&["verify".to_owned()]).await? == ExitCode::SUCCESS;
        match (is_sound, self.guide.has_seen(Fact::Tampered)) {
            (true, false) => self.saw(Fact::Sound),
            (false, true) => self.saw(Fact::Found),
            (true, true) => bail!("the change was not found"),
            (false, false) => bail!("the log does not fit, although nobody has changed it"),
        }
        Ok(())
    }

    pub(super) async fn tamper(&mut self) -> anyhow::Result<()> {
        let approvals = self.home.entries(Action::Approved, None).await;
        if approvals.iter().all(|entry| entry.who() != QUINN.name) {
            self.screen
                .tell("quinn has not approved anything yet, or it was changed already.");
            return Ok(());
        }
        self.screen.tell(
            "As somebody with the database's password: take the trigger away that guards the log, and write eve \
             where quinn approved. The service goes on running and knows nothing of it.",
        );
        self.asked_before = self.home.forge.releases_asked();
        let swap = Swap {
            forge: self.words().prefix,
            before: QUINN.number,
            after: EVE.number,
        };
        let done = intruder::rewrite_decider(&self.home.database, LOG, swap).await?;
        for statement in &done.statements {
            self.screen.aside(&format!("  sql> {statement};"));
        }
        self.saw(Fact::Tampered);
        Ok(())
    }

    pub(super) async fn ready(&mut self) -> anyhow::Result<()> {
        let address = self.home.address;
        self.screen
            .aside(&format!("$ curl http://{address}/readyz"));
        let (status, body) = ask::get(address, "/readyz").await?;
        say(&format!("{status} {body}"));
        if status == 503 && body.contains("\"ledger\":\"broken\"") {
            self.saw(Fact::NotReady);
        }
        Ok(())
    }

    pub(super) fn help(&self) {
        let people: Vec<String> = EVERYBODY
            .iter()
            .map(|person| format!("{} ({})", person.name, self.about(person)))
            .collect();
        self.screen
            .tell(&format!("You can be {}.", people.join(", ")));
        let Words { place, change, .. } = self.words();
        let places = format!("at chat, at {place}");
        let writes = format!("write in #releases, or on the {change}");
        let help = self.home.chat.words().help;
        let commands = format!("any command of Countersign; {help} lists them");
        for (line, what) in [
            ("as NAME", "be somebody else"),
            (&places, &writes),
            ("/deploy prod", &commands),
            ("notice", "show the message in #releases again"),
            (
                "audit",
                "list entries; takes the options of audit query, or audit show N",
            ),
            ("verify", "check the audit log"),
            ("tamper", "change a decision in the database by hand"),
            ("ready", "ask the service whether it is ready"),
            ("again", "another commit begins its life"),
            ("quit", "end the demo and remove everything"),
        ] {
            say(&format!("  {line:<16}{what}"));
        }
    }
}
