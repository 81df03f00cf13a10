//! Filters: what people look for in the audit log: the same filters in a command, on the command line and in the
//! interface for programs. Refuses keys and values that nothing could match, and names the one that was probably meant.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use strsim::damerau_levenshtein;

use countersign_ledger::{Action, Ending, WORD_LENGTHS, words_of};

use super::{EnvironmentName, ServiceName, TimeSpan};

/// The digits of a commit's id that are enough to look for, and those of the longest id.
const SHA_LENGTHS: std::ops::RangeInclusive<usize> = 4..=64;

/// How many characters a text may have.
const LONGEST_TEXT: usize = 200;

/// How many characters of what was written are repeated.
const LONGEST_SHOWN: usize = 40;

/// What an entry must be like. A part that is not given lets every entry through.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    pub service: Option<String>,
    pub environment: Option<String>,
    /// As it was written: a login, `github:7`, or `operator`.
    pub person: Option<String>,
    pub action: Option<Action>,
    pub outcome: Option<Ending>,
    /// How the commit's id begins, in lower case.
    pub sha: Option<String>,
    pub request: Option<u64>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Words of the reasons; the last one may be the beginning of a word.
    pub text: Option<String>,
}

/// An entry as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub seq: i64,
    pub at: Timestamp,
    pub action: Action,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// Who did it, as they were called.
    pub who: String,
    pub sha: Option<String>,
    pub request: Option<u64>,
    /// In one line.
    pub why: String,
}

/// What can be looked for, with the other name under which people try it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Service,
    Environment,
    Person,
    Action,
    Outcome,
    Sha,
    Request,
    Since,
    Until,
    Text,
}

impl Key {
    const ALL: [Self; 10] = [
        Self::Service,
        Self::Environment,
        Self::Person,
        Self::Action,
        Self::Outcome,
        Self::Sha,
        Self::Request,
        Self::Since,
        Self::Until,
        Self::Text,
    ];

    /// The name, and another one.
    fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Service => ("service", None),
            Self::Environment => ("environment", Some("env")),
            Self::Person => ("person", Some("who")),
            Self::Action => ("action", None),
            Self::Outcome => ("outcome", None),
            Self::Sha => ("sha", None),
            Self::Request => ("request", None),
            Self::Since => ("since", Some("from")),
            Self::Until => ("until", Some("to")),
            Self::Text => ("text", None),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let word = word.to_lowercase();
        Self::ALL.into_iter().find(|key| {
            let (name, other) = key.names();
            name == word || other == Some(word.as_str())
        })
    }
}

