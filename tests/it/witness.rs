//! Witnesses, what they get and what is kept of their word: the log grows before their eyes, one that lies is
//! not believed, and one that is away keeps nothing waiting.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign::domain::{Account, Action, Actor, Entry, Forge};
use countersign::engine::Shared;
use countersign::engine::witnessing::{Looker, Step, Witnessing};
use countersign::metrics::Metrics;
use countersign::outposts::witness::Witness;
use countersign::store::{Store, ledger};
use countersign_ground::clock::Clock;
use countersign_ledger::{Edge, Head, PublicKeys, WitnessKey, leaf};
use ed25519_dalek::{Signer as _, SigningKey};
use sqlx::Executor as _;
use tlog_tiles::{Hash, check_tree};

use crate::support::database::keys;
use crate::support::pinned::Page;
use crate::support::service::{self, Service, Wishes, write_config};
use crate::support::{Database, Engine, eventually, on_both};

on_both!(
    a_witness_sees_the_log_grow,
    a_witness_that_knows_more_or_less_is_followed,
    what_a_liar_signs_is_not_kept,
    a_witness_that_is_away_keeps_nobody_waiting,
    another_log_is_not_cosigned,
    of_two_processes_one_shows_the_log,
    a_running_service_is_witnessed_and_that_is_checked,
);

const NAME: &str = "witness.example/w1";

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn spelled(seed: u8) -> String {
    let key = [&[4], secret(seed).verifying_key().as_bytes().as_slice()].concat();
    let id = signed_note::key_id(NAME, &key);
    format!("{NAME}+{id:08x}+{}", STANDARD.encode(&key))
}

/// An honest witness, as far as its key is the one that the service expects.
#[derive(Clone)]
struct Honest {
    seed: u8,
    /// The last checkpoint that it cosigned.
    seen: Arc<Mutex<Head>>,
    /// The sizes that it was told it knows.
    told: Arc<Mutex<Vec<u64>>>,
}

impl Honest {
    fn new(seed: u8) -> Self {
        let nothing = Head {
            size: 0,
            root: [0; 32],
        };
        Self {
            seed,
            seen: Arc::new(Mutex::new(nothing)),
            told: Arc::default(),
        }
    }

    fn seen(&self) -> Head {
        *self.seen.lock().unwrap()
    }

    fn told(&self) -> Vec<u64> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    async fn open(&self) -> SocketAddr {
        async fn add(
            State(witness): State<Honest>,
            body: String,
        ) -> (StatusCode, HeaderMap, String) {
            let mut headers = HeaderMap::new();
            let (status, text) = witness.answer(&body);
            if status == StatusCode::CONFLICT && !text.is_empty() {
                headers.insert(CONTENT_TYPE, "text/x.tlog.size".parse().unwrap());
            }
            (status, headers, text)
        }
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/w/add-checkpoint", post(add))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// What the specification asks of a witness.
    fn answer(&self, body: &str) -> (StatusCode, String) {
        let nothing = String::new;
        let (front, note) = body.split_once("\n\n").unwrap();
        let mut lines = front.lines();
        let old = lines.next().unwrap().strip_prefix("old ").unwrap();
        let old: u64 = old.parse().unwrap();
        self.told.lock().unwrap().push(old);
        let proof: Vec<Hash> = lines
            .map(|line| Hash(STANDARD.decode(line).unwrap().try_into().unwrap()))
            .collect();
        assert!(proof.len() <= 63);
        let public = PublicKeys::new(keys().publics()).unwrap();
        if !note.starts_with(&format!("{}\n", public.log())) {
            return (StatusCode::NOT_FOUND, nothing());
        }
        let Ok(head) = public.check(note) else {
            return (StatusCode::FORBIDDEN, nothing());
        };
        if old > head.size {
            return (StatusCode::BAD_REQUEST, nothing());
        }
        let mut seen = self.seen.lock().unwrap();
        if old != seen.size {
            return (StatusCode::CONFLICT, format!("{}\n", seen.size));
        }
        if old == head.size && seen.root != head.root {
            return (StatusCode::CONFLICT, nothing());
        }
        let has_grown = if old == 0 || old == head.size {
            proof.is_empty()
        } else {
            check_tree(&proof, head.size, Hash(head.root), old, Hash(seen.root)).is_ok()
        };
        if !has_grown {
            return (StatusCode::UNPROCESSABLE_ENTITY, nothing());
        }
        *seen = head;
        (StatusCode::OK, self.sign(note))
    }

    fn sign(&self, note: &str) -> String {
        let text = note.split_once("\n\n").unwrap().0;
        let time: u64 = 1_800_000_000;
        let message = format!("cosignature/v1\ntime {time}\n{text}\n");
        let key = secret(self.seed);
        let public = [&[4], key.verifying_key().as_bytes().as_slice()].concat();
        let id = signed_note::key_id(NAME, &public).to_be_bytes();
        let signature = key.sign(message.as_bytes()).to_bytes();
        let line = [id.as_slice(), &time.to_be_bytes(), &signature].concat();
        format!("\u{2014} {NAME} {}\n", STANDARD.encode(line))
    }
}

struct Log {
    database: Database,
    store: Store,
}

impl Log {
    async fn of(engine: Engine, entries: usize) -> Self {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let log = Self { database, store };
        log.grow(entries).await;
        log
    }

