//! The crew: the loops of a service, which can crash and come back, or work side by side with another.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign::chats::clients::Clients as Chats;
use countersign::domain::Catalog;
use countersign::engine::Shared;
use countersign::engine::delivery::{DeliveryLoop, Pace};
use countersign::engine::facts::Facts;
use countersign::engine::hands::Hands;
use countersign::engine::intake::Intake;
use countersign::engine::signer::{Place, Signer};
use countersign::engine::sweep::Sweep;
use countersign::engine::watching::Watching;
use countersign::forges::clients::Clients;
use countersign::store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::World;
use super::database::keys;

/// What a crew is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Intake,
    Delivery,
    Sweep,
}

pub(crate) const ALL: [Part; 3] = [Part::Intake, Part::Delivery, Part::Sweep];

/// What a crew works with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) shared: Shared,
    pub(crate) catalog: watch::Receiver<Arc<Catalog>>,
    pub(crate) forges: Clients,
    pub(crate) chats: Chats,
    /// Where GitLab's webhooks should lead.
    pub(crate) address: watch::Receiver<Option<String>>,
    pub(crate) stop: CancellationToken,
    /// The file with the last signed head.
    pub(crate) head: PathBuf,
}

/// Loops that run.
#[derive(Debug)]
pub(crate) struct Crew {
    tasks: Vec<JoinHandle<()>>,
    /// Its own, so that its end can be waited for.
    store: Store,
}

impl Crew {
    pub(crate) fn start(desk: &Desk, parts: &[Part]) -> Self {
        let (shared, stop) = (&desk.shared, &desk.stop);
        let (catalog, forges) = (desk.catalog.clone(), desk.forges.clone());
        let chats = &desk.chats;
        let start = |part: &Part| match part {
            Part::Intake => {
                let facts = Facts::new(shared.store.clone(), shared.clock.clone(), forges.clone());
                let intake = Intake::new(shared.clone(), catalog.clone(), Arc::new(facts));
                tokio::spawn(intake.run(stop.clone()))
            }
            Part::Delivery => {
                let delivery = DeliveryLoop {
                    shared: shared.clone(),
                    catalog: catalog.clone(),
                    executor: Arc::new(Hands {
                        clock: shared.clock.clone(),
                        forges: forges.clone(),
                        chats: chats.clone(),
                    }),
                    pace: Pace::default(),
                    hurry: CancellationToken::new(),
                };
                tokio::spawn(delivery.run(stop.clone()))
            }
            Part::Sweep => {
                let week = Duration::from_secs(7 * 24 * 3_600);
                let (_keep, keep_handled) = watch::channel(week);
                let sweep = Sweep {
                    shared: shared.clone(),
                    catalog: catalog.clone(),
                    forges: forges.clone(),
                    watching: Watching::new(desk.address.clone()),
                    keep_handled,
                };
                tokio::spawn(sweep.run(stop.clone()))
            }
        };
        // Whatever a process does, it signs.
        let signer = Signer {
            shared: shared.clone(),
            read_keys: Arc::new(|| Ok(keys())),
            place: Place::new(&desk.head),
            anchor: None,
        };
        let signer = tokio::spawn(signer.run(stop.clone()));
        Self {
            tasks: parts.iter().map(start).chain([signer]).collect(),
            store: shared.store.clone(),
        }
    }
}

impl World {
    /// The loops end in the middle of whatever they do, as when the power goes, and give nothing back.
    pub(crate) async fn crash(&self) {
        let crews = std::mem::take(&mut *self.crews.lock().unwrap());
        for crew in crews {
            for task in crew.tasks {
                task.abort();
                let _ended = task.await;
            }
            // What it sent to the database before it died has ended then, too.
            crew.store.close().await;
        }
    }

    /// Another process takes over after the leases of the dead one have run out.
    pub(crate) async fn come_back(&self) {
        self.leases_end().await;
        self.work(&ALL).await;
    }

    /// What a dead process held is free again.
    pub(crate) async fn leases_end(&self) {
        use sqlx::Executor as _;
        let mut connection = self.database.direct().await;
        for expired in [
            "UPDATE outbox SET lease_until = 1 WHERE lease_until <> 0",
            "UPDATE timer SET lease_until = 1 WHERE lease_until <> 0",
            "UPDATE lease SET lease_until = 1 WHERE lease_until <> 0",
        ] {
            connection.execute(expired).await.unwrap();
        }
    }

    /// One more process works on the same database, or a part of one.
    pub(crate) async fn work(&self, parts: &[Part]) {
        let shared = Shared::new(
            self.database.open().await,
            self.shared.clock.clone(),
            self.shared.metrics.clone(),
        );
        let shared = Shared {
            received: self.shared.received.clone(),
            decided: self.shared.decided.clone(),
            timed: self.shared.timed.clone(),
            ..shared
        };
        let desk = Desk {
            shared,
            ..self.desk.clone()
        };
        self.crews.lock().unwrap().push(Crew::start(&desk, parts));
    }
}
