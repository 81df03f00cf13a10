//! Commands in what people write. A command is the first word of a line, outside code fences, quotes and the hidden
//! comments of Markdown.

use super::{Command, Found, Misunderstood};

/// How many commands of one text are looked at.
const MOST: usize = 5;

/// How many characters of a line are kept.
const LONGEST: usize = 300;

pub(super) fn all_in(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut state = State::Open;
    for line in text.lines() {
        if !state.shows(line) {
            continue;
        }
        let Some(command) = Command::parse(line) else {
            continue;
        };
        let is_one_too_many = found.len() == MOST;
        found.push(Found {
            line: kept(line),
            command: if is_one_too_many {
                Err(Misunderstood::too_many_commands())
            } else {
                command
            },
        });
        if is_one_too_many {
            break;
        }
    }
    found
}

fn kept(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(LONGEST) {
        None => line.to_owned(),
        Some(_) => line.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

/// Where in a text we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Fenced(Fence),
    /// Behind `<!--`.
    Hidden,
}

impl State {
    /// Whether a line is there to be read, and what it changes for the next.
    fn shows(&mut self, line: &str) -> bool {
        match *self {
            Self::Open => self.opens(line),
            Self::Fenced(opened) => {
                let fence = Fence::at_start_of(line);
                if fence.is_some_and(|(fence, rest)| opened.is_closed_by(fence, rest)) {
                    *self = Self::Open;
                }
                false
            }
            Self::Hidden => {
                if line.contains("-->") {
                    *self = Self::Open;
                }
                false
            }
        }
    }

    fn opens(&mut self, line: &str) -> bool {
        if is_code_block(line) {
            return false;
        }
        if let Some((fence, _)) = Fence::at_start_of(line) {
            *self = Self::Fenced(fence);
            return false;
        }
        if line.trim_start().starts_with("<!--") && !line.contains("-->") {
            *self = Self::Hidden;
            return false;
        }
        true
    }
}

/// A fence that is open: what it is made of, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    /// The fence that a line begins with, and what stands behind it.
    fn at_start_of(line: &str) -> Option<(Self, &str)> {
        if is_code_block(line) {
            return None;
        }
        let line = line.trim_start();
        let mark = line
            .chars()
            .next()
            .filter(|mark| ['`', '~'].contains(mark))?;
        let rest = line.trim_start_matches(mark);
        let length = line.len() - rest.len();
        // A line such as ```code``` is not a fence.
        let is_inline = mark == '`' && rest.contains('`');
        (length >= 3 && !is_inline).then_some((Self { mark, length }, rest))
    }

    fn is_closed_by(self, other: Self, rest: &str) -> bool {
        other.mark == self.mark && other.length >= self.length && rest.trim().is_empty()
    }
}

/// Four spaces or a tab make a line code.
fn is_code_block(line: &str) -> bool {
    line.starts_with("    ") || line.starts_with('\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_first_words_outside_quotes_and_fences() {
        for (text, expect) in [
            ("/help", 1),
            ("  /help me\n/help", 2),
            ("please /help", 0),
            ("> /help", 0),
            ("```\n/help\n```", 0),
            ("```\n~~~\n/help\n```\n/help", 1),
            ("````\n```\n/help\n````", 0),
            ("```\n```rust\n/help\n```", 0),
            ("```rust\n/help\n```\n/help", 1),
            ("```one line``` of code\n/help", 1),
            ("~~~\n/help\n~~~~\n/help", 1),
            ("```\n/help", 0),
            ("    /help", 0),
            ("\t/help", 0),
            ("   /help", 1),
            ("/helpless", 0),
            ("/lgtm", 0),
            ("", 0),
            ("- /help", 0),
            ("`/help`", 0),
            ("thanks!\r\n/help\r\n/status", 2),
            ("\u{200b}/help", 1),
            ("<!--\n/help\n-->\n/status", 1),
            ("<!-- a template -->\n/help", 1),
            ("<!--\n```\n-->\n/help", 1),
            ("```\n<!--\n```\n/help", 1),
            ("    <!--\n/help", 1),
        ] {
            assert_eq!(Command::all_in(text).len(), expect, "{text:?}");
        }
    }

    #[test]
    fn five_commands_are_looked_at_and_one_remark_is_made() {
        let found = Command::all_in(&"/status\n/lgtm\n".repeat(9));
        assert_eq!(found.len(), 6);
        assert!(found.iter().take(5).all(|one| one.command.is_ok()));
        let remark = found[5].command.clone().unwrap_err();
        assert_eq!(
            remark.says,
            "only the first five commands of a text are looked at; write the others in another one"
        );
        assert_eq!(Command::all_in(&"/status\n".repeat(5)).len(), 5);
    }

    #[test]
    fn the_line_is_kept_as_it_was_written() {
        let found = Command::all_in("  /deploy  prod\u{a0}—dry-run \n");
        assert_eq!(found[0].line, "/deploy  prod\u{a0}—dry-run");
        let long = format!("/status {}", "é".repeat(500));
        let line = &Command::all_in(&long)[0].line;
        assert_eq!(line.chars().count(), 300);
        assert!(line.ends_with("é…"));
    }
}