impl Filter {
    /// The names under which values can be set.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        Key::ALL.into_iter().map(|key| key.names().0)
    }

    /// Sets one part, or says what is wrong with it.
    pub fn set(&mut self, key: &str, value: &str, now: Timestamp) -> Result<(), String> {
        let value = value.trim();
        match Key::parse(key).ok_or_else(|| unknown_key(key))? {
            Key::Service => self.service = Some(name::<ServiceName>("service", value)?),
            Key::Environment => {
                self.environment = Some(name::<EnvironmentName>("environment", value)?);
            }
            Key::Person => self.person = Some(person(value)?),
            Key::Action => {
                let names = Action::ALL.map(Action::as_str);
                let found = Action::parse(&value.to_lowercase());
                self.action = Some(found.ok_or_else(|| unknown("action", value, &names))?);
            }
            Key::Outcome => {
                let names = Ending::ALL.map(Ending::as_str);
                let wanted = value.to_lowercase();
                let mut endings = Ending::ALL.into_iter();
                let found = endings.find(|ending| ending.as_str() == wanted);
                self.outcome = Some(found.ok_or_else(|| unknown("outcome", value, &names))?);
            }
            Key::Sha => self.sha = Some(sha(value)?),
            Key::Request => self.request = Some(request(value)?),
            Key::Since => self.since = Some(time("since", value, now)?),
            Key::Until => self.until = Some(time("until", value, now)?),
            Key::Text => self.text = Some(text(value)?),
        }
        Ok(())
    }

    /// What the words behind a command ask for: `key=value`, `key:value`, `--key value`, the number of a
    /// request such as `#42`, and words to be found in the reasons.
    pub fn parse(words: &[String], now: Timestamp) -> Result<Self, String> {
        let mut filter = Self::default();
        let mut said = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let is_option = word.starts_with("--") && word.len() > 2;
            let plain = if is_option { &word[2..] } else { word };
            if let Some((key, value)) = plain.split_once(['=', ':']) {
                filter.set(key, value, now)?;
            } else if is_option {
                let key = Key::parse(plain).ok_or_else(|| unknown_key(plain))?;
                let value = words
                    .next()
                    .ok_or_else(|| format!("`--{}` needs a value", key.names().0))?;
                filter.set(plain, value, now)?;
            } else if word.starts_with('#') {
                filter.request = Some(request(word)?);
            } else {
                said.push(word.as_str());
            }
        }
        if !said.is_empty() {
            let before = filter.text.take().into_iter();
            let all: Vec<String> = before.chain(said.iter().map(ToString::to_string)).collect();
            filter.text = Some(text(&all.join(" "))?);
        }
        Ok(filter)
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn name<N: std::str::FromStr<Err = super::Invalid> + std::fmt::Display>(
    called: &str,
    value: &str,
) -> Result<String, String> {
    let lower = value.to_lowercase();
    match lower.parse::<N>() {
        Ok(name) => Ok(name.to_string()),
        Err(invalid) => Err(format!(
            "{} cannot be the name of a{} {called}: {}",
            shown(value),
            if called.starts_with('e') { "n" } else { "" },
            invalid.problem
        )),
    }
}

fn person(value: &str) -> Result<String, String> {
    let value = value.strip_prefix('@').unwrap_or(value);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.[]".contains(c);
    let is_possible = match value.split_once(':') {
        Some(("github" | "gitlab", id)) => id.parse::<u64>().is_ok(),
        Some(("discord" | "slack", id)) => {
            let is_id = |c: char| c.is_ascii_alphanumeric() || c == '/';
            !id.is_empty() && id.len() <= 100 && id.chars().all(is_id)
        }
        Some(_) => false,
        None => !value.is_empty() && value.len() <= 100 && value.chars().all(is_name),
    };
    if is_possible {
        Ok(value.to_owned())
    } else {
        Err(format!(
            "{} is not a person; write a login, `github:` and the number of an account, or `operator`",
            shown(value)
        ))
    }
}

fn sha(value: &str) -> Result<String, String> {
    let digits = value.to_lowercase();
    let is_possible =
        SHA_LENGTHS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_possible {
        Ok(digits)
    } else {
        Err(format!(
            "{} is not the beginning of a commit's id; write at least {} of its digits",
            shown(value),
            SHA_LENGTHS.start()
        ))
    }
}

fn request(value: &str) -> Result<u64, String> {
    let digits = value.strip_prefix('#').unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // The database's numbers are smaller than ours.
    let number = digits.parse::<i64>().ok().filter(|_| is_number);
    number
        .and_then(|number| u64::try_from(number).ok())
        .filter(|&number| number > 0)
        .ok_or_else(|| {
            format!(
                "{} is not the number of a request; write it like `42` or `#42`",
                shown(value)
            )
        })
}

fn time(key: &str, value: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = value.parse::<Timestamp>() {
        return Ok(time);
    }
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
    if value.len() == 10
        && let Ok(Ok(time)) = value.parse::<Date>().map(midnight)
    {
        return Ok(time);
    }
    let age = value
        .parse::<TimeSpan>()
        .ok()
        .and_then(|age| now.checked_sub(age.as_duration()).ok());
    age.ok_or_else(|| {
        format!(
            "{} is not a time for `{key}`; write a date such as `2026-01-31`, a time such as `2026-01-31T14:30:00Z`, or an age such as `7d`",
            shown(value)
        )
    })
}

