//! Agreement of state and log: no change without its entry; what the tables say follows from the log, entry by entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use countersign::domain::RepositoryId;
use countersign::store::ledger::{self, Stored};
use countersign_ledger::person;
use serde_json::Value;
use sqlx::{Executor as _, Row as _};

use super::World;

/// What the log amounts to.
#[derive(Debug, Default)]
struct Folded {
    /// How far each request is, by the last entry that moved it.
    requests: BTreeMap<i64, String>,
    /// Who said yes to what, and still does.
    approvals: BTreeSet<(i64, String)>,
    live: BTreeMap<(String, String), (String, i64)>,
    locks: BTreeSet<(String, String)>,
    /// What was seen in production without a request.
    unasked: BTreeSet<(String, String, String)>,
    /// Decisions, by their departure.
    triggered: BTreeMap<String, i64>,
    /// The last decision about each request.
    decided: BTreeMap<i64, i64>,
    /// Requests whose trigger the forge took.
    left: BTreeSet<i64>,
    /// Accounts in chats that are linked.
    links: BTreeSet<Vec<String>>,
    problems: Vec<String>,
}

fn detail(entry: &Stored) -> Value {
    let mut body: Value = serde_json::from_slice(&entry.body).unwrap();
    body["detail"].take()
}

/// The account in a chat that an entry names.
fn account(entry: &Stored) -> Vec<String> {
    let detail = detail(entry);
    let parts = ["chat", "tenant", "user"].into_iter();
    parts
        .map(|part| detail[part].as_str().unwrap_or_default().to_owned())
        .collect()
}

impl Folded {
    fn add(&mut self, entry: &Stored) {
        let place = || {
            let service = entry.service.clone().unwrap_or_default();
            (service, entry.environment.clone().unwrap_or_default())
        };
        let request = entry.request.unwrap_or_default();
        let who = || entry.person.clone().unwrap_or_default();
        match entry.action.as_str() {
            "requested" => {
                self.requests.insert(request, "waiting".to_owned());
            }
            "approved" => {
                self.approvals.insert((request, who()));
            }
            "approval.voided" => {
                let number = detail(entry)["number"].as_u64().unwrap_or_default();
                let of_number = format!(":{number}");
                let is_it = |(of, who): &(i64, String)| *of == request && who.ends_with(&of_number);
                self.approvals.retain(|one| !is_it(one));
            }
            "triggered" => self.triggered(request, entry),
            "trigger.held" => self.moved(request, "departing"),
            "trigger.lost" => self.moved(request, "unknown"),
            "trigger.found" => {
                self.left.insert(request);
                self.moved(request, "sent");
            }
            "started" => self.moved(request, "running"),
            // Somebody on the forge ran it again, and nothing explained that.
            "succeeded" if detail(entry)["explained"] == "no" => self.moved(request, "succeeded"),
            "succeeded" => {
                let sha = entry.sha.clone().unwrap_or_default();
                self.live.insert(place(), (sha, request));
                self.moved(request, "succeeded");
            }
            // A person said no before anything was asked for.
            "rejected" if entry.request.is_none() => {}
            ended @ ("failed" | "cancelled" | "rejected" | "expired" | "superseded" | "voided") => {
                self.moved(request, ended);
            }
            "identity.linked" => {
                self.links.insert(account(entry));
            }
            "identity.unlinked" => {
                self.links.remove(&account(entry));
            }
            "locked" => {
                self.locks.insert(place());
            }
            "unlocked" => {
                self.locks.remove(&place());
                let detail = detail(entry);
                let formerly = detail["formerly"].as_str().unwrap_or_default();
                for (service, environment) in
                    formerly.split(", ").filter_map(|one| one.split_once('/'))
                {
                    let place = (service.to_owned(), environment.to_owned());
                    self.locks.remove(&place);
                }
            }
            "production.unexplained" => {
                let (service, environment) = place();
                let sha = entry.sha.clone().unwrap_or_default();
                self.unasked.insert((service, environment, sha));
            }
            _ => {}
        }
    }

    fn moved(&mut self, request: i64, to: &str) {
        let before = self.requests.insert(request, to.to_owned());
        if before.is_none() {
            self.problems
                .push(format!("#{request} was never asked for"));
        }
    }

    fn triggered(&mut self, request: i64, entry: &Stored) {
        let detail = detail(entry);
        let departure = detail["departure"].as_str().unwrap().to_owned();
        self.triggered.insert(departure, entry.seq);
        self.decided.insert(request, entry.seq);
        self.left.remove(&request);
        for approval in detail["approvals"].as_array().unwrap() {
            let forge = approval["forge"].as_str().unwrap();
            let who = person(forge, approval["number"].as_u64().unwrap());
            if !self.approvals.contains(&(request, who.clone())) {
                let seq = entry.seq;
                self.problems
                    .push(format!("entry {seq} names {who}, who had not said yes"));
            }
        }
        self.moved(request, "departing");
    }
}

