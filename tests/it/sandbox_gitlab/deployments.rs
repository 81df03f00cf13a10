//! Deployments, and who must agree to them.

use std::time::Duration;

use countersign_sandbox::gitlab::{Access, JobPlan, NewCommit};
use serde_json::{Value, json};

use super::{SHOP, at_hand, last, overheard, start, with_token};

#[tokio::test]
async fn a_protected_environment_waits_for_others_and_approval_starts_nothing() {
    let (gitlab, caller, _hand) = overheard().await;
    gitlab.add_person(7, "dora");
    gitlab.add_person(8, "quinn");
    gitlab.set_access(SHOP, "dora", Some(40));
    gitlab.set_access(SHOP, "quinn", Some(30));
    gitlab.protect_environment(SHOP, "production", &[Access::Level(40)], 2);
    let protected = caller.get("protected_environments/production").await;
    assert_eq!(protected.body["approval_rules"][0]["required_approvals"], 2);
    assert_eq!(
        caller.get("protected_environments").await.each("name"),
        ["production"]
    );
    let missing = caller.get("protected_environments/staging").await;
    assert_eq!(missing.status, 404);
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("ann", "Change")])
        .await;
    gitlab.pass(SHOP, &sha).await;
    let blocked = caller
        .get("deployments?status=blocked&environment=production")
        .await;
    let deployment = blocked.body[0]["id"].as_u64().unwrap();
    assert_eq!(blocked.body[0]["user"]["username"], "ann");
    assert!(
        !gitlab
            .sent()
            .iter()
            .any(|sent| sent.body["environment"] == "production"),
        "nothing tells of what is blocked"
    );
    let (job, status) = gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap();
    assert_eq!(status, "manual");
    let play = format!("jobs/{job}/play");
    assert_eq!(caller.post(&play, Value::Null).await.status, 400);
    let (ann, dora, quinn) = (
        with_token(&gitlab, "ann"),
        with_token(&gitlab, "dora"),
        with_token(&gitlab, "quinn"),
    );
    let path = format!("deployments/{deployment}/approval");
    let yes = json!({ "status": "approved", "comment": "Fine." });
    for (person, status, message) in [
        (&ann, 400, "You cannot approve your own deployment."),
        (&quinn, 400, "You don't have permission"),
        (&dora, 201, ""),
        (&dora, 201, ""),
    ] {
        let answer = person.post(&path, yes.clone()).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.message().starts_with(message), "{answer:?}");
    }
    let shown = caller.get(&format!("deployments/{deployment}")).await;
    assert_eq!(
        shown.body["pending_approval_count"], 1,
        "one person counts once"
    );
    assert_eq!(shown.body["approvals"][0]["comment"], "Fine.");
    assert_eq!(caller.post(&play, Value::Null).await.status, 400);
    let given = caller.post(&path, yes.clone()).await;
    assert_eq!(given.body["user"]["username"], "countersign");
    assert_eq!(
        gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap().1,
        "manual"
    );
    let shown = caller.get(&format!("deployments/{deployment}")).await;
    assert_eq!(shown.body["status"], "blocked", "until the job runs");
    assert_eq!(quinn.post(&play, Value::Null).await.status, 403);
    assert_eq!(caller.post(&play, Value::Null).await.status, 200);
    gitlab.job_moves(job, "running").await;
    let told = last(&gitlab, "Deployment Hook");
    assert_eq!(told.body["deployment_id"], deployment);
    assert_eq!(
        told.body["user"]["username"], "countersign",
        "who started the job"
    );
    assert_eq!(ann.post(&path, yes.clone()).await.status, 400);

    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("ann", "Next")])
        .await;
    gitlab.pass(SHOP, &sha).await;
    let (next, status, _) = gitlab.deployments(SHOP, "production").pop().unwrap();
    assert_eq!(status, "blocked");
    gitlab.approve("dora", next, "rejected").await.unwrap();
    assert_eq!(
        gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap().1,
        "failed"
    );
    let over = gitlab.approve("countersign", next, "approved").await;
    assert_eq!(
        over.unwrap_err(),
        "This deployment is not waiting for approvals."
    );
    gitlab.set_premium(false);
    assert_eq!(caller.get("protected_environments").await.status, 404);
    let free = caller.get(&format!("deployments/{next}")).await;
    assert!(free.body.get("approvals").is_none());
}

