//! The shape of a file is checked against the JSON Schema: unknown keys, wrong types, missing keys, unknown words. What
//! does not fit is reported, with its place, and taken out of the tree, so that the meaning of all the rest can be
//! checked in the same go.

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::at::Place;
use super::report::Problem;
use super::rules::{Rulebook, Rules, allows, quoted, wanted, words};
use super::suggest::closest;

/// What the shape of a file gives away.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    /// Places that may hold a secret and must not be shown.
    pub(super) hidden: Vec<Place>,
    /// Keys that are in the file but were taken out, with the beginning of their table.
    pub(super) refused: Vec<(usize, String)>,
}

/// Takes out of `root` whatever does not fit, and says why.
pub(super) fn fit(root: &mut Spanned<DeTable<'_>>, schema: &Value) -> Findings {
    let mut walk = Walk {
        book: Rulebook(schema),
        findings: Findings::default(),
    };
    if let Some(rules) = schema.as_object() {
        walk.table(root.get_mut(), rules, &Spot::root());
    }
    walk.findings
}

/// Where the walk is: a key's value, or an entry of the list that is a key's value.
#[derive(Clone)]
struct Spot<'a> {
    key: &'a str,
    entry: bool,
    place: Option<Place>,
}

impl<'a> Spot<'a> {
    fn root() -> Self {
        Self {
            key: "",
            entry: false,
            place: None,
        }
    }

    fn problem(&self, words: &str) -> Problem {
        let key = self.key;
        let subject = if self.entry {
            format!("an entry of `{key}`")
        } else {
            format!("`{key}`")
        };
        let message = format!("{subject} {words}");
        match &self.place {
            Some(place) => Problem::new(place, message),
            None => Problem::of_file(message),
        }
    }
}

struct Walk<'s> {
    book: Rulebook<'s>,
    findings: Findings,
}

