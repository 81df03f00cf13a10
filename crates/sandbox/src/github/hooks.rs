//! Webhooks: signed, sent in the background, recorded with their outcome, and repeated only when the app asks.
//! A test may have them dropped, doubled, or held back and shuffled.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::app::APP_ID;
use super::people::merge;
use super::post;
use super::world::{World, node, stamp};
use super::{GitHub, Order, lock};
use countersign_ground::digest;

/// Events that go to apps only.
const APP_ONLY: [&str; 4] = [
    "deployment_protection_rule",
    "installation_repositories",
    "repository_dispatch",
    "workflow_dispatch",
];

/// The status of a delivery that is on its way.
pub(super) const PENDING: &str = "pending";

/// A webhook that was sent, or would have been.
#[derive(Clone, Debug)]
pub struct Sent {
    pub event: String,
    pub action: Option<String>,
    /// The GUID.
    pub delivery: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

#[derive(Debug, Default)]
pub(super) struct Hooks {
    pub(super) listeners: Vec<Listener>,
    sent: Vec<Arc<Sent>>,
    pub(super) records: Vec<Record>,
    pub(super) held: Option<Vec<Parcel>>,
    to_drop: usize,
    to_lose: usize,
    /// How often each delivery is sent besides the first time.
    more_copies: usize,
    in_flight: usize,
    settled: Arc<Notify>,
    pub(super) outbox: Option<UnboundedSender<Parcel>>,
}

#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) id: u64,
    pub(super) url: String,
    pub(super) secret: String,
    /// The only repository it hears of; an app hears of all where it is installed.
    pub(super) repository: Option<u64>,
    pub(super) content_type: String,
    pub(super) is_active: bool,
}

/// What the list of deliveries shows of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) delivered_at: Timestamp,
    pub(super) is_redelivery: bool,
    pub(super) status: String,
    pub(super) status_code: u16,
    pub(super) installation: Option<u64>,
    pub(super) repository: Option<u64>,
    pub(super) parcel: Parcel,
}

/// One delivery on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) record: u64,
    pub(super) is_of_app: bool,
    pub(super) event: String,
    pub(super) action: Option<String>,
    pub(super) guid: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Hooks {
    pub(super) fn nobody_listens(&self) -> bool {
        self.listeners.is_empty()
    }

    pub(super) fn post(&mut self, parcel: &Parcel) {
        if let Some(outbox) = &self.outbox
            && outbox.send(parcel.clone()).is_ok()
        {
            self.in_flight += 1;
        }
    }
}

impl GitHub {
    /// The app's webhook: hears of everything where the app is installed.
    pub fn hook(&self, url: &str, secret: &str) -> u64 {
        self.add_listener(url, secret, None)
    }

    /// A repository's own webhook, without an installation.
    pub fn repository_hook(&self, repository: &str, url: &str, secret: &str) -> u64 {
        let repository = lock(&self.world).id_of(repository);
        self.add_listener(url, secret, Some(repository))
    }

    fn add_listener(&self, url: &str, secret: &str, repository: Option<u64>) -> u64 {
        let mut world = lock(&self.world);
        let id = world.next_id();
        world.hooks.listeners.push(Listener {
            id,
            url: url.to_owned(),
            secret: secret.to_owned(),
            repository,
            content_type: "json".to_owned(),
            is_active: true,
        });
        id
    }

    /// The service moved, or its secret changed.
    pub fn move_hook(&self, id: u64, url: &str, secret: &str) {
        let mut world = lock(&self.world);
        for listener in world.hooks.listeners.iter_mut().filter(|one| one.id == id) {
            url.clone_into(&mut listener.url);
            secret.clone_into(&mut listener.secret);
        }
    }

    /// Every webhook, in the order of what happened.
    pub fn sent(&self) -> Vec<Arc<Sent>> {
        lock(&self.world).hooks.sent.clone()
    }

    /// The next deliveries fail to connect; the list of deliveries shows them.
    pub fn drop_next(&self, count: usize) {
        lock(&self.world).hooks.to_drop += count;
    }

    /// The next deliveries vanish; nothing shows that they were to be.
    pub fn lose_next(&self, count: usize) {
        lock(&self.world).hooks.to_lose += count;
    }

