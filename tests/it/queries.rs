//! Queries of the audit log: the answer is what a reader of all of it would find.

use std::collections::BTreeSet;

use countersign::domain::{
    Account, Action, Actor, Detail, Ending, Entry, Filter, Forge, ServiceName,
};
use countersign::store::{Store, StoreError, ledger};
use countersign_ledger::words_of;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Database, Engine, on_both};

on_both!(
    every_page_is_what_a_reader_of_everything_would_find,
    names_are_the_latest_and_unknown_ones_find_nothing,
    only_the_named_services_are_looked_through,
);

const ENTRIES: usize = 400;
const FILTERS: usize = 300;

/// Numbers that look drawn and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<T: Clone>(&mut self, these: &[T]) -> T {
        these[self.below(these.len())].clone()
    }

    /// One in so many.
    fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }
}

const SERVICES: [&str; 4] = ["shop", "billing", "search", "rare"];
const ENVIRONMENTS: [&str; 3] = ["prod", "canary", "prod-eu"];
const ACTIONS: [Action; 6] = [
    Action::Refused,
    Action::Approved,
    Action::CommandReceived,
    Action::Started,
    Action::TriggerLost,
    Action::Succeeded,
];
const WORDS: [&str; 7] = [
    "soak",
    "soaking",
    "author",
    "authors",
    "Überprüfung",
    "time",
    "missing",
];

fn ann() -> Account {
    Account {
        forge: Forge::GitHub,
        id: 7,
        login: "Ann".to_owned(),
    }
}

fn bob() -> Account {
    Account {
        forge: Forge::GitHub,
        id: 8,
        login: "bob".to_owned(),
    }
}

fn sha(number: usize) -> String {
    format!("{:02x}{number:038x}", number * 37 % 256)
}

/// An entry, with what a reader would know of it.
#[derive(Clone, Debug)]
struct Known {
    entry: Entry,
    service: Option<&'static str>,
    environment: Option<&'static str>,
    person: Option<&'static str>,
    sha: Option<String>,
    request: Option<u64>,
    words: BTreeSet<String>,
}

fn known(dice: &mut Dice, index: usize) -> Known {
    // Times mostly rise; now and then a clock is set back.
    let minute = i64::try_from(index).unwrap() - if dice.one_in(9) { 30 } else { 0 };
    let at = start() + SignedDuration::from_mins(minute);
    let (person, actor) = match dice.below(4) {
        0 => (Some("github:7"), Actor::from(&ann())),
        1 => (Some("github:8"), Actor::from(&bob())),
        2 => {
            let name = "root".to_owned();
            (Some("operator"), Actor::Operator { name })
        }
        _ => (None, Actor::Countersign),
    };
    let action = dice.of(&ACTIONS);
    let mut entry = Entry::new(at, action, actor);
    let is_rare = dice.one_in(10);
    let service = (!dice.one_in(5)).then(|| {
        if is_rare {
            "rare"
        } else {
            dice.of(&SERVICES[..3])
        }
    });
    if let Some(service) = service {
        entry = entry.with("service", service);
    }
    let environment = (!dice.one_in(4)).then(|| dice.of(&ENVIRONMENTS));
    if let Some(environment) = environment {
        entry = entry.with("environment", environment);
    }
    let sha = (!dice.one_in(3)).then(|| sha(dice.below(40)));
    if let Some(sha) = &sha {
        entry = entry.with("sha", sha.as_str());
    }
    let request = dice
        .one_in(2)
        .then(|| u64::try_from(1 + dice.below(20)).unwrap());
    if let Some(request) = request {
        entry = entry.with("request", request);
    }
    let mut words = BTreeSet::new();
    if dice.one_in(2) {
        let said: Vec<&str> = (0..=dice.below(3)).map(|_| dice.of(&WORDS)).collect();
        let said = said.join(" ");
        words.extend(words_of(&said));
        entry = entry.with("why", Detail::private(said));
    }
    Known {
        entry,
        service,
        environment,
        person,
        sha,
        request,
        words,
    }
}

