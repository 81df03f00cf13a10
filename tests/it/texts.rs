//! Texts that people read while a commit travels: every state of a notice and of the comment that asked, the
//! threads below, what the forge's own pages show, and the answers to questions. Each page is pinned whole.

use countersign::domain::Forge;
use countersign_sandbox::discord::CHANNEL;
use countersign_sandbox::github::{NewCommit, Trouble};
use countersign_sandbox::slack;

use crate::support::pinned::{Page, Pages, SURFACES, on_discord, on_slack};
use crate::support::service::{self, Wishes};
use crate::support::talk::{self, Surface, TOLD};
use crate::support::world::{TWO, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_release_is_told_from_ready_to_live,
    what_ends_otherwise_is_told,
    what_goes_wrong_is_told,
    questions_are_answered,
    every_command_explains_itself,
    strangers_and_links_are_spoken_to,
);

const COMMANDS: [&str; 16] = [
    "deploy", "approve", "reject", "cancel", "rollback", "retry", "lock", "unlock", "status",
    "why", "who", "audit", "link", "unlink", "help", "dance",
];

async fn world(setting: Setting, changes: &[(&str, &str)]) -> World {
    let world = World::talking(setting, &plain_with(&[&[TOLD], changes].concat())).await;
    for person in ["ann", "bob", "dora"] {
        world.link(person).await;
    }
    world
}

/// What all people see of a commit and of the comment that asked for it.
struct Wall {
    comment: Page,
    discord: Page,
    slack: Page,
    forge: Page,
}

impl Wall {
    fn of(world: &World, story: &str) -> Self {
        let page = |part: &str| Page::new(format!("{story}-{}-{part}", world.forge.prefix()));
        Self {
            comment: page("comment"),
            discord: page("discord"),
            slack: page("slack"),
            forge: page("status"),
        }
    }

    /// Looks at everything that is shown now.
    fn look(&mut self, world: &World, when: &str, asked: Option<u64>) {
        if let Some(comment) = asked {
            let said = world.said(comment);
            let text = said.answers.join("\n\n");
            let reactions = said.reactions.join(", ");
            self.comment
                .add(when, &format!("{text}\n\nreactions: {reactions}"));
        }
        self.discord.add(when, &discord_now(world));
        self.slack.add(when, &slack_now(world));
    }

    /// What the commit shows on the forge's own page; GitLab's shows nothing of ours.
    fn shows(&mut self, world: &World, when: &str, sha: &str) {
        if let Some((state, text)) = world.shown(sha, "countersign/prod") {
            self.forge.add(when, &format!("{state}: {text}"));
        }
    }

    fn pin(self, world: &World) {
        for page in [self.comment, self.discord, self.slack] {
            page.pin();
        }
        if world.forge == Forge::GitHub {
            self.forge.pin();
        }
    }
}

/// The newest message of Discord's channel with its thread.
fn discord_now(world: &World) -> String {
    let discord = &world.talk().discord;
    let Some(message) = discord.messages(CHANNEL).pop() else {
        return "(nothing)".to_owned();
    };
    let label = |button: &serde_json::Value| format!("( {} )", button["label"].as_str().unwrap());
    let buttons: Vec<String> = message.buttons().map(label).collect();
    let mut text = on_discord(&message.content, &message.embeds, &buttons);
    for thread in discord.threads(CHANNEL) {
        // A thread has the number of the message that it hangs below.
        if thread.id == message.id {
            text.push_str(&format!("\n\nthread {:?}", thread.name));
            for remark in discord.messages(thread.id) {
                text.push_str(&format!(
                    "\n{}",
                    on_discord(&remark.content, &remark.embeds, &[])
                ));
            }
        }
    }
    text
}

/// The newest message of Slack's channel with its thread.
fn slack_now(world: &World) -> String {
    let Some(message) = world.posted_on_slack().pop() else {
        return "(nothing)".to_owned();
    };
    let mut text = on_slack(&message);
    let replies = world.talk().slack.replies(slack::CHANNEL, &message.ts);
    if !replies.is_empty() {
        text.push_str("\n\nthread");
    }
    for reply in replies {
        text.push_str(&format!("\n{}", on_slack(&reply)));
    }
    text
}

