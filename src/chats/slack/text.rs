//! Lines in Slack's own markup. Whatever a span says, it is shown as it is: it formats nothing, links nothing
//! and mentions no one. Slack has no way to write its marks as themselves but for `&`, `<` and `>`, so the
//! others become characters that look like them.

use std::fmt::Write as _;

use crate::chats::text::{Line, Shape, Span};

/// Two commands are registered here: releases have one of their own, the others are written behind our name.
pub(super) fn command(line: &str) -> String {
    match line.strip_prefix('/') {
        Some(rest) if rest != "deploy" && !rest.starts_with("deploy ") => {
            format!("/countersign {rest}")
        }
        Some(_) | None => line.to_owned(),
    }
}

pub(super) fn write(line: &Line) -> String {
    let mut text = match line.shape {
        Shape::Plain => String::new(),
        Shape::Item(0) => "• ".to_owned(),
        Shape::Item(depth) => format!("{}◦ ", "    ".repeat(depth.min(3))),
    };
    for span in &line.spans {
        // Writing to a string cannot fail.
        let _written = match span {
            Span::Plain(words) => write!(text, "{}", escaped(words)),
            Span::Bold(words) if words.is_empty() => Ok(()),
            Span::Bold(words) => write!(text, "*{}*", escaped(words)),
            Span::Code(words) if words.is_empty() => write!(text, "(nothing)"),
            Span::Code(words) => write!(text, "`{}`", safe(&words.replace('`', "'"))),
            Span::Link { words, .. } if words.is_empty() => Ok(()),
            Span::Link { words, url } => {
                write!(text, "<{}|{}>", safe(url), escaped(words).replace('|', "∣"))
            }
            Span::Time(at) | Span::Away(at) => {
                let fallback = at.strftime("%Y-%m-%d %H:%M UTC");
                let seconds = at.as_second();
                write!(
                    text,
                    "<!date^{seconds}^{{date_short_pretty}} {{time}}|{fallback}>"
                )
            }
        };
    }
    text
}

/// The three characters by which Slack knows its own.
pub(super) fn safe(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text that means nothing to Slack.
pub(super) fn escaped(text: &str) -> String {
    let mut quiet = String::with_capacity(text.len());
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        let after = text[index + c.len_utf8()..].chars().next().unwrap_or(' ');
        let is_inside = before.is_alphanumeric() && after.is_alphanumeric();
        quiet.push(match c {
            '*' => '∗',
            '~' => '∼',
            '`' => '\'',
            // Inside a word it is only a line.
            '_' if !is_inside => '＿',
            // Otherwise `:x:` would be a picture.
            ':' if is_picture(&text[index + 1..]) => '∶',
            // At the beginning of a line it quotes, also when it is escaped.
            '>' if index == 0 => '›',
            c => c,
        });
        before = c;
    }
    safe(&quiet)
}

/// Whether a colon was the beginning of a picture's name.
fn is_picture(rest: &str) -> bool {
    let Some((name, _)) = rest.split_once(':') else {
        return false;
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'');
    !name.is_empty() && name.chars().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_means_anything() {
        for (text, expect) in [
            (
                "plain, with a_b-c and #12: yes.",
                "plain, with a_b-c and #12: yes.",
            ),
            ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
            ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
            ("*b* _i_ ~s~ `c`", "∗b∗ ＿i＿ ∼s∼ 'c'"),
            ("> quote", "› quote"),
            (":x: is :white_check_mark:", "∶x: is ∶white_check_mark:"),
            ("at 10:30 fix: a", "at 10:30 fix: a"),
        ] {
            assert_eq!(
                write(&Line::plain(vec![Span::plain(text)])),
                expect,
                "{text}"
            );
        }
    }

    #[test]
    fn spans_are_written_in_slacks_way() {
        let line = Line::item(
            1,
            vec![
                Span::bold("a*b"),
                Span::plain(" "),
                Span::code("x_`y`<z>"),
                Span::link("#12|<", "https://h.example/12?a=1&b=2"),
                Span::Time("2026-01-31T14:00:00Z".parse().unwrap()),
            ],
        );
        assert_eq!(
            write(&line),
            "    ◦ *a∗b* `x_'y'&lt;z&gt;`<https://h.example/12?a=1&amp;b=2|#12∣&lt;>\
             <!date^1769868000^{date_short_pretty} {time}|2026-01-31 14:00 UTC>"
        );
    }
}
