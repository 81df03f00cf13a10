//! Messages: lines of texts, in paragraphs, lists and tables.

use serde::Serialize;

use super::Text;

/// One line of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// An empty one parts paragraphs.
    Plain(Text),
    /// Of a list; the depth begins with zero.
    Item(usize, Text),
    /// The head of a table, whose rows follow.
    Head(Vec<Text>),
    Row(Vec<Text>),
}

/// Everything that is said at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Message(Vec<Line>);

impl Message {
    pub fn lines(&self) -> &[Line] {
        &self.0
    }

    pub(super) fn of_lines(lines: Vec<Line>) -> Self {
        Self(lines)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A paragraph of its own.
    pub fn say(&mut self, text: impl Into<Text>) {
        self.part();
        self.0.push(Line::Plain(text.into()));
    }

    /// An item of a list, which begins a paragraph of its own.
    pub fn item(&mut self, depth: usize, text: impl Into<Text>) {
        if !matches!(self.0.last(), Some(Line::Item(..))) {
            self.part();
        }
        self.0.push(Line::Item(depth, text.into()));
    }

    /// A table.
    pub fn table(&mut self, head: impl IntoIterator<Item = &'static str>, rows: Vec<Vec<Text>>) {
        self.part();
        let head = head.into_iter().map(Text::from);
        self.0.push(Line::Head(head.collect()));
        self.0.extend(rows.into_iter().map(Line::Row));
    }

    /// Everything of another one, as paragraphs of its own.
    pub fn append(&mut self, other: Self) {
        if !other.is_empty() {
            self.part();
            self.0.extend(other.0);
        }
    }

    fn part(&mut self) {
        if !self.0.is_empty() {
            self.0.push(Line::Plain(Text::default()));
        }
    }

    /// Without any marks but the indents of lists.
    pub fn plain(&self) -> String {
        let cells = |cells: &[Text]| {
            let cells: Vec<String> = cells.iter().map(Text::plain).collect();
            cells.join(" | ")
        };
        let lines = self.0.iter().map(|line| match line {
            Line::Plain(text) => text.plain(),
            Line::Item(depth, text) => format!("{}- {}", "  ".repeat(*depth), text.plain()),
            Line::Head(head) => cells(head),
            Line::Row(row) => cells(row),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        let mut message = Self::default();
        message.say(text);
        message
    }
}
