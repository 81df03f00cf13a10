//! Merge requests, notes and emoji.

use countersign_sandbox::gitlab::NewCommit;
use serde_json::{Value, json};

use super::{SHOP, last, overheard, with_token};

#[tokio::test]
async fn a_merge_request_is_called_by_its_iid() {
    let (gitlab, caller, _hand) = overheard().await;
    let root = gitlab.head(SHOP, "main").unwrap();
    let one = caller.get("merge_requests/3").await;
    assert_ne!(one.body["id"], 3);
    assert_eq!(one.body["author"]["username"], "ann");
    assert_eq!(one.body["detailed_merge_status"], "mergeable");
    let id = one.body["id"].as_u64().unwrap();
    assert_eq!(
        caller.get(&format!("merge_requests/{id}")).await.status,
        404
    );
    gitlab.convert_to_draft(SHOP, 3, "ann").await;
    let draft = caller.get("merge_requests/3").await;
    assert_eq!(
        (&draft.body["draft"], &draft.body["title"]),
        (&true.into(), &"Draft: Merge more".into())
    );
    gitlab.ready_for_review(SHOP, 3, "ann").await;
    let before = gitlab.head(SHOP, "more").unwrap();
    let head = gitlab
        .push(SHOP, "more", vec![NewCommit::by("ann", "More")])
        .await;
    let told = last(&gitlab, "Merge Request Hook");
    assert_eq!(told.action.as_deref(), Some("update"));
    assert_eq!(told.body["object_attributes"]["oldrev"], before);
    assert_eq!(told.body["object_attributes"]["last_commit"]["id"], head);
    let notes = caller.get("merge_requests/3/notes").await;
    assert_eq!(
        notes.each("system"),
        [true],
        "GitLab writes down pushes itself"
    );
    assert!(!gitlab.sent().iter().any(|sent| sent.event == "Note Hook"));

    let merge = gitlab.merge(SHOP, 3, "bob").await;
    let merged = caller.get("merge_requests/3").await;
    assert_eq!(merged.body["state"], "merged");
    assert_eq!(merged.body["merge_commit_sha"], merge);
    assert_eq!(merged.body["squash_commit_sha"], Value::Null);
    assert_eq!(
        (&merged.body["sha"], &merged.body["merge_user"]["id"]),
        (&head.as_str().into(), &6.into())
    );
    for sha in [&merge, &head] {
        let found = caller
            .get(&format!("repository/commits/{sha}/merge_requests"))
            .await;
        assert_eq!(found.each("iid"), [3], "{sha}");
    }
    let none = caller
        .get(&format!("repository/commits/{root}/merge_requests"))
        .await;
    assert_eq!(none.body, json!([]));

    gitlab.set_branch(SHOP, "topic", &merge);
    gitlab
        .push(SHOP, "topic", vec![NewCommit::by("bob", "Topic")])
        .await;
    let topic = gitlab
        .open_merge_request(SHOP, "bob", "topic", "main")
        .await;
    assert_eq!(topic, 4);
    let squashed = gitlab.squash(SHOP, topic, "ann").await;
    let shown = caller.get("merge_requests/4").await;
    assert_eq!(shown.body["merge_commit_sha"], squashed);
    let squash = shown.body["squash_commit_sha"].as_str().unwrap();
    let commit = caller.get(&format!("repository/commits/{squash}")).await;
    assert_eq!(commit.body["author_email"], "bob@example.com");
    assert_eq!(commit.body["committer_email"], "ann@example.com");
    gitlab.set_branch(SHOP, "straight", &squashed);
    let tip = gitlab
        .push(SHOP, "straight", vec![NewCommit::by("bob", "Straight")])
        .await;
    let straight = gitlab
        .open_merge_request(SHOP, "bob", "straight", "main")
        .await;
    assert_eq!(gitlab.fast_forward(SHOP, straight, "ann").await, tip);
    let shown = caller.get("merge_requests/5").await;
    assert_eq!(
        shown.body["merge_commit_sha"],
        Value::Null,
        "nothing was made"
    );
    gitlab.add_fork(12, "eve/shop", SHOP);
    let fork = gitlab
        .open_merge_request(SHOP, "bob", "eve/shop:more", "main")
        .await;
    let shown = caller.get(&format!("merge_requests/{fork}")).await;
    assert_eq!(
        (
            &shown.body["source_project_id"],
            &shown.body["target_project_id"]
        ),
        (&12.into(), &9.into())
    );
    gitlab.close(SHOP, fork, "bob").await;
    assert_eq!(
        caller.get(&format!("merge_requests/{fork}")).await.body["state"],
        "closed"
    );
    gitlab.reopen(SHOP, fork, "bob").await;
    assert_eq!(
        last(&gitlab, "Merge Request Hook").action.as_deref(),
        Some("reopen")
    );
    let pipeline = gitlab.run_merge_request_pipeline(SHOP, fork).await.unwrap();
    let shown = caller.get(&format!("pipelines/{pipeline}")).await;
    assert_eq!(shown.body["source"], "merge_request_event");
}

