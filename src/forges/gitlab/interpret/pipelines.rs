//! Pipelines, as deliveries tell of them: their jobs are facts, and so is what the automatic ones make of the
//! pipeline as a whole. A pipeline with our mark among its variables is a release of ours instead.

use super::super::payload::pipelines::{Attributes, Build, Pipeline};
use super::super::payload::{Id, Moment};
use super::jobs::{JobTold, colour, job_report};
use super::{account, link, page, place};
use crate::domain::{
    CORRELATION, Colour, Incoming, Progress, Rank, Report, ReportKind, Reporter, RepositoryId,
    RunOf, SeenRun, Sha, made_on,
};

const LONGEST_MARK: usize = 200;
/// The source of a pipeline that a job of another pipeline of the same project started.
pub(crate) const CHILD: &str = "parent_pipeline";
/// The source of a pipeline for the head of a merge request.
const OF_MERGE_REQUEST: &str = "merge_request_event";

pub(super) fn pipeline(mut payload: Pipeline) -> Vec<Incoming> {
    let home = payload.project.web_url.take();
    let repository = place(payload.project);
    let pipeline = payload.object_attributes;
    let builds = payload.builds.unwrap_or_default();
    let url = match link(pipeline.url.as_deref()) {
        url if url.is_empty() => page(home.as_deref(), &format!("pipelines/{}", pipeline.id.0)),
        url => url,
    };
    if let Some(mark) = mark(&pipeline) {
        return vec![Incoming::Run(SeenRun {
            repository,
            id: pipeline.id.0,
            attempt: 1,
            what: RunOf::Pipeline { mark },
            sha: pipeline.sha,
            progress: progress(&pipeline.status),
            url,
            actor: account(payload.user),
        })];
    }
    let jobs: Vec<Weighed<'_>> = builds.iter().map(weighed).collect();
    let made_on = origin(&pipeline);
    let parent = payload
        .source_pipeline
        .and_then(|origin| origin.pipeline_id);
    let whole = PipelineTold {
        id: pipeline.id,
        sha: pipeline.sha.clone(),
        name: name(pipeline.name.as_deref(), &pipeline.source).to_owned(),
        at: latest(&pipeline, &builds),
        status: pipeline.status,
        url,
        made_on: made_on.clone(),
        parent,
    };
    let whole = pipeline_report(repository.id, whole, &jobs);
    let builds = builds.into_iter().filter_map(|build| {
        let url = page(home.as_deref(), &format!("jobs/{}", build.id.0));
        let told = JobTold {
            parent,
            ..told(build, url, pipeline.id, made_on.clone())
        };
        job_report(repository.id, pipeline.sha.clone(), told)
    });
    builds
        .chain([whole])
        .map(|report| Incoming::Report(repository.clone(), report))
        .collect()
}

/// What a pipeline was made on. One for a merge request says the branch that this comes from, which may be of a fork
/// and have any name.
fn origin(pipeline: &Attributes) -> String {
    if pipeline.source == OF_MERGE_REQUEST {
        return "refs/merge-requests/".to_owned();
    }
    made_on(pipeline.reference.as_deref(), pipeline.tag)
}

/// Our mark, if it claims to be ours. We start pipelines in these two ways only; the author of a push can give
/// variables too, and must not hide a pipeline behind our mark. No other variable is looked at.
fn mark(pipeline: &Attributes) -> Option<String> {
    if !matches!(pipeline.source.as_str(), "api" | "trigger") {
        return None;
    }
    let variables = pipeline.variables.as_deref().unwrap_or_default();
    let ours = variables
        .iter()
        .find(|variable| variable.key.as_deref() == Some(CORRELATION))?;
    let value = ours.value.as_deref().unwrap_or_default();
    Some(value.chars().take(LONGEST_MARK).collect())
}

/// A pipeline is known by its name, or else by what started it. A child is always known by what started
/// it, so that it never stands in for the pipeline that started it.
pub(crate) fn name<'s>(name: Option<&'s str>, source: &'s str) -> &'s str {
    name.filter(|name| !name.is_empty() && source != CHILD)
        .unwrap_or(source)
}

