//! GitHub: who we are there, what we may do, what we are told, and whether the branches, workflows, environments,
//! teams and people exist that the configuration names.

mod gates;
mod needs;

use std::collections::BTreeSet;

use super::finding::Findings;
use super::{clock, names};
use crate::cli::progress;
use crate::config::Config;
use crate::domain::{Environment, Forge, Gate, GitHubGate, PinKind, Repository, Service};
use crate::forges::github::client::{App, Client, Ours, Person, Seen, View, Webhook};

use needs::{events, lacking, needed};

const ABOUT: &str = "github";
/// What a classic token needs to do everything.
const WHOLE_SCOPE: &str = "repo";

pub(super) async fn look(config: &Config, client: &Client, findings: &mut Findings) {
    let asking = progress::shown("asking GitHub", client.standing());
    let standing = match asking.await {
        Ok(standing) => standing,
        Err(error) => {
            let why = error.to_string();
            return findings.error(ABOUT, &why, way_out(&why, client.is_app()));
        }
    };
    clock(ABOUT, standing.date.as_deref(), findings);
    let ours = match standing.ours {
        Ok(ours) => ours,
        Err(error) => {
            let why = error.to_string();
            return findings.error(ABOUT, &why, way_out(&why, client.is_app()));
        }
    };
    let services = names::services(config, Forge::GitHub);
    let slug = match ours {
        Ours::App(app) => {
            our_app(config, (client, &app), findings).await;
            Some(app.slug)
        }
        Ours::Person(person) => {
            our_person(&person, findings);
            None
        }
    };
    let mut via = None;
    for (path, services) in services {
        match client.view_of(&path).await {
            Ok(View::Seen(seen)) => {
                let place = Place {
                    client,
                    seen: &seen,
                    slug: slug.as_deref(),
                };
                // What was not granted would only be found a second time.
                if place.look(config, &services, findings).await {
                    via = via.or(Some(seen.repository));
                }
            }
            Ok(View::Hidden) => findings.error(
                ABOUT,
                format!("GitHub does not show us {path}"),
                if client.is_app() {
                    "install the app on the repository, and look at the spelling of `repo`"
                } else {
                    "let the token see the repository, and look at the spelling of `repo`"
                },
            ),
            Ok(View::Suspended) => findings.error(
                ABOUT,
                format!("the app is suspended at {path}"),
                "an owner of the account can let it work again, under its installed apps",
            ),
            Err(error) => {
                let why = format!("{path}: {error}");
                findings.error(ABOUT, &why, way_out(&why, client.is_app()));
            }
        }
    }
    if let Some(via) = via {
        people(config, (client, &via), findings).await;
    }
}

fn way_out(why: &str, is_app: bool) -> &'static str {
    if why.contains("claim (") {
        return "set this machine's clock by NTP";
    }
    if why.contains("answered 401") || why.contains("Integration not found") {
        return if is_app {
            "`app_id` and `private_key` must belong together: compare both with the app's page, and make a new key there if need be"
        } else {
            "make a new token, and put it where `token` says"
        };
    }
    if why.contains("could not be asked") || why.contains("did not answer") {
        return "look at `api_url`, and whether this machine may reach it";
    }
    ""
}

async fn our_app(config: &Config, (client, app): (&Client, &App), findings: &mut Findings) {
    findings.ok(ABOUT, format!("we are the app {}", app.slug));
    let missing = lacking(&app.permissions, &needed(config));
    if !missing.is_empty() {
        findings.error(
            ABOUT,
            format!("the app lacks permissions: {}", missing.join(", ")),
            "set them under the app's *Permissions & events*, and accept them where it is installed",
        );
    }
    let events: BTreeSet<String> = events(config);
    let unheard: Vec<&str> = events.difference(&app.events).map(String::as_str).collect();
    if !unheard.is_empty() {
        findings.error(
            ABOUT,
            format!("GitHub does not tell the app about {}", unheard.join(", ")),
            "subscribe to them under the app's *Permissions & events*",
        );
    }
    match client.app_webhook().await {
        Ok(hook) => webhook(config, &hook, findings),
        Err(error) => findings.warn(
            ABOUT,
            format!("the app's webhook cannot be looked at: {error}"),
            "",
        ),
    }
}

