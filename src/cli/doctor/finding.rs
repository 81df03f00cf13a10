//! Findings: what the doctor says about one thing, and how it is shown: a line as soon as it is known, or JSON at the
//! end.

use serde::Serialize;

use crate::cli::terminal::{Paint, Palette};
use crate::cli::{counted, say, say_json, say_painted};
use countersign_ledger::clean_lines;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warning,
    Error,
}

/// What was found out about one thing.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    level: Level,
    about: String,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    way_out: Option<String>,
}

/// Everything that was found out.
#[derive(Debug)]
pub(super) struct Findings {
    palette: Palette,
    is_json: bool,
    all: Vec<Finding>,
}

#[derive(Serialize)]
struct Told<'f> {
    errors: usize,
    warnings: usize,
    findings: &'f [Finding],
}

impl Findings {
    pub(super) fn new(palette: Palette, is_json: bool) -> Self {
        Self {
            palette,
            is_json,
            all: Vec::new(),
        }
    }

    pub(super) fn ok(&mut self, about: &str, says: impl Into<String>) {
        self.add(Level::Ok, about, says.into(), None);
    }

    pub(super) fn warn(&mut self, about: &str, says: impl Into<String>, way_out: &str) {
        let way_out = Some(way_out.to_owned()).filter(|text| !text.is_empty());
        self.add(Level::Warning, about, says.into(), way_out);
    }

    pub(super) fn error(&mut self, about: &str, says: impl Into<String>, way_out: &str) {
        let way_out = Some(way_out.to_owned()).filter(|text| !text.is_empty());
        self.add(Level::Error, about, says.into(), way_out);
    }

    fn add(&mut self, level: Level, about: &str, says: String, way_out: Option<String>) {
        let finding = Finding {
            level,
            about: about.to_owned(),
            says,
            way_out,
        };
        if !self.is_json {
            say_painted(&finding.line(self.palette));
        }
        self.all.push(finding);
    }

    pub(super) fn count(&self, level: Level) -> usize {
        self.all.iter().filter(|one| one.level == level).count()
    }

    /// The end: a sentence, or everything as JSON.
    pub(super) fn finish(&self) {
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        if self.is_json {
            let told = Told {
                errors,
                warnings,
                findings: &self.all,
            };
            say_json(&serde_json::to_string_pretty(&told).unwrap_or_default());
            return;
        }
        say(&match (errors, warnings) {
            (0, 0) => "Everything is as it should be.".to_owned(),
            _ => format!(
                "{}, {}.",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
        });
    }
}

impl Finding {
    fn line(&self, palette: Palette) -> String {
        let word = match self.level {
            Level::Ok => palette.paint(Paint::Good, "ok     "),
            Level::Warning => palette.paint(Paint::Waiting, "warning"),
            Level::Error => palette.paint(Paint::Bad, "error  "),
        };
        let mut says = format!("{:<15} {}", self.about, self.says);
        if let Some(way_out) = &self.way_out {
            says.push_str(&format!("\n{:>25} {way_out}", "->"));
        }
        // Forges and chats have their say in it.
        format!("{word}  {}", clean_lines(&says))
    }
}
