//! Our own Markdown, in which the desk answers, read into lines: bold, code, links, lists, tables, fences.
//! Everything from outside stands in code there; what is not understood stays as it is written.

use super::text::{Line, Shape, Span};

/// The lines of a text.
pub(super) fn read(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut is_fenced = false;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_end();
        if bare.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            lines.push(Line::plain(vec![Span::code(bare)]));
        } else if let Some(row) = bare.strip_prefix('|') {
            let next = text.lines().nth(index + 1).unwrap_or_default();
            // The head of a table says what its rows show anyway.
            if !is_rule(bare) && !is_rule(next) {
                lines.push(Line::item(0, cells(row)));
            }
        } else {
            lines.push(line_of(bare));
        }
    }
    lines.dedup_by(|line, before| line.is_blank() && before.is_blank());
    while lines.last().is_some_and(Line::is_blank) {
        lines.pop();
    }
    let first = lines.iter().position(|line| !line.is_blank());
    lines.split_off(first.unwrap_or(lines.len()))
}

fn line_of(line: &str) -> Line {
    let rest = line.trim_start_matches(' ');
    match rest.strip_prefix("- ") {
        Some(item) => Line::item((line.len() - rest.len()) / 2, spans(item)),
        None => Line {
            shape: Shape::Plain,
            spans: spans(rest),
        },
    }
}

/// The line below the head of a table.
fn is_rule(line: &str) -> bool {
    line.starts_with("|-") || line.starts_with("|:-")
}

/// The cells of a row that hold something, in one line.
fn cells(row: &str) -> Vec<Span> {
    let row = row.strip_suffix('|').unwrap_or(row);
    let mut line = Vec::new();
    let mut cell = String::new();
    let mut close = |cell: &mut String| {
        let spans = spans(&std::mem::take(cell).replace("\\|", "|"));
        if !spans.is_empty() && !line.is_empty() {
            line.push(Span::Plain(" · ".to_owned()));
        }
        line.extend(spans);
    };
    let mut before = ' ';
    for c in row.chars() {
        if c == '|' && before != '\\' {
            close(&mut cell);
        } else {
            cell.push(c);
        }
        before = c;
    }
    close(&mut cell);
    line
}

/// What a line is made of.
fn spans(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut is_bold = false;
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            if is_bold || after.contains("**") {
                close(&mut plain, is_bold, &mut found);
                is_bold = !is_bold;
                rest = after;
                continue;
            }
        } else if let Some((code, after)) = code(rest) {
            close(&mut plain, is_bold, &mut found);
            found.push(Span::code(code));
            rest = after;
            continue;
        } else if let Some((words, url, after)) = link(rest) {
            close(&mut plain, is_bold, &mut found);
            found.push(Span::link(words.replace(['`', '*'], ""), url));
            rest = after;
            continue;
        }
        plain.push(c);
        rest = &rest[c.len_utf8()..];
    }
    close(&mut plain, is_bold, &mut found);
    found
}

fn close(plain: &mut String, is_bold: bool, found: &mut Vec<Span>) {
    let text = std::mem::take(plain);
    if text.is_empty() {
        return;
    }
    if !is_bold || text.trim().is_empty() {
        return found.push(Span::plain(text));
    }
    // A blank at the edge would keep a chat from making it bold.
    if text.starts_with(' ') {
        found.push(Span::plain(" "));
    }
    found.push(Span::bold(&text));
    if text.ends_with(' ') {
        found.push(Span::plain(" "));
    }
}

fn code(text: &str) -> Option<(&str, &str)> {
    let (code, after) = text.strip_prefix('`')?.split_once('`')?;
    (!code.trim().is_empty()).then_some((code, after))
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (url, after) = rest.split_once(')')?;
    let is_one = !words.contains(['[', ']']) && !words.is_empty();
    is_one.then_some((words, url, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        read(text)
            .iter()
            .map(|line| {
                let spans = line.spans.iter().map(|span| match span {
                    Span::Plain(text) => text.clone(),
                    Span::Bold(text) => format!("<b>{text}</b>"),
                    Span::Code(text) => format!("<c>{text}</c>"),
                    Span::Link { words, url } => format!("<a {url}>{words}</a>"),
                    Span::Time(at) => at.to_string(),
                });
                let spans: String = spans.collect();
                match line.shape {
                    Shape::Plain => spans,
                    Shape::Item(depth) => format!("{depth}- {spans}"),
                }
            })
            .collect()
    }

    #[test]
    fn what_the_desk_writes_is_read() {
        let check = |text: &str, expect: &[&str]| assert_eq!(shown(text), expect, "{text}");
        check("", &[]);
        check(
            "**Refused**\n\n- ❌ gates\n  - ✅ `a_b*c` is [green](https://x.example/1) now\n",
            &[
                "<b>Refused</b>",
                "",
                "0- ❌ gates",
                "1- ✅ <c>a_b*c</c> is <a https://x.example/1>green</a> now",
            ],
        );
        check(
            "x → **prod**: [`#4`](https://x.example)",
            &["x → <b>prod</b>: <a https://x.example>#4</a>"],
        );
        check(
            "\n\na\n\n\n| command | what |\n|---|---|\n| `/deploy ENV [SHA\\|PR]` | release |\n| 7 |  | `a \\| b` |\n",
            &[
                "a",
                "",
                "0- <c>/deploy ENV [SHA|PR]</c> · release",
                "0- 7 · <c>a | b</c>",
            ],
        );
        check("```\n- **x**\n```\nend", &["<c>- **x**</c>", "end"]);
        check(
            "2 ** 3, `open, [a](javascript:b) [c](",
            &["2 ** 3, `open, a [c]("],
        );
        check("`**x**` **`y` z**", &["<c>**x**</c> <c>y</c> <b>z</b>"]);
    }

    #[test]
    fn nothing_of_the_desk_is_lost() {
        for text in [
            crate::domain::command::help(),
            crate::domain::command::help_for("lock"),
        ] {
            let shown = shown(&text).join("\n");
            assert!(!shown.contains("**") && !shown.contains('`'), "{shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[-a`*|\\[\\]()\\\\ \n#é]{0,60}") {
            let _ = read(&text);
        }
    }
}
