//! The canonical spelling of a command: the one that is shown in answers and kept in the ledger. Parsing
//! it gives the same command.

use std::fmt;

use super::words::quoted;
use super::{
    Approve, Audit, Cancel, Command, Deploy, Help, Link, Lock, Reject, Retry, Rollback, Status,
    Unlock, Who, Why,
};

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spelt(self).0)
    }
}

fn spelt(command: &Command) -> Line {
    let line = Line(format!("/{}", command.name()));
    match command {
        Command::Deploy(Deploy {
            environment,
            target,
            service,
            reason,
            at,
            dry_run,
        }) => line
            .word(Some(environment))
            .word(target.as_ref())
            .option("service", service.as_ref())
            .option("reason", reason.as_ref())
            .option("at", at.as_ref())
            .dry_run(*dry_run),
        Command::Approve(Approve { request, service }) => {
            line.request(*request).option("service", service.as_ref())
        }
        Command::Reject(Reject { request, reason })
        | Command::Cancel(Cancel { request, reason }) => {
            line.request(*request).option("reason", reason.as_ref())
        }
        Command::Rollback(Rollback {
            environment,
            target,
            service,
            reason,
            dry_run,
        }) => line
            .word(Some(environment))
            .word(target.as_ref())
            .option("service", service.as_ref())
            .option("reason", reason.as_ref())
            .dry_run(*dry_run),
        Command::Retry(Retry { request, dry_run }) => line.request(*request).dry_run(*dry_run),
        Command::Lock(Lock {
            environment,
            service,
            lasts,
            reason,
        }) => line
            .word(Some(environment))
            .option("service", service.as_ref())
            .option("for", lasts.map(|span| span.to_string().replace(' ', "")))
            .option("reason", Some(reason)),
        Command::Unlock(Unlock {
            environment,
            service,
        })
        | Command::Who(Who {
            environment,
            service,
        }) => line
            .word(Some(environment))
            .option("service", service.as_ref()),
        Command::Status(Status {
            environment,
            service,
        }) => line
            .word(environment.as_ref())
            .option("service", service.as_ref()),
        Command::Why(Why {
            environment,
            target,
            service,
        }) => line
            .word(Some(environment))
            .word(target.as_ref())
            .option("service", service.as_ref()),
        Command::Audit(Audit { filters }) => filters
            .iter()
            // The parser drops the first word if it is this one.
            .fold(
                line.word(filters.first().filter(|first| *first == "--")),
                |line, filter| line.word(Some(filter)),
            ),
        Command::Link(Link { code }) => line.word(code.as_ref()),
        Command::Unlink => line,
        Command::Help(Help { command }) => line.word(command.as_ref()),
    }
}

/// A command that is being written.
struct Line(String);

impl Line {
    fn word(mut self, word: Option<impl fmt::Display>) -> Self {
        if let Some(word) = word {
            self.0.push(' ');
            self.0.push_str(&quoted(&word.to_string()));
        }
        self
    }

    fn request(self, request: Option<u64>) -> Self {
        self.word(request.map(|number| format!("#{number}")))
    }

    fn option(mut self, name: &str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            let value = value.to_string();
            // Behind a space, a text that begins with a dash would be taken for an option.
            let begins_plainly = value.starts_with(|c: char| c.is_ascii_alphanumeric());
            let gap = if begins_plainly { ' ' } else { '=' };
            self.0
                .push_str(&format!(" --{name}{gap}{}", quoted(&value)));
        }
        self
    }

    fn dry_run(mut self, wanted: bool) -> Self {
        if wanted {
            self.0.push_str(" --dry-run");
        }
        self
    }
}
