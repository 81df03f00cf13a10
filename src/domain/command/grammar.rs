//! The definition of every command: its name, what it does, its parts, and how they are read. The parser,
//! the help and the suggestions are made from this one table.

use clap::Arg;

use super::mistake::{Misunderstood, Problem};
use super::part::{self, Given};
use super::{
    Approve, Audit, Cancel, Command, Deploy, Help, Link, Lock, Reject, Retry, Rollback, Status,
    Unlock, Who, Why, quick, suggest, words,
};

/// One command.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// What it does, in one line.
    pub(super) about: &'static str,
    /// In the order in which they are explained.
    pub(super) parts: fn() -> Vec<Arg>,
    read: fn(&Given<'_>) -> Result<Command, Problem>,
}

/// Every command, in the order in which they are explained.
pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "deploy",
        about: "release a commit to an environment",
        parts: || {
            vec![
                part::environment(),
                part::target(),
                part::service(),
                part::reason(),
                part::at(),
                part::dry_run(),
            ]
        },
        read: |given| {
            Ok(Command::Deploy(Deploy {
                environment: given.environment()?,
                target: given.target()?,
                service: given.service()?,
                reason: given.any_reason()?,
                at: given.at()?,
                dry_run: given.dry_run(),
            }))
        },
    },
    Rule {
        name: "approve",
        about: "say yes to a request",
        parts: || vec![part::request(), part::service()],
        read: |given| {
            Ok(Command::Approve(Approve {
                request: given.request()?,
                service: given.service()?,
            }))
        },
    },
    Rule {
        name: "reject",
        about: "say no to a request",
        parts: || vec![part::request(), part::reason()],
        read: |given| {
            Ok(Command::Reject(Reject {
                request: given.request()?,
                reason: given.any_reason()?,
            }))
        },
    },
    Rule {
        name: "cancel",
        about: "take a request back",
        parts: || vec![part::request(), part::reason()],
        read: |given| {
            Ok(Command::Cancel(Cancel {
                request: given.request()?,
                reason: given.any_reason()?,
            }))
        },
    },
    Rule {
        name: "rollback",
        about: "return to a commit that was live before",
        parts: || {
            vec![
                part::environment(),
                part::commit(),
                part::service(),
                part::reason(),
                part::dry_run(),
            ]
        },
        read: |given| {
            Ok(Command::Rollback(Rollback {
                environment: given.environment()?,
                target: given.commit()?,
                service: given.service()?,
                reason: given.any_reason()?,
                dry_run: given.dry_run(),
            }))
        },
    },
    Rule {
        name: "retry",
        about: "try a failed release again",
        parts: || vec![part::request(), part::dry_run()],
        read: |given| {
            Ok(Command::Retry(Retry {
                request: given.request()?,
                dry_run: given.dry_run(),
            }))
        },
    },
    Rule {
        name: "lock",
        about: "stop all releases to an environment",
        parts: || {
            vec![
                part::environment(),
                part::service(),
                part::lasts(),
                part::reason().required(true),
            ]
        },
        read: |given| {
            Ok(Command::Lock(Lock {
                environment: given.environment()?,
                service: given.service()?,
                lasts: given.lasts()?,
                reason: given.reason()?,
            }))
        },
    },
    Rule {
        name: "unlock",
        about: "let releases through again",
        parts: || vec![part::environment(), part::service()],
        read: |given| {
            Ok(Command::Unlock(Unlock {
                environment: given.environment()?,
                service: given.service()?,
            }))
        },
    },
    Rule {
        name: "status",
        about: "show what is live, what is ready and what waits",
        parts: || vec![part::any_environment(), part::service()],
        read: |given| {
            Ok(Command::Status(Status {
                environment: given.any_environment()?,
                service: given.service()?,
            }))
        },
    },
    Rule {
        name: "why",
        about: "explain what a release is missing, and who can provide it",
        parts: || vec![part::environment(), part::target(), part::service()],
        read: |given| {
            Ok(Command::Why(Why {
                environment: given.environment()?,
                target: given.target()?,
                service: given.service()?,
            }))
        },
    },
    Rule {
        name: "who",
        about: "name the people who may approve",
        parts: || vec![part::environment(), part::service()],
        read: |given| {
            Ok(Command::Who(Who {
                environment: given.environment()?,
                service: given.service()?,
            }))
        },
    },
    Rule {
        name: "audit",
        about: "search the audit log for what happened to the services of this repository",
        parts: || vec![part::filters()],
        read: |given| {
            Ok(Command::Audit(Audit {
                filters: given.filters(),
            }))
        },
    },
    Rule {
        name: "link",
        about: "connect your account in a chat with the one on the forge",
        parts: || vec![part::code()],
        read: |given| Ok(Command::Link(Link { code: given.code() })),
    },
    Rule {
        name: "unlink",
        about: "end the connection between your accounts",
        parts: Vec::new,
        read: |_| Ok(Command::Unlink),
    },
    Rule {
        name: "help",
        about: "explain the commands, or one of them",
        parts: || vec![part::command()],
        read: |given| {
            Ok(Command::Help(Help {
                command: given.command()?,
            }))
        },
    },
];

/// The command of this name, however it is capitalised.
pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.name.eq_ignore_ascii_case(name))
}

pub(super) fn parse(line: &str) -> Option<Result<Command, Misunderstood>> {
    if !words::begins_with_slash(line) {
        return None;
    }
    let line = words::tidy(line);
    let behind = quick::behind_our_name(line.trim());
    let line = behind.as_deref().unwrap_or(&line).trim();
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let name = first.strip_prefix('/')?;
    match rule(name) {
        Some(rule) => Some(rule.parse(rest)),
        None => suggest::command(name).map(|meant| Err(Misunderstood::misspelt(name, meant))),
    }
}

impl Rule {
    fn parse(&self, rest: &str) -> Result<Command, Misunderstood> {
        let Some(words) = words::split(rest) else {
            return Err(Misunderstood::open_quote(self));
        };
        // People try this one first.
        if words.iter().any(|word| word == "--help" || word == "-h") {
            return Ok(Command::Help(Help {
                command: Some(self.name.to_owned()),
            }));
        }
        // The parser is made anew for each line: it takes microseconds, and nothing is shared.
        let sorted = self
            .parser()
            .try_get_matches_from(&words)
            .map_err(|error| Problem::of_parser(self, &error, &words));
        sorted
            .and_then(|sorted| (self.read)(&Given(&sorted)))
            .map_err(|problem| problem.explained(self, &words))
    }

    fn parser(&self) -> clap::Command {
        clap::Command::new(self.name)
            .no_binary_name(true)
            .disable_help_flag(true)
            .disable_version_flag(true)
            .args((self.parts)())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_sound() {
        for rule in RULES {
            rule.parser().debug_assert();
        }
    }
}
