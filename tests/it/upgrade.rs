//! Upgrades: this program reads what one of before left, and everything goes on; see `tests/data/upgrade/README.md`.

mod making;
mod story;

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign::store::{outbox, tokens};
use countersign_sandbox::discord::CHANNEL;
use countersign_sandbox::github::Exchange;
use countersign_sandbox::slack;

use self::story::{Story, TOKEN, services};
use crate::evidence;
use crate::support::crew::ALL;
use crate::support::talk::on_discord;
use crate::support::{Engine, World, on_both};

on_both!(the_first_one_goes_on);

/// A release without an approval, and an effect that was given up.
const ALARMS: i64 = 2;

async fn the_first_one_goes_on(engine: Engine) {
    let (world, story) = World::kept(("first", engine), &services()).await;
    let story: Story = serde_json::from_value(story).unwrap();
    it_was_in_the_middle_of_everything(&world, &story).await;
    let before = finished(&world).await;
    world.work(&ALL).await;
    world.settle().await;
    what_waited_is_handled(&world, &story).await;
    requests_from_chats_go_on(&world, &story).await;
    people_are_who_they_were(&world, &story).await;
    what_was_given_up_can_be_tried_again(&world, &story).await;
    releases_end(&world, &story).await;
    times_come(&world, &story).await;
    nothing_was_done_twice(&world, (&story, &before)).await;
    evidence::verify(&world).await;
    evidence::run(&world, &["audit", "verify"]).await;
}

/// What was done before.
async fn finished(world: &World) -> BTreeSet<i64> {
    let done = outbox::list(&world.store, "done", 0, 10_000).await;
    done.unwrap().iter().map(|row| row.id).collect()
}

fn kind(row: &outbox::Listed) -> &'static str {
    let effect = row.effect.as_ref();
    effect.unwrap_or_else(|why| panic!("{row:?}: {why}")).kind()
}

/// Guards the fixture: what is not in it would not be tried.
async fn it_was_in_the_middle_of_everything(world: &World, story: &Story) {
    for (request, state) in [
        (story.prod, "waiting"),
        (story.eu, "waiting"),
        (story.asia, "waiting"),
        (story.south, "waiting"),
        (story.shelf, "waiting"),
        (story.us, "running"),
        (story.lab, "unknown"),
        (story.west, "departing"),
        (story.window, "departing"),
    ] {
        is(world, request, state).await;
    }
    let ended = "SELECT COUNT(DISTINCT state) FROM request WHERE state IN
        ('succeeded', 'failed', 'cancelled', 'rejected', 'expired', 'superseded', 'voided')";
    assert_eq!(world.number(ended).await, 7);
    for timer in [
        "expiry", "soak", "follow", "look", "depart", "unlock", "reread",
    ] {
        let timers = format!("SELECT COUNT(*) FROM timer WHERE name LIKE '{timer}/%'");
        assert!(world.number(&timers).await > 0, "{timer}");
    }
    let waiting = outbox::list(&world.store, "waiting", 0, 1_000)
        .await
        .unwrap();
    for shape in ["say", "react", "commit_status", "notice", "remark", "reply"] {
        assert!(waiting.iter().any(|row| kind(row) == shape), "{shape}");
    }
    // How a trigger went, and a command from a chat.
    for (source, least) in [
        ("countersign", 2),
        ("github", 1),
        ("discord", 1),
        ("slack", 1),
    ] {
        let waits =
            format!("SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL AND source = '{source}'");
        assert!(world.number(&waits).await >= least, "{source}");
    }
    for table in [
        "link_offer",
        "env_lock",
        "api_token",
        "quiet",
        "ledger_private",
    ] {
        let rows = format!("SELECT COUNT(*) FROM {table}");
        assert!(world.number(&rows).await > 0, "{table}");
    }
}

async fn is(world: &World, request: u64, state: &str) {
    assert_eq!(
        world.state(request).await.as_deref(),
        Some(state),
        "#{request}"
    );
}

