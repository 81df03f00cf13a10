//! The way through the demo: what has been seen already, and what is worth doing next. It asks for nothing that
//! was seen in another order, and knows only facts, so the same guide leads a person and plays by itself.

use std::collections::BTreeSet;

use super::forge::Words;
use super::people::{ANN, EVE, Place, QUINN, Speaker};
use super::written::filled;

/// Something that was seen to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// A person without the right was refused.
    Refused,
    /// A release was asked for and waits for its second approval.
    Asked,
    /// The commit is live.
    Live,
    /// The entries of the audit log were listed.
    Listed,
    /// The audit log was verified.
    Sound,
    /// An entry was changed by hand.
    Tampered,
    /// Verifying found it.
    Found,
    /// Another commit is ready, after the change by hand.
    ReadyAgain,
    /// It was asked for too.
    AskedAgain,
    /// It was approved, and did not leave.
    Held,
    /// The service says of itself that it is not ready.
    NotReady,
}

/// A step of the guide.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) fact: Fact,
    /// What comes next, for the hint; `<gaps>` are for what the forge calls things.
    why: &'static str,
    /// What was shown, once it was.
    done: &'static str,
    /// Who does it where, if that matters.
    pub(super) by: Option<Speaker>,
    pub(super) line: Said,
}

/// What is typed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Plain(&'static str),
    /// A request of a chat is approved by its number where it was not asked for.
    Approve,
}

const ANN_IN_CHAT: Speaker = ANN.at_home();
const QUINN_ON_CHANGE: Speaker = QUINN.at_home();
const EVE_ON_CHANGE: Speaker = EVE.at_home();

const STEPS: [Step; 11] = [
    Step {
        fact: Fact::Refused,
        why: "eve may read the <repository> and nothing else. She tries to release the commit.",
        done: "eve is refused, and told why and who could help",
        by: Some(EVE_ON_CHANGE),
        line: Said::Plain("/deploy prod"),
    },
    Step {
        fact: Fact::Asked,
        why: "ann is a deployer. She asks for the release in the chat, which counts as the first of two approvals.",
        done: "ann asked for it, and one approval is still missing",
        by: Some(ANN_IN_CHAT),
        line: Said::Plain("/deploy prod"),
    },
    Step {
        fact: Fact::Live,
        why: "quinn approves for qa, in a comment on the <change>. That starts the release.",
        done: "both approved, <started>, and the commit is live",
        by: Some(QUINN_ON_CHANGE),
        line: Said::Approve,
    },
    Step {
        fact: Fact::Listed,
        why: "every decision is in the audit log. audit show N shows one entry with its evidence.",
        done: "the audit log lists what happened",
        by: None,
        line: Said::Plain("audit"),
    },
    Step {
        fact: Fact::Sound,
        why: "the log is signed, and can be checked.",
        done: "the audit log was verified",
        by: None,
        line: Said::Plain("verify"),
    },
    Step {
        fact: Fact::Tampered,
        why: "somebody with the database's password writes eve into quinn's approval.",
        done: "one row of the database says something else",
        by: None,
        line: Said::Plain("tamper"),
    },
    Step {
        fact: Fact::Found,
        why: "check the log once more.",
        done: "the change was found, and the entry named",
        by: None,
        line: Said::Plain("verify"),
    },
    Step {
        fact: Fact::ReadyAgain,
        why: "see whether anything can be released now. First another commit must be ready.",
        done: "another commit is ready",
        by: None,
        line: Said::Plain("again"),
    },
    Step {
        fact: Fact::AskedAgain,
        why: "ann asks for this one.",
        done: "ann asked for it",
        by: Some(ANN_IN_CHAT),
        line: Said::Plain("/deploy prod"),
    },
    Step {
        fact: Fact::Held,
        why: "quinn approves it. Before it leaves, the service looks at its audit log.",
        done: "it was approved and did not leave: <not asked>",
        by: Some(QUINN_ON_CHANGE),
        line: Said::Approve,
    },
    Step {
        fact: Fact::NotReady,
        why: "ask the service how it is.",
        done: "it calls itself not ready until somebody has looked",
        by: None,
        line: Said::Plain("ready"),
    },
];

#[derive(Debug, Default)]
pub(super) struct Guide {
    seen: BTreeSet<Fact>,
}

impl Guide {
    /// Remembers; `true` when it is new.
    pub(super) fn saw(&mut self, fact: Fact) -> bool {
        self.seen.insert(fact)
    }

    pub(super) fn has_seen(&self, fact: Fact) -> bool {
        self.seen.contains(&fact)
    }

