//! The commands as a chat registers and sends them: from the same rules that read a comment, so that the two
//! cannot differ.

use super::grammar::RULES;
use super::words::quoted;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub about: &'static str,
    pub parts: Vec<Part>,
}

/// A part of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    /// What stands for its value in a usage line; empty for a switch.
    pub value: String,
    pub help: String,
    pub is_required: bool,
    /// It is said or left out, and has no value.
    pub is_switch: bool,
    /// It is written as `--name value`.
    is_option: bool,
    /// It is several words.
    is_many: bool,
}

/// Every command, in the order in which they are explained.
pub fn definitions() -> Vec<Definition> {
    RULES
        .iter()
        .map(|rule| Definition {
            name: rule.name,
            about: rule.about,
            parts: (rule.parts)().iter().map(Part::of).collect(),
        })
        .collect()
}

impl Part {
    /// It is written as `--name value`, or `--name`.
    pub fn is_option(&self) -> bool {
        self.is_option
    }

    fn of(part: &clap::Arg) -> Self {
        let is_switch = matches!(part.get_action(), clap::ArgAction::SetTrue);
        let value = part.get_value_names().unwrap_or_default().first();
        Self {
            name: part.get_id().to_string(),
            value: value
                .map(ToString::to_string)
                .filter(|_| !is_switch)
                .unwrap_or_default(),
            help: part.get_help().map(ToString::to_string).unwrap_or_default(),
            is_required: part.is_required_set(),
            is_switch,
            is_option: part.get_long().is_some(),
            is_many: part
                .get_num_args()
                .is_some_and(|number| number.max_values() > 1),
        }
    }
}

/// What was filled in, as it would be written in a comment. Nothing if there is no such command.
pub fn line(name: &str, given: &[(String, String)]) -> Option<String> {
    let definition = definitions().into_iter().find(|one| one.name == name)?;
    let mut line = format!("/{name}");
    // What stands alone comes first, in its order: an option would take it for its value.
    let (options, alone): (Vec<&Part>, Vec<&Part>) =
        definition.parts.iter().partition(|part| part.is_option);
    for part in alone.into_iter().chain(options) {
        let Some((_, value)) = given.iter().find(|(name, _)| *name == part.name) else {
            continue;
        };
        // A line is one line.
        let value = value.replace(['\r', '\n'], " ");
        if part.is_switch {
            if value == "true" {
                line.push_str(&format!(" --{}", part.name));
            }
        } else if part.is_option {
            line.push_str(&format!(" --{}={}", part.name, quoted(&value)));
        } else if part.is_many {
            line.push_str(&format!(" {value}"));
        } else {
            line.push_str(&format!(" {}", quoted(&value)));
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Command;

    #[test]
    fn what_is_filled_in_reads_like_what_is_written() {
        let check = |name: &str, given: &[(&str, &str)], written: &str| {
            let given: Vec<(String, String)> = given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let line = line(name, &given).unwrap();
            assert_eq!(Command::parse(&line), Command::parse(written), "{line}");
        };
        check("deploy", &[("environment", "prod")], "/deploy prod");
        check(
            "deploy",
            &[
                ("reason", "it\"s \'fine\' --dry-run\nreally"),
                ("environment", "prod"),
                ("dry-run", "true"),
                ("target", "#12"),
                ("service", "shop"),
            ],
            "/deploy prod #12 --service shop --dry-run --reason=\"it\\\"s 'fine' --dry-run really\"",
        );
        check(
            "deploy",
            &[("environment", "prod"), ("dry-run", "false")],
            "/deploy prod",
        );
        check(
            "lock",
            &[("environment", "prod"), ("for", "2h"), ("reason", "-x")],
            "/lock prod --for 2h --reason=-x",
        );
        check(
            "audit",
            &[("filters", "service=shop #4 late")],
            "/audit service=shop #4 late",
        );
        check("help", &[("command", "deploy")], "/help deploy");
        check("approve", &[("request", "42")], "/approve 42");
        assert_eq!(line("launch", &[]), None);
    }

    #[test]
    fn required_parts_come_first() {
        for definition in definitions() {
            assert!((1..=32).contains(&definition.name.len()));
            for part in &definition.parts {
                assert!(!part.help.is_empty(), "{}", part.name);
            }
        }
    }
}
