//! Questions in a terminal, each with an answer that Enter takes, asked again until the answer makes sense.

use std::io::{BufRead as _, Write as _};

use crate::cli::say;

/// Asks, or takes what was given.
#[derive(Debug)]
pub(super) struct Asker {
    asks_nothing: bool,
}

impl Asker {
    pub(super) fn new(asks_nothing: bool) -> Self {
        Self { asks_nothing }
    }

    /// What was given on the command line counts; then what the person answers; then the suggestion.
    pub(super) fn ask<T>(
        &self,
        question: &str,
        (given, suggested): (Option<&str>, Option<&str>),
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        if let Some(given) = given {
            return read(given).map_err(|why| format!("{given:?}: {why}"));
        }
        if self.asks_nothing {
            let suggested = suggested.ok_or_else(|| {
                format!(
                    "this question has no default, so the command line must answer it: {question}"
                )
            })?;
            return read(suggested);
        }
        loop {
            let answer = answer(question, suggested)?;
            let answer = match (answer.is_empty(), suggested) {
                (true, Some(suggested)) => suggested,
                _ => &answer,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => say(&format!("  {why}")),
            }
        }
    }
}

fn answer(question: &str, suggested: Option<&str>) -> Result<String, String> {
    let mut output = std::io::stdout();
    let shown = suggested.map_or_else(String::new, |suggested| format!(" [{suggested}]"));
    // A terminal that is gone ends the input, too.
    let _gone = write!(output, "{question}{shown}\n> ").and_then(|()| output.flush());
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) => {
            Err("the input ended before the last question; `--yes` takes the defaults".to_owned())
        }
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
