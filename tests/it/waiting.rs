//! Waiting requests go on waiting, through a freeze and through an upgrade that names policies differently.

use countersign::domain::SealedPolicy;
use sqlx::{Executor as _, Row as _};

use crate::support::world::{TWO, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_freeze_voids_nothing_that_waits,
    what_was_asked_for_before_an_upgrade_departs_after_it,
    what_waited_while_author_meant_less_is_void,
);

async fn a_freeze_voids_nothing_that_waits(setting: Setting) {
    let open = plain_with(&[TWO]);
    let freeze = "exclude = []\nfreeze = \"until Monday\"";
    let frozen = plain_with(&[TWO, ("exclude = []", freeze)]);
    let world = World::start(setting, &open).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.reconfigure(&frozen).await;
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("**prod** is frozen: `until Monday`");
    world.said(asked.comment).expect("1 of 2");
    assert_eq!(world.recorded("voided").await, 0);
    assert!(world.deployments().is_empty());
    world.reconfigure(&open).await;
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
}

async fn what_was_asked_for_before_an_upgrade_departs_after_it(setting: Setting) {
    let three = plain_with(&[("deployer = 1", "deployer = 2, qa = 1")]);
    let world = World::start(setting, &three).await;
    world.name_policies_as_before();
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 3");
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("2 of 3");
    let old = policy(&world);
    assert_eq!(named(&world, old.digest.as_str()).await, 2);

    // The upgrade.
    world.reconfigure(&three).await;
    let new = policy(&world);
    assert_ne!(old.digest, new.digest);
    let said = world.say("quinn", pull_request, "/approve").await;
    said.expect("3 of 3");
    assert_eq!(world.deployments(), [sha]);
    assert_eq!(world.recorded("voided").await, 0);
    assert_eq!(world.recorded("approval.voided").await, 0);
    // What is written from now on carries the new digest, and nothing the old one.
    assert_eq!(named(&world, old.digest.as_str()).await, 2);
    assert_eq!(named(&world, new.digest.as_str()).await, 1);
}

async fn what_waited_while_author_meant_less_is_void(setting: Setting) {
    let three = ("deployer = 1", "deployer = 2, qa = 1");
    let services = plain_with(&[
        three,
        ("exclude = []", r#"exclude = ["author", "requester"]"#),
    ]);
    let why = "`author` in its policy means more since the upgrade";
    // By its text, and before it had one.
    for nth in [0, 1] {
        let world = World::start(setting, &services).await;
        world.name_policies_as_narrower(nth);
        let (pull_request, _) = world.ready("feature").await;
        let asked = world.say("ann", pull_request, "/deploy prod").await;
        asked.expect("0 of 3");
        let said = world.say("dora", pull_request, "/approve").await;
        said.expect("1 of 3");

        // The upgrade.
        world.reconfigure(&services).await;
        if nth == 0 {
            let said = world.say("quinn", pull_request, "/approve").await;
            said.expect(why);
        } else {
            // Nobody needs to say anything.
            world.pass(600).await;
        }
        world.said(asked.comment).expect("Void");
        world.said(asked.comment).expect(why);
        assert_eq!(world.recorded("voided").await, 1);
        assert_eq!(world.starts(), 0);
        // It is asked for anew.
        let asked = world.say("ann", pull_request, "/deploy prod").await;
        asked.expect("0 of 3");
    }
}

fn policy(world: &World) -> SealedPolicy {
    let mut policies = world.policies();
    assert_eq!(policies.len(), 1);
    policies.remove(0)
}

/// How many entries about approvals carry this digest.
async fn named(world: &World, digest: &str) -> usize {
    let mut connection = world.database.direct().await;
    let rows = connection
        .fetch_all("SELECT body FROM ledger_entry WHERE action = 'approved'")
        .await
        .unwrap();
    let mark = format!("\"policy\":\"{digest}\"");
    rows.iter()
        .map(|row| String::from_utf8(row.get(0)).unwrap())
        .filter(|body| body.contains(&mark))
        .count()
}
