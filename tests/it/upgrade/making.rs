//! The making of a fixture: it brings a world into a rich state, stops in the middle of everything, and writes it down.

use std::time::Duration;

use countersign::domain::Scope;
use countersign::store::inbox;
use countersign::store::tokens::{self, NewToken};
use countersign_ground::clock::later;
use countersign_sandbox::github::{NewCommit, Trouble};

use super::story::{BOOKS, SHOP_SERVICE, Story, TOKEN, services};
use crate::support::crew::Part;
use crate::support::talk::{Surface, code_in};
use crate::support::{Engine, World, eventually, on_both};

/// Names the version whose fixture is to be made. Nothing is made unless the operator asks for it: a fixture is
/// of the program that makes it.
const WANTED: &str = "COUNTERSIGN_MAKE_FIXTURE";
const WEEK_AND_A_DAY: u64 = 8 * 24 * 3_600;
/// Longer than GitHub asks us to stay away.
const DOWN: u64 = 130;
const WAITING_NOTES: &str =
    "SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL AND event = 'note'";

on_both!(a_fixture_is_made);

#[expect(
    clippy::print_stdout,
    reason = "whoever looks is told why nothing was made"
)]
async fn a_fixture_is_made(engine: Engine) {
    let Ok(version) = std::env::var(WANTED) else {
        println!("nobody asked for a fixture: {WANTED} names none");
        return;
    };
    let world = World::talking(engine, SHOP_SERVICE).await;
    for person in ["ann", "dora"] {
        world.link(person).await;
    }
    history(&world).await;
    a_second_repository(&world).await;
    // What was handled long ago is not kept.
    world.pass(WEEK_AND_A_DAY).await;
    for _ in 0..4 {
        world.pass(301).await;
    }
    let mut story = Story::default();
    books(&world, &mut story).await;
    day(&world, &mut story).await;
    people(&world, &mut story).await;
    trouble(&world, &mut story).await;
    night(&world, &mut story).await;
    morning(&world, &mut story).await;
    forget_what_is_handled(&world).await;
    let story = serde_json::to_value(story).unwrap();
    world.keep((&version, engine), story).await;
}

/// Deliveries that are handled are kept for a while; here they are too long.
async fn forget_what_is_handled(world: &World) {
    let now = later(world.shared.clock.now(), Duration::from_secs(1));
    let forgotten = world
        .store
        .unit(move |tx| Box::pin(async move { inbox::prune(tx, now, 1_000).await }));
    assert!(forgotten.await.unwrap() > 0);
}

/// Releases that ended in every way.
async fn history(world: &World) {
    let (one, _) = world.ready("one").await;
    world.say("ann", one, "/deploy us").await.expect("Started");
    world.finish("success").await;
    world.say("bob", one, "/deploy us").await.expect("Refused");
    let (two, _) = world.ready("two").await;
    world.slack("ann", "/deploy us").await;
    world.finish("failure").await;
    for end in ["/reject --reason \"not on a Friday\"", "/cancel"] {
        world.say("ann", two, "/deploy eu").await.expect("1 of 2");
        world.say("dora", two, end).await;
    }
    world.say("ann", two, "/deploy eu").await.expect("1 of 2");
    let elsewhere = SHOP_SERVICE.replace("\"europe\"", "\"elsewhere\"");
    world.reconfigure(&elsewhere).await;
    world.say("dora", two, "/approve").await.expect("is void");
    world.reconfigure(SHOP_SERVICE).await;
    world.say("ann", two, "/deploy eu").await.expect("1 of 2");
    let (three, _) = world.ready("three").await;
    world.say("dora", three, "/deploy south").await;
    world.pass(31 * 60).await;
    world
        .say("ann", three, "/lock attic --reason \"stock-taking\"")
        .await;
    world.say("dora", three, "/unlock attic").await;
    for ended in [
        "succeeded",
        "failed",
        "rejected",
        "cancelled",
        "voided",
        "superseded",
        "expired",
    ] {
        assert_eq!(world.recorded(ended).await, 1, "{ended}");
    }
}