/// The triggers that left from here: where to, and which commit.
fn left(world: &World) -> Vec<(String, String)> {
    let calls = world.github.exchanges().into_iter();
    let sent = calls.filter(|call| call.method == "POST" && call.path.ends_with("/deployments"));
    let mut left: Vec<(String, String)> = sent
        .filter_map(|call| {
            let body = call.request_body.as_ref()?;
            let word = |name: &str| body[name].as_str().map(str::to_owned);
            Some((word("environment")?, word("ref")?))
        })
        .collect();
    left.sort();
    left
}

async fn what_waited_is_handled(world: &World, story: &Story) {
    let refused = "SELECT COUNT(*) FROM inbox WHERE outcome IN ('malformed', 'parked')";
    assert_eq!(world.number(refused).await, 0);
    // A delivery had the second approval of the one, a note that of the other, and a timer let the third go.
    for request in [story.eu, story.window, story.west, story.lab] {
        is(world, request, "sent").await;
        assert_ne!(world.external(request).await, 0, "#{request}");
    }
    // Its policy excludes authors, which means more than it did.
    is(world, story.prod, "voided").await;
    let to = |environment: &str, sha: &String| (environment.to_owned(), sha.clone());
    assert_eq!(
        left(world),
        [to("europe", &story.sha), to("window", &story.books_sha),]
    );
    let found = format!(
        "SELECT COUNT(*) FROM ledger_entry WHERE action = 'trigger.found' AND request = {}",
        story.lab
    );
    assert_eq!(world.number(&found).await, 1);
    assert_eq!(world.recorded("voided").await, 2, "one since then");
}

/// An old button is pressed, and old words are read.
async fn requests_from_chats_go_on(world: &World, story: &Story) {
    let discord = &world.talk().discord;
    let asks = format!("#{}", story.asia);
    let mut messages = discord.messages(CHANNEL).into_iter();
    let notice = messages.find(|message| {
        let shown = serde_json::json!(message.embeds).to_string();
        shown.contains(&asks) && shown.contains("asia")
    });
    let notice = notice.expect("the notice of what waits");
    let mut buttons = notice.buttons();
    let yes = buttons.find(|button| button["label"] == "Approve").unwrap();
    let id = yes["custom_id"].as_str().unwrap();
    let seen = discord.click(on_discord("dora"), notice.id, id).await;
    let answer = seen.message().unwrap().id;
    world.settle().await;
    let answer = discord.message(answer).unwrap().content;
    assert!(answer.contains(&format!("**Approved** {asks}")), "{answer}");
    is(world, story.asia, "sent").await;
    // What dora asked before is answered.
    let answer = world.slack_answer("dora");
    assert!(answer.contains(&format!("#{}", story.us)), "{answer}");
    let answer = discord.message(story.unanswered).unwrap().content;
    assert!(answer.contains(&asks), "{answer}");
}

async fn people_are_who_they_were(world: &World, story: &Story) {
    assert!(
        world
            .slack("dora", "/status asia")
            .await
            .contains(&format!("#{}", story.asia))
    );
    let known = tokens::of_hash(&world.store, &tokens::hash(TOKEN)).await;
    assert_eq!(known.unwrap().unwrap().name, "auditors");
    assert!(
        world
            .discord("quinn", "/deploy eu")
            .await
            .contains("not linked")
    );
    world.say("quinn", story.pull_request, &story.code).await;
    let discord = &world.talk().discord;
    let question = discord.ephemeral_for(on_discord("quinn")).into_iter();
    let question = question
        .rev()
        .find(|one| one.buttons().count() > 0)
        .unwrap();
    let yes = question.buttons().next().unwrap();
    let id = yes["custom_id"].as_str().unwrap();
    discord.click(on_discord("quinn"), question.id, id).await;
    world.settle().await;
    let links = countersign::store::state::links(&world.store)
        .await
        .unwrap();
    assert!(
        links
            .iter()
            .any(|link| format!("{link:?}").contains("quinn")),
        "{links:#?}"
    );
}

async fn what_was_given_up_can_be_tried_again(world: &World, story: &Story) {
    let (id, now) = (story.parked, world.shared.clock.now());
    let parked = outbox::find(&world.store, id).await.unwrap().unwrap();
    assert_eq!(parked.state, "parked");
    assert!(parked.effect.is_ok(), "{parked:?}");
    assert!(world.said(story.helped).reactions.is_empty());
    let again = world
        .store
        .unit(move |tx| Box::pin(async move { outbox::retry(tx, id, now).await }));
    assert!(again.await.unwrap());
    world.pass(1).await;
    assert_eq!(world.said(story.helped).reactions, ["eyes"]);
}

