//! Commitments: where they stand in an entry. Entries are walked as they are read, because most of what they say is
//! none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::canonical::{ASIDE, Aside, PRIVATE};
use super::facets::holds;

/// Commitments by their places: `actor.login`, `evidence.reasons`.
type Found = BTreeMap<String, String>;

/// Every place in an entry where a commitment stands, with the commitment.
pub fn commitments(body: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut found = Found::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    Entry(&mut found)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| error.to_string())?;
    Ok(found)
}

/// The same, quickly where there are none, and with those within what lies aside for its length.
pub(super) fn every_commitment(
    body: &[u8],
    asides: &[Aside],
) -> Result<BTreeMap<String, String>, String> {
    let is_long = holds(body, [r#"{"aside":""#]);
    if !is_long && !holds(body, [r#"{"private":""#]) {
        return Ok(Found::new());
    }
    let mut found = commitments(body)?;
    for aside in asides.iter().filter(|_| is_long) {
        // What does not read as a value at all holds none, not even up to there.
        if serde_json::from_str::<Value>(&aside.value).is_ok() {
            let mut reader = serde_json::Deserializer::from_str(&aside.value);
            let mut path = aside.name.clone();
            let place = Place {
                path: &mut path,
                found: &mut found,
            };
            place
                .deserialize(&mut reader)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(found)
}

/// A key as it is spelled.
#[derive(Deserialize)]
struct Key<'b>(#[serde(borrow)] Cow<'b, str>);

/// An entry: its actor and each of its details are places.
struct Entry<'f>(&'f mut Found);

/// The details of an entry, each of which is a place.
struct Details<'f>(&'f mut Found);

/// One place, and what stands within it. Its value is a text, if that is all it is.
struct Place<'f> {
    path: &'f mut String,
    found: &'f mut Found,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            match key.as_ref() {
                "actor" => {
                    let place = Place {
                        path: &mut "actor".to_owned(),
                        found: self.0,
                    };
                    map.next_value_seed(place)?;
                }
                "detail" => map.next_value_seed(Details(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Details<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Details<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the details of an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            let place = Place {
                path: &mut key.into_owned(),
                found: self.0,
            };
            map.next_value_seed(place)?;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let length = self.path.len();
        for index in 0_usize.. {
            self.path.push('.');
            self.path.push_str(&index.to_string());
            let item = Place {
                path: self.path,
                found: self.found,
            };
            let is_over = items.next_element_seed(item)?.is_none();
            self.path.truncate(length);
            if is_over {
                break;
            }
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let length = self.path.len();
        let mut mark: Option<(Cow<'de, str>, Cow<'de, str>)> = None;
        let mut is_only_mark = true;
        while let Some(Key(key)) = parts.next_key()? {
            self.path.push('.');
            self.path.push_str(&key);
            let part = Place {
                path: self.path,
                found: self.found,
            };
            let text = parts.next_value_seed(part)?;
            self.path.truncate(length);
            is_only_mark &= matches!(&*key, PRIVATE | ASIDE)
                && text.is_some()
                && mark.as_ref().is_none_or(|(before, _)| *before == key);
            mark = text.map(|text| (key, text));
        }
        if let Some((_, commitment)) = mark.filter(|_| is_only_mark) {
            self.found
                .insert(self.path.clone(), commitment.into_owned());
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expect: &[(&str, &str)]) {
        let found = commitments(body.as_bytes()).unwrap();
        let expect: Found = expect
            .iter()
            .map(|(place, commitment)| ((*place).to_owned(), (*commitment).to_owned()))
            .collect();
        assert_eq!(found, expect, "{body}");
    }

    #[test]
    fn a_commitment_stands_alone_in_its_record() {
        check(
            r#"{"actor":{"login":{"private":"a"}},"detail":{}}"#,
            &[("actor.login", "a")],
        );
        check(
            r#"{"detail":{"x":{"aside":"a"},"list":[1,{"y":{"private":"b"}},{"private":"c"}]}}"#,
            &[("list.1.y", "b"), ("list.2", "c"), ("x", "a")],
        );
        check(r#"{"detail":{"x":{"private":"a","other":1}}}"#, &[]);
        check(r#"{"detail":{"x":{"private":"a","aside":"b"}}}"#, &[]);
        check(
            r#"{"detail":{"x":{"private":{"private":"\n"}}}}"#,
            &[("x.private", "\n")],
        );
        check(r#"{"detail":{"private":"a"},"other":{"private":"a"}}"#, &[]);
        check(
            r#"{"detail":{"x":{"private":"a","private":"b"}}}"#,
            &[("x", "b")],
        );
        check(
            r#"{"detail":{"a":null,"b":true,"c":-1,"d":1.5,"e":"private","f":[]}}"#,
            &[],
        );
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for body in ["", "1", "{", r#"{"detail":{"x":[}}"#, r#"{"detail":{}} x"#] {
            assert!(commitments(body.as_bytes()).is_err(), "{body}");
        }
    }
}
