//! A terminal's pages: command lines with all that they said and how they ended, pinned whole. What the program
//! complains about stands below what it prints, and its exit code comes last.

use std::process::Output;

use super::neutral;
use super::pinned::Page;

impl Page {
    /// A page in the folder of the terminal's pages.
    pub(crate) fn of_terminal(name: &str) -> Self {
        Self::new(format!("terminal-{}", name.replace('_', "-")))
    }

    /// What these words after the program's name said.
    pub(crate) fn ran(&mut self, words: &[&str], output: &Output) {
        self.ran_so(&line(words), output);
    }

    /// What a command line said under circumstances that its title names.
    pub(crate) fn ran_so(&mut self, title: &str, output: &Output) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = (text(&output.stdout), text(&output.stderr));
        self.said(title, (&said.0, &said.1), output.status.code());
    }

    pub(crate) fn said(&mut self, title: &str, (out, err): (&str, &str), code: Option<i32>) {
        let mut text = out.to_owned();
        if !err.is_empty() {
            text.push_str("stderr:\n");
            text.push_str(err);
        }
        let code = code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
        text.push_str(&format!("exit: {code}"));
        self.add(&neutral::terminal(title), &neutral::terminal(&text));
    }
}

/// A command line as an operator would type it.
pub(crate) fn line(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            (*word).to_owned()
        } else {
            format!("'{}'", word.escape_debug())
        }
    });
    let mut line = "countersign".to_owned();
    for word in quoted {
        line.push(' ');
        line.push_str(&word);
    }
    line
}
