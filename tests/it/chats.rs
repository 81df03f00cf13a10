//! Releases from chats: the same desk, the same reasons, one end that every surface shows.

use countersign::engine::listening::Listening;
use countersign::store::Door;
use countersign_sandbox::discord::{self, CHANNEL, GUILD, Seen};
use countersign_sandbox::github::NewCommit;
use countersign_sandbox::slack;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::contract;
use crate::support::talk::{TOLD, on_discord, on_slack};
use crate::support::world::{TWO, plain_with};
use crate::support::{Engine, Setting, World, eventually, on_both_forges};

on_both_forges!(
    a_commit_is_released_from_discord,
    a_commit_is_released_from_slack,
    asked_in_slack_approved_on_discord_refused_in_a_comment,
    a_no_with_a_reason_ends_a_request,
    a_ready_commit_can_be_rejected_before_anybody_asks,
    whoever_lost_the_right_is_refused_at_once,
    strangers_and_other_tenants_are_refused_and_recorded,
    an_outsider_in_a_shared_channel_is_refused_and_recorded,
    the_same_interaction_twice_is_one_command,
    what_is_old_is_not_let_in,
    hostile_names_mention_nobody,
    a_chat_that_is_away_delays_nothing_but_its_messages,
    old_buttons_explain_themselves,
    what_should_not_wait_is_announced,
    a_link_ends_on_either_side,
);

/// A service with chats, and ann, bob and dora linked on both.
async fn world(setting: impl Into<Setting>, changes: &[(&str, &str)]) -> World {
    let changes = [&[TOLD], changes].concat();
    let world = World::talking(setting, &plain_with(&changes)).await;
    for person in ["ann", "bob", "dora"] {
        world.link(person).await;
    }
    world
}

fn expect(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in\n{text}");
}

async fn an_outsider_in_a_shared_channel_is_refused_and_recorded(setting: Setting) {
    let world = world(setting, &[]).await;
    world.ready("Sell more").await;
    let refused = world.recorded("refused").await;
    let slack = &world.talk().slack;
    slack.set_home(&on_slack("ann"), "T0OTHERCORP");
    let no = world.press_on_slack("ann", "Deploy").await;
    expect(&no, "does not work for this workspace");
    assert_eq!(world.recorded("refused").await, refused + 1);
    assert_eq!(world.starts(), 0);
    slack.set_home(&on_slack("ann"), slack::TEAM);
    let yes = world.press_on_slack("ann", "Deploy").await;
    expect(&yes, "Started");
    assert_eq!(world.starts(), 1);
}

async fn a_commit_is_released_from_discord(setting: Setting) {
    let world = world(setting, &[]).await;
    let (_, sha) = world.ready("Sell more").await;
    let notice = world.notice_on_discord();
    for part in [
        "Ready",
        "shop",
        "prod",
        &sha[..7],
        &world.read_as("check:build"),
        "ann",
        "log ",
    ] {
        expect(&notice, part);
    }
    let answer = world.discord("ann", "/deploy prod").await;
    expect(&answer, &sha);
    assert_eq!(world.deployments(), [sha.as_str()]);
    expect(&world.notice_on_discord(), "Deploying");
    world.finish("success").await;
    expect(&world.notice_on_discord(), "Live");
    expect(&world.notice_on_slack(), "Live");
    // One message, changed in place, for each channel.
    assert_eq!(world.talk().discord.messages(CHANNEL).len(), 1);
    assert_eq!(world.posted_on_slack().len(), 1);
    assert_eq!(world.recorded("requested").await, 1);
    world.is_as_described();
    contract::discord::check(&world.talk().discord);
}

async fn a_commit_is_released_from_slack(setting: Setting) {
    let world = world(setting, &[]).await;
    let (_, sha) = world.ready("Sell more").await;
    expect(&world.notice_on_slack(), "Ready");
    let answer = world.slack("ann", "/deploy prod").await;
    expect(&answer, &sha);
    world.finish("failure").await;
    expect(&world.notice_on_slack(), "Failed");
    let retried = world.press_on_slack("ann", "Retry").await;
    expect(&retried, &sha);
    world.finish("success").await;
    for notice in [world.notice_on_slack(), world.notice_on_discord()] {
        expect(&notice, "Live");
    }
    assert_eq!(world.deployments(), [sha.as_str(), sha.as_str()]);
    world.is_as_described();
    contract::discord::check(&world.talk().discord);
}

