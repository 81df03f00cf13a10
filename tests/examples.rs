//! Example payloads that GitHub's own tooling collected: each is read without an error, and nothing wrong is
//! concluded from it. The examples are not ours to keep: without them the test says so and passes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use countersign::domain::{Colour, Incoming, Progress, ReportKind, RunOf};
use countersign::forges::github::edge::interpret;
use serde::Deserialize;
use serde_json::{Value, json};

/// An entry of the collection.
#[derive(Deserialize)]
struct Event {
    name: String,
    examples: Vec<Value>,
}

/// One payload, with the name of its event.
struct Example {
    event: String,
    payload: Value,
}

/// The examples, or nothing where they were not fetched.
#[expect(clippy::print_stdout, reason = "a test that looked at nothing says so")]
fn examples() -> Option<Vec<Example>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.join(".cache/github/examples-7.6.1.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: the examples are not there: {}", file.display());
        return None;
    };
    let events: Vec<Event> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let all = events.into_iter().flat_map(|event| {
        event.examples.into_iter().map(move |payload| Example {
            event: event.name.clone(),
            payload,
        })
    });
    Some(all.collect())
}

fn heard(event: &str, payload: &Value) -> Vec<Incoming> {
    interpret(event, payload.to_string().as_bytes())
        .unwrap_or_else(|why| panic!("{why}\n{payload}"))
}

fn kind(incoming: &Incoming) -> &'static str {
    match incoming {
        Incoming::Ping => "ping",
        Incoming::Push(_) => "push",
        Incoming::Report(..) => "report",
        Incoming::Deployment(_) => "deployment",
        Incoming::DeploymentMoved(_) => "deployment moved",
        Incoming::Run(_) => "run",
        Incoming::RuleRequested(_) => "rule requested",
        Incoming::PullRequest(_) => "pull request",
        Incoming::Comment(_) => "comment",
        Incoming::Command(_) => "command",
        Incoming::Said(_) => "said",
        Incoming::CommentChanged(_) => "comment changed",
        Incoming::RepositoryChanged(_) => "repository changed",
        Incoming::Internal(_) => "internal",
        Incoming::NotOurs(_) => "not ours",
    }
}

