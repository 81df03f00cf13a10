//! Lines as people and their chat clients write them, and back. Curly quotes, long dashes and invisible
//! characters are undone on the line of a command only; nothing here knows which commands exist.

/// Stands in for `#` while words are split: to a shell, a word that begins with `#` is a comment, and
/// `/approve #42` would silently approve something else.
const HASH: char = '\u{e000}';

/// How much of a word is repeated to the person who wrote it.
const LONGEST_SHOWN: usize = 40;

/// Whether a line may hold a command at all. Cheap, because most lines do not.
pub(super) fn begins_with_slash(line: &str) -> bool {
    line.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c))
        .starts_with('/')
}

/// The line as it was typed, before a chat client made it prettier.
pub(super) fn tidy(line: &str) -> String {
    line.chars()
        .filter(|&c| !is_invisible(c))
        .map(plain)
        .collect()
}

/// The words of a tidy line; nothing if a quotation mark stays open.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let line = line.replace('#', &HASH.to_string());
    let words = shell_words::split(&line).ok()?;
    let back = |word: &String| with_plain_dashes(&word.replace(HASH, "#"));
    Some(words.iter().map(back).collect())
}

/// A word such that `split` gives it back.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/#@+=!".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// A word as part of an answer: short, on one line, and unable to leave its code span.
pub(super) fn shown(word: &str) -> String {
    let mut text: String = word
        .chars()
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .take(LONGEST_SHOWN)
        .collect();
    if word.chars().nth(LONGEST_SHOWN).is_some() {
        text.push('…');
    }
    format!("`{text}`")
}

fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '‟' | '«' | '»' => '"',
        '‘' | '’' | '‚' | '‛' => '\'',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Characters without a shape; those that turn the direction of text are among them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
            | HASH
    )
}

/// `—dry-run` is what a phone makes of `--dry-run`.
fn with_plain_dashes(word: &str) -> String {
    let rest = word.trim_start_matches(is_dash);
    let dashes = word.strip_suffix(rest).unwrap_or_default();
    if dashes.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return word.to_owned();
    }
    format!("--{rest}")
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chat_clients_put_in_is_undone() {
        let check = |line: &str, expect: &[&str]| {
            assert_eq!(split(&tidy(line)).unwrap(), expect, "{line:?}");
        };
        check("a b", &["a", "b"]);
        check(
            "—reason “it’s late” –dry-run",
            &["--reason", "it's late", "--dry-run"],
        );
        check("—-for 2h", &["--for", "2h"]);
        check("−−for", &["--for"]);
        check("--reason=‘two words’", &["--reason=two words"]);
        check("« guillemets »", &[" guillemets "]);
        check("a\u{a0}b\u{2003}c\u{3000}d\te", &["a", "b", "c", "d", "e"]);
        check("de\u{200b}ploy \u{202e}prod\u{feff}", &["deploy", "prod"]);
        check("\"before — after – –5\"", &["before — after – –5"]);
        check("— –", &["—", "–"]);
        check("-x --y ---z", &["-x", "--y", "---z"]);
    }

    #[test]
    fn words_are_split_as_in_a_shell_but_a_number_sign_is_no_comment() {
        let check = |line: &str, expect: Option<&[&str]>| {
            let found = split(&tidy(line));
            let found: Option<Vec<&str>> = found
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), expect, "{line:?}");
        };
        check("#42 x", Some(&["#42", "x"]));
        check("a #b \"#c\" d#e", Some(&["a", "#b", "#c", "d#e"]));
        check(
            r#""say \"hi\"" 'a "b"' "" c\ d"#,
            Some(&["say \"hi\"", "a \"b\"", "", "c d"]),
        );
        check("it's", None);
        check("\"open", None);
        check("", Some(&[]));
    }

    #[test]
    fn words_in_answers_stay_in_their_code_span() {
        assert_eq!(shown("main"), "`main`");
        assert_eq!(shown("`@all` \u{7}"), "`'@all' \u{fffd}`");
        assert_eq!(shown(&"x".repeat(41)), format!("`{}…`", "x".repeat(40)));
    }
}
