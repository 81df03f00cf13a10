//! GitLab: who we are there, what our token may do, whether the webhooks lead to us, and whether the branches,
//! jobs, environments, groups and people exist that the configuration names.

use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::ExposeSecret as _;

use super::finding::Findings;
use super::{clock, names};
use crate::cli::progress;
use crate::config::Config;
use crate::domain::{Branch, Environment, Forge, PinKind, Reference, Repository, Service};
use crate::forges::gitlab::client::{Client, Hook, HookSecret, HookState, Token};
use countersign_ground::clock::Clock;

const ABOUT: &str = "gitlab";
const SCOPE: &str = "api";
const MAINTAINER: u64 = 40;
const DEVELOPER: u64 = 30;
/// A token that ends sooner is worth a word.
const SOON: i64 = 14 * 24 * 3_600;

pub(super) async fn look(config: &Config, client: &Client, findings: &mut Findings) {
    let asking = progress::shown("asking GitLab", client.standing());
    let standing = match asking.await {
        Ok(standing) => standing,
        Err(error) => {
            let why = error.to_string();
            return findings.error(ABOUT, &why, way_out(&why));
        }
    };
    clock(ABOUT, standing.date.as_deref(), findings);
    let ours = match standing.ours {
        Ok(ours) => ours,
        Err(error) => {
            let why = error.to_string();
            return findings.error(ABOUT, &why, way_out(&why));
        }
    };
    findings.ok(ABOUT, format!("we are {}", ours.account.login));
    if let Some(token) = &ours.token {
        our_token(token, findings);
    }
    for (path, services) in names::services(config, Forge::GitLab) {
        match client.repository(&path).await {
            Ok(Some(repository)) => {
                let place = Place {
                    client,
                    repository: &repository,
                };
                place.look(config, &services, findings).await;
            }
            Ok(None) => findings.error(
                ABOUT,
                format!("GitLab does not show us {path}"),
                "make our account a member of the project, and look at the spelling of `repo`",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }
    people(config, client, findings).await;
}

fn way_out(why: &str) -> &'static str {
    if why.contains("answered 401") {
        return "the token is not valid any more, or was copied badly: make a new one, and put it where `gitlab.token` says";
    }
    if why.contains("answered 403") {
        return "the token needs the scope `api`, and its account must not be blocked";
    }
    "look at `gitlab.url`, and whether this machine may reach it"
}

fn our_token(token: &Token, findings: &mut Findings) {
    if !token.scopes.contains(SCOPE) {
        let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
        findings.error(
            ABOUT,
            format!("the token has only the scope {}", scopes.join(", ")),
            "make one with the scope `api`: nothing smaller writes notes or starts pipelines",
        );
    }
    let Some(end) = token.expires_at.as_deref() else {
        return findings.ok(ABOUT, "the token does not end");
    };
    match left(end, Clock::system().now()) {
        Some(left) if left < SOON => findings.warn(
            ABOUT,
            format!("the token ends on {end}"),
            "make a new one in time: while it is refused, releases wait and questions refuse",
        ),
        _ => findings.ok(ABOUT, format!("the token is good until {end}")),
    }
}

/// Seconds until a date in UTC.
fn left(end: &str, now: Timestamp) -> Option<i64> {
    let end: Date = end.parse().ok()?;
    let end = end.in_tz("UTC").ok()?.timestamp();
    Some(end.as_second() - now.as_second())
}

/// A project, and what it is to us.
struct Place<'p> {
    client: &'p Client,
    repository: &'p Repository,
}