/// How often an event's examples mean what.
fn counts<'e>(
    examples: impl IntoIterator<Item = &'e Example>,
) -> BTreeMap<(String, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for example in examples {
        for incoming in heard(&example.event, &example.payload) {
            let key = (example.event.clone(), kind(&incoming));
            *counts.entry(key).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn every_example_is_read_and_means_what_it_says() {
    let Some(examples) = examples() else { return };
    let used: Vec<(String, &str, usize)> = counts(&examples)
        .into_iter()
        .filter(|((_, kind), _)| *kind != "not ours")
        .map(|((event, kind), count)| (event, kind, count))
        .collect();
    let used: Vec<(&str, &str, usize)> = used
        .iter()
        .map(|(event, kind, count)| (event.as_str(), *kind, *count))
        .collect();
    // None of the comments is on a pull request; five of the pushes are of tags; one of the checks is a
    // button.
    assert_eq!(
        used,
        [
            ("check_run", "report", 8),
            ("deployment", "deployment", 4),
            ("deployment_status", "deployment moved", 4),
            ("deployment_status", "report", 4),
            ("ping", "ping", 4),
            ("pull_request", "pull request", 15),
            ("push", "push", 2),
            ("repository", "repository changed", 4),
            ("status", "report", 4),
            ("workflow_run", "report", 5),
            ("workflow_run", "run", 5),
        ]
    );
}

#[test]
fn what_the_examples_report_is_what_they_say() {
    let Some(examples) = examples() else { return };
    for Example { event, payload } in &examples {
        for incoming in heard(event, payload) {
            match incoming {
                Incoming::Report(_, report) => {
                    let said = match report.kind {
                        ReportKind::Status => &payload["state"],
                        ReportKind::Check => &payload["check_run"]["conclusion"],
                        ReportKind::Workflow => &payload["workflow_run"]["conclusion"],
                        ReportKind::Deployment => &payload["deployment_status"]["state"],
                        other @ (ReportKind::Job | ReportKind::Pipeline) => {
                            panic!("GitHub has no {other:?}")
                        }
                    };
                    let green = matches!(said.as_str(), Some("success" | "neutral"));
                    assert_eq!(report.colour == Colour::Green, green, "{payload}");
                    assert!(report.at.as_second() > 0, "{payload}");
                    assert!(payload.to_string().contains(report.sha.as_str()));
                    assert_eq!(
                        Some(report.repository.number()),
                        payload["repository"]["id"].as_u64()
                    );
                }
                Incoming::Run(run) => {
                    let ended = run.progress == Progress::Succeeded;
                    let said = payload["workflow_run"]["conclusion"] == "success";
                    assert_eq!(ended, said, "{payload}");
                    // One of the runs does not tell its path; its workflow does.
                    let named = &payload["workflow"]["path"];
                    let RunOf::Workflow { file, .. } = &run.what else {
                        panic!("{run:?}");
                    };
                    assert_eq!(*named, format!(".github/workflows/{file}"));
                }
                Incoming::Push(push) => {
                    let branch = payload["ref"].as_str().unwrap();
                    assert_eq!(branch, format!("refs/heads/{}", push.branch));
                    assert_eq!(push.before, None, "both of them are new");
                    assert_eq!(push.paths, None, "nobody knows what a new branch brings");
                }
                Incoming::Deployment(deployment) => {
                    assert_eq!(deployment.correlation, None, "none of them is ours");
                    assert_eq!(Some(deployment.id), payload["deployment"]["id"].as_u64());
                }
                Incoming::DeploymentMoved(moved) => {
                    let succeeded = moved.progress == Some(Progress::Succeeded);
                    let said = payload["deployment_status"]["state"] == "success";
                    assert_eq!(succeeded, said, "{payload}");
                }
                Incoming::PullRequest(moved) => {
                    let said = &payload["pull_request"];
                    assert_eq!(moved.open, said["state"] == "open");
                    assert_eq!(moved.draft, said["draft"] == true);
                    assert_eq!(said["head"]["sha"], moved.head.as_str());
                }
                Incoming::RepositoryChanged(changed) => {
                    assert_eq!(payload["action"], changed.what.as_str());
                }
                Incoming::NotOurs(why) => assert!(why.len() > 10, "{why}"),
                Incoming::Ping => assert!(payload["zen"].is_string()),
                other @ (Incoming::RuleRequested(_)
                | Incoming::Comment(_)
                | Incoming::Command(_)
                | Incoming::Said(_)
                | Incoming::CommentChanged(_)
                | Incoming::Internal(_)) => panic!("{event}: {other:?}"),
            }
        }
    }
}

/// The first example of a deployment names no workflow, against what GitHub's schema says.
#[test]
fn a_deployment_without_a_workflow_is_read() {
    let Some(examples) = examples() else { return };
    let bare = examples
        .iter()
        .filter(|example| example.event == "deployment")
        .find(|example| example.payload.get("workflow").is_none())
        .unwrap();
    let heard = heard(&bare.event, &bare.payload);
    assert!(matches!(heard.as_slice(), [Incoming::Deployment(_)]));
}

/// The examples of comments are on issues; here they are moved to pull requests.
#[test]
fn only_new_comments_can_hold_commands() {
    let Some(mut examples) = examples() else {
        return;
    };
    examples.retain(|example| example.event == "issue_comment");
    for example in &mut examples {
        example.payload["issue"]["pull_request"] = json!({});
    }
    for example in &examples {
        let heard = heard(&example.event, &example.payload);
        let expect = match example.payload["action"].as_str() {
            Some("created") => "comment",
            _ => "comment changed",
        };
        assert_eq!(heard.iter().map(kind).collect::<Vec<_>>(), [expect]);
    }
    let event = "issue_comment".to_owned();
    let expect = [
        ((event.clone(), "comment"), 5),
        ((event, "comment changed"), 4),
    ];
    assert_eq!(counts(&examples), expect.into());
}
