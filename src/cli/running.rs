//! A running service: its parts are made from a configuration, handed to each other, and ended in good order. When it
//! ends is for its starter to say: `serve` hears signals, the demo its person.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Ledger, Server};
use crate::engine::Shared;
use crate::engine::delivery::{DeliveryLoop, Pace};
use crate::engine::facts::Facts;
use crate::engine::hands::Hands;
use crate::engine::intake::Intake;
use crate::engine::listening::Listening;
use crate::engine::registering;
use crate::engine::signer::{Place, Signer};
use crate::engine::sweep::Sweep;
use crate::engine::watching::Watching;
use crate::http::{Doorway, Limits, Listener, Readiness, router};
use crate::metrics::Metrics;
use crate::store::Door;
use countersign_ground::clock::Clock;

use super::handover::{Clients, Handover, Parts};
use super::reload::{self, Reloader};
use super::supervise::{Ended, Tasks};
use super::{exports, log_key, open, witnesses};

/// Before the end of the shutdown's time, what is under way is given back.
const HURRY: Duration = Duration::from_secs(3);

/// The tokens that stop the parts, in the order in which they are cancelled.
#[derive(Clone, Debug, Default)]
struct Stops {
    /// Not ready any more, no new work.
    stopping: CancellationToken,
    /// No new connections.
    closed: CancellationToken,
    /// What is still under way is given back.
    hurry: CancellationToken,
    /// Everything else has ended: what was recorded last is signed.
    last: CancellationToken,
}

/// How much time there is for an end in good order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Farewell {
    /// Between "not ready" and the closed door.
    pub(super) drain: Duration,
    /// In all.
    pub(super) timeout: Duration,
}

/// A service whose parts are at work.
#[derive(Debug)]
pub(super) struct Running {
    tasks: Tasks,
    stops: Stops,
    reloader: Reloader,
    #[cfg_attr(
        not(feature = "demo"),
        expect(dead_code, reason = "only the demo asks where it listens")
    )]
    address: SocketAddr,
}

impl Running {
    /// Starts the parts that a configuration asks for, which was read from this file.
    pub(super) async fn start(
        path: PathBuf,
        config: Config,
        clients: Clients,
    ) -> anyhow::Result<Self> {
        let (handover, parts) = Handover::new(&config, clients);
        let clock = Clock::system();
        let metrics = Metrics::default();
        // Who cannot listen is a second service by mistake, and must not touch the database.
        let listener = bind(&config.server, &metrics)?;
        let store = open::store(&config).await?;
        let keys = log_key::keys(&config.ledger, &store).await?;
        store.seal_with(keys.sealer());
        reload::record(&store, &clock, &path, &config)
            .await
            .context("the configuration could not be recorded")?;
        metrics.configuration_is_current.set(1);

        let shared = Shared::new(store.clone(), clock.clone(), metrics.clone());
        let stops = Stops::default();
        let mut tasks = Tasks::default();
        let hook = config.server.gitlab_hook();
        if config.gitlab.is_some() && hook.is_none() {
            tracing::warn!("server.public_url is not set, so GitLab's webhooks are not watched");
        }
        let watching = Watching::new(watch::channel(hook).1);
        start_engine(&mut tasks, &shared, &parts, watching, &stops);
        for shipping in exports::shipping(&config.ledger.exports, &shared)? {
            tasks.start("export", shipping.run(stops.stopping.clone()));
        }
        for witnessing in witnesses::witnessing(&config.ledger, &shared)? {
            tasks.start("witness", witnessing.run(stops.stopping.clone()));
        }
        start_signer(&mut tasks, &shared, &config.ledger, &stops);
        let address = listener.address()?;
        start_http(&mut tasks, &shared, &parts, listener, &stops);
        tracing::info!(address = %address, version = env!("CARGO_PKG_VERSION"), "listening");
        let reloader = Reloader {
            path,
            current: config,
            handover,
            store,
            clock,
            metrics,
        };
        Ok(Self {
            tasks,
            stops,
            reloader,
            address,
        })
    }

    /// Where it listens.
    #[cfg(feature = "demo")]
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn reload(&mut self) {
        self.reloader.reload().await;
    }

    /// Waits until a part ends, which none does by itself, and says so in the log.
    pub(super) async fn broken(&mut self) {
        let ended = self.tasks.next().await;
        let (task, died) = ended.map_or(("all", false), |Ended { name, died }| (name, died));
        tracing::error!(task, died, "a part of the service ended; stopping the rest");
    }

    /// Ends in good order; `false` when a task died on the way, time ran out, or the operator was `impatient`.
    pub(super) async fn stop(
        mut self,
        farewell: Farewell,
        impatient: impl Future<Output = ()>,
    ) -> bool {
        let in_order = self.ends(farewell, impatient).await;
        self.reloader.store.close().await;
        in_order
    }

