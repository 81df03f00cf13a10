//! An entry as people read it: every commitment is replaced by the value that lies aside, as long as that exists. What
//! was erased stays a commitment and is named. A value that is not what was committed to is refused, because it was
//! changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::base64;
use super::canonical::{ASIDE, Aside, PRIVATE, commitment};
use super::entry::Action;
use super::facets::OPERATOR;

/// An entry with what lies aside in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub seq: i64,
    pub entry: Value,
    /// Where something stood that was erased: `command`, `actor.login`.
    pub erased: Vec<String>,
}

impl Shown {
    /// Reads an entry together with what lies aside for it.
    pub fn of(body: &[u8], asides: &[Aside]) -> Result<Self, String> {
        let mut entry: Value =
            serde_json::from_slice(body).map_err(|error| format!("it cannot be read: {error}"))?;
        let seq = entry
            .get("seq")
            .and_then(Value::as_i64)
            .ok_or_else(|| "it has no number".to_owned())?;
        let mut filling = Filling {
            asides: asides
                .iter()
                .map(|aside| (aside.name.as_str(), aside))
                .collect(),
            erased: Vec::new(),
        };
        if let Some(actor) = entry.get_mut("actor") {
            filling.fill("actor", actor)?;
        }
        if let Some(Value::Object(detail)) = entry.get_mut("detail") {
            for (name, part) in detail {
                filling.fill(name, part)?;
            }
        }
        Ok(Self {
            seq,
            entry,
            erased: filling.erased,
        })
    }

    /// A text of the frame, such as `action` or `at`.
    pub fn frame(&self, name: &str) -> &str {
        self.entry
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A part of what belongs to the entry, such as `service`.
    pub fn detail(&self, name: &str) -> Option<&Value> {
        self.entry.get("detail")?.get(name)
    }

    /// The same, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.detail(name).and_then(Value::as_str)
    }

    /// The number of the request, if there is one.
    pub fn request(&self) -> Option<u64> {
        self.detail("request").and_then(Value::as_u64)
    }

    /// Who did it, as they were called then; what remains of the name when it was erased.
    pub fn who(&self) -> String {
        let actor = |name: &str| self.entry.get("actor").and_then(|actor| actor.get(name));
        if let Some(login) = actor("login").and_then(Value::as_str) {
            return login.to_owned();
        }
        if let Some(id) = actor("id").and_then(Value::as_u64) {
            let forge = actor("forge").and_then(Value::as_str).unwrap_or_default();
            return super::person(forge, id);
        }
        if let (None, Some(person)) = (actor(OPERATOR), self.person()) {
            return person;
        }
        match actor(OPERATOR) {
            Some(Value::String(name)) => format!("{name} ({OPERATOR})"),
            Some(_) => OPERATOR.to_owned(),
            None => "countersign".to_owned(),
        }
    }

    /// The person as a filter names them.
    pub fn person(&self) -> Option<String> {
        let actor = self.entry.get("actor")?;
        if let (Some(forge), Some(id)) = (
            actor.get("forge").and_then(Value::as_str),
            actor.get("id").and_then(Value::as_u64),
        ) {
            return Some(super::person(forge, id));
        }
        let text = |name: &str| actor.get(name).and_then(Value::as_str);
        if let (Some(chat), Some(tenant), Some(user)) = (text("chat"), text("tenant"), text("user"))
        {
            return Some(super::stranger(chat, tenant, user));
        }
        actor.get(OPERATOR).map(|_| OPERATOR.to_owned())
    }

    /// Why, in one line: what stood in the way, the reason that a person gave, or what was asked for.
    pub fn why(&self) -> String {
        let refused = || {
            let evidence = self.detail("evidence")?;
            evidence.get("reasons")
        };
        let is_refusal = self.frame("action") == Action::Refused.as_str();
        let found = ["why", "problem", "reason"]
            .into_iter()
            .find_map(|name| self.detail(name))
            .or_else(|| if is_refusal { refused() } else { None });
        if let Some(found) = found {
            let says = obstacles(found);
            if !says.is_empty() {
                return says.join("; ");
            }
        }
        ["command", "stage", "what", "url"]
            .into_iter()
            .find_map(|name| self.text(name))
            .unwrap_or_default()
            .to_owned()
    }
}

