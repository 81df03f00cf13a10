//! Stories and storms: what the service promises, shown on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected fails"
)]

mod support;

mod api;
mod asking;
mod authors;
mod chat_story;
mod chats;
mod commands;
mod contract;
mod deleted;
mod demo;
mod demo_pages;
mod doctor;
mod effects;
mod escapes;
mod evidence;
mod examples;
mod exports;
mod faults;
mod first_steps;
mod following;
mod forged;
mod gates;
mod gitlab_branches;
mod gitlab_door;
mod gitlab_faults;
mod gitlab_following;
mod gitlab_healing;
mod gitlab_story;
mod gitlab_triggers;
mod glances;
mod heads;
mod healing;
mod hooks;
mod inbox;
mod installations;
mod leases;
mod lifecycle;
mod limits;
mod links;
mod long_lists;
mod pages;
mod people;
mod proofs;
mod queries;
mod release;
mod renames;
mod reruns;
mod sandbox;
mod sandbox_discord;
mod sandbox_gitlab;
mod sandbox_slack;
mod schema;
mod setup;
mod signing;
mod sockets;
mod storms;
mod story;
mod strangers;
mod surfaces;
mod tags;
mod tampering;
mod terminal;
mod texts;
mod tiles;
mod timers;
mod tokens;
mod triggers;
mod turns;
mod unproven;
mod upgrade;
mod waiting;
mod webhooks;
mod witness;
