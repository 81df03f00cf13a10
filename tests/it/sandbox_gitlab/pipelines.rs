//! Pipelines, jobs, and what others report.

use std::time::Duration;

use countersign_sandbox::gitlab::{GitLab, JobPlan, NewCommit};
use serde_json::{Value, json};

use super::{Caller, SHOP, at_hand, last, overheard, start, with_token};

/// Names and statuses of the jobs of a commit's newest pipeline.
async fn jobs(gitlab: &GitLab, caller: &Caller, sha: &str) -> Vec<String> {
    let pipeline = gitlab.pipeline_of(SHOP, sha).unwrap();
    let answer = caller.get(&format!("pipelines/{pipeline}/jobs")).await;
    let mut shown: Vec<(u64, String)> = answer
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            let word = |field: &str| job[field].as_str().unwrap().to_owned();
            (
                job["id"].as_u64().unwrap(),
                format!("{} {}", word("name"), word("status")),
            )
        })
        .collect();
    shown.sort_unstable();
    shown.into_iter().map(|(_, shown)| shown).collect()
}

#[tokio::test]
async fn a_push_runs_through_its_stages_until_somebody_must_decide() {
    let (gitlab, caller) = start().await;
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change")])
        .await;
    let pipeline = gitlab.pipeline_of(SHOP, &sha).unwrap();
    let created = [
        "build pending",
        "test created",
        "deploy-staging created",
        "deploy-prod created",
    ];
    assert_eq!(jobs(&gitlab, &caller, &sha).await, created);
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "pending");
    let (prod, _) = gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap();
    let early = caller.post(&format!("jobs/{prod}/play"), Value::Null).await;
    assert_eq!(
        (early.status, early.message()),
        (400, "400 Bad request - Unplayable Job")
    );

    gitlab.job(SHOP, &sha, "build", "success").await;
    gitlab.job(SHOP, &sha, "test", "failed").await;
    let failed = [
        "build success",
        "test failed",
        "deploy-staging skipped",
        "deploy-prod skipped",
    ];
    assert_eq!(jobs(&gitlab, &caller, &sha).await, failed);
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "failed");

    let (test, _) = gitlab.job_of(SHOP, &sha, "test").unwrap();
    let again = caller
        .post(&format!("jobs/{test}/retry"), Value::Null)
        .await;
    assert_eq!(
        (again.status, &again.body["status"]),
        (201, &"pending".into())
    );
    assert_ne!(again.body["id"], test, "a retried job is another job");
    gitlab.pass(SHOP, &sha).await;
    assert_eq!(
        gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap(),
        (prod, "manual".to_owned())
    );
    assert_eq!(
        gitlab.pipeline_status(pipeline).unwrap(),
        "success",
        "a pipeline does not wait for an optional job"
    );
    let all = caller
        .get(&format!("pipelines/{pipeline}/jobs?include_retried=true"))
        .await;
    assert_eq!(all.body.as_array().unwrap().len(), 5);
    let some = caller
        .get(&format!(
            "pipelines/{pipeline}/jobs?scope[]=manual&scope[]=failed"
        ))
        .await;
    assert_eq!(some.each("name"), ["deploy-prod"]);

    let variables = json!({ "job_variables_attributes": [{ "key": "SHA", "value": sha }] });
    let played = caller.post(&format!("jobs/{prod}/play"), variables).await;
    assert_eq!(
        (played.status, &played.body["status"]),
        (200, &"pending".into())
    );
    assert_eq!(played.body["user"]["username"], "countersign");
    assert_eq!(
        gitlab.job_variables(prod),
        [("SHA".to_owned(), sha.clone())]
    );
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "running");
    let twice = caller.post(&format!("jobs/{prod}/play"), Value::Null).await;
    assert_eq!(twice.status, 400);
    gitlab.job_moves(prod, "running").await;
    gitlab.job_moves(prod, "success").await;
    let deployment = caller.get("deployments?environment=production").await;
    assert_eq!(deployment.each("status"), ["success"]);
    assert_eq!(deployment.body[0]["deployable"]["id"], prod);
    assert_eq!(deployment.body[0]["sha"], sha);
    let retried = caller
        .post(&format!("jobs/{prod}/retry"), Value::Null)
        .await;
    let retried = retried.body["id"].as_u64().unwrap();
    gitlab.job_moves(retried, "running").await;
    assert_eq!(
        caller
            .get("deployments?environment=production")
            .await
            .each("status"),
        ["success", "running"]
    );
    let done = caller
        .post(&format!("jobs/{prod}/retry"), Value::Null)
        .await;
    assert_eq!(done.status, 403, "what was retried is not retried");
    let cancelled = caller
        .post(&format!("pipelines/{pipeline}/cancel"), Value::Null)
        .await;
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (200, &"canceled".into())
    );
    let twice = caller
        .post(&format!("pipelines/{pipeline}/cancel"), Value::Null)
        .await;
    assert_eq!(twice.status, 200);
}

