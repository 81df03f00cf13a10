//! The machine: what can be seen on it: the configuration, files and their modes, the address, the database, the audit
//! log.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::finding::Findings;
use crate::cli::{audit, counted, log_key, progress};
use crate::config::{Config, KeyPlace, Report};
use crate::store::{Options, Store, ledger};

/// Reads the configuration, and says what deserves a second look in it.
pub(super) fn configuration(path: &Path, findings: &mut Findings) -> Result<Config, Report> {
    let shown = path.display();
    match Config::load(path) {
        Ok(config) => {
            let environments = config.catalog.services.iter();
            let environments: usize = environments.map(|service| service.environments.len()).sum();
            findings.ok(
                "configuration",
                format!(
                    "{shown} is valid: {}, {}",
                    counted(config.catalog.services.len(), "service"),
                    counted(environments, "environment")
                ),
            );
            for warning in &config.warnings {
                findings.warn("configuration", warning, "");
            }
            Ok(config)
        }
        Err(report) => {
            findings.error(
                "configuration",
                format!("{shown} is not valid"),
                "correct every mistake that the report names",
            );
            Err(report)
        }
    }
}

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    address(config, findings);
    key(config, findings);
    if let Some(store) = database(config, findings).await {
        waiting(&store, findings).await;
        log(config, &store, findings).await;
        store.close().await;
    }
}

/// Whether others can reach us, as far as it shows from here.
fn address(config: &Config, findings: &mut Findings) {
    let about = "address";
    match &config.server.public_url {
        None => findings.warn(
            about,
            "server.public_url is not set, so the doctor cannot check where webhooks lead",
            "write the address of the proxy, such as `public_url = \"https://deploys.example.com\"`",
        ),
        Some(url) if !url.starts_with("https://") && !is_local(url) => findings.warn(
            about,
            format!("webhooks and commands come to {url} without TLS"),
            "put a proxy that speaks TLS in front, and write its address with `https://`",
        ),
        Some(url) => findings.ok(about, format!("the world reaches us at {url}")),
    }
    let listen = config.server.listen;
    if listen.port() == 0 {
        return;
    }
    match TcpListener::bind(listen) {
        Ok(_) => findings.ok(about, format!("{listen} is free to listen on")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => findings.ok(
            about,
            format!("{listen} is taken: by the service, if it runs"),
        ),
        Err(error) => findings.error(
            about,
            format!("Countersign cannot listen on {listen}: {error}"),
            "write an address of this machine as `server.listen`; ports below 1024 need a privilege",
        ),
    }
}

fn is_local(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|local| url.starts_with(local))
}

/// The key of the audit log, which decides whether its signatures mean anything.
fn key(config: &Config, findings: &mut Findings) {
    let about = "log key";
    match &config.ledger.key {
        KeyPlace::Given(_) => match log_key::again(&config.ledger) {
            Ok(keys) => findings.ok(about, format!("handed over; its log is {}", keys.log())),
            Err(why) => findings.error(about, why, "hand over the key that began this log"),
        },
        KeyPlace::File(path) => match log_key::read(path) {
            Ok(Some(keys)) => findings.ok(
                about,
                format!("{} signs the log {}", path.display(), keys.log()),
            ),
            Ok(None) => writable(path, about, "it is made at the first start", findings),
            Err(error) => findings.error(about, format!("{error:#}"), ""),
        },
    }
    let head = &config.ledger.head;
    if let Ok(found) = std::fs::metadata(head) {
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o022 == 0 {
            findings.ok(
                "log head",
                format!("{} is kept outside the database", head.display()),
            );
        } else {
            findings.warn(
                "log head",
                format!(
                    "others on this machine may change {} (mode {mode:o})",
                    head.display()
                ),
                "`chmod 600` it: it is how a database that was cut short is noticed",
            );
        }
    } else {
        writable(
            head,
            "log head",
            "it is written with the first signature",
            findings,
        );
    }
}

/// Whether a file that is not there yet can be made.
fn writable(path: &Path, about: &str, when: &str, findings: &mut Findings) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let shown = path.display();
    match rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK) {
        Ok(()) => findings.ok(about, format!("{shown} is not there yet: {when}")),
        Err(error) => findings.error(
            about,
            format!("{shown} cannot be made: {error}"),
            &format!(
                "make the folder {} and let the service's user write there",
                folder.display()
            ),
        ),
    }
}

async fn database(config: &Config, findings: &mut Findings) -> Option<Store> {
    let about = "database";
    let options = Options::new(config.database.url.expose_secret());
    if let Some(path) = options.file() {
        if !path.exists() {
            writable(&path, about, "it is made at the first start", findings);
            return None;
        }
        if let Some(mode) = mode_for_others(&path) {
            findings.warn(
                about,
                format!(
                    "every user of this machine can read {} (mode {mode:o})",
                    path.display()
                ),
                "`chmod 600` it: it holds what the forges told us, private repositories included",
            );
        }
    }
    match Store::attach(&options).await {
        Ok(store) => {
            findings.ok(about, "can be used, and has this program's schema");
            Some(store)
        }
        Err(error) => {
            findings.error(
                about,
                error.to_string(),
                "if an older version wrote it, the next start of the service brings it up to date; otherwise see docs/operations.md",
            );
            None
        }
    }
}

fn mode_for_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o004 != 0).then_some(mode)
}

/// What was set aside and waits for a person.
async fn waiting(store: &Store, findings: &mut Findings) {
    let about = "waiting";
    match store.set_aside().await {
        Ok((0, 0)) => findings.ok(about, "nothing waits for an operator"),
        Ok((effects, deliveries)) => {
            if effects > 0 {
                findings.warn(
                    about,
                    format!("calls to forges and chats that failed for good: {effects}"),
                    "`countersign outbox list` shows what and why",
                );
            }
            if deliveries > 0 {
                findings.warn(
                    about,
                    format!("deliveries that Countersign could not handle: {deliveries}"),
                    "`countersign inbox list` shows what and why",
                );
            }
        }
        Err(error) => findings.error(about, error.to_string(), ""),
    }
}

/// The whole audit log, against what was signed here and in the second place.
async fn log(config: &Config, store: &Store, findings: &mut Findings) {
    let about = "audit log";
    match ledger::size(store).await {
        Ok(0) => return findings.ok(about, "begins with the first start"),
        Ok(_) => {}
        Err(error) => return findings.error(about, error.to_string(), ""),
    }
    match progress::shown("checking the audit log", audit::check(config, store)).await {
        Ok(Ok(text)) => findings.ok(about, text.lines().next().unwrap_or_default()),
        Ok(Err(why)) => findings.error(
            about,
            why,
            "releases are stopped until an operator has settled it: see \"When the log is broken\" in docs/audit.md",
        ),
        Err(error) => findings.error(about, format!("{error:#}"), ""),
    }
}
