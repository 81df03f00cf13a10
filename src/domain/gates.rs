//! Gates: how far a commit is: from the reports about it, whatever order they came in. A stage is passed when all its
//! gates are green and have been for as long as it soaks; a gate without a report is pending.

use jiff::Timestamp;

use super::{AppId, Colour, Detail, Gate, Report, ReportKind, Reporter, Service, Stage, StageName};

/// Statuses that we write ourselves are no gates, even where a wildcard would let them.
pub const OWN_CONTEXT: &str = "countersign/";

/// A stage and how far a commit is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageView {
    pub name: StageName,
    pub gates: Vec<GateView>,
    pub verdict: StageVerdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageVerdict {
    Passed {
        since: Timestamp,
    },
    /// All gates are green, and not yet for long enough.
    Soaking {
        until: Timestamp,
    },
    Pending,
    Failed,
}

/// A gate and the reports that count for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateView {
    /// `check:build`.
    pub label: String,
    pub app: Option<AppId>,
    pub colour: Colour,
    pub reports: Vec<Report>,
    /// Reports whose source could not be found out, so that they do not count.
    pub unclear: Vec<String>,
    /// Why what was reported does not count, where nothing does.
    pub aside: Option<String>,
}

/// Finds the app behind a reporter's account.
pub type AppOf<'f> = dyn Fn(&Reporter) -> Result<Option<u64>, String> + 'f;

/// How far a commit with these reports is in these stages of a service.
pub fn view(
    service: &Service,
    stages: &[Stage],
    reports: &[Report],
    app_of: &AppOf<'_>,
    now: Timestamp,
) -> Vec<StageView> {
    stages
        .iter()
        .map(|stage| {
            let gates: Vec<GateView> = stage
                .gates
                .iter()
                .map(|gate| view_gate(service, gate, reports, app_of))
                .collect();
            let verdict = judge(stage, &gates, now);
            StageView {
                name: stage.name.clone(),
                gates,
                verdict,
            }
        })
        .collect()
}

/// Whether a report is about this gate, its source left aside.
pub fn concerns(gate: &Gate, report: &Report) -> bool {
    let own = report.kind == ReportKind::Status && report.name.starts_with(OWN_CONTEXT);
    !own && gate.kind() == report.kind.as_str() && gate.name().matches(&report.name)
}

/// Whether a report was made on the release branch, or on any where heads of pull requests are released.
fn was_made_here(service: &Service, gate: &Gate, report: &Report) -> bool {
    let mut environments = service.environments.iter();
    let elsewhere_too = environments.any(|environment| environment.allow.open_heads);
    report.counts_for(gate, service.branch.as_str(), elsewhere_too)
}

/// Whether a service waits for what we are not told.
pub fn waits_in_silence(service: &Service, reports: &[Report]) -> bool {
    let mut gates = service.stages.iter().flat_map(|stage| &stage.gates);
    gates.any(|gate| {
        let is_green = |report: &Report| report.colour == Colour::Green && concerns(gate, report);
        gate.is_silent() && !reports.iter().any(is_green)
    })
}

fn view_gate(service: &Service, gate: &Gate, reports: &[Report], app_of: &AppOf<'_>) -> GateView {
    let mut counting: Vec<Report> = Vec::new();
    let mut unclear = Vec::new();
    let mut aside = None;
    for report in reports.iter().filter(|report| concerns(gate, report)) {
        if !was_made_here(service, gate, report) {
            aside = Some(report.why_aside(service.branch.as_str()));
            continue;
        }
        let counts = match gate.app() {
            None => true,
            Some(app) => match app_of(&report.source) {
                Ok(found) => found == Some(app.get()),
                Err(why) => {
                    unclear.push(why);
                    false
                }
            },
        };
        if counts {
            keep_newest(&mut counting, report, gate.app().is_some());
        }
    }
    let colour = counting
        .iter()
        .map(|report| report.colour)
        .max()
        .unwrap_or(Colour::Pending);
    GateView {
        label: format!("{}:{}", gate.kind(), gate.name()),
        app: gate.app(),
        colour,
        aside: aside.filter(|_| counting.is_empty()),
        reports: counting,
        unclear,
    }
}

/// Of the reports by one source under one name, the newest counts. A deployment is one thing, whichever source reports
/// on it, unless the gate names the only source.
fn keep_newest(counting: &mut Vec<Report>, report: &Report, is_pinned: bool) {
    let shared = report.kind == ReportKind::Deployment && !is_pinned;
    let known = counting.iter_mut().find(|known| {
        known.name == report.name && (shared || known.source.key() == report.source.key())
    });
    match known {
        None => counting.push(report.clone()),
        Some(known) if report.replaces(known) => *known = report.clone(),
        Some(_) => {}
    }
}

