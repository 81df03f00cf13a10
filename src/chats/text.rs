//! Text that every chat can write in its own way: lines of spans. Nothing in a span is markup; what looks like
//! it is escaped by the chat that writes it.

use jiff::Timestamp;

use super::outside::{address, one_line, shortened, units};
use crate::domain::text::{self as domain, Message, Text};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Plain(String),
    Bold(String),
    Code(String),
    Link {
        words: String,
        url: String,
    },
    /// A moment, as the reader's own clock shows it.
    Time(Timestamp),
    /// The same, by how far away it is where the chat can say that.
    Away(Timestamp),
}

/// How a line stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    /// Of a list; the depth begins with zero.
    Item(usize),
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) shape: Shape,
    pub(super) spans: Vec<Span>,
}

/// How long one span is at most, whatever it says.
const LONGEST_SPAN: usize = 1_000;
/// How much shorter spans become where a line is too long.
const SHORTER: [usize; 5] = [LONGEST_SPAN, 300, 100, 40, 16];

impl Span {
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self::Plain(one_line_with_edges(text.as_ref()))
    }

    pub(super) fn bold(text: impl AsRef<str>) -> Self {
        Self::Bold(one_line(text.as_ref()))
    }

    pub(super) fn code(text: impl AsRef<str>) -> Self {
        Self::Code(one_line(&text.as_ref().replace('`', "'")))
    }

    /// A link, if the address may be linked; the words alone otherwise.
    pub(super) fn link(words: impl AsRef<str>, url: &str) -> Self {
        let words = one_line(words.as_ref());
        match address(url) {
            Some(url) => Self::Link {
                words,
                url: url.to_owned(),
            },
            None => Self::Plain(words),
        }
    }

    fn is_blank(&self) -> bool {
        match self {
            Self::Plain(text) | Self::Bold(text) | Self::Code(text) => text.trim().is_empty(),
            Self::Link { words, .. } => words.trim().is_empty(),
            Self::Time(_) | Self::Away(_) => false,
        }
    }

    fn within(&self, most: usize) -> Self {
        match self {
            Self::Plain(text) => Self::Plain(shortened(text, most)),
            Self::Bold(text) => Self::Bold(shortened(text, most)),
            Self::Code(text) => Self::Code(shortened(text, most)),
            Self::Link { words, url } => Self::Link {
                words: shortened(words, most),
                url: url.clone(),
            },
            Self::Time(at) => Self::Time(*at),
            Self::Away(at) => Self::Away(*at),
        }
    }
}

impl Line {
    pub(super) fn plain(spans: Vec<Span>) -> Self {
        Self {
            shape: Shape::Plain,
            spans,
        }
    }

    pub(super) fn item(depth: usize, spans: Vec<Span>) -> Self {
        Self {
            shape: Shape::Item(depth),
            spans,
        }
    }

    /// Nobody would see anything in it.
    pub(super) fn is_blank(&self) -> bool {
        self.spans.iter().all(Span::is_blank)
    }

    fn within(&self, most: usize) -> Self {
        Self {
            shape: self.shape,
            spans: self.spans.iter().map(|span| span.within(most)).collect(),
        }
    }
}

/// How a command is written in a chat.
pub(super) type Spelling = fn(&str) -> String;

/// A message as lines, with commands as they are written in a chat. The head of a table says what its rows show anyway.
pub(super) fn lines(message: &Message, command: Spelling) -> Vec<Line> {
    let lines = message.lines().iter();
    lines
        .filter_map(|line| match line {
            domain::Line::Plain(text) => Some(Line::plain(spans(text, command))),
            domain::Line::Item(depth, text) => Some(Line::item(*depth, spans(text, command))),
            domain::Line::Head(_) => None,
            domain::Line::Row(cells) => {
                let filled = cells.iter().filter(|cell| !cell.is_empty());
                let row = Text::joined(filled, " · ");
                Some(Line::item(0, spans(&row, command)))
            }
        })
        .collect()
}

/// A text as the spans of a line.
pub(super) fn spans(text: &Text, command: Spelling) -> Vec<Span> {
    let spans = text.spans().iter();
    spans
        .map(|span| match span {
            domain::Span::Plain(words) | domain::Span::Written(words) => Span::plain(words),
            domain::Span::Strong(words) => Span::bold(words),
            domain::Span::Code(text) | domain::Span::Person(text) | domain::Span::Commit(text) => {
                Span::code(text)
            }
            domain::Span::Command(line) => Span::code(command(line)),
            domain::Span::Link { words, url } => Span::link(words, url),
            domain::Span::Time(at) => Span::Time(*at),
        })
        .collect()
}

/// Blanks at the edges of a span part it from its neighbours.
fn one_line_with_edges(text: &str) -> String {
    let line = one_line(text);
    let before = if text.starts_with(char::is_whitespace) {
        " "
    } else {
        ""
    };
    let after = if text.ends_with(char::is_whitespace) && !line.is_empty() {
        " "
    } else {
        ""
    };
    format!("{before}{line}{after}")
}

/// Writes lines into so much room: those that are too long are shortened, and where there is no room left,
/// the note says that something is missing.
pub(super) fn fit(
    lines: &[Line],
    most: usize,
    note: &str,
    write: impl Fn(&Line) -> String,
) -> String {
    let mut text = String::new();
    let mut used = 0;
    for (index, line) in lines.iter().enumerate() {
        let is_last = index + 1 == lines.len();
        let parting = usize::from(index > 0);
        let kept = if is_last { 0 } else { units(note) + 1 };
        let room = most.saturating_sub(used + parting + kept);
        let written = SHORTER
            .iter()
            .map(|most| write(&line.within(*most)))
            .find(|written| units(written) <= room);
        if index > 0 {
            text.push('\n');
        }
        let Some(written) = written else {
            text.push_str(note);
            break;
        };
        used += parting + units(&written);
        text.push_str(&written);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &Line) -> String {
        let text = |span: &Span| match span {
            Span::Plain(text) | Span::Bold(text) | Span::Code(text) => text.clone(),
            Span::Link { words, .. } => words.clone(),
            Span::Time(at) | Span::Away(at) => at.to_string(),
        };
        line.spans.iter().map(text).collect()
    }

    fn line(text: &str) -> Line {
        Line::plain(vec![Span::plain(text)])
    }

    #[test]
    fn lines_fit_or_are_missed() {
        let lines = [line("one"), line("two"), line("three")];
        for (most, expect) in [
            (13, "one\ntwo\nthree"),
            (12, "one\ntwo\n…"),
            (9, "one\ntwo\n…"),
            (8, "one\n…"),
            (5, "one\n…"),
            (4, "…"),
        ] {
            assert_eq!(fit(&lines, most, "…", words), expect, "{most}");
        }
        let long = [line(&"x".repeat(10_000)), line("end")];
        let text = fit(&long, 200, "…", words);
        assert_eq!(text, format!("{}…\nend", "x".repeat(99)));
        assert_eq!(fit(&[], 5, "…", words), "");
    }

    #[test]
    fn what_may_not_be_linked_is_only_words() {
        assert_eq!(
            Span::link("run", "javascript:x"),
            Span::Plain("run".to_owned())
        );
        assert_eq!(Span::code("`a`\nb"), Span::Code("'a' b".to_owned()));
        assert_eq!(Span::plain(" a\n"), Span::Plain(" a ".to_owned()));
    }
}
