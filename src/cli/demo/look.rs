//! Looks: what people see of a message in a chat or a comment on a forge, as plain lines. The marks of Markdown go, what
//! they mark stays.

use jiff::Timestamp;

use crate::cli::terminal::Paint;

/// A message as it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) paint: Paint,
    /// The first one says what it is about.
    pub(super) lines: Vec<String>,
}

impl Seen {
    /// Whether some line has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.contains(words))
    }

    /// How it stands: what comes before the first gap.
    pub(super) fn news(&self) -> &[String] {
        let end = self.lines.iter().position(String::is_empty);
        &self.lines[..end.unwrap_or(self.lines.len())]
    }

    /// The same without the parts that were there before, which are only named.
    pub(super) fn since(&self, before: &Self) -> Self {
        let parts = |seen: &Self| -> Vec<Vec<String>> {
            let parts = seen.lines.split(String::is_empty);
            parts.map(<[String]>::to_vec).collect()
        };
        let known = parts(before);
        let (mut lines, mut same) = (Vec::new(), Vec::new());
        for part in parts(self) {
            match part.first() {
                Some(name) if known.contains(&part) => same.push(name.clone()),
                _ => {
                    if !lines.is_empty() {
                        lines.push(String::new());
                    }
                    lines.extend(part);
                }
            }
        }
        if !same.is_empty() {
            lines.push(String::new());
            lines.push(format!("(as before: {})", same.join(", ")));
        }
        Self {
            paint: self.paint,
            lines,
        }
    }

    pub(super) fn title(&self) -> &str {
        self.lines.first().map_or("", String::as_str)
    }
}

/// A comment on a forge.
pub(super) fn comment(body: &str, now: Timestamp) -> Seen {
    Seen {
        paint: Paint::Strong,
        lines: lines_of(body, now),
    }
}

/// The lines of a text without the marks that only a page would hide.
pub(super) fn lines_of(text: &str, now: Timestamp) -> Vec<String> {
    let all: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut lines: Vec<String> = Vec::new();
    for (index, line) in all.iter().enumerate() {
        let is_rule = |line: &str| line.starts_with("|-") || line.starts_with("|:-");
        let next = all.get(index + 1).copied().unwrap_or_default();
        let is_mark = line.starts_with("<!--") || line.trim_start().starts_with("```");
        // The head of a table says what its rows show anyway.
        if is_mark || is_rule(line) || (line.starts_with('|') && is_rule(next)) {
            continue;
        }
        let line = match line.strip_prefix('|') {
            Some(row) => format!("- {}", cells(row)),
            None => (*line).to_owned(),
        };
        let line = plain(&line, now);
        let is_repeated_gap = line.is_empty() && lines.last().is_some_and(String::is_empty);
        if !is_repeated_gap {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn cells(row: &str) -> String {
    let cells = row.split('|').map(str::trim);
    let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    cells.join(" · ")
}

/// One line without its marks. Backticks stay: they stand around what can be typed.
fn plain(line: &str, now: Timestamp) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        if first == '\\' && behind.starts_with(|c: char| c.is_ascii_punctuation()) {
            text.push_str(&behind[..1]);
            rest = &behind[1..];
        } else if let Some(left) = rest.strip_prefix("**") {
            rest = left;
        } else if let Some((words, left)) = link(rest) {
            text.push_str(&plain(words, now));
            rest = left;
        } else if let Some((time, left)) = time(rest, now) {
            text.push_str(&time);
            rest = left;
        } else {
            // What has no shape, and what moves a cursor, is not shown.
            let is_shown = !first.is_control() && first != '\u{200b}';
            text.extend(is_shown.then_some(first));
            rest = behind;
        }
    }
    text
}

/// The words of `[words](address)`, and what follows.
fn link(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let (words, behind) = inside.split_once("](")?;
    let (_, rest) = behind.split_once(')')?;
    (!words.contains('[')).then_some((words, rest))
}

/// `<t:seconds:R>` in words, `<t:seconds:f>` as a date, and what follows.
fn time(text: &str, now: Timestamp) -> Option<(String, &str)> {
    let inside = text.strip_prefix("<t:")?;
    let (number, behind) = inside.split_once(':')?;
    let (style, rest) = behind.split_once('>')?;
    let at = number.parse::<i64>().ok()?;
    if style != "R" {
        let at = Timestamp::from_second(at).ok()?;
        return Some((at.strftime("%Y-%m-%d %H:%M UTC").to_string(), rest));
    }
    let seconds = at - now.as_second();
    let amount = |seconds: i64| match seconds {
        0..60 => format!("{seconds} s"),
        60..5_400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    };
    let words = match seconds {
        -5..=5 => "just now".to_owned(),
        6.. => format!("in {}", amount(seconds)),
        _ => format!("{} ago", amount(-seconds)),
    };
    Some((words, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (text, expect) in [
            ("**Release #1**: shop", "Release #1: shop"),
            ("a\\_b \\[x\\]\\(y\\) c:\\d", "a_b [x](y) c:\\d"),
            ("[1a2b3c4](https://h.example/1) Sell", "1a2b3c4 Sell"),
            ("say `/approve #1`", "say `/approve #1`"),
            ("<t:1014400:R>", "in 4 h"),
            ("<t:1000002:R>.", "just now."),
            ("<t:999000:R>", "17 min ago"),
            ("at <t:1014400:f>.", "at 1970-01-12 17:46 UTC."),
            ("@\u{200b}ann \u{1b}[2J", "@ann [2J"),
            ("[not a link] (x)", "[not a link] (x)"),
            ("a < b", "a < b"),
        ] {
            assert_eq!(plain(text, now), expect, "{text:?}");
        }
    }

    #[test]
    fn a_comment_is_read_as_a_page_shows_it() {
        let now = Timestamp::UNIX_EPOCH;
        let body = "\
<!-- countersign comment/1/2 -->
**Refused**: no


| gate | is |
|---|---|
| `build` | green |
- one
```
code
```
";
        let expect = ["Refused: no", "", "- `build` · green", "- one", "code"];
        assert_eq!(comment(body, now).lines, expect);
    }

    #[test]
    fn what_has_not_changed_is_only_named() {
        let seen = |lines: &[&str]| Seen {
            paint: Paint::New,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        };
        let before = seen(&["Ready", "nobody", "", "Passed", "- a", "", "[ Deploy ]"]);
        let after = seen(&["Waiting", "ann", "", "Passed", "- a", "", "[ Approve ]"]);
        assert_eq!(before.news(), ["Ready", "nobody"]);
        let expect = [
            "Waiting",
            "ann",
            "",
            "[ Approve ]",
            "",
            "(as before: Passed)",
        ];
        assert_eq!(after.since(&before).lines, expect);
    }
}
