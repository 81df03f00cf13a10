//! What it costs to append to the log, to check all of it, and to prove one release.

use std::time::{Duration, Instant};

use countersign::domain::{Action, Actor, Detail, Entry};
use countersign::engine::signer::survey;
use countersign::store::ledger::{self, Checkpoint, Tile};
use countersign::store::{Options, Store};
use countersign_ledger::{Edge, Keys, PublicKeys, Wanted, leaf};
use jiff::Timestamp;

use super::long::{fresh_postgres, in_words};

/// Entries that are checked, and proved from.
const ENTRIES: u64 = 200_000;
/// Entries that are appended in one transaction while the log is made.
const AT_ONCE: u64 = 1_000;
const ROUNDS: usize = 400;

/// A log of its own, with the keys that sign it.
struct Made {
    store: Store,
    keys: Keys,
    _folder: tempfile::TempDir,
}

impl Made {
    async fn of(database: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            "SQLite" => format!("sqlite://{}", folder.path().join("bench.db").display()),
            _ => fresh_postgres().await?,
        };
        let keys = Keys::new("example.com/log", [7; 32]).unwrap();
        let store = Store::open(&Options::new(url)).await.unwrap();
        store.seal_with(keys.sealer());
        Some(Self {
            store,
            keys,
            _folder: folder,
        })
    }
}

pub(crate) async fn append(database: &str) {
    match Made::of(database).await {
        Some(made) => with_and_without(database, &made.store).await,
        None => println!("{database}: not measured\n"),
    }
}

pub(crate) async fn check(database: &str) {
    let Some(Made {
        store,
        keys,
        _folder,
    }) = Made::of(database).await
    else {
        return println!("{database}: not measured\n");
    };
    make(&store, &keys).await;
    whole(database, &store, &keys).await;
    prove(database, &store).await;
}

/// The same durable transaction with an entry and without one, by turns.
async fn with_and_without(database: &str, store: &Store) {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        without.push(transaction(store, n, None).await);
        with.push(transaction(store, n + ROUNDS, Some(entry(n as u64))).await);
    }
    with.sort_unstable();
    without.sort_unstable();
    let (with, without) = (with[ROUNDS / 2], without[ROUNDS / 2]);
    println!("A durable transaction on {database}, median of {ROUNDS}.\n");
    println!("| without an entry | with one | more |");
    println!("|---:|---:|---:|");
    println!(
        "| {} | {} | {:.0} % |\n",
        in_words(without),
        in_words(with),
        (with.as_secs_f64() / without.as_secs_f64() - 1.0) * 100.0
    );
}

/// One handled delivery's worth of writing.
async fn transaction(store: &Store, n: usize, entry: Option<Entry>) -> Duration {
    let start = Instant::now();
    store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                let anchor = ledger::Anchor {
                    place: format!("bench:{n}"),
                    kind: "export".to_owned(),
                    size: 1,
                    at: Timestamp::UNIX_EPOCH,
                    note: Some("x".repeat(500)),
                };
                ledger::record_anchor(tx, &anchor).await?;
                match &entry {
                    Some(entry) => ledger::append(tx, entry).await.map(drop),
                    None => Ok(()),
                }
            })
        })
        .await
        .unwrap();
    start.elapsed()
}

