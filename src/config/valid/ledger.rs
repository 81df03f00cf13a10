//! `[ledger]`: what the audit log is called, where its key is, and where its signed head is kept.

use std::path::PathBuf;

use crate::config::at::At;
use crate::config::raw::{self, Secret, TextOr};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::{KeyPlace, Ledger, Server};

use super::{export, witness};

const KEY: &str = "countersign-log.key";
const HEAD: &str = "countersign-log.head";
/// What a log is called that has no address.
const NAMELESS: &str = "countersign.invalid/log";

pub(super) fn ledger(
    raw: Option<&raw::Ledger>,
    server: &Server,
    review: &mut Review<'_>,
) -> Option<Ledger> {
    let name = match raw.and_then(|raw| raw.name.as_ref()) {
        Some(written) => name(written, review),
        None => Some(name_of(server)),
    };
    let key = match raw.and_then(|raw| raw.key.as_ref()) {
        Some(written) => key(written, review),
        None => path(KEY, review).map(KeyPlace::File),
    };
    let head = match raw.and_then(|raw| raw.head.as_ref()) {
        Some(written) => file(written, review),
        None => path(HEAD, review),
    };
    let anchor = match raw.and_then(|raw| raw.anchor.as_ref()) {
        Some(written) => Some(file(written, review)?),
        None => None,
    };
    let exports = export::exports(raw.and_then(|raw| raw.export.as_ref()), review);
    let witnesses = witness::witnesses(raw.and_then(|raw| raw.witness.as_ref()), review);
    Some(Ledger {
        name: name?,
        key: key?,
        head: head?,
        anchor,
        exports,
        witnesses,
    })
}

/// The address of the log without its scheme, as its readers expect.
fn name_of(server: &Server) -> String {
    let url = server.public_url.as_deref();
    url.and_then(|url| url.split_once("://"))
        .map_or(NAMELESS.to_owned(), |(_, rest)| format!("{rest}/log"))
}

fn name(written: &At<String>, review: &mut Review<'_>) -> Option<String> {
    let strange = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if written.value.is_empty() || written.value.contains(strange) || written.value.len() > 200 {
        let problem = Problem::new(&written.place, "this cannot be the name of a log");
        review.refuse(
            problem.help("write its address without `https://`, like `deploys.example.com/log`"),
        );
        return None;
    }
    Some(written.value.clone())
}

fn key(written: &At<TextOr<Secret>>, review: &mut Review<'_>) -> Option<KeyPlace> {
    match &written.value {
        TextOr::Text(text) => {
            let written = At {
                place: written.place.clone(),
                value: text.clone(),
            };
            if text.starts_with("PRIVATE+KEY+") {
                review.hide(&written.place);
                let problem =
                    Problem::new(&written.place, "the key itself must not stand in this file");
                review.refuse(problem.help("write the path of the file that holds it"));
                return None;
            }
            file(&written, review).map(KeyPlace::File)
        }
        // The file may be missing at the first start.
        TextOr::Table(Secret {
            file: Some(written),
            env: None,
            credential: None,
        }) => file(written, review).map(KeyPlace::File),
        TextOr::Table(secret) => {
            let secret = At {
                place: written.place.clone(),
                value: secret.clone(),
            };
            review.secret(&secret).map(KeyPlace::Given)
        }
    }
}

pub(super) fn file(written: &At<String>, review: &mut Review<'_>) -> Option<PathBuf> {
    if written.value.trim().is_empty() || written.value.ends_with('/') {
        let problem = Problem::new(&written.place, "this is not the path of a file");
        review.refuse(problem.help("a relative path starts from this file's folder"));
        return None;
    }
    path(&written.value, review)
}

fn path(path: &str, review: &Review<'_>) -> Option<PathBuf> {
    std::path::absolute(review.surroundings.folder().join(path)).ok()
}
