//! The sections about Countersign itself and about what it talks to, as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, TextOr};
use crate::config::at::At;

/// Where Countersign listens, and its limits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// The address and port to listen on. The default is `127.0.0.1:7878`.
    #[schemars(example = &"127.0.0.1:7878")]
    pub(crate) listen: Option<At<String>>,
    /// The address under which people and forges reach Countersign.
    #[schemars(example = &"https://deploys.example.com")]
    pub(crate) public_url: Option<At<String>>,
    /// How many connections are open at most. The default is 4096.
    #[schemars(example = 4096)]
    pub(crate) max_connections: Option<At<u64>>,
    /// The largest request body that is read. The default is `25MiB`, the most that GitHub sends.
    #[schemars(example = &"25MiB")]
    pub(crate) max_body: Option<At<String>>,
    /// How much of request bodies is held in memory together. Each forge and each chat has a quarter of it, and always
    /// enough for one body of the largest size. The default is `256MiB`.
    #[schemars(example = &"256MiB")]
    pub(crate) max_waiting: Option<At<String>>,
    /// How long a client may take to send a request's head. The default is `5s`.
    #[schemars(example = &"5s")]
    pub(crate) header_timeout: Option<At<String>>,
    /// How long a client may take to send a request's body. The default is `10s`.
    #[schemars(example = &"10s")]
    pub(crate) body_timeout: Option<At<String>>,
    /// How long work in hand may take when Countersign is told to stop. The default is `25s`.
    #[schemars(example = &"25s")]
    pub(crate) shutdown_timeout: Option<At<String>>,
}

/// Where everything is stored.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    /// `sqlite:FILE`, relative to this file's folder, or `postgres://...`; a table like
    /// `{ env = "DATABASE_URL" }` keeps a password out of the file. The default is `sqlite:countersign.db`.
    #[schemars(example = &"sqlite:countersign.db")]
    pub(crate) url: Option<At<TextOr<Secret>>>,
    /// How long a handled delivery is kept. The default is `7d`.
    #[schemars(example = &"7d")]
    pub(crate) keep_handled: Option<At<String>>,
}

/// The audit log: its name, its key, and where its signed head is kept.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    /// The name of the log: its address without `https://`. It is chosen when the log's key is made
    /// and stays. The default is the host of `public_url` with `/log`.
    #[schemars(example = &"deploys.example.com/log")]
    pub(crate) name: Option<At<String>>,
    /// The file with the key that signs the log, relative to this file's folder; made at the first start.
    /// A table like `{ credential = "log-key" }` takes it from elsewhere. The default is `countersign-log.key`.
    #[schemars(example = &"countersign-log.key")]
    pub(crate) key: Option<At<TextOr<Secret>>>,
    /// The file with the last signed head, relative to this file's folder. Keep it apart from the
    /// database and its backups. The default is `countersign-log.head`.
    #[schemars(example = &"countersign-log.head")]
    pub(crate) head: Option<At<String>>,
    /// A file to which signed heads are appended, best on storage that can be written once.
    #[schemars(example = &"/mnt/worm/countersign-log.heads")]
    pub(crate) anchor: Option<At<String>>,
    /// Places that get every entry of the log.
    pub(crate) export: Option<Vec<At<Export>>>,
    /// Witnesses that cosign the log's signed heads, as C2SP's tlog-witness has it.
    pub(crate) witness: Option<Vec<At<Witness>>>,
}

/// A witness: it sees that the log only grows, and says so under its own key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Witness {
    /// The address below which checkpoints are submitted.
    #[schemars(required, example = &"https://witness.example/submit")]
    pub(crate) url: Option<At<String>>,
    /// Its public key for cosignatures, as its operator publishes it: name, id and key, joined by `+`.
    #[schemars(required, example = &"witness.example/w1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea")]
    pub(crate) key: Option<At<String>>,
}

/// A place that gets every entry of the audit log, in order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    /// What it is called; how far it has come is remembered under this name.
    #[schemars(required, example = &"siem")]
    pub(crate) name: Option<At<String>>,
    /// `file:PATH`, relative to this file's folder, or `https://...`, which gets lines by POST.
    #[schemars(required, example = &"https://siem.example.com/ingest")]
    pub(crate) to: Option<At<String>>,
    /// How entries are written: `ndjson`, `ocsf` or `ecs`. The default is `ndjson`.
    #[schemars(example = &"ecs")]
    pub(crate) format: Option<At<ExportFormat>>,
    /// The token that the collector wants, sent as `Authorization: Bearer`.
    pub(crate) token: Option<At<Secret>>,
}

/// How entries are written for others.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportFormat {
    /// As they are, with what lies aside.
    Ndjson,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
}