async fn a_second_repository(world: &World) {
    world.github.add_repository(10, BOOKS);
    for person in ["ann", "bob", "dora", "quinn"] {
        world.github.set_role(BOOKS, person, Some("write"));
    }
    world.reconfigure(&services()).await;
    eventually("both repositories are known", async || {
        (world.number("SELECT COUNT(*) FROM repository").await == 2).then_some(())
    })
    .await;
}

/// A pull request of the books is merged and its build is green.
async fn publish(world: &World, title: &str) -> (u64, String) {
    let github = &world.github;
    let main = github.head(BOOKS, "main").unwrap();
    github.set_branch(BOOKS, title, &main);
    let commit = NewCommit::by("bob", title);
    github.push(BOOKS, title, vec![commit]).await;
    let number = github.open_pull_request(BOOKS, "bob", title, "main").await;
    let sha = github.merge(BOOKS, number, "bob").await;
    let green = ("completed", Some("success"));
    github
        .check_run(BOOKS, &sha, ("build", "github-actions"), green)
        .await;
    (number, sha)
}

async fn books(world: &World, story: &mut Story) {
    (story.books, story.books_sha) = publish(world, "Read more").await;
    world.settle().await;
    world.pass(601).await;
}

/// Requests on their way, each in an environment of its own.
async fn day(world: &World, story: &mut Story) {
    let (pull_request, sha) = world.ready("now").await;
    (story.pull_request, story.sha) = (pull_request, sha);
    world
        .say("ann", pull_request, "/deploy us")
        .await
        .expect("Started");
    story.us = world.newest().await;
    let running = world.external(story.us).await;
    world.github.deployment_status(running, "in_progress").await;
    world.settle().await;

    world.expect_trouble_at_start(Trouble::FailAfterActing { status: 502 });
    world.say_unheard("ann", pull_request, "/deploy lab").await;
    story.lab = world.newest().await;

    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("1 of 2");
    story.prod = world.newest().await;
    world.discord("dora", "/deploy eu").await;
    story.eu = world.newest().await;
    world.slack("ann", "/deploy asia").await;
    story.asia = world.newest().await;
    world
        .say("dora", pull_request, "/deploy south")
        .await
        .expect("1 of 2");
    story.south = world.newest().await;
    for (request, state) in [
        (story.us, "running"),
        (story.lab, "unknown"),
        (story.prod, "waiting"),
        (story.eu, "waiting"),
        (story.asia, "waiting"),
        (story.south, "waiting"),
    ] {
        assert_eq!(
            world.state(request).await.as_deref(),
            Some(state),
            "#{request}"
        );
    }
}

/// Who may what.
async fn people(world: &World, story: &mut Story) {
    let on = story.pull_request;
    world.say("bob", on, "/deploy prod").await.expect("Refused");
    let lock = "/lock attic --for 2h --reason \"the roof leaks\"";
    world.say("ann", on, lock).await.expect("Locked");
    story.code = code_in(&world.discord("quinn", "/link").await);
    let token = NewToken {
        name: "auditors".to_owned(),
        scopes: [Scope::Audit, Scope::Log].into(),
        hash: tokens::hash(TOKEN),
        made_at: world.shared.clock.now(),
        expires_at: None,
    };
    let made = world.store.unit(move |tx| {
        let token = token.clone();
        Box::pin(async move { tokens::make(tx, &token).await })
    });
    made.await.unwrap();
}

/// What an operator will look at.
async fn trouble(world: &World, story: &mut Story) {
    let sha = &story.sha;
    story.attic = world.deploy(sha, "attic").await;
    world.deployment_status(story.attic, "success").await;
    world.settle().await;
    let refused = Trouble::status(422);
    world
        .github
        .expect_trouble_at("POST", "/reactions", refused);
    story.helped = world
        .say("quinn", story.pull_request, "/help")
        .await
        .comment;
    let parked = "SELECT id FROM outbox WHERE state = 'parked'";
    story.parked = world.number(parked).await;
}

