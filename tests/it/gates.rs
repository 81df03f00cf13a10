//! Gates: what counts is the newest word of the source that the policy names, whatever came first.

use countersign::domain::Forge;
use countersign_sandbox::github::{NewCommit, Order};
use countersign_sandbox::gitlab::JobPlan;

use crate::contract;
use crate::support::world::{SHOP, TWO, plain_with};
use crate::support::{Engine, Setting, World, on_both, on_both_forges};

on_both_forges!(
    what_is_missing_waits_and_what_is_red_heals,
    a_stage_soaks_before_it_has_passed,
    a_soak_counts_from_when_we_heard,
    late_red_stops_what_was_asked_for,
    the_order_of_arrival_means_nothing,
    our_own_statuses_fill_no_gate,
    two_services_share_a_repository,
);

// On GitHub only:
on_both!(
    // GitLab has no files of workflows, and what runs again there is another job, which is told among what is
    // red and heals.
    a_workflow_heals_with_its_next_attempt,
    // GitLab does not tell which app reports, so that no gate can name one.
    only_the_named_source_fills_a_gate,
);

const GATES: &str = r#"["check:build", "status:lint"]"#;

async fn what_is_missing_waits_and_what_is_red_heals(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.merge("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("`check:build`: no report yet");
    said.expect("`status:lint`: no report yet");
    said.expect("`deployment:staging`: no report yet");

    world.build(&sha, "failure").await;
    world.settle().await;
    assert_eq!(world.recorded("stage.failed").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("stage **build** failed");
    said.expect("`check:build`: [failure](");

    world.make_ready(&sha).await;
    assert_eq!(world.recorded("stage.failed").await, 1);
    assert_eq!(world.recorded("stage.passed").await, 2);
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn a_workflow_heals_with_its_next_attempt(engine: Engine) {
    let services = plain_with(&[(GATES, r#"["workflow:ci.yml"]"#)]);
    let world = World::start(engine, &services).await;
    world.github.add_workflow(SHOP, "ci.yml", &["schedule"]);
    let (pull_request, sha) = world.merge("feature").await;
    world.make_ready(&sha).await;
    let run = world.github.run(SHOP, "ci.yml", &sha, "push").await;
    let failed = Some("failure");
    world.github.run_moves(run, "completed", failed).await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("`workflow:ci.yml`: [failure](");

    world.hold();
    world.github.rerun(run).await;
    world.github.run_moves(run, "in_progress", None).await;
    let green = Some("success");
    world.github.run_moves(run, "completed", green).await;
    world.release(&Order::Backwards);
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

/// In which order so many deliveries arrive.
type Arrival = fn(usize) -> Order;

/// Each of so many places once, without any order that one could see.
fn shuffled(count: usize) -> Order {
    let mut left: Vec<usize> = (0..count).collect();
    let mut places = Vec::new();
    while !left.is_empty() {
        places.push(left.remove(7 * count % left.len()));
    }
    Order::Chosen(places)
}

async fn the_order_of_arrival_means_nothing(setting: Setting) {
    let world = World::plain(setting).await;
    let as_they_came = |_| Order::AsTheyCame;
    let backwards = |_| Order::Backwards;
    let table: [(&str, Arrival, &str, &str); 4] = [
        ("one", as_they_came, "success", "✅ build, ✅ staging"),
        ("two", backwards, "success", "✅ build, ✅ staging"),
        ("three", shuffled, "success", "✅ build, ✅ staging"),
        ("four", backwards, "failure", "❌ build, ✅ staging"),
    ];
    for (title, order, last, expect) in table {
        world.repeat_each(2);
        world.hold();
        let commit = NewCommit::by("bob", title);
        let sha = world.push_unheard(commit).await;
        world.build(&sha, "failure").await;
        world.status(&sha, "lint", "pending").await;
        world.build(&sha, last).await;
        world.status(&sha, "lint", "success").await;
        let staging = world.deploy(&sha, "staging").await;
        for state in ["in_progress", "success"] {
            world.deployment_status(staging, state).await;
        }
        let held = world.held();
        assert!(held >= 20 && held % 2 == 0, "each delivery, twice: {held}");
        world.settle_in_silence().await;
        world.release(&order(held));
        world.settle().await;
        world.repeat_each(1);
        if world.forge == Forge::GitLab {
            // GitLab tells us nothing about statuses from outside; they are read again every minute.
            world.pass(61).await;
        }
        let status = world.say("ann", 3, "/status prod").await;
        status.expect(&format!("{sha} `{title}`: {expect}"));
    }
    assert_eq!(world.recorded("candidate.ready").await, 3);
    world.is_as_described();
}

async fn only_the_named_source_fills_a_gate(engine: Engine) {
    let pinned = r#"[{ check = "build", app = 15368 }, { status = "lint", app = 15368 }]"#;
    let services = plain_with(&[(GATES, pinned)]);
    let world = World::start(engine, &services).await;
    let (pull_request, sha) = world.merge("feature").await;
    // The right words: one by another app, one by a person, one by another bot.
    world.make_ready(&sha).await;
    let done = ("completed", Some("failure"));
    let build = ("build", "github-actions");
    world.github.check_run(SHOP, &sha, build, done).await;
    let impostor = ("build", "impostor");
    let green = ("completed", Some("success"));
    world.github.check_run(SHOP, &sha, impostor, green).await;
    let forged = ("success", "impostor[bot]");
    world.github.status(SHOP, &sha, "lint", forged).await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("`check:build`: [failure](");
    said.expect("`status:lint`: no report by app 15368 yet");
    assert_eq!(world.recorded("candidate.ready").await, 0);

    // Red words by others do no harm either.
    let red = ("completed", Some("failure"));
    world.github.check_run(SHOP, &sha, impostor, red).await;
    world.build(&sha, "success").await;
    let bot = ("success", "github-actions[bot]");
    world.github.status(SHOP, &sha, "lint", bot).await;
    let spoiled = ("failure", "bob");
    world.github.status(SHOP, &sha, "lint", spoiled).await;
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    contract::check(&world.github);
}

async fn our_own_statuses_fill_no_gate(setting: Setting) {
    let services = plain_with(&[(GATES, r#"["status:*"]"#)]);
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.merge("feature").await;
    for context in ["countersign/prod", "countersign/shop/prod"] {
        world.status(&sha, context, "success").await;
    }
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("`status:*`: no report yet");

    world.make_ready(&sha).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    // Ours is red now, and the stage is as green as before.
    world.finish("failure").await;
    world.shows(&sha, "failure");
    let said = world.say("ann", pull_request, "/retry #1").await;
    said.expect("Started");
}

async fn a_stage_soaks_before_it_has_passed(setting: Setting) {
    let gate = r#"gates = ["deployment:staging"]"#;
    let soaking = format!("{gate}\nsoak = \"10m\"");
    let services = plain_with(&[(gate, &soaking)]);
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("stage **staging** is green and soaks until");
    world.pass(590).await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    world.pass(20).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha]);
}

async fn two_services_share_a_repository(setting: Setting) {
    let services = plain_with(&[
        (
            "branch = \"main\"",
            "branch = \"main\"\npaths = [\"shop/**\"]",
        ),
        (
            "trigger = { github = \"deployment\", environment = \"production\" }",
            r#"trigger = { github = "deployment", environment = "production" }

[[service]]
name = "billing"
repo = "github:acme/shop"
branch = "main"
paths = ["billing/**"]

[[service.stage]]
name = "build"
gates = ["check:billing"]

[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "billing" }
"#,
        ),
    ]);
    let world = World::start(setting, &services).await;
    let jobs = ["deploy-prod", "deploy-billing"];
    let jobs = jobs.map(|job| JobPlan::new(job, "deploy").manual().to(job));
    world.gitlab.set_jobs(SHOP, jobs.to_vec());
    let push = async |path| {
        let commit = NewCommit::by("bob", path).touching([path]);
        let sha = world.push_to("main", vec![commit]).await;
        world.settle().await;
        sha
    };
    let shop = push("shop/a.rs").await;
    let billing = push("billing/b.rs").await;
    push("docs/c.md").await;
    let count = async |service: &str| {
        let sql = format!("SELECT COUNT(*) FROM candidate WHERE service = '{service}'");
        world.number(&sql).await
    };
    // Besides the commit that was there before the service watched.
    assert_eq!((count("shop").await, count("billing").await), (2, 2));
    // Nor does a second look take in what touches neither.
    world.pass(601).await;
    assert_eq!((count("shop").await, count("billing").await), (2, 2));

    world.make_ready(&shop).await;
    world.job(&billing, "billing", "success").await;
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 2);

    let said = world
        .say("ann", 3, &format!("/deploy prod {billing}"))
        .await;
    said.expect("several services have `prod`");
    said.expect("`shop`, `billing`");
    let command = format!("/deploy prod {billing} --service shop");
    world.say("ann", 3, &command).await.expect("**Refused**");
    let command = format!("/deploy prod {billing} --service billing");
    let said = world.say("ann", 3, &command).await;
    said.expect("billing → **prod**");
    said.expect("Started");
    assert_eq!(world.deployments(), [billing.as_str()]);
    world.shows_at(&billing, "countersign/billing/prod", "pending");
}

async fn late_red_stops_what_was_asked_for(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("Waiting for approval, 1 of 2");
    // No delivery tells us; it is read again.
    world.lose_next(2);
    world.build(&sha, "failure").await;
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("**Refused**: approval of #1");
    said.expect("`check:build`: [failure](");
    assert!(world.deployments().is_empty());

    world.lose_next(2);
    world.build(&sha, "success").await;
    let said = world.say("dora", pull_request, "/approve #1").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn a_soak_counts_from_when_we_heard(setting: Setting) {
    let gate = "gates = [\"deployment:staging\"]";
    let soaking = format!("{gate}\nsoak = \"10m\"");
    let world = World::start(setting, &plain_with(&[(gate, &soaking)])).await;
    let (pull_request, sha) = world.merge("feature").await;
    world.build(&sha, "success").await;
    world.status(&sha, "lint", "success").await;
    world.settle().await;
    // Whoever reports may name any time; here it is the true one, of long ago.
    world.hold();
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    world.wait(590);
    world.release(&Order::AsTheyCame);
    world.settle().await;
    world.pass(20).await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("stage **staging** is green and soaks until");
    // It is asked for again and again, and was heard of once.
    world.pass(570).await;
    world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    world.pass(11).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}