async fn releases_end(world: &World, story: &Story) {
    let under_way = [
        story.us,
        story.lab,
        story.west,
        story.eu,
        story.asia,
        story.window,
    ];
    for request in under_way {
        let external = world.external(request).await;
        world.github.deployment_status(external, "success").await;
    }
    world.settle().await;
    for request in under_way {
        is(world, request, "succeeded").await;
    }
    let live = format!("SELECT COUNT(*) FROM live WHERE sha = '{}'", story.sha);
    assert_eq!(
        world.number(&live).await,
        6,
        "five that we released, and one that somebody else did"
    );
}

async fn times_come(world: &World, story: &Story) {
    world.pass(601).await;
    is(world, story.shelf, "superseded").await;
    is(world, story.south, "waiting").await;
    assert_eq!(world.number("SELECT COUNT(*) FROM env_lock").await, 1);
    world.pass(2 * 3_600).await;
    is(world, story.south, "expired").await;
    assert_eq!(world.number("SELECT COUNT(*) FROM env_lock").await, 0);
}

async fn nothing_was_done_twice(world: &World, (story, before): (&Story, &BTreeSet<i64>)) {
    let to = |environment: &str, sha: &String| (environment.to_owned(), sha.clone());
    assert_eq!(
        left(world),
        [
            to("asia", &story.sha),
            to("europe", &story.sha),
            to("window", &story.books_sha),
        ]
    );
    let unfinished = "SELECT COUNT(*) FROM outbox WHERE state NOT IN ('done', 'dropped')";
    assert_eq!(world.number(unfinished).await, 0);

    let marks = world.written().into_iter().filter_map(|text| {
        let (_, mark) = text.rsplit_once("<!-- ")?;
        Some(mark.to_owned())
    });
    once("comments", marks);
    // As many calls as effects that were done since then.
    let done = outbox::list(&world.store, "done", 0, 10_000).await.unwrap();
    let is_new = |row: &&outbox::Listed| !before.contains(&row.id) && row.problem.is_none();
    let done: Vec<&str> = done.iter().filter(is_new).map(kind).collect();
    let calls = world.github.exchanges();
    for (effect, method, part) in [
        ("trigger", "POST", "/deployments"),
        ("commit_status", "POST", "/statuses/"),
        ("react", "POST", "/reactions"),
        ("say", "", "/comments"),
    ] {
        let is_it = |call: &&Arc<Exchange>| {
            let is_ours = match method {
                "" => call.method != "GET" && !call.path.ends_with("/reactions"),
                method => call.method == method,
            };
            is_ours && call.path.contains(part)
        };
        let called = calls.iter().filter(is_it).count();
        let planned = done.iter().filter(|done| **done == effect).count();
        assert_eq!(called, planned, "{effect}");
    }

    // Each notice is one message, which was changed in place, and each alarm is one.
    let talk = world.talk();
    for (count, environments) in [
        (
            talk.discord.messages(CHANNEL).len(),
            "'eu', 'asia', 'shelf', 'window'",
        ),
        (
            world.posted_on_slack().len(),
            "'us', 'asia', 'shelf', 'window'",
        ),
    ] {
        let notices = format!("SELECT COUNT(*) FROM notice WHERE environment IN ({environments})");
        assert_eq!(
            i64::try_from(count).unwrap(),
            world.number(&notices).await + ALARMS
        );
    }
    let said = talk.slack.messages(slack::CHANNEL).into_iter();
    let remarks = said.filter(|message| message.thread_ts.is_some());
    once(
        "remarks",
        remarks.map(|message| format!("{:?} {}", message.thread_ts, message.text)),
    );
}

/// Each of these is there once.
fn once(what: &str, all: impl Iterator<Item = String>) {
    let mut all: Vec<String> = all.collect();
    assert!(!all.is_empty(), "no {what}");
    all.sort();
    for pair in all.windows(2) {
        assert_ne!(pair[0], pair[1], "{what}");
    }
}
