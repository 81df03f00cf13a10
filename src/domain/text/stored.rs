//! Stored texts, read back. The first version stored its own Markdown as one string; such a text stays readable as it
//! was written.

use serde::{Deserialize, Deserializer};

use super::{Line, Message, Span, Text};
use jiff::Timestamp;

/// What may be stored where a text is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either<T> {
    Now(T),
    First(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredSpan {
    Plain(String),
    Strong(String),
    Code(String),
    Command(String),
    Person(String),
    Commit(String),
    Link { words: String, url: String },
    Time(Timestamp),
    Written(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredLine {
    Plain(Text),
    Item(usize, Text),
    Head(Vec<Text>),
    Row(Vec<Text>),
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(
            match Either::<Vec<StoredSpan>>::deserialize(deserializer)? {
                Either::Now(spans) => Self(spans.into_iter().map(Span::from).collect()),
                Either::First(written) if written.is_empty() => Self::default(),
                Either::First(written) => Span::Written(written).into(),
            },
        )
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(
            match Either::<Vec<StoredLine>>::deserialize(deserializer)? {
                Either::Now(lines) => Self::of_lines(lines.into_iter().map(Line::from).collect()),
                Either::First(written) => {
                    let lines = written.lines().map(|line| {
                        Line::Plain(match line {
                            "" => Text::default(),
                            line => Span::Written(line.to_owned()).into(),
                        })
                    });
                    Self::of_lines(lines.collect())
                }
            },
        )
    }
}

impl From<StoredSpan> for Span {
    fn from(stored: StoredSpan) -> Self {
        match stored {
            StoredSpan::Plain(text) => Self::Plain(text),
            StoredSpan::Strong(text) => Self::Strong(text),
            StoredSpan::Code(text) => Self::Code(text),
            StoredSpan::Command(text) => Self::Command(text),
            StoredSpan::Person(text) => Self::Person(text),
            StoredSpan::Commit(text) => Self::Commit(text),
            StoredSpan::Link { words, url } => Self::Link { words, url },
            StoredSpan::Time(at) => Self::Time(at),
            StoredSpan::Written(text) => Self::Written(text),
        }
    }
}

impl From<StoredLine> for Line {
    fn from(stored: StoredLine) -> Self {
        match stored {
            StoredLine::Plain(text) => Self::Plain(text),
            StoredLine::Item(depth, text) => Self::Item(depth, text),
            StoredLine::Head(cells) => Self::Head(cells),
            StoredLine::Row(cells) => Self::Row(cells),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::text::{code, command, link, named, strong, text};

    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        let mut message = Message::default();
        message.say(text![strong("Refused"), " at ", Timestamp::UNIX_EPOCH]);
        message.item(0, text![code("a`b"), link("run", "https://x.example")]);
        message.item(1, text![command("/approve #1"), named("ann")]);
        message.table(["who"], vec![vec![text!["ann"], Text::default()]]);
        let written = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&written).unwrap(), message);
    }

    #[test]
    fn what_the_first_version_stored_is_read_as_it_was_written() {
        let text: Text = serde_json::from_str("\"`ann` said no\"").unwrap();
        assert_eq!(text, Span::Written("`ann` said no".to_owned()).into());
        assert!(serde_json::from_str::<Text>("\"\"").unwrap().is_empty());
        let message: Message = serde_json::from_str("\"**Refused**\\n\\n- no\\n\"").unwrap();
        assert_eq!(message.plain(), "**Refused**\n\n- no");
        assert_eq!(message.lines().len(), 3);
    }
}
