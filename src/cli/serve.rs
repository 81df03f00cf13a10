//! `serve`: runs the service until a signal tells it to stop. The first signal lets work finish, the second stops
//! at once.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::config::Config;

use super::running::{Farewell, Running};
use super::{EXIT_INVALID, colour_of_errors, complain, complain_painted, handover, log, notify};

/// Between "not ready" and the closed door, so that a load balancer can look away.
const DRAIN: Duration = Duration::from_secs(1);

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
            complain_painted(&report.render(colour_of_errors()));
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
    let farewell = Farewell {
        drain: DRAIN,
        timeout: config.server.shutdown_timeout,
    };
    let mut running = Running::start(path, config, clients).await?;
    notify::ready();
    let broke = run_until_told(&mut running, &mut signals).await;
    notify::stopping();
    let in_order = running.stop(farewell, signals.stop()).await;
    Ok(if broke || !in_order {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Waits for a signal to stop, reloading on SIGHUP; `true` when a part ended instead.
async fn run_until_told(running: &mut Running, signals: &mut Signals) -> bool {
    loop {
        tokio::select! {
            told = signals.next() => match told {
                Told::Stop => {
                    tracing::info!("told to stop; finishing what is under way");
                    return false;
                }
                Told::Reload => running.reload().await,
            },
            () = running.broken() => return true,
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