/// The connection to GitHub: an app (`app_id` with `private_key`) or, for trying out, a `token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GitHub {
    /// The API's address. The default is `https://api.github.com`; GitHub Enterprise has
    /// `https://HOST/api/v3`.
    #[schemars(example = &"https://api.github.com")]
    pub(crate) api_url: Option<At<String>>,
    /// The address of the pages that people see. Derived from `api_url` when absent.
    #[schemars(example = &"https://github.com")]
    pub(crate) web_url: Option<At<String>>,
    /// The host of private commit addresses (`ID+LOGIN@HOST`). The default is `users.noreply.` before the host of
    /// `web_url`.
    #[schemars(example = &"users.noreply.github.com")]
    pub(crate) private_emails: Option<At<String>>,
    /// The app's numeric id.
    #[schemars(example = 12345)]
    pub(crate) app_id: Option<At<u64>>,
    /// The app's private key, in PEM.
    pub(crate) private_key: Option<At<Secret>>,
    /// A personal access token, instead of an app.
    pub(crate) token: Option<At<Secret>>,
    /// The secret that signs webhooks, at least 16 bytes; a list of two while it is changed.
    #[schemars(required)]
    #[schemars(extend("x-missing" = "deliveries without a signature are never accepted; for example: webhook_secret = { env = \"GITHUB_WEBHOOK_SECRET\" }"))]
    pub(crate) webhook_secret: Option<At<OneOrMany<Secret>>>,
}

/// The connection to GitLab.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GitLab {
    /// The address of GitLab. The default is `https://gitlab.com`.
    #[schemars(example = &"https://gitlab.com")]
    pub(crate) url: Option<At<String>>,
    /// The host of private commit addresses (`ID-USERNAME@HOST`), which an instance chooses (*Admin*, *Settings*,
    /// *Preferences*, *Email*). The default is `users.noreply.` before the host of `url`.
    #[schemars(example = &"users.noreply.gitlab.com")]
    pub(crate) private_emails: Option<At<String>>,
    /// An access token with the `api` scope.
    #[schemars(required)]
    pub(crate) token: Option<At<Secret>>,
    /// The token that webhooks carry, at least 16 bytes; a list of two while it is changed.
    #[schemars(required)]
    #[schemars(extend("x-missing" = "deliveries without a secret are never accepted; for example: webhook_secret = { env = \"GITLAB_WEBHOOK_SECRET\" }"))]
    pub(crate) webhook_secret: Option<At<OneOrMany<Secret>>>,
}

/// The connection to Discord.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Discord {
    /// The application's id.
    #[schemars(required, example = &"1000000000000000001")]
    pub(crate) application_id: Option<At<String>>,
    /// The application's public key: 64 hexadecimal digits, from the developer portal.
    #[schemars(required)]
    pub(crate) public_key: Option<At<String>>,
    /// The bot's token.
    #[schemars(required)]
    pub(crate) token: Option<At<Secret>>,
    /// The servers (guilds) that are yours, by their ids. Nobody elsewhere is obeyed.
    #[schemars(required, length(min = 1), example = ["1000000000000000003"])]
    pub(crate) guilds: Option<Vec<At<String>>>,
    /// Where the commands are registered: in each of the `guilds`, which is the default, or once for all
    /// servers, which takes Discord longer to show.
    pub(crate) commands: Option<At<CommandScope>>,
    /// The API's address. The default is `https://discord.com/api/v10`.
    #[schemars(example = &"https://discord.com/api/v10")]
    pub(crate) api_url: Option<At<String>>,
}

/// Where Discord's commands are registered.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CommandScope {
    Guild,
    Global,
}

/// The connection to Slack.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slack {
    /// The bot's token, which begins with `xoxb-`.
    #[schemars(required)]
    pub(crate) token: Option<At<Secret>>,
    /// The secret that signs requests; a list of two while it is changed.
    #[schemars(required)]
    pub(crate) signing_secret: Option<At<OneOrMany<Secret>>>,
    /// The workspaces that are yours, by their ids. Nobody elsewhere is obeyed.
    #[schemars(required, length(min = 1), example = ["T0123456789"])]
    pub(crate) teams: Option<Vec<At<String>>>,
    /// The app's token, which begins with `xapp-`: with it Countersign calls Slack (Socket Mode) and needs no
    /// address that Slack can reach.
    pub(crate) app_token: Option<At<Secret>>,
    /// The API's address. The default is `https://slack.com/api`.
    #[schemars(example = &"https://slack.com/api")]
    pub(crate) api_url: Option<At<String>>,
    /// Where answers to commands are sent. The default is `https://hooks.slack.com`.
    #[schemars(example = &"https://hooks.slack.com")]
    pub(crate) hooks_url: Option<At<String>>,
}

/// Where a secret is found: `{ env = "NAME" }`, `{ file = "PATH" }` or `{ credential = "NAME" }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-secret" = true, "minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct Secret {
    /// An environment variable.
    #[schemars(example = &"GITHUB_WEBHOOK_SECRET")]
    pub(crate) env: Option<At<String>>,
    /// A file, relative to this file's folder; one line break at its end is dropped.
    #[schemars(example = &"github-app.pem")]
    pub(crate) file: Option<At<String>>,
    /// A systemd credential (`LoadCredential=`).
    #[schemars(example = &"github-app-key")]
    pub(crate) credential: Option<At<String>>,
}