/// The first entry, which the log makes by itself.
fn opening(at: Timestamp) -> Known {
    Known {
        entry: Entry::new(at, Action::LogOpened, Actor::Countersign),
        service: None,
        environment: None,
        person: None,
        sha: None,
        request: None,
        words: BTreeSet::new(),
    }
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn filter(dice: &mut Dice) -> Filter {
    let mut filter = Filter::default();
    for _ in 0..=dice.below(3) {
        match dice.below(10) {
            0 => filter.service = Some(dice.of(&SERVICES).to_owned()),
            1 => filter.environment = Some(dice.of(&ENVIRONMENTS).to_owned()),
            2 => {
                let people = ["ann", "BOB", "github:7", "operator", "github:9", "nobody"];
                filter.person = Some(dice.of(&people).to_owned());
            }
            3 => filter.action = Some(dice.of(&ACTIONS)),
            4 => filter.outcome = Some(dice.of(&Ending::ALL)),
            5 => {
                let whole = sha(dice.below(40));
                let length = if dice.one_in(2) { 40 } else { 4 };
                filter.sha = Some(whole[..length].to_owned());
            }
            6 => filter.request = Some(u64::try_from(1 + dice.below(22)).unwrap()),
            7 => filter.since = Some(moment(dice)),
            8 => filter.until = Some(moment(dice)),
            _ => {
                let texts = [
                    "so",
                    "soak",
                    "author",
                    "soak time",
                    "über",
                    "time author mis",
                    "none",
                ];
                filter.text = Some(dice.of(&texts).to_owned());
            }
        }
    }
    filter
}

fn moment(dice: &mut Dice) -> Timestamp {
    start() + SignedDuration::from_mins(i64::try_from(dice.below(ENTRIES)).unwrap())
}

fn matches(filter: &Filter, known: &Known) -> bool {
    let person = filter.person.as_deref().map(|person| match person {
        "ann" => "github:7",
        "BOB" => "github:8",
        other => other,
    });
    let text = filter.text.as_deref().unwrap_or_default();
    let wanted: Vec<String> = words_of(text).collect();
    let has_words = wanted.iter().enumerate().all(|(index, word)| {
        known.words.contains(word)
            || index + 1 == wanted.len() && known.words.iter().any(|one| one.starts_with(word))
    });
    let entry = &known.entry;
    has_words
        && filter
            .service
            .as_deref()
            .is_none_or(|one| known.service == Some(one))
        && filter
            .environment
            .as_deref()
            .is_none_or(|one| known.environment == Some(one))
        && person.is_none_or(|one| known.person == Some(one))
        && filter.action.is_none_or(|one| entry.action == one)
        && filter
            .outcome
            .is_none_or(|one| entry.action.ending() == one)
        && filter
            .sha
            .as_deref()
            .is_none_or(|one| known.sha.as_ref().is_some_and(|sha| sha.starts_with(one)))
        && filter.request.is_none_or(|one| known.request == Some(one))
        && filter.since.is_none_or(|since| entry.at >= since)
        && filter.until.is_none_or(|until| entry.at < until)
}

async fn append(store: &Store, entries: Vec<Entry>) {
    store
        .unit(move |tx| {
            let entries = entries.clone();
            Box::pin(async move {
                for entry in &entries {
                    ledger::append(tx, entry).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn every_page_is_what_a_reader_of_everything_would_find(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let mut dice = Dice(1);
    let mut all: Vec<Known> = (0..ENTRIES).map(|index| known(&mut dice, index)).collect();
    let entries = all.iter().map(|known| known.entry.clone()).collect();
    append(&store, entries).await;
    all.insert(0, opening(all[0].entry.at));
    let mut found_some = 0;
    for _ in 0..FILTERS {
        let filter = filter(&mut dice);
        let mut expect: Vec<i64> = (1..)
            .zip(&all)
            .filter(|(_, known)| matches(&filter, known))
            .map(|(seq, _)| seq)
            .collect();
        expect.reverse();
        let most = dice.of(&[3, 10, 50]);
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = ledger::find(&store, &filter, before, most).await.unwrap();
            found.extend(page.iter().map(|row| row.seq));
            before = page.last().map(|row| row.seq);
            if page.len() < usize::try_from(most).unwrap() {
                break;
            }
        }
        assert_eq!(found, expect, "{filter:?}, pages of {most}");
        found_some += usize::from(!found.is_empty());
    }
    assert!(found_some > FILTERS / 3, "{found_some}");
}

async fn names_are_the_latest_and_unknown_ones_find_nothing(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let entry = |at: i64, id: u64, login: &str| {
        let login = login.to_owned();
        let at = start() + SignedDuration::from_secs(at);
        Entry::new(
            at,
            Action::Approved,
            Actor::from(&Account {
                forge: Forge::GitHub,
                id,
                login,
            }),
        )
    };
    // Ann was renamed, and another took her name; and a person in a chat is called so, too.
    let mut entries = vec![entry(0, 7, "ann"), entry(1, 7, "anna"), entry(2, 9, "Ann")];
    let speaker = Actor::Stranger {
        chat: "slack",
        tenant: "T0ACMECORP".to_owned(),
        user: "U0ELSE".to_owned(),
        name: "ann".to_owned(),
    };
    entries.push(Entry {
        actor: speaker,
        ..entry(3, 9, "Ann")
    });
    append(&store, entries).await;
    for (person, expect) in [
        ("ann", vec![5, 4]),
        ("ANNA", vec![3, 2]),
        ("github:7", vec![3, 2]),
        ("nobody", vec![]),
        ("operator", vec![]),
    ] {
        let filter = Filter {
            person: Some(person.to_owned()),
            ..Filter::default()
        };
        let found = ledger::find(&store, &filter, None, 10).await.unwrap();
        let found: Vec<i64> = found.iter().map(|row| row.seq).collect();
        assert_eq!(found, expect, "{person}");
    }
    let nothing = Filter {
        text: Some("- ?".to_owned()),
        ..Filter::default()
    };
    let refused = ledger::find(&store, &nothing, None, 10).await;
    assert!(matches!(refused, Err(StoreError::Unsearchable(_))));
}

async fn only_the_named_services_are_looked_through(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let entries = ["shop", "billing", "search", "shop"];
    let entries = entries.map(|service| {
        Entry::new(start(), Action::Started, Actor::Countersign).with("service", service)
    });
    append(&store, entries.to_vec()).await;
    let ours: Vec<ServiceName> = ["shop", "search"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    for (service, expect) in [
        (None, vec![5, 4, 2]),
        (Some("shop"), vec![5, 2]),
        (Some("billing"), vec![]),
    ] {
        let filter = Filter {
            service: service.map(str::to_owned),
            ..Filter::default()
        };
        let ours = ours.clone();
        let found = store
            .unit(move |tx| {
                let (ours, filter) = (ours.clone(), filter.clone());
                Box::pin(async move { ledger::find_of(tx, &ours, &filter, 10).await })
            })
            .await
            .unwrap();
        let found: Vec<i64> = found.iter().map(|row| row.seq).collect();
        assert_eq!(found, expect, "{service:?}");
    }
}
