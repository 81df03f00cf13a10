//! Webhooks of GitLab fail, vanish and are put aside: it is noticed, and what was lost comes back.

use std::sync::{Arc, Mutex};

use countersign::domain::Forge;
use countersign::metrics::WebhookLabels;
use countersign_sandbox::gitlab::{GitLab, Trouble};

use crate::contract;
use crate::support::deliveries::SECRET;
use crate::support::service::{self, TOKEN, Wishes};
use crate::support::world::SHOP;
use crate::support::{Database, Engine, Service, Setting, World, eventually, on_both};

on_both!(
    lost_deliveries_of_gitlab_are_asked_for,
    a_delivery_is_asked_for_a_few_times_only,
    a_webhook_that_was_put_aside_is_woken,
    a_webhook_that_is_gone_is_noticed_and_so_is_its_return,
    an_older_gitlab_has_no_list_of_deliveries,
    a_webhook_that_may_not_be_looked_at_is_counted,
    the_service_itself_watches_at_its_start,
);

const LOOK: u64 = 301;

/// A world on GitLab whose project has a webhook of its own, and its number.
async fn watched(engine: Engine) -> (World, u64) {
    let forge = Forge::GitLab;
    let world = World::plain(Setting { engine, forge }).await;
    let hook = world.watch_webhook();
    (world, hook)
}

/// How often the hook was found in this state.
fn looks(world: &World, state: &'static str) -> u64 {
    let labels = WebhookLabels {
        repository: format!("gitlab:{SHOP}"),
        state,
    };
    world
        .shared
        .metrics
        .webhook_looks
        .get_or_create(&labels)
        .get()
}

/// Time passes until the hook was looked at once more.
async fn look(world: &World) {
    look_in(world, LOOK).await;
}

/// The same, where it is due in so many seconds.
async fn look_in(world: &World, seconds: u64) {
    let all = || -> u64 {
        ["works", "missing", "put_aside", "hidden", "unknown"]
            .into_iter()
            .map(|state| looks(world, state))
            .sum()
    };
    let before = all();
    world.pass(seconds).await;
    eventually("the hook is looked at", async || {
        (all() > before).then_some(())
    })
    .await;
    world.settle().await;
}

fn asked(world: &World, what: &str) -> usize {
    let calls = world.gitlab.calls();
    calls.iter().filter(|call| call.contains(what)).count()
}

async fn lost_deliveries_of_gitlab_are_asked_for(engine: Engine) {
    let (world, _) = watched(engine).await;
    let (merge_request, _) = world.ready("feature").await;
    world.gitlab.drop_next(1);
    let comment = world.comment("ann", merge_request, "/deploy prod").await;
    world.settle().await;
    assert_eq!(world.newest().await, 0);
    look(&world).await;
    eventually("the delivery is there", async || {
        (world.newest().await == 1).then_some(())
    })
    .await;
    world.settle().await;
    world.said(comment).expect("Started");
    world.finish("success").await;
    world.said(comment).expect("Live");
    look(&world).await;
    assert_eq!(asked(&world, "/resend"), 1, "what arrived is not asked for");
    assert_eq!(world.starts(), 1);
    contract::gitlab::check(&world.gitlab);
}

async fn a_delivery_is_asked_for_a_few_times_only(engine: Engine) {
    let (world, hook) = watched(engine).await;
    let (merge_request, _) = world.ready("feature").await;
    let other = "another token of sixteen bytes";
    let door = world.gitlab_door();
    world.gitlab.move_hook(hook, &door, other);
    world.comment("ann", merge_request, "/deploy prod").await;
    world.settle().await;
    for times in [1, 2, 3, 3] {
        look(&world).await;
        assert_eq!(asked(&world, "/resend"), times);
    }
    // One more failure, and the hook is put aside.
    world.wait(LOOK - 50);
    world.comment("ann", merge_request, "/status").await;
    world.settle().await;
    look_in(&world, 50).await;
    assert_eq!(looks(&world, "put_aside"), 1);
    assert_eq!(asked(&world, "/test/push_events"), 1);
    world.gitlab.move_hook(hook, &door, SECRET);
    look(&world).await;
    // Now the last comment, and the test that had failed, which is a push; and nothing else.
    assert_eq!(asked(&world, "/resend"), 5);
    assert_eq!(world.newest().await, 0);
}

