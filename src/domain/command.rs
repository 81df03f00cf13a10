//! Finds commands in what people write. A command is the first word of a line, outside code fences
//! and quotes; words that belong to other bots are passed over in silence.

/// Something a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
}

/// A fence that is open: what it is made of, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
}

impl Command {
    /// The commands in a text, in their order.
    pub fn all_in(text: &str) -> Vec<Self> {
        let mut commands = Vec::new();
        let mut open: Option<Fence> = None;
        for line in text.lines() {
            match (open, Fence::at_start_of(line)) {
                (None, None) => commands.extend(Self::parse(line)),
                (None, Some((fence, _))) => open = Some(fence),
                (Some(opened), Some((fence, rest))) if opened.is_closed_by(fence, rest) => {
                    open = None;
                }
                (Some(_), _) => {}
            }
        }
        commands
    }

    fn parse(line: &str) -> Option<Self> {
        if is_code_block(line) {
            return None;
        }
        match line.split_whitespace().next()? {
            "/help" => Some(Self::Help),
            _ => None,
        }
    }
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
        ] {
            assert_eq!(Command::all_in(text).len(), expect, "{text:?}");
        }
    }
}
