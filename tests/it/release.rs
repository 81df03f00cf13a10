//! From a push to an audited release, and everything that can come between.

use crate::contract;
use crate::support::world::SHOP;
use crate::support::{Engine, World, on_both};

on_both!(a_commit_goes_to_production,);

async fn a_commit_goes_to_production(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.merge("feature").await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("nothing was reported");
    world.make_ready(&sha).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);

    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.deployments(), [sha.as_str()], "{said:#?}");
    said.expect(&sha);
    said.expect("Started");
    let deployment = world.deployment().await;
    world
        .github
        .deployment_status(deployment, "in_progress")
        .await;
    world.settle().await;
    world.said(said.comment).expect("Deploying");
    world.github.deployment_status(deployment, "success").await;
    world.settle().await;
    let said = world.said(said.comment);
    said.expect("Live");
    assert_eq!(said.reactions, ["eyes", "rocket"]);
    let (state, shown) = world.shown(&sha, "countersign/prod").unwrap();
    assert_eq!(state, "success");
    // The signed head in short goes with it.
    assert!(shown.starts_with("#1: live · log "), "{shown}");
    for action in ["requested", "approved", "triggered", "started", "succeeded"] {
        assert_eq!(world.recorded(action).await, 1, "{action}");
    }
    let status = world.say("bob", pull_request, "/status").await;
    status.expect(&format!("`{sha}` since"));
    contract::check(&world.github);
    assert_eq!(world.github.head(SHOP, "main"), Some(sha));
}