async fn asked_in_slack_approved_on_discord_refused_in_a_comment(setting: Setting) {
    let world = world(setting, &[TWO]).await;
    let (pull_request, sha) = world.ready("Sell more").await;
    let asked = world.slack("ann", "/deploy prod").await;
    expect(&asked, "1 of 2");
    expect(&world.notice_on_discord(), "1 of 2");
    let yes = world.press_on_discord("dora", "Approve").await;
    expect(&yes, "**Approved** #1");
    assert_eq!(world.deployments(), [sha.as_str()]);
    let late = world.say("bob", pull_request, "/approve #1").await;
    late.expect("**Refused**");
    world.finish("success").await;
    for notice in [world.notice_on_slack(), world.notice_on_discord()] {
        expect(&notice, "Live");
        expect(&notice, "#1");
    }
    world.shows(&sha, "success");
    let status = world.discord("bob", "/status prod").await;
    expect(&status, "by #1");
    assert_eq!(world.recorded("requested").await, 1);
    assert_eq!(world.recorded("approved").await, 2);
    assert_eq!(world.recorded("triggered").await, 1);
    assert_eq!(world.recorded("succeeded").await, 1);
    // What was decided stands in the thread of Slack's message, too.
    let message = world.posted_on_slack().pop().unwrap();
    let replies = world.talk().slack.replies(slack::CHANNEL, &message.ts);
    assert!(
        replies.iter().any(|reply| reply.text.contains("Approved")),
        "{replies:#?}"
    );
    world.is_as_described();
    contract::discord::check(&world.talk().discord);
}

async fn a_no_with_a_reason_ends_a_request(setting: Setting) {
    let world = world(setting, &[TWO]).await;
    let (_, _) = world.ready("one").await;
    world.discord("ann", "/deploy prod").await;
    let no = world.press_on_discord("dora", "Reject").await;
    expect(&no, "**Rejected** #1");
    for notice in [world.notice_on_slack(), world.notice_on_discord()] {
        expect(&notice, "not today");
        expect(&notice, "Rejected");
    }
    world.ready("two").await;
    world.slack("ann", "/deploy prod").await;
    let no = world.press_on_slack("dora", "Reject").await;
    expect(&no, "Rejected");
    expect(&world.notice_on_slack(), "not today");
    assert_eq!(world.recorded("rejected").await, 2);
    assert!(world.deployments().is_empty());
}

async fn a_ready_commit_can_be_rejected_before_anybody_asks(setting: Setting) {
    let world = world(setting, &[]).await;
    let (_, sha) = world.ready("one").await;
    let refused = world.press_on_discord("bob", "Reject").await;
    expect(&refused, "none of the roles");
    let no = world.press_on_discord("dora", "Reject").await;
    expect(&no, "**Rejected**");
    expect(&world.notice_on_slack(), "not today");
    assert_eq!(world.recorded("rejected").await, 1);
    // A person who means it all the same says it in full.
    let answer = world.slack("ann", &format!("/deploy prod {sha}")).await;
    expect(&answer, "#1");
    assert_eq!(world.deployments(), [sha]);
}

async fn whoever_lost_the_right_is_refused_at_once(setting: Setting) {
    let roles = (
        "github_users = [\"ann\", \"dora\"]",
        "github_teams = [\"acme/qa\"]",
    );
    let world = world(setting, &[roles]).await;
    world.set_member("ann", true);
    world.ready("one").await;
    world.set_member("ann", false);
    for answer in [
        world.discord("ann", "/deploy prod").await,
        world.slack("ann", "/deploy prod").await,
        world.press_on_discord("ann", "Deploy").await,
        world.press_on_slack("ann", "Deploy").await,
    ] {
        expect(&answer, "none of the roles");
    }
    assert!(world.deployments().is_empty());
}

