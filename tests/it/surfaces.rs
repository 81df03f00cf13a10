//! Surfaces: whatever the desk refuses, it refuses with the same words in a comment, on Discord and on Slack.

use std::collections::BTreeSet;

use countersign_sandbox::github::NewCommit;

use crate::contract;
use crate::support::pinned::{Pages, SURFACES};
use crate::support::talk::{Surface, TOLD};
use crate::support::world::{TWO, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    whoever_asks_for_a_release_is_refused_alike,
    what_is_said_about_a_request_is_refused_alike,
    what_ends_a_request_is_said_alike,
    who_may_not_approve_is_told_alike,
    open_heads_are_refused_alike,
    the_turn_of_a_release_is_told_alike,
);

const EXCLUDE: &str = "exclude = []";
const NAMED: &str = r#"github_users = ["ann", "dora"]"#;

/// A service with chats, and the people who ask linked on both.
async fn world(setting: Setting, changes: &[(&str, &str)]) -> World {
    let world = World::talking(setting, &services(changes)).await;
    for person in ["ann", "bob", "dora"] {
        world.link(person).await;
    }
    world
}

fn services(changes: &[(&str, &str)]) -> String {
    plain_with(&[&[TOLD], changes].concat())
}

/// Slack's links as the other surfaces write them.
fn links_of_slack(answer: &str) -> String {
    let mut text = String::new();
    for (place, piece) in answer.split('<').enumerate() {
        let link = piece.split_once('>').filter(|_| place > 0);
        match link.and_then(|(link, rest)| Some((link.split_once('|')?, rest))) {
            Some(((url, words), rest)) => text.push_str(&format!("[{words}]({url}){rest}")),
            None => {
                let sign = if place > 0 { "<" } else { "" };
                text.push_str(sign);
                text.push_str(piece);
            }
        }
    }
    text
}

/// Each surface shows moments in its own way: by its reader's clock, if it can.
fn without_moments(answer: &str) -> String {
    let mut text = answer.to_owned();
    for (begins, ends) in [("<t:", '>'), ("<!date^", '>'), ("2026-", 'C')] {
        let mut pieces = text.split(begins);
        let mut rest = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let behind = piece.split_once(ends).map_or(piece, |(_, behind)| behind);
            rest.push_str("(then)");
            rest.push_str(behind);
        }
        text = rest;
    }
    text
}

/// The reasons in an answer, without the marks of the surface that shows them.
fn reasons(answer: &str) -> BTreeSet<String> {
    let plain: String = links_of_slack(&without_moments(answer))
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        // Between two colons Slack would look for a picture.
        .replace('∶', ":")
        // Some commands are written behind our name where the forge has commands of that name.
        .replace("/countersign ", "/")
        .chars()
        .filter(|c| !matches!(c, '*' | '`' | '_' | '\\' | '\u{200b}'))
        .collect();
    plain
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            let marks = ["- ", "• ", "◦ "];
            let rest = marks.iter().find_map(|mark| line.strip_prefix(mark));
            // Some refusals are one sentence.
            rest.or_else(|| line.starts_with("Refused").then_some(line))
                .map(str::to_owned)
        })
        .collect()
}

/// One answer is a refusal for this reason; all its reasons.
fn refused(surface: Surface, answer: &str, part: &str) -> BTreeSet<String> {
    let reasons = reasons(answer);
    let refusal = reasons.iter().any(|reason| reason.starts_with("Refused"));
    assert!(refusal, "{surface:?}: no refusal in\n{answer}");
    let is_said = reasons.iter().any(|reason| reason.contains(part));
    assert!(is_said, "{surface:?}: no {part:?} in\n{answer}");
    reasons
}

