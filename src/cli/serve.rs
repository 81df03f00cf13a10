//! `serve`: makes the parts, hands them to each other, and ends in good order. The first signal lets
//! work finish, the second stops at once.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
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

use super::handover::{self, Handover, Parts};
use super::reload::{self, Reloader};
use super::supervise::Tasks;
use super::{EXIT_INVALID, colour_of_errors, complain, exports, log, log_key, open, witnesses};

/// Between "not ready" and the closed door, so that a load balancer can look away.
const DRAIN: Duration = Duration::from_secs(1);
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

/// What a signal asks for.
#[derive(Clone, Copy, Debug)]
enum Told {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// Runs the service until it is told to stop.
pub(super) async fn serve(path: PathBuf) -> anyhow::Result<ExitCode> {
    let config = match Config::load(&path) {
        Ok(config) => config,
        Err(report) => {
            complain(&report.render(colour_of_errors()));
            return Ok(ExitCode::from(EXIT_INVALID));
        }
    };
    log::start();
    raise_file_limit();
    let mut signals = Signals::listen()?;
    for warning in &config.warnings {
        tracing::warn!(warning, "configuration");
    }
    let clients = match handover::clients(&config) {
        Ok(clients) => clients,
        Err(error) => {
            complain(&format!("error: {}: {error}", path.display()));
            return Ok(ExitCode::from(EXIT_INVALID));
        }
    };
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
    let server = config.server.clone();
    let mut tasks = Tasks::default();
    let hook = server.gitlab_hook();
    if config.gitlab.is_some() && hook.is_none() {
        tracing::warn!("server.public_url is not set, so GitLab's webhooks are not watched");
    }
    let watching = Watching::new(watch::channel(hook).1);
    start_engine(&mut tasks, &shared, (&parts, watching), &stops);
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

    let mut reloader = Reloader {
        path,
        current: config,
        handover,
        store,
        clock,
        metrics,
    };
    let died = run_until_told(&mut tasks, &mut signals, &mut reloader).await;
    let ended = stop(&mut tasks, &mut signals, &stops, server.shutdown_timeout).await;
    reloader.store.close().await;
    Ok(if died || !ended {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn start_engine(
    tasks: &mut Tasks,
    shared: &Shared,
    (parts, watching): (&Parts, Watching),
    stops: &Stops,
) {
    let facts = Facts::new(
        shared.store.clone(),
        shared.clock.clone(),
        parts.callers.clone(),
    );
    let intake = Intake {
        shared: shared.clone(),
        catalog: parts.catalog.clone(),
        facts: Arc::new(facts),
    };
    tasks.start("intake", intake.run(stops.stopping.clone()));
    let delivery = DeliveryLoop {
        shared: shared.clone(),
        executor: Arc::new(Hands {
            clock: shared.clock.clone(),
            callers: parts.callers.clone(),
            chats: parts.chats.clone(),
        }),
        pace: Pace::default(),
        hurry: stops.hurry.clone(),
    };
    tasks.start("delivery", delivery.run(stops.stopping.clone()));
    let sweep = Sweep {
        shared: shared.clone(),
        catalog: parts.catalog.clone(),
        callers: parts.callers.clone(),
        watching,
        keep_handled: parts.keep_handled.clone(),
    };
    tasks.start("sweep", sweep.run(stops.stopping.clone()));
    let wanted = parts.registered.clone();
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
        (shared.clock.clone(), shared.metrics.clone()),
        stops.stopping.clone(),
        shared.standing.subscribe(),
    );
    let listening = Listening {
        shared: shared.clone(),
        door: door.clone(),
        slack: parts.chats.slack.clone(),
    };
    tasks.start("slack", listening.run(stops.stopping.clone()));
    let doorway = Doorway::new(door, readiness, limits, parts.forge_door.clone())
        .with_chats(parts.chat_door.clone());
    tasks.start("inbox", committer.run());
    tasks.start(
        "http",
        listener.serve(router(doorway), stops.closed.clone()),
    );
}

/// Waits for a signal to stop, reloading on SIGHUP; `true` when a task died instead.
async fn run_until_told(tasks: &mut Tasks, signals: &mut Signals, reloader: &mut Reloader) -> bool {
    loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Stop => {
                    tracing::info!("told to stop; finishing what is under way");
                    return false;
                }
                Told::Reload => reloader.reload().await,
            },
            ended = tasks.next() => {
                let (task, died) = ended.map_or(("all", false), |ended| (ended.name, ended.died));
                tracing::error!(task, died, "a part of the service ended; stopping the rest");
                return true;
            }
        }
    }
}

/// Ends in good order; `false` when a task died on the way or time ran out.
async fn stop(tasks: &mut Tasks, signals: &mut Signals, stops: &Stops, timeout: Duration) -> bool {
    stops.stopping.cancel();
    let later = stops.clone();
    tokio::spawn(async move {
        tokio::time::sleep(DRAIN).await;
        later.closed.cancel();
        tokio::time::sleep(timeout.saturating_sub(DRAIN + HURRY)).await;
        later.hurry.cancel();
    });
    let finish = async {
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
    };
    tokio::select! {
        in_order = finish => {
            tracing::info!("stopped");
            in_order
        }
        () = tokio::time::sleep(timeout) => {
            tracing::error!("time ran out; what was under way is left to its leases");
            false
        }
        () = signals.stop() => {
            tracing::warn!("told twice; stopping at once");
            false
        }
    }
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Waits for a signal to stop; a reload makes no sense any more.
    async fn stop(&mut self) {
        while let Told::Reload = self.next().await {}
    }
}

/// A connection is an open file, and the usual limit is a thousand.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(error = %error, "the limit of open files could not be raised");
    }
}
