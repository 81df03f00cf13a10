//! A Slack on loopback that remembers: a team with people and channels, messages, views, sockets. It
//! answers the Web API, carries what people do to the app over HTTP or a socket, refuses what Slack
//! refuses, and makes trouble on demand.

mod acts;
mod blocks;
mod chat;
mod delivery;
mod desk;
mod elements;
mod error;
mod limits;
mod memory;
mod mentions;
mod methods;
mod payload;
mod people;
mod response_urls;
mod socket;
mod views;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use acts::Seen;
pub use chat::Message;
pub use delivery::Sent;
pub use mentions::Mention;
pub use views::View;

pub use super::desk::Exchange;
pub use super::trouble::Trouble;

use super::lock;
use countersign_ground::clock::Clock;
use limits::Rule;
use world::World;

/// What the app of the sandbox is called, and what it is let in by.
pub const TEAM: &str = "T0ACMECORP";
pub const APP: &str = "A0COUNTERSIGN";
pub const BOT: &str = "U0COUNTERSIGN";
pub const BOT_TOKEN: &str = "xoxb-of-the-sandbox";
pub const APP_TOKEN: &str = "xapp-of-the-sandbox";
pub const SIGNING_SECRET: &str = "signing secret of the sandbox";
/// The channel deploys, which the bot is in; ann, who is in the user group deployers; bob, who is not.
pub const CHANNEL: &str = "C0DEPLOYS";
pub const ANN: &str = "U0ANN";
pub const BOB: &str = "U0BOB";
pub const GROUP: &str = "S0DEPLOYERS";

/// A Slack that listens until it is dropped.
#[derive(Debug)]
pub struct Slack {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<super::desk::Desk>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<super::desk::Desk>>,
}

impl Slack {
    /// Listens on a free port of the loopback address.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(Clock::system()).await
    }

    /// The same, by another clock.
    pub async fn start_at(clock: Clock) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let shared = Shared {
            world: Arc::new(Mutex::new(World::new(clock, address))),
            desk: Arc::default(),
        };
        let routes = Router::new()
            .route("/link", get(socket::join))
            .fallback(desk::enter)
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            // A sandbox that cannot go on ends; its client notices.
            let _ended = axum::serve(socket, routes).await;
        });
        Ok(Self {
            address,
            world: shared.world,
            desk: shared.desk,
            server,
        })
    }

    /// Where `/api/METHOD` begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call with its answer, response URLs included, in the order of the answers.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        lock(&self.desk).exchanges.clone()
    }

    /// The next calls meet this trouble, one each, in order.
    pub fn expect_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        lock(&self.desk).trouble.add(trouble);
    }

    /// The next call of this method whose path has this part meets this trouble.
    pub fn expect_trouble_at(&self, method: &str, path: &str, trouble: Trouble) {
        lock(&self.desk).trouble.add_at(method, path, trouble);
    }

    /// How much trouble no call has met yet.
    pub fn trouble_left(&self) -> usize {
        lock(&self.desk).trouble.len()
    }

    /// From now on so many calls of a method in so much time; of `chat.postMessage`, in each channel.
    pub fn set_limit(&self, method: &str, limit: u64, window: Duration) {
        lock(&self.world).limits.set(method, Rule { limit, window });
    }

    /// From now on the bot may do no more than this.
    pub fn set_scopes(&self, scopes: &[&str]) {
        lock(&self.world).scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// The app is thrown out of the workspace.
    pub fn revoke_tokens(&self) {
        lock(&self.world).is_revoked = true;
    }

    /// Payloads come as from an app that the whole organization installed: without a team.
    pub fn set_org_wide(&self, is_org_wide: bool) {
        lock(&self.world).is_org_wide = is_org_wide;
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
        // The sockets end with their senders.
        lock(&self.world).lines.clear();
    }
}