#[tokio::test]
async fn notes_belong_to_their_authors_and_emoji_are_given_once() {
    let (gitlab, caller, _hand) = overheard().await;
    let asked = gitlab.comment("ann", SHOP, 3, "/deploy prod").await;
    let told = last(&gitlab, "Note Hook");
    assert_eq!(told.body["object_attributes"]["note"], "/deploy prod");
    assert_eq!(told.body["object_attributes"]["id"], asked);
    assert_eq!(told.body["user"]["username"], "ann");
    assert_eq!(told.body["merge_request"]["iid"], 3);
    assert_eq!(
        (told.action.as_deref(), &told.body["event_type"]),
        (Some("create"), &"note".into())
    );
    gitlab
        .edit_comment("ann", SHOP, asked, "/deploy staging")
        .await;
    assert_eq!(last(&gitlab, "Note Hook").action.as_deref(), Some("update"));
    let emoji = format!("merge_requests/3/notes/{asked}/award_emoji");
    let eyes = caller.post(&emoji, json!({ "name": "eyes" })).await;
    assert_eq!(
        (eyes.status, &eyes.body["awardable_id"]),
        (201, &asked.into())
    );
    let twice = caller.post(&emoji, json!({ "name": "eyes" })).await;
    assert_eq!(
        twice.message(),
        "404 Award Emoji Name has already been taken Not Found"
    );
    assert_eq!(twice.status, 404);
    let none = caller.post(&emoji, json!({ "name": "no such name" })).await;
    assert_eq!(none.status, 404);
    let bob = with_token(&gitlab, "bob");
    assert_eq!(
        bob.post(&emoji, json!({ "name": "eyes" })).await.status,
        201
    );
    assert_eq!(gitlab.reactions(SHOP, asked), ["eyes", "eyes"]);
    let told = last(&gitlab, "Emoji Hook");
    assert_eq!(told.body["object_attributes"]["awardable_type"], "Note");
    let mine = format!("{emoji}/{}", eyes.body["id"]);
    assert_eq!(bob.ask("DELETE", &mine, Value::Null).await.status, 401);
    assert_eq!(caller.ask("DELETE", &mine, Value::Null).await.status, 204);
    assert_eq!(
        last(&gitlab, "Emoji Hook").action.as_deref(),
        Some("revoke")
    );
    assert_eq!(caller.get(&emoji).await.each("name"), ["eyes"]);
    let to_all = caller
        .post("merge_requests/3/award_emoji", json!({ "name": "rocket" }))
        .await;
    assert_eq!(to_all.body["awardable_type"], "MergeRequest");

    let answer = caller
        .post("merge_requests/3/notes", json!({ "body": "Started." }))
        .await;
    assert_eq!(
        (answer.status, &answer.body["author"]["id"]),
        (201, &1.into())
    );
    let note = format!("merge_requests/3/notes/{}", answer.body["id"]);
    let changed = caller.ask("PUT", &note, json!({ "body": "Live." })).await;
    assert_eq!(
        (changed.status, &changed.body["body"]),
        (200, &"Live.".into())
    );
    assert_eq!(
        bob.ask("PUT", &note, json!({ "body": "Never." }))
            .await
            .status,
        403
    );
    assert_eq!(caller.get(&note).await.body["body"], "Live.");
    let written = gitlab.comments();
    assert_eq!(
        written.len(),
        1,
        "what people type is not what came through the API"
    );
    assert_eq!((written[0].iid, written[0].body.as_str()), (3, "Live."));
    assert_eq!(
        caller
            .post("merge_requests/3/notes", json!({}))
            .await
            .status,
        400
    );
    assert_eq!(
        caller
            .post("merge_requests/99/notes", json!({ "body": "?" }))
            .await
            .status,
        404
    );
    let given = gitlab.award("ann", SHOP, asked, "rocket").await.unwrap();
    assert!(gitlab.award("ann", SHOP, asked, "rocket").await.is_none());
    gitlab.revoke(SHOP, given).await;
    gitlab.delete_comment(SHOP, asked).await;
    assert_eq!(
        caller.post(&emoji, json!({ "name": "eyes" })).await.status,
        404
    );
}