/// The person who says this is refused for this reason, and for the same reasons wherever it is said.
async fn check((world, pages): (&World, &mut Pages), person: &str, line: &str, part: &str) {
    let mut seen: Vec<BTreeSet<String>> = Vec::new();
    // Nobody is answered without end.
    world.wait(61);
    for surface in SURFACES {
        let answer = world.ask_at(surface, person, (3, line)).await;
        pages.add(surface, &format!("{person}: {line}"), &answer);
        seen.push(refused(surface, &answer, &world.read_as(part)));
    }
    for other in &seen[1..] {
        let differ: Vec<&String> = seen[0].symmetric_difference(other).collect();
        assert!(differ.is_empty(), "{line}: {differ:#?}");
    }
}

/// Nothing was decided otherwise on the way, and Discord was spoken to as it wants it.
fn end(world: &World, pages: Pages) {
    pages.pin();
    world.is_as_described();
    contract::discord::check(&world.talk().discord);
}

async fn whoever_asks_for_a_release_is_refused_alike(setting: Setting) {
    let world = world(setting, &[]).await;
    let mut pages = Pages::of(&world, "refused-asking");
    let (_, never) = world.ready("zero").await;
    let (_, live) = world.live("one").await;
    let (_, ready) = world.ready("two").await;
    let (_, red) = world.merge("three").await;
    world.build(&red, "failure").await;
    world.settle().await;
    let aside = NewCommit::by("bob", "aside");
    let aside = world.push_to("aside", vec![aside]).await;
    world.make_ready(&aside).await;
    let deploy = |sha: &str| format!("/deploy prod {sha}");
    let back = |sha: &str| format!("/rollback prod {sha}");
    for (person, line, part) in [
        ("bob", deploy(&ready), "bob has none of the roles"),
        ("ann", deploy(&red), "check:build"),
        ("ann", deploy(&never), "the commit is older than"),
        ("ann", deploy(&live), "the commit is live in prod already"),
        ("ann", deploy(&aside), "not on the release branch main"),
        ("ann", back(&aside), "not on the release branch main"),
        ("ann", back(&ready), "newer than what is live"),
        (
            "ann",
            "/rollback prod".to_owned(),
            "nothing else was released to prod",
        ),
        (
            "ann",
            "/deploy nowhere".to_owned(),
            "there is no environment nowhere",
        ),
        (
            "ann",
            "/deploy prod --service till".to_owned(),
            "called till",
        ),
        (
            "ann",
            "/deploy prod --at 14:30".to_owned(),
            "--at is not available",
        ),
        ("ann", "/approve #77".to_owned(), "there is no request #77"),
        (
            "ann",
            "/approve".to_owned(),
            "no request waits for an answer here",
        ),
        ("ann", "/retry #77".to_owned(), "there is no request #77"),
        ("ann", "/retry #1".to_owned(), "#1"),
        ("ann", "/retry".to_owned(), "which request?"),
        ("ann", "/unlock prod".to_owned(), "prod is not locked"),
        (
            "bob",
            "/lock prod --reason mine".to_owned(),
            "bob has none of the roles",
        ),
        ("bob", "/audit".to_owned(), "no role auditor is configured"),
    ] {
        check((&world, &mut pages), person, &line, part).await;
    }
    world.say("dora", 3, "/lock prod --reason audit").await;
    check(
        (&world, &mut pages),
        "ann",
        &deploy(&ready),
        "locked by dora",
    )
    .await;
    check((&world, &mut pages), "ann", &back(&never), "locked by dora").await;
    check(
        (&world, &mut pages),
        "bob",
        "/unlock prod",
        "bob has none of the roles",
    )
    .await;
    world.say("dora", 3, "/unlock prod").await;
    let frozen = (EXCLUDE, "exclude = []\nfreeze = \"until Monday\"");
    world.reconfigure(&services(&[frozen])).await;
    check(
        (&world, &mut pages),
        "ann",
        &deploy(&ready),
        "frozen: until Monday",
    )
    .await;
    world.reconfigure(&services(&[])).await;
    // A dry run says the same and is none.
    for surface in SURFACES {
        let line = format!("/deploy prod {ready} --dry-run");
        let dry = world.ask_at(surface, "ann", (3, &line)).await;
        pages.add(surface, &format!("ann: {line}"), &dry);
        assert!(dry.contains("it would be accepted"), "{dry}");
    }
    assert_eq!(world.recorded("requested").await, 1);
    end(&world, pages);
}

