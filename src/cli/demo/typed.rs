//! Lines: what the person at the terminal types. Words that mean nothing here are kept, so that they get a hint.

use super::people::{Person, Place};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Only Enter.
    Nothing,
    /// A command of the product, which is said where the person is.
    Command(String),
    As(&'static Person),
    At(Place),
    /// The words behind `audit`.
    Audit(Vec<String>),
    Verify,
    Tamper,
    Ready,
    Notice,
    Again,
    Help,
    Quit,
    /// A hint for the person who typed something else.
    Unknown(String),
}

/// Understands a line where the place of a change is called so.
pub(super) fn read(line: &str, place: &str) -> Typed {
    let line = line.trim();
    if line.starts_with('/') {
        return Typed::Command(line.to_owned());
    }
    let mut parts = line.split_whitespace();
    let Some(first) = parts.next() else {
        return Typed::Nothing;
    };
    let rest: Vec<&str> = parts.collect();
    match (first.to_ascii_lowercase().as_str(), rest.as_slice()) {
        ("as", [name]) => Person::named(&name.to_ascii_lowercase()).map_or_else(
            || {
                Typed::Unknown(format!(
                    "There is nobody called {}: say ann, quinn, eve or bob.",
                    visible(name)
                ))
            },
            Typed::As,
        ),
        ("as", _) => Typed::Unknown("Say who, for example: as eve".to_owned()),
        ("at", ["chat" | "#releases" | "discord" | "slack"]) => Typed::At(Place::Chat),
        ("at", ["pr" | "mr" | "pull" | "merge" | "github" | "gitlab"]) => Typed::At(Place::Change),
        ("at", _) => Typed::Unknown(format!("Say where: at chat, or at {place}")),
        ("audit", rest) => Typed::Audit(rest.iter().map(|word| (*word).to_owned()).collect()),
        ("verify", []) => Typed::Verify,
        ("tamper", []) => Typed::Tamper,
        ("ready", []) => Typed::Ready,
        ("notice", []) => Typed::Notice,
        ("again", []) => Typed::Again,
        ("help" | "?", _) => Typed::Help,
        ("quit" | "exit" | "q", []) => Typed::Quit,
        (word @ ("deploy" | "approve" | "rollback" | "why" | "status" | "who"), _) => {
            Typed::Unknown(format!("A command begins with a slash: /{word}"))
        }
        _ => Typed::Unknown(format!(
            "`{}` means nothing here. help shows what can be typed.",
            visible(first)
        )),
    }
}

/// A word as it may be shown.
fn visible(word: &str) -> String {
    let shown = word.chars().filter(|c| !c.is_control());
    shown.take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::super::people::EVE;
    use super::*;

    #[test]
    fn what_is_typed_is_understood() {
        for (line, expect) in [
            ("", Typed::Nothing),
            ("  ", Typed::Nothing),
            (" /deploy prod ", Typed::Command("/deploy prod".to_owned())),
            ("as eve", Typed::As(&EVE)),
            ("As Eve", Typed::As(&EVE)),
            ("at pr", Typed::At(Place::Change)),
            ("at mr", Typed::At(Place::Change)),
            ("at chat", Typed::At(Place::Chat)),
            (
                "audit --person ann",
                Typed::Audit(vec!["--person".to_owned(), "ann".to_owned()]),
            ),
            ("verify", Typed::Verify),
            ("exit", Typed::Quit),
        ] {
            assert_eq!(read(line, "pr"), expect, "{line:?}");
        }
    }

    #[test]
    fn what_means_nothing_gets_a_hint() {
        for (line, hint) in [
            ("as mallory", "nobody called mallory"),
            ("as", "as eve"),
            ("at home", "at chat, or at pr"),
            ("deploy prod", "/deploy"),
            ("make tea", "help"),
            ("\u{1b}[2J", "`[2J` means nothing"),
        ] {
            let Typed::Unknown(said) = read(line, "pr") else {
                panic!("{line:?} was understood");
            };
            assert!(said.contains(hint), "{line:?}: {said}");
        }
    }
}
