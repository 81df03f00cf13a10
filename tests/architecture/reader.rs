//! Reader of Rust: goes from word to word and into every bracket, and no deeper than the laws look. So what a macro is
//! given is read like all other code, whatever grammar it follows. proc-macro2 tells words and brackets; syn takes
//! imports and strings apart, and knows the keywords.

use std::mem;

use proc_macro2::{Delimiter, Ident, LexError, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Lit, UseName, UseRename, UseTree};

use super::facts::{Fact, Kind, Words, learn_names, within_crate};

/// The facts about a file that is this module.
pub(crate) fn facts(text: &'static str, module: &[&'static str]) -> Result<Vec<Fact>, LexError> {
    let mut reader = Reader::default();
    reader.module.extend(module);
    // syn knows no `$`, which stands before what a macro puts in.
    reader.read(text.replace('$', " ").parse()?);
    let first_test = reader.found.iter().find(|fact| fact.in_tests);
    reader.line = first_test.map_or(text.lines().count(), |fact| fact.line - 1);
    reader.add(Kind::Length, Vec::new());
    reader.line = 1;
    reader.add(Kind::Opening, text.lines().next().into_iter().collect());
    learn_names(&mut reader.found);
    Ok(reader.found)
}

#[derive(Default)]
struct Reader {
    /// With the inline modules that are open.
    module: Words,
    line: usize,
    found: Vec<Fact>,
    in_tests: bool,
    in_attribute: bool,
}

