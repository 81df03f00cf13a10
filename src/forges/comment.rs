//! Comments: a message in the Markdown that both forges show. A span from outside formats nothing, links nothing and
//! mentions nobody; a command that GitLab would take for its own is written behind our name there.

use std::fmt::Write as _;

use crate::domain::Forge;
use crate::domain::command::written_on;
use crate::domain::text::{Line, Message, Span, Text, moment};

/// Digits of a commit's whole id.
const WHOLE: usize = 40;

/// The text of a comment.
pub fn write(message: &Message, forge: Forge) -> String {
    let mut text = String::new();
    for line in message.lines() {
        match line {
            Line::Plain(words) => text.push_str(&spans(words, forge)),
            Line::Item(depth, words) => {
                text.push_str(&"  ".repeat(*depth));
                text.push_str("- ");
                text.push_str(&spans(words, forge));
            }
            Line::Head(head) => {
                text.push_str(&row(head, forge));
                text.push_str("\n|");
                text.push_str(&"---|".repeat(head.len()));
            }
            Line::Row(cells) => text.push_str(&row(cells, forge)),
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// In a table a bar ends its cell, in code too.
fn row(cells: &[Text], forge: Forge) -> String {
    let mut text = "|".to_owned();
    for cell in cells {
        // Writing to a string cannot fail.
        let _written = write!(text, " {} |", spans(cell, forge).replace('|', "\\|"));
    }
    text
}

fn spans(text: &Text, forge: Forge) -> String {
    text.spans().iter().map(|one| span(one, forge)).collect()
}

fn span(span: &Span, forge: Forge) -> String {
    match span {
        Span::Plain(words) => escaped(words),
        Span::Strong(words) => format!("**{}**", escaped(words)),
        // Both forges link a whole id that stands alone.
        Span::Commit(id) if id.len() >= WHOLE => id.clone(),
        Span::Code(text) | Span::Person(text) | Span::Commit(text) => format!("`{text}`"),
        Span::Command(line) => format!("`{}`", written_on(forge, line)),
        Span::Link { words, url } => format!("[{}]({url})", escaped(words)),
        Span::Time(at) => moment(*at),
        Span::Written(markdown) => markdown.clone(),
    }
}

/// Words that format nothing. Those of ours have no marks; a forge's own message may have some.
fn escaped(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '~' => {
                text.push('\\');
                text.push(c);
            }
            // It would call the account that is named behind it.
            '@' => text.push_str("@\u{200b}"),
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::domain::text::{code, command, link, named, strong, text};

    use super::*;

    #[test]
    fn a_message_is_written_in_the_marks_of_a_comment() {
        let mut message = Message::default();
        message.say(text![
            strong("Refused"),
            ": ",
            named("ann"),
            " at ",
            code("a_b")
        ]);
        message.item(0, text!["❌ no. Say ", command("/approve #1")]);
        message.item(1, link("run", "https://x.example/1"));
        message.table(["a", "b"], vec![vec![text![code("x|y")], Text::default()]]);
        let on_github = "**Refused**: `ann` at `a_b`\n\n- ❌ no. Say `/approve #1`\n  - [run](https://x.example/1)\n\n\
            | a | b |\n|---|---|\n| `x\\|y` |  |";
        assert_eq!(write(&message, Forge::GitHub), on_github);
        let on_gitlab = on_github.replace("`/approve", "`/countersign approve");
        assert_eq!(write(&message, Forge::GitLab), on_gitlab);
    }

    #[test]
    fn what_a_forge_says_formats_nothing() {
        let said = text!["GitHub: @ann **big** [x](y) <b> `c`\n# no"];
        assert_eq!(
            write(&said.into(), Forge::GitHub),
            "GitHub: @\u{200b}ann \\*\\*big\\*\\* \\[x\\](y) \\<b\\> \\`c\\` # no"
        );
    }

    #[test]
    fn what_was_stored_as_markdown_is_shown_as_it_was_written() {
        let old: Message = serde_json::from_str("\"**Void**\\n\\n- `a`\"").unwrap();
        assert_eq!(write(&old, Forge::GitHub), "**Void**\n\n- `a`");
    }
}
