//! The answers to `/help`, and the usage lines: Markdown made from the definition of the commands, so that
//! none can be missing.

use std::fmt::Write as _;

use clap::Arg;

use super::grammar::{RULES, Rule, rule};
use super::words::shown;

/// All commands in a table.
pub fn help() -> String {
    let mut text = "**Countersign** follows commits to production, where people release them.\n\n\
        | command | what it does |\n|---|---|\n"
        .to_owned();
    for rule in RULES {
        row(&mut text, &short_usage(rule), rule.about);
    }
    text + "\n`/help COMMAND` explains one of them."
}

/// One command with all its parts; all commands if there is none of this name.
pub fn help_for(name: &str) -> String {
    let name = name.trim_start_matches('/');
    let Some(rule) = rule(name) else {
        let unknown = shown(&format!("/{name}"));
        return format!("There is no command {unknown}.\n\n{}", help());
    };
    let mut text = format!("`{}`: {}.\n", usage(rule), rule.about);
    let parts = (rule.parts)();
    if !parts.is_empty() {
        text.push_str("\n| part | meaning |\n|---|---|\n");
    }
    for part in parts {
        let about = part.get_help().map(ToString::to_string);
        row(&mut text, &written(&part), &about.unwrap_or_default());
    }
    text.trim_end().to_owned()
}

/// How a command is written, with everything that it can have.
pub(super) fn usage(rule: &Rule) -> String {
    line(rule, |_| true)
}

/// How a command is written, without the options that can be left out.
pub(super) fn short_usage(rule: &Rule) -> String {
    line(rule, |part| part.is_required_set() || part.is_positional())
}

/// How one part is written.
pub(super) fn written(part: &Arg) -> String {
    let values = part.get_value_names().unwrap_or_default();
    let value = values.first().map(clap::builder::Str::as_str);
    match (part.get_long(), value) {
        (Some(option), Some(value)) => format!("--{option} {value}"),
        (Some(option), None) => format!("--{option}"),
        (None, value) => value.unwrap_or_default().to_owned(),
    }
}

fn line(rule: &Rule, belongs: impl Fn(&Arg) -> bool) -> String {
    let mut line = format!("/{}", rule.name);
    for part in (rule.parts)().iter().filter(|part| belongs(part)) {
        let written = written(part);
        line.push(' ');
        if part.is_required_set() {
            line.push_str(&written);
        } else {
            line.push_str(&format!("[{written}]"));
        }
    }
    line
}

/// In a table a bar ends its cell, in code too.
fn row(text: &mut String, code: &str, about: &str) {
    let code = code.replace('|', "\\|");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| `{code}` | {about} |");
}
