//! Lines in Discord's Markdown. Whatever a span says, it is shown as it is: it formats nothing, links nothing
//! and mentions no one.

use std::fmt::Write as _;

use crate::chats::text::{Line, Shape, Span};

/// Commands are registered here, each by its own name.
pub(super) fn command(line: &str) -> String {
    line.to_owned()
}

/// Parts an `@` from what follows, so that it is no mention, in code neither.
const APART: char = '\u{200b}';

pub(super) fn write(line: &Line) -> String {
    let mut text = match line.shape {
        Shape::Plain => String::new(),
        Shape::Item(depth) => format!("{}- ", "  ".repeat(depth.min(3))),
    };
    for (index, span) in line.spans.iter().enumerate() {
        match span {
            Span::Plain(words) if index == 0 => text.push_str(&beginning(words)),
            Span::Plain(words) => text.push_str(&escaped(words)),
            Span::Bold(words) if words.is_empty() => {}
            Span::Bold(words) => {
                // Writing to a string cannot fail.
                let _written = write!(text, "**{}**", escaped(words));
            }
            Span::Code(words) if words.is_empty() => text.push_str("(nothing)"),
            Span::Code(words) => {
                let _written = write!(text, "`{}`", apart(&words.replace('`', "'")));
            }
            Span::Link { words, .. } if words.is_empty() => {}
            Span::Link { words, url } => {
                let _written = write!(text, "[{}]({url})", escaped(words));
            }
            Span::Time(at) => {
                let _written = write!(text, "<t:{}:f>", at.as_second());
            }
            Span::Away(at) => {
                let _written = write!(text, "<t:{}:R>", at.as_second());
            }
        }
    }
    text
}

/// Text without a mention, where marks mean nothing anyway.
pub(super) fn apart(text: &str) -> String {
    text.replace('@', &format!("@{APART}"))
}

/// Text that means nothing to Discord.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_markup = matches!(
            c,
            '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '[' | ']' | '(' | ')'
        );
        // An address becomes a link by the mark behind its scheme.
        let is_scheme = c == ':' && rest.peek() == Some(&'/');
        if is_markup || is_scheme {
            safe.push('\\');
        }
        safe.push(c);
        if c == '@' {
            safe.push(APART);
        }
    }
    safe
}

/// The same at the beginning of a line, where more means something.
fn beginning(text: &str) -> String {
    let escaped = escaped(text);
    if escaped.trim_start().starts_with(['#', '-', '+']) {
        let blank = escaped.len() - escaped.trim_start().len();
        return format!("{}\\{}", &escaped[..blank], &escaped[blank..]);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_means_anything() {
        for (text, expect) in [
            (
                "plain, with a-b and #12: yes.",
                "plain, with a-b and #12: yes.",
            ),
            ("@everyone <@1>", "@\u{200b}everyone \\<@\u{200b}1\\>"),
            ("[a](https://b)", "\\[a\\]\\(https\\://b\\)"),
            (
                "**b** __u__ ~~s~~ ||x|| `c`",
                "\\*\\*b\\*\\* \\_\\_u\\_\\_ \\~\\~s\\~\\~ \\|\\|x\\|\\| \\`c\\`",
            ),
            ("# big", "\\# big"),
            ("- item", "\\- item"),
            ("> quote", "\\> quote"),
            ("\\*", "\\\\\\*"),
        ] {
            assert_eq!(
                write(&Line::plain(vec![Span::plain(text)])),
                expect,
                "{text}"
            );
        }
    }

    #[test]
    fn spans_are_written_in_discords_way() {
        let line = Line::item(
            1,
            vec![
                Span::bold("a*b"),
                Span::plain(" "),
                Span::code("x_`y`@z"),
                Span::link("#12", "https://h.example/12"),
                Span::Time("2026-01-31T14:00:00Z".parse().unwrap()),
                Span::Away("2026-01-31T14:00:00Z".parse().unwrap()),
            ],
        );
        assert_eq!(
            write(&line),
            "  - **a\\*b** `x_'y'@\u{200b}z`[#12](https://h.example/12)<t:1769868000:f><t:1769868000:R>"
        );
    }
}