/// The sentences of a tree of reasons that stand in the way; a text is its own sentence. Where the sentences were
/// erased, the names of the rules are left.
fn obstacles(reason: &Value) -> Vec<&str> {
    let mut says = Vec::new();
    match (reason.get("tree"), reason.get("says")) {
        (Some(tree), sentences) => {
            let sentences = sentences.and_then(Value::as_array);
            let sentences = sentences.map(|list| list.iter().map(Value::as_str).collect());
            let sentences: Vec<Option<&str>> = sentences.unwrap_or_default();
            in_the_way(tree, &mut sentences.into_iter(), &mut says);
        }
        (None, _) => in_the_way_at_first(reason, &mut says),
    }
    says
}

/// The sentences stand in the order of the tree.
fn in_the_way<'v>(
    tree: &'v Value,
    sentences: &mut dyn Iterator<Item = Option<&'v str>>,
    says: &mut Vec<&'v str>,
) {
    let sentence = sentences.next().flatten();
    let part = |name: &str| tree.get(name).and_then(Value::as_str);
    let is_obstacle = part("verdict").is_some_and(|verdict| {
        let obstacles = ["refuses", "unknown", "later"];
        obstacles.contains(&verdict)
    });
    match tree.get("under").and_then(Value::as_array) {
        Some(under) => {
            let mut below = Vec::new();
            for one in under {
                in_the_way(one, sentences, &mut below);
            }
            if is_obstacle {
                says.extend(below);
            }
        }
        None if is_obstacle => says.extend(sentence.or_else(|| part("rule"))),
        None => {}
    }
}

