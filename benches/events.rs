//! What one event costs with few and with many candidates: the same, if state is found by an index.
//!
//! One process, a fresh database, statuses that are in the inbox already; measured is the time until intake
//! has decided them all. The sizes take turns, so that a busy moment of the machine meets them both.
//! Prints a Markdown table. Run it with `script/bench`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that meets the unexpected stops, and its result is what it prints"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::config::{Config, Surroundings};
use countersign::domain::{
    Account, Bound, Candidate, Catalog, Change, Colour, Delivery, Forge, Rank, Report, ReportKind,
    Reporter, Repository, RepositoryId, Sha, Source,
};
use countersign::engine::Shared;
use countersign::engine::facts::Facts;
use countersign::engine::intake::Intake;
use countersign::forges::clients::Clients;
use countersign::metrics::Metrics;
use countersign::store::{Door, Options, Store, inbox, state};
use countersign_ground::clock::Clock;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const EVENTS: u64 = 2_000;
const ROUNDS: usize = 5;

/// Services, and candidates of each.
#[derive(Clone, Copy)]
struct Size {
    services: u64,
    candidates: u64,
}

const SIZES: [Size; 2] = [
    Size {
        services: 1,
        candidates: 10,
    },
    Size {
        services: 100,
        candidates: 100,
    },
];

struct World {
    size: Size,
    store: Store,
    shared: Shared,
    door: Door,
    catalog: watch::Receiver<Arc<Catalog>>,
    /// Numbers of statuses rise for ever.
    status: u64,
    _catalog: watch::Sender<Arc<Catalog>>,
    _folder: tempfile::TempDir,
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.iter().any(|word| word == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(measure());
    }
}

async fn measure() {
    println!("{EVENTS} status events on candidates, {ROUNDS} rounds, the sizes in turns.\n");
    println!("| database | candidates | services | one event, median | slowest round |");
    println!("|---|---:|---:|---:|---:|");
    for database in ["SQLite", "PostgreSQL"] {
        let mut worlds = Vec::new();
        for size in SIZES {
            match World::new(database, size).await {
                Some(world) => worlds.push(world),
                None => println!("| {database} | not measured | | | |"),
            }
        }
        let mut taken: Vec<Vec<Duration>> = worlds.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (world, taken) in worlds.iter_mut().zip(&mut taken) {
                taken.push(world.round().await);
            }
        }
        for (world, taken) in worlds.iter().zip(&mut taken) {
            taken.sort_unstable();
            let each = |whole: Duration| whole.as_secs_f64() * 1e6 / EVENTS as f64;
            println!(
                "| {database} | {} | {} | {:.0} µs | {:.0} µs |",
                world.size.services * world.size.candidates,
                world.size.services,
                each(taken[ROUNDS / 2]),
                each(taken[ROUNDS - 1])
            );
        }
    }
}

fn sha(service: u64, candidate: u64) -> Sha {
    format!("{service:020x}{candidate:020x}").parse().unwrap()
}

fn repository(service: u64) -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitHub, 1_000 + service),
        path: format!("acme/service-{service}"),
        installation: Some(1),
    }
}

fn catalog(services: u64) -> Catalog {
    let mut text = "[server]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:unused.db\"\n\
        [github]\ntoken = { env = \"TOKEN\" }\nwebhook_secret = { env = \"SECRET\" }\n\
        [roles.deployer]\ngithub_users = [\"ann\"]\n"
        .to_owned();
    for service in 0..services {
        text.push_str(&format!(
            "[[service]]\nname = \"service-{service}\"\nrepo = \"github:acme/service-{service}\"\nbranch = \"main\"\n\
             [[service.stage]]\nname = \"build\"\ngates = [\"status:ci/*\", \"check:build\"]\n\
             [[service.environment]]\nname = \"prod\"\napprovals = {{ deployer = 1 }}\nexclude = []\n"
        ));
    }
    let secrets = [
        ("TOKEN", "ghp_for_the_measurement"),
        ("SECRET", "a secret for the measurement"),
    ];
    let surroundings = Surroundings::fixed(Path::new("/"), secrets);
    match Config::parse(&text, "bot.toml", &surroundings) {
        Ok(config) => config.catalog.sealed(),
        Err(report) => panic!("{}", report.render(countersign::config::Colour::Never)),
    }
}

