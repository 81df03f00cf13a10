//! Rust text as words, strings and marks. Comments are left out; so are the insides of characters and
//! lifetimes. Enough to find paths and attributes, and no more.

/// A piece of source, with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword; `r#` is taken off.
    Word,
    /// What stands between the quotes of a string of any sort.
    Text,
    /// `::`, or any other single character.
    Mark,
    /// Characters, lifetimes, numbers.
    Other,
}

impl Token {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(crate) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }
}

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut reader = Reader {
        letters: source.chars().collect(),
        at: 0,
        line: 1,
    };
    let mut found = Vec::new();
    while let Some(token) = reader.next() {
        found.push(token);
    }
    found
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        self.skip_blanks_and_comments();
        let line = self.line;
        let (kind, text) = match self.peek(0)? {
            '"' => (Kind::Text, self.string()),
            '\'' => (Kind::Other, self.character_or_lifetime()),
            letter if letter.is_alphabetic() || letter == '_' => self.word(),
            digit if digit.is_ascii_digit() => (Kind::Other, self.run()),
            ':' if self.peek(1) == Some(':') => {
                self.step();
                self.step();
                (Kind::Mark, "::".to_owned())
            }
            mark => {
                self.step();
                (Kind::Mark, mark.to_string())
            }
        };
        Some(Token { line, kind, text })
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn step(&mut self) -> Option<char> {
        let letter = self.peek(0)?;
        self.at += 1;
        if letter == '\n' {
            self.line += 1;
        }
        Some(letter)
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('/')) => {
                    while self.peek(0).is_some_and(|letter| letter != '\n') {
                        self.step();
                    }
                }
                (Some('/'), Some('*')) => self.skip_block_comment(),
                (Some(blank), _) if blank.is_whitespace() => {
                    self.step();
                }
                _ => return,
            }
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) {
        let mut open = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    open += 1;
                    self.step();
                }
                (Some('*'), Some('/')) => {
                    open -= 1;
                    self.step();
                }
                (Some(_), _) => {}
                (None, _) => return,
            }
            self.step();
            if open == 0 {
                return;
            }
        }
    }

    fn run(&mut self) -> String {
        let mut run = String::new();
        while let Some(letter) = self.peek(0) {
            if !letter.is_alphanumeric() && letter != '_' {
                break;
            }
            run.push(letter);
            self.step();
        }
        run
    }

    /// A word, or the string that it is the prefix of.
    fn word(&mut self) -> (Kind, String) {
        let word = self.run();
        match (word.as_str(), self.peek(0)) {
            ("b" | "c", Some('"')) => (Kind::Text, self.string()),
            ("r" | "br" | "cr", Some('"' | '#')) => {
                let fences = (0..)
                    .take_while(|ahead| self.peek(*ahead) == Some('#'))
                    .count();
                match self.peek(fences) {
                    Some('"') => (Kind::Text, self.raw_string(fences)),
                    _ if word == "r" && fences == 1 => {
                        self.step();
                        (Kind::Word, self.run())
                    }
                    _ => (Kind::Word, word),
                }
            }
            _ => (Kind::Word, word),
        }
    }

    fn string(&mut self) -> String {
        self.step();
        let mut text = String::new();
        while let Some(letter) = self.step() {
            match letter {
                '"' => break,
                '\\' => {
                    text.push(letter);
                    text.extend(self.step());
                }
                _ => text.push(letter),
            }
        }
        text
    }

    fn raw_string(&mut self, fences: usize) -> String {
        for _ in 0..=fences {
            self.step();
        }
        let mut text = String::new();
        while let Some(letter) = self.step() {
            let closes = letter == '"' && (0..fences).all(|ahead| self.peek(ahead) == Some('#'));
            if closes {
                self.at += fences;
                break;
            }
            text.push(letter);
        }
        text
    }

    fn character_or_lifetime(&mut self) -> String {
        self.step();
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.step();
                self.step();
                while self.step().is_some_and(|letter| letter != '\'') {}
            }
            (Some(_), Some('\'')) => {
                self.step();
                self.step();
            }
            _ => {
                self.run();
            }
        }
        "'".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source)
            .into_iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn only_code_is_words() {
        for (source, expect) in [
            ("a // b\nc", vec!["a", "c"]),
            ("a /* b /* c */ d */ e", vec!["a", "e"]),
            ("/** a */ b //! c", vec!["b"]),
            (r#"a "b \" c" d"#, vec!["a", "d"]),
            (r####"a r##"b "# c"## d"####, vec!["a", "d"]),
            (r##"a br#"b"# c"x" b"y" cr"z" d"##, vec!["a", "d"]),
            ("a \"b // c\" d", vec!["a", "d"]),
            (r"a '\'' b '\u{1f600}' c", vec!["a", "b", "c"]),
            ("a '\"' b '/' '/' c", vec!["a", "b", "c"]),
            ("fn a<'b>(c: &'b d)", vec!["fn", "a", "c", "d"]),
            ("'a: loop { break 'a }", vec!["loop", "break"]),
            ("b'x' 'é' a", vec!["b", "a"]),
            ("r#a r b", vec!["a", "r", "b"]),
            ("0x1f 1_000u64 1.5e3 a", vec!["a"]),
            ("\"never closed", vec![]),
            ("/* never closed", vec![]),
        ] {
            assert_eq!(words(source), expect, "{source}");
        }
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let source = "/*\n*/ a\n\"\\\n\n\" r\"\n\" b 'c' \n// d\ne";
        let lines: Vec<_> = tokens(source)
            .into_iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| (token.text, token.line))
            .collect();
        let expect = [("a", 2), ("b", 6), ("e", 8)];
        assert_eq!(lines, expect.map(|(word, line)| (word.to_owned(), line)));
    }

    #[test]
    fn double_colons_are_one_mark() {
        let marks: Vec<_> = tokens("a::b : c")
            .into_iter()
            .filter(|token| token.kind == Kind::Mark)
            .map(|token| token.text)
            .collect();
        assert_eq!(marks, ["::", ":"]);
    }
}
