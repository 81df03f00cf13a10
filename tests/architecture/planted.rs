//! Planted breaches. Every part begins with `//@`, the law and the file that it would be. A line that breaks the
//! law ends in `//~` and a piece of what is said about it; nothing is said about the others.

//@ imports src/domain/sha.rs
use crate::evidence; //~ `domain` may not use `evidence`: it does not stand below

pub use crate::cli::main as start; //~ `domain` may not use `cli::main`
use super::super::store::Store; //~ `store::Store`
use crate::{
    domain::Sha,
    store::{inbox::{take}}, //~ `store::inbox::take`
};
use countersign::store; //~ `store`
use r#crate_; use crate::r#store; //~ `store`
use crate::*; //~ the whole crate is imported
use super::super::*; //~ the whole crate is imported
use crate::Missing; //~ `crate::Missing` is in no module of the table
fn f() -> crate::store::Store { g() } //~ `store::Store`
fn f() {
  super::super::store::g() //~ `store::g`
}
mod tests { use super::super::super::store; } //~ `store`
#[cfg(test)] mod tests {
 use crate::store::Store; } //~ `store::Store`
macro_rules! m { () => { $crate::store::x } } //~ `store::x`
macro_rules! m { ($x:ident) => { use $crate::{domain::Sha, store::$x}; } } //~ `store::x`
fn f() { tokio::select! { x = a => { crate::store::x() } } } //~ `store::x`
fn f() { format!("{}", crate::store::x()); } //~ `store::x`
fn f() { assert!(a < crate::store::x(), "b"); } //~ `store::x`
fn f() { matches!(x, Some(A | crate::store::X)) } //~ `store::X`
#[serde(with(crate::store::x))] struct S; //~ `store::x`
// use crate::cli
/* crate::store::x */ //! crate::cli
/// See [`crate::store::Store`].
const A: &str = "use crate::cli;"; const B: &str = r#"crate::cli::x"#;
use self::inner::Thing; use super::{Invalid, name::Name};
use crate::{
    domain::{
        Sha,
        name::{self, ServiceName},
    },
};
pub(crate) fn f() {} pub(in crate::domain) fn g() {} pub(super) struct S;
mod tests { use super::*; use super::super::Invalid; }
//@ imports src/domain/name.rs
use crate as root; //~ the whole crate is imported
//@ imports src/domain/scope.rs
fn crate_() { store::x(); let cli = 1; 'crate: loop {} }
//@ imports src/domain/mod.rs
use super::metrics::Metrics; //~ its row does not name it
//@ imports src/engine/intake.rs
use crate::http::router; //~ it does not stand below
//@ imports src/evidence/mod.rs
use crate::call; //~ its row does not name it
//@ imports src/main.rs
fn main() { countersign::store::x() } //~ `main` may not use `store::x`
fn main() { countersign::cli::main() }
//@ imports src/lib.rs
pub use store::Store; pub use self::store::Store; //~ `lib` may not use `store::Store`
//@ imports src/attic/mod.rs
use crate::domain::Sha; //~ this file belongs to no module of the table
//@ imports src/cli/serve.rs
use crate::{metrics::Metrics, http::router, forges::github::client};

//@ imports src/forges/github/edge.rs
use crate::forges::gitlab::edge; //~ `github` may not know `gitlab`
use super::client::Client; //~ the edge of `github` may not know its client
//@ imports src/forges/gitlab/edge.rs
use super::super::github::payload; //~ `gitlab` may not know `github`
//@ imports src/chats/slack/render.rs
fn f() {
 crate::chats::discord::render::x() } //~ `slack` may not know `discord`
//@ imports src/chats/discord/edge.rs
use crate::forges::github::edge; //~ `chats` may not use `forges::github::edge`
//@ imports src/forges/github/interpret/talk.rs
use super::super::client::Client; //~ the edge of `github` may not know its client
//@ imports src/forges/github/client.rs
use super::edge; use crate::call::CallError;
//@ imports src/forges/mod.rs
use github::client; use self::gitlab::client as other;
//@ imports src/http/hooks.rs
use crate::engine::Shared; //~ its row does not name it
use crate::forges::clients::Client; //~ only `forges::door` is open to it
use crate::forges::github::edge; //~ only `forges::door` is open to it
use crate::chats::{door, clients}; //~ only `chats::door` is open to it
use crate::forges::*; //~ only `forges::door` is open to it
use super::body::{self, Unread}; use http::StatusCode; fn f() { http::x(); body::read() }
//@ imports src/http/bearer.rs
use crate::forges;
use crate::forges as code;
use code::clients as c; //~ only `forges::door` is open to it
fn f() { forges::call::x() } //~ only `forges::door` is open to it
fn f() { forges::door::interpret() }
//@ imports src/engine/turn.rs
use crate::forges::github; //~ `engine` may not use `forges::github`: it stands behind the front
use crate::chats::{self, slack::edge, clients}; //~ `chats::slack::edge`
use crate::forges::*; //~ behind the front
use crate::forges::door; fn f() { chats::door::interpret() }

//@ platforms src/engine/heal.rs
fn f() { Forge::GitHub } //~ `Forge::GitHub` is about one platform
fn f() { match x { ChannelRef::Slack(id) => 1 } } //~ `ChannelRef::Slack` is about one platform
fn f() { m!(Self::GitLab) } //~ `Self::GitLab`
fn f() { raw::GitHub; GitHub::x(); forge.is_first() }
#[cfg(test)] mod tests { fn f() { Forge::GitHub } }
//@ platforms src/cli/handover.rs
use crate::chats::discord; //~ `crate::chats::discord` is about one platform
//@ platforms src/cli/doctor/gitlab.rs
use crate::forges::gitlab; fn f() { Forge::GitLab }
//@ platforms src/domain/trigger/play_job.rs
fn f() { Forge::GitLab }
//@ platforms src/domain/forge.rs
fn f() { Self::GitLab }
//@ kinds src/domain/desk/asked/approve.rs
fn f() { Trigger::PlayJob } //~ a kind of trigger is named
fn f() { Effect::Trigger(x) }
//@ kinds src/config/valid/trigger.rs
fn f() { Trigger::PlayJob }

//@ layers src/domain/desk/known/people.rs
use crate::domain::desk;
use crate::domain::desk::{Outcome, sitting::Sitting};
fn f() { desk::asked::command() } //~ the layer `known` may not use `asked`
//@ layers src/domain/desk/links.rs
fn f() { super::chat::x() } //~ the layer `links` may not use `chat`
//@ layers src/domain/desk/mod.rs
use door::decide;

//@ methods src/domain/desk/examine/mod.rs
impl Sitting<'_> { fn f(&self) {} } //~ methods of `Sitting`

impl<'a> crate::domain::desk::sitting::Sitting<'a> {} //~ methods of `Sitting`
//@ methods src/domain/desk/asked/mod.rs
impl Trait for Sitting<'_> {} //~ methods of `Sitting`
impl Answer {} fn f(sitting: &Sitting<'_>, g: impl Fn(&Request)) {}
//@ methods src/domain/desk/sitting.rs
impl Sitting<'_> {}

//@ marks src/chats/text.rs
fn f() {
 text.strip_prefix("**") } //~ `**` is looked for
fn f() { x.split("```") } //~ is looked for
fn f() { assert!(y, x.contains("- ")) } //~ `- ` is looked for
fn f() { x.push_str("**") }
#[cfg(test)] mod tests { fn f() { x.contains("**") } }
//@ marks src/engine/speech.rs
fn f() { x.split_once("](") } //~ `](` is looked for
//@ marks src/domain/desk/telling/words.rs
fn f() { x.starts_with("**Refused**") } //~ `**Refused**` is looked for
//@ marks src/domain/command/find.rs
fn f() { x.split("```") }

//@ mending src/domain/desk/chat/mod.rs
fn f() {
 text.replace("/approve", x) } //~ a text is mended
fn f() { text.replacen(a, b, 1) } //~ a text is mended
//@ mending src/chats/slack/text.rs
fn f() { text.replace('&', x) }

//@ deciding src/http/hooks.rs
use crate::domain;
use crate::domain::decide; //~ the door may not use `domain::decide`
use crate::domain::{Filter, Noted};
fn f() { domain::desk::decide(x) } //~ the door may not use `domain::desk::decide`
//@ deciding src/engine/turn.rs
use crate::domain::decide;

//@ crates src/engine/intake.rs
use sqlx::Row; //~ the crate `sqlx` is kept to store
fn f() {
 sqlx::query(x) } //~ `sqlx` is kept to store
use {
 std::fmt,
 sqlx as db, //~ `sqlx` is kept to store
};
extern crate sqlx; //~ `sqlx` is kept to store
use sqlx; //~ `sqlx` is kept to store
fn f() { ::sqlx::query(x) } //~ `sqlx` is kept to store
fn f() -> ::sqlx::Row { g() } //~ `sqlx` is kept to store
fn f() { tokio::select! { x = ::sqlx::query() => {} } } //~ `sqlx` is kept to store
#[derive(sqlx::FromRow)] struct S; //~ `sqlx` is kept to store
#[cfg(test)] mod tests { use sqlx::Row; } //~ `sqlx` is kept to store
// sqlx::query
const A: &str = "sqlx::query";
fn f() { sqlx_like::query(); let sqlx = tower; x.sqlx::<T>(); }
use http::StatusCode; use crate::http_like::x;
//@ crates src/domain/sha.rs
#[tokio::test] async fn f() {} //~ the crate `tokio` is kept to web, store
//@ crates src/evidence/mod.rs
use tokio::sync::Mutex; use countersign_ledger::Whole; //~ `tokio` is kept to
//@ crates src/chats/discord/edge.rs
use countersign_ledger::Keys; use serenity::all::X; //~ `countersign_ledger` is kept to domain
//@ crates src/forges/github/client/mod.rs
use countersign_ground::clock::Clock; //~ `countersign_ground::clock` is kept to chats, engine, http, cli
use countersign_ground::{digest, chance::id}; //~ `countersign_ground::chance` is kept to store
use countersign_ground::digest::hex;
//@ crates src/engine/delivery.rs
use countersign_sandbox::github; //~ `countersign_sandbox` is kept to cli
//@ crates src/store/open.rs
use axum::Router; //~ `axum` is kept to http
use sqlx::Any;
use hyper_util::rt::TokioIo; //~ `hyper_util` is kept to
fn f() { super::sqlx::x(); self::sqlx::y() }
//@ crates src/http/mod.rs
use anyhow::Context as _; //~ `anyhow` is kept to cli
//@ crates src/main.rs
#[tokio::main] async fn main() {} //~ `tokio` is kept to
//@ crates src/lib.rs
pub use toml::Value; //~ `toml` is kept to config
//@ crates src/config/mod.rs
use crate::config::shape::sqlx; fn f() { sqlx::x() }

//@ purity src/domain/decide.rs
async fn f() {} //~ `async` in a pure place
fn f() { m!(x.await, y) } //~ `await` in a pure place
fn f() { std::env::var(x) } //~ `std::env::var` in a pure place
use std::time::{Duration, Instant}; //~ `std::time::Instant` in a pure place
use ::std::fs; //~ `std::fs` in a pure place
use std::time::Duration; // async
//@ purity crates/ledger/src/bin/verify/main.rs
use std::fs;
//@ purity src/evidence/mod.rs
use std::{fmt, fs::File}; //~ `std::fs::File` in a pure place
//@ purity crates/ledger/src/seal.rs
use std::fs; //~ `std::fs` in a pure place
//@ purity src/forges/github/edge.rs
fn f() {
 x.await } //~ `await` in a pure place
//@ purity src/forges/github/interpret/mod.rs
async fn f() {} //~ `async` in a pure place
//@ purity src/forges/github/payload/time.rs
use std::fs; //~ `std::fs` in a pure place
//@ purity src/forges/github/client.rs
async fn f() {}

//@ sql src/cli/outbox.rs
const A: &str = "SELECT 1"; //~ a statement of SQL outside the store
const B: &str =
 r#"  UPDATE outbox SET a = 1"#; //~ a statement of SQL
const C: &str = "delete from outbox"; //~ a statement of SQL
const D: &str = "select id, token from outbox"; //~ a statement of SQL
const E: &[u8] = b"INSERT INTO a VALUES (1)"; //~ a statement of SQL
words! { F = ["CREATE TABLE a (b)"] } //~ a statement of SQL
const G: &str = "select a service from the list"; // SELECT 1
const H: &str = "Update what is set"; const I: &str = "DROP";
/// SELECT 1
//@ sql crates/ledger/src/seal.rs
const A: &str = "SELECT 1"; //~ a statement of SQL
//@ sql crates/sandbox/src/github/world.rs
const A: &str = "SELECT 1"; //~ a statement of SQL
//@ sql crates/sandbox/src/intruder.rs
const A: &str = "SELECT 1";
//@ sql src/store/inbox.rs
const A: &str = "SELECT 1";

//@ shortcuts src/cli/serve.rs
#![allow(dead_code)] //~ a lint is allowed
#[allow(dead_code)] //~ a lint is allowed
#[cfg_attr(test,
 allow(dead_code))] fn f() {} //~ a lint is allowed
#[cfg(test)] mod tests { #[allow(x)] fn f() {} } //~ a lint is allowed
m! { #[allow(x)] x?.unwrap_or(1) } //~ a lint is allowed
fn f() {
 x.unwrap(); //~ `unwrap` outside tests
 y.expect("z") } //~ `expect` outside tests
fn f() { Option::unwrap(x) } //~ `unwrap` outside tests
fn f() { x.map(Option::unwrap) } //~ `unwrap` outside tests
fn f() { format!("{}", x?.unwrap()) } //~ `unwrap` outside tests
#[expect(dead_code, reason = "allow(x)")] fn f() { allow(x) }
#[cfg(test)]
mod tests { fn f() { x.unwrap(); y.expect("z"); } }
fn f() { x.unwrap_or(1); unwrap(2); x[0].allow(y) }
//@ shortcuts crates/ledger/src/seal.rs
fn f() { x.unwrap() } //~ `unwrap` outside tests
//@ shortcuts src/config/mod.rs
#[cfg(test)]
mod tests;
//@ shortcuts src/config/tests/words.rs
fn f() { x.unwrap() }

//@ form src/cli/serve.rs
fn f() {} //~ the file does not open with a paragraph
//@ form src/cli/check.rs
//! About.