async fn strangers_and_other_tenants_are_refused_and_recorded(setting: Setting) {
    let world = world(setting, &[]).await;
    world.ready("one").await;
    let before = world.recorded("refused").await;
    // Quinn has an account on the forge, and none of the chats knows it.
    for answer in [
        world.discord("quinn", "/deploy prod").await,
        world.slack("quinn", "/deploy prod").await,
        world.press_on_discord("quinn", "Deploy").await,
        world.press_on_slack("quinn", "Deploy").await,
    ] {
        expect(&answer, "not linked");
        // Slack knows it behind our name.
        expect(&answer, "link`");
    }
    // Ann, in a guild that is not ours.
    let discord = &world.talk().discord;
    discord.add_guild(66, "elsewhere");
    discord.add_channel(66, 660, "deploys");
    discord.set_member(66, on_discord("ann"), &[]);
    let client = world.talk().clients.discord.borrow().clone().unwrap();
    client.register(&["66".to_owned()]).await.unwrap();
    let environment = [("environment", json!("prod"))];
    let seen = discord
        .slash(on_discord("ann"), 660, "deploy", &environment)
        .await;
    let message = seen.message().unwrap().id;
    world.settle().await;
    let answer = discord.message(message).unwrap();
    expect(&answer.content, "does not work for this server");
    assert!(answer.ephemeral_to.is_some());
    assert_eq!(world.recorded("refused").await, before + 5);
    assert!(world.deployments().is_empty());
    // An operator sees who is linked, and ends it.
    let links = countersign::store::state::links(&world.store)
        .await
        .unwrap();
    assert_eq!(links.len(), 6);
}

async fn the_same_interaction_twice_is_one_command(setting: Setting) {
    let world = world(setting, &[TWO]).await;
    world.ready("one").await;
    world.discord("ann", "/deploy prod").await;
    world.slack("dora", "/approve #1").await;
    let commands = world.recorded("command.received").await;
    let (status, _) = world.talk().discord.repeat_last().await.unwrap();
    assert_eq!(status, 200);
    let (status, _) = world.talk().slack.repeat_last().await.unwrap();
    assert_eq!(status, 200);
    world.settle().await;
    assert_eq!(world.recorded("command.received").await, commands);
    assert_eq!(world.recorded("requested").await, 1);
    assert_eq!(world.recorded("approved").await, 2);
    assert_eq!(world.deployments().len(), 1);
}

async fn what_is_old_is_not_let_in(setting: Setting) {
    let world = world(setting, &[]).await;
    for (seconds, expect) in [(299, 200), (301, 401), (-299, 200), (-301, 401)] {
        let body = json!({ "type": 1, "id": "1", "application_id": "1" }).to_string();
        let at = world.shared.clock.now().as_second() - seconds;
        let at = at.to_string();
        let discord = &world.talk().discord;
        let signature = discord.signed(&body, &at);
        let (status, _) = discord.send_raw(&body, &at, &signature).await.unwrap();
        assert_eq!(status, expect, "Discord, {seconds} s");

        let slack = &world.talk().slack;
        let body = "command=%2Fdeploy&text=prod&team_id=T0ACMECORP&channel_id=C0DEPLOYS&user_id=U0NOBODY&user_name=x&trigger_id=";
        let body = format!("{body}{seconds}");
        let signature = slack.signed(&body, &at);
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-slack-request-timestamp", at.as_str()),
            ("x-slack-signature", signature.as_str()),
        ];
        let (status, _) = slack.send_raw(&headers, &body).await.unwrap();
        assert_eq!(status, expect, "Slack, {seconds} s");
        let (status, _) = slack.send_raw(&headers[..1], &body).await.unwrap();
        assert_eq!(status, 401);
    }
    world.settle().await;
    assert_eq!(world.recorded("requested").await, 0);
}

