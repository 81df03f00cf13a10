//! Healing of what was lost on the way to GitLab or from it: deliveries, answers, and the service itself after a crash.

use std::time::Duration;

use countersign::domain::Forge;
use countersign_sandbox::gitlab::{Access, JobPlan, NewCommit, Order, Trouble};

use crate::contract;
use crate::support::crew::Part;
use crate::support::on_gitlab::{ON_GITLAB, TRIGGER_TOKEN, with_trigger};
use crate::support::talk::{code_in, on_discord};
use crate::support::world::{PLAIN, SHOP};
use crate::support::{Engine, Setting, World, eventually};

const LONG: Duration = Duration::from_secs(30);

/// A way to start a release, and the call that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Play,
    Again,
    Create,
    ByToken,
    Approve,
}

const WAYS: [Way; 5] = [
    Way::Play,
    Way::Again,
    Way::Create,
    Way::ByToken,
    Way::Approve,
];

impl Way {
    fn call(self) -> &'static str {
        match self {
            Self::Play => "/play",
            Self::Again => "/retry",
            Self::Create => "/projects/9/pipeline",
            Self::ByToken => "/trigger/pipeline",
            Self::Approve => "/approval",
        }
    }

    fn services(self) -> String {
        match self {
            Self::Play | Self::Again => PLAIN.to_owned(),
            Self::Create => with_trigger(
                r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#,
            ),
            Self::ByToken => with_trigger(
                r#"trigger = { gitlab = "trigger_token", ref = "main", token = { env = "TOKEN" }, variables = { RELEASE_SHA = "{sha}" } }"#,
            ),
            Self::Approve => with_trigger(
                r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#,
            ),
        }
    }

    /// A world with a commit that is ready to leave in this way.
    async fn world(self) -> (World, u64, String) {
        let world = World::start(ON_GITLAB, &self.services()).await;
        world.reconnect_to_gitlab(None);
        let gitlab = &world.gitlab;
        match self {
            Self::Play | Self::Again => {}
            Self::Create | Self::ByToken => {
                gitlab.set_jobs(SHOP, vec![JobPlan::new("build", "build")]);
                gitlab.add_trigger_token(SHOP, TRIGGER_TOKEN, "countersign");
            }
            Self::Approve => {
                gitlab.protect_environment(SHOP, "production", &[Access::Level(40)], 1);
            }
        }
        let (pull_request, sha) = world.ready("feature").await;
        if matches!(self, Self::Create | Self::ByToken) {
            let ship = JobPlan::new("ship", "ship").to("production");
            world.gitlab.set_jobs(SHOP, vec![ship]);
        }
        if self == Self::Again {
            // The job was not played.
            world
                .job_moves(world.production_job(&sha), "canceled")
                .await;
        }
        (world, pull_request, sha)
    }
}

/// The release goes on to its end, with one start.
async fn ends_well(world: &World, way: Way, (comment, sha): (u64, &str)) {
    for _ in 0..12 {
        if world.external(1).await != 0 {
            break;
        }
        world.pass(20).await;
    }
    assert_ne!(world.external(1).await, 0, "{way:?}");
    world.gitlab.pass(SHOP, sha).await;
    world.settle().await;
    world.said(comment).expect("Live");
    world.pass(300).await;
    match way {
        Way::Play | Way::Again | Way::Approve => assert_eq!(world.starts(), 1, "{way:?}"),
        Way::Create | Way::ByToken => {
            assert_eq!(ours(world), 1, "{way:?}");
            let shipped = world.gitlab.deployments(SHOP, "production");
            assert_eq!(shipped.len(), 1, "{way:?}");
        }
    }
    assert_eq!(world.recorded("succeeded").await, 1, "{way:?}");
    assert_eq!(world.recorded("production.unexplained").await, 0, "{way:?}");
    contract::gitlab::check(&world.gitlab);
}

