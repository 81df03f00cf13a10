//! `doctor`: looks at everything that must be right before Countersign can do its work, here and outside, and
//! says what is wrong and what to do. It changes nothing.

mod discord;
mod finding;
mod github;
mod gitlab;
mod home;
mod names;
mod slack;

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;

use super::terminal::Palette;
use super::{ConfigFile, EXIT_INVALID, colour_of_errors, complain_painted, parts};
use crate::config::Config;
use countersign_ground::clock::Clock;
use finding::{Findings, Level};

/// A forge refuses tokens of apps that are made by a clock a minute ahead; signatures are good for five.
const MUCH_SKEW: i64 = 60;
const SOME_SKEW: i64 = 20;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
    /// Ask nobody outside: look at this machine and the database only
    #[arg(long)]
    offline: bool,
}

pub(super) async fn run(asked: Doctor) -> ExitCode {
    let mut findings = Findings::new(Palette::of_output(), asked.json);
    let config = home::configuration(&asked.file.path, &mut findings);
    let is_valid = match config {
        Ok(config) => {
            home::look(&config, &mut findings).await;
            if !asked.offline {
                outside(&config, &mut findings).await;
            }
            true
        }
        Err(report) => {
            if !asked.json {
                complain_painted(&report.render(colour_of_errors()));
            }
            false
        }
    };
    findings.finish();
    match (is_valid, findings.count(Level::Error)) {
        (false, _) => ExitCode::from(EXIT_INVALID),
        (true, 0) => ExitCode::SUCCESS,
        (true, _) => ExitCode::FAILURE,
    }
}

/// Everything that others must be asked about.
async fn outside(config: &Config, findings: &mut Findings) {
    match parts::of_forges(config) {
        Ok(parts) => {
            if let Some(client) = &parts.github {
                github::look(config, client, findings).await;
            }
            if let Some(client) = &parts.gitlab {
                gitlab::look(config, client, findings).await;
            }
        }
        Err(why) => findings.error("forges", why, ""),
    }
    match parts::of_chats(config) {
        Ok(parts) => {
            if let (Some(client), Some(settings)) = (&parts.discord, &config.discord) {
                discord::look(config, (settings, client), findings).await;
            }
            if let (Some(client), Some(settings)) = (&parts.slack, &config.slack) {
                slack::look((settings, client), findings).await;
            }
        }
        Err(why) => findings.error("chats", why, ""),
    }
}

/// Compares our clock with that of a forge, which wrote the time into its answer.
fn clock(about: &str, date: Option<&str>, findings: &mut Findings) {
    let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs.map(|date| date.timestamp()) else {
        return;
    };
    let ours: Timestamp = Clock::system().now();
    let ahead = ours.as_second() - theirs.as_second();
    let says = format!(
        "our clock is {} seconds {} that of the forge",
        ahead.abs(),
        if ahead > 0 { "ahead of" } else { "behind" }
    );
    let way_out =
        "let this machine set its clock by NTP: signatures and tokens are good for minutes only";
    match ahead.abs() {
        MUCH_SKEW.. => findings.error(about, says, way_out),
        SOME_SKEW.. => findings.warn(about, says, way_out),
        _ => findings.ok(about, "our clock agrees with that of the forge"),
    }
}