    /// Every delivery arrives this many times in all.
    pub fn repeat_each(&self, times: usize) {
        lock(&self.world).hooks.more_copies = times.saturating_sub(1);
    }

    /// Keeps deliveries back until [`GitHub::release`].
    pub fn hold(&self) {
        lock(&self.world).hooks.held.get_or_insert_default();
    }

    pub fn release(&self, order: &Order) {
        let mut world = lock(&self.world);
        let held = world.hooks.held.take().unwrap_or_default();
        let chosen = order.of(held);
        for parcel in &chosen {
            world.hooks.post(parcel);
        }
    }

    /// How many deliveries are held back.
    pub fn held(&self) -> usize {
        lock(&self.world).hooks.held.as_ref().map_or(0, Vec::len)
    }

    /// Waits until every delivery that is not held was answered or failed.
    pub async fn delivered(&self) {
        let settled = lock(&self.world).hooks.settled.clone();
        loop {
            let mut notified = std::pin::pin!(settled.notified());
            notified.as_mut().enable();
            if lock(&self.world).hooks.in_flight == 0 {
                return;
            }
            notified.await;
        }
    }

    /// GUID and outcome of every attempt of the app's webhook, oldest first.
    pub fn deliveries(&self) -> Vec<(String, String)> {
        let world = lock(&self.world);
        let records = world.hooks.records.iter();
        records
            .map(|record| (record.parcel.guid.clone(), record.status.clone()))
            .collect()
    }
}

/// Sends one delivery after the other and writes down how it went.
pub(super) async fn deliver(world: Arc<Mutex<World>>, mut parcels: UnboundedReceiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        let answered = post::post(&parcel.url, &parcel.headers, parcel.body.as_bytes()).await;
        let (status, code) = match answered {
            Ok(code @ 200..=299) => ("OK".to_owned(), code),
            Ok(code) => (format!("Invalid HTTP Response: {code}"), code),
            Err(why) => (why, 0),
        };
        let mut world = lock(&world);
        for record in world
            .hooks
            .records
            .iter_mut()
            .filter(|one| one.id == parcel.record)
        {
            record.status.clone_from(&status);
            record.status_code = code;
        }
        world.hooks.in_flight -= 1;
        world.hooks.settled.notify_waiters();
    }
}

