//! Logs go to standard error: text for a terminal, one JSON object a line for everybody else.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

const DEFAULT: &str = "info,sqlx=warn,octocrab=warn,hyper=warn,tower=warn";

/// Starts logging. `COUNTERSIGN_LOG` takes `tracing`'s filters, such as `countersign=debug`.
pub(super) fn start() {
    let asked = std::env::var("COUNTERSIGN_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    let filter = EnvFilter::try_new(&asked).unwrap_or_else(|error| {
        super::complain(&format!(
            "COUNTERSIGN_LOG is not a filter ({error}); logging as if it were `{DEFAULT}`"
        ));
        DEFAULT.into()
    });
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
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
