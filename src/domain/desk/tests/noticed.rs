//! Notices: what channels are told, and when.

use jiff::Timestamp;

use super::any_order::{at, catalog, repository, sha};
use super::memory::Memory;
use crate::domain::desk::Outcome;
use crate::domain::{
    Account, Catalog, Colour, Commit, Comparison, Credit, Effect, Fact, Forge, Happening, InChat,
    Incoming, Live, News, Notice, Part, Planned, Push, Question, QuietHours, Rank, Relation,
    Report, ReportKind, Reporter, RepositoryId, Somebody, Subscription,
};

/// The service without soak times, told to one channel.
fn told_to(change: impl Fn(&mut Subscription)) -> Catalog {
    let mut catalog = catalog();
    catalog
        .web_urls
        .insert(Forge::GitHub, "https://forge.example".to_owned());
    for service in &mut catalog.services {
        let mut subscription = Subscription::to("discord:200".parse().unwrap());
        subscription.call = Some("77".to_owned());
        change(&mut subscription);
        service.notify = vec![subscription];
        for stage in &mut service.stages {
            stage.soak = None;
        }
    }
    catalog
}

fn push(memory: &mut Memory, catalog: &Catalog, number: usize, now: Timestamp) {
    let push = Push {
        repository: repository(),
        branch: "main".to_owned(),
        before: None,
        after: Some(sha(number)),
        may_go_back: false,
        paths: None,
        title: format!("Commit {number} (#{number})"),
    };
    memory.hear(&Incoming::Push(push), catalog, now);
}

fn report(
    memory: &mut Memory,
    catalog: &Catalog,
    (number, kind, name): (usize, ReportKind, &str),
    (id, colour): (u64, Colour),
) -> Outcome {
    let report = Report {
        repository: RepositoryId::on(Forge::GitHub, 9),
        sha: sha(number),
        kind,
        name: name.to_owned(),
        source: Reporter::Forge,
        rank: Rank {
            id,
            attempt: 0,
            phase: 2,
            second: 0,
        },
        colour,
        word: "said".to_owned(),
        url: "https://forge.example/run".to_owned(),
        at: at(1),
        reference: None,
        pipeline: None,
        parent: None,
        heard: None,
    };
    let incoming = Incoming::Report(repository(), report);
    memory.hear(&incoming, catalog, at(100)).remove(0)
}

const GATES: [(ReportKind, &str); 4] = [
    (ReportKind::Check, "build"),
    (ReportKind::Status, "lint"),
    (ReportKind::Workflow, "e2e.yml"),
    (ReportKind::Deployment, "staging"),
];

/// Everything is green; what the last report led to.
fn make_ready(memory: &mut Memory, catalog: &Catalog, number: usize) -> Outcome {
    let mut last = Outcome::default();
    for (kind, name) in GATES {
        last = report(memory, catalog, (number, kind, name), (1, Colour::Green));
    }
    last
}

/// The notices that are shown, with who is called, whether they are posted, and from when on.
fn shown(outcome: &Outcome) -> Vec<(&Notice, Option<&str>, bool, &Planned)> {
    let effects = outcome.effects.iter();
    effects
        .filter_map(|planned| {
            let Effect::Chat(InChat::Notice {
                notice, call, post, ..
            }) = &planned.effect
            else {
                return None;
            };
            Some((&**notice, call.as_deref(), *post, planned))
        })
        .collect()
}