impl Place<'_> {
    async fn look(&self, config: &Config, services: &[&Service], findings: &mut Findings) {
        if !self.level(findings).await {
            return;
        }
        self.webhook(config, findings).await;
        for service in services {
            self.branch(service, findings).await;
            for environment in &service.environments {
                self.trigger(service, environment, findings).await;
            }
        }
    }

    /// Whether our role there is good for anything; the rest would only say so again.
    async fn level(&self, findings: &mut Findings) -> bool {
        let path = &self.repository.path;
        match self.client.our_level(self.repository).await {
            Ok(Some(level)) if level >= MAINTAINER => {
                findings.ok(
                    ABOUT,
                    format!("GitLab shows us {path}, and we are Maintainer"),
                );
                return true;
            }
            Ok(Some(level)) if level >= DEVELOPER => {
                findings.warn(
                    ABOUT,
                    format!("{path}: we are less than Maintainer"),
                    "without that role the webhook is not watched, and jobs of protected branches cannot be played",
                );
                return true;
            }
            Ok(_) => findings.error(
                ABOUT,
                format!("{path}: our account is no member, or its role is too low"),
                "give our account the role Maintainer in the project",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
        false
    }

    async fn webhook(&self, config: &Config, findings: &mut Findings) {
        let path = &self.repository.path;
        let Some(address) = config.server.gitlab_hook() else {
            return;
        };
        let set = "run `countersign setup gitlab`";
        let hooks = match self.client.hooks_at(self.repository, &address).await {
            Ok(hooks) => hooks,
            Err(error) => {
                return findings.warn(
                    ABOUT,
                    format!("{path}: its webhooks cannot be looked at: {error}"),
                    "our account needs the role Maintainer for that",
                );
            }
        };
        let Some(hook) = hooks.first() else {
            return findings.error(
                ABOUT,
                format!("{path} has no webhook to {address}"),
                "run `countersign setup gitlab`, unless a webhook of its group leads there",
            );
        };
        if hooks.len() > 1 {
            findings.warn(
                ABOUT,
                format!("{path} has {} webhooks to {address}", hooks.len()),
                "delete all but one: GitLab sends every event to each",
            );
        }
        if !self.is_right(config, hook) {
            findings.error(
                ABOUT,
                format!("{path}: the webhook has wrong settings"),
                set,
            );
        }
        match self.client.hook(self.repository, &address).await {
            Ok(HookState::PutAside { until, .. }) => {
                let until = until.map_or(String::new(), |until| format!(", until {until}"));
                findings.error(
                    ABOUT,
                    format!(
                        "{path}: GitLab does not use the webhook, because it failed often{until}"
                    ),
                    "make sure that GitLab reaches us; the running service wakes it",
                );
            }
            Ok(HookState::Works(_) | HookState::Missing) => {
                findings.ok(ABOUT, format!("{path}: the webhook leads to {address}"));
            }
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }

    fn is_right(&self, config: &Config, hook: &Hook) -> bool {
        let secrets = config.gitlab.iter().flat_map(|one| &one.webhook_secrets);
        let mut secrets = secrets.map(|secret| HookSecret::of(secret.expose_secret()));
        secrets.any(|secret| hook.is_right(secret))
    }

    async fn branch(&self, service: &Service, findings: &mut Findings) {
        let path = &self.repository.path;
        let branch = &service.branch;
        match self.client.has_branch(self.repository, branch).await {
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

    /// Whether there is what pipelines are created at, a branch or a tag.
    async fn reference(&self, reference: &Reference, findings: &mut Findings) {
        let path = &self.repository.path;
        match self.client.has_reference(self.repository, reference).await {
            Ok(true) => {}
            Ok(false) => findings.error(
                ABOUT,
                format!("{path} has no {reference}, at which pipelines are created"),
                "correct `ref` of the trigger: a branch by its name, a tag as refs/tags/NAME",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }

    async fn trigger(&self, service: &Service, environment: &Environment, findings: &mut Findings) {
        let trigger = environment.trigger.kind();
        if let Some(job) = trigger.job() {
            self.job(&service.branch, job.as_str(), findings).await;
        }
        if let Some(environment) = trigger.environment() {
            self.protected(environment, findings).await;
        }
        if let Some(reference) = trigger.reference() {
            self.reference(reference, findings).await;
        }
    }

    async fn job(&self, branch: &Branch, job: &str, findings: &mut Findings) {
        let path = &self.repository.path;
        match self.client.newest_jobs(self.repository, branch).await {
            Ok(Some(jobs)) if jobs.contains(job) => {
                findings.ok(ABOUT, format!("{path}: the newest pipeline has the job {job}"));
            }
            Ok(Some(_)) => findings.error(
                ABOUT,
                format!("{path}: the newest pipeline of {branch} has no job {job}"),
                "name a manual job that every pipeline of the branch has",
            ),
            Ok(None) => findings.warn(
                ABOUT,
                format!("{path}: no pipeline has run for the head of {branch}, so the doctor cannot check for the job {job}"),
                "",
            ),
            Err(error) => findings.error(ABOUT, format!("{path}: {error}"), ""),
        }
    }

    async fn protected(&self, name: &crate::domain::ForgeName, findings: &mut Findings) {
        let path = &self.repository.path;
        match self.client.is_protected(self.repository, name).await {
            Ok(true) => findings.ok(
                ABOUT,
                format!("{path}: the environment {name} is protected"),
            ),
            Ok(false) => findings.error(
                ABOUT,
                format!(
                    "{path}: the environment {name} is not protected, so no deployment waits for us"
                ),
                "protect it (GitLab Premium) and let our account approve, correct its name, or use `play_job`",
            ),
            Err(error) => findings.warn(ABOUT, format!("{path}: {error}"), ""),
        }
    }
}

/// Whether there are those whom the roles name.
async fn people(config: &Config, client: &Client, findings: &mut Findings) {
    for (kind, name) in names::people(config, Forge::GitLab) {
        let (what, way_out) = match kind {
            PinKind::User => ("person", "correct the name in the role"),
            PinKind::Team => (
                "group",
                "correct the path in the role, and let our account see the group",
            ),
        };
        match client.number_of(kind, &name).await {
            Ok(Some(_)) => {}
            Ok(None) => findings.error(
                ABOUT,
                format!("GitLab has no {what} {name}, or hides it from us"),
                way_out,
            ),
            Err(error) => findings.error(ABOUT, format!("{what} {name}: {error}"), ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_beginning() {
        let now: Timestamp = "2026-01-30T23:59:00Z".parse().unwrap();
        assert_eq!(left("2026-01-31", now), Some(60));
        assert_eq!(left("never", now), None);
    }
}
