//! Commands are new words of people, and nothing else is one; each gets its answer, and says all that there is to say.

use countersign::domain::Forge;
use countersign_sandbox::github::{NewCommit, Trouble};
use serde_json::{Value, json};

use crate::support::around::About;
use crate::support::world::{SHOP, Said, TWO, plain_with};
use crate::support::{Engine, Setting, World, eventually, on_both, on_both_forges};

on_both_forges!(
    misspelt_words_are_answered_and_foreign_ones_are_not,
    a_dry_run_and_why_show_what_a_refusal_shows,
    questions_are_answered_to_anybody,
    every_answer_about_a_release_names_the_whole_commit,
    every_way_to_release_meets_the_same_refusals,
    a_replay_has_no_second_effect,
    a_command_is_acknowledged_before_anything_is_asked,
    an_edited_comment_is_no_command,
    later_edits_of_a_yes_are_remembered,
    a_replayed_past_changes_nothing,
    each_command_of_a_comment_is_answered_once,
    a_refusal_says_everything_at_once,
    hostile_words_stay_harmless,
    a_repository_under_a_former_name_is_refused,
);

// On GitHub only: what shows who speaks are fields of its own. Those of GitLab are tried one by one in
// `src/forges/gitlab/interpret/talk.rs::only_a_new_note_by_its_sender_counts`.
on_both!(only_people_who_speak_for_themselves_are_heard);

async fn an_edited_comment_is_no_command(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "Looks good").await;
    world
        .edit_comment("ann", said.comment, "/deploy prod")
        .await;
    assert_silent(&world.said(said.comment));
    let said = world.say("bob", pull_request, "/help deploy").await;
    world
        .edit_comment("ann", said.comment, "/deploy prod")
        .await;
    world.said(said.comment).expect("/deploy");
    assert_eq!(world.recorded("requested").await, 0);
    assert_eq!(world.recorded("comment.changed").await, 0);
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn later_edits_of_a_yes_are_remembered(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    let yes = world.say("dora", pull_request, "/approve").await;
    assert_eq!(world.deployments(), [sha.as_str()]);
    world
        .edit_comment("ann", asked.comment, "I never said that")
        .await;
    assert_eq!(world.recorded("comment.changed").await, 1);
    match world.forge {
        Forge::GitHub => {
            let github = &world.github;
            github.delete_comment("dora", SHOP, yes.comment).await;
        }
        // GitLab sends no webhook when a note is deleted.
        Forge::GitLab => {
            world
                .edit_comment("dora", yes.comment, "Nor did I say that")
                .await;
        }
    }
    world.settle().await;
    assert_eq!(world.recorded("comment.changed").await, 2);
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn only_people_who_speak_for_themselves_are_heard(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    for bot in ["github-actions[bot]", "countersign[bot]"] {
        assert_silent(&world.say(bot, pull_request, "/deploy prod").await);
    }
    let said = world.say("bob", pull_request, "Looks good").await;
    let body = comment_event(&world, said.comment);
    let mut number = 900;
    let mut deliver = async |change: fn(&mut Value)| {
        number += 1;
        let mut body = body.clone();
        body["comment"]["id"] = number.into();
        body["comment"]["body"] = "/deploy prod".into();
        let ann = json!({ "id": 5, "login": "ann", "type": "User" });
        body["comment"]["user"] = ann.clone();
        body["sender"] = ann;
        change(&mut body);
        let id = format!("by-hand-{number}");
        assert_eq!(world.deliver("issue_comment", &id, &body).await, 202);
        world.said(number)
    };
    // Signed, and still not ann's own new words.
    let bob = |it: &mut Value| it["sender"] = json!({ "id": 6, "login": "bob", "type": "User" });
    let app = |it: &mut Value| it["comment"]["performed_via_github_app"] = json!({ "id": 8 });
    let bot = |it: &mut Value| it["comment"]["user"]["type"] = "Bot".into();
    let nobody = |it: &mut Value| it["comment"]["user"] = Value::Null;
    let edited = |it: &mut Value| it["action"] = "edited".into();
    let issue = |it: &mut Value| it["issue"]["pull_request"] = Value::Null;
    for change in [bob, app, bot, nobody, edited, issue] {
        assert_silent(&deliver(change).await);
    }
    assert_eq!(world.recorded("command.received").await, 0);
    assert!(world.deployments().is_empty());
    // So they would have been heard.
    deliver(|_| ()).await;
    assert_eq!(world.deployments().len(), 1);
}

async fn a_replay_has_no_second_effect(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.finish("failure").await;
    let ledger = world.ledger().await.len();
    let changes = world.changes();
    let body = comment_event(&world, said.comment);
    for (number, event) in kinds_of_events(world.forge).iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let status = world.deliver(event, &id, &body).await;
        assert_eq!(status, 202, "{event}");
    }
    assert_eq!(world.deployments(), [sha]);
    assert_eq!(world.changes(), changes);
    assert_eq!(world.ledger().await.len(), ledger);
    // A week and a day later the same words are a wish no more.
    let mut old = body.clone();
    let (event, comment) = match world.forge {
        Forge::GitHub => ("issue_comment", "comment"),
        Forge::GitLab => ("Note Hook", "object_attributes"),
    };
    old[comment]["id"] = 77.into();
    world.pass(8 * 24 * 3_600 + 60).await;
    world.deliver(event, "late", &old).await;
    assert_silent(&world.said(77));
}