async fn hostile_names_mention_nobody(setting: Setting) {
    let evil = format!(
        "@everyone <!channel> <@1> <@&91> <!subteam^S0DEPLOYERS> \u{202e}[free](https://evil.example) *b* `x` {}",
        "long ".repeat(2_000)
    );
    let world = world(setting, &[TWO]).await;
    let commit = NewCommit::by("bob", &evil);
    let sha = world.push_to("main", vec![commit]).await;
    world.make_ready(&sha).await;
    let short: String = evil.chars().take(300).collect();
    let reason = short.replace('"', "");
    world
        .discord("ann", &format!("/deploy prod --reason \"{reason}\""))
        .await;
    world
        .slack("dora", &format!("/reject #1 --reason \"{reason}\""))
        .await;
    world.build(&sha, "failure").await;
    world.settle().await;
    let talk = world.talk();
    let on_discord = talk.discord.messages(CHANNEL);
    assert!(on_discord.len() >= 2, "{on_discord:#?}");
    for message in on_discord {
        assert!(message.mentioned.is_empty(), "{message:#?}");
        assert!(!json!(message.embeds).to_string().contains('\u{202e}'));
    }
    for message in talk.slack.messages(slack::CHANNEL) {
        assert!(message.mentioned.is_empty(), "{message:#?}");
        assert!(!json!(message.blocks).to_string().contains('\u{202e}'));
    }
    contract::discord::check(&talk.discord);
    for exchange in talk.discord.exchanges() {
        assert!(exchange.status < 400, "{exchange:#?}");
    }
    for exchange in talk.slack.exchanges() {
        let body = exchange.response_body.clone().unwrap_or_default();
        assert_ne!(body["ok"], false, "{exchange:#?}");
    }
}

async fn a_chat_that_is_away_delays_nothing_but_its_messages(setting: Setting) {
    let world = world(setting, &[]).await;
    let trouble = (0..100).map(|_| discord::Trouble::status(503));
    world.talk().discord.expect_trouble(trouble);
    let (pull_request, sha) = world.ready("one").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.finish("success").await;
    assert_eq!(world.deployments(), [sha]);
    assert!(world.talk().discord.messages(CHANNEL).is_empty());
    expect(&world.notice_on_slack(), "Live");
    // It is back: only how it ended is posted.
    world.talk().discord.forget_trouble();
    world.pass(3_600).await;
    let messages = world.talk().discord.messages(CHANNEL);
    assert_eq!(messages.len(), 1, "{messages:#?}");
    assert!(messages[0].earlier.is_empty());
    expect(&world.notice_on_discord(), "Live");
}

async fn old_buttons_explain_themselves(setting: Setting) {
    let world = world(setting, &[]).await;
    world.ready("one").await;
    let discord = &world.talk().discord;
    let old = discord.messages(CHANNEL).pop().unwrap();
    let button = old.buttons().find(|one| one["label"] == "Deploy").unwrap();
    let id = button["custom_id"].as_str().unwrap().to_owned();
    world.slack("ann", "/deploy prod").await;
    assert_eq!(world.deployments().len(), 1);
    let now = discord.messages(CHANNEL).pop().unwrap();
    assert_eq!(now.buttons().count(), 0, "what was decided has no buttons");
    let seen = discord.click_raw(on_discord("ann"), old.id, &id).await;
    let answer = seen.message().unwrap().id;
    world.settle().await;
    expect(&discord.message(answer).unwrap().content, "#1 is under way");
    assert_eq!(world.deployments().len(), 1);
}

async fn what_should_not_wait_is_announced(setting: Setting) {
    let world = world(setting, &[]).await;
    let (_, sha) = world.merge("one").await;
    world.build(&sha, "failure").await;
    world.settle().await;
    expect(&world.notice_on_discord(), "build failed");
    expect(&world.notice_on_slack(), "build failed");
    let deployment = world.deploy(&sha, "production").await;
    world.deployment_status(deployment, "success").await;
    world.settle().await;
    // It may be explained yet.
    world.pass(3_600).await;
    expect(&world.notice_on_discord(), "released without an approval");
    expect(&world.notice_on_slack(), "released without an approval");
}

