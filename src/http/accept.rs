//! The listener accepts connections and serves them with hyper's HTTP/1: a deadline for the headers, a cap on
//! connections, and an end that lets requests finish.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::metrics::Metrics;

/// Connections that the system holds for us until we accept them; beyond it they are dropped in
/// silence, and a client without patience of its own waits for ever.
const BACKLOG: u32 = 4096;

/// What one client may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// From the connection, or the last answer, to the end of the next headers.
    pub header: Duration,
    /// From the headers to the end of the body.
    pub body: Duration,
    /// Bytes of one body.
    pub body_size: usize,
    /// Bytes of all bodies that are being read or wait to be stored, of which each source has its part.
    pub bodies_size: usize,
    /// Deliveries that wait for the database.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header: Duration::from_secs(5),
            body: Duration::from_secs(10),
            body_size: 25 << 20,
            bodies_size: 256 << 20,
            waiting: 4096,
        }
    }
}

/// A socket that listens, before it is served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    limits: Limits,
    metrics: Metrics,
}

impl Listener {
    pub fn bind(address: SocketAddr, limits: Limits, metrics: Metrics) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self {
            socket: socket.listen(BACKLOG)?,
            limits,
            metrics,
        })
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until it is told to stop, then lets requests that were begun finish.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(self.limits.connections));
        let connections = TaskTracker::new();
        while let Some(stream) = self.next(&room, &stop).await {
            let (socket, permit) = stream;
            let served = serve_one(socket, router.clone(), self.limits, stop.clone());
            let open = self.metrics.connections.clone();
            connections.spawn(async move {
                open.inc();
                served.await;
                open.dec();
                drop(permit);
            });
        }
        drop(self.socket);
        connections.close();
        connections.wait().await;
    }

    /// The next connection, once there is room for it; `None` at the end.
    async fn next(
        &self,
        room: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        loop {
            let accepting = async {
                let permit = room.clone().acquire_owned().await;
                (self.socket.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepting => accepted,
                () = stop.cancelled() => return None,
            };
            match (accepted, permit) {
                (Ok((stream, _)), Ok(permit)) => return Some((stream, permit)),
                (Err(error), _) => {
                    // Out of file descriptors, or the client left: neither ends the service.
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                (_, Err(_)) => return None,
            }
        }
    }
}

async fn serve_one(socket: TcpStream, router: Router, limits: Limits, stop: CancellationToken) {
    // Answers are small and single; waiting to join them with others only delays them.
    let _best_effort = socket.set_nodelay(true);
    let service = TowerToHyperService::new(
        router.map_request(|request: Request<Incoming>| request.map(Body::new)),
    );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended early");
    }
}