#[test]
fn a_ready_commit_is_offered_with_everything_that_ships() {
    let catalog = told_to(|_| {});
    let mut memory = Memory::default();
    memory.live.push(Live {
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        sha: sha(0),
        request: None,
        since: at(0),
    });
    let question = Question::Comparison {
        repository: repository(),
        base: sha(0).to_string(),
        head: sha(20).to_string(),
    };
    let commits = (1..=12).map(|number| Commit {
        sha: sha(number),
        title: format!("Commit {number} (#{number})"),
        credits: vec![Credit {
            part: Part::Author,
            who: Somebody::Known(Account {
                forge: Forge::GitHub,
                id: 5,
                login: "ann".to_owned(),
            }),
        }],
        parents: Vec::new(),
    });
    let comparison = Comparison {
        relation: Relation::Ahead,
        commits: commits.collect(),
        complete: true,
        paths: None,
    };
    memory
        .facts
        .insert(question, Ok(Fact::Comparison(comparison)));
    push(&mut memory, &catalog, 20, at(10));
    let outcome = make_ready(&mut memory, &catalog, 20);
    let [(notice, call, post, planned)] = shown(&outcome)[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!((call, post, planned.not_before), (Some("77"), true, None));
    assert_eq!(notice.news, News::Ready);
    assert_eq!(notice.ships.commits.len(), 10);
    assert_eq!(notice.ships.more, 2);
    let last = notice.ships.commits.last().unwrap();
    assert_eq!(last.sha, sha(12));
    assert_eq!(
        last.pull_request,
        Some((12, "https://forge.example/acme/shop/pull/12".to_owned()))
    );
    let compare = format!(
        "https://forge.example/acme/shop/compare/{}...{}",
        sha(0),
        sha(20)
    );
    assert_eq!(notice.ships.compare.as_deref(), Some(compare.as_str()));
    let gates: Vec<&str> = notice
        .stages
        .iter()
        .flat_map(|stage| &stage.gates)
        .map(|gate| gate.name.as_str())
        .collect();
    assert_eq!(
        gates,
        [
            "check:build",
            "status:lint",
            "deployment:staging",
            "workflow:e2e.yml"
        ]
    );
}

#[test]
fn a_newer_commit_takes_the_place_of_an_older_offer() {
    let catalog = told_to(|_| {});
    let mut memory = Memory::default();
    push(&mut memory, &catalog, 1, at(10));
    push(&mut memory, &catalog, 2, at(20));
    push(&mut memory, &catalog, 3, at(30));
    make_ready(&mut memory, &catalog, 2);
    let outcome = make_ready(&mut memory, &catalog, 3);
    let news: Vec<(String, &News)> = shown(&outcome)
        .into_iter()
        .map(|(notice, ..)| (notice.sha.to_string(), &notice.news))
        .collect();
    let overtaken = News::Overtaken { by: sha(3) };
    assert_eq!(
        news,
        [
            (sha(2).to_string(), &overtaken),
            (sha(3).to_string(), &News::Ready)
        ]
    );
    // What is older than an offer is not offered any more.
    assert!(shown(&make_ready(&mut memory, &catalog, 1)).is_empty());
}

#[test]
fn an_offer_is_withdrawn_when_a_gate_turns_red_and_comes_back_as_the_same_message() {
    let catalog = told_to(|_| {});
    let mut memory = Memory::default();
    push(&mut memory, &catalog, 1, at(10));
    let first = make_ready(&mut memory, &catalog, 1);
    let number = shown(&first)[0].0.number;
    let red = report(
        &mut memory,
        &catalog,
        (1, ReportKind::Status, "lint"),
        (2, Colour::Red),
    );
    let [(notice, call, ..)] = shown(&red)[..] else {
        panic!("{red:?}");
    };
    assert!(matches!(notice.news, News::Withdrawn { .. }));
    assert!(notice.buttons().is_empty());
    assert_eq!(call, None);
    let said = red.effects.iter().any(|planned| {
        matches!(&planned.effect, Effect::Chat(InChat::Remark { kind: Some(Happening::StageFailed), text, .. }) if text.plain().contains("status:lint"))
    });
    assert!(said, "{red:?}");
    let green = report(
        &mut memory,
        &catalog,
        (1, ReportKind::Status, "lint"),
        (3, Colour::Green),
    );
    let [(notice, ..)] = shown(&green)[..] else {
        panic!("{green:?}");
    };
    assert_eq!((notice.number, &notice.news), (number, &News::Ready));
}

#[test]
fn channels_choose_what_they_are_told_and_when() {
    let check = |catalog: Catalog, expect: &[(bool, Option<&str>)]| {
        let mut memory = Memory::default();
        push(&mut memory, &catalog, 1, at(10));
        let outcome = make_ready(&mut memory, &catalog, 1);
        let found: Vec<(bool, Option<String>)> = shown(&outcome)
            .into_iter()
            .map(|(_, _, post, planned)| (post, planned.not_before.map(|at| at.to_string())))
            .collect();
        let expect: Vec<(bool, Option<String>)> = expect
            .iter()
            .map(|(post, at)| (*post, at.map(str::to_owned)))
            .collect();
        assert_eq!(found, expect);
    };
    check(told_to(|_| {}), &[(true, None)]);
    check(
        told_to(|one| one.on = vec![Happening::Failed]),
        &[(false, None)],
    );
    check(
        told_to(|one| one.environments = vec!["canary".parse().unwrap()]),
        &[],
    );
    // It is 08:01:40 on that day.
    let quiet = |hours: &str| {
        let hours = QuietHours::parse(hours).unwrap();
        told_to(move |one| one.quiet = Some(hours.clone()))
    };
    check(
        quiet("08:00-09:00"),
        &[(true, Some("2027-01-15T09:00:00Z"))],
    );
    check(quiet("09:00-10:00"), &[(true, None)]);
}

#[test]
fn an_effect_that_was_given_up_is_announced_to_the_channels_of_its_repository() {
    let catalog = told_to(|_| {});
    let mut memory = Memory::default();
    let parked = Incoming::Internal(crate::domain::Internal::Parked {
        outbox: 17,
        effect: "commit_status".to_owned(),
        problem: "403 @everyone".to_owned(),
        repository: repository(),
    });
    let outcome = memory.hear(&parked, &catalog, at(0)).remove(0);
    let told: Vec<&Effect> = outcome.effects.iter().map(|one| &one.effect).collect();
    let [
        Effect::Chat(InChat::Remark {
            kind,
            text,
            notice: None,
            ..
        }),
    ] = told[..]
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(*kind, Some(Happening::Parked));
    let text = text.plain();
    assert!(text.contains("403 @everyone"), "{text}");
    let quiet = told_to(|one| one.on = vec![Happening::Ready]);
    let outcome = memory.hear(&parked, &quiet, at(1)).remove(0);
    assert!(outcome.effects.is_empty());
}

#[test]
fn environments_that_become_ready_together_have_notices_of_their_own() {
    let mut catalog = told_to(|_| {});
    for service in &mut catalog.services {
        let mut canary = service.environments[0].clone();
        canary.name = "canary".parse().unwrap();
        service.environments.push(canary);
    }
    let mut memory = Memory::default();
    push(&mut memory, &catalog, 1, at(10));
    let outcome = make_ready(&mut memory, &catalog, 1);
    let mut numbers: Vec<u64> = shown(&outcome)
        .iter()
        .map(|(notice, ..)| notice.number)
        .collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 2, "{outcome:?}");
}
