//! People: what they may see and do, and by which names they are known.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Caller, SHOP, TOKEN, at_hand, start, with_token};

#[tokio::test]
async fn a_token_opens_what_its_person_may_see() {
    let (gitlab, bot, hand) = at_hand().await;
    gitlab.add_person(7, "eve");
    let eve = with_token(&gitlab, "eve");
    let nobody = Caller::new(&gitlab, "");
    let unknown = Caller::new(&gitlab, "glpat-of-nobody");
    let shop = "/projects/9";
    assert_eq!(bot.get("/user").await.body["username"], "countersign");
    assert_eq!(bot.get("/user").await.body["bot"], true);
    for (caller, path, status, message) in [
        (&unknown, shop, 401, "401 Unauthorized"),
        (&nobody, "/user", 401, "401 Unauthorized"),
        (&nobody, shop, 200, ""),
        (&eve, shop, 200, ""),
        (&eve, "/projects/9/hooks", 403, "403 Forbidden"),
        (&bot, "/projects/9/hooks", 200, ""),
        (
            &bot,
            "/projects/acme%2Fnothing",
            404,
            "404 Project Not Found",
        ),
    ] {
        let answer = caller.get(path).await;
        assert_eq!(
            (answer.status, answer.message()),
            (status, message),
            "{path}"
        );
    }
    gitlab.set_private(SHOP, true);
    for caller in [&nobody, &eve] {
        assert_eq!(caller.get(shop).await.message(), "404 Project Not Found");
    }
    gitlab.set_access(SHOP, "eve", Some(10));
    assert_eq!(eve.get(shop).await.status, 200);
    assert_eq!(eve.get("repository/branches/main").await.status, 403);
    gitlab.add_token_with("glpat-reads", "ann", &["read_api"], None);
    let reads = Caller::new(&gitlab, "glpat-reads");
    assert_eq!(reads.get(shop).await.status, 200);
    let note = json!({ "body": "Hello" });
    let refused = reads.post("merge_requests/3/notes", note.clone()).await;
    assert_eq!(refused.body["error"], "insufficient_scope");
    assert_eq!(refused.status, 403);
    gitlab.refuse_in_text();
    let plain = reads.post("merge_requests/3/notes", note).await;
    assert_eq!((plain.status, &plain.body), (403, &"403 Forbidden".into()));
    gitlab.block_person("ann", true);
    assert_eq!(reads.get(shop).await.status, 403);
    assert_eq!(bot.get("/users/5").await.body["state"], "blocked");
    let end = "2026-01-02T04:00:00Z".parse().unwrap();
    gitlab.add_token_with("glpat-ends", "bob", &["api"], Some(end));
    let ends = Caller::new(&gitlab, "glpat-ends");
    assert_eq!(ends.get("/user").await.status, 200);
    hand.advance(Duration::from_secs(3_600));
    let ended = ends.get("/user").await;
    assert_eq!(
        (ended.status, &ended.body["error"]),
        (401, &"invalid_token".into())
    );
    let bearer = reqwest::Client::new()
        .get(format!("{}/api/v4/user", gitlab.url()))
        .header("authorization", format!("Bearer {TOKEN}"));
    assert_eq!(bearer.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_is_a_member_depends_on_where_one_asks() {
    let (gitlab, caller) = start().await;
    gitlab.add_person(7, "dora");
    gitlab.add_person(8, "quinn");
    gitlab.add_group(91, "acme/sre");
    gitlab.add_project(10, "acme/sre/tools");
    gitlab.set_member(90, "dora", Some(20));
    gitlab.set_member(91, "dora", Some(40));
    gitlab.set_access("acme/sre/tools", "dora", Some(30));
    for (path, status, level) in [
        ("/projects/9/members/all/7", 200, 20),
        ("/projects/9/members/7", 404, 0),
        ("/projects/9/members/all/5", 200, 40),
        ("/projects/9/members/all/8", 404, 0),
        ("/projects/acme%2Fsre%2Ftools/members/all/7", 200, 40),
        ("/projects/10/members/7", 200, 30),
        ("/groups/90/members/all/7", 200, 20),
        ("/groups/acme%2Fsre/members/all/7", 200, 40),
        ("/groups/91/members/all/8", 404, 0),
        ("/groups/91/members/7", 200, 40),
    ] {
        let answer = caller.get(path).await;
        let found = answer.body["access_level"].as_u64().unwrap_or(0);
        assert_eq!((answer.status, found), (status, level), "{path}");
    }
    let all = caller.get("/projects/9/members/all").await;
    assert_eq!(all.each("id"), [1, 5, 6, 7].map(Value::from));
    let group = caller.get("/groups/acme%2Fsre").await;
    assert_eq!(
        (&group.body["id"], &group.body["parent_id"]),
        (&91.into(), &90.into())
    );
    gitlab.rename_person(7, "theodora");
    assert_eq!(
        caller.get("/users?username=dora").await.each("id"),
        [] as [Value; 0]
    );
    assert_eq!(caller.get("/users?username=Theodora").await.each("id"), [7]);
    gitlab.rename_group(91, "acme/ops");
    assert_eq!(caller.get("/groups/acme%2Fsre").await.status, 404);
    assert_eq!(
        caller.get("/projects/acme%2Fops%2Ftools").await.body["id"],
        10
    );
    gitlab.set_member(91, "theodora", None);
    let left = caller.get("/projects/10/members/all/7").await;
    assert_eq!(left.body["access_level"], 30);
}

#[tokio::test]
async fn a_project_that_moved_is_found_by_its_number() {
    let (gitlab, _caller) = start().await;
    gitlab.rename_project(SHOP, "acme/store");
    let still = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let old = format!(
        "{}/api/v4/projects/acme%2Fshop/repository/branches/main",
        gitlab.url()
    );
    let asked = still.get(old).header("private-token", TOKEN);
    let moved = asked.send().await.unwrap();
    assert_eq!(moved.status(), 301);
    let to = moved.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(
        to,
        format!(
            "{}/api/v4/projects/9/repository/branches/main",
            gitlab.url()
        )
    );
    let found = still.get(to).header("private-token", TOKEN);
    assert_eq!(found.send().await.unwrap().status(), 200);
}
