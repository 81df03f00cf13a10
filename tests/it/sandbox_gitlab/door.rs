//! Pages, limits and trouble.

use std::time::Duration;

use countersign_sandbox::gitlab::Trouble;
use serde_json::{Value, json};

use super::{SHOP, at_hand, start};

#[tokio::test]
async fn pages_lead_to_each_other() {
    let (gitlab, caller) = start().await;
    for number in 0..45 {
        gitlab.add_comment(SHOP, 3, "ann", &format!("{number}"));
    }
    let first = caller.get("merge_requests/3/notes?sort=asc").await;
    assert_eq!(first.body.as_array().unwrap().len(), 20);
    for (name, value) in [
        ("x-next-page", "2"),
        ("x-page", "1"),
        ("x-per-page", "20"),
        ("x-total", "45"),
        ("x-prev-page", ""),
        ("x-total-pages", "3"),
    ] {
        assert_eq!(first.header(name), value, "{name}");
    }
    let mut bodies = first.each("body");
    let mut next = first.link("next");
    while let Some(url) = next {
        let page = caller.get(&url).await;
        bodies.extend(page.each("body"));
        next = page.link("next");
    }
    let expect: Vec<Value> = (0..45).map(|number| number.to_string().into()).collect();
    assert_eq!(bodies, expect);
    let beyond = caller
        .get("merge_requests/3/notes?page=9&per_page=100")
        .await;
    assert_eq!(
        (beyond.body, beyond.headers["x-next-page"].to_str().unwrap()),
        (json!([]), "")
    );
}

#[tokio::test]
async fn limits_are_told_and_held() {
    let (gitlab, caller, hand) = at_hand().await;
    gitlab.limit(1, 1_767_323_045 + 90);
    let last = caller.get("/user").await;
    assert_eq!(
        (last.status, last.header("ratelimit-remaining")),
        (200, "0")
    );
    assert_eq!(last.header("ratelimit-reset"), "1767323135");
    let over = caller.get("/user").await;
    assert_eq!((over.status, &over.body), (429, &"Retry later".into()));
    assert_eq!(over.header("retry-after"), "90");
    assert_eq!(
        over.header("ratelimit-resettime"),
        "Fri, 02 Jan 2026 03:05:35 GMT"
    );
    hand.advance(Duration::from_secs(90));
    assert_eq!(caller.get("/user").await.status, 200);
}

#[tokio::test]
async fn trouble_comes_where_it_is_expected() {
    let (gitlab, caller) = start().await;
    let note = json!({ "body": "Hello" });
    let path = "merge_requests/3/notes";
    for (trouble, status, written) in [
        (Trouble::too_many(7), 429, 0),
        (Trouble::status(502), 502, 0),
        (Trouble::FailAfterActing { status: 500 }, 500, 1),
        (Trouble::Garbage, 201, 2),
        (Trouble::Slow(Duration::from_millis(1)), 201, 3),
    ] {
        gitlab.expect_trouble([trouble.clone()]);
        let answer = caller.post(path, note.clone()).await;
        assert_eq!(answer.status, status, "{trouble:?}");
        assert_eq!(gitlab.comments().len(), written, "{trouble:?}");
        if status == 429 {
            assert_eq!(
                (answer.header("retry-after"), &answer.body),
                ("7", &"Retry later".into())
            );
        }
    }
    for (trouble, written) in [(Trouble::Reset, 3), (Trouble::ResetAfterActing, 4)] {
        gitlab.expect_trouble_at("POST", "/notes", trouble);
        assert_eq!(
            caller.get("/user").await.status,
            200,
            "elsewhere all is well"
        );
        let answer = caller.try_ask("POST", path, note.clone()).await;
        assert!(answer.is_err());
        assert_eq!(gitlab.comments().len(), written);
    }
    for (trouble, written) in [(Trouble::SilenceBefore, 4), (Trouble::Silence, 5)] {
        gitlab.expect_trouble([trouble]);
        let silence = caller.try_ask("POST", path, note.clone());
        assert!(
            tokio::time::timeout(Duration::from_millis(200), silence)
                .await
                .is_err()
        );
        assert_eq!(gitlab.comments().len(), written);
    }
    assert_eq!(gitlab.trouble_left(), 0);
    let calls = gitlab.calls();
    let notes = "POST /projects/acme%2Fshop/merge_requests/3/notes";
    assert_eq!(calls.iter().filter(|call| *call == notes).count(), 9);
    let met: Vec<_> = gitlab
        .exchanges()
        .into_iter()
        .filter(|one| one.met_trouble)
        .collect();
    assert_eq!(met.len(), 8);
}