async fn a_webhook_that_was_put_aside_is_woken(engine: Engine) {
    let (world, hook) = watched(engine).await;
    let (merge_request, _) = world.ready("feature").await;
    look(&world).await;
    assert_eq!(looks(&world, "works"), 1);
    world.wait(LOOK - 50);
    world
        .gitlab
        .move_hook(hook, "http://127.0.0.1:9/hooks/gitlab", SECRET);
    for text in ["/status", "/status", "/status", "/deploy prod"] {
        world.comment("ann", merge_request, text).await;
    }
    world.settle().await;
    world.gitlab.move_hook(hook, &world.gitlab_door(), SECRET);
    assert_eq!(world.newest().await, 0);
    // Within the minute for which GitLab puts it aside at first.
    look_in(&world, 50).await;
    eventually("the delivery is there", async || {
        (world.newest().await == 1).then_some(())
    })
    .await;
    assert_eq!(looks(&world, "put_aside"), 1);
    assert_eq!(asked(&world, "/test/push_events"), 1);
    look(&world).await;
    assert_eq!(looks(&world, "works"), 2);
    assert_eq!(world.starts(), 1);
    contract::gitlab::check(&world.gitlab);
}

async fn a_webhook_that_is_gone_is_noticed_and_so_is_its_return(engine: Engine) {
    let (world, hook) = watched(engine).await;
    look(&world).await;
    world.gitlab.remove_hook(hook);
    look(&world).await;
    look(&world).await;
    assert_eq!((looks(&world, "works"), looks(&world, "missing")), (1, 2));
    world
        .gitlab
        .project_hook(SHOP, &world.gitlab_door(), SECRET);
    look(&world).await;
    assert_eq!((looks(&world, "works"), looks(&world, "missing")), (2, 2));
}

async fn an_older_gitlab_has_no_list_of_deliveries(engine: Engine) {
    let (world, _) = watched(engine).await;
    world.gitlab.set_version("17.2.0");
    let (merge_request, _) = world.ready("feature").await;
    world.gitlab.drop_next(1);
    world.comment("ann", merge_request, "/deploy prod").await;
    look(&world).await;
    look(&world).await;
    assert_eq!(looks(&world, "works"), 2);
    assert_eq!(asked(&world, "/resend"), 0);
    assert_eq!(world.newest().await, 0);
    let said = world.say("ann", merge_request, "/deploy prod").await;
    said.expect("Started");
}