#[tokio::test]
async fn pipelines_are_listed_and_filtered() {
    let (gitlab, caller, hand) = at_hand().await;
    let first = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "One")])
        .await;
    hand.advance(Duration::from_secs(60));
    let second = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Two")])
        .await;
    let skipped = NewCommit::by("bob", "Three [skip ci]");
    let third = gitlab.push(SHOP, "main", vec![skipped]).await;
    let id = |sha: &str| gitlab.pipeline_of(SHOP, sha).unwrap();
    let (one, two, three) = (id(&first), id(&second), id(&third));
    gitlab.pass(SHOP, &second).await;
    hand.advance(Duration::from_secs(60));
    gitlab.pass(SHOP, &first).await;
    for (query, expect) in [
        ("", vec![three, two, one]),
        ("?sort=asc", vec![one, two, three]),
        (&format!("?sha={first}"), vec![one]),
        ("?ref=topic", vec![]),
        ("?status=success", vec![two, one]),
        ("?status=skipped", vec![three]),
        ("?source=push&order_by=updated_at", vec![one, three, two]),
        ("?source=web", vec![]),
        ("?updated_after=2026-01-02T03:05:30Z", vec![one]),
    ] {
        let found = caller.get(&format!("pipelines{query}")).await.each("id");
        assert_eq!(found, expect, "{query}");
    }
    let latest = caller.get("pipelines/latest?ref=main").await;
    assert_eq!(latest.body["id"], three);
    assert_eq!(caller.get("pipelines/1").await.status, 404);
}

