//! Entries of the audit log as lines: of a table, of JSON, of a sheet. Whatever came from outside loses
//! what could move the cursor of a terminal or make a sheet compute.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::sheet::cell;
use crate::cli::terminal;
use countersign_ledger::{Shown, clean, clean_json};

/// The width of a terminal that does not tell.
const USUAL_WIDTH: usize = 160;
/// No column is wider; the last one takes what is left.
const WIDEST: usize = 24;
const SHORT_SHA: usize = 10;

/// How entries are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// One line for each entry, as wide as the terminal
    Table,
    /// One list
    Json,
    /// One JSON object a line
    Ndjson,
    /// For sheets
    Csv,
}

/// The columns of a sheet.
pub(super) const CSV_HEADER: [&str; 11] = [
    "number",
    "time",
    "action",
    "outcome",
    "service",
    "environment",
    "who",
    "person",
    "sha",
    "request",
    "why",
];

const TABLE_HEADER: [&str; 10] = [
    "NUMBER",
    "TIME",
    "ACTION",
    "OUTCOME",
    "SERVICE",
    "ENVIRONMENT",
    "WHO",
    "SHA",
    "REQUEST",
    "WHY",
];

/// The entry as JSON on one line. Control characters are escaped, all of them.
pub(super) fn as_json(shown: &Shown) -> String {
    let mut entry = shown.entry.clone();
    if let Value::Object(parts) = &mut entry
        && !shown.erased.is_empty()
    {
        parts.insert("erased".to_owned(), json!(shown.erased));
    }
    clean_json(&entry.to_string())
}

/// The entry as a line of a sheet, in the form of RFC 4180, without its end.
pub(super) fn as_csv(shown: &Shown) -> String {
    let text = |name: &str| shown.text(name).unwrap_or_default().to_owned();
    let cells = [
        shown.seq.to_string(),
        shown.frame("at").to_owned(),
        shown.frame("action").to_owned(),
        outcome(shown).to_owned(),
        text("service"),
        text("environment"),
        shown.who(),
        shown.person().unwrap_or_default(),
        text("sha"),
        shown.request().map(|n| n.to_string()).unwrap_or_default(),
        shown.why(),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(&clean(text))).collect();
    cells.join(",")
}

/// The lines of a table, whose columns are as wide as these entries need.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    widths: Vec<usize>,
}

impl Table {
    /// Prints entries below each other; the names of the columns come first, once.
    pub(super) fn lines(&mut self, entries: &[Shown], width: Option<usize>) -> Vec<String> {
        let rows: Vec<Vec<String>> = entries.iter().map(table_row).collect();
        let mut lines = Vec::new();
        let is_first = self.widths.is_empty();
        if is_first {
            self.widths = TABLE_HEADER.iter().map(|name| name.len()).collect();
        }
        for row in &rows {
            for (widest, cell) in self.widths.iter_mut().zip(row) {
                *widest = (*widest).max(cell.chars().count().min(WIDEST));
            }
        }
        if is_first {
            let names: Vec<String> = TABLE_HEADER.map(str::to_owned).to_vec();
            lines.push(self.line(&names, width));
        }
        lines.extend(rows.iter().map(|row| self.line(row, width)));
        lines
    }

    fn line(&self, cells: &[String], width: Option<usize>) -> String {
        let mut line = String::new();
        let last = cells.len() - 1;
        for (index, (cell, widest)) in cells.iter().zip(&self.widths).enumerate() {
            if index == last {
                line.push_str(cell);
            } else {
                let cell = cut(cell, *widest);
                line.push_str(&format!("{cell:<widest$}  "));
            }
        }
        match width {
            Some(width) => cut(line.trim_end(), width),
            None => line.trim_end().to_owned(),
        }
    }
}

fn table_row(shown: &Shown) -> Vec<String> {
    let text = |name: &str| clean(shown.text(name).unwrap_or_default());
    let request = shown.request().map(|number| format!("#{number}"));
    vec![
        shown.seq.to_string(),
        seconds(shown.frame("at")),
        clean(shown.frame("action")),
        outcome(shown).to_owned(),
        text("service"),
        text("environment"),
        clean(&shown.who()),
        text("sha").chars().take(SHORT_SHA).collect(),
        request.unwrap_or_default(),
        clean(&shown.why()),
    ]
}

/// How an action ended.
pub(super) fn outcome(shown: &Shown) -> &'static str {
    crate::domain::Action::parse(shown.frame("action"))
        .map_or("", |action| action.ending().as_str())
}

/// A time without what is smaller than a second.
pub(super) fn seconds(at: &str) -> String {
    at.parse::<jiff::Timestamp>().map_or_else(
        |_| clean(at),
        |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// A text with at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// How wide the lines of a table may be: as `COLUMNS` says, or as the terminal is; nothing without either.
pub(super) fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    match told {
        Some(columns) if columns > 0 => Some(columns),
        _ => std::io::stdout()
            .is_terminal()
            .then(|| terminal::columns().unwrap_or(USUAL_WIDTH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(command: &str) -> Shown {
        let entry = json!({
            "action": "command.received",
            "actor": {"forge": "github", "id": 7, "login": "ann"},
            "at": "2026-01-31T14:30:00.5Z",
            "detail": {"command": command, "service": "shop", "request": 42},
            "seq": 3,
        });
        Shown {
            seq: 3,
            entry,
            erased: Vec::new(),
        }
    }

    #[test]
    fn cells_compute_nothing_and_stay_in_their_place() {
        let check = |text: &str, expect: &str| assert_eq!(cell(&clean(text)), expect, "{text:?}");
        check("plain", "plain");
        check("a, b", "\"a, b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("=1+1", "\"'=1+1\"");
        check("+1", "\"'+1\"");
        check("-1", "\"'-1\"");
        check("@SUM(A1)", "\"'@SUM(A1)\"");
        check("\t=1", "\"'=1\"");
        check("\r=1", "\"'=1\"");
        check(" =1", "\"'=1\"");
        check("\u{200b}=1", "\"'=1\"");
        check("a\nb", "a b");
        check("", "");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let evil = "a\u{1b}[31m\u{9b}2J\u{202e}b\u{7f}\nc";
        assert_eq!(clean(evil), "a [31m 2Jb  c");
        let json = as_json(&shown(evil));
        assert!(
            !json.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{json}"
        );
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["detail"]["command"], evil);
        for line in Table::default().lines(&[shown(evil)], None) {
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }

    #[test]
    fn a_table_fits_its_terminal() {
        let mut table = Table::default();
        let lines = table.lines(&[shown(&"long ".repeat(50))], Some(100));
        assert_eq!(
            lines[0],
            "NUMBER  TIME                  ACTION            OUTCOME  SERVICE  ENVIRONMENT  WHO  SHA  REQUEST  WHY"
                .chars()
                .take(99)
                .chain(['…'])
                .collect::<String>()
        );
        assert!(
            lines[1].starts_with("3       2026-01-31 14:30:00Z  command.received  noted    shop ")
        );
        assert!(
            lines.iter().all(|line| line.chars().count() <= 100),
            "{lines:?}"
        );
        // The names come once.
        assert_eq!(table.lines(&[shown("x")], None).len(), 1);
    }

    #[test]
    fn a_sheet_has_a_cell_for_each_name() {
        assert_eq!(
            as_csv(&shown("/help")),
            "3,2026-01-31T14:30:00.5Z,command.received,noted,shop,,ann,github:7,,42,/help"
        );
        assert_eq!(as_csv(&shown("/help")).split(',').count(), CSV_HEADER.len());
    }
}