async fn a_replayed_past_changes_nothing(setting: Setting) {
    let two = "exclude = []\nallow = [\"open-heads\"]";
    let world = World::start(setting, &plain_with(&[TWO, ("exclude = []", two)])).await;
    let (first, sha) = world.merge("first").await;
    world.build(&sha, "success").await;
    world.build(&sha, "failure").await;
    world.make_ready(&sha).await;
    world.say("ann", first, "/deploy prod").await;
    world.say("dora", first, "/approve").await.expect("2 of 2");
    world.finish("in_progress").await;
    world.finish("success").await;
    world.say("ann", first, "/lock prod --reason audit").await;
    world.say("ann", first, "/unlock prod").await;
    let before = world.head("main").unwrap();
    let oops = vec![NewCommit::by("bob", "oops")];
    world.push_to("main", oops).await;
    world.force_push("main", &before).await;
    let by_hand = world.deploy(&sha, "production").await;
    world.deployment_status(by_hand, "success").await;

    let open = world.open("second").await;
    let more = vec![NewCommit::by("bob", "more")];
    let head = world.push_to("work-second", more).await;
    world.make_ready(&head).await;
    let (_, merged) = world.ready("third").await;
    world.status(&sha, "lint", "failure").await;
    world.settle().await;
    let waits = world.say("ann", open, "/deploy prod").await;
    let command = format!("/deploy prod {merged}");
    let waits_too = world.say("ann", 3, &command).await;
    let (ledger, changes) = (world.ledger().await, world.changes());
    for (number, (event, body)) in world.told().iter().rev().enumerate() {
        let id = format!("again-{number}");
        assert_eq!(world.deliver(event, &id, body).await, 202);
    }
    assert_eq!(world.ledger().await, ledger);
    assert_eq!(world.changes(), changes);
    for said in [waits, waits_too] {
        world
            .said(said.comment)
            .expect("Waiting for approval, 1 of 2");
    }
    world.is_as_described();
}

