//! Logs go to standard error: as text to a terminal, as one JSON object a line to anything else. The demo, whose
//! terminal belongs to the person, has a file for them.

use std::fmt::Debug;
use std::io::{IsTerminal as _, Write};

use countersign_ledger::{clean, clean_json};
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

const DEFAULT: &str = "info,sqlx=warn,octocrab=warn,hyper=warn,tower=warn";

/// Starts logging. `COUNTERSIGN_LOG` takes `tracing`'s filters, such as `countersign=debug`.
pub(super) fn start() {
    let log = tracing_subscriber::fmt().with_env_filter(filter());
    let started = if std::io::stderr().is_terminal() {
        log.with_writer(std::io::stderr)
            .fmt_fields(fields())
            .with_ansi(std::env::var_os("NO_COLOR").is_none())
            .try_init()
    } else {
        log.with_writer(|| Legible(std::io::stderr()))
            .json()
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
        .fmt_fields(fields())
        .with_ansi(false)
        .with_writer(std::sync::Mutex::new(file))
        .try_init();
    started.map_err(std::io::Error::other)
}

/// Fields as text, in which nothing from outside moves a cursor or begins a line.
fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(field).delimited(" ")
}

fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let value = clean(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

/// Passes lines of JSON on, in which nothing is hidden.
struct Legible<W>(W);

impl<W: Write> Write for Legible<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(json) => self.0.write_all(clean_json(json).as_bytes())?,
            Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const EVIL: &str = "no\u{1b}[2J\u{9b}31m\u{202e}way\nerror: nothing";

    fn tell() {
        let span = tracing::info_span!("asking", who = %EVIL);
        let _inside = span.enter();
        tracing::info!(error = %EVIL, why = EVIL, "{EVIL}");
    }

    fn is_one_line(text: &str) {
        let line = text.strip_suffix('\n').unwrap();
        let is_bad = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!line.contains(is_bad), "{line:?}");
        assert!(line.contains("way"), "{line}");
    }

    #[test]
    fn nothing_from_outside_moves_the_cursor_of_who_reads_the_log() {
        let written = Written::default();
        let log = tracing_subscriber::fmt().fmt_fields(fields());
        let into = written.clone();
        let log = log.with_ansi(false).with_writer(move || into.clone());
        tracing::subscriber::with_default(log.finish(), tell);
        is_one_line(&written.text());
    }

    #[test]
    fn nothing_is_hidden_in_a_log_of_json() {
        let written = Written::default();
        let into = written.clone();
        let log = tracing_subscriber::fmt().json().flatten_event(true);
        let log = log.with_writer(move || Legible(into.clone()));
        tracing::subscriber::with_default(log.finish(), tell);
        is_one_line(&written.text());
        let read: serde_json::Value = serde_json::from_str(&written.text()).unwrap();
        assert_eq!(read["error"], EVIL);
    }
}
