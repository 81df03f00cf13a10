//! The parts that commands are made of: how each is declared to the parser, and how what was given is
//! read. The parser only sorts words; every value is checked here, so that the sentences are ours.

use clap::{Arg, ArgAction, ArgMatches};

use super::mistake::Problem;
use super::words::shown;
use super::{Reason, Target, target};
use crate::domain::TimeSpan;

const ENVIRONMENT: &str = "environment";
const TARGET: &str = "target";
const REQUEST: &str = "request";
const SERVICE: &str = "service";
const REASON: &str = "reason";
const AT: &str = "at";
const LASTS: &str = "for";
const DRY_RUN: &str = "dry-run";
const COMMAND: &str = "command";
const FILTERS: &str = "filters";
const CODE: &str = "code";

/// How many characters a name may have, before it is looked up.
const LONGEST_NAME: usize = 100;

pub(super) fn environment() -> Arg {
    any_environment().required(true)
}

pub(super) fn any_environment() -> Arg {
    Arg::new(ENVIRONMENT)
        .value_name("ENV")
        .help("an environment: its name or an alias")
}

pub(super) fn target() -> Arg {
    Arg::new(TARGET)
        .value_name("SHA|PR")
        .help("a commit, at least 7 digits of its id, or a pull request such as `#12`")
}

pub(super) fn commit() -> Arg {
    Arg::new(TARGET)
        .value_name("SHA")
        .help("a commit, at least 7 digits of its id")
}

pub(super) fn request() -> Arg {
    Arg::new(REQUEST)
        .value_name("#N")
        .help("the number of a request, if there are several")
}

pub(super) fn service() -> Arg {
    Arg::new(SERVICE)
        .long(SERVICE)
        .value_name("S")
        .help("the service, if there are several")
}

pub(super) fn reason() -> Arg {
    Arg::new(REASON)
        .long(REASON)
        .value_name("\"...\"")
        .help("why; kept with the decision")
}

pub(super) fn at() -> Arg {
    Arg::new(AT)
        .long(AT)
        .value_name("14:30")
        .help("wait until this time of day; not available yet")
}

pub(super) fn lasts() -> Arg {
    Arg::new(LASTS)
        .long(LASTS)
        .value_name("2h")
        .help("how long, such as `30m`, `2h` or `1d`; without it, until `/unlock`")
}

pub(super) fn dry_run() -> Arg {
    Arg::new(DRY_RUN)
        .long(DRY_RUN)
        .action(ArgAction::SetTrue)
        .help("only say what would happen")
}

pub(super) fn command() -> Arg {
    Arg::new(COMMAND)
        .value_name("COMMAND")
        .help("the command to explain")
}

pub(super) fn code() -> Arg {
    Arg::new(CODE)
        .value_name("CODE")
        .help("the code that a chat gave you, in a comment; in the chat itself none")
}

pub(super) fn filters() -> Arg {
    Arg::new(FILTERS)
        .value_name("FILTERS...")
        .num_args(0..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .help("`service=`, `environment=`, `person=`, `action=`, `outcome=`, `sha=`, `request=`, `since=`, `until=`, `#42`, and words of the reasons")
}

/// What a missing part is called.
pub(super) fn called(part: &Arg) -> &'static str {
    match part.get_id().as_str() {
        ENVIRONMENT => "an environment",
        REASON => "a reason",
        _ => "something more",
    }
}

/// The words of a command, sorted into its parts.
pub(super) struct Given<'a>(pub(super) &'a ArgMatches);