async fn a_release_is_told_from_ready_to_live(setting: Setting) {
    let world = world(setting, &[TWO]).await;
    let mut wall = Wall::of(&world, "told-to-live");
    let (first, _) = world.ready("Open the shop").await;
    world.say("ann", first, "/deploy prod").await;
    world.say("dora", first, "/approve").await;
    world.finish("success").await;
    let mark = world.forge.mark_of_pull_request();
    let (pull_request, sha) = world.ready(&format!("Sell more ({mark}12)")).await;
    wall.look(&world, "ready", None);
    let asked = world
        .say(
            "ann",
            pull_request,
            "/deploy prod --reason \"Black Friday\"",
        )
        .await;
    let asked = Some(asked.comment);
    wall.look(&world, "asked for, one of two approvals", asked);
    wall.shows(&world, "asked for, one of two approvals", &sha);
    let yes = world.say("dora", pull_request, "/approve").await;
    wall.comment
        .add("what dora reads when she approves", yes.answer());
    wall.look(&world, "approved and started", asked);
    wall.shows(&world, "approved and started", &sha);
    world.finish("in_progress").await;
    wall.look(&world, "running", asked);
    world.pass(222).await;
    world.finish("success").await;
    wall.look(&world, "live", asked);
    wall.shows(&world, "live", &sha);
    // What was live before comes back.
    let back = world
        .say(
            "ann",
            pull_request,
            "/rollback prod --reason \"too many sales\"",
        )
        .await;
    wall.look(&world, "a rollback waits", Some(back.comment));
    world.say("dora", pull_request, "/approve").await;
    wall.look(&world, "a rollback is started", Some(back.comment));
    world.finish("success").await;
    wall.look(&world, "a rollback is live", Some(back.comment));
    wall.pin(&world);
}

async fn what_ends_otherwise_is_told(setting: Setting) {
    let short = ("exclude = []", "exclude = []\nexpires = \"30m\"");
    let world = world(setting, &[TWO, short]).await;
    let mut wall = Wall::of(&world, "told-otherwise");
    let (number, sha) = world.ready("one").await;
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    world.press_on_discord("dora", "Reject").await;
    wall.look(&world, "rejected with a reason", Some(asked));
    wall.shows(&world, "rejected", &sha);
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    let said = world
        .say("ann", number, "/cancel --reason \"lunch first\"")
        .await;
    wall.comment
        .add("what ann reads when she cancels", said.answer());
    wall.look(&world, "cancelled", Some(asked));
    wall.shows(&world, "cancelled", &sha);
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    world.pass(31 * 60).await;
    wall.look(&world, "expired", Some(asked));
    wall.shows(&world, "expired", &sha);
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    let (other, newer) = world.merge("two").await;
    world.make_ready(&newer).await;
    wall.look(&world, "a newer one is ready", Some(asked));
    wall.shows(&world, "a newer one is ready", &sha);
    world.press_on_slack("dora", "Reject").await;
    wall.look(&world, "rejected before it was asked for", None);
    let asked = world.say("ann", other, "/deploy prod").await.comment;
    world.reconfigure(&plain_with(&[TOLD, short])).await;
    let said = world.say("dora", other, "/approve").await;
    wall.comment
        .add("what dora reads when the policy has changed", said.answer());
    wall.look(&world, "void after the policy changed", Some(asked));
    wall.shows(&world, "void after the policy changed", &newer);
    wall.pin(&world);
}

async fn what_goes_wrong_is_told(setting: Setting) {
    let world = world(setting, &[]).await;
    let mut wall = Wall::of(&world, "told-wrong");
    let (number, sha) = world.ready("one").await;
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    world.finish("failure").await;
    wall.look(&world, "failed", Some(asked));
    wall.shows(&world, "failed", &sha);
    let again = world.say("dora", number, "/retry #1").await.comment;
    wall.look(&world, "tried again", Some(again));
    world.finish("success").await;
    let (_, sha) = world.ready("two").await;
    world.build(&sha, "failure").await;
    world.settle().await;
    wall.look(&world, "a gate of a ready commit went red", None);
    let (number, sha) = world.ready("three").await;
    world.ready("four").await;
    wall.look(&world, "ready", None);
    world.hold_start(45);
    let asked = world
        .say("ann", number, &format!("/deploy prod {sha}"))
        .await
        .comment;
    wall.look(&world, "the forge lets it wait", Some(asked));
    world.pass(46).await;
    world.finish("success").await;
    world.expect_trouble_at_start(Trouble::Reset);
    let (number, sha) = world.ready("five").await;
    let asked = world.say("ann", number, "/deploy prod").await.comment;
    wall.look(&world, "the answer was lost", Some(asked));
    wall.shows(&world, "the answer was lost", &sha);
    wall.pin(&world);
}

