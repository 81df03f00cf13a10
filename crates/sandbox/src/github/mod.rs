//! A GitHub on loopback that remembers: people, repositories, commits, reports, deployments, runs,
//! comments, and an app with its webhooks. It answers as GitHub's REST description says, does what
//! people and machines do there, tells about it by webhook, and makes trouble on demand.

mod actions;
mod acts;
mod app;
mod call;
mod comments;
mod commits;
mod deliveries;
mod deployments;
mod dispatches;
mod door;
mod hooks;
mod installations;
mod jobs;
mod key;
mod manifest;
mod memory;
mod people;
mod post;
mod pull_acts;
mod pulls;
mod pushes;
mod reports;
mod repositories;
mod route;
mod settings;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use app::{APP_CLIENT_ID, APP_ID, APP_SLUG, INSTALLATION_ID};
pub use comments::Written;
pub use door::Exchange;
pub use hooks::Sent;
pub use installations::Fate;
#[cfg(feature = "known-key")]
pub use key::APP_KEY;
pub use people::Membership;

pub use super::new_commit::NewCommit;
pub use super::order::Order;
pub use super::trouble::Trouble;

use door::Desk;
use key::AppKey;
use people::Kind;
use world::World;

use super::lock;
use countersign_ground::clock::Clock;

/// A GitHub that listens until it is dropped.
#[derive(Debug)]
pub struct GitHub {
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

impl GitHub {
    /// Listens on a free port of the loopback address and lets this token in, and the app.
    ///
    /// There are the organization acme (90) with the repository acme/shop (9), ann (5) who maintains it,
    /// countersign (1) whose token it is, and ann's pull request 3.
    pub async fn start(token: &str) -> io::Result<Self> {
        Self::start_at(token, Clock::system()).await
    }

    /// The same, by another clock.
    pub async fn start_at(token: &str, clock: Clock) -> io::Result<Self> {
        let socket = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut world = World::new(clock, format!("http://{address}"), AppKey::for_a_sandbox()?);
        seed(&mut world, token);
        let (outbox, parcels) = mpsc::unbounded_channel();
        world.hooks.outbox = Some(outbox);
        let world = Arc::new(Mutex::new(world));
        let desk = Arc::<Mutex<Desk>>::default();
        let shared = Shared {
            world: world.clone(),
            desk: desk.clone(),
        };
        let routes = Router::new()
            .route("/settings/apps/new", post(manifest::wish))
            .route(
                "/organizations/{organization}/settings/apps/new",
                post(manifest::wish),
            )
            .route(
                "/app-manifests/{code}/conversions",
                post(manifest::take_over),
            )
            .fallback(door::enter)
            .with_state(shared);
        let server = tokio::spawn(async move {
            // A sandbox that cannot go on ends; its client notices.
            let _ended = axum::serve(socket, routes).await;
        });
        let post = tokio::spawn(hooks::deliver(world.clone(), parcels));
        Ok(Self {
            address,
            world,
            desk,
            tasks: [server, post],
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The private key of the app.
    pub fn app_key(&self) -> String {
        lock(&self.world).key.private.clone()
    }

    /// Method and path of every call that was let in, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.desk).calls.clone()
    }

    /// Every call that was let in, with its answer, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        lock(&self.desk).exchanges.clone()
    }

    /// How many questions were answered by "not modified".
    pub fn unchanged(&self) -> usize {
        lock(&self.desk).unchanged
    }

    /// The next calls meet this trouble, one each, in order.
    pub fn expect_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        lock(&self.desk).trouble.add(trouble);
    }

    /// The next call of this method whose path has this part meets this trouble.
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
}

impl Drop for GitHub {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// The world as every test finds it.
fn seed(world: &mut World, token: &str) {
    world.add_account(1, "countersign", Kind::Person);
    world.add_account(5, "ann", Kind::Person);
    world.add_account(90, "acme", Kind::Organization);
    world.add_account(19_864_447, commits::WEB_FLOW, Kind::Person);
    world.tokens.insert(token.to_owned(), 1);
    world.add_our_app();
    world.add_repository(9, "acme/shop");
    if let Some(shop) = world.repositories.get_mut(&9) {
        shop.roles.insert(1, "write".to_owned());
        shop.roles.insert(5, "maintain".to_owned());
    }
    let change = NewCommit::by("ann", "Sell more").touching(["src/shop.rs"]);
    world.commit(9, "more", change);
    world.open(9, 3, 5, ("more", "main"));
}