fn judge(stage: &Stage, gates: &[GateView], now: Timestamp) -> StageVerdict {
    let worst = gates.iter().map(|gate| gate.colour).max();
    match worst {
        Some(Colour::Red) => StageVerdict::Failed,
        Some(Colour::Pending) | None => StageVerdict::Pending,
        Some(Colour::Green) => {
            let since = gates
                .iter()
                .flat_map(|gate| &gate.reports)
                .map(|report| report.stands_since().min(now))
                .max()
                .unwrap_or(now);
            let until = stage.soak.map(|soak| {
                since
                    .checked_add(soak.as_duration())
                    .unwrap_or(Timestamp::MAX)
            });
            match until {
                Some(until) if until > now => StageVerdict::Soaking { until },
                Some(until) => StageVerdict::Passed { since: until },
                None => StageVerdict::Passed { since },
            }
        }
    }
}

impl StageView {
    pub fn is_passed(&self) -> bool {
        matches!(self.verdict, StageVerdict::Passed { .. })
    }
}

impl GateView {
    /// What the ledger keeps as evidence.
    pub fn detail(&self) -> Detail {
        Detail::from([
            ("gate", Detail::from(self.label.as_str())),
            (
                "reports",
                self.reports
                    .iter()
                    .map(|report| {
                        Detail::from([
                            ("name", Detail::from(report.name.as_str())),
                            ("source", Detail::from(report.source.key())),
                            ("conclusion", Detail::from(report.word.as_str())),
                            ("url", Detail::from(report.url.as_str())),
                            ("at", Detail::from(report.at.to_string())),
                        ])
                    })
                    .collect(),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Forge, Rank, RepositoryId, made_on};

    fn service(forge: Forge, gate: &str) -> Service {
        Service {
            name: "shop".parse().unwrap(),
            formerly: None,
            repo: "gitlab:acme/shop".parse().unwrap(),
            branch: "main".parse().unwrap(),
            paths: Vec::new(),
            notify: Vec::new(),
            stages: vec![Stage {
                name: "build".parse().unwrap(),
                gates: vec![Gate::parse(forge, gate).unwrap()],
                soak: None,
            }],
            environments: Vec::new(),
        }
    }

    fn report(kind: ReportKind, colour: Colour, reference: Option<&str>) -> Report {
        Report {
            repository: RepositoryId::on(Forge::GitLab, 9),
            sha: "a".repeat(40).parse().unwrap(),
            kind,
            name: "lint".to_owned(),
            source: Reporter::Forge,
            rank: Rank {
                id: 1,
                attempt: 0,
                phase: 2,
                second: 0,
            },
            colour,
            word: "said".to_owned(),
            url: String::new(),
            at: Timestamp::UNIX_EPOCH,
            reference: reference.map(str::to_owned),
            pipeline: None,
            parent: None,
            heard: None,
        }
    }

    #[test]
    fn gitlab_tells_nothing_about_a_status_that_is_not_green() {
        let status = |colour| report(ReportKind::Status, colour, None);
        let waits = |forge, gate: &str, reports: &[Report]| {
            waits_in_silence(&service(forge, gate), reports)
        };
        assert!(waits(Forge::GitLab, "status:lint", &[]));
        let pending = [status(Colour::Pending)];
        assert!(waits(Forge::GitLab, "status:lint", &pending));
        let green = [status(Colour::Green)];
        assert!(!waits(Forge::GitLab, "status:lint", &green));
        assert!(waits(Forge::GitLab, "status:other", &green));
        assert!(!waits(Forge::GitLab, "job:lint", &[]));
        assert!(!waits(Forge::GitHub, "status:lint", &[]));
    }

    #[test]
    fn what_another_branch_shows_does_not_count() {
        let job = |colour, reference| report(ReportKind::Job, colour, reference);
        let colour = |reports: &[Report]| {
            let service = service(Forge::GitLab, "job:lint");
            let nobody = |_: &Reporter| Ok(None);
            let views = view(&service, &service.stages, reports, &nobody, Timestamp::MAX);
            views[0].gates[0].colour
        };
        let aside = job(Colour::Green, Some("aside"));
        assert_eq!(colour(&[aside]), Colour::Pending);
        for here in [Some("main"), None] {
            assert_eq!(colour(&[job(Colour::Green, here)]), Colour::Green);
        }
        for nowhere in [
            made_on(Some("main"), Some(true)),
            made_on(Some("main"), None),
        ] {
            let other = Report {
                reference: Some(nowhere),
                ..job(Colour::Green, None)
            };
            assert_eq!(colour(&[other]), Colour::Pending);
        }
        let red = job(Colour::Red, Some("aside"));
        assert_eq!(
            colour(&[job(Colour::Green, Some("main")), red]),
            Colour::Green
        );
    }
}
