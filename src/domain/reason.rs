//! Reasons: a tree of reasons, as data. The same tree is the refusal, the answer to `/why`, the dry run and the
//! evidence in the ledger; each surface writes it in its own way.

mod rule;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Detail;
use super::text::{Message, Text, text};

pub use rule::Rule;

/// One reason, with those that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub rule: Rule,
    pub verdict: Verdict,
    /// What the rule found, without names of people and without what people wrote: it stays readable for ever.
    pub facts: BTreeMap<&'static str, Detail>,
    pub says: Text,
    /// What would help, and who can do it.
    pub help: Option<Text>,
    pub under: Vec<Reason>,
}

/// What a reason means for the release. Ordered from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Holds,
    /// Good so far, and an approver must still say yes.
    Waits,
    /// Not now, and at this time by itself.
    Later(Timestamp),
    /// It could not be found out, which refuses like a "no".
    Unknown,
    Refuses,
}

impl Verdict {
    /// One word for the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Waits => "waits",
            Self::Later(_) => "later",
            Self::Unknown => "unknown",
            Self::Refuses => "refuses",
        }
    }

    pub fn sign(self) -> &'static str {
        match self {
            Self::Holds => "✅",
            Self::Waits => "⏳",
            Self::Later(_) => "🕒",
            Self::Unknown => "❔",
            Self::Refuses => "❌",
        }
    }
}

impl Reason {
    pub fn new(rule: Rule, verdict: Verdict, says: impl Into<Text>) -> Self {
        Self {
            rule,
            verdict,
            facts: BTreeMap::new(),
            says: says.into(),
            help: None,
            under: Vec::new(),
        }
    }

    pub fn holds(rule: Rule, says: impl Into<Text>) -> Self {
        Self::new(rule, Verdict::Holds, says)
    }

    pub fn waits(rule: Rule, says: impl Into<Text>) -> Self {
        Self::new(rule, Verdict::Waits, says)
    }

    pub fn later(rule: Rule, at: Timestamp, says: impl Into<Text>) -> Self {
        Self::new(rule, Verdict::Later(at), says)
    }

    pub fn unknown(rule: Rule, says: impl Into<Text>) -> Self {
        Self::new(rule, Verdict::Unknown, says)
    }

    pub fn refuses(rule: Rule, says: impl Into<Text>) -> Self {
        Self::new(rule, Verdict::Refuses, says)
    }

    /// A reason that is as good as its worst part.
    pub fn of(rule: Rule, says: impl Into<Text>, under: Vec<Self>) -> Self {
        let worst = under.iter().map(|part| part.verdict).max();
        Self::new(rule, worst.unwrap_or(Verdict::Holds), says).resting_on(under)
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<Text>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn fact(mut self, name: &'static str, fact: impl Into<Detail>) -> Self {
        self.facts.insert(name, fact.into());
        self
    }

    /// What it rests on, whatever that means for it.
    #[must_use]
    pub fn resting_on(mut self, under: Vec<Self>) -> Self {
        self.under = under;
        self
    }

    /// Nothing stands in the way but, perhaps, an approver's yes.
    pub fn is_clear(&self) -> bool {
        self.verdict <= Verdict::Waits
    }

    /// The reasons at the leaves that stand in the way.
    pub fn obstacles(&self) -> Vec<&Self> {
        if self.is_clear() {
            return Vec::new();
        }
        if self.under.is_empty() {
            return vec![self];
        }
        self.under.iter().flat_map(Self::obstacles).collect()
    }

    /// Its parts as a list.
    pub fn parts(&self) -> Message {
        let mut message = Message::default();
        for part in self.bad_news_first() {
            part.list(&mut message, 0);
        }
        message
    }

    /// Its parts as people should read them: first what stands in the way.
    fn bad_news_first(&self) -> impl Iterator<Item = &Self> {
        let (well, bad): (Vec<_>, Vec<_>) = self.under.iter().partition(|part| part.is_clear());
        bad.into_iter().chain(well)
    }

    /// Itself as the only item of a list, with its parts.
    pub fn item(&self) -> Message {
        let mut message = Message::default();
        self.list(&mut message, 0);
        message
    }

    fn list(&self, message: &mut Message, depth: usize) {
        let mut line = text![format!("{} ", self.verdict.sign()), &self.says];
        if let Some(help) = &self.help {
            line.push(if self.says.is_open() { ". " } else { " " });
            line.push(help);
        }
        message.item(depth, line);
        // What is well is not explained further.
        for part in self.bad_news_first() {
            if self.verdict != Verdict::Holds || depth == 0 {
                part.list(message, depth + 1);
            }
        }
    }

    /// The whole tree for the ledger: rules, verdicts and facts for all and for ever, the sentences, which may name
    /// people, under one commitment.
    pub fn detail(&self) -> Detail {
        let mut says = Vec::new();
        let tree = self.tree(&mut says);
        Detail::from([
            ("tree", tree),
            (
                "says",
                Detail::private(says.into_iter().collect::<Detail>()),
            ),
        ])
    }

    /// The public part; the sentences are gathered in the order of the tree.
    fn tree(&self, says: &mut Vec<String>) -> Detail {
        says.push(self.says.plain());
        let mut parts = BTreeMap::from([
            ("rule", Detail::from(self.rule.as_str())),
            ("verdict", Detail::from(self.verdict.word())),
        ]);
        if let Verdict::Later(at) = self.verdict {
            parts.insert("at", Detail::from(at.to_string()));
        }
        if !self.facts.is_empty() {
            parts.insert("facts", Detail::Record(self.facts.clone()));
        }
        if !self.under.is_empty() {
            let under = self.under.iter().map(|part| part.tree(says));
            parts.insert("under", under.collect());
        }
        Detail::Record(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Reason {
        let red = Reason::refuses(Rule::GATE, "b is red").help("Run it again.");
        Reason::of(
            Rule::RELEASE,
            "all",
            vec![
                Reason::holds(Rule::BRANCH, "fine"),
                Reason::of(
                    Rule::STAGES,
                    "gates",
                    vec![Reason::holds(Rule::GATE, "a"), red.fact("app", 7)],
                ),
                Reason::waits(Rule::APPROVALS, "approvals"),
            ],
        )
    }

    #[test]
    fn a_tree_is_as_good_as_its_worst_part() {
        let tree = tree();
        assert_eq!(tree.verdict, Verdict::Refuses);
        assert_eq!(tree.obstacles().len(), 1);
        assert_eq!(
            tree.parts().plain(),
            "- ❌ gates\n  - ❌ b is red. Run it again.\n  - ✅ a\n- ✅ fine\n- ⏳ approvals"
        );
    }

    #[test]
    fn later_is_worse_than_a_missing_yes_and_better_than_not_knowing() {
        let at = Timestamp::UNIX_EPOCH;
        assert!(Verdict::Waits < Verdict::Later(at));
        assert!(Verdict::Later(at) < Verdict::Unknown);
        assert!(!Reason::later(Rule::SOAK, at, "it soaks").is_clear());
    }

    #[test]
    fn the_ledger_keeps_rules_and_verdicts_apart_from_sentences() {
        let detail = tree().detail();
        let Detail::Record(parts) = &detail else {
            panic!("{detail:?}");
        };
        let public = format!("{:?}", parts["tree"]);
        assert!(public.contains("gate") && public.contains("refuses") && public.contains('7'));
        assert!(!public.contains("red"));
        let says = ["all", "fine", "gates", "a", "b is red", "approvals"];
        let says: Detail = says.into_iter().collect();
        assert_eq!(parts["says"], Detail::private(says));
    }
}