/// The same of a tree as the first version wrote it, with its sentences inside.
fn in_the_way_at_first<'v>(reason: &'v Value, says: &mut Vec<&'v str>) {
    match reason {
        Value::String(text) if !text.is_empty() => says.push(text),
        Value::Object(parts) => {
            let part = |name: &str| parts.get(name);
            let is_obstacle = part("verdict")
                .and_then(Value::as_str)
                .is_some_and(|verdict| ["refuses", "unknown"].contains(&verdict));
            match part("under") {
                Some(Value::Array(under)) if is_obstacle => {
                    for one in under {
                        in_the_way_at_first(one, says);
                    }
                }
                _ if is_obstacle => says.extend(part("says").and_then(Value::as_str)),
                _ => {}
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

/// Entries are filled one place after the other.
struct Filling<'a> {
    asides: BTreeMap<&'a str, &'a Aside>,
    erased: Vec<String>,
}

impl Filling<'_> {
    fn fill(&mut self, name: &str, value: &mut Value) -> Result<(), String> {
        match value {
            Value::Object(parts) => {
                let is_only_part = parts.len() == 1;
                for (key, may_hold_more) in [(PRIVATE, false), (ASIDE, true)] {
                    if let (true, Some(Value::String(wanted))) = (is_only_part, parts.get(key)) {
                        let Some(mut found) = self.committed(name, wanted)? else {
                            self.erased.push(name.to_owned());
                            return Ok(());
                        };
                        // What was too long may hold commitments itself; what is private holds text.
                        if may_hold_more {
                            self.fill(name, &mut found)?;
                        }
                        *value = found;
                        return Ok(());
                    }
                }
                for (key, part) in parts {
                    self.fill(&format!("{name}.{key}"), part)?;
                }
                Ok(())
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.fill(&format!("{name}.{index}"), item)?;
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// The value that lies aside under this name, if it is there.
    fn committed(&self, name: &str, wanted: &str) -> Result<Option<Value>, String> {
        let Some(aside) = self.asides.get(name) else {
            return Ok(None);
        };
        if base64(&commitment(&aside.salt, &aside.value)) != wanted {
            return Err(format!("its private value {name:?} was changed"));
        }
        serde_json::from_str(&aside.value)
            .map(Some)
            .map_err(|error| format!("its private value {name:?} cannot be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{Actor, Detail, Entry, SALT_LENGTH, Sealer, Spelled, spell};

    fn spelled(entry: &Entry) -> Spelled {
        let sealer = Sealer::new("example.com/log", "", [[1; 32]]);
        let mut drawn = 0;
        spell(entry, 5, &sealer, || {
            drawn += 1;
            [drawn; SALT_LENGTH]
        })
    }

    fn ann() -> Actor {
        Actor::Person {
            forge: "github",
            id: 7,
            login: "ann".to_owned(),
        }
    }

    /// A part of a tree of reasons.
    fn part(rule: &str, verdict: &str, under: Vec<Detail>) -> Detail {
        let mut parts = vec![("rule", rule.into()), ("verdict", verdict.into())];
        if !under.is_empty() {
            parts.push(("under", under.into_iter().collect()));
        }
        Detail::Record(parts.into_iter().collect())
    }

    fn refusal(padding: usize) -> Entry {
        let stages = part("stages", "refuses", vec![part("gate", "refuses", vec![])]);
        let tree = part(
            "release",
            "refuses",
            vec![
                part("branch", "holds", vec![]),
                stages,
                part("approval", "unknown", vec![]),
            ],
        );
        let says = [
            "",
            "it is on main",
            "gates",
            "build is red",
            "the team could not be asked",
        ];
        let says: Detail = says.into_iter().collect();
        let reasons = Detail::from([("tree", tree), ("says", Detail::private(says))]);
        Entry::new(Timestamp::UNIX_EPOCH, Action::Refused, ann())
            .with("service", "shop")
            .with("request", 42)
            .with_private("command", "/deploy prod")
            .with(
                "evidence",
                Detail::from([
                    ("padding", Detail::from("x".repeat(padding))),
                    (
                        "titles",
                        Detail::private(["one", "two"].into_iter().collect::<Detail>()),
                    ),
                    ("reasons", reasons),
                ]),
            )
    }

    #[test]
    fn what_lies_aside_takes_its_place() {
        // With the padding, the evidence as a whole lies aside as well.
        for padding in [1, 20_000] {
            let Spelled { body, asides } = spelled(&refusal(padding));
            let shown = Shown::of(&body, &asides).unwrap();
            assert_eq!(shown.seq, 5);
            assert_eq!(shown.erased, [""; 0]);
            assert_eq!(shown.text("command"), Some("/deploy prod"));
            let evidence = shown.detail("evidence").unwrap();
            assert_eq!(evidence["titles"], json!(["one", "two"]));
            assert_eq!(shown.who(), "ann");
            assert_eq!(shown.person().as_deref(), Some("github:7"));
            assert_eq!(shown.request(), Some(42));
            assert_eq!(shown.frame("action"), "refused");
            assert_eq!(shown.why(), "build is red; the team could not be asked");
        }
    }

    #[test]
    fn what_was_erased_stays_a_commitment_and_is_named() {
        let Spelled { body, asides } = spelled(&refusal(1));
        let shown = Shown::of(&body, &[]).unwrap();
        assert_eq!(
            shown.erased,
            [
                "actor.login",
                "command",
                "evidence.reasons.says",
                "evidence.titles"
            ]
        );
        let untouched: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(shown.entry, untouched);
        assert_eq!(shown.who(), "github:7");
        // The sentences are gone; which rules refused is said for ever.
        assert_eq!(shown.why(), "gate; approval");
        let most: Vec<Aside> = asides
            .into_iter()
            .filter(|aside| aside.name != "actor.login")
            .collect();
        assert_eq!(Shown::of(&body, &most).unwrap().erased, ["actor.login"]);
        let Spelled { body, mut asides } = spelled(&refusal(20_000));
        asides.retain(|aside| aside.name == "evidence");
        let erased = Shown::of(&body, &asides).unwrap().erased;
        assert!(
            erased.contains(&"evidence.reasons.says".to_owned()),
            "{erased:?}"
        );
    }

    #[test]
    fn a_value_that_was_changed_is_refused_by_name() {
        let Spelled { body, mut asides } = spelled(&refusal(1));
        for aside in &mut asides {
            if aside.name == "command" {
                aside.value = "\"/help\"".to_owned();
            }
        }
        let why = Shown::of(&body, &asides).unwrap_err();
        assert_eq!(why, "its private value \"command\" was changed");
        assert!(Shown::of(b"{}", &[]).is_err());
        assert!(Shown::of(b"nothing", &[]).is_err());
    }

    #[test]
    fn everybody_has_a_name_and_everything_a_line() {
        let check = |entry: Entry, who: &str, why: &str| {
            let Spelled { body, asides } = spelled(&entry);
            let shown = Shown::of(&body, &asides).unwrap();
            assert_eq!((shown.who().as_str(), shown.why().as_str()), (who, why));
        };
        let entry = |action, actor| Entry::new(Timestamp::UNIX_EPOCH, action, actor);
        let root = Actor::Operator {
            name: "root".to_owned(),
        };
        check(
            entry(Action::EffectDropped, root).with_private("reason", "stuck"),
            "root (operator)",
            "stuck",
        );
        check(
            entry(Action::TriggerLost, Actor::Countersign).with("why", "no answer"),
            "countersign",
            "no answer",
        );
        check(
            entry(Action::CommandReceived, ann()).with_private("command", "/help"),
            "ann",
            "/help",
        );
        check(entry(Action::Approved, ann()), "ann", "");
    }
}