impl World {
    /// Tells every listener what happened in a repository, and by whom.
    pub(super) fn tell(&mut self, event: &str, repository: u64, by: u64, mut payload: Value) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        if self.hooks.nobody_listens() {
            return;
        }
        let mut shown = self.repository_json(found);
        if event == "push" {
            shown["created_at"] = found.made_at.as_second().into();
            shown["pushed_at"] = found.pushed_at.as_second().into();
            shown["master_branch"] = found.default_branch.clone().into();
            shown["stargazers"] = 0.into();
        }
        let mut common = json!({ "repository": shown, "sender": self.user_json(by) });
        if let Some(organization) = self.organization_json(found.owner()) {
            common["organization"] = organization;
        }
        merge(&mut payload, common);
        let installation = self.installation_of(found).filter(|one| !one.is_suspended);
        let installation = installation.map(|one| one.id);
        for listener in self.hooks.listeners.clone() {
            let is_of_app = listener.repository.is_none();
            let mut payload = payload.clone();
            match (is_of_app, installation) {
                (true, None) => continue,
                (true, Some(id)) => {
                    payload["installation"] = json!({ "id": id, "node_id": node("I", id) });
                }
                (false, _) if APP_ONLY.contains(&event) => continue,
                (false, _) if listener.repository != Some(repository) => continue,
                (false, _) => {}
            }
            self.send(&listener, event, &payload, Some(repository));
        }
    }

    /// Tells the app about itself; the payload names the installation where there is one.
    pub(super) fn tell_app(&mut self, event: &str, payload: &Value) {
        for listener in self.hooks.listeners.clone() {
            if listener.repository.is_none() {
                self.send(&listener, event, payload, None);
            }
        }
    }

    /// The first words to a new webhook.
    pub(super) fn greet(&mut self, id: u64) {
        let listener = self
            .hooks
            .listeners
            .iter()
            .find(|one| one.id == id)
            .cloned();
        let Some(listener) = listener else {
            return;
        };
        let url = format!("{}/app/hook/config", self.url);
        let now = stamp(self.now());
        let payload = json!({
            "zen": "Keep it logically awesome.",
            "hook_id": id,
            "hook": {
                "type": if listener.repository.is_some() { "Repository" } else { "App" },
                "id": id, "name": "web", "active": true, "app_id": APP_ID,
                "events": ["*"],
                "config": { "content_type": "json", "insecure_ssl": "0", "url": listener.url, "secret": "********" },
                "updated_at": now, "created_at": now, "url": url, "deliveries_url": url,
            },
        });
        self.send(&listener, "ping", &payload, listener.repository);
    }

    fn send(&mut self, listener: &Listener, event: &str, payload: &Value, repository: Option<u64>) {
        let record = self.next_id();
        let guid = self.guid(record);
        let action = payload
            .get("action")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let body = payload.to_string();
        let (target, kind) = match listener.repository {
            Some(repository) => (repository, "repository"),
            None => (APP_ID, "integration"),
        };
        let signature = digest::hmac_sha256_hex(listener.secret.as_bytes(), body.as_bytes());
        let mut headers = vec![
            (
                "User-Agent".to_owned(),
                "GitHub-Hookshot/8f7c2a1".to_owned(),
            ),
            ("Accept".to_owned(), "*/*".to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-GitHub-Delivery".to_owned(), guid.clone()),
            ("X-GitHub-Event".to_owned(), event.to_owned()),
            ("X-GitHub-Hook-ID".to_owned(), listener.id.to_string()),
            (
                "X-GitHub-Hook-Installation-Target-ID".to_owned(),
                target.to_string(),
            ),
            (
                "X-GitHub-Hook-Installation-Target-Type".to_owned(),
                kind.to_owned(),
            ),
        ];
        if !listener.secret.is_empty() {
            headers.push((
                "X-Hub-Signature-256".to_owned(),
                format!("sha256={signature}"),
            ));
        }
        self.hooks.sent.push(Arc::new(Sent {
            event: event.to_owned(),
            action: action.clone(),
            delivery: guid.clone(),
            headers: headers.clone(),
            body: payload.clone(),
        }));
        let parcel = Parcel {
            record,
            is_of_app: listener.repository.is_none(),
            event: event.to_owned(),
            action,
            guid,
            url: listener.url.clone(),
            headers,
            body,
        };
        if self.hooks.to_lose > 0 {
            self.hooks.to_lose -= 1;
            return;
        }
        let is_dropped = self.hooks.to_drop > 0;
        let installation = payload.pointer("/installation/id").and_then(Value::as_u64);
        self.hooks.records.push(Record {
            id: record,
            delivered_at: self.now(),
            is_redelivery: false,
            status: if is_dropped {
                "failed to connect to host"
            } else {
                PENDING
            }
            .to_owned(),
            status_code: 0,
            installation,
            repository,
            parcel: parcel.clone(),
        });
        if is_dropped {
            self.hooks.to_drop -= 1;
            return;
        }
        for _ in 0..=self.hooks.more_copies {
            match &mut self.hooks.held {
                Some(held) => held.push(parcel.clone()),
                None => self.hooks.post(&parcel),
            }
        }
    }

    /// A UUID of version 1, which begins with the fastest part of its time.
    fn guid(&self, number: u64) -> String {
        let ticks = u64::try_from(self.now().as_microsecond()).unwrap_or(0) * 10 + number % 10;
        format!(
            "{:08x}-{:04x}-1{:03x}-8f01-{number:012x}",
            ticks & 0xffff_ffff,
            (ticks >> 32) & 0xffff,
            (ticks >> 48) & 0xfff,
        )
    }
}

impl Parcel {
    pub(super) fn readdress(&mut self, listener: &Listener) {
        self.url.clone_from(&listener.url);
        let signature = digest::hmac_sha256_hex(listener.secret.as_bytes(), self.body.as_bytes());
        for (name, value) in &mut self.headers {
            if name == "X-Hub-Signature-256" {
                *value = format!("sha256={signature}");
            }
        }
    }
}
