//! `[[service.stage]]`: the steps of a service and the gates that they wait for.

use crate::config::at::At;
use crate::config::raw::{self, TextOr};
use crate::config::report::Problem;
use crate::config::review::{Review, twice};
use crate::domain::{AppId, Forge, Gate, RepoRef, Stage, StageName};

/// The stages of a service; the repository may be unknown when it has a mistake of its own.
pub(super) fn stages(
    raw: &[At<raw::Stage>],
    repo: Option<&RepoRef>,
    review: &mut Review<'_>,
) -> Vec<Stage> {
    let mut names: Vec<At<StageName>> = Vec::new();
    let mut stages = Vec::new();
    for at in raw {
        let name = review.parse(at.value.name.as_ref());
        if let Some(name) = &name {
            review.add_new(&mut names, name.clone());
        }
        let soak = review.parse(at.value.soak.as_ref());
        let gates = gates(&at.value, repo, review);
        if let Some(name) = name {
            stages.push(Stage {
                name: name.value,
                gates,
                soak: soak.map(|soak| soak.value),
            });
        }
    }
    stages
}

fn gates(raw: &raw::Stage, repo: Option<&RepoRef>, review: &mut Review<'_>) -> Vec<Gate> {
    let Some(repo) = repo else {
        return Vec::new();
    };
    let mut gates: Vec<At<Gate>> = Vec::new();
    for at in raw.gates.iter().flatten() {
        let gate = match &at.value {
            TextOr::Text(text) => review.keep(&at.place, Gate::parse(repo.forge(), text)),
            TextOr::Table(table) => from_table(at, table, repo.forge(), review),
        };
        let Some(gate) = gate else {
            continue;
        };
        let same = |other: &&At<Gate>| {
            (other.value.kind(), other.value.name()) == (gate.kind(), gate.name())
        };
        let gate = At {
            place: at.place.clone(),
            value: gate.clone(),
        };
        if let Some(first) = gates.iter().find(same) {
            review.refuse(twice(&gate, &first.place));
            continue;
        }
        if let Some(name) = gate.value.reported_by_anybody() {
            review.warn(&gate.place, format!(
                "everyone who can write to {repo} can report the status `{name}`; name its source with `app`",
            ));
        }
        gates.push(gate);
    }
    gates.into_iter().map(|gate| gate.value).collect()
}

fn from_table(
    at: &At<TextOr<raw::Gate>>,
    raw: &raw::Gate,
    forge: Forge,
    review: &mut Review<'_>,
) -> Option<Gate> {
    let kinds = [
        ("check", &raw.check),
        ("status", &raw.status),
        ("workflow", &raw.workflow),
        ("deployment", &raw.deployment),
        ("job", &raw.job),
        ("pipeline", &raw.pipeline),
    ];
    let mut written = kinds
        .into_iter()
        .filter_map(|(kind, name)| Some((kind, name.as_ref()?)));
    let Some((kind, name)) = written.next() else {
        if !review.refused_any(&at.place) {
            let problem = Problem::new(&at.place, "this gate does not say what it waits for");
            review.refuse(problem.help("for example: { check = \"build\", app = 15368 }"));
        }
        return None;
    };
    if let Some((other, second)) = written.next() {
        let message = format!("a gate is one fact, and this is a {kind} and a {other}");
        let problem = Problem::new(&second.place, message);
        review.refuse(problem.help("write two gates"));
        return None;
    }
    let app = match &raw.app {
        None => None,
        Some(written) => {
            let app = AppId::new(written.value);
            if app.is_none() {
                let problem = Problem::new(&written.place, "no app has the id 0");
                review
                    .refuse(problem.help(
                        "GitHub Actions has 15368; other apps show theirs in their settings",
                    ));
            }
            Some(app?)
        }
    };
    let gate = review.keep(&name.place, Gate::new(forge, kind, &name.value, app))?;
    let mut events = Vec::new();
    for event in raw.events.iter().flatten() {
        let is_event = |c: char| c.is_ascii_lowercase() || c == '_';
        if event.value.is_empty() || !event.value.chars().all(is_event) {
            let problem = Problem::new(&event.place, "this is no event of GitHub");
            review.refuse(problem.help("for example: events = [\"pull_request\"]"));
            return None;
        }
        events.push(event.value.clone());
    }
    let posted = raw.posted.as_ref().is_some_and(|posted| posted.value);
    review.keep(&at.place, gate.counting(posted, events))
}
