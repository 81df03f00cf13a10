//! Mistakes: why a line was not understood. Each sentence says what is wrong and the way out; the parser's own words
//! are never shown.

use std::fmt;

use clap::Arg;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::grammar::Rule;
use super::words::{quoted, shown};
use super::{help, part, suggest};

/// A line that is addressed to us and asks for nothing that we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misunderstood {
    /// What is wrong, and the way out.
    pub says: String,
    /// How the command is written, with everything that it can have.
    pub usage: String,
}

impl Misunderstood {
    pub(super) fn misspelt(word: &str, meant: &Rule) -> Self {
        let word = shown(&format!("/{word}"));
        Self {
            says: format!("{word} is not a command; did you mean `/{}`?", meant.name),
            usage: help::usage(meant),
        }
    }

    pub(super) fn open_quote(rule: &Rule) -> Self {
        Self {
            says: "a quotation mark is opened and never closed; put texts in double quotes, such as `--reason \"it's fixed\"`".to_owned(),
            usage: help::usage(rule),
        }
    }

    pub(super) fn too_many_commands() -> Self {
        Self {
            says: "only the first five commands of a text are looked at; write the others in another one".to_owned(),
            usage: "/help".to_owned(),
        }
    }
}

/// What is wrong with the words of a command.
pub(super) struct Problem {
    says: String,
    /// The word that stands where it means nothing.
    stray: Option<String>,
}

impl Problem {
    pub(super) fn new(says: impl fmt::Display) -> Self {
        Self {
            says: says.to_string(),
            stray: None,
        }
    }

    pub(super) fn stray(word: &str, says: &dyn fmt::Display) -> Self {
        Self {
            says: says.to_string(),
            stray: Some(word.to_owned()),
        }
    }

    /// In our words what the parser found.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's list of errors is open, and most cannot happen here"
    )]
    pub(super) fn of_parser(rule: &Rule, error: &clap::Error, words: &[String]) -> Self {
        let name = rule.name;
        let invalid = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(invalid)) => invalid.as_str(),
            _ => "",
        };
        match error.kind() {
            ErrorKind::MissingRequiredArgument => Self::new(missing(rule, error)),
            ErrorKind::UnknownArgument if invalid.starts_with('-') => {
                Self::new(unknown_option(rule, invalid, words))
            }
            ErrorKind::UnknownArgument => {
                let says = format!("{} is one word too many for `/{name}`", shown(invalid));
                Self::stray(invalid, &says)
            }
            ErrorKind::InvalidValue => Self::new(without_value(rule, invalid)),
            ErrorKind::TooManyValues => Self::new(format!("`{invalid}` takes no value")),
            ErrorKind::ArgumentConflict => {
                let option = invalid.split(' ').next().unwrap_or(invalid);
                Self::new(format!("`{option}` is written twice"))
            }
            _ => Self::new(format!("`/{name}` cannot be written like this")),
        }
    }

    /// With the usage of the command; and if a text without quotes is behind it all, that is said
    /// instead.
    pub(super) fn explained(self, rule: &Rule, words: &[String]) -> Misunderstood {
        let says = match self
            .stray
            .and_then(|stray| text_without_quotes(&stray, words))
        {
            Some(text) => format!("a reason of several words needs quotes: `--reason {text}`"),
            None => self.says,
        };
        Misunderstood {
            says,
            usage: help::usage(rule),
        }
    }
}

fn missing(rule: &Rule, error: &clap::Error) -> String {
    let names = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.as_slice(),
        _ => &[],
    };
    let parts = (rule.parts)();
    let called: Vec<_> = parts
        .iter()
        .filter(|part| names.iter().any(|name| is_named(part, name)))
        .map(part::called)
        .collect();
    let (name, needs, shortest) = (rule.name, called.join(" and "), help::short_usage(rule));
    format!("`/{name}` needs {needs}: `{shortest}`")
}

fn unknown_option(rule: &Rule, invalid: &str, words: &[String]) -> String {
    // The parser takes `-service` for several options of one letter each.
    let word = words.iter().find(|word| word.starts_with(invalid));
    let word = word.map_or(invalid, String::as_str);
    let word = word.split('=').next().unwrap_or(word);
    let says = format!("{} is not an option of `/{}`", shown(word), rule.name);
    match suggest::option(rule, word) {
        Some(meant) => format!("{says}; did you mean `--{meant}`?"),
        None => format!("{says}; `/help {}` shows those it has", rule.name),
    }
}

fn without_value(rule: &Rule, invalid: &str) -> String {
    let parts = (rule.parts)();
    match parts.iter().find(|part| is_named(part, invalid)) {
        Some(part) => {
            let written = help::written(part);
            let option = written.split(' ').next().unwrap_or(&written);
            format!("`{option}` needs a value, such as `{written}`")
        }
        None => format!("{} needs a value", shown(invalid)),
    }
}

/// Whether the parser's name for a part, such as `<ENV>` or `--reason <"...">`, is this one. (To ask the
/// part itself would panic, because it is not built into a parser.)
fn is_named(part: &Arg, name: &str) -> bool {
    let first = name.split(' ').next().unwrap_or(name);
    match part.get_long() {
        Some(option) => first.strip_prefix("--") == Some(option),
        None => name == format!("<{}>", help::written(part)),
    }
}

/// The quoted text that was meant, if a stray word stands in a row of words behind `--reason`.
fn text_without_quotes(stray: &str, words: &[String]) -> Option<String> {
    let start = words.iter().position(|word| word == "--reason")? + 1;
    let text: Vec<&str> = words
        .iter()
        .skip(start)
        .map(String::as_str)
        .take_while(|word| !word.starts_with("--"))
        .collect();
    let has_no_quotes = text.iter().all(|word| !word.contains(' '));
    let is_astray = text.iter().skip(1).any(|&word| word == stray);
    (has_no_quotes && is_astray).then(|| {
        let text = shown(&text.join(" "));
        quoted(text.trim_matches('`'))
    })
}
