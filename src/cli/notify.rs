//! Notifications to systemd of how the service is, where systemd wants to know: in the words of `sd_notify(3)`, to the
//! socket that it names.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

const SOCKET: &str = "NOTIFY_SOCKET";

/// It listens, and everything that it needs is there.
pub(super) fn ready() {
    tell("READY=1");
}

/// It was told to end.
pub(super) fn stopping() {
    tell("STOPPING=1");
}

fn tell(words: &str) {
    let Some(place) = std::env::var_os(SOCKET) else {
        return;
    };
    let place = place.to_string_lossy();
    let address = match place.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(place.as_ref()),
    };
    let told = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(words.as_bytes(), &address));
    if let Err(error) = told {
        tracing::warn!(error = %error, words, "systemd could not be told");
    }
}