    async fn ends(
        &mut self,
        Farewell { drain, timeout }: Farewell,
        impatient: impl Future<Output = ()>,
    ) -> bool {
        let Self { tasks, stops, .. } = self;
        stops.stopping.cancel();
        let later = stops.clone();
        tokio::spawn(async move {
            tokio::time::sleep(drain).await;
            later.closed.cancel();
            tokio::time::sleep(timeout.saturating_sub(drain + HURRY)).await;
            later.hurry.cancel();
        });
        tokio::select! {
            in_order = finish(tasks, stops) => {
                tracing::info!("stopped");
                in_order
            }
            () = tokio::time::sleep(timeout) => {
                tracing::error!("time ran out; what was under way is left to its leases");
                false
            }
            () = impatient => {
                tracing::warn!("told twice; stopping at once");
                false
            }
        }
    }
}

/// Waits for every part; `false` when one died.
async fn finish(tasks: &mut Tasks, stops: &Stops) -> bool {
    let mut in_order = true;
    if tasks.left() == 1 {
        stops.last.cancel();
    }
    while let Some(ended) = tasks.next().await {
        if ended.died {
            tracing::error!(
                task = ended.name,
                "a part of the service died while stopping"
            );
            in_order = false;
        }
        // The signer is the last one: it signs what the others recorded at their end.
        if tasks.left() == 1 {
            stops.last.cancel();
        }
    }
    in_order
}

fn start_engine(
    tasks: &mut Tasks,
    shared: &Shared,
    parts: &Parts,
    watching: Watching,
    stops: &Stops,
) {
    let facts = Facts::new(
        shared.store.clone(),
        shared.clock.clone(),
        parts.forges.clone(),
    );
    let intake = Intake::new(shared.clone(), parts.catalog.clone(), Arc::new(facts));
    tasks.start("intake", intake.run(stops.stopping.clone()));
    let delivery = DeliveryLoop {
        shared: shared.clone(),
        catalog: parts.catalog.clone(),
        executor: Arc::new(Hands {
            clock: shared.clock.clone(),
            forges: parts.forges.clone(),
            chats: parts.chats.clients.clone(),
        }),
        pace: Pace::default(),
        hurry: stops.hurry.clone(),
    };
    tasks.start("delivery", delivery.run(stops.stopping.clone()));
    let sweep = Sweep {
        shared: shared.clone(),
        catalog: parts.catalog.clone(),
        forges: parts.forges.clone(),
        watching,
        keep_handled: parts.keep_handled.clone(),
    };
    tasks.start("sweep", sweep.run(stops.stopping.clone()));
    let wanted = parts.chats.registered.clone();
    tasks.start("commands", registering::run(wanted, stops.stopping.clone()));
}

fn start_signer(tasks: &mut Tasks, shared: &Shared, settings: &Ledger, stops: &Stops) {
    let from = settings.clone();
    let signer = Signer {
        shared: shared.clone(),
        read_keys: Arc::new(move || log_key::again(&from)),
        place: Place::new(&settings.head),
        anchor: settings.anchor.clone(),
    };
    tasks.start("signer", signer.run(stops.last.clone()));
}

fn bind(server: &Server, metrics: &Metrics) -> anyhow::Result<Listener> {
    let limits = Limits {
        connections: server.max_connections,
        header: server.header_timeout,
        body: server.body_timeout,
        body_size: server.max_body,
        bodies_size: server.max_waiting,
        ..Limits::default()
    };
    Listener::bind(server.listen, limits, metrics.clone())
        .with_context(|| format!("cannot listen on {}", server.listen))
}

fn start_http(
    tasks: &mut Tasks,
    shared: &Shared,
    parts: &Parts,
    listener: Listener,
    stops: &Stops,
) {
    let limits = listener.limits();
    let (door, committer) = Door::open(
        shared.store.clone(),
        shared.received.clone(),
        limits.waiting,
    );
    let readiness = Readiness::new(
        shared.store.clone(),
        shared.clock.clone(),
        shared.metrics.clone(),
        stops.stopping.clone(),
        shared.standing.subscribe(),
    );
    let listening = Listening {
        shared: shared.clone(),
        door: door.clone(),
        chats: parts.chats.clients.clone(),
    };
    tasks.start("listening", listening.run(stops.stopping.clone()));
    let doorway = Doorway::new(door, readiness, limits, parts.forge_door.clone())
        .with_chats(parts.chats.door.clone(), parts.catalog.clone());
    tasks.start("inbox", committer.run());
    tasks.start(
        "http",
        listener.serve(router(doorway), stops.closed.clone()),
    );
}