fn told(build: Build, url: String, pipeline: Id, made_on: String) -> JobTold {
    JobTold {
        at: moment(&build),
        id: build.id,
        pipeline: Some(pipeline),
        parent: None,
        name: build.name,
        stage: build.stage,
        status: build.status,
        allow_failure: build.allow_failure.unwrap_or(false),
        url,
        made_on,
    }
}

fn moment(build: &Build) -> Moment {
    build.finished_at.or(build.started_at).or(build.created_at)
}

/// When the pipeline or one of its jobs moved last. A pipeline that goes on after its end keeps the time
/// of that end.
fn latest(pipeline: &Attributes, builds: &[Build]) -> Moment {
    let own = pipeline.finished_at.max(pipeline.created_at);
    builds.iter().map(moment).fold(own, Moment::max)
}

/// What a pipeline says as a whole.
pub(crate) struct PipelineTold {
    pub(crate) id: Id,
    pub(crate) sha: Sha,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) at: Moment,
    pub(crate) url: String,
    /// What it was made on.
    pub(crate) made_on: String,
    /// The pipeline whose job started it.
    pub(crate) parent: Option<Id>,
}

/// A job, as far as it weighs in its pipeline.
#[derive(Clone, Copy)]
pub(crate) struct Weighed<'s> {
    pub(crate) status: &'s str,
    pub(crate) allow_failure: bool,
    /// Whether it runs only when a person plays it.
    pub(crate) by_hand: bool,
}

fn weighed(build: &Build) -> Weighed<'_> {
    Weighed {
        status: &build.status,
        allow_failure: build.allow_failure.unwrap_or(false),
        by_hand: match build.when.as_deref() {
            Some("manual") => true,
            // GitLab says of these too that they can be played.
            Some("delayed") => false,
            _ => build.manual.unwrap_or(false),
        },
    }
}

/// What a pipeline says about its commit. Its phase follows from its colour, because a pipeline may run
/// again after its end: what is settled stays until it is settled anew.
pub(crate) fn pipeline_report(
    repository: RepositoryId,
    told: PipelineTold,
    jobs: &[Weighed<'_>],
) -> Report {
    let at = told.at.or_epoch();
    let found = judged(&told.status, jobs);
    let phase = match (found, told.status.as_str()) {
        (Colour::Green | Colour::Red, _) => 2,
        (Colour::Pending, "created" | "pending" | "preparing" | "waiting_for_resource") => 0,
        (Colour::Pending, _) => 1,
    };
    let word = match found {
        _ if found == colour(&told.status) => told.status,
        Colour::Green => "success, but for jobs played by hand".to_owned(),
        Colour::Red => format!("{}, with a job that failed", told.status),
        Colour::Pending => format!("{}, with jobs that did not run", told.status),
    };
    Report {
        repository,
        sha: told.sha,
        kind: ReportKind::Pipeline,
        name: told.name,
        source: Reporter::Forge,
        rank: Rank {
            id: told.id.0,
            attempt: 0,
            phase,
            second: at.as_second(),
        },
        colour: found,
        word,
        url: told.url,
        at,
        reference: Some(told.made_on),
        pipeline: None,
        parent: told.parent.map(|id| id.0),
        heard: None,
    }
}

/// Playing a job by hand sets its pipeline in motion again, which must not take the commit's green away:
/// only automatic jobs count, where a job by hand explains why the pipeline is not a success. Not every
/// job is told, so without such an explanation the pipeline's own status stands.
fn judged(status: &str, jobs: &[Weighed<'_>]) -> Colour {
    let own = colour(status);
    let (by_hand, automatic): (Vec<_>, Vec<_>) = jobs.iter().copied().partition(|job| job.by_hand);
    if own == Colour::Green || automatic.is_empty() {
        return own;
    }
    let is_bad = |job: &Weighed<'_>| match job.status {
        "failed" => !job.allow_failure,
        "canceled" => true,
        _ => false,
    };
    if automatic.iter().any(is_bad) {
        return Colour::Red;
    }
    let is_well = |job: &Weighed<'_>| matches!(job.status, "success" | "failed");
    if !automatic.iter().all(is_well) {
        return Colour::Pending;
    }
    let explains = |job: &Weighed<'_>| match status {
        "failed" => job.status == "failed" && !job.allow_failure,
        "canceled" => job.status == "canceled",
        "canceling" => matches!(job.status, "canceling" | "canceled"),
        "manual" => job.status == "manual",
        "pending" | "preparing" | "waiting_for_resource" | "running" => matches!(
            job.status,
            "pending" | "preparing" | "waiting_for_resource" | "running" | "canceling"
        ),
        _ => false,
    };
    if by_hand.iter().any(explains) {
        return Colour::Green;
    }
    own
}

