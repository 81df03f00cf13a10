//! Texts for people, as data: a `Text` is one sentence made of spans, a `Message` is lines of texts. A surface writes
//! it in marks of its own; nothing in a span is markup, and what came from outside stands in spans of its own. No
//! surface reads marks back.

mod message;
mod stored;

use std::fmt::Display;

use jiff::Timestamp;
use serde::Serialize;

use super::{Account, Somebody};

pub use message::{Line, Message};

/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Words of ours.
    Plain(String),
    Strong(String),
    /// Text from outside: it neither formats, nor links, nor mentions a person.
    Code(String),
    /// A command, as it is written in a comment on GitHub; other surfaces may write it otherwise.
    Command(String),
    Person(String),
    /// A commit's id, whole or short.
    Commit(String),
    Link {
        words: String,
        url: String,
    },
    /// A moment; some surfaces show it by the reader's clock.
    Time(Timestamp),
    /// Our own Markdown, as versions before this one stored it. It is shown as it is, and never made.
    Written(String),
}

/// One sentence, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text(Vec<Span>);

/// Puts spans, texts and words together to one text.
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let text = $crate::domain::text::Text::default();
        $(let text = text.with($part);)*
        text
    }};
}
pub(crate) use text;

/// Words of ours that stand out: a stage, an environment.
pub fn strong(words: &(impl Display + ?Sized)) -> Span {
    Span::Strong(words.to_string())
}

/// Text from outside.
pub fn code(text: &str) -> Span {
    match visible(text) {
        clean if clean.is_empty() => Span::Plain("(nothing)".to_owned()),
        clean => Span::Code(clean),
    }
}

/// A command to copy.
pub fn command(line: impl Into<String>) -> Span {
    Span::Command(line.into())
}

pub fn person(account: &Account) -> Span {
    named(&account.login)
}

/// A person, whether or not an account is known to be theirs.
pub fn somebody(who: &Somebody) -> Span {
    match who {
        Somebody::Known(account) => person(account),
        Somebody::Stranger(name) => named(name),
    }
}

/// A person of whom only the name is known.
pub fn named(login: &str) -> Span {
    let span = code(login);
    if let Span::Code(login) = span {
        Span::Person(login)
    } else {
        span
    }
}

/// A commit by as much of its id as should be read.
pub fn commit(id: &str) -> Span {
    Span::Commit(id.to_owned())
}

/// A link, if the address may be one; the words alone otherwise.
pub fn link(words: &str, url: &str) -> Span {
    let is_plain = url.len() <= 500
        && (url.starts_with("https://") || url.starts_with("http://"))
        && url
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '`' | '\\'));
    if is_plain {
        Span::Link {
            words: words.to_owned(),
            url: url.to_owned(),
        }
    } else {
        Span::Plain(words.to_owned())
    }
}

/// Names from outside, parted by commas.
pub fn list<'n>(names: impl Iterator<Item = &'n str>) -> Text {
    let mut names: Vec<Span> = names.map(code).collect();
    names.dedup();
    Text::joined(names, ", ")
}

/// A sentence of a definition, in which what is typed stands between backticks: those of the commands and of what can
/// be looked for are written so, because terminals show them, too.
pub fn ticked(sentence: &str) -> Text {
    let mut text = Text::default();
    for (place, piece) in sentence.split('`').enumerate() {
        if place % 2 == 1 {
            text.push(code(piece));
        } else if !piece.is_empty() {
            text.push(piece);
        }
    }
    text
}

/// As much of a text as is shown in one line, without hidden characters.
pub fn visible(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .take(120)
        .collect();
    clean.trim().to_owned()
}

/// Hidden characters, and what turns the direction of the text around it.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// A time as people read it where nothing knows their clock.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Text {
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn push(&mut self, part: impl Into<Self>) {
        for span in part.into().0 {
            match (self.0.last_mut(), span) {
                (Some(Span::Plain(before)), Span::Plain(words)) => before.push_str(&words),
                (_, span) => self.0.push(span),
            }
        }
    }

    #[must_use]
    pub fn with(mut self, part: impl Into<Self>) -> Self {
        self.push(part);
        self
    }

    /// Texts with these words between them.
    pub fn joined<T: Into<Self>>(parts: impl IntoIterator<Item = T>, between: &str) -> Self {
        let mut text = Self::default();
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                text.push(between);
            }
            text.push(part);
        }
        text
    }

    /// Without any marks: for logs, the audit log, and pages that show none.
    pub fn plain(&self) -> String {
        self.0.iter().map(Span::plain).collect()
    }

    /// For a terminal: what is typed or came from outside stands between backticks.
    pub fn ticked(&self) -> String {
        let spans = self.0.iter().map(|span| match span {
            Span::Code(text) | Span::Command(text) | Span::Person(text) | Span::Commit(text) => {
                format!("`{text}`")
            }
            Span::Plain(_)
            | Span::Strong(_)
            | Span::Link { .. }
            | Span::Time(_)
            | Span::Written(_) => span.plain(),
        });
        spans.collect()
    }

    /// Whether something that follows must be parted from it by a full stop.
    pub fn is_open(&self) -> bool {
        !self.plain().ends_with(['.', '!', '?', ':'])
    }
}

impl Span {
    pub fn plain(&self) -> String {
        match self {
            Self::Plain(text)
            | Self::Strong(text)
            | Self::Code(text)
            | Self::Command(text)
            | Self::Person(text)
            | Self::Commit(text)
            | Self::Written(text) => text.clone(),
            Self::Link { words, .. } => words.clone(),
            Self::Time(at) => moment(*at),
        }
    }
}

impl From<Span> for Text {
    fn from(span: Span) -> Self {
        Self(vec![span])
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Span::Plain(words.to_owned()).into()
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Span::Plain(words).into()
    }
}

impl From<&Text> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

impl From<Timestamp> for Text {
    fn from(at: Timestamp) -> Self {
        Span::Time(at).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_one_visible_line() {
        for (text, expect) in [
            ("build", Span::Code("build".to_owned())),
            (
                "@everyone `x`\n# big",
                Span::Code("@everyone 'x' # big".to_owned()),
            ),
            ("", Span::Plain("(nothing)".to_owned())),
            ("a\u{202e}b\u{200b}c", Span::Code("abc".to_owned())),
        ] {
            assert_eq!(code(text), expect);
        }
    }

    #[test]
    fn only_pages_are_linked() {
        let page = link("run", "https://x.example/1");
        assert!(matches!(page, Span::Link { .. }));
        for url in [
            "javascript:alert(1)",
            "https://x.example/) [a](b",
            "",
            "https://x y",
        ] {
            assert_eq!(link("run", url), Span::Plain("run".to_owned()));
        }
    }

    #[test]
    fn parts_become_one_text() {
        let who = Text::joined([named("ann"), named("bob")], ", ");
        let text = text!["Ask ", who, " for ", strong("prod"), "."];
        assert_eq!(text.plain(), "Ask ann, bob for prod.");
        assert_eq!(text!["a", "b"].spans().len(), 1);
        assert!(text!["a"].is_open() && !text!["a", "."].is_open());
    }
}
