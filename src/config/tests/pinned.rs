//! Pages of reports, pinned whole in `tests/texts`: each says what a file had, and what a person then reads.
//! `INSTA_UPDATE=always` writes them anew.

use std::cell::RefCell;

use super::{GOOD, parse};
use crate::config::Colour;

/// Where the pages lie, seen from this file.
const FOLDER: &str = "../../../tests/texts";

/// The reports about one subject.
pub(super) struct Page {
    name: &'static str,
    text: RefCell<String>,
}

impl Page {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            text: RefCell::default(),
        }
    }

    /// The good file with another piece.
    pub(super) fn instead(&self, piece: &str, instead: &str) {
        assert!(GOOD.contains(piece), "{piece}");
        let title = match instead {
            "" => format!("without {piece}"),
            _ => instead.to_owned(),
        };
        self.file(&title, &GOOD.replace(piece, instead));
    }

    /// The good file with more lines.
    pub(super) fn more(&self, lines: &str) {
        self.file(lines, &format!("{GOOD}{lines}"));
    }

    pub(super) fn file(&self, title: &str, file: &str) {
        let said = match parse(file) {
            Ok(config) if config.warnings.is_empty() => "(valid)".to_owned(),
            Ok(config) => format!("(valid)\n{}", config.warnings.join("\n")),
            Err(report) => report.render(Colour::Never),
        };
        self.text(title, &said);
    }

    pub(super) fn text(&self, title: &str, said: &str) {
        let title: Vec<&str> = title.lines().filter(|line| !line.is_empty()).collect();
        let lines = said.lines().map(|line| format!("  {line}"));
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        let mut text = self.text.borrow_mut();
        text.push_str(&format!(
            "## {}\n\n{}\n\n",
            title.join(" ⏎ "),
            lines.join("\n")
        ));
    }

    /// The page is as it was pinned.
    pub(super) fn pin(self) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(FOLDER);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let name = format!("configuration-{}", self.name);
        settings.bind(|| insta::assert_snapshot!(name, self.text.into_inner()));
    }
}
