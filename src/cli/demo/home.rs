//! The home: everything that the demo needs, below one folder and on the loopback address: a small forge, a small chat, a
//! configuration that names them, and the service itself, started as `serve` starts it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use secrecy::ExposeSecret as _;

use super::chat::{Chat, ChatWish};
use super::forge::{Forge, ForgeWish};
use super::written;
use crate::cli::log_key::write_secret;
use crate::cli::running::Running;
use crate::cli::{handover, log};
use crate::config::{Colour, Config};
use crate::domain::{Action, Filter};
use crate::store::{Options, Store, ledger};
use countersign_ground::clock::Clock;
use countersign_ledger::Shown;

/// The world around the service, and a look into its database.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) clock: Clock,
    pub(super) forge: Forge,
    pub(super) chat: Chat,
    pub(super) config: PathBuf,
    pub(super) database: String,
    pub(super) address: SocketAddr,
    store: Store,
}

/// Where the service writes what it does.
pub(super) fn service_log(folder: &Path) -> PathBuf {
    folder.join("service.log")
}

impl Home {
    pub(super) async fn start(
        folder: &Path,
        forge: ForgeWish,
        chat: ChatWish,
    ) -> anyhow::Result<(Self, Running)> {
        log::start_in(&service_log(folder)).context("logging could not be started")?;
        let (forge, chat) = (forge.start().await?, chat.start().await?);
        let configuration = written::configuration(&forge, &chat);
        for secret in &configuration.secrets {
            write_secret(&folder.join(secret.file), &secret.text)?;
        }
        let path = folder.join("bot.toml");
        std::fs::write(&path, configuration.text)?;
        let config = Config::load(&path).map_err(|report| anyhow!(report.render(Colour::Never)))?;
        let clients = handover::clients(&config).map_err(|why| anyhow!(why))?;
        let database = config.database.url.expose_secret().to_owned();
        let running = Running::start(path.clone(), config, clients).await?;
        let address = running.address();
        forge.tell(address);
        chat.tell(address).await?;
        let store = Store::attach(&Options {
            connections: 1,
            ..Options::new(database.clone())
        })
        .await?;
        let home = Self {
            clock: Clock::system(),
            forge,
            chat,
            config: path,
            database,
            address,
            store,
        };
        Ok((home, running))
    }

    /// The entries of the audit log with this action about a commit, newest first; about none, of all.
    pub(super) async fn entries(&self, action: Action, sha: Option<&str>) -> Vec<Shown> {
        let filter = Filter {
            action: Some(action),
            sha: sha.map(str::to_owned),
            ..Filter::default()
        };
        // What cannot be read now is looked for again.
        let rows = ledger::find(&self.store, &filter, None, 20).await;
        match rows {
            Ok(rows) => ledger::shown(&self.store, &rows).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }
}
