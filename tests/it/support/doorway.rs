//! The door within the test's own process, on a clock that is moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use countersign::domain::Scope;
use countersign::forges::door::Guard;
use countersign::forges::github::edge::WebhookSecrets;
use countersign::http::{Doorway, Limits, Listener, Readiness, router};
use countersign::metrics::Metrics;
use countersign::store::tokens::{self, NewToken};
use countersign::store::{Door, Store};
use countersign_ground::chance;
use countersign_ground::clock::{Clock, Hand, later};
use countersign_ground::digest::hex;
use countersign_ledger::{Head, Standing};
use reqwest::{Method, Response};
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) hand: Hand,
    address: SocketAddr,
    http: reqwest::Client,
    _stop: DropGuard,
}

impl Opened {
    pub(crate) fn new(store: &Store) -> Self {
        let (clock, hand) = Clock::by_hand("2026-05-01T12:00:00Z".parse().unwrap());
        let stop = CancellationToken::new();
        let (door, committer) = Door::open(store.clone(), Arc::new(Notify::new()), 8);
        tokio::spawn(committer.run());
        let metrics = Metrics::default();
        let (size, root) = (0, [0; 32]);
        let (_, standing) = watch::channel(Standing::Sound(Head { size, root }));
        let readiness = Readiness::new(
            store.clone(),
            clock.clone(),
            metrics.clone(),
            stop.clone(),
            standing,
        );
        let (_, github) =
            watch::channel(Arc::new(WebhookSecrets::new(
                [b"0123456789abcdef".to_vec()],
            )));
        let limits = Limits::default();
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits, metrics).unwrap();
        let address = listener.address().unwrap();
        let forges = Guard {
            github,
            gitlab: watch::channel(Arc::default()).1,
        };
        let routes = router(Doorway::new(door, readiness, limits, forges));
        tokio::spawn(listener.serve(routes, stop.clone()));
        Self {
            store: store.clone(),
            clock,
            hand,
            address,
            http: reqwest::Client::new(),
            _stop: stop.drop_guard(),
        }
    }

    /// A new token with these scopes that ends after so many seconds.
    pub(crate) async fn token(&self, scopes: &[Scope], seconds: Option<u64>) -> String {
        let secret = format!("cst_{}", hex(&chance::secret::<32>().unwrap()));
        let made_at = self.clock.now();
        let token = NewToken {
            name: "a test".to_owned(),
            scopes: scopes.iter().copied().collect(),
            hash: tokens::hash(&secret),
            made_at,
            expires_at: seconds.map(|s| later(made_at, std::time::Duration::from_secs(s))),
        };
        self.store
            .unit(move |tx| {
                let token = token.clone();
                Box::pin(async move { tokens::make(tx, &token).await })
            })
            .await
            .unwrap();
        secret
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.ask(Method::GET, path, token).await
    }

    /// Without a token when it is empty.
    pub(crate) async fn ask(&self, method: Method, path: &str, token: &str) -> Response {
        let mut request = self.http.request(method, self.url(path));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks for exactly this path, with nothing tidied up; the status of the answer.
    pub(crate) async fn raw(&self, path: &[u8]) -> u16 {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let mut socket = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let request = [
            b"GET ",
            path,
            b" HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
        ];
        socket.write_all(&request.concat()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        text.split(' ').nth(1).unwrap().parse().unwrap()
    }
}
