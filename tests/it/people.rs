//! People who may say yes: asked of the forge at that moment, and by number.

use countersign::config::{Config, Surroundings};
use countersign::domain::Forge;
use countersign_sandbox::github::{Membership, NewCommit, Trouble};

use crate::support::around::About;
use crate::support::on_gitlab::ON_GITLAB;
use crate::support::world::{PLAIN, Said, TWO, plain_with};
use crate::support::{Engine, Setting, World, on_both, on_both_forges};

on_both_forges!(
    nobody_releases_without_a_role,
    a_role_in_the_repository_counts,
    who_left_the_team_takes_the_approval_along,
    without_github_nobody_is_authorized,
    a_quorum_is_of_different_people,
    authors_and_committers_do_not_approve,
    everything_since_what_is_live_has_authors,
    the_first_release_has_authors_too,
    nobody_approves_for_a_stranger,
    whoever_asks_may_be_excluded,
    a_team_counts_its_active_members,
    the_number_decides_and_not_the_login,
    a_team_made_anew_is_another_team,
    a_trigger_that_was_held_is_authorized_again,
    not_to_find_out_is_not_a_no,
    who_left_is_not_named_any_more,
    who_left_takes_the_approval_along,
    who_is_suspended_releases_nothing,
);
on_both!(who_waits_or_has_left_is_no_member_on_gitlab);