/// The pipelines that carry a mark of ours.
fn ours(world: &World) -> usize {
    let told = world.gitlab.sent().into_iter();
    let pipelines = told.filter(|sent| {
        let variables = sent.body["object_attributes"]["variables"].as_array();
        variables.is_some_and(|all| {
            let mut all = all.iter();
            all.any(|one| one["key"] == "COUNTERSIGN_CORRELATION")
        })
    });
    let numbers: std::collections::BTreeSet<u64> = pipelines
        .filter_map(|sent| sent.body["object_attributes"]["id"].as_u64())
        .collect();
    numbers.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_decision() {
    let (world, pull_request, sha) = Way::Play.world().await;
    world.crash().await;
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    world.gitlab.delivered().await;
    assert_eq!(world.newest().await, 0);
    world.come_back().await;
    world.settle().await;
    ends_well(&world, Way::Play, (comment, &sha)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_decision() {
    for way in [Way::Play, Way::Create] {
        let (world, pull_request, sha) = way.world().await;
        world.crash().await;
        world.work(&[Part::Intake]).await;
        let comment = world.comment("ann", pull_request, "/deploy prod").await;
        let trigger = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state = 'waiting'";
        eventually("it is decided", async || {
            (world.number(trigger).await == 1).then_some(())
        })
        .await;
        assert!(world.posted(way.call()).is_empty());
        world.crash().await;
        world.come_back().await;
        world.settle().await;
        ends_well(&world, way, (comment, &sha)).await;
    }
}

/// The service dies while its call is under way.
async fn crash_at_the_call(way: Way, trouble: Trouble) {
    let (world, pull_request, sha) = way.world().await;
    world.reconnect_to_gitlab(Some(LONG));
    world.gitlab.hold();
    world.gitlab.expect_trouble_at("POST", way.call(), trouble);
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    world.gitlab.release(&Order::AsTheyCame);
    eventually("the call arrives", async || {
        (!world.posted(way.call()).is_empty()).then_some(())
    })
    .await;
    world.crash().await;
    world.reconnect_to_gitlab(None);
    world.come_back().await;
    world.settle().await;
    ends_well(&world, way, (comment, &sha)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_call() {
    for way in WAYS {
        crash_at_the_call(way, Trouble::Silence).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_instead_of_the_call() {
    for way in WAYS {
        crash_at_the_call(way, Trouble::SilenceBefore).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_outcome() {
    let (world, pull_request, sha) = Way::Play.world().await;
    world.crash().await;
    world.work(&[Part::Intake]).await;
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    let trigger = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state";
    eventually("it is decided", async || {
        (world.number(&format!("{trigger} = 'waiting'")).await == 1).then_some(())
    })
    .await;
    world.crash().await;
    world.work(&[Part::Delivery]).await;
    eventually("its outcome is recorded", async || {
        (world.number(&format!("{trigger} = 'done'")).await == 1).then_some(())
    })
    .await;
    world.crash().await;
    world.come_back().await;
    world.settle().await;
    ends_well(&world, Way::Play, (comment, &sha)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_by_looking() {
    for way in WAYS {
        let (world, pull_request, sha) = way.world().await;
        let trouble = Trouble::FailAfterActing { status: 502 };
        world.gitlab.expect_trouble_at("POST", way.call(), trouble);
        let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
        assert_eq!(world.external(1).await, 0, "{way:?}");
        world.pass(6).await;
        assert_ne!(world.external(1).await, 0, "{way:?}");
        world.said(comment).expect("Started");
        // An approval starts nothing, so that it is no start whose answer was lost.
        let found = usize::from(way != Way::Approve);
        assert_eq!(world.recorded("trigger.found").await, 1, "{way:?} {found}");
        assert_eq!(world.recorded("trigger.lost").await, found, "{way:?}");
        ends_well(&world, way, (comment, &sha)).await;
        assert_eq!(world.posted(way.call()).len(), 1, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_found_by_the_event() {
    for way in [Way::Play, Way::Again, Way::Create] {
        let (world, pull_request, sha) = way.world().await;
        world
            .gitlab
            .expect_trouble_at("POST", way.call(), Trouble::Silence);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        assert_eq!(world.recorded("trigger.found").await, 1, "{way:?}");
        ends_well(&world, way, (said.comment, &sha)).await;
        assert_eq!(world.posted(way.call()).len(), 1, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_vanished_is_made_once_more() {
    for way in WAYS {
        let (world, pull_request, sha) = way.world().await;
        world
            .gitlab
            .expect_trouble_at("POST", way.call(), Trouble::Reset);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        ends_well(&world, way, (said.comment, &sha)).await;
        assert_eq!(world.posted(way.call()).len(), 2, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_vanishes_twice_is_asked_about() {
    for way in [Way::Play, Way::Again, Way::Create, Way::ByToken] {
        let (world, pull_request, _) = way.world().await;
        for _ in 0..2 {
            world
                .gitlab
                .expect_trouble_at("POST", way.call(), Trouble::Reset);
        }
        let said = world.say("ann", pull_request, "/deploy prod").await;
        for _ in 0..12 {
            world.pass(20).await;
        }
        assert_eq!(world.posted(way.call()).len(), 2, "{way:?}");
        let said = world.said(said.comment);
        said.expect("The answer of GitLab was lost");
        said.expect("/cancel #1");
        said.expect("/retry #1");
        world
            .say("ann", pull_request, "/cancel #1")
            .await
            .expect("Cancelled");
        let again = world.say("ann", pull_request, "/retry #1").await;
        again.expect("Started");
        assert_eq!(world.posted(way.call()).len(), 3, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_looked_up_when_gitlab_is_back() {
    let world = World::on_gitlab().await;
    let renamed = PLAIN.replace("[\"ann\", \"dora\"]", "[\"bob\"]");
    let pins = "SELECT COUNT(*) FROM pin WHERE name LIKE '%bob'";
    for _ in 0..3 {
        world.gitlab.expect_trouble_at("GET", "/", Trouble::Reset);
    }
    world.reconfigure_unheard(&renamed);
    eventually("it tried", async || {
        (world.gitlab.trouble_left() < 3).then_some(())
    })
    .await;
    assert_eq!(world.number(pins).await, 0);
    eventually("the name is known", async || {
        world.pass(21).await;
        (world.number(pins).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_deliveries_are_read_again() {
    let world = World::on_gitlab().await;
    world.gitlab.hold();
    let commits = vec![NewCommit::by("bob", "unheard")];
    let sha = world.gitlab.push(SHOP, "main", commits).await;
    world.build(&sha, "success").await;
    let gitlab = &world.gitlab;
    gitlab.status(SHOP, &sha, "lint", ("success", "bob")).await;
    let staging = gitlab.deploy(SHOP, &sha, "staging", "bob").await;
    gitlab.deployment_status(staging, "success").await;
    gitlab.release(&Order::Chosen(Vec::new()));
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    world.pass(601).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", 3, &format!("/deploy prod {sha}")).await;
    said.expect("Started");
    ends_well(&world, Way::Play, (said.comment, &sha)).await;
}

/// A service on each forge, released by the same person.
const BOTH: &str = r#"
[roles.deployer]
github_users = ["ann"]
gitlab_users = ["ann"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"
[[service.stage]]
name = "build"
gates = ["check:build"]
[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "production" }

[[service]]
name = "till"
repo = "gitlab:acme/shop"
branch = "main"
[[service.stage]]
name = "build"
gates = ["job:build"]
[[service.environment]]
name = "prod"
aliases = ["production"]
approvals = { deployer = 1 }
exclude = []
trigger = { gitlab = "play_job", job = "deploy-prod" }
"#;

/// Ann proves on Discord that an account on the forge is hers.
async fn link(world: &World, forge: Forge) {
    let offered = world.discord("ann", "/link").await;
    let code = code_in(&offered);
    match forge {
        Forge::GitHub => world.github.comment("ann", SHOP, 3, &code).await,
        Forge::GitLab => world.gitlab.comment("ann", SHOP, 3, &code).await,
    };
    world.settle().await;
    let discord = &world.talk().discord;
    let question = discord.ephemeral_for(on_discord("ann")).pop().unwrap();
    let yes = question.buttons().next().expect("a question").clone();
    let id = yes["custom_id"].as_str().unwrap();
    discord.click(on_discord("ann"), question.id, id).await;
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_releases_on_both_forges() {
    let setting = Setting {
        engine: Engine::Sqlite,
        forge: Forge::GitHub,
    };
    let world = World::talking(setting, BOTH).await;
    eventually("both names are known", async || {
        let pins = world.number("SELECT COUNT(*) FROM pin").await;
        let bound = world.number("SELECT COUNT(*) FROM repository").await;
        (pins == 2 && bound == 2).then_some(())
    })
    .await;
    let of_shop = world.push("on GitHub").await;
    world.build(&of_shop, "success").await;
    let commits = vec![NewCommit::by("bob", "on GitLab")];
    let of_till = world.gitlab.push(SHOP, "main", commits).await;
    world.gitlab.job(SHOP, &of_till, "build", "success").await;
    world.settle().await;

    // An account on one forge says nothing about the other.
    link(&world, Forge::GitHub).await;
    let early = world.discord("ann", "/deploy prod --service till").await;
    assert!(early.contains("/link"), "{early}");
    assert!(world.posted("/play").is_empty());
    link(&world, Forge::GitLab).await;

    let shop = world.discord("ann", "/deploy prod --service shop").await;
    assert!(shop.contains(&of_shop), "{shop}");
    let till = world.discord("ann", "/deploy prod --service till").await;
    assert!(till.contains(&of_till), "{till}");
    let deployment = world.external(1).await;
    world.github.deployment_status(deployment, "success").await;
    world.job_moves(world.external(2).await, "success").await;
    for service in ["shop", "till"] {
        let status = world
            .discord("ann", &format!("/status prod --service {service}"))
            .await;
        assert!(status.contains("since"), "{status}");
    }
    assert_eq!(world.posted("/play").len(), 1);
    assert_eq!(world.starts(), 1);
    assert_eq!(world.recorded("succeeded").await, 2);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    contract::check(&world.github);
    contract::gitlab::check(&world.gitlab);
}
