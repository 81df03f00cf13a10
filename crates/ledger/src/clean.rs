//! Clean text: what came from outside, fit for a terminal, a page or a line of JSON.

/// The text on one line, without hidden characters and without what could move a cursor.
pub fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    visible.trim().to_owned()
}

/// The text with its lines and its indentation, and otherwise as [`clean`] leaves it.
pub fn clean_lines(text: &str) -> String {
    let mut letters = text.chars().filter(|c| !is_invisible(*c)).peekable();
    let mut lines = String::with_capacity(text.len());
    while let Some(c) = letters.next() {
        let ends_line = c == '\n' || (c == '\r' && matches!(letters.peek(), None | Some('\n')));
        let is_kept = ends_line || c == '\t' || !c.is_control();
        lines.push(if is_kept { c } else { ' ' });
    }
    lines
}

/// JSON that says the same, in which nothing is hidden and nothing moves a cursor.
pub fn clean_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if (c.is_control() && c != '\n') || is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// Those that turn the direction of text, or have no shape.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{7f}\u{61c}c\u{e0041}";

    #[test]
    fn nothing_moves_a_cursor_or_turns_text() {
        assert_eq!(clean(EVIL), "a [2J 31mb c");
        assert_eq!(clean_lines(EVIL), "a [2J 31mb c");
        assert_eq!(clean(" a\nb "), "a b");
    }

    #[test]
    fn lines_stay_lines() {
        for (text, expect) in [
            ("  a\n\tb\r\nc\r", "  a\n\tb\r\nc\r"),
            ("good\rbad", "good bad"),
            ("", ""),
        ] {
            assert_eq!(clean_lines(text), expect, "{text:?}");
        }
    }

    #[test]
    fn json_says_the_same() {
        assert_eq!(
            clean_json("[\"a\u{9b}\u{202e}\u{e0041}\",\n1]"),
            "[\"a\\u009b\\u202e\\udb40\\udc41\",\n1]"
        );
    }
}