    /// Adds entries, and signs what there is then.
    async fn grow(&self, entries: usize) -> i64 {
        self.store
            .unit(move |tx| {
                Box::pin(async move {
                    let ann = Account {
                        forge: Forge::GitHub,
                        id: 7,
                        login: "ann".to_owned(),
                    };
                    let at = jiff::Timestamp::UNIX_EPOCH;
                    for _ in 0..entries {
                        let entry = Entry::new(at, Action::Answered, Actor::from(&ann));
                        ledger::append(tx, &entry).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        let mut edge = Edge::default();
        let mut tiles = Vec::new();
        for entry in ledger::entries(&self.store, 0, 100_000).await.unwrap() {
            edge.push(leaf(&entry.body), |tile| {
                tiles.push(ledger::Tile {
                    level: i64::try_from(tile.level).unwrap(),
                    n: i64::try_from(tile.n).unwrap(),
                    hashes: tile.hashes,
                    root: tile.root.to_vec(),
                });
            });
        }
        let head = ledger::Checkpoint {
            size: i64::try_from(edge.size()).unwrap(),
            root: edge.root().to_vec(),
            note: keys().sign_head(edge.size(), edge.root()).unwrap(),
        };
        let size = head.size;
        self.store
            .unit(move |tx| {
                let (head, tiles) = (head.clone(), tiles.clone());
                Box::pin(async move {
                    ledger::record_tiles(tx, &tiles).await?;
                    ledger::record_checkpoint(tx, &head).await
                })
            })
            .await
            .unwrap();
        size
    }

    /// Shows the log to the witness at this address, expecting the key of this seed.
    async fn shown_to(&self, address: SocketAddr, seed: u8) -> Witnessing {
        let witness = Witness::new(&format!("http://{address}/w")).unwrap();
        Witnessing {
            shared: Shared::new(
                self.database.open().await,
                Clock::system(),
                Metrics::default(),
            ),
            key: WitnessKey::parse(&spelled(seed)).unwrap(),
            witness: witness.within(Duration::from_secs(5)),
        }
    }

    async fn kept(&self) -> Option<(i64, String)> {
        let anchor = ledger::anchor(&self.store, NAME).await.unwrap()?;
        Some((anchor.size, anchor.note.unwrap()))
    }

    async fn noted(&self) -> usize {
        let noted = ledger::numbers(&self.store, Action::CheckpointAnchored).await;
        noted.unwrap().len()
    }
}

async fn step(witnessing: &Witnessing, looker: &mut Looker) -> Step {
    witnessing.step(looker).await.unwrap()
}

async fn a_witness_sees_the_log_grow(engine: Engine) {
    let log = Log::of(engine, 5).await;
    let honest = Honest::new(1);
    let witnessing = log.shown_to(honest.open().await, 1).await;
    let mut looker = Looker::default();
    assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(6));
    assert_eq!(honest.told(), [0]);
    let (size, note) = log.kept().await.unwrap();
    assert_eq!(size, 6);
    assert!(witnessing.key.check(&note).is_ok(), "{note}");
    let public = PublicKeys::new(keys().publics()).unwrap();
    assert_eq!(public.check(&note).unwrap(), honest.seen());

    // That it was noted is no news by itself.
    assert_eq!(log.noted().await, 1);
    assert_eq!(log.grow(0).await, 7);
    assert_eq!(step(&witnessing, &mut looker).await, Step::Idle);
    assert_eq!(honest.told(), [0; 0]);

    let mut known = 6;
    for more in [1, 300, 17] {
        let size = log.grow(more).await;
        assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(size));
        assert_eq!(honest.told(), [known]);
        known = u64::try_from(size).unwrap();
        assert_eq!(honest.seen().size, known);
        assert_eq!(log.kept().await.unwrap().0, size);
    }
    assert_eq!(log.noted().await, 1, "at most once an hour");
}

async fn a_witness_that_knows_more_or_less_is_followed(engine: Engine) {
    let log = Log::of(engine, 20).await;
    let honest = Honest::new(1);
    let witnessing = log.shown_to(honest.open().await, 1).await;
    let mut looker = Looker::default();
    assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(21));
    let earlier = honest.seen();
    let size = log.grow(9).await;
    assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(size));
    let later = honest.seen();
    honest.told();

    // It forgot the last one.
    *honest.seen.lock().unwrap() = earlier;
    let size = log.grow(4).await;
    assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(size));
    assert_eq!(honest.told(), [later.size, earlier.size]);