fn progress(status: &str) -> Progress {
    match status {
        "success" => Progress::Succeeded,
        "failed" => Progress::Failed,
        "canceled" => Progress::Cancelled,
        "skipped" => Progress::Skipped,
        "running" | "canceling" => Progress::Running,
        _ => Progress::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{ann, heard, sha, shop};
    use super::*;

    fn reports(change: impl FnOnce(&mut Value)) -> Vec<Report> {
        let heard = heard("Pipeline Hook", change).into_iter();
        heard
            .map(|one| {
                let Incoming::Report(repository, report) = one else {
                    panic!("{one:?}");
                };
                assert_eq!(repository, shop());
                report
            })
            .collect()
    }

    fn whole(change: impl FnOnce(&mut Value)) -> Report {
        let reports = reports(change);
        let last = reports.last().unwrap();
        assert_eq!(last.kind, ReportKind::Pipeline);
        last.clone()
    }

    #[test]
    fn a_pipeline_tells_its_jobs_and_then_itself() {
        let reports = reports(|_| ());
        let [test, deploy, whole] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        assert_eq!((test.kind, test.name.as_str()), (ReportKind::Job, "test"));
        assert_eq!((test.rank.id, test.colour), (31, Colour::Green));
        assert_eq!(test.url, "https://lab/acme/shop/-/jobs/31");
        assert_eq!((deploy.rank.id, deploy.colour), (32, Colour::Pending));
        let at: jiff::Timestamp = "2026-01-01T00:00:09Z".parse().unwrap();
        let expect = Report {
            repository: shop().id,
            sha: sha('a'),
            kind: ReportKind::Pipeline,
            name: "push".to_owned(),
            source: Reporter::Forge,
            rank: Rank {
                id: 21,
                attempt: 0,
                phase: 2,
                second: at.as_second(),
            },
            colour: Colour::Green,
            word: "success".to_owned(),
            url: "https://lab/acme/shop/-/pipelines/21".to_owned(),
            at,
            reference: Some("main".to_owned()),
            pipeline: None,
            parent: None,
            heard: None,
        };
        assert_eq!(*whole, expect);
    }

    #[test]
    fn a_job_in_a_pipeline_says_the_same_as_by_itself() {
        let alone = heard("Job Hook", |_| ());
        let [Incoming::Report(_, alone), ..] = alone.as_slice() else {
            panic!("{alone:?}");
        };
        assert_eq!(reports(|_| ()).first(), Some(alone));
        let waiting = reports(|it| it["builds"][1]["status"] = "manual".into());
        assert_eq!(waiting.len(), 2, "nobody has played it");
        let outside = reports(|it| it["builds"][0]["stage"] = "external".into());
        assert_eq!(outside.first().map(|it| it.kind), Some(ReportKind::Status));
    }

    #[test]
    fn a_pipeline_is_named_by_itself_or_by_what_started_it() {
        let check = |name: Value, source: &str, expect: &str| {
            let report = whole(|it| {
                it["object_attributes"]["name"] = name;
                it["object_attributes"]["source"] = source.into();
            });
            assert_eq!(report.name, expect);
        };
        check(Value::Null, "push", "push");
        check("".into(), "schedule", "schedule");
        check("Nightly".into(), "schedule", "Nightly");
        check("Nightly".into(), "parent_pipeline", "parent_pipeline");
    }

    #[test]
    fn only_automatic_jobs_colour_a_pipeline() {
        use Colour::{Green, Pending, Red};
        // The status; the jobs, by their status, `?` for those that may fail, `*` for those by hand.
        for (status, jobs, expect) in [
            ("success", "success", Green),
            ("success", "success skipped*", Green),
            ("success", "success skipped", Green),
            ("success", "failed?", Green),
            ("running", "success running", Pending),
            ("running", "success created", Pending),
            ("running", "failed running", Red),
            ("running", "failed? running", Pending),
            ("pending", "pending", Pending),
            ("failed", "success failed", Red),
            ("canceled", "success canceled", Red),
            ("canceled", "canceled?", Red),
            ("skipped", "skipped", Pending),
            ("new_word", "success", Pending),
            // A person plays a job.
            ("running", "success running*", Green),
            ("running", "success pending*", Green),
            ("running", "success failed? running*", Green),
            ("pending", "success pending*", Green),
            ("failed", "success failed*", Green),
            ("canceled", "success canceled*", Green),
            ("canceling", "success canceling*", Green),
            ("manual", "success manual*", Green),
            ("manual", "success created manual*", Pending),
            ("failed", "success skipped failed*", Pending),
            ("failed", "failed running*", Red),
            // What no job that is told explains.
            ("failed", "success", Red),
            ("failed", "success failed?*", Red),
            ("failed", "success manual*", Red),
            ("running", "success", Pending),
            ("running", "success manual*", Pending),
            ("running", "success skipped*", Pending),
            ("canceled", "success", Red),
            ("canceling", "success running*", Pending),
            ("new_word", "success running*", Pending),
            // No automatic job has looked at anything.
            ("success", "", Green),
            ("failed", "", Red),
            ("canceled", "", Red),
            ("running", "", Pending),
            ("manual", "", Pending),
            ("manual", "manual*", Pending),
            ("running", "running*", Pending),
            ("failed", "failed*", Red),
        ] {
            let jobs: Vec<Weighed<'_>> = jobs
                .split_whitespace()
                .map(|job| Weighed {
                    status: job.trim_end_matches(['?', '*']),
                    allow_failure: job.contains('?'),
                    by_hand: job.contains('*'),
                })
                .collect();
            let shown: Vec<&str> = jobs.iter().map(|job| job.status).collect();
            assert_eq!(judged(status, &jobs), expect, "{status}: {shown:?}");
        }
    }

    #[test]
    fn a_job_is_by_hand_when_somebody_must_play_it() {
        let check = |when: Value, manual: Value, expect: Colour| {
            let report = whole(|it| {
                it["object_attributes"]["status"] = "running".into();
                it["builds"][1]["status"] = "running".into();
                it["builds"][1]["when"] = when.clone();
                it["builds"][1]["manual"] = manual.clone();
            });
            assert_eq!(report.colour, expect, "{when} {manual}");
        };
        check("manual".into(), Value::Null, Colour::Green);
        check("manual".into(), false.into(), Colour::Green);
        check(Value::Null, true.into(), Colour::Green);
        check("delayed".into(), true.into(), Colour::Pending);
        check("on_success".into(), false.into(), Colour::Pending);
        check(Value::Null, Value::Null, Colour::Pending);
    }

    #[test]
    fn playing_a_release_takes_no_green_away_and_a_retry_turns_red_to_green() {
        let at = |status: &str, test: &str, deploy: &str, second: i64| {
            whole(|it| {
                it["object_attributes"]["status"] = status.into();
                it["object_attributes"]["finished_at"] = Value::Null;
                it["builds"][0]["status"] = test.into();
                it["builds"][0]["finished_at"] = (1_800_000_000 + second).into();
                it["builds"][1]["status"] = deploy.into();
            })
        };
        let shown = |reports: &[Report]| {
            let mut colours = Vec::new();
            let mut shown: Option<Report> = None;
            for report in reports {
                if shown.as_ref().is_none_or(|shown| report.replaces(shown)) {
                    shown = Some(report.clone());
                }
                colours.extend(shown.as_ref().map(|shown| shown.colour));
            }
            colours
        };
        use Colour::{Green, Pending, Red};
        let played = [
            at("running", "running", "created", 1),
            at("manual", "success", "manual", 1),
            at("running", "success", "running", 1),
            at("failed", "success", "failed", 1),
        ];
        assert_eq!(shown(&played), [Pending, Green, Green, Green]);
        let retried = [
            at("running", "running", "created", 1),
            at("failed", "failed", "skipped", 2),
            at("running", "running", "created", 3),
            at("manual", "success", "manual", 4),
        ];
        assert_eq!(shown(&retried), [Pending, Red, Red, Green]);
    }

    #[test]
    fn a_word_says_what_the_colour_means() {
        let check = |status: &str, test: &str, deploy: &str, expect: &str| {
            let report = whole(|it| {
                it["object_attributes"]["status"] = status.into();
                it["builds"][0]["status"] = test.into();
                it["builds"][1]["status"] = deploy.into();
            });
            assert_eq!(report.word, expect);
        };
        check("failed", "failed", "skipped", "failed");
        check("running", "running", "created", "running");
        check(
            "failed",
            "success",
            "failed",
            "success, but for jobs played by hand",
        );
        check(
            "running",
            "failed",
            "running",
            "running, with a job that failed",
        );
        check(
            "failed",
            "skipped",
            "failed",
            "failed, with jobs that did not run",
        );
    }

    #[test]
    fn a_pipeline_with_our_mark_is_a_run_and_no_fact() {
        let heard = heard("Pipeline Hook", |it| {
            it["object_attributes"]["source"] = "api".into();
            it["object_attributes"]["variables"] = json!([
                {"key": "PASSWORD", "value": "canary"},
                {"key": "COUNTERSIGN_CORRELATION", "value": "c-1"},
            ]);
        });
        let expect = SeenRun {
            repository: shop(),
            id: 21,
            attempt: 1,
            what: RunOf::Pipeline {
                mark: "c-1".to_owned(),
            },
            sha: sha('a'),
            progress: Progress::Succeeded,
            url: "https://lab/acme/shop/-/pipelines/21".to_owned(),
            actor: Some(ann()),
        };
        assert_eq!(heard, [Incoming::Run(expect)]);
    }

    #[test]
    fn how_a_release_by_pipeline_goes_is_read_off_its_status() {
        for (status, expect) in [
            ("success", Progress::Succeeded),
            ("failed", Progress::Failed),
            ("canceled", Progress::Cancelled),
            ("skipped", Progress::Skipped),
            ("running", Progress::Running),
            ("canceling", Progress::Running),
            ("created", Progress::Waiting),
            ("pending", Progress::Waiting),
            ("manual", Progress::Waiting),
            ("new_word", Progress::Waiting),
        ] {
            let heard = heard("Pipeline Hook", |it| {
                it["object_attributes"]["status"] = status.into();
                it["object_attributes"]["source"] = "trigger".into();
                it["object_attributes"]["url"] = "javascript:alert(1)".into();
                it["object_attributes"]["variables"] =
                    json!([{"key": "COUNTERSIGN_CORRELATION", "value": "é".repeat(500)}]);
            });
            let [Incoming::Run(run)] = heard.as_slice() else {
                panic!("{heard:?}");
            };
            assert_eq!(run.progress, expect, "{status}");
            let RunOf::Pipeline { mark } = &run.what else {
                panic!("{run:?}");
            };
            assert_eq!(mark.chars().count(), LONGEST_MARK);
            assert_eq!(run.url, "https://lab/acme/shop/-/pipelines/21");
        }
    }

    #[test]
    fn our_mark_hides_no_pipeline_that_we_cannot_have_started() {
        for source in ["push", "web", "schedule", "pipeline", "parent_pipeline", ""] {
            let reports = reports(|it| {
                it["object_attributes"]["source"] = source.into();
                it["object_attributes"]["variables"] =
                    json!([{"key": "COUNTERSIGN_CORRELATION", "value": "c-1"}]);
            });
            assert_eq!(reports.len(), 3, "{source}");
        }
    }

    #[test]
    fn variables_are_told_to_nobody() {
        let heard = heard("Pipeline Hook", |it| {
            it["object_attributes"]["variables"] = json!([{"key": "canary", "value": "canary"}]);
        });
        assert!(!format!("{heard:?}").contains("canary"), "{heard:?}");
    }
}
