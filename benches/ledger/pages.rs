//! What a page of fifty entries costs, by what is looked for.

use std::time::Instant;

use countersign::domain::Filter;
use countersign::store::ledger;
use jiff::Timestamp;

use super::long::{ENTRIES, Log, START, STEP, in_words};

const PAGE: u32 = 50;
const ROUNDS: usize = 20;

/// What is looked for, and before which entry.
const ASKED: &[(&str, Option<i64>)] = &[
    ("", None),
    ("", Some(500_000)),
    ("service=service-3", None),
    ("service=service-3", Some(500_000)),
    ("service=oldest", None),
    ("environment=prod", None),
    ("person=ann", None),
    ("action=refused", None),
    ("action=trigger.lost", None),
    ("outcome=alarm", None),
    ("outcome=allowed", Some(500_000)),
    (
        "service=service-3 environment=prod person=ann action=approved",
        None,
    ),
    ("service=service-20 person=ann", None),
    ("service=service-3 outcome=alarm", None),
    ("environment=prod outcome=alarm", None),
    ("request=777", None),
    ("sha=9e37", None),
    ("sha=9e37 service=service-3", None),
    ("since=START+1% until=START+2%", None),
    ("since=START+1% until=START+2% person=ann", None),
    ("since=START+1% until=START+2% service=oldest", None),
    ("since=START+50% service=oldest", None),
    ("soak", None),
    ("rarely", None),
    ("soa", None),
    ("gate soak author", None),
    ("gate rarely", None),
    ("soak service=service-3", None),
    ("soak service=oldest", None),
    ("soak person=ann action=approved", None),
];

pub(crate) async fn measure(log: &Log) {
    println!(
        "A page of {PAGE} out of {ENTRIES} entries on {}, {ROUNDS} times.\n",
        log.database
    );
    println!("| looked for | before | found | median | slowest |");
    println!("|---|---:|---:|---:|---:|");
    for (asked, before) in ASKED {
        let filter = filter(asked);
        let mut taken = Vec::new();
        let mut found = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let page = ledger::find(&log.store, &filter, *before, PAGE)
                .await
                .unwrap();
            taken.push(start.elapsed());
            found = page.len();
        }
        taken.sort_unstable();
        let before = before.map(|seq| seq.to_string()).unwrap_or_default();
        let asked = if asked.is_empty() {
            "everything"
        } else {
            asked
        };
        println!(
            "| `{asked}` | {before} | {found} | {} | {} |",
            in_words(taken[ROUNDS / 2]),
            in_words(taken[ROUNDS - 1])
        );
    }
    println!();
}

fn filter(asked: &str) -> Filter {
    let moment = |percent: i64| {
        let entries = i64::try_from(ENTRIES).unwrap() / 100 * percent;
        Timestamp::from_second(START + entries * STEP)
            .unwrap()
            .to_string()
    };
    let mut asked = asked.to_owned();
    for percent in [1, 2, 50] {
        asked = asked.replace(&format!("START+{percent}%"), &moment(percent));
    }
    let words: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    Filter::parse(&words, Timestamp::UNIX_EPOCH).unwrap()
}
