//! Commits, and how they compare.

use countersign_sandbox::gitlab::NewCommit;
use serde_json::json;

use super::{SHOP, start};

#[tokio::test]
async fn commits_are_compared_by_their_ancestry() {
    let (gitlab, caller) = start().await;
    let root = gitlab.head(SHOP, "main").unwrap();
    let one = NewCommit::by("ann", "One\n\nAnd more").touching(["a.rs", "old.rs => new.rs"]);
    let one = gitlab.add_commit(SHOP, "main", one);
    gitlab.set_branch(SHOP, "side/way", &root);
    let side = NewCommit {
        author: Some("guest@elsewhere.example".to_owned()),
        ..NewCommit::by("bob", "Side").touching(["b.rs"])
    };
    let side = gitlab.add_commit(SHOP, "side/way", side);
    for (query, commits, files) in [
        (format!("from=main&to={root}"), vec![], vec![]),
        (
            format!("from={root}&to=main"),
            vec![&one],
            vec!["a.rs", "new.rs"],
        ),
        (
            "from=main&to=side/way".to_owned(),
            vec![&side],
            vec!["b.rs"],
        ),
        (
            "from=main&to=side%2Fway&straight=true".to_owned(),
            vec![&side],
            vec!["a.rs", "b.rs", "new.rs"],
        ),
    ] {
        let answer = caller.get(&format!("repository/compare?{query}")).await;
        let shas = answer.body["commits"].as_array().unwrap().iter();
        let shas: Vec<&str> = shas.map(|commit| commit["id"].as_str().unwrap()).collect();
        assert_eq!(shas, commits, "{query}");
        let diffs = answer.body["diffs"].as_array().unwrap().iter();
        let diffs: Vec<&str> = diffs
            .map(|diff| diff["new_path"].as_str().unwrap())
            .collect();
        assert_eq!(diffs, files, "{query}");
        assert_eq!(answer.body["compare_same_ref"], false);
    }
    let whole = caller
        .get(&format!("repository/compare?from={root}&to={one}"))
        .await;
    assert_eq!(whole.body["diffs"][1]["old_path"], "old.rs");
    assert_eq!(whole.body["diffs"][1]["renamed_file"], true);
    let same = caller.get("repository/compare?from=main&to=main").await;
    assert_eq!(same.body["compare_same_ref"], true);
    gitlab.let_compares_time_out(true);
    let slow = caller
        .get(&format!("repository/compare?from={root}&to=main"))
        .await;
    assert_eq!(slow.body["compare_timeout"], true);
    assert_eq!(
        slow.body["diffs"],
        json!([]),
        "a comparison that gave up says so and shows less"
    );
    let unknown = caller.get("repository/compare?from=main&to=nowhere").await;
    assert_eq!(
        (unknown.status, unknown.message()),
        (404, "404 Ref Not Found")
    );
    for text in [&one[..], &one[..8], "main", "refs%2Fheads%2Fmain"] {
        let commit = caller.get(&format!("repository/commits/{text}")).await;
        assert_eq!(
            (commit.status, &commit.body["id"]),
            (200, &one.as_str().into()),
            "{text}"
        );
        assert_eq!(commit.body["title"], "One");
        assert_eq!(commit.body["author_email"], "ann@example.com");
    }
    for text in [&one[..6], "nowhere"] {
        let commit = caller.get(&format!("repository/commits/{text}")).await;
        assert_eq!(commit.message(), "404 Commit Not Found");
    }
    let guest = caller.get(&format!("repository/commits/{side}")).await;
    assert_eq!(guest.body["author_email"], "guest@elsewhere.example");
    assert_eq!(guest.body["committer_email"], "bob@example.com");
    let base = caller
        .get("repository/merge_base?refs[]=main&refs[]=side%2Fway")
        .await;
    assert_eq!(base.body["id"], root);
    let branch = caller.get("repository/branches/side%2Fway").await;
    assert_eq!(branch.body["commit"]["id"], side);
    let refs = caller
        .get(&format!("repository/commits/{one}/refs?type=branch"))
        .await;
    assert_eq!(refs.each("name"), ["main"]);
    gitlab.add_fork(12, "eve/shop", SHOP);
    gitlab.add_commit("eve/shop", "main", NewCommit::by("bob", "Forked"));
    let fork = caller
        .get("/projects/12/repository/compare?from=main&to=main&from_project_id=9")
        .await;
    assert_eq!(fork.body["commits"].as_array().unwrap().len(), 1);
}
