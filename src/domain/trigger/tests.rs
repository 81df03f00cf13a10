//! Kinds of triggers, side by side: what each starts, where that is found, and which runs are of it.

use jiff::Timestamp;

use super::pipeline::Creator;
use super::values::Values;
use super::*;
use crate::domain::{
    Account, Place, Progress, Repository, RepositoryId, RequestKind, RunOf, State, Surface,
};

fn every_kind() -> Vec<Trigger> {
    let name = |name: &str| name.parse().unwrap();
    let main = || "main".parse().unwrap();
    let values = || Values([("SHA".to_owned(), "{sha}".parse().unwrap())].into());
    let pipeline = |creator| {
        Trigger::Pipeline(Pipeline {
            reference: main(),
            variables: values(),
            creator,
        })
    };
    vec![
        Trigger::Deployment(Deployment {
            environment: name("live"),
            reporter: None,
        }),
        Trigger::WorkflowDispatch(WorkflowDispatch {
            workflow: "deploy.yml".parse().unwrap(),
            reference: main(),
            inputs: values(),
        }),
        Trigger::RepositoryDispatch(RepositoryDispatch {
            event_type: name("go"),
        }),
        Trigger::ProtectionRule(ProtectionRule {
            environment: name("live"),
            workflow: None,
        }),
        Trigger::PlayJob(PlayJob { job: name("ship") }),
        pipeline(Creator::Account),
        pipeline(Creator::Token),
        Trigger::ApproveThenPlay(ApproveThenPlay {
            environment: name("live"),
        }),
        Trigger::Webhook(Webhook {
            url: "https://x/".to_owned(),
        }),
    ]
}

fn service() -> Service {
    Service {
        name: "shop".parse().unwrap(),
        formerly: None,
        repo: "github:acme/shop".parse().unwrap(),
        branch: "main".parse().unwrap(),
        paths: Vec::new(),
        notify: Vec::new(),
        stages: Vec::new(),
        environments: Vec::new(),
    }
}

fn request() -> Request {
    let repository = Repository {
        id: RepositoryId::of_key(9),
        path: "acme/shop".to_owned(),
        installation: None,
    };
    let at = Timestamp::from_microsecond(0x1f).unwrap();
    Request {
        number: 7,
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        repository: repository.clone(),
        sha: "a".repeat(40).parse().unwrap(),
        kind: RequestKind::Deploy,
        by: Account {
            forge: repository.forge(),
            id: 5,
            login: "ann".to_owned(),
        },
        reason: None,
        origin: Surface::Comment(Place {
            repository,
            pull_request: 3,
            comment: 11,
            written_at: at,
        }),
        thread: "t".to_owned(),
        open_head: None,
        policy: String::new(),
        opened_at: at,
        expires_at: at,
        given: Vec::new(),
        state: State::Waiting,
    }
}

