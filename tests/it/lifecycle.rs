//! The lifecycle of the service: it starts, changes its mind, and ends.

use countersign_ground::digest;
use countersign_sandbox::github::{GitHub, Trouble};
use reqwest::StatusCode;
use rustix::process::Signal;

use crate::support::pinned::Page;
use crate::support::service::{self, TOKEN, Wishes};
use crate::support::{Database, Engine, Service, deliveries, eventually, on_both};

on_both!(
    an_invalid_file_changes_nothing_and_a_valid_one_is_put_in_force,
    it_is_not_ready_while_it_stops_and_ends_in_good_order,
    a_second_signal_ends_it_at_once,
    it_does_not_start_on_a_bad_configuration,
    secrets_are_nowhere_to_be_seen,
);

async fn an_invalid_file_changes_nothing_and_a_valid_one_is_put_in_force(engine: Engine) {
    let database = Database::fresh(engine).await;
    let service = Service::start(&database, None).await;
    let current = "countersign_configuration_is_current";
    assert_eq!(service.metric(current).await, 1.0);
    let old = std::fs::read_to_string(&service.config).unwrap();

    std::fs::write(&service.config, old.replace("branch = ", "brunch = ")).unwrap();
    service.signal(Signal::HUP);
    eventually("the file is refused", async || {
        (service.metric(current).await == 0.0).then_some(())
    })
    .await;
    let line = "the new configuration is not in force; the old one still is";
    let said = eventually("it is logged", async || {
        Some(service.logged(line)).filter(|said| !said.is_empty())
    })
    .await;
    let why = said[0]["why"].as_str().unwrap();
    assert!(why.contains("brunch") && why.contains("branch"), "{why}");
    let sent = service
        .deliver("push", "old", deliveries::push(9))
        .await
        .unwrap();
    assert_eq!(sent, 202, "the old one still rules");

    let secret = database.folder.path().join("secret");
    std::fs::write(&secret, "another secret of the tests\n").unwrap();
    let new = old.replace("{ env = \"TEST_SECRET\" }", "{ file = \"secret\" }");
    assert_ne!(old, new);
    std::fs::write(&service.config, &new).unwrap();
    service.signal(Signal::HUP);
    eventually("the new one rules", async || {
        (service.metric(current).await == 1.0).then_some(())
    })
    .await;
    let sent = service
        .deliver("push", "new", deliveries::push(9))
        .await
        .unwrap();
    assert_eq!(sent, 401, "the old secret is out");
    let reloads =
        |outcome: &str| format!("countersign_configuration_reloads_total{{outcome=\"{outcome}\"}}");
    assert_eq!(service.metric(&reloads("refused")).await, 1.0);
    assert_eq!(service.metric(&reloads("loaded")).await, 1.0);

    let recorded = "SELECT COUNT(*) FROM ledger_entry WHERE action = 'configuration.loaded'";
    assert_eq!(database.number(recorded).await, 2);
    let store = database.open().await;
    let entry = countersign::store::ledger::latest(
        &store,
        countersign::domain::Action::ConfigurationLoaded,
    );
    let entry = String::from_utf8(entry.await.unwrap().unwrap().body).unwrap();
    assert!(
        entry.contains(&digest::sha256_hex(new.as_bytes())),
        "{entry}"
    );
    assert_eq!(service.stop().await, 0);
}

async fn it_is_not_ready_while_it_stops_and_ends_in_good_order(engine: Engine) {
    let database = Database::fresh(engine).await;
    let mut service = Service::start(&database, None).await;
    assert_eq!(service.get("/readyz").await.status(), 200);
    service.signal(Signal::TERM);
    let answer = eventually("it says that it stops", async || {
        let answer = service.get("/readyz").await;
        (answer.status() == 503).then_some(answer)
    })
    .await;
    let condition: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(condition["stopping"], true);
    assert_eq!(condition["database"], "ok");
    // What arrives in the meantime is still taken, durably.
    let sent = service
        .deliver("push", "late", deliveries::push(9))
        .await
        .unwrap();
    assert_eq!(sent, StatusCode::ACCEPTED);
    assert_eq!(service.ended().await, 0);
    assert_eq!(database.number("SELECT COUNT(*) FROM inbox").await, 1);
}