async fn questions_are_answered(setting: Setting) {
    let auditor = (
        "[roles.qa]",
        "[roles.auditor]\n__users = [\"dora\"]\n[roles.qa]",
    );
    let users = match setting.forge {
        Forge::GitHub => "github_users",
        Forge::GitLab => "gitlab_users",
    };
    let auditor = (auditor.0, &*auditor.1.replace("__users", users));
    let soak = (
        r#"gates = ["deployment:staging"]"#,
        "gates = [\"deployment:staging\"]\nsoak = \"10m\"",
    );
    let exclude = ("exclude = []", "exclude = [\"author\", \"requester\"]");
    let world = world(setting, &[TWO, auditor, soak]).await;
    let mut pages = Pages::of(&world, "questions");
    for line in ["/status", "/why prod", "/who prod", "/audit"] {
        pages.ask(&world, "dora", (3, line)).await;
    }
    let (number, sha) = world.merge("Sell more").await;
    world.build(&sha, "success").await;
    world.status(&sha, "lint", "failure").await;
    world.settle().await;
    for line in ["/status", "/status prod", &format!("/why prod {sha}")] {
        pages.ask(&world, "bob", (number, line)).await;
    }
    world.make_ready(&sha).await;
    pages
        .ask(&world, "bob", (number, &format!("/why prod {sha}")))
        .await;
    world.pass(601).await;
    pages.ask(&world, "bob", (number, "/why prod")).await;
    world.say("ann", number, "/deploy prod").await;
    world
        .say(
            "dora",
            number,
            "/lock prod --for 2h --reason \"stock taking\"",
        )
        .await;
    let questions = [
        "/status prod".to_owned(),
        format!("/why prod {sha}"),
        format!("/deploy prod {sha} --dry-run"),
    ];
    for line in &questions {
        pages.ask(&world, "bob", (number, line)).await;
    }
    for line in [
        "/unlock prod",
        "/lock prod --reason \"again\"",
        "/unlock prod",
    ] {
        let said = world.say("dora", number, line).await;
        pages.add(Surface::Comment, &format!("dora: {line}"), said.answer());
    }
    world.say("dora", number, "/approve").await;
    world.finish("success").await;
    for line in ["/status prod", "/audit", "/audit action=approved who=dora"] {
        pages.ask(&world, "dora", (number, line)).await;
    }
    world
        .reconfigure(&plain_with(&[TOLD, TWO, auditor, exclude]))
        .await;
    for line in [
        "/who prod",
        "/audit since=yesterday-ish",
        "/audit who=nobody",
    ] {
        pages.ask(&world, "dora", (number, line)).await;
    }
    pages.pin();
}

async fn every_command_explains_itself(setting: Setting) {
    let world = world(setting, &[]).await;
    let mut pages = Pages::of(&world, "help");
    pages.ask(&world, "bob", (3, "/help")).await;
    for command in COMMANDS {
        let line = format!("/help {command}");
        let on_discord = command != "dance";
        for surface in SURFACES {
            // Discord offers the commands that there are, and no other can be chosen.
            if surface != Surface::Discord || on_discord {
                let answer = world.ask_at(surface, "bob", (3, &line)).await;
                pages.add(surface, &line, &answer);
            }
        }
    }
    for line in [
        "/deploy",
        "/dploy prod",
        "/approve 4x",
        "/lock prod",
        "/deploy prod --resaon x",
    ] {
        let said = world.say("ann", 3, line).await;
        pages.add(Surface::Comment, line, &said.answers.join("\n"));
    }
    pages.pin();
}

/// What an operator reads of links, and of their end.
async fn people(world: &World) {
    world.link("bob").await;
    let config = service::write_config(&world.database, None, &Wishes::default());
    let mut page = Page::of_terminal(&format!("people-{}", world.forge.prefix()));
    let linked = format!("slack:{}/{}", slack::TEAM, talk::on_slack("bob"));
    for words in [
        &["list"][..],
        &["unlink", &linked, "--reason", "a new phone"],
        &["unlink", &linked],
        &["unlink", "bob"],
        &["list"],
    ] {
        let words = [&["people"], words].concat();
        let mut command = service::command(&config, &words);
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        page.ran(&words, &output);
    }
    page.pin();
}

async fn strangers_and_links_are_spoken_to(setting: Setting) {
    let world = World::talking(setting, &plain_with(&[TOLD])).await;
    let mut pages = Pages::of(&world, "links");
    world.ready("one").await;
    for surface in SURFACES {
        let answer = world.ask_at(surface, "quinn", (3, "/deploy prod")).await;
        pages.add(surface, "quinn, a stranger: /deploy prod", &answer);
    }
    for surface in [Surface::Discord, Surface::Slack] {
        let offered = world.ask_at(surface, "ann", (3, "/link")).await;
        let code = talk::code_in(&offered);
        let unsaid = |text: &str| text.replace(&code, "/link CODE");
        pages.add(surface, "ann: /link", &unsaid(&offered));
        let claimed = world.say("ann", 3, &code).await;
        pages.add(Surface::Comment, "ann, with the code", claimed.answer());
        let question = match surface {
            Surface::Discord => {
                let question = world
                    .talk()
                    .discord
                    .ephemeral_for(talk::on_discord("ann"))
                    .pop();
                question.unwrap().content
            }
            Surface::Slack | Surface::Comment => world.slack_answer("ann"),
        };
        pages.add(surface, "what ann is asked", &question);
        let again = world.say("ann", 3, &code).await;
        pages.add(Surface::Comment, "ann, with the code again", again.answer());
    }
    world.link("bob").await;
    for surface in SURFACES {
        let answer = world.ask_at(surface, "bob", (3, "/unlink")).await;
        pages.add(surface, "bob: /unlink", &answer);
    }
    let stranger = NewCommit {
        author: None,
        ..NewCommit::by("bob", "by nobody known")
    };
    world.push_to("main", vec![stranger]).await;
    pages.pin();
    people(&world).await;
}
