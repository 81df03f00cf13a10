//! GitLab's door in, through HTTP: senders who cannot show that they are GitLab are turned away, and nothing of
//! what they sent is kept.

use std::fmt::Write as _;

use countersign_ground::clock::Clock;

use crate::support::deliveries::{SECRET, signed_by_gitlab};
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(what_gitlab_did_not_send_is_turned_away_and_nothing_is_stored);

const SIGNING_TOKEN: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const BODY: &str =
    r#"{"object_kind":"wiki_page","project":{"id":9,"path_with_namespace":"acme/shop"}}"#;

/// The key that the signing token holds.
fn key() -> Vec<u8> {
    (0..32).collect()
}

/// A service that lets in by a signing token, and by the plain one that it takes the place of.
async fn serve(database: &Database) -> Service {
    let mut text = String::from("[server]\nlisten = \"127.0.0.1:0\"\n");
    writeln!(text, "[database]\nurl = \"{}\"", database.url).unwrap();
    text.push_str(
        "[gitlab]\nurl = \"http://127.0.0.1:9\"\ntoken = { env = \"TEST_TOKEN\" }\n\
         webhook_secret = [{ env = \"SIGNING_TOKEN\" }, { env = \"TEST_SECRET\" }]\n\
         [roles.deployer]\ngitlab_users = [\"ann\"]\n\
         [[service]]\nname = \"shop\"\nrepo = \"gitlab:acme/shop\"\nbranch = \"main\"\n\
         [[service.stage]]\nname = \"build\"\ngates = [\"job:build\"]\n\
         [[service.environment]]\nname = \"prod\"\napprovals = { deployer = 1 }\nexclude = []\n\
         trigger = { gitlab = \"play_job\", job = \"deploy-prod\" }\n",
    );
    let config = database.folder.path().join("bot.toml");
    std::fs::write(&config, text).unwrap();
    Service::run(config, &[("SIGNING_TOKEN", SIGNING_TOKEN.to_owned())]).await
}

type Headers = Vec<(&'static str, String)>;

/// The headers of a signature that was made so many seconds ago.
fn signed(key: &[u8], seconds_ago: i64, body: &str) -> Headers {
    let (id, at) = (
        "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
        Clock::system().now().as_second() - seconds_ago,
    );
    let signature = signed_by_gitlab(key, (id, at), body.as_bytes());
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ]
}

async fn stored(database: &Database) -> i64 {
    database.number("SELECT COUNT(*) FROM inbox").await
}

async fn what_gitlab_did_not_send_is_turned_away_and_nothing_is_stored(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = serve(&database).await;
    let plain = |token: &str| vec![("x-gitlab-token", token.to_owned())];
    let with_plain = |mut headers: Headers| {
        headers.extend(plain(SECRET));
        headers
    };
    let without = |name: &str| {
        let mut headers = signed(&key(), 0, BODY);
        headers.retain(|(known, _)| *known != name);
        with_plain(headers)
    };
    let table: Vec<(&str, Headers)> = vec![
        ("nothing", Vec::new()),
        ("another token", plain("a token of somebody else")),
        ("an empty token", plain("")),
        ("half of the token", plain(&SECRET[..10])),
        ("the token twice", [plain(SECRET), plain(SECRET)].concat()),
        ("the signing token in plain text", plain(SIGNING_TOKEN)),
        ("a signature with another key", signed(&[7; 32], 0, BODY)),
        ("a signature of another body", signed(&key(), 0, "{}")),
        ("a stale signature", signed(&key(), 302, BODY)),
        ("a signature of the future", signed(&key(), -302, BODY)),
        ("a signature without its id", without("webhook-id")),
        ("a signature without its time", without("webhook-timestamp")),
        // The plain token beside it mends nothing.
        (
            "a wrong signature and the token",
            with_plain(signed(&[7; 32], 0, BODY)),
        ),
        (
            "a stale signature and the token",
            with_plain(signed(&key(), 302, BODY)),
        ),
    ];
    let client = reqwest::Client::new();
    let send = async |headers: &Headers| {
        let mut request = client
            .post(service.url("/hooks/gitlab"))
            .header("x-gitlab-event", "Wiki Page Hook")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(BODY).send().await.unwrap()
    };
    for (what, headers) in &table {
        let answer = send(headers).await;
        assert_eq!(answer.status(), 401, "{what}");
        let said = answer.text().await.unwrap();
        assert!(!said.contains(SECRET), "{what}: {said}");
    }
    assert_eq!(stored(&database).await, 0);
    let counted = r#"countersign_deliveries_total{source="gitlab",answer="unauthentic"}"#;
    assert_eq!(service.metric(counted).await, 14.0);

    // The same body is let in with what is right, and it is none of our business.
    for headers in [signed(&key(), 200, BODY), plain(SECRET)] {
        assert_eq!(send(&headers).await.status(), 202);
    }
    assert_eq!(stored(&database).await, 2);
    let ignored = "SELECT COUNT(*) FROM inbox WHERE outcome = 'ignored'";
    eventually("nothing comes of it", async || {
        (database.number(ignored).await == 2).then_some(())
    })
    .await;
    let log = service.log().join("\n");
    assert!(!log.contains(SECRET) && !log.contains(SIGNING_TOKEN));
    assert_eq!(service.stop().await, 0);
}