#[tokio::test]
async fn whom_an_environment_is_open_to() {
    let (gitlab, caller) = start().await;
    gitlab.add_person(7, "dora");
    gitlab.add_person(8, "quinn");
    gitlab.add_group(91, "acme/sre");
    gitlab.set_member(91, "quinn", Some(30));
    for person in ["dora", "quinn"] {
        gitlab.set_access(SHOP, person, Some(30));
    }
    let manual = JobPlan::new("ship", "ship").manual().to("production");
    gitlab.set_jobs(SHOP, vec![manual]);
    for (access, allowed) in [
        (
            Access::Level(30),
            vec!["bob", "dora", "quinn", "countersign"],
        ),
        (Access::Level(40), vec!["countersign"]),
        (Access::Person(7), vec!["dora"]),
        (Access::Group(91), vec!["quinn"]),
    ] {
        gitlab.protect_environment(SHOP, "production", &[access], 0);
        let mut found = Vec::new();
        for person in ["bob", "dora", "quinn", "countersign"] {
            let pipeline = gitlab.run_pipeline(SHOP, "main", "ann").await.unwrap();
            let job = caller.get(&format!("pipelines/{pipeline}/jobs")).await;
            let job = job.body[0]["id"].as_u64().unwrap();
            if gitlab.play(job, person).await {
                found.push(person);
            }
        }
        assert_eq!(found, allowed, "{access:?}");
    }
    let own = |environment: &str| {
        let head = gitlab.head(SHOP, "main").unwrap();
        json!({
            "environment": environment, "sha": head, "ref": "main", "tag": false,
            "status": "running",
        })
    };
    assert_eq!(
        caller.post("deployments", own("production")).await.status,
        403
    );
    assert_eq!(caller.post("deployments", own("staging")).await.status, 201);
    gitlab.protect_environment(SHOP, "production", &[Access::Level(40)], 1);
    gitlab.let_triggerer_approve(SHOP, true);
    let pipeline = gitlab.run_pipeline(SHOP, "main", "ann").await.unwrap();
    let (deployment, _, _) = gitlab.deployments(SHOP, "production").pop().unwrap();
    gitlab.approve("ann", deployment, "approved").await.unwrap();
    let shown = caller.get(&format!("deployments/{deployment}")).await;
    assert_eq!(shown.body["pending_approval_count"], 0);
    assert_eq!(shown.body["deployable"]["pipeline"]["id"], pipeline);
}

#[tokio::test]
async fn what_is_older_than_what_is_live_is_refused_until_it_is_a_rollback() {
    let (gitlab, caller) = start().await;
    let mut jobs = Vec::new();
    for title in ["One", "Two", "Three"] {
        let sha = gitlab
            .push(SHOP, "main", vec![NewCommit::by("bob", title)])
            .await;
        gitlab.pass(SHOP, &sha).await;
        jobs.push(gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap().0);
    }
    let play = async |job: u64| {
        let path = format!("jobs/{job}/play");
        caller.post(&path, Value::Null).await.status
    };
    for job in [jobs[0], jobs[2]] {
        assert_eq!(play(job).await, 200);
        gitlab.job_moves(job, "success").await;
    }
    assert_eq!(
        play(jobs[1]).await,
        403,
        "it never ran, and a later one is live"
    );
    let again = caller
        .post(&format!("jobs/{}/retry", jobs[0]), Value::Null)
        .await;
    assert_eq!(again.status, 201, "it ran before");
    gitlab.set_forward_only(SHOP, false);
    assert_eq!(play(jobs[1]).await, 200);
}

#[tokio::test]
async fn a_manual_job_shows_a_blocked_deployment_whether_or_not_it_needs_approval() {
    let (gitlab, caller, hand) = at_hand().await;
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change")])
        .await;
    assert_eq!(caller.get("deployments").await.body, json!([]));
    gitlab.pass(SHOP, &sha).await;
    let all = caller.get("deployments").await;
    assert_eq!(all.each("status"), ["success", "blocked"], "oldest first");
    hand.advance(Duration::from_secs(60));
    let own = json!({
        "environment": "production", "sha": sha, "ref": "main", "tag": false, "status": "running",
    });
    let made = caller.post("deployments", own.clone()).await;
    assert_eq!((made.status, &made.body["deployable"]), (201, &Value::Null));
    let id = made.body["id"].as_u64().unwrap();
    let path = format!("deployments/{id}");
    for (status, expect) in [("success", 200), ("success", 400), ("pending", 400)] {
        let said = caller.ask("PUT", &path, json!({ "status": status })).await;
        assert_eq!(said.status, expect, "{status}");
    }
    for (query, expect) in [
        (
            "?environment=production&order_by=id&sort=desc",
            vec!["success", "blocked"],
        ),
        ("?environment=staging", vec!["success"]),
        ("?status=blocked", vec!["blocked"]),
        (
            "?updated_after=2026-01-02T03:05:00Z&order_by=updated_at",
            vec!["success"],
        ),
    ] {
        let found = caller
            .get(&format!("deployments{query}"))
            .await
            .each("status");
        assert_eq!(found, expect, "{query}");
    }
    let alone = caller
        .get("deployments?updated_after=2026-01-02T03:05:00Z")
        .await;
    assert_eq!(alone.status, 400, "the filter needs its order");
    for missing in ["environment", "sha", "ref", "tag", "status"] {
        let mut body = own.clone();
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(
            caller.post("deployments", body).await.status,
            400,
            "{missing}"
        );
    }
    let environments = caller.get("environments?name=production").await;
    assert_eq!(environments.each("tier"), ["production"]);
    let environment = format!("environments/{}", environments.body[0]["id"]);
    assert_eq!(
        caller.get(&environment).await.body["last_deployment"]["id"],
        id
    );
}