async fn what_is_said_about_a_request_is_refused_alike(setting: Setting) {
    let world = world(setting, &[TWO]).await;
    let mut pages = Pages::of(&world, "refused-about-a-request");
    let (_, older) = world.ready("one").await;
    let (_, sha) = world.ready("two").await;
    world.slack("ann", "/deploy prod").await;
    for (person, line, part) in [
        (
            "ann",
            "/approve #1".to_owned(),
            "ann has already approved #1",
        ),
        ("bob", "/approve #1".to_owned(), "bob has none of the roles"),
        ("bob", "/reject #1".to_owned(), "bob has none of the roles"),
        ("bob", "/cancel #1".to_owned(), "bob has none of the roles"),
        (
            "dora",
            format!("/deploy prod {sha}"),
            "#1 asks for this already",
        ),
        (
            "dora",
            format!("/deploy prod {older}"),
            "#1 asks for a newer commit",
        ),
    ] {
        check((&world, &mut pages), person, &line, part).await;
    }
    world.say("dora", 3, "/lock prod --reason audit").await;
    check(
        (&world, &mut pages),
        "dora",
        "/approve #1",
        "prod is locked by dora",
    )
    .await;
    assert_eq!(world.recorded("approved").await, 1);
    assert!(world.deployments().is_empty());
    end(&world, pages);
}

/// Numbers of requests, commits and times, as if every request were the first.
fn of_any(reasons: BTreeSet<String>, (number, sha): (u64, &str)) -> BTreeSet<String> {
    let unnumbered = |text: String| {
        let text = text
            .replace(&format!("#{number}"), "#N")
            .replace(sha, "SHA");
        match text.split_once("expired at ") {
            Some((before, _)) => before.to_owned(),
            None => text,
        }
    };
    reasons.into_iter().map(unnumbered).collect()
}

async fn what_ends_a_request_is_said_alike(setting: Setting) {
    let short = (EXCLUDE, "exclude = []\nexpires = \"30m\"");
    let world = world(setting, &[TWO, short]).await;
    let mut pages = Pages::of(&world, "refused-after-its-end");
    let mut answers: [Vec<BTreeSet<String>>; 2] = Default::default();
    for surface in SURFACES {
        // The policy changes while the request waits.
        let (_, sha) = world.ready(&format!("{surface:?}")).await;
        let deploy = format!("/deploy prod {sha}");
        world.ask_at(surface, "ann", (3, &deploy)).await;
        let number = world.newest().await;
        world.reconfigure(&services(&[short])).await;
        let line = format!("/approve #{number}");
        let answer = world.ask_at(surface, "dora", (3, &line)).await;
        pages.add(surface, &format!("dora: {line}"), &answer);
        let seen = refused(surface, &answer, "the policy has changed");
        answers[0].push(of_any(seen, (number, &sha)));
        check((&world, &mut pages), "dora", &line, "it is voided").await;
        world.reconfigure(&services(&[TWO, short])).await;
        // Time runs out before the timer has said so.
        world.ask_at(surface, "ann", (3, &deploy)).await;
        let number = world.newest().await;
        world.wait(31 * 60);
        let line = format!("/approve #{number}");
        let answer = world.ask_at(surface, "dora", (3, &line)).await;
        pages.add(surface, &format!("dora: {line}"), &answer);
        let seen = refused(surface, &answer, "expired");
        answers[1].push(of_any(seen, (number, &sha)));
        world.pass(60).await;
        check((&world, &mut pages), "dora", &line, "it is expired").await;
    }
    for [comment, discord, slack] in answers.map(|seen| <[_; 3]>::try_from(seen).unwrap()) {
        assert_eq!(comment, discord);
        assert_eq!(comment, slack);
    }
    world.slack("ann", "/deploy prod").await;
    let number = world.newest().await;
    let cancel = format!("/cancel #{number}");
    world.discord("ann", &cancel).await;
    check((&world, &mut pages), "ann", &cancel, "it is cancelled").await;
    assert!(world.deployments().is_empty());
    end(&world, pages);
}