    // We forgot the last one, and then everything.
    let mut connection = log.database.direct().await;
    for forget in [
        "UPDATE ledger_anchor SET size = 3",
        "DELETE FROM ledger_anchor",
    ] {
        let known = honest.seen().size;
        connection.execute(forget).await.unwrap();
        assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(size));
        assert_eq!(honest.told().last(), Some(&known));
    }

    // It knows more than there is.
    honest.seen.lock().unwrap().size = 10_000;
    log.grow(1).await;
    let failed = step(&witnessing, &mut looker).await;
    assert!(matches!(failed, Step::Failed(_)), "{failed:?}");
    assert_eq!(log.kept().await.unwrap().0, size);
}

async fn what_a_liar_signs_is_not_kept(engine: Engine) {
    let log = Log::of(engine, 3).await;
    let liar = Honest::new(2);
    let witnessing = log.shown_to(liar.open().await, 1).await;
    let mut looker = Looker::default();
    for _ in 0..2 {
        let failed = step(&witnessing, &mut looker).await;
        let Step::Failed(wait) = failed else {
            panic!("{failed:?}");
        };
        assert!(wait >= Duration::from_secs(10), "{wait:?}");
    }
    assert_eq!(log.kept().await, None);
    assert_eq!(log.noted().await, 0);
    assert_eq!(liar.seen().size, 4, "it was shown the log");
}

async fn a_witness_that_is_away_keeps_nobody_waiting(engine: Engine) {
    let log = Log::of(engine, 3).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    let mut silent = log.shown_to(address, 1).await;
    silent.witness = silent.witness.within(Duration::from_millis(50));
    let mut looker = Looker::default();
    let failed = step(&silent, &mut looker).await;
    assert!(matches!(failed, Step::Failed(_)), "{failed:?}");
    drop(closed);
    let failed = step(&silent, &mut looker).await;
    assert!(matches!(failed, Step::Failed(_)), "{failed:?}");
    assert_eq!(log.grow(3).await, 7);

    // It comes back.
    let honest = Honest::new(1);
    let back = log.shown_to(honest.open().await, 1).await;
    assert_eq!(step(&back, &mut looker).await, Step::Witnessed(7));
}

