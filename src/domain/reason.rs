//! Why: a tree of reasons. The same tree is the refusal, the answer to `/why`, the dry run and the
//! evidence in the ledger.

use std::fmt::Write as _;

use super::Detail;

/// One reason, with those that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub mark: Verdict,
    /// A sentence, in Markdown, with everything from outside already escaped.
    pub says: String,
    /// What would help, and who can do it.
    pub help: Option<String>,
    pub under: Vec<Reason>,
}

/// What a reason means for the release. Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Holds,
    /// Good so far, and somebody must still say yes.
    Waits,
    /// It could not be found out, which refuses like a "no".
    Unknown,
    Refuses,
}

impl Reason {
    pub fn new(mark: Verdict, says: impl Into<String>) -> Self {
        Self {
            mark,
            says: says.into(),
            help: None,
            under: Vec::new(),
        }
    }

    pub fn holds(says: impl Into<String>) -> Self {
        Self::new(Verdict::Holds, says)
    }

    pub fn refuses(says: impl Into<String>) -> Self {
        Self::new(Verdict::Refuses, says)
    }

    pub fn unknown(says: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, says)
    }

    pub fn waits(says: impl Into<String>) -> Self {
        Self::new(Verdict::Waits, says)
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A reason that is as good as its worst part.
    pub fn of(says: impl Into<String>, under: Vec<Self>) -> Self {
        let mark = under
            .iter()
            .map(|part| part.mark)
            .max()
            .unwrap_or(Verdict::Holds);
        Self {
            mark,
            says: says.into(),
            help: None,
            under,
        }
    }

    /// Nothing stands in the way but, perhaps, somebody's yes.
    pub fn is_clear(&self) -> bool {
        self.mark <= Verdict::Waits
    }

    /// The reasons at the leaves that stand in the way.
    pub fn obstacles(&self) -> Vec<&Self> {
        if self.mark < Verdict::Unknown {
            return Vec::new();
        }
        if self.under.is_empty() {
            return vec![self];
        }
        self.under.iter().flat_map(Self::obstacles).collect()
    }

    /// A Markdown list.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for part in &self.under {
            part.write(&mut text, 0);
        }
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let sign = match self.mark {
            Verdict::Holds => "✅",
            Verdict::Waits => "⏳",
            Verdict::Unknown => "❔",
            Verdict::Refuses => "❌",
        };
        let indent = "  ".repeat(depth);
        // Writing to a string cannot fail.
        let _written = write!(text, "{indent}- {sign} {}", self.says);
        if let Some(help) = &self.help {
            let stop = if self.says.ends_with(['.', '!', '?', ':']) {
                ""
            } else {
                "."
            };
            let _written = write!(text, "{stop} {help}");
        }
        text.push('\n');
        // What is well is not explained further.
        for part in &self.under {
            if self.mark != Verdict::Holds || depth == 0 {
                part.write(text, depth + 1);
            }
        }
    }

    /// The whole tree for the ledger.
    pub fn detail(&self) -> Detail {
        let verdict = match self.mark {
            Verdict::Holds => "holds",
            Verdict::Waits => "waits",
            Verdict::Unknown => "unknown",
            Verdict::Refuses => "refuses",
        };
        let mut parts = std::collections::BTreeMap::from([
            ("verdict", Detail::from(verdict)),
            ("says", Detail::from(self.says.as_str())),
        ]);
        if !self.under.is_empty() {
            parts.insert("under", self.under.iter().map(Self::detail).collect());
        }
        Detail::Record(parts)
    }
}

/// Text from outside, so that it can neither format, nor link, nor mention anybody.
pub fn code(text: &str) -> String {
    let clean: String = text
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .take(120)
        .collect();
    let clean = clean.trim();
    if clean.is_empty() {
        "(nothing)".to_owned()
    } else {
        format!("`{clean}`")
    }
}

/// What nobody sees, and what turns the direction of the text around it.
pub fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

/// A link to a page of the forge, if it is one; the words alone otherwise.
pub fn link(words: &str, url: &str) -> String {
    let is_plain = url.len() <= 500
        && (url.starts_with("https://") || url.starts_with("http://"))
        && url
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '<' | '>' | '`' | '\\'));
    if is_plain {
        format!("[{words}]({url})")
    } else {
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_harmless() {
        for (text, expect) in [
            ("build", "`build`"),
            ("@everyone `x`\n# big", "`@everyone 'x' # big`"),
            ("", "(nothing)"),
            ("`", "`'`"),
            ("a\u{202e}b\u{200b}c", "`abc`"),
        ] {
            assert_eq!(code(text), expect);
        }
        assert_eq!(
            link("run", "https://x.example/1"),
            "[run](https://x.example/1)"
        );
        for url in [
            "javascript:alert(1)",
            "https://x.example/) [a](b",
            "",
            "https://x y",
        ] {
            assert_eq!(link("run", url), "run");
        }
    }

    #[test]
    fn a_tree_is_as_good_as_its_worst_part() {
        let tree = Reason::of(
            "all",
            vec![
                Reason::holds("fine"),
                Reason::of(
                    "gates",
                    vec![
                        Reason::holds("a"),
                        Reason::refuses("b is red").help("Run it again."),
                    ],
                ),
                Reason::waits("approvals"),
            ],
        );
        assert_eq!(tree.mark, Verdict::Refuses);
        assert_eq!(tree.obstacles().len(), 1);
        assert_eq!(
            tree.render(),
            "- ✅ fine\n- ❌ gates\n  - ✅ a\n  - ❌ b is red. Run it again.\n- ⏳ approvals\n"
        );
    }
}
