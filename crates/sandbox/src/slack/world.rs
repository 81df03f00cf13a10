//! The world of this Slack, and everything in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::chat::Message;
use super::delivery::Sent;
use super::limits::Limits;
use super::response_urls::ResponseUrl;
use super::socket::{Envelope, Line};
use super::views::{Trigger, View};
use super::{ANN, APP, BOB, BOT, CHANNEL, GROUP, TEAM};
use countersign_ground::clock::Clock;
use countersign_ground::digest;

const SCOPES: [&str; 5] = [
    "chat:write",
    "commands",
    "reactions:write",
    "usergroups:read",
    "users:read",
];

#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) address: SocketAddr,
    pub(super) last_id: u64,
    pub(super) last_micros: i64,
    pub(super) scopes: BTreeSet<String>,
    pub(super) is_revoked: bool,
    pub(super) is_org_wide: bool,
    /// Id and name.
    pub(super) users: BTreeMap<String, String>,
    /// The workspaces of those who are of another one.
    pub(super) homes: BTreeMap<String, String>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) groups: BTreeMap<String, Vec<String>>,
    /// By channel and `ts`, ephemeral ones included.
    pub(super) messages: BTreeMap<(String, String), Message>,
    pub(super) views: BTreeMap<String, View>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    /// By their path.
    pub(super) response_urls: BTreeMap<String, ResponseUrl>,
    pub(super) limits: Limits,
    pub(super) commands_url: Option<String>,
    pub(super) interactivity_url: Option<String>,
    pub(super) last_sent: Option<Sent>,
    pub(super) is_socket_mode: bool,
    pub(super) tickets: BTreeSet<String>,
    pub(super) lines: Vec<Line>,
    pub(super) envelopes: BTreeMap<String, Envelope>,
    /// Rings whenever an envelope is acknowledged.
    pub(super) bell: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) name: String,
    pub(super) has_bot: bool,
    pub(super) is_archived: bool,
    pub(super) members: BTreeSet<String>,
}

impl World {
    pub(super) fn new(clock: Clock, address: SocketAddr) -> Self {
        let users = [(ANN, "ann"), (BOB, "bob"), (BOT, "countersign")];
        let deploys = Channel {
            name: "deploys".to_owned(),
            has_bot: true,
            is_archived: false,
            members: [ANN, BOB].map(str::to_owned).into(),
        };
        Self {
            clock,
            address,
            last_id: 1_000,
            last_micros: 0,
            scopes: SCOPES.map(str::to_owned).into(),
            is_revoked: false,
            is_org_wide: false,
            users: users
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into(),
            homes: BTreeMap::new(),
            channels: [(CHANNEL.to_owned(), deploys)].into(),
            groups: [(GROUP.to_owned(), vec![ANN.to_owned()])].into(),
            messages: BTreeMap::new(),
            views: BTreeMap::new(),
            triggers: BTreeMap::new(),
            response_urls: BTreeMap::new(),
            limits: Limits::new(),
            commands_url: None,
            interactivity_url: None,
            last_sent: None,
            is_socket_mode: false,
            tickets: BTreeSet::new(),
            lines: Vec::new(),
            envelopes: BTreeMap::new(),
            bell: watch::Sender::new(0),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Letters that cannot be guessed, as far as tests go.
    pub(super) fn secret(&mut self, what: &str) -> String {
        let id = self.next_id();
        digest::sha256_hex(format!("{what} {id}").as_bytes())[..24].to_owned()
    }

    /// The time in microseconds, later than every one before.
    pub(super) fn next_ts(&mut self) -> String {
        self.last_micros = self.now().as_microsecond().max(self.last_micros + 1);
        format!(
            "{}.{:06}",
            self.last_micros / 1_000_000,
            self.last_micros % 1_000_000
        )
    }

    /// The channel with this id, or with this name where names are good.
    pub(super) fn channel_id(&self, text: &str, by_name: bool) -> Option<String> {
        if self.channels.contains_key(text) {
            return Some(text.to_owned());
        }
        let name = text.strip_prefix('#').unwrap_or(text);
        let found = self
            .channels
            .iter()
            .find(|(_, channel)| channel.name == name);
        found.filter(|_| by_name).map(|(id, _)| id.clone())
    }

    pub(super) fn user_json(&self, id: &str) -> Value {
        let name = self.users.get(id);
        json!({
            "id": id, "team_id": TEAM, "name": name, "real_name": name, "deleted": false,
            "is_bot": id == BOT, "is_admin": false, "is_owner": false, "is_restricted": false,
            "is_ultra_restricted": false, "is_app_user": false, "tz": "Etc/UTC",
            "profile": { "real_name": name, "display_name": name, "team": TEAM },
        })
    }

    pub(super) fn message_json(&self, message: &Message) -> Value {
        let mut json = json!({
            "type": "message", "user": message.user, "ts": message.ts, "text": message.text,
            "team": TEAM,
        });
        if message.user == BOT {
            json["bot_id"] = "B0COUNTERSIGN".into();
            json["app_id"] = APP.into();
            json["bot_profile"] = json!({
                "id": "B0COUNTERSIGN", "app_id": APP, "name": "countersign", "team_id": TEAM,
                "deleted": false,
            });
        }
        if !message.blocks.is_empty() {
            json["blocks"] = message.blocks.clone().into();
        }
        if let Some(thread) = &message.thread_ts {
            json["thread_ts"] = thread.clone().into();
        }
        if let Some(metadata) = &message.metadata {
            json["metadata"] = metadata.clone();
        }
        if let Some(time) = message.edited_at {
            json["edited"] =
                json!({ "user": message.user, "ts": format!("{}.000000", time.as_second()) });
        }
        json
    }
}
