//! Releases from a push to an audited end, and everything that can come between.

use countersign::domain::Forge;

use crate::support::{Setting, World, on_both_forges};

on_both_forges!(a_commit_goes_to_production,);

async fn a_commit_goes_to_production(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.merge("feature").await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("no report yet");
    world.make_ready(&sha).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);

    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.deployments(), [sha.as_str()], "{said:#?}");
    said.expect(&sha);
    said.expect("Started");
    world.finish("in_progress").await;
    world.said(said.comment).expect("Deploying");
    world.finish("success").await;
    let said = world.said(said.comment);
    said.expect("Live");
    assert_eq!(said.reactions, ["eyes", "rocket"]);
    world.shows(&sha, "success");
    if world.forge == Forge::GitHub {
        // The signed head in short goes with it.
        let (_, shown) = world.shown(&sha, "countersign/prod").unwrap();
        assert!(shown.starts_with("#1: live · log "), "{shown}");
    }
    for action in ["requested", "approved", "triggered", "started", "succeeded"] {
        assert_eq!(world.recorded(action).await, 1, "{action}");
    }
    let status = world.say("bob", pull_request, "/status").await;
    status.expect(&format!("{sha} since"));
    world.is_as_described();
    assert_eq!(world.head("main"), Some(sha));
}