async fn misspelt_words_are_answered_and_foreign_ones_are_not(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deplyo prod").await;
    said.expect("did you mean `/deploy`?");
    let said = world.say("ann", pull_request, "/deploy pord").await;
    said.expect("there is no environment `pord`");
    said.expect("`prod`");
    for wrong in [
        "/deploy",
        "/deploy prod --wat",
        "/approve one",
        "/lock prod --for ever",
    ] {
        let said = world.say("ann", pull_request, wrong).await;
        said.expect("Say it like this: `/");
        let mut reactions = said.reactions;
        reactions.sort();
        assert_eq!(reactions, ["confused", "eyes"], "{wrong}");
    }
    for foreign in [
        "/lgtm",
        "/rebase main",
        "@dependabot rebase",
        "> /deploy prod",
        "```\n/deploy prod\n```",
        "    /deploy prod",
        "<!--\n/deploy prod\n-->",
        "please /deploy prod",
        "/usr/bin/deploy prod",
        "",
    ] {
        assert_silent(&world.say("ann", pull_request, foreign).await);
    }
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn each_command_of_a_comment_is_answered_once(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.repeat_each(3);
    let text =
        "/status\nThen this:\n/deploy prod\n/deploy prod\n/nonsense\n/deplyo prod\n/who prod";
    let said = world.say("ann", pull_request, text).await;
    assert_eq!(said.answers.len(), 5, "{said:#?}");
    for expect in [
        "**shop**",
        "**Release #1**",
        "#1 releases",
        "did you mean `/deploy`?",
        "each by another person",
    ] {
        let answers = said.answers.iter();
        let fitting = answers.filter(|answer| answer.contains(expect));
        assert_eq!(fitting.count(), 1, "{expect}: {said:#?}");
    }
    let eyes = said.reactions.iter().filter(|one| *one == "eyes").count();
    assert_eq!(eyes, 1);
    assert_eq!(world.deployments(), [sha]);

    let said = world.say("bob", pull_request, &"/help\n".repeat(20)).await;
    assert_eq!(said.answers.len(), 6);
    world.is_as_described();
}

async fn a_dry_run_and_why_show_what_a_refusal_shows(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.merge("feature").await;
    world.build(&sha, "failure").await;
    let dry = world
        .say("bob", pull_request, "/deploy prod --dry-run")
        .await;
    dry.expect("it would be refused");
    let refusal = world.say("bob", pull_request, "/deploy prod").await;
    let why = world.say("bob", pull_request, "/why prod").await;
    assert_eq!(dry.reasons(), refusal.reasons());
    assert_eq!(refusal.reasons()[1..], why.reasons());
    assert!(refusal.reasons()[0].contains("`bob` has none of the roles"));
    assert_eq!(dry.reactions, ["eyes"]);

    world.make_ready(&sha).await;
    let dry = world
        .say("ann", pull_request, "/deploy prod --dry-run")
        .await;
    dry.expect("it would be accepted");
    for said in [&dry, &why] {
        said.expect(&sha);
    }
    for action in ["requested", "approved", "triggered"] {
        assert_eq!(world.recorded(action).await, 0, "{action}");
    }
    assert!(world.deployments().is_empty());
    // While it waits, `/why` shows the approvals that count.
    world.reconfigure(&plain_with(&[TWO])).await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("1 of 2");
    let why = world.say("bob", pull_request, "/why prod").await;
    why.expect("asked for by #1");
    why.expect("1 of 2 approvals");
    why.expect("`ann` approved (named in role deployer as ann)");
    why.expect("missing: 1 × `deployer` (`ann`, `dora`)");
    world.is_as_described();
}

async fn a_refusal_says_everything_at_once(setting: Setting) {
    let world = World::plain(setting).await;
    let (other, _) = world.live("first").await;
    let (waiting, _) = world.ready("second").await;
    world.say("ann", waiting, "/deploy prod").await;
    let pull_request = world.open("third").await;
    let head = world.head("work-third").unwrap();
    world.build(&head, "failure").await;
    world.make_draft(pull_request).await;
    world.say("ann", other, "/lock prod --reason audit").await;
    let said = world.say("bob", pull_request, "/deploy prod").await;
    for expect in [
        head.as_str(),
        "❌ `bob` has none of the roles that approve here. Ask one of these: `deployer` (`ann`, `dora`).",
        "❌ **prod** is locked by `ann`",
        "`/unlock prod` opens it.",
        "is not merged, and the policy wants commits of `main`. Merge it first.",
        "is a draft. Mark it as ready for review.",
        "❌ `status:lint`: no report yet",
        "❌ stage **staging** has not passed yet",
        "#2 releases",
        "⏳ missing: 1 × `deployer` (`ann`, `dora`)",
    ] {
        said.expect(expect);
    }
    // What was built on another branch says nothing about the release branch.
    said.expect("❌ stage **build** has not passed yet");
    said.expect("❌ `check:build`: what was reported does not count: it is not of main");
    world.is_as_described();
}

async fn questions_are_answered_to_anybody(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.live("feature").await;
    for (command, expect) in [
        ("/status", format!("- **prod**: {sha} since")),
        ("/status prod", "✅ build, ✅ staging".to_owned()),
        (
            "/why prod",
            "the commit is live in **prod** already".to_owned(),
        ),
        ("/who prod", "- 1 × `deployer` (`ann`, `dora`)".to_owned()),
        ("/help", "/rollback".to_owned()),
        ("/help lock", "--reason".to_owned()),
        ("/link", "a code is missing".to_owned()),
        (
            "/unlink",
            "no account of a chat is linked with yours".to_owned(),
        ),
        (
            "/deploy prod --at 14:30",
            "not available in this version yet".to_owned(),
        ),
    ] {
        let said = world.say("bob", pull_request, command).await;
        said.expect(&expect);
        assert!(said.reactions.contains(&"eyes".to_owned()), "{command}");
    }
    assert_eq!(world.deployments().len(), 1);
    world.is_as_described();
}

async fn every_answer_about_a_release_names_the_whole_commit(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    for (person, command) in [
        ("bob", "/deploy prod"),
        ("ann", "/deploy prod --dry-run"),
        ("bob", "/why prod"),
        ("ann", "/deploy prod"),
        ("ann", "/deploy prod"),
        ("ann", "/approve"),
        ("bob", "/approve"),
        ("bob", "/cancel"),
        ("dora", "/reject"),
        ("dora", "/approve #1"),
        ("ann", "/retry #1"),
        ("ann", "/cancel"),
        ("ann", "/retry #2"),
        ("dora", "/approve"),
        ("dora", "/cancel #3"),
        ("dora", "/retry #3"),
    ] {
        let said = world.say(person, pull_request, command).await;
        assert!(
            said.answer().contains(&sha),
            "{person} {command}: {said:#?}"
        );
    }
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn hostile_words_stay_harmless(setting: Setting) {
    const EVIL: &str = "@everyone `x` [free](https://evil.example) <img src=evil> # big";
    let services = plain_with(&[TWO, ("\"status:lint\"", "\"status:*\"")]);
    let world = World::start(setting, &services).await;
    let sha = world
        .push_to("main", vec![NewCommit::by("bob", EVIL)])
        .await;
    world.make_ready(&sha).await;
    let branch = "[free](https://evil.example)@everyone`x`";
    let main = world.head("main").unwrap();
    world.set_branch(branch, &main);
    let commit = vec![NewCommit::by("bob", EVIL)];
    world.push_to("evil", commit).await;
    let number = world.open_pull_request_to("evil", branch).await;
    world.status(&sha, EVIL, "failure").await;
    world.settle().await;
    world
        .say("ann", 3, &format!("/lock prod --reason '{EVIL}'"))
        .await
        .expect("**Locked**");
    for command in [
        "/status".to_owned(),
        "/why prod".to_owned(),
        "/deploy prod".to_owned(),
        format!("/deploy prod {sha}"),
        "/unlock prod".to_owned(),
        "/deploy @everyone".to_owned(),
        "/deploy prod @everyone".to_owned(),
        "/deplyo @everyone [free](https://evil.example)".to_owned(),
        "/deploy prod --@everyone".to_owned(),
        "/help @everyone".to_owned(),
        "/who prod --service '[free](https://evil.example)'".to_owned(),
        "/approve @everyone".to_owned(),
    ] {
        world.say("ann", number, &command).await;
    }
    world.status(&sha, EVIL, "success").await;
    world.settle().await;
    let command = format!("/deploy prod {sha} --reason '{EVIL}'");
    world.say("ann", 3, &command).await.expect("1 of 2");
    world.say("bob", 3, "/status").await.expect("everyone");
    world
        .say("dora", 3, &format!("/reject #1 --reason '{EVIL}'"))
        .await
        .expect("**Rejected**");
    // Ours have a mark, which readers do not see.
    let mut written = world.written();
    written.retain(|body| body.contains("/comment/"));
    assert!(written.len() >= 16);
    for body in written {
        let shown = outside_of_code(&body);
        for evil in ["@", "evil", "everyone", "<img", "# big"] {
            assert!(!shown.contains(evil), "{evil:?} in {shown}");
        }
    }
    world.is_as_described();
}

/// What Markdown does not show as code.
fn outside_of_code(text: &str) -> String {
    let lines = text.lines().map(|line| {
        assert_eq!(line.matches('`').count() % 2, 0, "an open end: {line}");
        line.split('`').step_by(2).collect::<Vec<_>>().join("`")
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn a_repository_under_a_former_name_is_refused(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.rename_repository("acme/store", 901).await;
    world.make_owner("ann");
    let evil = NewCommit::by("bob", "evil");
    let forged = world.push_to("evil", vec![evil]).await;
    let impostor = world.open_pull_request("evil").await;
    world.merge_it(impostor).await;
    world.make_ready(&forged).await;
    assert_eq!(world.recorded("name.changed_hands").await, 1);
    let said = world.say("ann", impostor, "/deploy prod").await;
    said.expect("`acme/shop` is repository 901 now, and was 9 when it was first seen");
    assert_eq!(world.recorded("refused").await, 1);
    assert!(world.deployments().is_empty());

    // Where the service lives now, all is as before.
    let comment = world.comment_at("acme/store", ("ann", pull_request)).await;
    world.said(comment).expect("Started");
    assert_eq!(world.deployments(), [sha]);
}

async fn every_way_to_release_meets_the_same_refusals(setting: Setting) {
    let world = World::plain(setting).await;
    // GitLab's own switch, which is on at first, lets no older pipeline deploy for the first time.
    world.gitlab.set_forward_only(SHOP, false);
    // Never released, and older than what is live.
    let (_, never) = world.ready("zero").await;
    world.live("one").await;
    let (_, failed) = world.ready("two").await;
    world
        .say("ann", 3, &format!("/deploy prod {failed}"))
        .await
        .expect("Started");
    world.finish("failure").await;
    let (_, newest) = world.ready("three").await;
    let ways = [
        format!("/deploy prod {newest}"),
        format!("/rollback prod {never}"),
        "/retry #2".to_owned(),
    ];
    let refuse_all = async |person: &str, expect: &str| {
        for way in &ways {
            let said = world.say(person, 3, way).await;
            said.expect("**Refused**");
            said.expect(expect);
            let dry = world.say(person, 3, &format!("{way} --dry-run")).await;
            dry.expect("it would be refused");
            assert_eq!(dry.reasons(), said.reasons());
        }
    };
    refuse_all("bob", "`bob` has none of the roles that approve here").await;
    world.say("dora", 3, "/lock prod --reason audit").await;
    refuse_all("ann", "**prod** is locked by `dora`").await;
    world.say("dora", 3, "/unlock prod").await;
    for sha in [&never, &failed, &newest] {
        world.build(sha, "failure").await;
    }
    world.settle().await;
    refuse_all("ann", "stage **build** failed").await;
    for sha in [&never, &failed, &newest] {
        world.build(sha, "success").await;
    }
    let frozen = plain_with(&[("exclude = []", "exclude = []\nfreeze = \"audit\"")]);
    world.reconfigure(&frozen).await;
    refuse_all("ann", "**prod** is frozen").await;
    world.reconfigure(&plain_with(&[])).await;
    assert_eq!(world.deployments().len(), 2);

    // With nothing in the way each of them goes.
    for (number, way) in ways.iter().rev().enumerate() {
        world.say("ann", 3, way).await.expect("Started");
        assert_eq!(world.deployments().len(), number + 3);
        world.finish("success").await;
    }
    world.is_as_described();
}

fn assert_silent(said: &Said) {
    assert!(
        said.answers.is_empty() && said.reactions.is_empty(),
        "{said:#?}"
    );
}

/// What the forge sent about a comment when it was new.
fn comment_event(world: &World, comment: u64) -> Value {
    let (kind, field) = match world.forge {
        Forge::GitHub => ("issue_comment", "comment"),
        Forge::GitLab => ("Note Hook", "object_attributes"),
    };
    let mut told = world.told().into_iter();
    let found = told.find(|(event, body)| event == kind && body[field]["id"] == comment);
    found.unwrap().1
}

/// What a forge calls what it tells; the first one is about comments, and stands there twice.
fn kinds_of_events(forge: Forge) -> &'static [&'static str] {
    match forge {
        Forge::GitHub => &[
            "issue_comment",
            "issue_comment",
            "issues",
            "pull_request_review_comment",
            "pull_request_review",
            "commit_comment",
            "pull_request",
            "push",
            "status",
            "check_run",
            "workflow_run",
            "deployment",
            "deployment_status",
            "deployment_protection_rule",
            "repository",
            "installation",
            "workflow_dispatch",
        ],
        Forge::GitLab => &[
            "Note Hook",
            "Note Hook",
            "Confidential Note Hook",
            "Issue Hook",
            "Merge Request Hook",
            "Push Hook",
            "Tag Push Hook",
            "Job Hook",
            "Pipeline Hook",
            "Deployment Hook",
            "Release Hook",
            "Emoji Hook",
            "System Hook",
        ],
    }
}

async fn a_command_is_acknowledged_before_anything_is_asked(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.expect_trouble_asking(About::PullRequest, Trouble::SilenceBefore);
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    eventually("the eyes are there", async || {
        (world.said(comment).reactions == ["eyes"]).then_some(())
    })
    .await;
    // The forge has not said yet what the pull request is, so nothing can be decided.
    assert!(world.said(comment).answers.is_empty());
    world.settle().await;
    world.said(comment).expect("Started");
}