const NAMED: &str = r#"github_users = ["ann", "dora"]"#;
const BY_TEAM: (&str, &str) = (NAMED, r#"github_teams = ["acme/qa"]"#);
const NO_AUTHORS: (&str, &str) = ("exclude = []", r#"exclude = ["author"]"#);

async fn nobody_releases_without_a_role(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("bob", pull_request, "/deploy prod").await;
    said.expect("`bob` has none of the roles that approve here");
    said.expect("Ask one of these: `deployer` (`ann`, `dora`).");
    said.expect(&sha);
    let mut reactions = said.reactions;
    reactions.sort();
    assert_eq!(reactions, ["confused", "eyes"]);
    assert_eq!(world.recorded("refused").await, 1);
    assert_eq!(world.recorded("requested").await, 0);
    for command in ["/lock prod --reason why", "/approve", "/retry #1"] {
        let said = world.say("bob", pull_request, command).await;
        said.expect("**Refused**");
    }
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

#[test]
fn no_policy_is_a_mistake_in_the_configuration() {
    let without = PLAIN.replace("approvals = { deployer = 1 }\n", "");
    let nobody = PLAIN.replace("deployer = 1", "deployer = 0");
    let empty = PLAIN.replace("{ deployer = 1 }", "{}");
    for (services, expect) in [
        (without, "no policy means refusal"),
        (nobody, "at least one person must approve"),
        (empty, "approvals"),
    ] {
        let surroundings = Surroundings::fixed(std::path::Path::new("/"), [("T", "t")]);
        let text = format!("[server]\nlisten = \"127.0.0.1:0\"\n{services}");
        let report = Config::parse(&text, "bot.toml", &surroundings).unwrap_err();
        let shown = report.render(countersign::config::Colour::Never);
        assert!(shown.contains(expect), "{shown}");
    }
}

async fn a_team_counts_its_active_members(setting: Setting) {
    let world = World::start(setting, &plain_with(&[BY_TEAM])).await;
    if world.forge == Forge::GitHub {
        // On GitLab an invited person is no member yet.
        let pending = Some(Membership::Pending);
        world.github.set_member(40, "bob", pending);
    }
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("bob", pull_request, "/deploy prod").await;
    said.expect("`bob` has none of the roles");
    said.expect("`deployer` (team `acme/qa`)");
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.set_member("bob", true);
    world.finish("failure").await;
    let said = world.say("bob", pull_request, "/retry #1").await;
    said.expect("Started");
    world.is_as_described();
}

async fn a_role_in_the_repository_counts(setting: Setting) {
    let services = plain_with(&[(NAMED, r#"github_roles = ["maintain"]"#)]);
    let world = World::start(setting, &services).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("dora", pull_request, "/deploy prod").await;
    said.expect("anyone with `maintain` in the repository");
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

async fn the_number_decides_and_not_the_login(setting: Setting) {
    let world = World::plain(setting).await;
    world.rename_person(7, "dorothy");
    world.add_person(70, "dora");
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("dora", pull_request, "/deploy prod").await;
    said.expect("`dora` may not give commands here: no role names them");
    assert!(world.deployments().is_empty());
    let said = world.say("dorothy", pull_request, "/deploy prod").await;
    said.expect("Approved by `dorothy`");
    said.expect("Started");
    world.is_as_described();
}

async fn a_team_made_anew_is_another_team(setting: Setting) {
    let world = World::start(setting, &plain_with(&[BY_TEAM])).await;
    let (pull_request, _) = world.ready("feature").await;
    world.delete_team(40);
    world.add_team(41);
    for person in ["quinn", "bob"] {
        world.set_member_of(41, person, true);
        let said = world.say(person, pull_request, "/deploy prod").await;
        said.expect("the name has changed hands");
    }
    assert!(world.deployments().is_empty());
    world.delete_team(41);
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("GitHub shows no team acme/qa");
}

async fn who_left_the_team_takes_the_approval_along(setting: Setting) {
    let world = World::start(setting, &plain_with(&[BY_TEAM, TWO])).await;
    for person in ["ann", "bob"] {
        world.set_member(person, true);
    }
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("quinn", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.set_member("quinn", false);
    let said = world.say("ann", pull_request, "/approve").await;
    said.expect("1 of 2");
    said.expect(
        "`quinn` has none of the roles that approve here: that approval does not count any more",
    );
    assert_eq!(world.recorded("approval.voided").await, 1);
    assert!(world.deployments().is_empty());
    world.said(asked.comment).expect("Approved by `ann`.");
    let said = world.say("bob", pull_request, "/approve").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn a_trigger_that_was_held_is_authorized_again(setting: Setting) {
    let world = World::start(setting, &plain_with(&[BY_TEAM])).await;
    let (pull_request, _) = world.ready("feature").await;
    world.hold_start(120);
    let asked = world.say("quinn", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    world.set_member("quinn", false);
    world.pass(130).await;
    let said = world.said(asked.comment);
    said.expect("`quinn` has none of the roles that approve here");
    said.expect("Void since");
    assert_eq!(world.recorded("approval.voided").await, 1);
    assert_eq!(world.recorded("voided").await, 1);
    assert_eq!(world.starts(), 0);
}

async fn not_to_find_out_is_not_a_no(setting: Setting) {
    let trouble = |status| Trouble::Refuse {
        status,
        headers: Vec::new(),
        message: "Server Error",
    };
    let world = World::start(setting, &plain_with(&[BY_TEAM])).await;
    let (pull_request, _) = world.ready("feature").await;
    for _ in 0..3 {
        world.expect_trouble_asking(About::Membership, trouble(500));
    }
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("whether `quinn` may approve could not be found out: membership in ");
    said.expect("`acme/qa`: ");
    said.never("none of the roles");
    assert_eq!(world.trouble_left(), 0);

    let by_role = plain_with(&[(NAMED, r#"github_roles = ["maintain"]"#)]);
    world.reconfigure(&by_role).await;
    for _ in 0..3 {
        world.expect_trouble_asking(About::Role, trouble(502));
    }
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("whether `ann` belongs to this repository could not be found out");
    assert_eq!(world.recorded("refused").await, 2);
    assert!(world.deployments().is_empty());

    // Other facts refuse in the same way.
    for _ in 0..3 {
        world.expect_trouble_asking(About::Reports, trouble(500));
        world.expect_trouble_asking(About::Head, trouble(500));
    }
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("the reports about the commit could not be read again");
    said.expect("whether the commit is on the release branch `main` could not be found out");
    world.forget_trouble();
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

async fn without_github_nobody_is_authorized(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.forget_the_forge();
    world.comment("ann", pull_request, "/deploy prod").await;
    world.settle().await;
    assert_eq!(world.recorded("refused").await, 1);
    assert_eq!(world.recorded("triggered").await, 0);
}

async fn a_quorum_is_of_different_people(setting: Setting) {
    let both = (NAMED, r#"github_users = ["ann", "quinn"]"#);
    let services = plain_with(&[both, ("deployer = 1", "deployer = 1, qa = 1")]);
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("Waiting for approval, 1 of 2");
    let said = world.say("quinn", pull_request, "/approve").await;
    said.expect("`quinn` has already approved #1, shop");
    assert!(world.deployments().is_empty());
    let said = world.say("ann", pull_request, "/approve").await;
    said.expect("**Approved** #1 by `ann`: 2 of 2");
    said.expect(&sha);
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn authors_and_committers_do_not_approve(setting: Setting) {
    let words = r#"exclude = ["author", "committer"]"#;
    let world = World::start(setting, &plain_with(&[("exclude = []", words)])).await;
    for (author, committer) in [("dora", "bob"), ("bob", "dora")] {
        let commit = NewCommit {
            committer: Some(committer.to_owned()),
            ..NewCommit::by(author, "change")
        };
        let sha = world.push_to("main", vec![commit]).await;
        world.make_ready(&sha).await;
        // She may ask; her own yes does not count.
        let asked = world.say("dora", 3, &format!("/deploy prod {sha}")).await;
        asked.expect("Waiting for approval, 0 of 1");
        asked.expect(", and the policy excludes `");
        asked.expect("`: the request does not count as an approval.");
        let said = world.say("dora", 3, "/approve").await;
        said.expect(", and the policy excludes `");
        let said = world.say("ann", 3, "/approve").await;
        said.expect("1 of 1");
        assert_eq!(world.deployments().last(), Some(&sha));
        world.finish("success").await;
    }
    world.is_as_described();
}

async fn everything_since_what_is_live_has_authors(setting: Setting) {
    let services = plain_with(&[
        NO_AUTHORS,
        (NAMED, r#"github_users = ["ann", "dora", "quinn"]"#),
    ]);
    let world = World::start(setting, &services).await;
    world.live("first").await;
    let commits = vec![NewCommit::by("ann", "two"), NewCommit::by("dora", "three")];
    world.push_to("main", commits).await;
    let (pull_request, _) = world.ready("four").await;
    let asked = world.say("dora", pull_request, "/deploy prod").await;
    asked.expect("0 of 1");
    for person in ["ann", "dora"] {
        let said = world.say(person, pull_request, "/approve").await;
        said.expect(&format!("`{person}` wrote commit `"));
    }
    let said = world.say("quinn", pull_request, "/approve").await;
    said.expect("1 of 1");
    assert_eq!(world.deployments().len(), 2);
}

async fn the_first_release_has_authors_too(setting: Setting) {
    let world = World::start(setting, &plain_with(&[NO_AUTHORS])).await;
    let pull_request = world.open("feature").await;
    let more = vec![NewCommit::by("dora", "more"), NewCommit::by("bob", "last")];
    world.push_to("work-feature", more).await;
    let sha = world.merge_it(pull_request).await;
    world.make_ready(&sha).await;
    let asked = world.say("dora", pull_request, "/deploy prod").await;
    asked.expect("0 of 1");
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("`dora` wrote commit `");
    let said = world.say("ann", pull_request, "/approve").await;
    said.expect("1 of 1");
    assert_eq!(world.deployments(), [sha]);
}

async fn nobody_approves_for_a_stranger(setting: Setting) {
    let world = World::start(setting, &plain_with(&[NO_AUTHORS])).await;
    let commit = NewCommit {
        author: None,
        ..NewCommit::by("bob", "change")
    };
    let sha = world.push_by("bob", "main", vec![commit]).await;
    world.make_ready(&sha).await;
    let command = format!("/deploy prod {sha}");
    world.say("ann", 3, &command).await.expect("0 of 1");
    let said = world.say("ann", 3, "/approve").await;
    said.expect("`ann` may be an author of what would ship");
    said.expect("who has no account here");
    assert!(world.deployments().is_empty());

    // Where authors may approve, it does not matter.
    world.reconfigure(PLAIN).await;
    let said = world.say("ann", 3, &command).await;
    said.expect("Started");
}

async fn whoever_asks_may_be_excluded(setting: Setting) {
    let services = plain_with(&[("exclude = []", r#"exclude = ["requester"]"#)]);
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("0 of 1");
    let said = world.say("ann", pull_request, "/approve").await;
    said.expect("`ann` asked for this release, and the policy excludes the requester");
    assert!(world.deployments().is_empty());
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("1 of 1");
    assert_eq!(world.deployments(), [sha]);
}

async fn who_left_is_not_named_any_more(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.leave("dora");
    for command in ["/deploy prod", "/lock prod --reason why"] {
        let said = world.say("dora", pull_request, command).await;
        said.expect("`dora` has none of the roles");
    }
    for _ in 0..3 {
        world.expect_trouble_asking(
            About::Role,
            Trouble::Refuse {
                status: 502,
                headers: Vec::new(),
                message: "Bad Gateway",
            },
        );
    }
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("whether `ann` may approve could not be found out: role in the repository");
    assert_eq!(world.starts(), 0);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

async fn who_left_takes_the_approval_along(setting: Setting) {
    let three = (NAMED, r#"github_users = ["ann", "bob", "dora"]"#);
    let world = World::start(setting, &plain_with(&[three, TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("dora", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.leave("dora");
    let said = world.say("ann", pull_request, "/approve").await;
    said.expect("1 of 2");
    said.expect("`dora` has none of the roles that approve here: that approval does not count");
    assert_eq!(world.starts(), 0);
    let said = world.say("bob", pull_request, "/approve").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
}

/// Whoever is named is told about roles; whoever is known by a group alone may be a stranger by now.
fn is_refused(said: &Said, person: &str) {
    let answer = said.answer();
    let is_short = answer.contains(&format!("`{person}` may not give commands here"));
    let is_long = answer.contains(&format!("`{person}` has none of the roles"));
    assert!(is_long || (is_short && person == "quinn"), "{answer}");
}

async fn who_is_suspended_releases_nothing(setting: Setting) {
    let world = World::start(
        setting,
        &plain_with(&[("deployer = 1", "deployer = 1, qa = 1")]),
    )
    .await;
    let (pull_request, _) = world.ready("feature").await;
    for person in ["dora", "quinn"] {
        world.suspend(person);
        let said = world.say(person, pull_request, "/deploy prod").await;
        is_refused(&said, person);
    }
    assert_eq!(world.starts(), 0);
    // GitHub's description is that of github.com, where nobody is suspended by an operator.
    if world.forge == Forge::GitLab {
        world.is_as_described();
    }
}

async fn who_waits_or_has_left_is_no_member_on_gitlab(engine: Engine) {
    let setting = Setting {
        engine,
        ..ON_GITLAB
    };
    let both = ("deployer = 1", "deployer = 1, qa = 1");
    let world = World::start(setting, &plain_with(&[both])).await;
    let (pull_request, _) = world.ready("feature").await;
    let refused = async |person: &str| {
        let said = world.say(person, pull_request, "/deploy prod").await;
        is_refused(&said, person);
        // Whoever is not known is answered once in a while.
        world.pass(600).await;
    };
    // One by name, as a member of the project, and one as a member of the group.
    for person in ["dora", "quinn"] {
        world.gitlab.let_await(person, true);
        refused(person).await;
        world.gitlab.let_await(person, false);
        world.gitlab.lock_person(person, true);
        refused(person).await;
        world.gitlab.lock_person(person, false);
        world.gitlab.let_leave(person, Some("2026-03-02"));
        refused(person).await;
        world.gitlab.let_leave(person, Some("2026-03-03"));
    }
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("1 of 2");
    // The day comes before the second one has approved.
    world.pass(3 * 3_600).await;
    let said = world
        .say("dora", pull_request, "/deploy prod --dry-run")
        .await;
    said.never("none of the roles");
    world.pass(13 * 3_600).await;
    refused("dora").await;
    assert_eq!(world.starts(), 0);
    world.is_as_described();
}
