//! Cells of a sheet, in the form of RFC 4180. No program may take what came from outside for a formula, whichever
//! sign it holds for the end of a cell: in many countries that is `;`, and quotes do not help there.

/// The cell, in which every piece that a sheet could take for a formula begins with an apostrophe, which makes it text.
/// Lines stay lines; nothing else is left that could move the cursor of a terminal.
pub(super) fn cell(text: &str) -> String {
    let text = countersign_ledger::clean_lines(text);
    let mut safe = String::with_capacity(text.len());
    for piece in text.split_inclusive([';', '\n', '\t']) {
        if is_formula(piece) {
            safe.push('\'');
        }
        safe.push_str(piece);
    }
    // A sheet may count a sign for the end of a cell that it has met before.
    if safe.contains([',', ';', '"', '\'', '\t', '\r', '\n']) {
        safe = format!("\"{}\"", safe.replace('"', "\"\""));
    }
    safe
}

/// Whether a sheet would compute what begins so. Quotes around it and spaces before it are skipped.
fn is_formula(piece: &str) -> bool {
    let begins = piece.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
    let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    begins.starts_with(signs) || piece.starts_with(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The cells of a sheet, as a program reads it for which this sign ends a cell.
    fn read(sheet: &str, end: char) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut is_quoted = false;
        let mut letters = sheet.chars().peekable();
        let mut is_fresh = true;
        while let Some(c) = letters.next() {
            let was_fresh = std::mem::replace(&mut is_fresh, false);
            let cell = cells.last_mut().unwrap();
            match c {
                '"' if was_fresh => is_quoted = true,
                '"' if is_quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    cell.push('"');
                }
                '"' if is_quoted => is_quoted = false,
                c if !is_quoted && (c == end || c == '\n') => {
                    cells.push(String::new());
                    is_fresh = true;
                }
                c => cell.push(c),
            }
        }
        cells
    }

    fn computes(sheet: &str) -> Option<String> {
        let ends = [',', ';', '\t'];
        let mut cells = ends.into_iter().flat_map(|end| read(sheet, end));
        cells.find(|cell| cell.trim_start().starts_with(['=', '+', '-', '@', '＝']))
    }

    #[test]
    fn cells_are_quoted_and_never_a_formula() {
        let check = |text: &str, expect: &str| assert_eq!(cell(text), expect, "{text:?}");
        check("plain", "plain");
        check("", "");
        check("a,b", "\"a,b\"");
        check("say \"hi\"", "\"say \"\"hi\"\"\"");
        check("two\r\nlines", "\"two\r\nlines\"");
        check("=1+1", "\"'=1+1\"");
        check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
        for first in ['+', '-', '@', '\t'] {
            check(&format!("{first}x"), &format!("\"'{first}x\""));
        }
        check("1-2", "1-2");
        check("Fix;=1+1", "\"Fix;'=1+1\"");
        check("Fix; \"=1+1", "\"Fix;' \"\"=1+1\"");
        check("Fix; sell", "\"Fix; sell\"");
        check("two\n=1", "\"two\n'=1\"");
        check("red \u{1b}[31m\r=1", "red  [31m =1");
    }

    proptest! {
        #[test]
        fn no_program_computes_what_a_cell_says(text in "[a=+;,\"'\t\r\n -]{0,12}|\\PC{0,12}") {
            let row = format!("3,{},ann\r\n", cell(&text));
            prop_assert_eq!(computes(&row), None, "{:?}", row);
        }
    }
}