async fn make(store: &Store, keys: &Keys) {
    let first = u64::try_from(ledger::size(store).await.unwrap()).unwrap();
    for round in first / AT_ONCE..ENTRIES / AT_ONCE {
        store
            .unit(move |tx| {
                Box::pin(async move {
                    for n in 0..AT_ONCE {
                        ledger::append(tx, &entry(round * AT_ONCE + n)).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
    }
    let mut edge = Edge::default();
    let mut tiles = Vec::new();
    let mut after = 0;
    loop {
        let rows = ledger::entries(store, after, 4_096).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.seq;
        for row in &rows {
            edge.push(leaf(&row.body), |tile| {
                tiles.push(Tile {
                    level: tile.level as i64,
                    n: tile.n as i64,
                    hashes: tile.hashes,
                    root: tile.root.to_vec(),
                });
            });
        }
    }
    let head = Checkpoint {
        size: edge.size() as i64,
        root: edge.root().to_vec(),
        note: keys.sign_head(edge.size(), edge.root()).unwrap(),
    };
    store
        .unit(move |tx| {
            let (tiles, head) = (tiles.clone(), head.clone());
            Box::pin(async move {
                ledger::record_tiles(tx, &tiles).await?;
                ledger::record_checkpoint(tx, &head).await
            })
        })
        .await
        .unwrap();
}

async fn whole(database: &str, store: &Store, keys: &Keys) {
    let trusted = PublicKeys::new([keys.public()]).unwrap();
    let size = ledger::size(store).await.unwrap();
    let mut taken = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        survey::whole(store, Some(keys.sealer()), &trusted, None)
            .await
            .unwrap();
        taken.push(start.elapsed());
    }
    taken.sort_unstable();
    println!(
        "Checking all of {size} entries on {database}: bytes, columns, private values, words, seals, tiles and the signed head; median of three.\n"
    );
    println!("| time | entries a second |");
    println!("|---:|---:|");
    println!(
        "| {:.2} s | {:.0} |\n",
        taken[1].as_secs_f64(),
        size as f64 / taken[1].as_secs_f64()
    );
}

/// What a receipt of ten entries needs, spread over the log.
async fn prove(database: &str, store: &Store) {
    let size = u64::try_from(ledger::size(store).await.unwrap()).unwrap();
    let mut taken = Vec::new();
    for round in 0..20_u64 {
        let start = Instant::now();
        for n in 0..10 {
            let index = (round * 7_919 + n * 17_389) % size;
            let seq = i64::try_from(index).unwrap() + 1;
            ledger::one(store, seq).await.unwrap().unwrap();
            ledger::asides(store, seq, seq).await.unwrap();
            let wanted = Wanted::Leaf { size, index };
            ledger::prove(store, wanted).await.unwrap().unwrap();
        }
        taken.push(start.elapsed());
    }
    taken.sort_unstable();
    println!(
        "Ten entries with their proofs out of {size} on {database}, as a receipt has them: median {}, slowest {}.\n",
        in_words(taken[10]),
        in_words(taken[19])
    );
}

/// Entries as they come: stages by the service itself, commands of people, now and then a refusal.
fn entry(n: u64) -> Entry {
    let at = Timestamp::from_second(1_700_000_000 + i64::try_from(n).unwrap()).unwrap();
    let sha = format!("{:040x}", u128::from(n / 8) * 0x9e37_79b9_7f4a_7c15);
    let ann = Actor::Person {
        forge: "github",
        id: 1_000 + n % 50,
        login: format!("person-{}", n % 50),
    };
    let about = |action, actor| {
        Entry::new(at, action, actor)
            .with("service", format!("service-{}", n % 40))
            .with("environment", "prod")
            .with("sha", sha.clone())
    };
    match n % 8 {
        0 => Entry::new(at, Action::CommandReceived, ann)
            .with("repository", "acme/shop")
            .with("pull_request", n)
            .with("comment", n)
            .with_private("command", "/deploy prod"),
        1 => about(Action::Refused, ann).with(
            "evidence",
            Detail::from([
                ("gates", gates()),
                ("policy", Detail::from("9f86d081884c7d65".repeat(4))),
                (
                    "reasons",
                    Detail::private(
                        "`check:build` is red; the soak time is not over; nobody of `qa` said yes",
                    ),
                ),
            ]),
        ),
        2 => about(Action::Approved, ann)
            .with("request", n / 8)
            .with("evidence", Detail::from([("gates", gates())])),
        _ => about(Action::StagePassed, Actor::Countersign)
            .with("stage", "build")
            .with("gates", gates()),
    }
}

fn gates() -> Detail {
    ["build", "lint", "e2e"]
        .into_iter()
        .map(|name| {
            Detail::from([
                ("name", Detail::from(name)),
                ("conclusion", Detail::from("success")),
                (
                    "url",
                    Detail::from(
                        "https://github.com/acme/shop/actions/runs/123456789/job/987654321",
                    ),
                ),
            ])
        })
        .collect()
}