/// Each kind with what is told of it, a line for each.
fn told(what: impl Fn(&dyn Kind) -> Vec<String>) -> String {
    let mut lines = Vec::new();
    for trigger in every_kind() {
        lines.push(trigger.to_string());
        let told = what(trigger.kind()).into_iter();
        lines.extend(told.map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

#[test]
fn each_kind_starts_and_is_found_in_its_own_way() {
    let (service, request) = (service(), request());
    let text = told(|kind| {
        let release = Release {
            service: &service,
            request: &request,
            waiting_run: Some(8),
        };
        let start = serde_json::to_string(&kind.start(&release)).unwrap();
        vec![
            start.replace(request.sha.as_str(), "SHA"),
            format!("{:?}", kind.target(&release)),
        ]
    });
    insta::assert_snapshot!(text, @r#"
    GitHub deployment to `live`
      {"deployment":{"environment":"live"}}
      Some(Deployment { environment: "live" })
    GitHub workflow `deploy.yml` at `main` with SHA = {sha}
      {"workflow_dispatch":{"workflow":"deploy.yml","reference":"refs/heads/main","inputs":{"SHA":"SHA"}}}
      Some(WorkflowDispatch { workflow: "deploy.yml" })
    GitHub repository dispatch `go`
      {"repository_dispatch":{"event_type":"go"}}
      Some(RepositoryDispatch)
    GitHub protection rule of `live`
      {"protection_rule":{"environment":"live","run":8}}
      Some(WaitingRun { run: 8 })
    GitLab job `ship`
      {"job":{"name":"ship","branch":"main"}}
      Some(Job { name: "ship", branch: Some("main") })
    GitLab pipeline at `main` with SHA = {sha}
      {"pipeline":{"reference":"refs/heads/main","variables":{"COUNTERSIGN_CORRELATION":"countersign-7-1f","SHA":"SHA"},"by_token":false}}
      Some(Pipeline { by_token: false })
    GitLab pipeline at `main` by trigger token with SHA = {sha}
      {"pipeline":{"reference":"refs/heads/main","variables":{"COUNTERSIGN_CORRELATION":"countersign-7-1f","SHA":"SHA"},"by_token":true}}
      Some(Pipeline { by_token: true })
    GitLab deployment to `live`, approved, then played
      {"waiting_job":{"environment":"live","branch":"main"}}
      Some(WaitingJob { environment: "live", branch: Some("main") })
    signed webhook to https://x/
      null
      None
    "#);
    let unknown = Release {
        service: &service,
        request: &request,
        waiting_run: None,
    };
    let waits = every_kind().into_iter().filter(|one| {
        let kind = one.kind();
        kind.forge().is_some() && kind.start(&unknown).is_none() && kind.target(&unknown).is_none()
    });
    let waits: Vec<String> = waits.map(|one| one.to_string()).collect();
    assert_eq!(waits, ["GitHub protection rule of `live`"]);
}

#[test]
fn each_kind_knows_its_runs() {
    let request = request();
    let workflow = |file: &str, event: &str, title: &str| RunOf::Workflow {
        file: file.to_owned(),
        event: event.to_owned(),
        title: title.to_owned(),
    };
    let job = |name: &str, environment: Option<&str>| RunOf::Job {
        name: name.to_owned(),
        environment: environment.map(str::to_owned),
    };
    let mark = request.correlation();
    let runs = [
        workflow("deploy.yml", "deployment", "Deploy"),
        workflow("deploy.yml", "workflow_dispatch", &format!("Deploy {mark}")),
        workflow("deploy.yml", "push", "Deploy"),
        workflow("other.yml", "workflow_dispatch", &mark),
        workflow("other.yml", "repository_dispatch", &mark),
        job("ship", None),
        job("test", Some("live")),
        job("test", Some("test")),
        RunOf::Pipeline { mark: mark.clone() },
        RunOf::Pipeline {
            mark: format!("{mark}0"),
        },
    ];
    let seen = |what: &RunOf, progress| SeenRun {
        repository: request.repository.clone(),
        id: 1,
        attempt: 1,
        sha: request.sha.clone(),
        progress,
        url: String::new(),
        actor: None,
        what: what.clone(),
    };
    let text = told(|kind| {
        let said = runs.iter().filter_map(|what| {
            let run = seen(what, Progress::Running);
            let cancelled = seen(what, Progress::Cancelled);
            let words = [
                ("starts it", kind.starts(&run)),
                ("for the request", kind.starts(&run) && run.is_for(&request)),
                ("it releases", kind.releases(&run)),
                ("even cancelled", kind.releases(&cancelled)),
            ];
            let words = words.into_iter().filter(|(_, is_so)| *is_so);
            let words: Vec<&str> = words.map(|(word, _)| word).collect();
            (!words.is_empty()).then(|| format!("{what:?}: {}", words.join(", ")))
        });
        said.collect()
    });
    insta::assert_snapshot!(text, @r#"
    GitHub deployment to `live`
      Workflow { file: "deploy.yml", event: "deployment", title: "Deploy" }: starts it
    GitHub workflow `deploy.yml` at `main` with SHA = {sha}
      Workflow { file: "deploy.yml", event: "deployment", title: "Deploy" }: it releases, even cancelled
      Workflow { file: "deploy.yml", event: "workflow_dispatch", title: "Deploy countersign-7-1f" }: starts it, for the request, it releases, even cancelled
      Workflow { file: "deploy.yml", event: "push", title: "Deploy" }: it releases, even cancelled
    GitHub repository dispatch `go`
      Workflow { file: "other.yml", event: "repository_dispatch", title: "countersign-7-1f" }: starts it, for the request
    GitHub protection rule of `live`
    GitLab job `ship`
      Job { name: "ship", environment: None }: starts it, for the request, it releases
    GitLab pipeline at `main` with SHA = {sha}
      Pipeline { mark: "countersign-7-1f" }: starts it, for the request
      Pipeline { mark: "countersign-7-1f0" }: starts it
    GitLab pipeline at `main` by trigger token with SHA = {sha}
      Pipeline { mark: "countersign-7-1f" }: starts it, for the request
      Pipeline { mark: "countersign-7-1f0" }: starts it
    GitLab deployment to `live`, approved, then played
      Job { name: "test", environment: Some("live") }: starts it, for the request
    signed webhook to https://x/
    "#);
    let mut elsewhere = seen(&job("ship", None), Progress::Running);
    elsewhere.sha = "b".repeat(40).parse().unwrap();
    assert!(!elsewhere.is_for(&request), "a job of another commit");
}
