//! Canonical JSON: keys in alphabetical order, no white space, whole numbers only. A key that says nothing is
//! left out, so that a version which knows more keys writes the same text for the same meaning.

use std::collections::BTreeMap;

use serde::Serialize;

/// What stands behind a key.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Piece {
    Text(String),
    Number(u64),
    List(Vec<Piece>),
    Record(BTreeMap<String, Piece>),
}

impl Piece {
    /// A list whose order means something.
    pub(super) fn ordered<T: Into<Self>>(parts: impl IntoIterator<Item = T>) -> Self {
        Self::List(parts.into_iter().map(Into::into).collect())
    }

    /// A list whose order means nothing, while two that are the same are still two.
    pub(super) fn unordered<T: Into<Self>>(parts: impl IntoIterator<Item = T>) -> Self {
        let mut parts: Vec<Self> = parts.into_iter().map(Into::into).collect();
        parts.sort_by_cached_key(Self::text);
        Self::List(parts)
    }

    /// A list in which neither order nor repetition means anything.
    pub(super) fn set<T: Into<Self>>(parts: impl IntoIterator<Item = T>) -> Self {
        let parts: BTreeMap<Option<String>, Self> = parts
            .into_iter()
            .map(Into::into)
            .map(|part: Self| (part.text(), part))
            .collect();
        Self::List(parts.into_values().collect())
    }

    /// The text; nothing only if it could not be written.
    pub(super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    fn says_nothing(&self) -> bool {
        match self {
            Self::List(parts) => parts.is_empty(),
            Self::Record(parts) => parts.is_empty(),
            // Who writes an empty text means it: the value of an input, for example.
            Self::Text(_) | Self::Number(_) => false,
        }
    }
}

/// Keys with what stands behind them.
#[derive(Default)]
pub(crate) struct Record(BTreeMap<String, Piece>);

impl Record {
    pub(crate) fn with(mut self, key: &str, piece: impl Into<Piece>) -> Self {
        let piece = piece.into();
        if !piece.says_nothing() {
            self.0.insert(key.to_owned(), piece);
        }
        self
    }

    pub(crate) fn with_some(self, key: &str, piece: Option<impl Into<Piece>>) -> Self {
        match piece {
            Some(piece) => self.with(key, piece),
            None => self,
        }
    }
}

impl From<Record> for Piece {
    fn from(record: Record) -> Self {
        Self::Record(record.0)
    }
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Piece {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_stays_where_it_means_something() {
        let check = |piece: Piece, expect: &str| assert_eq!(piece.text().unwrap(), expect);
        check(Piece::ordered(["b", "a", "b"]), r#"["b","a","b"]"#);
        check(Piece::unordered(["b", "a", "b"]), r#"["a","b","b"]"#);
        check(Piece::set(["b", "a", "b"]), r#"["a","b"]"#);
        let one = |key: &str| Record::default().with(key, 1);
        check(Piece::set([one("z"), one("b")]), r#"[{"b":1},{"z":1}]"#);
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let record = Record::default()
            .with("z", "é \"x\"\n")
            .with("list", Piece::ordered(Vec::<&str>::new()))
            .with("record", Record::default())
            .with_some("none", None::<&str>)
            .with_some("a", Some(7))
            .with("text", "");
        assert_eq!(
            Piece::from(record).text().unwrap(),
            r#"{"a":7,"text":"","z":"é \"x\"\n"}"#
        );
    }
}
