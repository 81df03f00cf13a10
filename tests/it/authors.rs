//! Whose work would ship: commits say what their makers wrote into them, and the forge says who opened, merged and pushed.

use countersign::domain::Forge;
use countersign_sandbox::github::{NewCommit, Trouble};

use crate::support::around::About;
use crate::support::world::{SHOP, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    the_name_of_the_forge_hides_nobody,
    an_address_of_nobody_hides_nobody,
    a_private_address_is_known_by_its_number,
    whoever_opened_it_does_not_approve,
    whoever_pushed_it_does_not_approve,
    the_middle_of_a_push_was_pushed_too,
    a_merge_by_hand_hides_nobody,
    whoever_merged_it_made_the_commit_that_merges,
    a_trailer_blocks_and_the_policy_overrules_it,
    each_word_excludes_its_own,
    an_open_head_has_an_opener,
    not_to_find_out_who_pushed_is_not_a_no,
    only_what_the_policy_excludes_is_asked_for,
);

fn excluding(words: &str) -> String {
    let exclude = format!("exclude = [{words}]");
    plain_with(&[("exclude = []", &exclude)])
}

fn no_authors() -> String {
    excluding(r#""author""#)
}

fn signed(author: &str, committer: &str, message: &str) -> NewCommit {
    NewCommit {
        author: Some(author.to_owned()),
        committer: Some(committer.to_owned()),
        ..NewCommit::by("bob", message)
    }
}

/// Somebody who may approve otherwise asks for the commit, and their own yes does not count.
async fn asked_in_vain(world: &World, person: &str, sha: &str, why: &str) {
    world.make_ready(sha).await;
    let said = world.say(person, 3, &format!("/deploy prod {sha}")).await;
    said.expect("Waiting for approval, 0 of 1");
    said.expect(why);
    let said = world.say(person, 3, "/approve").await;
    said.expect("**Refused**");
    said.expect(why);
    assert_eq!(world.starts(), 0);
}

async fn the_name_of_the_forge_hides_nobody(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let planted = signed("noreply@github.com", "noreply@github.com", "planted");
    let sha = world.push_by("bob", "main", vec![planted]).await;
    asked_in_vain(&world, "dora", &sha, "who has no account here").await;
    let said = world.say("ann", 3, "/approve").await;
    said.expect("`ann` may be an author of what would ship: commit ");
    assert_eq!(world.starts(), 0);
    world.is_as_described();
}

async fn an_address_of_nobody_hides_nobody(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let nobody = world.private_address(999, "nobody");
    let elsewhere = match world.forge {
        Forge::GitHub => "6+bob@users.noreply.evil.example",
        Forge::GitLab => "6-bob@users.noreply.evil.example",
    };
    for address in [nobody.as_str(), elsewhere] {
        let planted = signed(address, address, "planted");
        let sha = world.push_by("bob", "main", vec![planted]).await;
        asked_in_vain(&world, "ann", &sha, "who has no account here").await;
    }
    world.is_as_described();
}

async fn a_private_address_is_known_by_its_number(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let of_dora = world.private_address(7, "formerly");
    world.rename_person(7, "dorothy");
    let change = signed(&of_dora, &of_dora, "change");
    let sha = world.push_by("bob", "main", vec![change]).await;
    let short = &sha[..12];
    let why = format!("`dorothy` wrote commit `{short}`, and the policy excludes `author`");
    asked_in_vain(&world, "dorothy", &sha, &why).await;
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
}

async fn whoever_opened_it_does_not_approve(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    for squashed in [false, true] {
        let branch = format!("work-{squashed}");
        world.set_branch(&branch, &world.head("main").unwrap());
        let planted = signed("bob", "bob", "planted");
        world.push_by("bob", &branch, vec![planted]).await;
        let number = world.open_by("dora", &branch, "main").await;
        let sha = if squashed {
            world.squash_by("bob", number).await
        } else {
            world.merge_by("bob", number).await
        };
        world.make_ready(&sha).await;
        let asked = world.say("dora", number, "/deploy prod").await;
        asked.expect("Waiting for approval, 0 of 1");
        let why = format!("`dora` opened pull request {number}, which brought commit ");
        if squashed {
            // It is hers by its author, too.
            asked.expect("`dora` wrote commit ");
        } else {
            asked.expect(&why);
        }
        asked.expect(", and the policy excludes `author`");
        let said = world.say("dora", number, "/approve").await;
        said.expect("**Refused**");
        let said = world.say("ann", number, "/approve").await;
        said.expect("1 of 1");
        world.finish("success").await;
    }
    world.is_as_described();
}

async fn whoever_pushed_it_does_not_approve(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let one = world
        .push_by("dora", "main", vec![signed("bob", "bob", "one")])
        .await;
    world
        .push_by("bob", "main", vec![signed("bob", "bob", "two")])
        .await;
    world.live("first").await;
    let two = vec![signed("bob", "bob", "two"), signed("bob", "bob", "three")];
    let sha = world.push_by("dora", "main", two).await;
    let why = "to the release branch without a pull request, and the policy excludes `author`";
    world.make_ready(&sha).await;
    let asked = world.say("dora", 3, &format!("/deploy prod {sha}")).await;
    asked.expect("`dora` pushed commit `");
    asked.expect(why);
    asked.never(&one[..12]);
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
    world.is_as_described();
}

async fn the_middle_of_a_push_was_pushed_too(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    world.live("first").await;
    let many = vec![signed("bob", "bob", "one"), signed("bob", "bob", "two")];
    let last = world.push_by("dora", "main", many).await;
    let middle = world.parent(&last);
    world
        .push_by("bob", "main", vec![signed("bob", "bob", "three")])
        .await;
    world.make_ready(&middle).await;
    let asked = world
        .say("dora", 3, &format!("/deploy prod {middle}"))
        .await;
    asked.expect("`dora` pushed commit `");
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
}

async fn a_merge_by_hand_hides_nobody(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    world.set_branch("work", &world.head("main").unwrap());
    let work = world
        .push_by("bob", "work", vec![signed("bob", "bob", "work")])
        .await;
    let merged = NewCommit {
        merges: vec![work],
        ..signed(
            "bob",
            "noreply@github.com",
            "Merge pull request #7 from work",
        )
    };
    let sha = world.push_by("dora", "main", vec![merged]).await;
    let why = "without a pull request, and the policy excludes `author`";
    asked_in_vain(&world, "dora", &sha, why).await;
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
}

/// By hand it can be made of anything, and have any author.
async fn whoever_merged_it_made_the_commit_that_merges(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let number = world.open("feature").await;
    let sha = world.merge_by("dora", number).await;
    world.make_ready(&sha).await;
    let asked = world.say("dora", number, "/deploy prod").await;
    asked.expect("Waiting for approval, 0 of 1");
    let said = world.say("ann", number, "/approve").await;
    said.expect("1 of 1");

    // One new commit is what the pull request was.
    world.finish("success").await;
    let number = world.open("another").await;
    let sha = world.squash_by("dora", number).await;
    if world.forge == Forge::GitHub {
        world.make_ready(&sha).await;
        let said = world.say("dora", number, "/deploy prod").await;
        said.expect("Started");
    }
}

async fn a_trailer_blocks_and_the_policy_overrules_it(setting: Setting) {
    let world = World::start(setting, &no_authors()).await;
    let (ann, dora) = (
        world.private_address(5, "ann"),
        world.private_address(7, "dora"),
    );
    let message =
        format!("planted\n\nCo-authored-by: Ann <{ann}>\nCo-authored-by: Dora <{dora}>\n");
    let sha = world
        .push_by("bob", "main", vec![signed("bob", "bob", &message)])
        .await;
    let short = &sha[..12];
    let why = |person: &str| {
        format!(
            "`{person}` is named in a `Co-authored-by` line of commit `{short}`, and the policy excludes `author` \
             (a policy that excludes `commit-author`, `opener`, `pusher` instead of `author` does not read such lines)"
        )
    };
    asked_in_vain(&world, "dora", &sha, &why("dora")).await;
    let said = world.say("ann", 3, "/approve").await;
    said.expect(&why("ann"));

    // Nobody knows who that is, so that it may be anybody.
    let message = "planted\n\nCo-authored-by: Someone <someone@elsewhere.example>\n";
    let other = world
        .push_by("bob", "main", vec![signed("bob", "bob", message)])
        .await;
    world.make_ready(&other).await;
    let said = world.say("ann", 3, &format!("/deploy prod {other}")).await;
    said.expect("who has no account here");

    let narrow = excluding(r#""commit-author", "opener", "pusher""#);
    world.reconfigure(&narrow).await;
    let said = world.say("ann", 3, &format!("/deploy prod {other}")).await;
    said.expect("Started");
    world.is_as_described();
}

async fn each_word_excludes_its_own(setting: Setting) {
    let world = World::start(setting, &excluding(r#""committer""#)).await;
    let sha = world
        .push_by("dora", "main", vec![signed("ann", "dora", "change")])
        .await;
    world.make_ready(&sha).await;
    let asked = world.say("dora", 3, &format!("/deploy prod {sha}")).await;
    asked.expect("`dora` is the committer of commit `");
    asked.expect("and the policy excludes `committer`");
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
    world.finish("success").await;

    world.reconfigure(&excluding(r#""merger""#)).await;
    let number = world.open("feature").await;
    let sha = world.squash_by("dora", number).await;
    world.make_ready(&sha).await;
    let asked = world.say("dora", 3, &format!("/deploy prod {sha}")).await;
    asked.expect(&format!(
        "`dora` merged pull request {number} with commit `"
    ));
    asked.expect("and the policy excludes `merger`");
    let said = world.say("ann", 3, "/approve").await;
    said.expect("1 of 1");
    world.finish("success").await;

    let app = match world.forge {
        Forge::GitHub => "helper[bot]",
        Forge::GitLab => "project_9_bot_0123",
    };
    world.add_person(80, app);
    for (words, counts) in [(r#""app""#, false), (r#""author""#, true)] {
        world.reconfigure(&excluding(words)).await;
        let sha = world
            .push_by("bob", "main", vec![signed(app, app, "by a machine")])
            .await;
        world.make_ready(&sha).await;
        let said = world.say("ann", 3, &format!("/deploy prod {sha}")).await;
        if counts {
            said.expect("Started");
        } else {
            said.expect(", an app, and nobody knows who is behind it");
        }
    }
}

async fn an_open_head_has_an_opener(setting: Setting) {
    let open = "exclude = [\"author\"]\nallow = [\"open-heads\"]";
    let world = World::start(setting, &plain_with(&[("exclude = []", open)])).await;
    world.set_branch("work", &world.head("main").unwrap());
    let sha = world
        .push_by("bob", "work", vec![signed("bob", "bob", "work")])
        .await;
    let number = world.open_by("dora", "work", "main").await;
    world.make_ready(&sha).await;
    let asked = world.say("dora", number, "/deploy prod").await;
    asked.expect(&format!("`dora` opened pull request {number}"));
    asked.expect("the policy excludes `author`");
    let said = world.say("ann", number, "/approve").await;
    said.expect("1 of 1");
}

async fn not_to_find_out_who_pushed_is_not_a_no(setting: Setting) {
    let trouble = || Trouble::Refuse {
        status: 500,
        headers: Vec::new(),
        message: "Server Error",
    };
    let world = World::start(setting, &no_authors()).await;
    world.live("first").await;
    let sha = world
        .push_by("bob", "main", vec![signed("bob", "bob", "two")])
        .await;
    world.make_ready(&sha).await;
    let asking = format!("/deploy prod {sha}");
    for about in [About::Merges, About::Moves] {
        for _ in 0..3 {
            world.expect_trouble_asking(about, trouble());
        }
        let said = world.say("ann", 3, &format!("{asking} --dry-run")).await;
        said.expect("whether `ann` may approve could not be found out: ");
        said.expect("could not be found out: GitHub answered 500");
        assert_eq!(world.trouble_left(), 0);
    }

    // It was there before anybody wrote down who moved the branch.
    let commit = NewCommit::by("bob", "three");
    let unseen = match world.forge {
        Forge::GitHub => world.github.add_commit(SHOP, "main", commit),
        Forge::GitLab => world.gitlab.add_commit(SHOP, "main", commit),
    };
    world
        .push_by("bob", "main", vec![signed("bob", "bob", "four")])
        .await;
    let last = world.head("main").unwrap();
    world.make_ready(&last).await;
    let said = world.say("ann", 3, &format!("/deploy prod {last}")).await;
    let short = &unseen[..12];
    said.expect(&format!(
        "who pushed commit `{short}` to the release branch could not be found out"
    ));
}

async fn only_what_the_policy_excludes_is_asked_for(setting: Setting) {
    let world = World::start(setting, &excluding(r#""commit-author""#)).await;
    let (number, _) = world.ready("feature").await;
    let asked = |world: &World, end: &str| {
        let paths: Vec<String> = match world.forge {
            Forge::GitHub => {
                let calls = world.github.exchanges().into_iter();
                calls.map(|call| call.path.clone()).collect()
            }
            Forge::GitLab => {
                let calls = world.gitlab.exchanges().into_iter();
                calls.map(|call| call.path.clone()).collect()
            }
        };
        paths.iter().filter(|path| path.ends_with(end)).count()
    };
    let (merges, moves) = match world.forge {
        Forge::GitHub => ("/pulls", "/activity"),
        Forge::GitLab => ("/merge_requests", "/events"),
    };
    world.say("bob", number, "/why prod").await;
    assert_eq!((asked(&world, merges), asked(&world, moves)), (0, 0));
    let said = world.say("ann", number, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(asked(&world, moves), 0);
}