/// Whether a webhook leads to us, in a form that we take.
fn webhook(config: &Config, hook: &Webhook, findings: &mut Findings) {
    let before = findings_of(findings);
    if hook.url.is_empty() {
        findings.error(
            ABOUT,
            "the app has no webhook, so GitHub tells us nothing",
            "make it active under the app's settings, with your `public_url` and `/hooks/github`",
        );
        return;
    }
    if let Some(expect) = expected_address(config)
        && hook.url.trim_end_matches('/') != expect
    {
        findings.error(
            ABOUT,
            format!("the webhook leads to {}, and not to {expect}", hook.url),
            "correct the one that is wrong: the webhook's URL, or `server.public_url`",
        );
    }
    if hook.content_type != "json" {
        findings.error(
            ABOUT,
            "the webhook sends forms, which we do not read",
            "choose the content type `application/json`",
        );
    }
    if hook.secret.as_deref().is_none_or(str::is_empty) {
        findings.error(
            ABOUT,
            "the webhook has no secret, so Countersign turns away everything that it sends",
            "enter the secret there that `webhook_secret` names",
        );
    }
    if !hook.checks_certificates() {
        findings.warn(
            ABOUT,
            "GitHub does not check the certificate of our address",
            "enable SSL verification at the webhook",
        );
    }
    if before == findings_of(findings) {
        findings.ok(ABOUT, format!("the webhook leads to {}", hook.url));
    }
}

fn findings_of(findings: &Findings) -> usize {
    findings.count(super::Level::Error) + findings.count(super::Level::Warning)
}

fn expected_address(config: &Config) -> Option<String> {
    let url = config.server.public_url.as_ref()?;
    Some(format!("{url}/hooks/github"))
}

fn our_person(person: &Person, findings: &mut Findings) {
    findings.ok(ABOUT, format!("we are {}, by a token", person.login));
    match &person.scopes {
        Some(scopes) if !scopes.contains(WHOLE_SCOPE) => findings.error(
            ABOUT,
            format!("the token lacks the scope {WHOLE_SCOPE}"),
            "give it to the token, or take a fine-grained token with the permissions in docs/github.md",
        ),
        Some(_) | None => {}
    }
}

/// A repository, and how we see it.
struct Place<'p> {
    client: &'p Client,
    seen: &'p Seen,
    slug: Option<&'p str>,
}

