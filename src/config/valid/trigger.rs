//! `trigger = { ... }`: how a release starts. Each kind needs some keys, may have others, and
//! refuses the rest: a key that says nothing would only look as if it did.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::environment::Surrounding;
use crate::config::at::{At, Place};
use crate::config::raw::{self, GitHubTriggerKind, GitLabTriggerKind, OneOrMany};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::web_address::WebAddress;
use crate::domain::trigger::approve_then_play::ApproveThenPlay;
use crate::domain::trigger::deployment::Deployment;
use crate::domain::trigger::pipeline::{Creator, Pipeline};
use crate::domain::trigger::play_job::PlayJob;
use crate::domain::trigger::protection_rule::ProtectionRule;
use crate::domain::trigger::repository_dispatch::RepositoryDispatch;
use crate::domain::trigger::values::Values;
use crate::domain::trigger::webhook::Webhook;
use crate::domain::trigger::workflow_dispatch::WorkflowDispatch;
use crate::domain::{
    Branch, EnvironmentName, Forge, ForgeName, Login, Placeholder, Reference, RepoRef, Template,
    Trigger, WorkflowFile,
};

/// GitHub takes no more inputs than this.
const MOST_INPUTS: usize = 25;
/// GitHub takes no longer event type than this.
const LONGEST_EVENT_TYPE: usize = 100;

type Made = (Trigger, Option<SecretString>);
type Written = BTreeMap<At<String>, At<String>>;

/// The trigger of an environment, with its secret if it has one.
pub(super) fn trigger(
    at: &At<raw::Environment>,
    name: Option<&EnvironmentName>,
    surrounding: &Surrounding<'_>,
    review: &mut Review<'_>,
) -> Option<Made> {
    let forge = surrounding.repo.map(RepoRef::forge);
    let Some(written) = &at.value.trigger else {
        if review.refused(&at.place, "trigger") {
            return None;
        }
        return by_default(at, name?, forge?, review);
    };
    let raw = &written.value;
    let mut maker = Maker {
        raw,
        place: &written.place,
        name,
        branch: surrounding.branch,
        review,
    };
    match (&raw.github, &raw.gitlab, &raw.webhook) {
        (Some(kind), None, None) => {
            maker.must_fit(forge, Forge::GitHub, &kind.place);
            let trigger = maker.github(kind.value)?;
            Some((trigger, None))
        }
        (None, Some(kind), None) => {
            maker.must_fit(forge, Forge::GitLab, &kind.place);
            maker.gitlab(kind.value)
        }
        (None, None, Some(url)) => maker.webhook(url),
        (github, gitlab, webhook) => {
            let none = github.is_none() && gitlab.is_none() && webhook.is_none();
            maker.not_one(if none {
                "nothing"
            } else {
                "more than one thing"
            });
            None
        }
    }
}

fn by_default(
    at: &At<raw::Environment>,
    name: &EnvironmentName,
    forge: Forge,
    review: &mut Review<'_>,
) -> Option<Made> {
    match forge {
        Forge::GitHub => {
            let environment = review.keep(&at.place, name.as_str().parse())?;
            let deployment = Deployment {
                environment,
                reporter: None,
            };
            Some((Trigger::Deployment(deployment), None))
        }
        Forge::GitLab => {
            let problem = Problem::new(&at.place, "nothing says how the release starts");
            review.refuse(
                problem.help(
                    "for example: trigger = { gitlab = \"play_job\", job = \"deploy-prod\" }",
                ),
            );
            None
        }
    }
}

struct Maker<'m, 'r> {
    raw: &'m raw::Trigger,
    place: &'m Place,
    name: Option<&'m EnvironmentName>,
    branch: Option<&'m Branch>,
    review: &'m mut Review<'r>,
}