// In these the forge has no part.

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_completed() {
    let world = world(Engine::Sqlite, &[]).await;
    let (_, sha) = world.ready("Sell more").await;
    let discord = &world.talk().discord;
    let ann = on_discord("ann");
    let typed = async |options: &[(&str, serde_json::Value)]| {
        let seen = discord.autocomplete(ann, CHANNEL, "deploy", options).await;
        let Seen::Choices(choices) = seen else {
            panic!("{seen:?}");
        };
        choices
    };
    let environments = typed(&[("environment", json!("pr"))]).await;
    assert_eq!(environments, [json!({ "name": "prod", "value": "prod" })]);
    let prod = ("environment", json!("prod"));
    let targets = typed(&[prod.clone(), ("target", json!("sell"))]).await;
    assert_eq!(targets[0]["value"], sha.as_str());
    assert_eq!(
        typed(&[prod, ("target", json!("nothing like it"))])
            .await
            .len(),
        0
    );
    assert_eq!(GUILD, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_can_be_for_some_environments_only() {
    let told = "branch = \"main\"\nnotify = [{ channel = \"discord:900\", environments = [\"canary\"] }, \"slack:C0DEPLOYS\"]\n";
    let canary = "\n[[service.environment]]\nname = \"canary\"\napprovals = { deployer = 1 }\nexclude = []\ntrigger = { github = \"deployment\", environment = \"canary\" }\n";
    let services = plain_with(&[("branch = \"main\"\n", told)]) + canary;
    let world = World::talking(Engine::Sqlite, &services).await;
    world.link("ann").await;
    let (_, sha) = world.ready("one").await;
    // Its notices are about that environment, and its commands can be about no other.
    expect(&world.notice_on_discord(), "canary");
    assert_eq!(world.talk().discord.messages(CHANNEL).len(), 1);
    assert_eq!(world.posted_on_slack().len(), 2);
    expect(
        &world.discord("ann", "/deploy prod").await,
        "this channel is not for shop",
    );
    assert!(world.deployments().is_empty());
    expect(&world.discord("ann", "/deploy canary").await, &sha);
    expect(&world.slack("ann", "/deploy prod").await, &sha);
    assert_eq!(world.deployments().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_is_heard_through_a_socket() {
    let world = world(Engine::Sqlite, &[]).await;
    let (_, sha) = world.ready("one").await;
    let slack = &world.talk().slack;
    slack.socket_mode(true);
    let (door, committer) = Door::open(world.store.clone(), world.shared.received.clone(), 64);
    tokio::spawn(committer.run());
    let listening = Listening {
        shared: world.shared.clone(),
        door,
        chats: world.talk().clients.clone(),
    };
    let stop = CancellationToken::new();
    let listens = tokio::spawn(listening.run(stop.clone()));
    eventually("the socket is open", async || {
        (slack.sockets() == 1).then_some(())
    })
    .await;
    let answer = world.slack("ann", "/deploy prod").await;
    expect(&answer, &sha);
    // Slack ends the connection now and then; what is said meanwhile is not lost.
    slack.disconnect("refresh_requested");
    eventually("the socket is open again", async || {
        (slack.sockets() == 1).then_some(())
    })
    .await;
    world.finish("failure").await;
    let retried = world.press_on_slack("ann", "Retry").await;
    expect(&retried, &sha);
    assert_eq!(slack.unacknowledged(), 0);
    assert_eq!(world.deployments().len(), 2);
    stop.cancel();
    listens.await.unwrap();
}

async fn a_link_ends_on_either_side(setting: Setting) {
    let world = world(setting, &[]).await;
    world.ready("one").await;
    expect(
        &world.discord("ann", "/unlink").await,
        "no longer `ann` here",
    );
    expect(&world.discord("ann", "/deploy prod").await, "not linked");
    let gone = world.say("ann", 3, "/unlink").await;
    gone.expect("One account in a chat is no longer");
    expect(&world.slack("ann", "/deploy prod").await, "not linked");
    assert_eq!(world.recorded("identity.linked").await, 6);
    assert_eq!(world.recorded("identity.unlinked").await, 2);
}
