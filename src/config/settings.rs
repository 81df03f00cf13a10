//! The valid configuration of Countersign itself and of what it talks to. Every value here has
//! been checked; secrets are wrapped, so that they are not shown by accident.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::domain::{Catalog, EnvironmentName, ServiceName, TimeSpan};

/// A whole configuration.
#[derive(Clone)]
pub struct Config {
    /// Where Countersign listens, and its limits.
    pub server: Server,
    /// Where everything is stored.
    pub database: Database,
    /// The audit log.
    pub ledger: Ledger,
    /// The connection to GitHub.
    pub github: Option<GitHub>,
    /// The connection to GitLab.
    pub gitlab: Option<GitLab>,
    /// The connection to Discord.
    pub discord: Option<Discord>,
    /// The connection to Slack.
    pub slack: Option<Slack>,
    /// The services and the roles.
    pub catalog: Catalog,
    /// The secrets of triggers that have one of their own.
    pub trigger_secrets: BTreeMap<(ServiceName, EnvironmentName), SecretString>,
    /// What is allowed but deserves a second look, each with its line.
    pub warnings: Vec<String>,
    /// The exact bytes of the file, for its digest.
    pub source: Vec<u8>,
}

impl fmt::Debug for Config {
    /// Leaves out the source, which may hold the password of a database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server", &self.server)
            .field("database", &self.database)
            .field("ledger", &self.ledger)
            .field("github", &self.github)
            .field("gitlab", &self.gitlab)
            .field("discord", &self.discord)
            .field("slack", &self.slack)
            .field("catalog", &self.catalog)
            .field("trigger_secrets", &self.trigger_secrets)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Where Countersign listens, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The address under which people and forges reach Countersign, without a slash at its end.
    pub public_url: Option<String>,
    /// How many connections are open at most.
    pub max_connections: usize,
    /// The largest request body that is read, in bytes.
    pub max_body: usize,
    /// How many bytes of request bodies are held in memory together, of which each source has its part.
    pub max_waiting: usize,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long work in hand may take at the end.
    pub shutdown_timeout: Duration,
}

impl Server {
    /// Where GitLab's webhooks lead.
    pub fn gitlab_hook(&self) -> Option<String> {
        let url = self.public_url.as_ref()?;
        Some(format!("{url}/hooks/gitlab"))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            public_url: None,
            max_connections: 4096,
            max_body: 25 << 20,
            max_waiting: 256 << 20,
            header_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(25),
        }
    }
}

/// Where everything is stored.
#[derive(Debug, Clone)]
pub struct Database {
    /// The URL, with an absolute path where it names a file.
    pub url: SecretString,
    /// How long a handled delivery is kept.
    pub keep_handled: TimeSpan,
}

/// The audit log.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// What a new log is called.
    pub name: String,
    /// Where its key is.
    pub key: KeyPlace,
    /// The file with the last signed head.
    pub head: PathBuf,
    /// A file to which signed heads are appended.
    pub anchor: Option<PathBuf>,
    /// Places that get every entry.
    pub exports: Vec<Export>,
    /// Those who cosign its signed heads.
    pub witnesses: Vec<Witness>,
}

/// A witness, who sees that the audit log only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The address below which heads are submitted, without a slash at its end.
    pub url: String,
    /// Its public key as it is written; it begins with the witness's name.
    pub key: String,
}

/// A place that gets every entry of the audit log.
#[derive(Debug, Clone)]
pub struct Export {
    pub name: String,
    pub to: ExportPlace,
    pub format: ExportFormat,
    /// Shown to a collector.
    pub token: Option<SecretString>,
}

/// Where entries are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportPlace {
    /// They are appended to this file.
    File(PathBuf),
    /// They are sent to this address.
    Url(String),
}

/// How entries are written for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    Ndjson,
    Ocsf,
    Ecs,
}

/// Where the key of the log is.
#[derive(Debug, Clone)]
pub enum KeyPlace {
    /// A file, which is made when it is missing at the first start.
    File(PathBuf),
    /// It was handed over.
    Given(SecretString),
}

/// The connection to GitHub.
#[derive(Debug, Clone)]
pub struct GitHub {
    /// The API's address, without a slash at its end.
    pub api_url: String,
    /// The address of the pages that people see, without a slash at its end.
    pub web_url: String,
    /// The host of private commit addresses.
    pub private_emails: String,
    /// As whom Countersign acts.
    pub identity: Identity,
    /// The secrets that sign webhooks: one, or two while they are changed.
    pub webhook_secrets: Vec<SecretString>,
}

/// As whom Countersign acts on GitHub.
#[derive(Debug, Clone)]
pub enum Identity {
    /// A GitHub App.
    App {
        /// The app's numeric id.
        app_id: u64,
        /// The app's private key, in PEM.
        private_key: SecretString,
    },
    /// The owner of a personal access token.
    Token(SecretString),
}

/// The connection to GitLab.
#[derive(Debug, Clone)]
pub struct GitLab {
    /// The address of GitLab, without a slash at its end.
    pub url: String,
    /// The host of private commit addresses.
    pub private_emails: String,
    /// The access token.
    pub token: SecretString,
    /// The tokens that webhooks carry: one, or two while they are changed.
    pub webhook_secrets: Vec<SecretString>,
}

/// The connection to Discord.
#[derive(Debug, Clone)]
pub struct Discord {
    /// The application's id.
    pub application_id: u64,
    /// The application's public key.
    pub public_key: [u8; 32],
    /// The bot's token.
    pub token: SecretString,
    /// The servers that are ours, by their ids.
    pub guilds: Vec<String>,
    /// The commands are registered once for all servers.
    pub is_global: bool,
    /// The API's address, without a slash at its end.
    pub api_url: String,
}

/// The connection to Slack.
#[derive(Debug, Clone)]
pub struct Slack {
    /// The bot's token.
    pub token: SecretString,
    /// The secrets that sign requests: one, or two while they are changed.
    pub signing_secrets: Vec<SecretString>,
    /// The workspaces that are ours, by their ids.
    pub teams: Vec<String>,
    /// The app's token for Socket Mode.
    pub app_token: Option<SecretString>,
    /// The API's address, without a slash at its end.
    pub api_url: String,
    /// Where answers are sent, without a slash at its end.
    pub hooks_url: String,
}
