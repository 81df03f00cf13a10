//! Answers to `/help`, and the usage lines, made from the definition of the commands, so that none can be missing.

use clap::Arg;

use super::grammar::{RULES, Rule, rule};
use super::words::shown;
use crate::domain::text::{Message, Text, code, command, strong, text, ticked};

/// All commands in a table.
pub fn help() -> Message {
    let mut message = Message::from(text![
        strong("Countersign"),
        " follows commits to production, where people release them."
    ]);
    let rows = RULES.iter().map(|rule| {
        let usage = command(short_usage(rule));
        vec![usage.into(), ticked(rule.about)]
    });
    message.table(["command", "what it does"], rows.collect());
    message.say(text![command("/help COMMAND"), " explains one of them."]);
    message
}

/// One command with all its parts; all commands if there is none of this name.
pub fn help_for(name: &str) -> Message {
    let name = name.trim_start_matches('/');
    let Some(rule) = rule(name) else {
        let unknown = ticked(&shown(&format!("/{name}")));
        let mut message = Message::from(text!["There is no command ", unknown, "."]);
        message.append(help());
        return message;
    };
    let about = text![": ", ticked(rule.about), "."];
    let mut message = Message::from(text![command(usage(rule)), about]);
    let parts = (rule.parts)();
    let rows: Vec<Vec<Text>> = parts
        .iter()
        .map(|part| {
            let about = part.get_help().map(ToString::to_string);
            let about = ticked(&about.unwrap_or_default());
            vec![code(&written(part)).into(), about]
        })
        .collect();
    if !rows.is_empty() {
        message.table(["part", "meaning"], rows);
    }
    message
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
