//! The configuration: `bot.toml` becomes domain types, in two steps: the shape first, then the meaning. Every mistake
//! of a file is reported in one go, with its line, a caret and the way out; a secret is never shown. Nothing here calls
//! outside: it reads the file and the secrets that it names.

mod at;
mod draft;
mod explain;
mod mask;
mod not_yet;
mod raw;
mod reference;
mod report;
mod review;
mod rules;
mod schema;
mod secrets;
mod settings;
mod shape;
mod size;
mod suggest;
mod surroundings;
mod valid;
mod web_address;

pub use draft::{Draft, pages_of_github};
pub use explain::explain;
pub use reference::reference;
pub use report::{Colour, Problem, Report};
pub use schema::schema;
pub use settings::{
    Config, Database, Discord, Export, ExportFormat, ExportPlace, GitHub, GitLab, Identity,
    KeyPlace, Ledger, Server, Slack, Witness,
};
pub use surroundings::Surroundings;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use report::line_at;
use review::Review;

/// A longer file is not a configuration.
const LONGEST: u64 = 1024 * 1024;

impl Config {
    /// Reads a file, and the secrets that it names.
    pub fn load(path: &Path) -> Result<Self, Report> {
        let name = path.display().to_string();
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = whole.parent().unwrap_or(Path::new("/"));
        let text =
            read(path).map_err(|problem| Report::new(&name, String::new(), vec![problem]))?;
        Self::parse(&text, &name, &Surroundings::of_process(folder))
    }

    /// Reads a text; `name` is what errors call it.
    pub fn parse(text: &str, name: &str, surroundings: &Surroundings) -> Result<Self, Report> {
        let (mut root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problems = errors.iter().map(syntax_problem).collect();
            return Err(Report::new(name, mask::mask_unparsed(text), problems));
        }
        let mut findings = shape::fit(&mut root, &schema::with_notes());
        findings.problems.extend(not_yet::refuse(root.get_ref()));
        let mut review = Review::new(surroundings, findings);
        let config = meaning(root, text, &mut review);
        let Review {
            mut findings,
            mut warnings,
            ..
        } = review;
        if config.is_none() && findings.problems.is_empty() {
            findings
                .problems
                .push(Problem::of_file("this file could not be understood"));
        }
        match config {
            Some(mut config) if findings.problems.is_empty() => {
                warnings.sort_by_key(|(place, _)| place.start);
                let sentences = warnings.into_iter().map(|(place, sentence)| {
                    format!("{name}:{}: {sentence}", line_at(text, place.start))
                });
                config.warnings = sentences.collect();
                Ok(config)
            }
            Some(_) | None => {
                let masked = mask::mask(text, &findings.hidden);
                Err(Report::new(name, masked, findings.problems))
            }
        }
    }
}

fn meaning(root: Spanned<DeTable<'_>>, text: &str, review: &mut Review<'_>) -> Option<Config> {
    match raw::File::deserialize(Deserializer::from(root)) {
        Ok(file) => valid::config(&file, text, review),
        Err(error) => {
            review.refuse(syntax_problem(&error));
            None
        }
    }
}

fn syntax_problem(error: &toml::de::Error) -> Problem {
    match error.span() {
        Some(place) => Problem::new(&place, error.message()),
        None => Problem::of_file(error.message()),
    }
}

fn read(path: &Path) -> Result<String, Problem> {
    let unreadable = |error: io::Error| {
        Problem::of_file(format!("this file cannot be read: {error}"))
            .help("`bot.toml.example` is a whole configuration to start from")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(Problem::of_file(
            "this file is too long for a configuration",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..good).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        Problem::of_file(format!("line {line} is not text in UTF-8"))
    })
}

#[cfg(test)]
mod tests;