impl Place<'_> {
    fn repository(&self) -> &Repository {
        &self.seen.repository
    }

    /// Whether we may look at everything here.
    async fn look(&self, config: &Config, services: &[&Service], findings: &mut Findings) -> bool {
        let path = &self.repository().path;
        findings.ok(ABOUT, format!("GitHub shows us {path}"));
        if let Some(granted) = &self.seen.granted {
            let missing = lacking(granted, &needed(config));
            if !missing.is_empty() {
                findings.error(
                    ABOUT,
                    format!("{path} has not granted the app {}", missing.join(", ")),
                    "an owner of the account accepts what the app asks for, under its installed apps",
                );
                return false;
            }
        } else {
            self.own_webhook(config, findings).await;
        }
        let mut workflows = BTreeSet::new();
        for service in services {
            self.branch(service, findings).await;
            self.gates(service, findings).await;
            workflows.extend(self.workflows(service));
            for environment in &service.environments {
                self.trigger(service, environment, findings).await;
            }
        }
        for file in workflows {
            self.workflow(&file, findings).await;
        }
        true
    }

    /// Without an app, the repository itself has the webhook.
    async fn own_webhook(&self, config: &Config, findings: &mut Findings) {
        let path = &self.repository().path;
        let hooks = match self.client.webhooks(self.repository()).await {
            Ok(hooks) => hooks,
            Err(error) => {
                return findings.warn(
                    ABOUT,
                    format!("{path}: its webhooks cannot be looked at: {error}"),
                    "",
                );
            }
        };
        let Some(expect) = expected_address(config) else {
            return;
        };
        let leads = |url: &str| url.trim_end_matches('/') == expect;
        match hooks.iter().find(|hook| leads(&hook.config.url)) {
            None => findings.error(
                ABOUT,
                format!("{path} has no webhook to {expect}"),
                "add it in the repository's settings: content type `application/json`, and the secret that `webhook_secret` names",
            ),
            Some(hook) if !hook.active => findings.error(
                ABOUT,
                format!("{path}: the webhook is not active"),
                "make it active in the repository's settings",
            ),
            Some(hook) => {
                let unheard: Vec<String> = if hook.events.contains("*") {
                    Vec::new()
                } else {
                    events(config).difference(&hook.events).cloned().collect()
                };
                if !unheard.is_empty() {
                    findings.error(
                        ABOUT,
                        format!("{path}: the webhook does not tell about {}", unheard.join(", ")),
                        "choose them at the webhook",
                    );
                }
                webhook(config, &hook.config, findings);
            }
        }
    }

    async fn branch(&self, service: &Service, findings: &mut Findings) {
        let (path, branch) = (&self.repository().path, &service.branch);
        match self.client.has_branch(self.repository(), branch).await {
            Ok(true) => {}
            Ok(false) => findings.error(
                ABOUT,
                format!(
                    "{path} has no branch {branch}, from which {} is released",
                    service.name
                ),
                "correct the service's `branch`",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }

    /// The workflows that gates and triggers name, as far as they are names and not patterns.
    fn workflows(&self, service: &Service) -> Vec<String> {
        let gates = service.stages.iter().flat_map(|stage| &stage.gates);
        let gates = gates.filter_map(|gate| match gate {
            Gate::GitHub(GitHubGate::Workflow { file, .. }) if !file.as_str().contains('*') => {
                Some(file.as_str().to_owned())
            }
            Gate::GitHub(_) | Gate::GitLab(_) => None,
        });
        let triggers = service.environments.iter();
        let triggers = triggers.filter_map(|environment| environment.trigger.kind().workflow());
        gates.chain(triggers.map(ToString::to_string)).collect()
    }

    async fn workflow(&self, file: &str, findings: &mut Findings) {
        let path = &self.repository().path;
        let active = self.client.workflow_is_active(self.repository(), file);
        match active.await {
            Ok(Some(true)) => findings.ok(ABOUT, format!("{path} has the workflow {file}")),
            Ok(Some(false)) => findings.error(
                ABOUT,
                format!("{path}: the workflow {file} is switched off"),
                "enable it on the repository's page *Actions*",
            ),
            Ok(None) => findings.error(
                ABOUT,
                format!("{path} has no workflow {file}"),
                "name a file in `.github/workflows` of the default branch",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }

    async fn trigger(&self, service: &Service, environment: &Environment, findings: &mut Findings) {
        let trigger = environment.trigger.kind();
        let Some(name) = trigger.environment() else {
            return;
        };
        let waits = trigger.waits_at().is_some();
        let path = &self.repository().path;
        let what = format!("{} of {}", environment.name, service.name);
        match self.client.has_environment(self.repository(), name).await {
            Ok(true) if waits => self.rule(name, findings).await,
            Ok(true) => findings.ok(ABOUT, format!("{path} has the environment {name}")),
            Ok(false) if waits => findings.error(
                ABOUT,
                format!("{path} has no environment {name}, which {what} waits at"),
                "create it, and enable the app as its deployment protection rule",
            ),
            Ok(false) => findings.warn(
                ABOUT,
                format!("{path} has no environment {name} yet, to which {what} is released"),
                "GitHub makes it with the first deployment; if the name is a mistake, correct the trigger",
            ),
            Err(error) => findings.warn(
                ABOUT,
                format!("{path}: the environment {name} cannot be looked at: {error}"),
                "",
            ),
        }
    }

    /// Whether an environment waits for our word.
    async fn rule(&self, name: &crate::domain::ForgeName, findings: &mut Findings) {
        let path = &self.repository().path;
        let Some(slug) = self.slug else {
            return findings.error(
                ABOUT,
                format!("{path}: the environment {name} waits for an app, and we are none"),
                "make a GitHub App: `countersign setup github`",
            );
        };
        match self.client.protectors(self.repository(), name).await {
            Ok(apps) if apps.contains(slug) => {
                findings.ok(
                    ABOUT,
                    format!("{path}: the environment {name} waits for us"),
                );
            }
            Ok(_) => findings.error(
                ABOUT,
                format!("{path}: the environment {name} does not wait for us"),
                "enable the app as its deployment protection rule, in the environment's settings",
            ),
            Err(error) => findings.warn(ABOUT, format!("{path}: {error}"), ""),
        }
    }
}

/// Whether there are those whom the roles name.
async fn people(config: &Config, (client, via): (&Client, &Repository), findings: &mut Findings) {
    for (kind, name) in names::people(config, Forge::GitHub) {
        let what = match kind {
            PinKind::User => "person",
            PinKind::Team => "team",
        };
        match client.number_of(via, kind, &name).await {
            Ok(Some(_)) => {}
            Ok(None) => findings.error(
                ABOUT,
                format!("GitHub has no {what} {name}, or hides it from us"),
                match kind {
                    PinKind::User => "correct the login in the role",
                    PinKind::Team => "correct the team in the role, and let the app read *Members* of the organization",
                },
            ),
            Err(error) => findings.error(ABOUT, format!("{what} {name}: {error}"), ""),
        }
    }
}
