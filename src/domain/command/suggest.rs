//! The command or option that a misspelt one was meant to be. Stays silent when in doubt: other bots
//! read the same comments, and paths begin with a slash too.

use strsim::damerau_levenshtein;

use super::grammar::{RULES, Rule};

/// Words of their own that happen to be close to one of ours.
const OTHERS: &[&str] = &[
    "channel", "helm", "line", "lint", "retest", "retro", "revert", "rollbar", "unblock", "unlink",
];

/// Words shorter than this are too close to too many others.
const SHORTEST: usize = 4;

/// Longer words, in bytes, are no typo.
const LONGEST: usize = 20;

/// The command that was meant by a word behind a slash.
pub(super) fn command(word: &str) -> Option<&'static Rule> {
    if word.len() > LONGEST || word.contains('/') {
        return None;
    }
    let word = word.to_ascii_lowercase();
    if OTHERS.contains(&word.as_str()) {
        return None;
    }
    meant(&word)
}

fn meant(word: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .filter(|rule| is_meant(word, rule.name))
        .min_by_key(|rule| damerau_levenshtein(word, rule.name))
}

fn is_meant(word: &str, name: &str) -> bool {
    let length = word.chars().count();
    if length < SHORTEST || name.len() < SHORTEST || is_form_of(word, name) {
        return false;
    }
    let distance = damerau_levenshtein(word, name);
    let begins_alike = word.get(..1) == name.get(..1);
    // A first letter that was forgotten, or typed second, is a slip too.
    let began_late = word.get(..1) == name.get(1..2);
    match distance {
        0 | 1 => begins_alike || began_late,
        2 => begins_alike && length > 5,
        _ => false,
    }
}

/// `/approved` and `/deployer` are words of their own: who writes them reports or names something.
fn is_form_of(word: &str, name: &str) -> bool {
    word.strip_prefix(name)
        .is_some_and(|ending| ending == "d" || ending.len() > 1)
}

/// The option of a command that was meant by a word.
pub(super) fn option(rule: &Rule, word: &str) -> Option<String> {
    let word = word.trim_start_matches('-').to_ascii_lowercase();
    let parts = (rule.parts)();
    parts
        .iter()
        .filter_map(clap::Arg::get_long)
        .map(|name| (damerau_levenshtein(&word, name), name))
        .filter(|(distance, name)| {
            let is_beginning = word.len() > 1 && name.starts_with(&word);
            is_beginning || *distance <= 1.max(name.len() / 3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_recognised() {
        for (word, expect) in [
            ("deplyo", "deploy"),
            ("delpoy", "deploy"),
            ("dploy", "deploy"),
            ("eploy", "deploy"),
            ("edploy", "deploy"),
            ("deploy:", "deploy"),
            ("deploys", "deploy"),
            ("DEPLOI", "deploy"),
            ("aprove", "approve"),
            ("apprvoe", "approve"),
            ("approval", "approve"),
            ("aproove", "approve"),
            ("recject", "reject"),
            ("cancle", "cancel"),
            ("rolback", "rollback"),
            ("roll-back", "rollback"),
            ("rertry", "retry"),
            ("lcok", "lock"),
            ("unlok", "unlock"),
            ("stauts", "status"),
            ("stats", "status"),
            ("audti", "audit"),
            ("hlep", "help"),
        ] {
            assert_eq!(command(word).unwrap().name, expect, "{word}");
        }
    }

    #[test]
    fn other_words_are_passed_over_in_silence() {
        for word in [
            "lgtm",
            "retest",
            "test",
            "assign",
            "unassign",
            "merge",
            "rebase",
            "hold",
            "unhold",
            "close",
            "reopen",
            "label",
            "milestone",
            "cc",
            "uncc",
            "kind",
            "area",
            "ok-to-test",
            "cherry-pick",
            "override",
            "skip",
            "retitle",
            "draft",
            "ready",
            "wip",
            "todo",
            "done",
            "due",
            "spend",
            "estimate",
            "subscribe",
            "title",
            "unapprove",
            "rerun",
            "recheck",
            "rebuild",
            "redeploy",
            "destroy",
            "plan",
            "apply",
            "run",
            "ping",
            "react",
            "block",
            "usr",
            "etc",
            "home",
            "tmp",
            "opt",
            "etc/hosts",
            "deploy/prod",
            "helpless",
            "approved",
            "deployed",
            "rejected",
            "locked",
            "linked",
            "unlocked",
            "canceled",
            "cancelled",
            "deployer",
            "deployment",
            "helper",
            "approvers",
            "state",
            "list",
            "like",
            "hello",
            "whom",
            "whoami",
            "deploy-prod",
            "",
            "/",
            "//",
            "ééééé",
            "🚀🚀🚀🚀",
        ] {
            let found = command(word).map(|rule| rule.name);
            assert_eq!(found, None, "{word}");
        }
        let endless = "deploy".repeat(1_000);
        assert!(command(&endless).is_none());
    }

    #[test]
    fn every_word_on_the_list_is_needed_there() {
        for word in OTHERS {
            assert!(command(word).is_none(), "{word}");
            assert!(meant(word).is_some(), "{word} is far from ours anyway");
        }
    }
}