impl<'s> Walk<'s> {
    /// Whether the value can stay.
    fn value(
        &mut self,
        value: &mut Spanned<DeValue<'_>>,
        rules: &'s Value,
        spot: &Spot<'_>,
    ) -> bool {
        let spot = Spot {
            place: Some(value.span()),
            ..*spot
        };
        let branches = self.book.branches(rules);
        let found = type_name(value.get_ref());
        let Some(branch) = branches
            .iter()
            .copied()
            .find(|branch| allows(branch, found))
        else {
            self.wrong_type(value, &branches, &spot);
            return false;
        };
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, branch, &spot),
            DeValue::Array(list) => self.list(list, branch, &spot),
            DeValue::String(text) => self.word(text, &branches, &spot),
            DeValue::Integer(number) => {
                let parsed = i128::from_str_radix(number.as_str(), number.radix());
                let fits = parsed.is_ok_and(|number| u64::try_from(number).is_ok());
                if !fits {
                    self.report(spot.problem("must be a whole number, zero or more"));
                }
                fits
            }
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => true,
        }
    }

    fn table(&mut self, table: &mut DeTable<'_>, rules: &'s Rules, spot: &Spot<'_>) -> bool {
        if table.is_empty() && rules.contains_key("minProperties") {
            self.report(spot.problem("is empty").help_from(rules, spot.key));
            return false;
        }
        let known = rules.get("properties").and_then(Value::as_object);
        let others = rules
            .get("additionalProperties")
            .filter(|other| other.is_object());
        let start = spot.place.as_ref().map_or(0, |place| place.start);
        let mut mentioned: Vec<String> = Vec::new();
        for (key, mut value) in std::mem::take(table) {
            let name: &str = key.get_ref();
            mentioned.push(name.to_owned());
            let spot = Spot {
                key: name,
                entry: false,
                place: None,
            };
            if let Some(rules) = known.and_then(|known| known.get(name)).or(others) {
                if self.value(&mut value, rules, &spot) {
                    table.insert(key, value);
                } else {
                    self.findings.refused.push((start, name.to_owned()));
                }
                continue;
            }
            let words = known.into_iter().flat_map(Map::keys).map(String::as_str);
            let guess = closest(name, words);
            let meant = guess.map(str::to_owned);
            self.findings
                .refused
                .extend(meant.clone().map(|meant| (start, meant)));
            mentioned.extend(meant);
            self.unknown_key(&key, &value, guess);
        }
        let required = rules.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !mentioned.iter().any(|mentioned| mentioned == name) {
                let inner = known.and_then(|known| known.get(name));
                self.missing(name, inner, spot);
            }
        }
        true
    }

    fn list(&mut self, list: &mut DeArray<'_>, rules: &'s Rules, spot: &Spot<'_>) -> bool {
        if list.is_empty() && rules.contains_key("minItems") {
            self.report(spot.problem("is empty").help_from(rules, spot.key));
            return false;
        }
        let Some(entry) = rules.get("items") else {
            return true;
        };
        let mut kept = DeArray::new();
        for mut value in std::mem::replace(list, DeArray::new()) {
            let spot = Spot {
                key: spot.key,
                entry: true,
                place: None,
            };
            if self.value(&mut value, entry, &spot) {
                kept.push(value);
            }
        }
        *list = kept;
        true
    }

    /// Where only some words are allowed, refuses others.
    fn word(&mut self, text: &str, branches: &[&'s Rules], spot: &Spot<'_>) -> bool {
        let words: Vec<&str> = branches.iter().flat_map(|branch| words(branch)).collect();
        if words.is_empty() || words.contains(&text) {
            return true;
        }
        let help = match closest(text, words.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known are {}", quoted(&words)),
        };
        let problem = spot.problem(&format!("cannot be `{text}`"));
        self.report(problem.help(help));
        false
    }

    fn wrong_type(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        branches: &[&'s Rules],
        spot: &Spot<'_>,
    ) {
        let secret = branches
            .iter()
            .any(|branch| branch.contains_key("x-secret"));
        if secret || value.get_ref().is_table() || value.get_ref().is_array() {
            hide_texts(value, &mut self.findings.hidden);
        }
        if secret && !branches.iter().any(|branch| allows(branch, "string")) {
            let problem = spot.problem("must not stand in this file");
            self.report(problem.help(format!(
                "put it in the environment, a file or a systemd credential, and write \
                 `{key} = {{ env = \"NAME\" }}`, `{{ file = \"PATH\" }}` or `{{ credential = \"NAME\" }}`",
                key = spot.key
            )));
            return;
        }
        let wanted: Vec<&str> = branches.iter().map(|branch| wanted(branch)).collect();
        let problem = spot.problem(&format!("must be {}", wanted.join(" or ")));
        let tables = |rules: &&Rules| {
            let items = rules.get("items").map(|items| self.book.branches(items));
            items.is_some_and(|items| items.iter().any(|items| allows(items, "object")))
        };
        let key = spot.key;
        let problem = match value.get_ref() {
            DeValue::Table(_) if branches.iter().any(tables) => {
                problem.help("there can be several of these; write double brackets")
            }
            DeValue::Array(_) if branches.iter().any(|branch| allows(branch, "object")) => {
                problem.help("there is only one of these; write single brackets")
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => match branches.first() {
                Some(rules) => problem.help_from(rules, key),
                None => problem,
            },
        };
        self.report(problem);
    }

    fn unknown_key(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        guess: Option<&str>,
    ) {
        hide_texts(value, &mut self.findings.hidden);
        let name = key.get_ref();
        let problem = Problem::new(&key.span(), format!("the key `{name}` is not known here"));
        let problem = match guess {
            Some(guess) => problem.help(format!("did you mean `{guess}`?")),
            None => match self.book.home_of(name) {
                Some(home) => problem.help(format!("`{name}` belongs in `{home}`")),
                None => problem,
            },
        };
        self.report(problem);
    }

    fn missing(&mut self, name: &str, rules: Option<&'s Value>, spot: &Spot<'_>) {
        let message = if spot.key.is_empty() {
            format!("there is no `{name}`")
        } else {
            format!("`{name}` is missing in `{}`", spot.key)
        };
        let problem = match &spot.place {
            Some(place) => Problem::new(place, message),
            None => Problem::of_file(message),
        };
        let own = rules.and_then(Value::as_object);
        let resolved = rules
            .map(|rules| self.book.branches(rules))
            .unwrap_or_default();
        let problem = own
            .into_iter()
            .chain(resolved)
            .fold(problem, |problem, rules| problem.help_from(rules, name));
        self.report(problem);
    }

    fn report(&mut self, problem: Problem) {
        self.findings.problems.push(problem);
    }
}

fn hide_texts(value: &Spanned<DeValue<'_>>, hidden: &mut Vec<Place>) {
    match value.get_ref() {
        DeValue::Table(table) => table.values().for_each(|inner| hide_texts(inner, hidden)),
        DeValue::Array(list) => list.iter().for_each(|inner| hide_texts(inner, hidden)),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => hidden.push(value.span()),
    }
}

/// The type of a value, in the words of JSON Schema.
fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
        DeValue::Datetime(_) => "date",
    }
}