impl Given<'_> {
    pub(super) fn environment(&self) -> Result<String, Problem> {
        self.any_environment()?
            .ok_or_else(|| Problem::new("an environment is missing"))
    }

    pub(super) fn any_environment(&self) -> Result<Option<String>, Problem> {
        self.name(ENVIRONMENT, "an environment")
    }

    pub(super) fn target(&self) -> Result<Option<Target>, Problem> {
        let read = |text: &str| text.parse().map_err(|no| Problem::stray(text, &no));
        self.text(TARGET).map(read).transpose()
    }

    pub(super) fn commit(&self) -> Result<Option<Target>, Problem> {
        match self.target()? {
            Some(number @ Target::PullRequest(_)) => Err(Problem::new(format!(
                "{} is a pull request; a rollback goes to a commit, so write at least 7 digits of its id",
                shown(&number.to_string())
            ))),
            target => Ok(target),
        }
    }

    pub(super) fn request(&self) -> Result<Option<u64>, Problem> {
        let read = |text: &str| {
            target::number(text.strip_prefix('#').unwrap_or(text)).ok_or_else(|| {
                let says = format!(
                    "{} is not the number of a request; write it like `#42`",
                    shown(text)
                );
                Problem::stray(text, &says)
            })
        };
        self.text(REQUEST).map(read).transpose()
    }

    pub(super) fn service(&self) -> Result<Option<String>, Problem> {
        self.name(SERVICE, "a service")
    }

    pub(super) fn any_reason(&self) -> Result<Option<Reason>, Problem> {
        let read = |text: &str| text.parse().map_err(Problem::new);
        self.text(REASON).map(read).transpose()
    }

    pub(super) fn reason(&self) -> Result<Reason, Problem> {
        self.any_reason()?
            .ok_or_else(|| Problem::new("a reason is missing"))
    }

    pub(super) fn at(&self) -> Result<Option<String>, Problem> {
        let read = |text: &str| {
            if is_time_of_day(text) {
                return Ok(text.to_owned());
            }
            Err(Problem::new(format!(
                "{} is not a time of day; write it like `09:05` or `14:30`",
                shown(text)
            )))
        };
        self.text(AT).map(read).transpose()
    }

    pub(super) fn lasts(&self) -> Result<Option<TimeSpan>, Problem> {
        let read = |text: &str| {
            text.parse()
                .map_err(|no| Problem::new(format!("{}: {no}", shown(&format!("--for {text}")))))
        };
        self.text(LASTS).map(read).transpose()
    }

    pub(super) fn dry_run(&self) -> bool {
        let flag = self.0.try_get_one::<bool>(DRY_RUN);
        flag.ok().flatten().copied().unwrap_or(false)
    }

    pub(super) fn command(&self) -> Result<Option<String>, Problem> {
        let plain = |name: String| name.trim_start_matches('/').to_ascii_lowercase();
        let name = self.name(COMMAND, "a command")?.map(plain);
        Ok(name.filter(|name| !name.is_empty()))
    }

    /// A code as people copy it.
    pub(super) fn code(&self) -> Option<String> {
        self.text(CODE).map(|code| {
            let kept = code.chars().filter(char::is_ascii_alphanumeric);
            kept.take(LONGEST_NAME)
                .collect::<String>()
                .to_ascii_uppercase()
        })
    }

    pub(super) fn filters(&self) -> Vec<String> {
        let words = self.0.try_get_many::<String>(FILTERS);
        let words = words.ok().flatten().into_iter().flatten();
        words.cloned().collect()
    }

    fn text(&self, part: &str) -> Option<&str> {
        let text = self.0.try_get_one::<String>(part);
        text.ok().flatten().map(String::as_str)
    }

    /// Anything that could be a name or an alias, or a misspelt one.
    fn name(&self, part: &str, called: &str) -> Result<Option<String>, Problem> {
        let Some(text) = self.text(part) else {
            return Ok(None);
        };
        if text.trim().is_empty() {
            return Err(Problem::new(format!("the name of {called} is empty")));
        }
        let is_too_long = text.chars().nth(LONGEST_NAME).is_some();
        if is_too_long || text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(Problem::new(format!(
                "{} cannot be the name of {called}",
                shown(text)
            )));
        }
        Ok(Some(text.to_owned()))
    }
}

/// Two digits, a colon, two digits, of a day with 24 hours.
fn is_time_of_day(text: &str) -> bool {
    let two = |digits: &str, below: u8| {
        let is_pair = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_pair && digits.parse().is_ok_and(|number: u8| number < below)
    };
    text.split_once(':')
        .is_some_and(|(hours, minutes)| two(hours, 24) && two(minutes, 60))
}
