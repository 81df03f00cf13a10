//! Webhooks: sent in the background, recorded with their outcome, and never repeated by GitLab itself.
//! A test may have them dropped, doubled, or held back and shuffled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::call::Answer;
use super::hook_log::Record;
use super::signing;
use super::world::{World, is_within};
use super::{GitLab, Order, lock};
use crate::courier;

/// As long as GitLab waits.
const ANSWER: Duration = Duration::from_secs(10);

/// The events that a webhook can ask for, and what their deliveries are called.
pub(super) const EVENTS: [(&str, &str); 9] = [
    ("push_events", "Push Hook"),
    ("tag_push_events", "Tag Push Hook"),
    ("merge_requests_events", "Merge Request Hook"),
    ("note_events", "Note Hook"),
    ("job_events", "Job Hook"),
    ("pipeline_events", "Pipeline Hook"),
    ("deployment_events", "Deployment Hook"),
    ("releases_events", "Release Hook"),
    ("emoji_events", "Emoji Hook"),
];

/// A webhook that was sent, or would have been.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As `X-Gitlab-Event` says it.
    pub event: String,
    pub action: Option<String>,
    /// The idempotency key.
    pub delivery: String,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

#[derive(Debug, Default)]
pub(super) struct Hooks {
    pub(super) listeners: BTreeMap<u64, Listener>,
    sent: Vec<Arc<Sent>>,
    pub(super) records: Vec<Record>,
    held: Option<Vec<Parcel>>,
    to_drop: usize,
    to_lose: usize,
    are_never_disabled: bool,
    /// How often each delivery is sent besides the first time.
    more_copies: usize,
    in_flight: usize,
    settled: Arc<Notify>,
    /// By project and event, what was told last.
    last: BTreeMap<(u64, String), Value>,
    pub(super) outbox: Option<UnboundedSender<Parcel>>,
}

#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) id: u64,
    pub(super) url: String,
    /// Sent in plain text.
    pub(super) token: String,
    pub(super) signing_token: Option<String>,
    pub(super) events: BTreeSet<String>,
    pub(super) place: Place,
    pub(super) made_at: Timestamp,
    /// In a row.
    pub(super) failures: u32,
    pub(super) disabled_until: Option<Timestamp>,
}

/// What a webhook hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Project(u64),
    /// Everything in this group and below.
    Group(String),
}

