//! The screen: how the demo looks: lines that scroll, and frames around what a chat or a page shows. Colours only where
//! a terminal is.

use std::io::Write as _;

use super::look::Seen;
use crate::cli::say_painted;
use crate::cli::terminal::{self, Paint, Palette};

/// The width of a terminal that does not tell.
const USUAL_WIDTH: usize = 80;
/// Longer lines are hard to read.
const WIDEST: usize = 110;
const NARROWEST: usize = 40;

#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    palette: Palette,
    width: usize,
}

impl Screen {
    pub(super) fn of_output() -> Self {
        let width = terminal::columns().unwrap_or(USUAL_WIDTH);
        Self {
            palette: Palette::of_output(),
            width: width.clamp(NARROWEST, WIDEST),
        }
    }

    /// A paragraph.
    pub(super) fn tell(self, text: &str) {
        for line in wrapped(text, self.width) {
            say_painted(&line);
        }
    }

    pub(super) fn gap(self) {
        say_painted("");
    }

    pub(super) fn heading(self, text: &str) {
        say_painted("");
        say_painted(&self.palette.paint(Paint::Strong, text));
    }

    /// What stands beside what matters.
    pub(super) fn aside(self, text: &str) {
        for line in wrapped(text, self.width) {
            say_painted(&self.palette.paint(Paint::Quiet, &line));
        }
    }

    /// Something happened, and where that was seen.
    pub(super) fn tick(self, what: &str, seen: &str) {
        let mark = self.palette.paint(Paint::Good, "✓");
        let fits = 6 + what.chars().count() + seen.chars().count() <= self.width;
        say_painted(&match (seen.is_empty(), fits) {
            (true, _) => format!("  {mark} {what}"),
            (false, true) => format!(
                "  {mark} {what}  {}",
                self.palette.paint(Paint::Quiet, seen)
            ),
            (false, false) => {
                format!(
                    "  {mark} {what}\n    {}",
                    self.palette.paint(Paint::Quiet, seen)
                )
            }
        });
    }

    /// What would be typed in a shell; in one piece, so that it can be copied.
    pub(super) fn typed(self, line: &str) {
        say_painted(&self.palette.paint(Paint::Quiet, &format!("$ {line}")));
    }

    pub(super) fn warn(self, text: &str) {
        for line in wrapped(text, self.width) {
            say_painted(&self.palette.paint(Paint::Bad, &line));
        }
    }

    /// What comes next, and what the person can type for it.
    pub(super) fn hint(self, why: &str, line: &str) {
        say_painted("");
        for line in wrapped(&format!("Next: {why}"), self.width) {
            say_painted(&self.palette.paint(Paint::New, &line));
        }
        self.type_this(line);
    }

    /// The same when what comes next was said already.
    pub(super) fn hint_again(self, line: &str) {
        say_painted("");
        self.type_this(line);
    }

    fn type_this(self, line: &str) {
        let typed = self.palette.paint(Paint::Strong, line);
        say_painted(&format!("Type: {typed}   (or only Enter)"));
    }

    /// Who is asked, and where they are.
    pub(super) fn prompt(self, who: &str, place: &str) -> String {
        let who = self.palette.paint(Paint::Strong, who);
        format!("{who} {place} > ")
    }

    /// Waits behind the prompt for what is typed.
    pub(super) fn ask(self, prompt: &str) {
        let mut out = std::io::stdout();
        let _gone = write!(out, "{prompt}").and_then(|()| out.flush());
    }

    /// The prompt at which only Enter was pressed, with the hint that it took.
    pub(super) fn fill_in(self, prompt: &str, line: &str) {
        let up = match self.palette {
            Palette::Plain => "",
            Palette::Ansi => "\u{1b}[1A\r",
        };
        say_painted(&format!("{up}{prompt}{line}"));
    }

    /// A frame around what a person sees.
    pub(super) fn frame(self, title: &str, seen: &Seen) {
        for line in framed(title, &seen.lines, self.width) {
            say_painted(&self.painted(seen.paint, &line));
        }
    }

    /// The rail in the colour of the mood, the text as it is, the first line strong.
    fn painted(self, paint: Paint, line: &Framed) -> String {
        match line {
            Framed::Edge(text) => self.palette.paint(paint, text),
            Framed::Title(text) => format!(
                "{} {}",
                self.palette.paint(paint, "│"),
                self.palette.paint(Paint::Strong, text)
            ),
            Framed::Text(text) => format!("{} {text}", self.palette.paint(paint, "│"))
                .trim_end()
                .to_owned(),
        }
    }
}

/// A line of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Framed {
    Edge(String),
    Title(String),
    Text(String),
}

/// The right side stays open: how wide a symbol is differs from terminal to terminal.
fn framed(title: &str, lines: &[String], width: usize) -> Vec<Framed> {
    let dashes = |used: usize| "─".repeat(width.saturating_sub(used));
    let mut framed = vec![Framed::Edge(format!(
        "╭─ {title} {}",
        dashes(title.chars().count() + 4)
    ))];
    let text = lines.iter().flat_map(|line| wrapped(line, width - 2));
    framed.extend(text.enumerate().map(|(index, line)| match index {
        0 => Framed::Title(line),
        _ => Framed::Text(line),
    }));
    framed.push(Framed::Edge(format!("╰{}", dashes(1))));
    framed
}

/// A line in pieces that fit; what follows in an item of a list stands below its text.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let indent = text.len() - text.trim_start_matches(' ').len();
    let is_item = ["- ", "• ", "◦ "]
        .iter()
        .any(|mark| text.trim_start().starts_with(mark));
    let hang = " ".repeat(indent + if is_item { 2 } else { 0 });
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let has = line.chars().count() + word.chars().count() + usize::from(!is_empty);
        if has > width && !is_empty {
            lines.push(std::mem::replace(&mut line, hang.clone()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        for (text, expect) in [
            ("", &[""][..]),
            ("one two", &["one two"]),
            ("one two three", &["one two", "three"]),
            ("- one two three", &["- one two", "  three"]),
            ("  - one two", &["  - one", "    two"]),
            ("• one two", &["• one two"]),
            ("• one two three", &["• one two", "  three"]),
            ("a-very-long-word b", &["a-very-long-word", "b"]),
        ] {
            assert_eq!(wrapped(text, 9), expect, "{text:?}");
        }
    }

    #[test]
    fn a_frame_is_as_wide_as_its_terminal() {
        let lines = ["Ready: shop".to_owned(), String::new(), "one".to_owned()];
        let framed = framed("#releases", &lines, 20);
        let expect = [
            Framed::Edge("╭─ #releases ───────".to_owned()),
            Framed::Title("Ready: shop".to_owned()),
            Framed::Text(String::new()),
            Framed::Text("one".to_owned()),
            Framed::Edge("╰───────────────────".to_owned()),
        ];
        assert_eq!(framed, expect);
    }

    #[test]
    fn without_a_terminal_there_are_no_codes() {
        let screen = Screen {
            palette: Palette::Plain,
            width: 40,
        };
        assert_eq!(screen.prompt("ann", "in #releases"), "ann in #releases > ");
        let line = Framed::Title("x".to_owned());
        assert_eq!(screen.painted(Paint::Bad, &line), "│ x");
    }
}
