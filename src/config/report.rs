//! Reports: what is wrong with a file, all of it at once: each problem with its line, a caret and the way out. Holds
//! the source only with its secrets masked, so that no rendering can show one.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::at::Place;

/// More than this would not be read.
const SHOWN: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one sentence.
    pub message: String,
    /// The range of bytes that it is about; nothing when it is about the whole file.
    pub place: Option<Place>,
    /// Another place that explains it, with a few words.
    pub also: Option<(Place, String)>,
    /// The way out.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn new(place: &Place, message: impl Into<String>) -> Self {
        Self {
            place: Some(place.clone()),
            ..Self::of_file(message)
        }
    }

    pub(crate) fn of_file(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            also: None,
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(mut self, place: &Place, words: impl Into<String>) -> Self {
        self.also = Some((place.clone(), words.into()));
        self
    }
}

/// Everything that is wrong with a file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    name: String,
    masked: String,
    problems: Vec<Problem>,
}

impl Report {
    /// `masked` is the source with its secrets hidden, byte for byte as long.
    pub(crate) fn new(name: &str, masked: String, mut problems: Vec<Problem>) -> Self {
        problems
            .sort_by_key(|problem| problem.place.as_ref().map(|place| (place.start, place.end)));
        problems.dedup();
        Self {
            name: name.to_owned(),
            masked,
            problems,
        }
    }

    /// The problems, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The line on which a problem stands, counted from one.
    pub fn line(&self, problem: &Problem) -> Option<usize> {
        let start = problem.place.as_ref()?.start;
        Some(line_at(&self.masked, start))
    }

    /// The whole report as text for a terminal; `colour` adds its codes.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Never => Renderer::plain(),
            Colour::Always => Renderer::styled(),
        };
        let mut text = String::new();
        for problem in self.problems.iter().take(SHOWN) {
            text.push_str(&renderer.render(&[self.group(problem)]));
            text.push_str("\n\n");
        }
        let count = self.problems.len();
        if count > SHOWN {
            text.push_str(&format!("... and {} more\n\n", count - SHOWN));
        }
        let plural = if count == 1 { "" } else { "s" };
        text.push_str(&format!("{}: {count} problem{plural}\n", self.name));
        text
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let mut group = Group::with_title(Level::ERROR.primary_title(problem.message.as_str()));
        if let Some(place) = &problem.place {
            let mut snippet = Snippet::source(self.masked.as_str())
                .path(self.name.as_str())
                .annotation(AnnotationKind::Primary.span(self.on_one_line(place)));
            if let Some((place, words)) = &problem.also {
                let context = AnnotationKind::Context.span(self.on_one_line(place));
                snippet = snippet.annotation(context.label(words.as_str()));
            }
            group = group.element(snippet);
        }
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// The part of a place that stands on its first line, on whole characters.
    fn on_one_line(&self, place: &Place) -> Place {
        let text = &self.masked;
        let start = text.floor_char_boundary(place.start.min(text.len()));
        let end = text.ceil_char_boundary(place.end.clamp(start, text.len()));
        let first = text.get(start..end).and_then(|part| part.lines().next());
        start..start + first.map_or(0, str::len)
    }
}

/// Whether a text is for a terminal that shows colours; the caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// With the codes of a terminal.
    Always,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Never))
    }
}

impl std::error::Error for Report {}

/// The line of a byte, counted from one.
pub(crate) fn line_at(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().get(..byte).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&b| b == b'\n').count()
}
