//! A GitLab on loopback that remembers: people and groups, projects, commits, pipelines with their jobs,
//! deployments, merge requests, notes, and webhooks. It answers as GitLab's REST description says, does
//! what people and machines do there, tells about it by webhook, and makes trouble on demand.

mod acts;
mod approvals;
mod awards;
mod call;
mod ci_acts;
mod ci_events;
mod commits;
mod deployments;
mod door;
mod environments;
mod hook_log;
mod hook_settings;
mod hooks;
mod jobs;
mod merge_acts;
mod merge_requests;
mod notes;
mod people;
mod pipelines;
mod plan;
mod progress;
mod projects;
mod pushes;
mod route;
mod signing;
mod statuses;
mod tokens;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use door::Exchange;
pub use environments::Access;
pub use hooks::Sent;
pub use notes::Written;
pub use plan::JobPlan;

pub use super::new_commit::NewCommit;
pub use super::order::Order;
pub use super::trouble::{Trouble, has};

use door::Desk;
use world::{DEVELOPER, MAINTAINER, World};

use super::lock;
use countersign_ground::clock::Clock;

/// A GitLab that listens until it is dropped.
#[derive(Debug)]
pub struct GitLab {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<Desk>>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<Desk>>,
}

impl GitLab {
    /// Listens on a free port of the loopback address and lets this token in.
    ///
    /// There are the group acme (90) with the project acme/shop (9), ann (5) who maintains it, bob (6)
    /// who develops it, countersign (1), a bot and maintainer whose token it is, and ann's merge
    /// request 3.
    pub async fn start(token: &str) -> io::Result<Self> {
        Self::start_at(token, Clock::system()).await
    }

    /// The same, by another clock.
    pub async fn start_at(token: &str, clock: Clock) -> io::Result<Self> {
        let socket = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut world = World::new(clock, format!("http://{address}"));
        seed(&mut world);
        let (outbox, parcels) = mpsc::unbounded_channel();
        world.hooks.outbox = Some(outbox);
        let world = Arc::new(Mutex::new(world));
        let desk = Arc::<Mutex<Desk>>::default();
        let shared = Shared {
            world: world.clone(),
            desk: desk.clone(),
        };
        let routes = Router::new().fallback(door::enter).with_state(shared);
        let server = tokio::spawn(async move {
            // A sandbox that cannot go on ends; its client notices.
            let _ended = axum::serve(socket, routes).await;
        });
        let post = tokio::spawn(hooks::deliver(world.clone(), parcels));
        let gitlab = Self {
            address,
            world,
            desk,
            tasks: [server, post],
        };
        gitlab.make_bot("countersign");
        gitlab.add_token(token, "countersign");
        Ok(gitlab)
    }

    /// Where it is; the API is below, at `/api/v4`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Method and path, below `/api/v4`, of every call that was let in, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.desk).calls.clone()
    }

    /// Every call that was let in, with its answer, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        lock(&self.desk).exchanges.clone()
    }

    /// The next calls meet this trouble, one each, in order.
    pub fn expect_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        lock(&self.desk).trouble.add(trouble);
    }

    /// The next call of this method whose path has this part, or ends so where a `$` follows, meets this
    /// trouble.
    pub fn expect_trouble_at(&self, method: &str, path: &str, trouble: Trouble) {
        lock(&self.desk).trouble.add_at(method, path, trouble);
    }

    /// No trouble is left in store.
    pub fn forget_trouble(&self) {
        lock(&self.desk).trouble = Default::default();
    }

    /// How much trouble no call has met yet.
    pub fn trouble_left(&self) -> usize {
        lock(&self.desk).trouble.len()
    }

    /// So many calls are left until this second; after them everything is refused until then.
    pub fn limit(&self, remaining: u64, reset: i64) {
        let mut desk = lock(&self.desk);
        desk.remaining = remaining;
        desk.resets_at = reset;
    }

    /// What is forbidden is refused in plain text from now on, as a proxy in front of it would.
    pub fn refuse_in_text(&self) {
        lock(&self.desk).refuses_in_text = true;
    }

    /// Behaves as this version does from now on: `18.4.0-ee`.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut lock(&self.world).version);
    }
}

impl Drop for GitLab {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The world as every test finds it.
fn seed(world: &mut World) {
    for (id, name) in [(1, "countersign"), (5, "ann"), (6, "bob")] {
        world.add_person(id, name);
    }
    world.add_group(90, "acme");
    world.add_project(9, "acme/shop");
    if let Some(shop) = world.projects.get_mut(&9) {
        shop.members = [(1, MAINTAINER), (5, MAINTAINER), (6, DEVELOPER)].into();
    }
    let change = NewCommit::by("ann", "Sell more").touching(["src/shop.rs"]);
    world.commit(9, "more", change);
    world.open(9, 3, 5, ("more", "main"));
}