async fn who_may_not_approve_is_told_alike(setting: Setting) {
    let authors = (EXCLUDE, "exclude = [\"author\"]");
    let also_bob = (NAMED, r#"github_users = ["ann", "bob", "dora"]"#);
    let world = world(setting, &[authors, also_bob]).await;
    let mut pages = Pages::of(&world, "refused-approving");
    world.live("first").await;
    world.ready("of bob").await;
    world.discord("bob", "/deploy prod").await;
    check(
        (&world, &mut pages),
        "bob",
        "/approve #2",
        "bob wrote commit ",
    )
    .await;
    let number = world.newest().await;
    world.slack("bob", &format!("/cancel #{number}")).await;
    let stranger = NewCommit {
        author: None,
        ..NewCommit::by("bob", "by nobody known")
    };
    let sha = world.push_by("bob", "main", vec![stranger]).await;
    world.make_ready(&sha).await;
    world.discord("ann", "/deploy prod").await;
    check(
        (&world, &mut pages),
        "ann",
        "/approve #3",
        "who has no account here",
    )
    .await;

    let requesters = (EXCLUDE, "exclude = [\"requester\"]");
    world.reconfigure(&services(&[requesters])).await;
    world.slack("ann", "/deploy prod").await;
    let why = "ann asked for this release, and the policy excludes the requester";
    check((&world, &mut pages), "ann", "/approve #4", why).await;
    assert_eq!(world.deployments().len(), 1);
    end(&world, pages);
}

async fn open_heads_are_refused_alike(setting: Setting) {
    let world = world(setting, &[]).await;
    let mut pages = Pages::of(&world, "refused-open-heads");
    let open = world.open("feature").await;
    let sha = world.head("work-feature").unwrap();
    world.make_ready(&sha).await;
    let line = format!("/deploy prod {open}");
    check(
        (&world, &mut pages),
        "ann",
        &line,
        &format!("pull request {open} is not merged"),
    )
    .await;
    world
        .reconfigure(&services(&[(
            EXCLUDE,
            "exclude = []\nallow = [\"open-heads\"]",
        )]))
        .await;
    world.make_draft(open).await;
    check(
        (&world, &mut pages),
        "ann",
        &line,
        &format!("pull request {open} is a draft"),
    )
    .await;
    let (gift, sha) = world.open_from_fork().await;
    world.make_ready(&sha).await;
    check(
        (&world, &mut pages),
        "ann",
        &format!("/deploy prod {gift}"),
        "comes from a fork",
    )
    .await;
    assert!(world.deployments().is_empty());
    end(&world, pages);
}

async fn the_turn_of_a_release_is_told_alike(setting: Setting) {
    let soak = (
        r#"gates = ["deployment:staging"]"#,
        "gates = [\"deployment:staging\"]\nsoak = \"10m\"",
    );
    let world = world(setting, &[soak]).await;
    let mut pages = Pages::of(&world, "refused-out-of-turn");
    let (_, sha) = world.ready("one").await;
    check(
        (&world, &mut pages),
        "ann",
        &format!("/deploy prod {sha}"),
        "soak",
    )
    .await;
    world.pass(601).await;
    let (_, newer) = world.ready("two").await;
    world.pass(601).await;
    world.discord("ann", &format!("/deploy prod {sha}")).await;
    for (line, part) in [
        (format!("/deploy prod {newer}"), "#1 releases"),
        ("/cancel #1".to_owned(), "may be running at this moment"),
        ("/reject #1".to_owned(), "#1"),
        ("/approve #1".to_owned(), "does not wait for an answer"),
        ("/retry #1".to_owned(), "#1"),
    ] {
        check((&world, &mut pages), "dora", &line, part).await;
    }
    assert_eq!(world.deployments(), [sha]);
    end(&world, pages);
}