async fn a_webhook_that_may_not_be_looked_at_is_counted(engine: Engine) {
    let (world, _) = watched(engine).await;
    let refused = Trouble::Refuse {
        status: 403,
        headers: Vec::new(),
        message: "403 Forbidden",
    };
    world.gitlab.expect_trouble_at("GET", "/hooks", refused);
    look(&world).await;
    world
        .gitlab
        .expect_trouble_at("GET", "/hooks", Trouble::Reset);
    look(&world).await;
    look(&world).await;
    for state in ["hidden", "unknown", "works"] {
        assert_eq!(looks(&world, state), 1, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_a_webhook_is_looked_after_is_over_at_the_next_look() {
    let (world, hook) = watched(Engine::Sqlite).await;
    let (merge_request, _) = world.ready("feature").await;
    look(&world).await;
    let failed = Trouble::status(500);
    let lost = Trouble::FailAfterActing { status: 502 };
    for (method, part, troubles) in [
        ("GET", "/hooks$", vec![failed.clone(), Trouble::Garbage]),
        ("GET", "/events$", vec![failed.clone(), Trouble::Reset]),
        (
            "POST",
            "/resend$",
            vec![failed.clone(), lost, Trouble::ResetAfterActing],
        ),
    ] {
        for trouble in troubles {
            let name = format!("{method} {part} meets {trouble:?}");
            world.gitlab.drop_next(1);
            let comment = world.comment("ann", merge_request, "/status").await;
            world.settle().await;
            world.gitlab.expect_trouble_at(method, part, trouble);
            look(&world).await;
            assert_eq!(world.gitlab.trouble_left(), 0, "never met: {name}");
            look(&world).await;
            eventually(&name, async || {
                (!world.said(comment).answers.is_empty()).then_some(())
            })
            .await;
            world.settle().await;
            assert_eq!(world.said(comment).answers.len(), 1, "{name}");
        }
    }
    // A hook that could not be woken is used again when its time is over.
    world.wait(LOOK - 50);
    world
        .gitlab
        .move_hook(hook, "http://127.0.0.1:9/hooks/gitlab", SECRET);
    for _ in 0..4 {
        world.comment("ann", merge_request, "/status").await;
    }
    world.settle().await;
    world.gitlab.move_hook(hook, &world.gitlab_door(), SECRET);
    let (method, part) = ("POST", "/test/push_events$");
    world.gitlab.expect_trouble_at(method, part, failed);
    look_in(&world, 50).await;
    assert_eq!(world.gitlab.trouble_left(), 0);
    look(&world).await;
    let said = world.say("ann", merge_request, "/deploy prod").await;
    said.expect("Started");
}

/// What is logged on this thread from now on.
fn listen() -> (
    Arc<Mutex<Vec<u8>>>,
    (tracing::subscriber::DefaultGuard, tracing::Dispatch),
) {
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = Written::default();
    let log = written.0.clone();
    let writer = move || written.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // While there is only one, a line that another story's thread comes to first is taken for one that nobody wants.
    let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    (log, (guard, second))
}

/// One thread, so that all of the log is here.
#[tokio::test]
async fn the_log_tells_of_a_webhook_when_it_changes_and_only_then() {
    let (log, _guard) = listen();
    let (world, hook) = watched(Engine::Sqlite).await;
    let told = |words: &str| {
        let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        log.lines().filter(|line| line.contains(words)).count()
    };
    let counted = || {
        (
            told("no webhook of the project leads here"),
            told("the project's webhook works again"),
        )
    };
    for _ in 0..3 {
        look(&world).await;
    }
    // There is nothing to tell about what works from the start.
    assert_eq!(counted(), (0, 0));
    world.gitlab.remove_hook(hook);
    for _ in 0..3 {
        look(&world).await;
    }
    assert_eq!(counted(), (1, 0));
    let door = world.gitlab_door();
    let hook = world.gitlab.project_hook(SHOP, &door, SECRET);
    for _ in 0..3 {
        look(&world).await;
    }
    assert_eq!(counted(), (1, 1));
    world.gitlab.remove_hook(hook);
    look(&world).await;
    assert_eq!(counted(), (2, 1));
    let refused = || Trouble::Refuse {
        status: 403,
        headers: Vec::new(),
        message: "403 Forbidden",
    };
    for _ in 0..2 {
        world.gitlab.expect_trouble_at("GET", "/hooks", refused());
        look(&world).await;
    }
    assert_eq!(told("the project's webhook may not be looked at"), 1);
}

async fn the_service_itself_watches_at_its_start(engine: Engine) {
    let database = Database::migrated(engine).await;
    let gitlab = GitLab::start(TOKEN).await.unwrap();
    let wishes = Wishes {
        server: "public_url = \"https://deploys.example.com\"".to_owned(),
        ..Wishes::default()
    };
    let config = service::write_config(&database, None, &wishes);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text
        .replace("[github]", "[gitlab]")
        .replace(
            "api_url = \"http://127.0.0.1:9\"",
            &format!("url = \"{}\"", gitlab.url()),
        )
        .replace("github:acme/shop", "gitlab:acme/shop")
        .replace("github_users", "gitlab_users")
        .replace("check:build", "job:build")
        + "trigger = { gitlab = \"play_job\", job = \"deploy-prod\" }\n";
    std::fs::write(&config, text).unwrap();
    let service = Service::run(config, &[]).await;
    let line = eventually("the missing hook is noticed", async || {
        let lines = service.log();
        lines
            .into_iter()
            .find(|line| line.contains("no webhook of the project leads here"))
    })
    .await;
    assert!(
        line.contains("ERROR") && line.contains("gitlab:acme/shop"),
        "{line}"
    );
    let missing =
        "countersign_webhook_looks_total{repository=\"gitlab:acme/shop\",state=\"missing\"}";
    eventually("it is counted", async || {
        (service.metric(missing).await == 1.0).then_some(())
    })
    .await;
    assert_eq!(service.stop().await, 0);
}