fn text(value: &str) -> Result<String, String> {
    if value.chars().count() > LONGEST_TEXT {
        return Err(format!(
            "a text to look for has at most {LONGEST_TEXT} characters"
        ));
    }
    if words_of(value).next().is_none() {
        return Err(format!(
            "{} holds no word to look for; words have {} to {} letters and digits",
            shown(value),
            WORD_LENGTHS.start(),
            WORD_LENGTHS.end()
        ));
    }
    Ok(value.to_owned())
}

fn unknown_key(key: &str) -> String {
    let named: Vec<&str> = Key::ALL.into_iter().map(|key| key.names().0).collect();
    let others = Key::ALL.into_iter().filter_map(|key| key.names().1);
    let known: Vec<&str> = named.iter().copied().chain(others).collect();
    not_known("nothing that can be looked for", key, &known, &named)
}

fn unknown(called: &str, value: &str, known: &[&str]) -> String {
    not_known(&format!("no {called}"), value, known, known)
}

/// Says that a word is not known, which one was probably meant, and which there are.
fn not_known(what: &str, word: &str, known: &[&str], listed: &[&str]) -> String {
    let meant = closest(word, known).map_or_else(
        || ".".to_owned(),
        |meant| format!("; did you mean `{meant}`?"),
    );
    format!(
        "{} is {what}{meant} There are: {}",
        shown(word),
        listed.join(", ")
    )
}