impl Reader {
    /// Reads a file, or what stands between two brackets.
    fn read(&mut self, tokens: TokenStream) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let words: Words = trees.iter().map(said).collect();
        let around = self.in_tests;
        let mut at = 0;
        while at < words.len() {
            self.line = trees[at].span().start().line;
            at += self.piece(&words[at..], &trees[at..]);
            // A test ends with its `;` or its braces.
            self.in_tests &= around || !matches!(words[at - 1], ";" | "{");
        }
        self.in_tests = around;
    }

    /// Reads what comes first, and returns of how many words it is.
    fn piece(&mut self, words: &[&'static str], trees: &[TokenTree]) -> usize {
        match *words {
            ["use", ..] => 1 + self.import(&words[1..], &trees[1..]),
            ["extern", "crate", ..] => 2 + self.import(&words[2..], &trees[2..]),
            ["#", "[", ..] => {
                self.attribute(&trees[1]);
                2
            }
            ["#", "!", "[", ..] => {
                self.attribute(&trees[2]);
                3
            }
            ["mod", name, ";", ..] => {
                self.add(Kind::Module, vec![name]);
                3
            }
            ["mod", name, "{", ..] => {
                self.module.push(name);
                self.piece(&words[2..], &trees[2..]);
                self.module.pop();
                3
            }
            [".", method, "(", ..] => {
                let given = inside(&trees[2]).into_iter().next();
                let text = given.as_ref().and_then(text_of);
                self.add(Kind::Call, [method].into_iter().chain(text).collect());
                1
            }
            ["impl", ..] => {
                let head = words
                    .iter()
                    .take_while(|word| !matches!(**word, "{" | "(" | ";"));
                self.add(Kind::Implementation, head.copied().collect());
                1
            }
            ["(" | "[" | "{", ..] => {
                self.read(inside(&trees[0]));
                1
            }
            ["", ..] => {
                if let Some(text) = text_of(&trees[0]) {
                    self.add(Kind::Text, vec![text]);
                }
                1
            }
            ["'", _, ..] => 2,
            [":", ":", word, ..] if is_name(word) => 2 + self.path(vec!["::"], &words[2..]),
            [word, ..] if is_name(word) => self.path(Vec::new(), words),
            _ => 1,
        }
    }

    /// Words that colons join, or one that stands alone.
    fn path(&mut self, mut path: Words, words: &[&'static str]) -> usize {
        path.push(words[0]);
        let mut behind = &words[1..];
        while let [":", ":", word, next @ ..] = behind
            && is_name(word)
            && (path.len() > 1 || begins_path(words[0]))
        {
            path.push(word);
            behind = next;
        }
        let kind = match path[..] {
            ["allow"] if self.in_attribute => Kind::Allow,
            [_] => Kind::Name,
            _ => Kind::Path,
        };
        self.add(kind, path);
        words.len() - behind.len()
    }

    fn attribute(&mut self, tree: &TokenTree) {
        let inner = inside(tree);
        let text = inner.to_string();
        // Documents may show what code may not do.
        if text.starts_with("doc =") {
            return;
        }
        self.in_tests |= text == "cfg (test)";
        let outside = mem::replace(&mut self.in_attribute, true);
        self.read(inner);
        self.in_attribute = outside;
    }

    /// What stands behind `use` or `extern crate`, before its `;`. But `use<'a>` imports nothing.
    fn import(&mut self, words: &[&'static str], trees: &[TokenTree]) -> usize {
        let end = words.iter().position(|word| *word == ";");
        let end = end.unwrap_or(words.len());
        let is_global = words.starts_with(&[":", ":"]);
        let trunk = if is_global { vec!["::"] } else { Vec::new() };
        let start = 2 * trunk.len();
        match syn::parse2(trees[start..end].iter().cloned().collect()) {
            Ok(tree) => {
                self.branch(&tree, &trunk);
                end
            }
            Err(_) => 0,
        }
    }

    /// One branch of an import: a name, everything, or a group of branches.
    fn branch(&mut self, tree: &UseTree, trunk: &[&'static str]) {
        let with = |name: &Ident| [trunk, &[kept(name)]].concat();
        match tree {
            UseTree::Path(path) => self.branch(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for branch in &group.items {
                    self.branch(branch, trunk);
                }
            }
            UseTree::Glob(glob) => {
                self.line = glob.star_token.span.start().line;
                self.add(Kind::Path, [trunk, &["*"]].concat());
            }
            UseTree::Name(UseName { ident }) => {
                self.line = ident.span().start().line;
                let path = with(ident);
                let known_as = path.iter().rfind(|word| **word != "self").copied();
                self.add(Kind::Path, path).known_as = known_as;
            }
            UseTree::Rename(UseRename { ident, rename, .. }) => {
                self.line = ident.span().start().line;
                self.add(Kind::Name, vec![kept(rename)]);
                self.add(Kind::Path, with(ident)).known_as = Some(kept(rename));
            }
        }
    }

    fn add(&mut self, kind: Kind, words: Words) -> &mut Fact {
        let target = within_crate(&words, &self.module);
        self.found.push_mut(Fact {
            line: self.line,
            in_tests: self.in_tests,
            kind,
            words,
            known_as: None,
            targets: target.filter(|_| kind == Kind::Path).into_iter().collect(),
        })
    }
}

/// A tree by its word, its mark or the bracket that opens it; nothing for a literal.
fn said(tree: &TokenTree) -> &'static str {
    match tree {
        TokenTree::Ident(name) => kept(name),
        TokenTree::Punct(mark) => mark.to_string().leak(),
        TokenTree::Literal(_) => "",
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "(",
            Delimiter::Brace => "{",
            Delimiter::Bracket => "[",
            Delimiter::None => "",
        },
    }
}

/// A name without its `r#`.
fn kept(name: &Ident) -> &'static str {
    name.unraw().to_string().leak()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Whether a word is more than a keyword, such as `return`, behind which a path begins.
fn begins_path(word: &str) -> bool {
    matches!(word, "crate" | "self" | "super" | "Self") || syn::parse_str::<Ident>(word).is_ok()
}

fn inside(tree: &TokenTree) -> TokenStream {
    match tree {
        TokenTree::Group(group) => group.stream(),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => TokenStream::new(),
    }
}

/// What a string of any sort holds.
fn text_of(tree: &TokenTree) -> Option<&'static str> {
    let literal = syn::parse2(tree.clone().into()).ok()?;
    let bytes = if let Lit::Str(text) = literal {
        text.value().into_bytes()
    } else if let Lit::ByteStr(text) = literal {
        text.value()
    } else if let Lit::CStr(text) = literal {
        text.value().into_bytes()
    } else {
        return None;
    };
    str::from_utf8(bytes.leak()).ok()
}