/// Discord is away, and the parts of the service go away, too, one after the other.
async fn night(world: &World, story: &mut Story) {
    let away = (0..1_000).map(|_| Trouble::status(503));
    world.talk().discord.expect_trouble(away);
    world.crash().await;
    world.leases_end().await;
    world.work(&[Part::Intake]).await;
    world
        .comment("ann", story.pull_request, "/deploy west")
        .await;
    let decided = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state = 'waiting'";
    comes(world, "the decision", decided, 1).await;
    story.west = world.newest().await;
    world.crash().await;
    world.leases_end().await;
    world.work(&[Part::Delivery]).await;
    let unsent = "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND channel LIKE 'github%'";
    comes(world, "what GitHub is told", unsent, 0).await;
    comes(world, "the outcome", WAITING_NOTES, 1).await;
    world.github.delivered().await;
    world.crash().await;
    world.leases_end().await;

    hold_the_lane_of_the_shop(world).await;
    world.work(&[Part::Intake, Part::Delivery]).await;
    world.hold_start(DOWN - 10);
    say_of_books(world, "ann", (story.books, "/deploy window")).await;
    let held = "SELECT COUNT(*) FROM timer WHERE name LIKE 'depart/%'";
    comes(world, "the pause", held, 1).await;
    story.window = world.newest().await;
    world.crash().await;
    world.leases_end().await;
    world.wait(DOWN);
}

/// The intake decides, and no delivery runs; then the whole service is away.
async fn morning(world: &World, story: &mut Story) {
    hold_the_lane_of_the_shop(world).await;
    world.work(&[Part::Intake]).await;
    say_of_books(world, "ann", (story.books, "/deploy shelf")).await;
    let waits = "SELECT COUNT(*) FROM request WHERE environment = 'shelf' AND state = 'waiting'";
    comes(world, "the request", waits, 1).await;
    story.shelf = world.newest().await;
    say_of_books(world, "dora", (story.books, "/approve")).await;
    let approved = format!(
        "SELECT COUNT(*) FROM approval WHERE request = {}",
        story.shelf
    );
    comes(world, "the second approval", &approved, 2).await;
    (_, story.soaking) = publish(world, "Read on").await;
    let soaks = "SELECT COUNT(*) FROM timer WHERE name LIKE 'soak/%'";
    comes(world, "the soak", soaks, 1).await;
    // The lane of the speaker is free; that of the shop is not.
    let yes = format!("/approve #{}", story.eu);
    world.ask_unheard(Surface::Discord, "ann", (0, &yes)).await;
    comes(world, "the approval", WAITING_NOTES, 2).await;
    let asks = (0, "/status shelf");
    world.ask_unheard(Surface::Discord, "ann", asks).await;
    let replies =
        "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND channel = 'discord/replies'";
    comes(world, "an answer", replies, 1).await;
    let yes = format!("/approve #{}", story.prod);
    world.comment("quinn", story.pull_request, &yes).await;
    world.github.delivered().await;
    world.crash().await;
    let asks = (0, "/status us");
    world.ask_unheard(Surface::Slack, "dora", asks).await;
    let asks = (0, "/status asia");
    story.unanswered = world.ask_unheard(Surface::Discord, "dora", asks).await;
    world.leases_end().await;
}

async fn say_of_books(world: &World, person: &str, (on, text): (u64, &str)) {
    world.github.comment(person, BOOKS, on, text).await;
    world.github.delivered().await;
}

/// Waits until so many rows are there.
async fn comes(world: &World, what: &str, sql: &str, count: i64) {
    eventually(what, async || {
        (world.number(sql).await == count).then_some(())
    })
    .await;
}

/// Another replica took it, and died.
async fn hold_the_lane_of_the_shop(world: &World) {
    use sqlx::Executor as _;
    let far = i64::MAX / 2;
    let hold = format!(
        "UPDATE lease SET holder = 'another replica', fence = fence + 1, lease_until = {far}
         WHERE name = 'inbox/github/repository/9'"
    );
    let mut connection = world.database.direct().await;
    let held = connection.execute(sqlx::AssertSqlSafe(hold)).await;
    assert_eq!(held.unwrap().rows_affected(), 1);
}