/// The known word that was probably meant.
fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: String = word.to_lowercase().chars().take(LONGEST_SHOWN).collect();
    known
        .iter()
        .map(|name| (damerau_levenshtein(&word, name), *name))
        .filter(|(distance, name)| {
            let is_beginning = word.len() > 2 && name.starts_with(&word);
            is_beginning || *distance <= 1.max(name.len() / 3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A word as part of a sentence: short, on one line, and unable to leave its code span.
fn shown(word: &str) -> String {
    let mut text: String = word
        .chars()
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .take(LONGEST_SHOWN)
        .collect();
    if word.chars().nth(LONGEST_SHOWN).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-05-10T12:00:00Z".parse().unwrap()
    }

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn every_part_can_be_set_under_each_of_its_names() {
        let check = |key: &str, value: &str, expect: Filter| {
            let mut filter = Filter::default();
            assert_eq!(filter.set(key, value, now()), Ok(()), "{key}={value}");
            assert_eq!(filter, expect, "{key}={value}");
        };
        let none = Filter::default;
        let owned = |text: &str| Some(text.to_owned());
        check(
            "service",
            "shop",
            Filter {
                service: owned("shop"),
                ..none()
            },
        );
        for key in ["environment", "env", "ENV"] {
            check(
                key,
                " prod ",
                Filter {
                    environment: owned("prod"),
                    ..none()
                },
            );
        }
        for (value, expect) in [
            ("ann", "ann"),
            ("@Ann-B", "Ann-B"),
            ("github:7", "github:7"),
            ("operator", "operator"),
            ("renovate[bot]", "renovate[bot]"),
        ] {
            check(
                "person",
                value,
                Filter {
                    person: owned(expect),
                    ..none()
                },
            );
            check(
                "who",
                value,
                Filter {
                    person: owned(expect),
                    ..none()
                },
            );
        }
        for action in Action::ALL {
            let expect = Filter {
                action: Some(action),
                ..none()
            };
            check("action", action.as_str(), expect);
        }
        for ending in Ending::ALL {
            let expect = Filter {
                outcome: Some(ending),
                ..none()
            };
            check("outcome", ending.as_str(), expect);
        }
        check(
            "sha",
            "ABCD",
            Filter {
                sha: owned("abcd"),
                ..none()
            },
        );
        for value in ["42", "#42"] {
            check(
                "request",
                value,
                Filter {
                    request: Some(42),
                    ..none()
                },
            );
        }
        for (value, expect) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T14:30:00+02:00", "2026-01-31T12:30:00Z"),
            ("7d", "2026-05-03T12:00:00Z"),
            ("90m", "2026-05-10T10:30:00Z"),
        ] {
            check(
                "since",
                value,
                Filter {
                    since: at(expect),
                    ..none()
                },
            );
            check(
                "from",
                value,
                Filter {
                    since: at(expect),
                    ..none()
                },
            );
            check(
                "until",
                value,
                Filter {
                    until: at(expect),
                    ..none()
                },
            );
            check(
                "to",
                value,
                Filter {
                    until: at(expect),
                    ..none()
                },
            );
        }
        check(
            "text",
            "soak time",
            Filter {
                text: owned("soak time"),
                ..none()
            },
        );
    }

    #[test]
    fn what_nothing_could_match_is_refused_with_a_way_out() {
        let check = |key: &str, value: &str, expect: &str| {
            let mut filter = Filter::default();
            let why = filter.set(key, value, now()).unwrap_err();
            assert!(why.contains(expect), "{key}={value}: {why}");
            assert_eq!(filter, Filter::default());
        };
        check(
            "servce",
            "shop",
            "`servce` is nothing that can be looked for; did you mean `service`? There are: service, environment, person",
        );
        check(
            "colour",
            "red",
            "`colour` is nothing that can be looked for. There are:",
        );
        check("", "x", "`` is nothing that can be looked for");
        check(
            "action",
            "aproved",
            "`aproved` is no action; did you mean `approved`? There are: stage.passed",
        );
        check(
            "outcome",
            "refuse",
            "did you mean `refused`? There are: allowed, refused",
        );
        check("service", "a b", "`a b` cannot be the name of a service");
        check("env", "", "`` cannot be the name of an environment");
        check("person", "a b", "`a b` is not a person");
        check("person", "bitbucket:7", "`bitbucket:7` is not a person");
        check("person", "", "`` is not a person");
        check("sha", "abc", "write at least 4 of its digits");
        check(
            "sha",
            "main",
            "`main` is not the beginning of a commit's id",
        );
        check("sha", &"a".repeat(65), "is not the beginning");
        for value in ["0", "-1", "x", "#", "9223372036854775808"] {
            check("request", value, "is not the number of a request");
        }
        for value in ["yesterday", "2026-13-01", "", "-3d", "2026"] {
            check("since", value, "is not a time for `since`");
        }
        check("text", "- a ?", "holds no word to look for");
        check("text", &"x".repeat(201), "at most 200 characters");
        check("text`\u{1b}", "x", "`text'\u{fffd}`");
    }

    #[test]
    fn words_behind_a_command_are_sorted() {
        let parse = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            Filter::parse(&words, now())
        };
        let owned = |text: &str| Some(text.to_owned());
        let expect = Filter {
            service: owned("shop"),
            environment: owned("prod"),
            person: owned("github:7"),
            request: Some(42),
            text: owned("soak time"),
            ..Filter::default()
        };
        for line in [
            "service=shop env:prod who=github:7 #42 soak time",
            "soak --service shop --env=prod time --who github:7 request:42",
            "text=soak service:shop environment=prod person:github:7 #42 time",
        ] {
            assert_eq!(parse(line), Ok(expect.clone()), "{line}");
        }
        assert_eq!(Filter::parse(&[], now()), Ok(Filter::default()));
        let since = parse("since:2026-01-31T14:30:00Z").unwrap().since;
        assert_eq!(since, at("2026-01-31T14:30:00Z"));
        for (line, expect) in [
            ("--service", "`--service` needs a value"),
            ("--servce shop", "did you mean `service`?"),
            ("github:7", "`github` is nothing that can be looked for"),
            ("#x", "is not the number of a request"),
            ("a", "holds no word to look for"),
        ] {
            let why = parse(line).unwrap_err();
            assert!(why.contains(expect), "{line}: {why}");
        }
    }
}
