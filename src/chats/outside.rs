//! Texts from outside, before a chat escapes them: one line, without characters that hide, turn or break text;
//! and addresses that may be linked. How long a text is, is counted as the chats count it.

/// The length in UTF-16, which is never less than in characters: whichever a chat counts, a limit holds.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The beginning of a text, with an ellipsis where something is missing.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut short: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    short.truncate(short.trim_end().len());
    if most > 0 {
        short.push('…');
    }
    short
}

/// A text from outside as one line that looks like what it is.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().filter(|&c| !is_invisible(c)) {
        if !(c.is_whitespace() || c.is_control()) {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Characters without a shape; those that turn the direction of text are among them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A page that may be linked: nothing in its address can end a link in any chat.
pub(super) fn address(url: &str) -> Option<&str> {
    let is_page = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = |c: char| {
        c.is_ascii_graphic()
            && !matches!(
                c,
                '(' | ')' | '<' | '>' | '|' | '`' | '\\' | '"' | '[' | ']' | '*'
            )
    };
    (is_page && url.len() <= 500 && url.chars().all(is_plain)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_one_visible_line() {
        for (text, expect) in [
            ("Sell  more\r\n(#12)", "Sell more (#12)"),
            ("\u{202e}evil\u{202c} \u{2067}a\u{2069}", "evil a"),
            ("a\u{200b}b\u{feff}c\u{61c}\u{200f}", "abc"),
            ("\u{0}\u{7}", ""),
            (" é 🚀 ", "é 🚀"),
            ("a\u{2028}b", "a b"),
        ] {
            assert_eq!(one_line(text), expect, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        for (text, most, expect) in [
            ("four", 4, "four"),
            ("fours", 4, "fou…"),
            ("a b c", 3, "a…"),
            ("🚀🚀🚀", 4, "🚀…"),
            ("long", 1, "…"),
            ("long", 0, ""),
        ] {
            let short = shortened(text, most);
            assert_eq!(short, expect);
            assert!(units(&short) <= most);
        }
    }

    #[test]
    fn only_plain_pages_are_linked() {
        for (url, expect) in [
            ("https://x.example/1?a=b#c", true),
            ("http://x.example", true),
            ("javascript:alert(1)", false),
            ("https://x.example/)[a](b", false),
            ("https://x.example/|a", false),
            ("https://x.example/ a", false),
            ("https://x.example/\u{202e}", false),
            ("", false),
        ] {
            assert_eq!(address(url).is_some(), expect, "{url}");
        }
        assert!(address(&format!("https://{}", "x".repeat(500))).is_none());
    }
}
