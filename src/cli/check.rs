//! `check` and `config schema`: read the configuration's meaning and its form.

use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Config};

use super::{EXIT_INVALID, colour_of_errors, complain, complain_painted, handover, say, witnesses};

/// Validates the file and explains what it means, or prints every mistake in it.
pub(super) fn check(path: &Path) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(report) => {
            complain_painted(&report.render(colour_of_errors()));
            return ExitCode::from(EXIT_INVALID);
        }
    };
    // A key can be text in the right place and still be no key.
    if let Err(error) = handover::clients(&config) {
        complain(&format!("error: {}: {error}", path.display()));
        return ExitCode::from(EXIT_INVALID);
    }
    if let Err(error) = witnesses::keys(&config.ledger) {
        complain(&format!("error: {}: {error:#}", path.display()));
        return ExitCode::from(EXIT_INVALID);
    }
    say(config::explain(&config).trim_end());
    ExitCode::SUCCESS
}

pub(super) fn schema() -> ExitCode {
    match serde_json::to_string_pretty(&config::schema()) {
        Ok(text) => {
            say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("error: the schema cannot be printed: {error}"));
            ExitCode::FAILURE
        }
    }
}
