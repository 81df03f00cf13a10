//! Logs go to standard error: as text to a terminal, as one JSON object a line to anything else. The demo, whose
//! terminal belongs to the person, has a file for them.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

const DEFAULT: &str = "info,sqlx=warn,octocrab=warn,hyper=warn,tower=warn";

/// Starts logging. `COUNTERSIGN_LOG` takes `tracing`'s filters, such as `countersign=debug`.
pub(super) fn start() {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        log.with_ansi(std::env::var_os("NO_COLOR").is_none())
            .try_init()
    } else {
        log.json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    if let Err(error) = started {
        super::complain(&format!("logging could not be started: {error}"));
    }
}

/// The same into a file, as text.
#[cfg(feature = "demo")]
pub(super) fn start_in(path: &std::path::Path) -> std::io::Result<()> {
    let file = std::fs::File::create(path)?;
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_ansi(false)
        .with_writer(std::sync::Mutex::new(file))
        .try_init();
    started.map_err(std::io::Error::other)
}

fn filter() -> EnvFilter {
    let asked = std::env::var("COUNTERSIGN_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    EnvFilter::try_new(&asked).unwrap_or_else(|error| {
        super::complain(&format!(
            "COUNTERSIGN_LOG is not a filter ({error}); logging as if it were `{DEFAULT}`"
        ));
        DEFAULT.into()
    })
}