    /// The first step that was not seen, unless a later one makes it impossible.
    pub(super) fn next(&self) -> Option<&'static Step> {
        STEPS.iter().find(|step| !self.is_over(step.fact))
    }

    fn is_over(&self, fact: Fact) -> bool {
        let implied = match fact {
            // What is live was asked for.
            Fact::Asked => self.has_seen(Fact::Live),
            // The log will not be sound again.
            Fact::Live | Fact::Sound => self.has_seen(Fact::Tampered),
            Fact::ReadyAgain | Fact::AskedAgain => self.has_seen(Fact::Held),
            Fact::Refused
            | Fact::Listed
            | Fact::Tampered
            | Fact::Found
            | Fact::Held
            | Fact::NotReady => false,
        };
        implied || self.has_seen(fact)
    }
}

impl Step {
    /// What comes next, in the words of the forge.
    pub(super) fn why(&self, words: &Words) -> String {
        in_words(self.why, words)
    }

    /// What was shown.
    pub(super) fn done(&self, words: &Words) -> String {
        in_words(self.done, words)
    }

    /// What must be typed now, by this person in this place, about this request.
    pub(super) fn typed(&self, words: &Words, speaker: Speaker, request: u64) -> String {
        match self.by {
            Some(by) if by.who != speaker.who => format!("as {}", by.who.name),
            Some(by) if by.place != speaker.place => match by.place {
                Place::Chat => "at chat".to_owned(),
                Place::Change => format!("at {}", words.place),
            },
            _ => match self.line {
                Said::Plain(line) => line.to_owned(),
                Said::Approve => format!("{} #{request}", words.approve),
            },
        }
    }

    /// Whether a command, said by this person in this place, is what this step is about.
    pub(super) fn is_meant(&self, line: &str, speaker: Speaker) -> bool {
        let is_line = match self.line {
            Said::Plain(meant) => line == meant,
            Said::Approve => {
                let line = line.strip_prefix("/countersign ").unwrap_or(line);
                let name = line.split_whitespace().next().unwrap_or_default();
                name.trim_start_matches('/') == "approve"
            }
        };
        is_line && self.by.is_none_or(|by| by == speaker)
    }
}

fn in_words(text: &str, words: &Words) -> String {
    let gaps = [
        ("<repository>", words.repository),
        ("<change>", words.change),
        ("<started>", words.started),
        ("<not asked>", words.not_asked),
    ];
    filled(text, &gaps.map(|(gap, word)| (gap, word.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::forge::github::WORDS;
    use super::super::people::BOB;
    use super::*;

    #[test]
    fn it_leads_through_everything_in_order() {
        let mut guide = Guide::default();
        let mut facts = Vec::new();
        while let Some(step) = guide.next() {
            facts.push(step.fact);
            assert!(guide.saw(step.fact));
        }
        assert_eq!(facts.len(), STEPS.len());
        assert!(facts.is_sorted());
    }

    #[test]
    fn it_asks_for_nothing_that_cannot_happen_any_more() {
        let mut guide = Guide::default();
        guide.saw(Fact::Live);
        assert_eq!(guide.next().unwrap().fact, Fact::Refused);
        guide.saw(Fact::Refused);
        assert_eq!(guide.next().unwrap().fact, Fact::Listed);
        guide.saw(Fact::Tampered);
        guide.saw(Fact::Listed);
        assert_eq!(guide.next().unwrap().fact, Fact::Found);
    }

    #[test]
    fn it_brings_people_to_their_place_first() {
        let typed = |step: usize, who, place| STEPS[step].typed(&WORDS, Speaker { who, place }, 7);
        for (who, place, expect) in [
            (&ANN, Place::Chat, "as eve"),
            (&BOB, Place::Change, "as eve"),
            (&EVE, Place::Chat, "at pr"),
            (&EVE, Place::Change, "/deploy prod"),
        ] {
            assert_eq!(typed(0, who, place), expect);
        }
        assert_eq!(typed(3, &BOB, Place::Chat), "audit");
        assert_eq!(typed(2, &QUINN, Place::Change), "/approve #7");
    }

    #[test]
    fn no_gap_is_left_in_what_is_said() {
        for step in &STEPS {
            let said = step.why(&WORDS) + &step.done(&WORDS);
            assert!(!said.contains('<'), "{said}");
        }
    }

    #[test]
    fn an_approval_is_known_however_it_is_written() {
        let approve = &STEPS[2];
        let place = Place::Change;
        for (line, who, expect) in [
            ("/approve 7", &QUINN, true),
            ("/countersign approve #7", &QUINN, true),
            ("/countersign /approve", &QUINN, true),
            ("/countersign why prod", &QUINN, false),
            ("/approve 7", &ANN, false),
        ] {
            let is_meant = approve.is_meant(line, Speaker { who, place });
            assert_eq!(is_meant, expect, "{line}");
        }
    }
}