async fn a_second_signal_ends_it_at_once(engine: Engine) {
    let database = Database::fresh(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    github.expect_trouble_at("POST", "/reactions", Trouble::Silence);
    github.expect_trouble_at("POST", "/issues/3/comments", Trouble::Silence);
    let wishes = Wishes {
        server: "shutdown_timeout = \"5m\"".to_owned(),
        ..Wishes::default()
    };
    let mut service = Service::start_with(&database, Some(&github), &wishes).await;
    let help = deliveries::comment(9, 50, "/help").to_string().into_bytes();
    service.deliver("issue_comment", "a", help).await.unwrap();
    eventually("the calls are under way", async || {
        (crate::effects::posts(&github) == 2).then_some(())
    })
    .await;
    service.signal(Signal::TERM);
    eventually("it was told", async || {
        let told = service.logged("told to stop; finishing what is under way");
        (!told.is_empty()).then_some(())
    })
    .await;
    service.signal(Signal::TERM);
    assert_eq!(
        service.ended().await,
        1,
        "long before the five minutes are over"
    );
}

async fn it_does_not_start_on_a_bad_configuration(engine: Engine) {
    let database = Database::fresh(engine).await;
    let config = service::write_config(&database, None, &Wishes::default());
    let run = |words: &[&str]| service::command(&config, words).output().unwrap();

    let mut page = Page::of_terminal("check-and-serve");
    page.ran(&["check"], &run(&["check"]));

    let good = std::fs::read_to_string(&config).unwrap();
    let bad = good
        .replace(
            "approvals = { deployer = 1 }",
            "approvals = { deplorer = 1 }",
        )
        .replace("gates = [", "gatess = [");
    std::fs::write(&config, bad).unwrap();
    for words in [["check"], ["serve"]] {
        let output = run(&words);
        assert_eq!(output.status.code(), Some(2));
        page.ran_so(
            &format!("countersign {}, with two mistakes", words[0]),
            &output,
        );
    }

    let unreachable = good.replace(&database.url, "postgres://nobody@127.0.0.1:9/none");
    std::fs::write(&config, unreachable).unwrap();
    let output = run(&["serve"]);
    assert_eq!(output.status.code(), Some(1));
    page.ran_so("countersign serve, and no database answers", &output);
    page.pin();

    let schema = run(&["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(schema["properties"]["service"].is_object());
}

async fn secrets_are_nowhere_to_be_seen(engine: Engine) {
    let database = Database::fresh(engine).await;
    let github = GitHub::start("another token than ours").await.unwrap();
    let wishes = Wishes {
        variables: vec![("COUNTERSIGN_LOG", "trace".to_owned())],
        ..Wishes::default()
    };
    let service = Service::start_with(&database, Some(&github), &wishes).await;
    let help = deliveries::comment(9, 50, "/help").to_string().into_bytes();
    service.deliver("issue_comment", "a", help).await.unwrap();
    eventually("GitHub turns us away", async || {
        let failed = "SELECT COUNT(*) FROM outbox WHERE problem LIKE '%Bad credentials%'";
        // Who wrote the comment cannot be found out either, so that there is no reaction.
        (database.number(failed).await == 1).then_some(())
    })
    .await;
    service.signal(Signal::HUP);
    eventually("it is loaded again", async || {
        let loaded = service.logged("the new configuration is in force");
        (!loaded.is_empty()).then_some(())
    })
    .await;
    let metrics = service.get("/metrics").await.text().await.unwrap();
    let shown = service.log().join("\n") + &metrics;
    for secret in [TOKEN, deliveries::SECRET] {
        assert!(!shown.contains(secret), "a secret was shown");
    }
    assert!(!shown.contains("sha256="), "a signature was shown");
    assert_eq!(service.stop().await, 0);
}

/// systemd hears when the service is ready, and when it ends.
#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_how_it_goes() {
    let database = Database::fresh(Engine::Sqlite).await;
    let place = database.folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&place).unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let told = || {
        let mut words = [0; 64];
        let length = socket.recv(&mut words).unwrap();
        String::from_utf8(words[..length].to_vec()).unwrap()
    };
    let wishes = Wishes {
        variables: vec![("NOTIFY_SOCKET", place.display().to_string())],
        ..Wishes::default()
    };
    let service = Service::start_with(&database, None, &wishes).await;
    assert_eq!(told(), "READY=1");
    assert_eq!(service.stop().await, 0);
    assert_eq!(told(), "STOPPING=1");
}
