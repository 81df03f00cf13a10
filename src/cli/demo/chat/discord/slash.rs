//! A line as a person fills it into Discord's form for a command: the words that stand alone in their order, and the
//! options by name.

use serde_json::{Value, json};

use crate::domain::command::definitions;

/// The command's name and its options; nothing for a command that was never registered.
pub(super) fn filled(line: &str) -> Option<(String, Vec<(String, Value)>)> {
    let mut words = words(line.strip_prefix('/')?).into_iter();
    let name = words.next()?;
    let definition = definitions().into_iter().find(|one| one.name == name)?;
    let alone: Vec<&str> = definition
        .parts
        .iter()
        .filter(|part| !part.is_option())
        .map(|part| part.name.as_str())
        .collect();
    let mut options: Vec<(String, Value)> = Vec::new();
    let mut taken = 0;
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("--") {
            let (option, given) = match option.split_once('=') {
                Some((option, value)) => (option, Some(value.to_owned())),
                None => (option, None),
            };
            let is_switch = definition
                .parts
                .iter()
                .any(|part| part.name == option && part.is_switch);
            let value = if is_switch {
                json!(true)
            } else {
                json!(given.or_else(|| words.next()).unwrap_or_default())
            };
            options.push((option.to_owned(), value));
            continue;
        }
        match (alone.get(taken), alone.last()) {
            (Some(part), _) => {
                options.push(((*part).to_owned(), json!(word)));
                taken += 1;
            }
            // More words than parts belong to the last part.
            (None, Some(last)) => {
                if let Some((_, value)) = options.iter_mut().find(|(name, _)| name == last) {
                    *value = json!(format!("{} {word}", value.as_str().unwrap_or_default()));
                }
            }
            (None, None) => {}
        }
    }
    Some((name, options))
}

/// Words, of which those in double quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let (mut is_quoted, mut is_begun) = (false, false);
    for c in line.chars() {
        if c == '"' {
            is_quoted = !is_quoted;
            is_begun = true;
        } else if c.is_whitespace() && !is_quoted {
            if is_begun {
                words.push(std::mem::take(&mut word));
            }
            is_begun = false;
        } else {
            word.push(c);
            is_begun = true;
        }
    }
    if is_begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_forms() {
        for (line, expect) in [
            ("/deploy prod", vec![("environment", json!("prod"))]),
            (
                "/deploy prod #4 --dry-run --reason \"it is late\"",
                vec![
                    ("environment", json!("prod")),
                    ("target", json!("#4")),
                    ("dry-run", json!(true)),
                    ("reason", json!("it is late")),
                ],
            ),
            (
                "/lock prod --for=2h --reason=\"no no\"",
                vec![
                    ("environment", json!("prod")),
                    ("for", json!("2h")),
                    ("reason", json!("no no")),
                ],
            ),
            ("/help", vec![]),
            (
                "/audit service=shop late",
                vec![("filters", json!("service=shop late"))],
            ),
        ] {
            let (name, options) = filled(line).unwrap();
            assert!(line[1..].starts_with(&name));
            let options: Vec<(&str, Value)> = options
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            assert_eq!(options, expect, "{line}");
        }
        assert_eq!(filled("/tea"), None);
        assert_eq!(filled("/"), None);
    }
}
