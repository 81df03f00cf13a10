//! Any order: events in whatever order, and however often, lead to the same state in the end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::memory::Memory;
use crate::domain::trigger::deployment::Deployment;
use crate::domain::{
    Account, Allow, Catalog, Colour, Environment, Exclude, Forge, Gate, Incoming, Mark, Push, Rank,
    Report, ReportKind, Reporter, Repository, RepositoryId, Service, Sha, Stage, Trigger,
};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn sha(number: usize) -> Sha {
    format!("{number:040x}").parse().unwrap()
}

pub(super) fn repository() -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitHub, 9),
        path: "acme/shop".to_owned(),
        installation: Some(4),
    }
}

fn stage(name: &str, gates: &[&str], soak: Option<&str>) -> Stage {
    Stage {
        name: name.parse().unwrap(),
        gates: gates
            .iter()
            .map(|gate| Gate::parse(Forge::GitHub, gate).unwrap())
            .collect(),
        soak: soak.map(|soak| soak.parse().unwrap()),
    }
}

pub(super) fn catalog() -> Catalog {
    let environment = Environment {
        name: "prod".parse().unwrap(),
        aliases: Vec::new(),
        formerly: None,
        after: "staging".parse().unwrap(),
        approvals: BTreeMap::from([("deployer".parse().unwrap(), 1)]),
        exclude: Exclude::default(),
        expires: "4h".parse().unwrap(),
        follow: "10m".parse().unwrap(),
        allow: Allow::default(),
        freeze: None,
        trigger: Trigger::Deployment(Deployment {
            environment: "production".parse().unwrap(),
            reporter: None,
        }),
    };
    Catalog {
        services: vec![Service {
            name: "shop".parse().unwrap(),
            formerly: None,
            repo: "github:acme/shop".parse().unwrap(),
            branch: "main".parse().unwrap(),
            paths: Vec::new(),
            notify: Vec::new(),
            stages: vec![
                stage("build", &["check:build*", "status:lint"], None),
                stage(
                    "staging",
                    &["deployment:staging", "workflow:e2e.yml"],
                    Some("10m"),
                ),
            ],
            environments: vec![environment],
        }],
        ..Catalog::default()
    }
}

/// What a forge may say about one of three commits.
fn told() -> impl Strategy<Value = Incoming> {
    let report = (0usize..3, 0usize..5, 1u64..5, 0u64..3, 0u8..3, 0i64..4).prop_map(
        |(commit, what, id, attempt, phase, second)| {
            let (kind, name, source) = match what {
                0 => (ReportKind::Check, "build", Reporter::App(7)),
                1 => (ReportKind::Check, "build (2)", Reporter::App(7)),
                2 => {
                    let account = Account {
                        forge: Forge::GitHub,
                        id: 5,
                        login: "ann".to_owned(),
                    };
                    (ReportKind::Status, "lint", Reporter::Account(account))
                }
                3 => (ReportKind::Deployment, "staging", Reporter::App(7)),
                _ => (ReportKind::Workflow, "e2e.yml", Reporter::Forge),
            };
            // A report with a rank says one thing only: the colour follows from the numbers.
            let colour = match (phase, (id + attempt) % 4) {
                (2, 0) => Colour::Red,
                (2, _) => Colour::Green,
                _ => Colour::Pending,
            };
            let report = Report {
                repository: RepositoryId::on(Forge::GitHub, 9),
                sha: sha(commit),
                kind,
                name: name.to_owned(),
                source,
                rank: Rank {
                    id,
                    attempt,
                    phase,
                    second,
                },
                colour,
                word: "said".to_owned(),
                url: String::new(),
                at: at(i64::from(phase) + second),
                reference: None,
                pipeline: None,
                parent: None,
                heard: None,
            };
            Incoming::Report(repository(), report)
        },
    );
    let push = (0usize..3).prop_map(|commit| {
        Incoming::Push(Push {
            repository: repository(),
            branch: "main".to_owned(),
            before: commit.checked_sub(1).map(sha),
            after: Some(sha(commit)),
            may_go_back: false,
            paths: None,
            title: format!("commit {commit}"),
        })
    });
    prop_oneof![4 => report, 1 => push]
}

/// What matters in the end: which commits are candidates, and how far each of them is.
fn end_of(events: &[Incoming]) -> (BTreeMap<String, BTreeMap<String, Mark>>, Vec<String>) {
    let catalog = catalog();
    let mut memory = Memory::default();
    for event in events {
        memory.hear(event, &catalog, at(60));
    }
    // The soak is over for whatever is green.
    memory.pass(&catalog, at(100_000));
    let candidates = memory
        .candidates
        .iter()
        .map(|one| (one.sha.to_string(), one.marks.clone()))
        .collect();
    let mut reports: Vec<String> = memory
        .reports
        .iter()
        .map(|report| format!("{report:?}"))
        .collect();
    reports.sort();
    (candidates, reports)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn order_and_repetition_change_nothing(
        (events, shuffled) in prop::collection::vec(told(), 1..40).prop_flat_map(|events| {
            let twice = [events.clone(), events.clone()].concat();
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(end_of(&events), end_of(&shuffled));
    }
}

#[test]
fn a_red_gate_fails_the_stage_and_a_green_run_heals_it() {
    let catalog = catalog();
    let mut memory = Memory::default();
    let report = |kind, name: &str, id, colour| {
        let report = Report {
            repository: RepositoryId::on(Forge::GitHub, 9),
            sha: sha(1),
            kind,
            name: name.to_owned(),
            source: Reporter::App(7),
            rank: Rank {
                id,
                attempt: 1,
                phase: 2,
                second: 0,
            },
            colour,
            word: "said".to_owned(),
            url: String::new(),
            at: at(0),
            reference: None,
            pipeline: None,
            parent: None,
            heard: None,
        };
        Incoming::Report(repository(), report)
    };
    let push = Incoming::Push(Push {
        repository: repository(),
        branch: "main".to_owned(),
        before: None,
        after: Some(sha(1)),
        may_go_back: false,
        paths: None,
        title: String::new(),
    });
    memory.hear(&push, &catalog, at(0));
    let build = |memory: &Memory| memory.candidates[0].marks.get("build").copied();
    memory.hear(
        &report(ReportKind::Status, "lint", 1, Colour::Green),
        &catalog,
        at(1),
    );
    assert_eq!(build(&memory), None);
    memory.hear(
        &report(ReportKind::Check, "build", 2, Colour::Red),
        &catalog,
        at(2),
    );
    assert_eq!(build(&memory), Some(Mark::Failed));
    memory.hear(
        &report(ReportKind::Check, "build", 3, Colour::Green),
        &catalog,
        at(3),
    );
    assert_eq!(build(&memory), Some(Mark::Passed));
    memory.hear(
        &report(ReportKind::Check, "build", 2, Colour::Red),
        &catalog,
        at(4),
    );
    assert_eq!(
        build(&memory),
        Some(Mark::Passed),
        "an older report is late"
    );
}