async fn another_log_is_not_cosigned(engine: Engine) {
    let log = Log::of(engine, 9).await;
    let honest = Honest::new(1);
    let witnessing = log.shown_to(honest.open().await, 1).await;
    let mut looker = Looker::default();
    assert_eq!(step(&witnessing, &mut looker).await, Step::Witnessed(10));
    let kept = log.kept().await;
    honest.seen.lock().unwrap().root = [9; 32];
    log.grow(5).await;
    let failed = step(&witnessing, &mut looker).await;
    assert!(matches!(failed, Step::Failed(_)), "{failed:?}");
    assert_eq!(log.kept().await, kept);
}

async fn of_two_processes_one_shows_the_log(engine: Engine) {
    let log = Log::of(engine, 2).await;
    let honest = Honest::new(1);
    let address = honest.open().await;
    let one = log.shown_to(address, 1).await;
    let other = log.shown_to(address, 1).await;
    let (mut first, mut second) = (Looker::default(), Looker::default());
    assert_eq!(step(&one, &mut first).await, Step::Witnessed(3));
    let size = log.grow(2).await;
    assert_eq!(
        step(&other, &mut second).await,
        Step::Idle,
        "the lease holds"
    );
    let mut connection = log.database.direct().await;
    let expired = "UPDATE lease SET lease_until = 1 WHERE lease_until <> 0";
    connection.execute(expired).await.unwrap();
    assert_eq!(step(&other, &mut second).await, Step::Witnessed(size));
    assert_eq!(honest.told(), [0, 3]);
}

/// What `audit verify` says then.
fn verified(page: &mut Page, when: &str, config: &Path) -> (bool, String) {
    let output = service::command(config, &["audit", "verify"]).output();
    let output = output.unwrap();
    page.ran_so(&format!("countersign audit verify, {when}"), &output);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

async fn a_running_service_is_witnessed_and_that_is_checked(engine: Engine) {
    use std::io::Write as _;

    let database = Database::migrated(engine).await;
    let honest = Honest::new(1);
    let address = honest.open().await;
    let config = write_config(&database, None, &Wishes::default());
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&config)
        .unwrap();
    let lines = format!(
        "[[ledger.witness]]\nurl = \"http://{address}/w/\"\nkey = \"{}\"\n",
        spelled(1)
    );
    file.write_all(lines.as_bytes()).unwrap();
    let service = Service::run(config.clone(), &[]).await;
    let store = database.open().await;
    let anchor = eventually("the log is witnessed", async || {
        ledger::anchor(&store, NAME).await.unwrap()
    })
    .await;
    eventually("the cosigned head was served or is history", async || {
        let head = ledger::last_checkpoint(&store).await.unwrap()?;
        (head.size > anchor.size).then_some(())
    })
    .await;
    assert_eq!(service.stop().await, 0);
    let mut page = Page::of_terminal("audit-verify-witnessed");
    let (good, said) = verified(&mut page, "witnessed", &config);
    let line = format!("witnessed as far as entry {} by {NAME}", anchor.size);
    assert!(good && said.contains(&line), "{said}");

    // What is kept is not believed because it is kept.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(&spelled(1), &spelled(2))).unwrap();
    let (good, said) = verified(&mut page, "with another key of the witness", &config);
    assert!(good, "{said}");
    assert!(!said.contains("witnessed as far"), "{said}");
    std::fs::write(&config, text).unwrap();

    // A witness that saw another log is believed before the log is.
    let size = u64::try_from(anchor.size).unwrap();
    let note = keys().sign_head(size, [3; 32]).unwrap();
    let note = format!("{note}{}", honest.sign(&note));
    let place = ledger::Anchor {
        note: Some(note),
        ..anchor
    };
    store
        .unit(move |tx| {
            let place = place.clone();
            Box::pin(async move { ledger::record_anchor(tx, &place).await })
        })
        .await
        .unwrap();
    let (good, said) = verified(&mut page, "when the witness saw another log", &config);
    assert!(!good, "{said}");
    page.pin();
}