impl Maker<'_, '_> {
    fn github(&mut self, kind: GitHubTriggerKind) -> Option<Trigger> {
        match kind {
            GitHubTriggerKind::Deployment => {
                self.keys("a deployment", &[], &["environment", "reporter"]);
                let environment = self.environment()?;
                let reporter = match self.raw.reporter.as_ref() {
                    Some(written) => Some(self.review.parse::<Login>(Some(written))?.value),
                    None => None,
                };
                Some(Trigger::Deployment(Deployment {
                    environment,
                    reporter,
                }))
            }
            GitHubTriggerKind::WorkflowDispatch => {
                self.keys("a workflow", &["workflow", "inputs"], &["ref"]);
                let workflow = self
                    .review
                    .parse::<WorkflowFile>(self.raw.workflow.as_ref());
                let reference = self.reference();
                let inputs = self.values(self.raw.inputs.as_ref(), Some(MOST_INPUTS));
                Some(Trigger::WorkflowDispatch(WorkflowDispatch {
                    workflow: workflow?.value,
                    reference: reference?,
                    inputs: inputs?,
                }))
            }
            GitHubTriggerKind::RepositoryDispatch => {
                self.keys("a repository dispatch", &["event_type"], &[]);
                let event_type = self
                    .review
                    .parse::<ForgeName>(self.raw.event_type.as_ref())?;
                if event_type.value.as_str().chars().count() > LONGEST_EVENT_TYPE {
                    let message = format!("an event type has at most {LONGEST_EVENT_TYPE} letters");
                    let problem = Problem::new(&event_type.place, message);
                    self.review
                        .refuse(problem.help("a short word will do, like `deploy`"));
                }
                Some(Trigger::RepositoryDispatch(RepositoryDispatch {
                    event_type: event_type.value,
                }))
            }
            GitHubTriggerKind::ProtectionRule => {
                self.keys("a protection rule", &[], &["environment", "workflow"]);
                let environment = self.environment()?;
                let workflow = match self.raw.workflow.as_ref() {
                    Some(written) => Some(self.review.parse::<WorkflowFile>(Some(written))?.value),
                    None => None,
                };
                Some(Trigger::ProtectionRule(ProtectionRule {
                    environment,
                    workflow,
                }))
            }
        }
    }

    fn gitlab(&mut self, kind: GitLabTriggerKind) -> Option<Made> {
        match kind {
            GitLabTriggerKind::PlayJob => {
                self.keys("a job", &["job"], &[]);
                let job = self.review.parse::<ForgeName>(self.raw.job.as_ref())?;
                Some((Trigger::PlayJob(PlayJob { job: job.value }), None))
            }
            GitLabTriggerKind::CreatePipeline => {
                self.keys("a pipeline", &["variables"], &["ref"]);
                let reference = self.reference();
                let variables = self.values(self.raw.variables.as_ref(), None);
                let trigger = Trigger::Pipeline(Pipeline {
                    reference: reference?,
                    variables: variables?,
                    creator: Creator::Account,
                });
                Some((trigger, None))
            }
            GitLabTriggerKind::TriggerToken => {
                self.keys("a trigger token", &["token", "variables"], &["ref"]);
                let reference = self.reference();
                let variables = self.values(self.raw.variables.as_ref(), None);
                let token = self
                    .raw
                    .token
                    .as_ref()
                    .and_then(|token| self.review.token(token));
                let trigger = Trigger::Pipeline(Pipeline {
                    reference: reference?,
                    variables: variables?,
                    creator: Creator::Token,
                });
                Some((trigger, Some(token?)))
            }
            GitLabTriggerKind::ApproveThenPlay => {
                self.keys("an approval", &[], &["environment"]);
                let environment = self.environment()?;
                Some((
                    Trigger::ApproveThenPlay(ApproveThenPlay { environment }),
                    None,
                ))
            }
        }
    }

    fn webhook(&mut self, url: &At<String>) -> Option<Made> {
        self.keys("a webhook", &["secret"], &[]);
        let address = self
            .review
            .keep(&url.place, WebAddress::parse_private(&url.value));
        let secret = self.raw.secret.as_ref().and_then(|secret| {
            let one = At {
                place: secret.place.clone(),
                value: OneOrMany::One(secret.value.clone()),
            };
            self.review.secrets(&one).pop()
        });
        let url = address?.text();
        Some((Trigger::Webhook(Webhook { url }), Some(secret?)))
    }

    /// The environment's name on the forge.
    fn environment(&mut self) -> Option<ForgeName> {
        match &self.raw.environment {
            Some(written) => self.review.parse(Some(written)).map(|name| name.value),
            None if self.review.refused(self.place, "environment") => None,
            None => self.name?.as_str().parse().ok(),
        }
    }