impl World {
    async fn new(database: &str, size: Size) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            "SQLite" => format!("sqlite://{}", folder.path().join("bench.db").display()),
            _ => fresh_postgres().await?,
        };
        let store = Store::open(&Options::new(url)).await.unwrap();
        store.seal_with(
            countersign_ledger::Keys::new("example.com/log", [7; 32])
                .unwrap()
                .sealer(),
        );
        let shared = Shared::new(store.clone(), Clock::system(), Metrics::default());
        let (door, committer) = Door::open(store.clone(), shared.received.clone(), 64);
        tokio::spawn(committer.run());
        let (sender, catalog) = watch::channel(Arc::new(catalog(size.services)));
        let world = Self {
            size,
            store,
            shared,
            door,
            catalog,
            status: 1,
            _catalog: sender,
            _folder: folder,
        };
        for service in 0..size.services {
            world.populate(service).await;
        }
        Some(world)
    }

    /// A service with all its candidates, each with some reports.
    async fn populate(&self, service: u64) {
        let now = self.shared.clock.now();
        let repository = repository(service);
        let mut changes = vec![Change::Bind(Bound {
            name: repository.path.clone(),
            repository: repository.clone(),
        })];
        for candidate in 0..self.size.candidates {
            let sha = sha(service, candidate);
            changes.push(Change::Candidate(Candidate {
                service: format!("service-{service}").parse().unwrap(),
                repository: repository.clone(),
                sha: sha.clone(),
                title: "a commit".to_owned(),
                seen_at: now,
                marks: std::collections::BTreeMap::new(),
            }));
            for name in ["ci/unit", "ci/lint", "ci/docs"] {
                changes.push(Change::Report(Report {
                    repository: repository.id,
                    sha: sha.clone(),
                    kind: ReportKind::Status,
                    name: name.to_owned(),
                    source: Reporter::Account(Account {
                        forge: Forge::GitHub,
                        id: 5,
                        login: "ci".to_owned(),
                    }),
                    rank: Rank {
                        id: 1,
                        attempt: 0,
                        phase: 0,
                        second: 0,
                    },
                    colour: Colour::Pending,
                    word: "pending".to_owned(),
                    url: String::new(),
                    at: now,
                    reference: None,
                    pipeline: None,
                    parent: None,
                    heard: None,
                }));
            }
        }
        let changes: Arc<[Change]> = changes.into();
        self.store
            .unit(move |tx| {
                let changes = changes.clone();
                Box::pin(async move {
                    for change in changes.iter() {
                        state::apply(tx, change, now).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    /// Puts the events into the inbox, then measures how long intake takes for them.
    async fn round(&mut self) -> Duration {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..EVENTS {
            let (delivery, body) = self.event();
            let (door, now) = (self.door.clone(), self.shared.clock.now());
            waiting.spawn(async move { door.store(delivery, &body, now).await.unwrap() });
        }
        while waiting.join_next().await.is_some() {}
        let forges = Clients {
            github: watch::channel(None).1,
            gitlab: watch::channel(None).1,
        };
        let facts = Facts::new(self.store.clone(), self.shared.clock.clone(), forges);
        let intake = Intake::new(self.shared.clone(), self.catalog.clone(), Arc::new(facts));
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "this is what is measured")]
        let start = Instant::now();
        let intake = tokio::spawn(intake.run(stop.clone()));
        while inbox::oldest(&self.store).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let taken = start.elapsed();
        stop.cancel();
        intake.await.unwrap();
        taken
    }

    /// A status for one of the candidates, spread over all of them.
    fn event(&mut self) -> (Delivery, Vec<u8>) {
        self.status += 1;
        let spread = self.status.wrapping_mul(7_919);
        let service = spread % self.size.services;
        let candidate = (spread / self.size.services) % self.size.candidates;
        let repository = repository(service);
        let body = json!({
            "id": self.status, "sha": sha(service, candidate), "name": repository.path,
            "context": "ci/unit", "state": "pending", "updated_at": "2026-01-01T00:00:00Z",
            "repository": { "id": repository.id, "full_name": repository.path },
            "installation": { "id": 1 },
            "sender": { "id": 5, "login": "ci", "type": "User" },
        });
        let delivery = Delivery {
            source: Source::Forge(Forge::GitHub),
            key: format!("{:020}", self.status),
            event: "status".to_owned(),
            lane: format!("github/repository/{}", repository.id),
            malformed: None,
        };
        (delivery, body.to_string().into_bytes())
    }
}

async fn fresh_postgres() -> Option<String> {
    use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

    let cluster = std::env::var("COUNTERSIGN_BENCH_POSTGRES").ok()?;
    sqlx::any::install_default_drivers();
    let name = format!("bench_{}", countersign_ground::chance::id());
    let mut connection = AnyConnection::connect(&cluster).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}
