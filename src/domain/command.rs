//! Finds commands in what people write. A command is the first word of a line, outside code fences
//! and quotes; words that belong to other bots are passed over in silence.

/// Something a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
}

impl Command {
    /// The commands in a text, in their order.
    pub fn all_in(text: &str) -> Vec<Self> {
        let mut commands = Vec::new();
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            let line = line.trim();
            if let Some(mark) = fence_mark(line) {
                fence = match fence {
                    None => Some(mark),
                    Some(open) if open == mark => None,
                    Some(open) => Some(open),
                };
                continue;
            }
            if fence.is_none()
                && let Some(command) = Self::parse(line)
            {
                commands.push(command);
            }
        }
        commands
    }

    fn parse(line: &str) -> Option<Self> {
        match line.split_whitespace().next()? {
            "/help" => Some(Self::Help),
            _ => None,
        }
    }
}

fn fence_mark(line: &str) -> Option<&'static str> {
    ["```", "~~~"]
        .into_iter()
        .find(|mark| line.starts_with(mark))
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
            ("/helpless", 0),
            ("/lgtm", 0),
            ("", 0),
        ] {
            assert_eq!(Command::all_in(text).len(), expect, "{text:?}");
        }
    }
}