    /// The branch or tag at which something runs.
    fn reference(&mut self) -> Option<Reference> {
        match &self.raw.reference {
            Some(written) => self.review.parse(Some(written)).map(|found| found.value),
            None => self.branch.cloned().map(Reference::Branch),
        }
    }

    /// Inputs or variables. What runs at a branch would release whatever is there, so one of
    /// them must carry the SHA.
    fn values(&mut self, written: Option<&At<Written>>, most: Option<usize>) -> Option<Values> {
        let written = written?;
        let mut values = BTreeMap::new();
        for (key, text) in &written.value {
            if key.value.trim().is_empty() || key.value.chars().any(char::is_control) {
                self.review
                    .refuse(Problem::new(&key.place, "this name is empty"));
            }
            if let Some(template) = self.review.parse::<Template>(Some(text)) {
                values.insert(key.value.clone(), template.value);
            }
        }
        if values.len() < written.value.len() {
            return None;
        }
        if most.is_some_and(|most| values.len() > most) {
            let message = format!("GitHub takes at most {MOST_INPUTS} inputs");
            self.review.refuse(Problem::new(&written.place, message));
        }
        if !values
            .values()
            .any(|value| value.mentions(Placeholder::Sha))
        {
            let problem =
                Problem::new(&written.place, "nothing here says which commit is released");
            self.review.refuse(problem.help(
                "it would release the newest commit of the branch: pass the approved one, for example: sha = \"{sha}\"",
            ));
        }
        Some(Values(values))
    }

    fn keys(&mut self, what: &str, needed: &[&str], optional: &[&str]) {
        let raw = self.raw;
        let written: [(&str, Option<&Place>); 10] = [
            ("environment", raw.environment.as_ref().map(|at| &at.place)),
            ("reporter", raw.reporter.as_ref().map(|at| &at.place)),
            ("workflow", raw.workflow.as_ref().map(|at| &at.place)),
            ("ref", raw.reference.as_ref().map(|at| &at.place)),
            ("inputs", raw.inputs.as_ref().map(|at| &at.place)),
            ("event_type", raw.event_type.as_ref().map(|at| &at.place)),
            ("job", raw.job.as_ref().map(|at| &at.place)),
            ("variables", raw.variables.as_ref().map(|at| &at.place)),
            ("token", raw.token.as_ref().map(|at| &at.place)),
            ("secret", raw.secret.as_ref().map(|at| &at.place)),
        ];
        for (key, place) in written {
            let needs = needed.contains(&key);
            match place {
                Some(place) if !needs && !optional.contains(&key) => {
                    let problem = Problem::new(place, format!("`{key}` says nothing to {what}"));
                    self.review.refuse(problem.help("take it out"));
                }
                None if needs && !self.review.refused(self.place, key) => {
                    let problem = Problem::new(self.place, format!("{what} needs `{key}`"));
                    self.review
                        .refuse(problem.help(format!("for example: {}", example(key))));
                }
                Some(_) | None => {}
            }
        }
    }

    fn must_fit(&mut self, forge: Option<Forge>, wanted: Forge, place: &Place) {
        if let Some(forge) = forge.filter(|forge| *forge != wanted) {
            let message = format!("this service is on {forge}, and this trigger is for {wanted}");
            let problem = Problem::new(place, message);
            self.review
                .refuse(problem.help(format!("use a trigger of {forge}")));
        }
    }

    fn not_one(&mut self, count: &str) {
        let kinds = ["github", "gitlab", "webhook"];
        if kinds
            .iter()
            .any(|kind| self.review.refused(self.place, kind))
        {
            return;
        }
        let problem = Problem::new(self.place, format!("this trigger starts {count}"));
        self.review
            .refuse(problem.help("write exactly one of `github`, `gitlab` and `webhook`"));
    }
}

fn example(key: &str) -> &'static str {
    match key {
        "workflow" => "workflow = \"deploy.yml\"",
        "inputs" => "inputs = { sha = \"{sha}\" }",
        "event_type" => "event_type = \"deploy\"",
        "job" => "job = \"deploy-prod\"",
        "variables" => "variables = { SHA = \"{sha}\" }",
        "token" => "token = { env = \"DEPLOY_TRIGGER_TOKEN\" }",
        _ => "secret = { env = \"DEPLOY_WEBHOOK_SECRET\" }",
    }
}
