//! `[server]`: where Countersign listens, and its limits.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::at::At;
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::Server;
use crate::config::size;
use crate::config::web_address::WebAddress;
use crate::domain::{Invalid, TimeSpan};

/// More open connections than this cannot be meant.
const MOST_CONNECTIONS: u64 = 1_000_000;

pub(super) fn server(raw: Option<&raw::Server>, review: &mut Review<'_>) -> Server {
    let mut server = Server::default();
    let Some(raw) = raw else {
        return server;
    };
    if let Some(listen) = &raw.listen
        && let Some(address) = review.keep(&listen.place, socket(&listen.value))
    {
        server.listen = address;
    }
    if let Some(url) = &raw.public_url {
        server.public_url = review.keep(&url.place, public_url(&url.value));
    }
    if let Some(connections) = &raw.max_connections {
        server.max_connections = review
            .keep(&connections.place, self::connections(connections.value))
            .unwrap_or(server.max_connections);
    }
    server.max_body = bytes(raw.max_body.as_ref(), server.max_body, review);
    server.max_waiting = bytes(raw.max_waiting.as_ref(), server.max_waiting, review);
    if server.max_waiting < server.max_body
        && let Some(written) = raw.max_waiting.as_ref().or(raw.max_body.as_ref())
    {
        let problem = Problem::new(
            &written.place,
            "one body of the largest size would not fit in memory",
        );
        review.refuse(problem.help("make `max_waiting` at least as large as `max_body`"));
    }
    server.header_timeout = time(raw.header_timeout.as_ref(), server.header_timeout, review);
    server.body_timeout = time(raw.body_timeout.as_ref(), server.body_timeout, review);
    server.shutdown_timeout = time(
        raw.shutdown_timeout.as_ref(),
        server.shutdown_timeout,
        review,
    );
    server
}

fn socket(text: &str) -> Result<SocketAddr, Invalid> {
    text.parse().map_err(|_| Invalid {
        problem: "this is not an address to listen on".to_owned(),
        way_out: "write numbers and a port, like `127.0.0.1:7878` or `[::]:7878`".to_owned(),
    })
}

fn public_url(text: &str) -> Result<String, Invalid> {
    let address = WebAddress::parse(text)?;
    if address.path.is_empty() {
        return Ok(address.root());
    }
    Err(Invalid {
        problem: "the public address cannot have a path".to_owned(),
        way_out: format!("write it like `{}`", address.root()),
    })
}

fn connections(count: u64) -> Result<usize, Invalid> {
    let fitting = (1..=MOST_CONNECTIONS).contains(&count).then_some(count);
    fitting
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| Invalid {
            problem: "this is not a number of connections".to_owned(),
            way_out: format!("choose from 1 to {MOST_CONNECTIONS}; 4096 suits most"),
        })
}

fn bytes(written: Option<&At<String>>, default: usize, review: &mut Review<'_>) -> usize {
    written
        .and_then(|written| review.keep(&written.place, size::parse(&written.value)))
        .unwrap_or(default)
}

fn time(written: Option<&At<String>>, default: Duration, review: &mut Review<'_>) -> Duration {
    let parsed = review.parse::<TimeSpan>(written);
    parsed.map_or(default, |span| span.value.as_duration())
}