/// Whether a request may be in this state after the last entry about it: that GitHub took a trigger whose
/// run is not known yet, or that a search goes on, is no news.
fn follows(state: &str, logged: &str) -> bool {
    state == logged
        || match logged {
            "departing" => matches!(state, "sent" | "unknown"),
            "unknown" => state == "sent",
            "sent" => state == "running",
            _ => false,
        }
}

impl World {
    /// From here on the state is not what the service made of it.
    pub(crate) fn is_tampered_with(&self) {
        self.agreed.store(i64::MAX, Ordering::Relaxed);
    }

    /// Asks [`disagreements`](Self::disagreements) whenever the log has grown.
    pub(super) async fn agrees_with_the_log(&self) {
        let agreed = self.agreed.load(Ordering::Relaxed);
        let size = ledger::size(&self.store).await.unwrap();
        if agreed >= size {
            return;
        }
        // The state may move while it is read.
        let mut found = Vec::new();
        for _ in 0..20 {
            found = self.disagreements().await;
            if found.is_empty() {
                self.agreed.fetch_max(size, Ordering::Relaxed);
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the state does not follow from the log: {found:#?}");
    }

    async fn texts(&self, sql: &'static str) -> Vec<Vec<String>> {
        let mut connection = self.database.direct().await;
        let rows = connection.fetch_all(sql).await.unwrap();
        rows.iter()
            .map(|row| (0..row.len()).map(|column| row.get(column)).collect())
            .collect()
    }

    async fn disagreements(&self) -> Vec<String> {
        let mut folded = Folded::default();
        for entry in ledger::entries(&self.store, 0, 100_000).await.unwrap() {
            folded.add(&entry);
        }
        let mut problems = std::mem::take(&mut folded.problems);
        let mut requests = BTreeMap::new();
        for row in self
            .texts("SELECT CAST(number AS TEXT), state FROM request")
            .await
        {
            let number: i64 = row[0].parse().unwrap();
            let logged = folded
                .requests
                .get(&number)
                .map_or("nowhere", String::as_str);
            if !follows(&row[1], logged) {
                problems.push(format!("#{number} is {}, and {logged} in the log", row[1]));
            }
            requests.insert(number, row[1].clone());
        }
        for number in folded
            .requests
            .keys()
            .filter(|number| !requests.contains_key(number))
        {
            problems.push(format!("#{number} is only in the log"));
        }
        let approvals = "SELECT CAST(request AS TEXT), CAST(person AS TEXT), CAST(repository AS TEXT) FROM approval WHERE voided_at IS NULL";
        let rows = self.texts(approvals).await;
        let approvals: BTreeSet<(i64, String)> = rows
            .iter()
            .map(|row| {
                let repository = RepositoryId::of_key(row[2].parse().unwrap());
                let person = person(repository.forge().prefix(), row[1].parse().unwrap());
                (row[0].parse().unwrap(), person)
            })
            .collect();
        if approvals != folded.approvals {
            problems.push(format!("{approvals:?}, in the log {:?}", folded.approvals));
        }
        let live = "SELECT service, environment, sha, CAST(COALESCE(request, 0) AS TEXT) FROM live";
        for row in self.texts(live).await {
            let place = (row[0].clone(), row[1].clone());
            let unasked = (row[0].clone(), row[1].clone(), row[2].clone());
            let is_logged = match row[3].parse().unwrap() {
                0 => folded.unasked.contains(&unasked),
                request => folded.live.get(&place) == Some(&(row[2].clone(), request)),
            };
            if !is_logged {
                problems.push(format!("live is {row:?}, in the log {:?}", folded.live));
            }
        }
        let locks = self
            .texts("SELECT service, environment FROM env_lock")
            .await;
        let locks: BTreeSet<_> = locks
            .iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect();
        if locks != folded.locks {
            problems.push(format!(
                "locked are {locks:?}, in the log {:?}",
                folded.locks
            ));
        }
        let links = self
            .texts("SELECT chat, tenant, chat_user FROM identity")
            .await;
        let links: BTreeSet<Vec<String>> = links.into_iter().collect();
        if links != folded.links {
            let logged = &folded.links;
            problems.push(format!("linked are {links:?}, in the log {logged:?}"));
        }
        let acted = "SELECT effect, token FROM outbox WHERE token LIKE 'trigger/%' AND fence > 0 AND state = 'done'";
        for row in self.texts(acted).await {
            let effect: Value = serde_json::from_str(&row[0]).unwrap();
            let departure: countersign::domain::Departure =
                serde_json::from_value(effect["departure"].clone()).unwrap();
            if !folded.triggered.contains_key(&departure.spelled()) {
                problems.push(format!("{} left, and no entry says so", row[1]));
            }
        }
        let signed = "SELECT COALESCE(MAX(size), 0) FROM ledger_checkpoint";
        let signed = self.number(signed).await;
        for request in &folded.left {
            let decided = folded.decided.get(request).copied();
            if decided.is_none_or(|decided| decided > signed) {
                problems.push(format!("#{request} left, and no signed head covers it"));
            }
        }
        problems
    }
}