/// One delivery on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) listener: u64,
    pub(super) flag: String,
    /// What it belongs to.
    pub(super) event: String,
    pub(super) key: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl GitLab {
    /// The webhook of the group acme: hears of everything there, with this token in plain text.
    pub fn hook(&self, url: &str, secret: &str) -> u64 {
        self.add_listener(url, (secret, None), Place::Group("acme".to_owned()))
    }

    /// The same with a signing token, `whsec_` and base64 of 32 bytes, and no other.
    pub fn hook_signed(&self, url: &str, signing_token: &str) -> u64 {
        self.add_listener(
            url,
            ("", Some(signing_token)),
            Place::Group("acme".to_owned()),
        )
    }

    /// A project's own webhook.
    pub fn project_hook(&self, project: &str, url: &str, secret: &str) -> u64 {
        let project = lock(&self.world).id_of(project);
        self.add_listener(url, (secret, None), Place::Project(project))
    }

    fn add_listener(&self, url: &str, secrets: (&str, Option<&str>), place: Place) -> u64 {
        let mut world = lock(&self.world);
        let events = EVENTS.iter().map(|(flag, _)| (*flag).to_owned());
        let events = events.collect();
        let listener = world.new_listener(url, events, place);
        let id = listener.id;
        let listener = Listener {
            token: secrets.0.to_owned(),
            signing_token: secrets.1.map(str::to_owned),
            ..listener
        };
        world.hooks.listeners.insert(id, listener);
        id
    }

    /// Takes a webhook away.
    pub fn remove_hook(&self, id: u64) {
        lock(&self.world).hooks.listeners.remove(&id);
    }

    /// The service moved, or its secret changed.
    pub fn move_hook(&self, id: u64, url: &str, secret: &str) {
        if let Some(listener) = lock(&self.world).hooks.listeners.get_mut(&id) {
            url.clone_into(&mut listener.url);
            secret.clone_into(&mut listener.token);
        }
    }

    /// From now on a webhook is signed as well, or with another key, or no longer.
    pub fn set_signing_token(&self, id: u64, signing_token: Option<&str>) {
        if let Some(listener) = lock(&self.world).hooks.listeners.get_mut(&id) {
            listener.signing_token = signing_token.map(str::to_owned);
        }
    }

    /// An instance that calls webhooks however often they fail.
    pub fn never_disable_hooks(&self) {
        lock(&self.world).hooks.are_never_disabled = true;
    }

    /// Every webhook, in the order of what happened.
    pub fn sent(&self) -> Vec<Arc<Sent>> {
        lock(&self.world).hooks.sent.clone()
    }

    /// The next deliveries fail to connect.
    pub fn drop_next(&self, count: usize) {
        lock(&self.world).hooks.to_drop += count;
    }

    /// The next deliveries vanish; nothing shows that they were to be.
    pub fn lose_next(&self, count: usize) {
        lock(&self.world).hooks.to_lose += count;
    }

    /// Every delivery arrives this many times in all, as when the owner has it sent again.
    pub fn repeat_each(&self, times: usize) {
        lock(&self.world).hooks.more_copies = times.saturating_sub(1);
    }

    /// Keeps deliveries back until [`GitLab::release`].
    pub fn hold(&self) {
        lock(&self.world).hooks.held.get_or_insert_default();
    }

    pub fn release(&self, order: &Order) {
        let mut world = lock(&self.world);
        let held = world.hooks.held.take().unwrap_or_default();
        for parcel in order.of(held) {
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
}

impl Hooks {
    /// How a delivery went.
    pub(super) fn remember(&mut self, listener: u64, is_fine: bool, now: Timestamp) {
        let is_counted = is_fine || !self.are_never_disabled;
        if let Some(listener) = self.listeners.get_mut(&listener).filter(|_| is_counted) {
            listener.remember(is_fine, now);
        }
    }

    fn post(&mut self, parcel: Parcel) {
        if let Some(outbox) = &self.outbox
            && outbox.send(parcel).is_ok()
        {
            self.in_flight += 1;
        }
    }
}

/// Sends one delivery after the other and writes down how it went.
pub(super) async fn deliver(world: Arc<Mutex<World>>, mut parcels: UnboundedReceiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        let is_open = {
            let world = lock(&world);
            let listener = world.hooks.listeners.get(&parcel.listener);
            listener.is_some_and(|listener| listener.is_executable(world.now()))
        };
        if is_open {
            let _recorded = carry(&world, &parcel).await;
        }
        let mut world = lock(&world);
        world.hooks.in_flight -= 1;
        world.hooks.settled.notify_waiters();
    }
}

/// Carries one delivery; the status of its answer, or why there was none.
async fn carry(world: &Mutex<World>, parcel: &Parcel) -> Result<u16, String> {
    let posted = courier::post(&parcel.url, &parcel.headers, parcel.body.as_bytes());
    let answered = match tokio::time::timeout(ANSWER, posted).await {
        Ok(Some(reply)) => Ok(reply.status),
        Ok(None) => Err("Failed to open TCP connection".to_owned()),
        Err(_) => Err("Net::ReadTimeout".to_owned()),
    };
    lock(world).record(parcel, answered.clone());
    answered
}

/// A test of a webhook: the answer depends on how the webhook fares.
pub(super) async fn run_errand(world: &Mutex<World>, parcel: &Parcel, fine: Answer) -> Answer {
    match carry(world, parcel).await {
        Ok(200..=399) => fine,
        Ok(code) => Answer::message(
            422,
            &format!("Hook executed successfully but returned HTTP {code}"),
        ),
        Err(why) => Answer::message(422, &format!("Hook execution failed: {why}")),
    }
}

impl World {
    pub(super) fn new_listener(
        &mut self,
        url: &str,
        events: BTreeSet<String>,
        place: Place,
    ) -> Listener {
        Listener {
            id: self.next_id(),
            url: url.to_owned(),
            token: String::new(),
            signing_token: None,
            events,
            place,
            made_at: self.now(),
            failures: 0,
            disabled_until: None,
        }
    }

    /// Tells every listener what happened in a project.
    pub(super) fn tell(&mut self, flag: &str, project: u64, payload: Value) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let now = self.now();
        let hears = |listener: &&Listener| {
            let is_there = match &listener.place {
                Place::Project(id) => *id == project,
                Place::Group(path) => is_within(&found.path, path),
            };
            is_there && listener.events.contains(flag) && listener.is_executable(now)
        };
        let hearing = self.hooks.listeners.values().filter(hears).cloned();
        let hearing: Vec<Listener> = hearing.collect();
        let event = match &self.chain {
            // What a webhook set off belongs to the same event.
            Some(event) => event.clone(),
            None => self.uuid(),
        };
        for listener in hearing {
            self.send(&listener, (flag, &event), &payload);
        }
        self.hooks.last.insert((project, flag.to_owned()), payload);
    }

    /// What was told last about something.
    pub(super) fn told_last(&self, project: u64, flag: &str) -> Option<&Value> {
        self.hooks.last.get(&(project, flag.to_owned()))
    }

    fn send(&mut self, listener: &Listener, event: (&str, &str), payload: &Value) {
        let key = self.uuid();
        let parcel = self.pack(listener, event, (&key, payload));
        let action = payload.pointer("/object_attributes/action");
        let action = action.or_else(|| payload.get("action"));
        self.hooks.sent.push(Arc::new(Sent {
            event: heading(event.0).to_owned(),
            action: action.and_then(Value::as_str).map(str::to_owned),
            delivery: key.clone(),
            headers: parcel.headers.clone(),
            body: payload.clone(),
        }));
        if self.hooks.to_lose > 0 {
            self.hooks.to_lose -= 1;
            return;
        }
        if self.hooks.to_drop > 0 {
            self.hooks.to_drop -= 1;
            let why = "Failed to open TCP connection".to_owned();
            self.record(&parcel, Err(why));
            return;
        }
        for copy in 0..=self.hooks.more_copies {
            let parcel = match copy {
                0 => parcel.clone(),
                // Sent again: the key is the same, the rest of the wrapping is new.
                _ => self.pack(listener, event, (&key, payload)),
            };
            match &mut self.hooks.held {
                Some(held) => held.push(parcel),
                None => self.hooks.post(parcel),
            }
        }
    }

    /// One delivery, ready to leave.
    pub(super) fn pack(
        &mut self,
        listener: &Listener,
        (flag, event): (&str, &str),
        (key, payload): (&str, &Value),
    ) -> Parcel {
        let body = payload.to_string();
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", format!("GitLab/{}", self.version)),
            ("X-Gitlab-Event", heading(flag).to_owned()),
            ("X-Gitlab-Event-UUID", event.to_owned()),
            ("X-Gitlab-Instance", self.url.clone()),
        ];
        if self.is_at_least(16, 2) {
            headers.push(("X-Gitlab-Webhook-UUID", self.uuid()));
        }
        if self.is_at_least(17, 4) {
            headers.push(("Idempotency-Key", key.to_owned()));
        }
        if !listener.token.is_empty() {
            headers.push(("X-Gitlab-Token", listener.token.clone()));
        }
        if let Some(token) = &listener.signing_token
            && self.is_at_least(19, 0)
        {
            let at = self.now().as_second().to_string();
            let signature = signing::signature(token, (key, &at), body.as_bytes());
            headers.push(("webhook-id", key.to_owned()));
            headers.push(("webhook-timestamp", at));
            headers.push(("webhook-signature", signature.unwrap_or_default()));
        }
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        Parcel {
            listener: listener.id,
            flag: flag.to_owned(),
            event: event.to_owned(),
            key: key.to_owned(),
            url: listener.url.clone(),
            headers: headers.into_iter().map(owned).collect(),
            body,
        }
    }

    /// A UUID that nothing else has.
    pub(super) fn uuid(&mut self) -> String {
        let digest =
            countersign_ground::digest::sha256_hex(format!("uuid {}", self.next_id()).as_bytes());
        let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-4{}-8{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 15),
            part(15, 18),
            part(18, 30)
        )
    }
}

pub(super) fn heading(flag: &str) -> &'static str {
    let known = EVENTS.iter().find(|(known, _)| *known == flag);
    known.map_or("System Hook", |(_, heading)| heading)
}
