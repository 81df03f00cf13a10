//! A Discord on loopback that remembers: guilds, people, channels, messages, commands, interactions. It
//! answers the bot, carries what people do to the application's endpoint, refuses what Discord refuses,
//! and makes trouble on demand.

mod acts;
mod command_form;
mod commands;
mod components;
mod delivery;
mod error;
mod interactions;
mod limits;
mod memory;
mod mentions;
mod message_form;
mod messages;
mod payload;
mod people;
mod route;
mod seen;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use delivery::Sent;
pub use mentions::Mention;
pub use messages::Message;
pub use people::Thread;
pub use seen::{Form, Seen};
pub use world::APPLICATION_ID;

pub use super::desk::Exchange;
pub use super::trouble::Trouble;

use super::desk::Desk;
use super::lock;
use countersign_ground::clock::Clock;
use countersign_ground::digest;
use limits::Rule;
use world::World;

/// The guild acme, its channel deploys, and its role deployers.
pub const GUILD: u64 = 90;
pub const CHANNEL: u64 = 900;
pub const ROLE: u64 = 91;

/// A Discord that listens until it is dropped.
#[derive(Debug)]
pub struct Discord {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<Desk>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    desk: Arc<Mutex<Desk>>,
}

impl Discord {
    /// Listens on a free port of the loopback address and lets the bot with this token in.
    ///
    /// In the guild are ann (5), who is a deployer, and bob (6), who is not.
    pub async fn start(token: &str) -> io::Result<Self> {
        Self::start_at(token, Clock::system()).await
    }

    /// The same, by another clock.
    pub async fn start_at(token: &str, clock: Clock) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let mut world = World::new(clock, token);
        seed(&mut world);
        let shared = Shared {
            world: Arc::new(Mutex::new(world)),
            desk: Arc::default(),
        };
        let routes = Router::new()
            .fallback(route::enter)
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

    /// Where `/api/v10` begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the application verifies interactions with.
    pub fn public_key_hex(&self) -> String {
        digest::hex(lock(&self.world).key.verifying_key().as_bytes())
    }

    /// Every call with its answer, in the order of the answers.
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

    /// The trouble that no call has met yet is not to come.
    pub fn forget_trouble(&self) {
        lock(&self.desk).trouble = Default::default();
    }

    /// From now on so many calls of a route, such as `POST /channels/{id}/messages`, in so much time.
    pub fn set_bucket(&self, route: &str, limit: u64, window: Duration) {
        lock(&self.world).limits.set(route, Rule { limit, window });
    }

    /// The same for everything that the bot does.
    pub fn set_global_limit(&self, limit: u64, window: Duration) {
        lock(&self.world).limits.global = Rule { limit, window };
    }

    /// How many answers were 401, 403 or 429. Planned trouble is not counted.
    pub fn invalid_requests(&self) -> usize {
        lock(&self.world).limits.invalid
    }

    /// From now on the bot has another token.
    pub fn set_token(&self, token: &str) {
        token.clone_into(&mut lock(&self.world).token);
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The world as every test finds it.
fn seed(world: &mut World) {
    let people = [(APPLICATION_ID, "countersign"), (5, "ann"), (6, "bob")];
    for (id, name) in people {
        world.users.insert(id, name.to_owned());
    }
    world.add_guild(GUILD, "acme");
    world.add_channel(Some(GUILD), CHANNEL, "deploys");
    if let Some(guild) = world.guilds.get_mut(&GUILD) {
        let name = "deployers".to_owned();
        let permissions = 0;
        guild.roles.insert(ROLE, world::Role { name, permissions });
    }
    world.set_member(GUILD, 5, &[ROLE]);
    world.set_member(GUILD, 6, &[]);
}
