//! The opening of what a configuration names.

use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;

use crate::config::Config;
use crate::store::{Options, Store};

use super::{colour_of_errors, complain_painted, log_key};

/// Opens the database and brings its schema up to date.
pub(super) async fn store(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open(&Options::new(config.database.url.expose_secret()))
        .await
        .context("the database cannot be opened")?;
    store
        .prepare_every_statement()
        .await
        .context("the database's schema does not fit this program")?;
    Ok(store)
}

/// The database of the service that a configuration file describes, as the service left it; nothing,
/// after a complaint, when the file is wrong.
pub(super) async fn configured_store(path: &Path) -> anyhow::Result<Option<Store>> {
    Ok(configured(path).await?.map(|(_, store)| store))
}

/// The configuration and its database.
pub(super) async fn configured(path: &Path) -> anyhow::Result<Option<(Config, Store)>> {
    match Config::load(path) {
        Ok(config) => {
            let options = Options::new(config.database.url.expose_secret());
            if let Some(path) = options.file().filter(|path| !path.exists()) {
                bail!(
                    "there is no database {} yet: `countersign serve` makes it",
                    path.display()
                );
            }
            let store = Store::attach(&options)
                .await
                .context("the database cannot be used")?;
            // A user who may not read the key can look at everything, and record nothing.
            if let Some(keys) = log_key::present(&config.ledger) {
                store.seal_with(keys.sealer());
            }
            Ok(Some((config, store)))
        }
        Err(report) => {
            complain_painted(&report.render(colour_of_errors()));
            Ok(None)
        }
    }
}

/// Who sits at the machine, as far as the system tells.
pub(super) fn operator() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