#[tokio::test]
async fn a_pipeline_is_ordered_at_a_branch_and_never_at_a_commit() {
    let (gitlab, caller) = start().await;
    gitlab.add_trigger_token(SHOP, "glptt-release", "bob");
    let sha = gitlab.head(SHOP, "main").unwrap();
    let list = json!({ "ref": "main", "variables": [{ "key": "SHA", "value": sha }] });
    let made = caller.post("pipeline", list).await;
    assert_eq!(
        (made.status, &made.body["sha"]),
        (201, &sha.as_str().into())
    );
    assert_eq!(made.body["source"], "api");
    let variables = format!("pipelines/{}/variables", made.body["id"]);
    let known = gitlab.pipeline_variables(made.body["id"].as_u64().unwrap());
    assert_eq!(known, [("SHA".to_owned(), sha.clone())]);
    assert_eq!(caller.get(&variables).await.each("value"), [sha.as_str()]);
    let bob = with_token(&gitlab, "bob");
    assert_eq!(
        bob.get(&variables).await.status,
        403,
        "secrets may stand there"
    );
    let at_commit = caller.post("pipeline", json!({ "ref": sha })).await;
    assert_eq!(at_commit.status, 400);
    assert_eq!(at_commit.body["message"]["base"][0], "Reference not found");
    let inputs = json!({ "ref": "main", "inputs": { "environment": "prod" } });
    let made_with = caller.post("pipeline", inputs).await;
    let known = gitlab.pipeline_inputs(made_with.body["id"].as_u64().unwrap());
    assert_eq!(known, json!({ "environment": "prod" }));
    let as_map = json!({ "ref": "main", "variables": { "SHA": sha } });
    assert_eq!(caller.post("pipeline", as_map).await.status, 400);

    let nobody = Caller::new(&gitlab, "");
    let order = |variables: Value| json!({ "ref": "main", "token": "glptt-release", "variables": variables });
    let made = nobody
        .post("trigger/pipeline", order(json!({ "SHA": sha })))
        .await;
    assert_eq!(
        (made.status, &made.body["source"]),
        (201, &"trigger".into())
    );
    assert_eq!(
        made.body["user"]["username"], "bob",
        "the token acts for whoever made it"
    );
    for (body, status) in [
        (order(json!({ "COUNT": 1 })), 400),
        (order(json!([{ "key": "SHA", "value": "" }])), 400),
        (json!({ "ref": "main", "token": "glptt-of-nobody" }), 404),
        (json!({ "token": "glptt-release" }), 400),
        (json!({ "ref": "nowhere", "token": "glptt-release" }), 400),
    ] {
        let answer = nobody.post("trigger/pipeline", body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let form = reqwest::Client::new()
        .post(format!(
            "{}/api/v4/projects/9/ref/main/trigger/pipeline",
            gitlab.url()
        ))
        .header("content-type", "application/x-www-form-urlencoded");
    let filled = form
        .try_clone()
        .unwrap()
        .body("token=glptt-release&variables[SHA]=abc");
    assert_eq!(filled.send().await.unwrap().status(), 201);
    let looping = form
        .header("x-gitlab-event", "Pipeline Hook")
        .body("token=glptt-release");
    assert_eq!(looping.send().await.unwrap().status(), 403);
    gitlab.set_jobs(SHOP, Vec::new());
    let empty = caller.post("pipeline", json!({ "ref": "main" })).await;
    assert_eq!(empty.status, 400, "a pipeline without jobs is none");
}

#[tokio::test]
async fn a_bridge_fares_as_its_child_does() {
    let (gitlab, caller, _hand) = overheard().await;
    let child = vec![
        JobPlan::new("unit", "test"),
        JobPlan::new("slow", "test").may_fail(),
    ];
    let plan = vec![
        JobPlan::new("tests", "test").starting(child),
        JobPlan::new("agree", "approve").blocking(),
        JobPlan::new("deploy", "deploy").to("production"),
    ];
    gitlab.set_jobs(SHOP, plan);
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change")])
        .await;
    let parent = gitlab.pipeline_of(SHOP, &sha).unwrap();
    let bridges = caller.get(&format!("pipelines/{parent}/bridges")).await;
    assert_eq!(bridges.each("name"), ["tests"]);
    let child = bridges.body[0]["downstream_pipeline"]["id"]
        .as_u64()
        .unwrap();
    assert_eq!(
        jobs(&gitlab, &caller, &sha).await,
        ["agree created", "deploy created"]
    );
    assert_eq!(
        caller.get("pipelines").await.each("id"),
        [parent],
        "children are not shown"
    );
    assert_eq!(
        caller
            .get("pipelines?source=parent_pipeline")
            .await
            .each("id"),
        [child]
    );
    let listed = caller.get(&format!("pipelines/{child}/jobs")).await;
    let names = listed.each("name");
    assert_eq!(names, ["slow", "unit"], "newest first");
    let id = |index: usize| listed.body[index]["id"].as_u64().unwrap();
    gitlab.job_moves(id(0), "failed").await;
    gitlab.job_moves(id(1), "success").await;
    let bridges = caller
        .get(&format!("pipelines/{parent}/bridges?scope[]=success"))
        .await;
    assert_eq!(bridges.each("status"), ["success"]);
    assert_eq!(gitlab.pipeline_status(parent).unwrap(), "manual");
    let (agree, status) = gitlab.job_of(SHOP, &sha, "agree").unwrap();
    assert_eq!(status, "manual");
    assert_eq!(gitlab.job_of(SHOP, &sha, "deploy").unwrap().1, "created");
    assert!(gitlab.play(agree, "bob").await);
    gitlab.job_moves(agree, "success").await;
    assert_eq!(gitlab.job_of(SHOP, &sha, "deploy").unwrap().1, "pending");
    let told = last(&gitlab, "Job Hook");
    assert_eq!(told.body["build_name"], "deploy");
}

#[tokio::test]
async fn statuses_are_kept_among_the_jobs_of_a_pipeline() {
    let (gitlab, caller) = start().await;
    let root = gitlab.head(SHOP, "main").unwrap();
    let path = format!("statuses/{root}");
    let say = |state: &str, name: &str| json!({ "state": state, "name": name });
    for (body, status) in [
        (say("pending", "gate"), 201),
        (say("pending", "gate"), 400),
        (say("running", "gate"), 201),
        (say("success", "gate"), 201),
        (say("pending", "gate"), 201),
        (say("failed", "gate"), 201),
        (say("failure", "gate"), 400),
        (say("error", "gate"), 400),
        (json!({ "name": "gate" }), 400),
    ] {
        let answer = caller.post(&path, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let again = caller.post(&path, say("success", "gate")).await;
    assert_eq!(
        again.body["ref"], "main",
        "the first branch with the commit"
    );
    let twice = caller.post(&path, say("pending", "twice")).await;
    assert_eq!(twice.status, 201);
    let twice = caller.post(&path, say("pending", "twice")).await;
    assert!(
        twice
            .message()
            .starts_with("Cannot transition status via :enqueue from :pending")
    );
    let listed = caller
        .get(&format!("repository/commits/{root}/statuses"))
        .await;
    assert_eq!(
        listed.each("name"),
        ["gate", "twice"],
        "the newest of each name"
    );
    let all = caller
        .get(&format!(
            "repository/commits/{root}/statuses?all=true&name=gate"
        ))
        .await;
    assert_eq!(all.each("status"), ["success", "failed", "success"]);
    let pipeline = gitlab.pipeline_of(SHOP, &root).unwrap();
    let shown = caller.get(&format!("pipelines/{pipeline}")).await;
    assert_eq!(shown.body["source"], "external");
    assert_eq!(
        caller.get(&format!("pipelines/{pipeline}/jobs")).await.body,
        json!([]),
        "what others report is no job"
    );

    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change")])
        .await;
    gitlab.status(SHOP, &sha, "lint", ("success", "bob")).await;
    let listed = caller
        .get(&format!("repository/commits/{sha}/statuses"))
        .await;
    let names = ["build", "test", "deploy-staging", "deploy-prod", "lint"];
    assert_eq!(listed.each("name"), names, "jobs are statuses too");
    let pipeline = gitlab.pipeline_of(SHOP, &sha).unwrap();
    assert!(listed.each("pipeline_id").iter().all(|id| *id == pipeline));
    let some = caller
        .get(&format!("repository/commits/{sha}/statuses?stage=external"))
        .await;
    assert_eq!(some.each("author")[0]["username"], "bob");
    let short = caller
        .post(&format!("statuses/{}", &sha[..8]), say("success", "short"))
        .await;
    assert_eq!(short.body["sha"], sha);
    gitlab.set_access(SHOP, "bob", Some(20));
    let bob = with_token(&gitlab, "bob");
    assert_eq!(bob.post(&path, say("success", "gate")).await.status, 403);
}

#[tokio::test]
async fn what_was_cancelled_or_failed_runs_again_with_its_pipeline() {
    let (gitlab, caller) = start().await;
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change")])
        .await;
    let pipeline = gitlab.pipeline_of(SHOP, &sha).unwrap();
    let (build, _) = gitlab.job_of(SHOP, &sha, "build").unwrap();
    let cancelled = caller
        .post(&format!("jobs/{build}/cancel"), Value::Null)
        .await;
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (201, &"canceled".into())
    );
    assert_eq!(
        gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap().1,
        "skipped"
    );
    let again = caller
        .post(&format!("pipelines/{pipeline}/retry"), Value::Null)
        .await;
    assert_eq!(
        (again.status, &again.body["status"]),
        (201, &"pending".into())
    );
    gitlab.job(SHOP, &sha, "build", "failed").await;
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "failed");
    let (failed, _) = gitlab.job_of(SHOP, &sha, "build").unwrap();
    let shown = caller.get(&format!("jobs/{failed}")).await;
    assert_eq!(shown.body["failure_reason"], "script_failure");
    assert!(gitlab.retry(failed, "bob").await.is_some());
    gitlab.pass(SHOP, &sha).await;
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "success");
    let over = gitlab.job_of(SHOP, &sha, "test").unwrap();
    gitlab.job_moves(over.0, "failed").await;
    assert_eq!(
        gitlab.job_of(SHOP, &sha, "test").unwrap(),
        over,
        "it is over"
    );
    let anew = gitlab.job(SHOP, &sha, "test", "failed").await;
    assert_ne!(anew, over.0, "what is over runs again as another job");
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "failed");
    gitlab.job(SHOP, &sha, "test", "success").await;
    assert_eq!(gitlab.pipeline_status(pipeline).unwrap(), "success");
    let unknown = gitlab.job(SHOP, &sha, "scan", "success").await;
    assert_eq!(
        caller.get(&format!("jobs/{unknown}")).await.body["name"],
        "scan"
    );
    let old = gitlab.add_commit(SHOP, "main", NewCommit::by("bob", "Unheard"));
    assert!(gitlab.pipeline_of(SHOP, &old).is_none());
    gitlab.job(SHOP, &old, "scan", "running").await;
    assert_eq!(jobs(&gitlab, &caller, &old).await, ["scan running"]);
}
