//! Opens what a configuration names.

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::config::Config;
use crate::store::{Options, Store};

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
