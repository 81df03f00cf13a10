//! The explanation of a configuration in plain sentences, so that a person can check that it says what they meant. It
//! shows no secrets.

use std::fmt::{Display, Write};

use super::settings::{Config, ExportFormat, ExportPlace, Identity, KeyPlace};
use crate::domain::{Environment, Role, Service};

/// The whole configuration as text.
pub fn explain(config: &Config) -> String {
    let mut text = String::new();
    connections(config, &mut text);
    for service in &config.catalog.services {
        self::service(service, config, &mut text);
    }
    if !config.warnings.is_empty() {
        line(&mut text, 0, "");
        line(&mut text, 0, "worth a second look:");
        for warning in &config.warnings {
            line(&mut text, 1, warning);
        }
    }
    text
}

fn connections(config: &Config, text: &mut String) {
    let server = &config.server;
    line(text, 0, format!("listens on {}", server.listen));
    if let Some(url) = &server.public_url {
        line(text, 0, format!("is reached at {url}"));
    }
    let ledger = &config.ledger;
    let key = match &ledger.key {
        KeyPlace::File(path) => path.display().to_string(),
        KeyPlace::Given(_) => "a key that is handed over".to_owned(),
    };
    line(text, 0, format!("signs its audit log with {key}"));
    line(
        text,
        0,
        format!("keeps its last signed head in {}", ledger.head.display()),
    );
    if let Some(anchor) = &ledger.anchor {
        line(
            text,
            0,
            format!("appends signed heads to {}", anchor.display()),
        );
    }
    for export in &ledger.exports {
        let to = match &export.to {
            ExportPlace::File(path) => path.display().to_string(),
            ExportPlace::Url(url) => url.clone(),
        };
        let format = match export.format {
            ExportFormat::Ndjson => "as NDJSON",
            ExportFormat::Ocsf => "in OCSF",
            ExportFormat::Ecs => "in ECS",
        };
        line(
            text,
            0,
            format!(
                "sends its audit log to {to} {format} (export {})",
                export.name
            ),
        );
    }
    for witness in &ledger.witnesses {
        let name = witness.key.split('+').next().unwrap_or_default();
        line(
            text,
            0,
            format!("has its signed heads cosigned by {name} at {}", witness.url),
        );
    }
    if let Some(github) = &config.github {
        let whom = match &github.identity {
            Identity::App { app_id, .. } => format!("as app {app_id}"),
            Identity::Token(_) => "by a token".to_owned(),
        };
        line(text, 0, format!("uses GitHub at {} {whom}", github.api_url));
    }
    if let Some(gitlab) = &config.gitlab {
        line(text, 0, format!("uses GitLab at {} by a token", gitlab.url));
    }
}

fn service(service: &Service, config: &Config, text: &mut String) {
    line(text, 0, "");
    line(
        text,
        0,
        format!(
            "service {}: {}, branch {}",
            service.name, service.repo, service.branch
        ),
    );
    if !service.paths.is_empty() {
        line(text, 1, format!("only {}", list(&service.paths)));
    }
    if !service.notify.is_empty() {
        let channels: Vec<_> = service.notify.iter().map(|one| &one.channel).collect();
        line(text, 1, format!("posts to {}", list(&channels)));
    }
    for stage in &service.stages {
        let soak = stage
            .soak
            .map(|soak| format!(", then stays green for {soak}"));
        line(
            text,
            1,
            format!(
                "stage {}: {}{}",
                stage.name,
                list(&stage.gates),
                soak.unwrap_or_default()
            ),
        );
    }
    for environment in &service.environments {
        self::environment(service, environment, config, text);
    }
}

fn environment(service: &Service, environment: &Environment, config: &Config, text: &mut String) {
    let aliases = match environment.aliases.as_slice() {
        [] => String::new(),
        aliases => format!(" (also {})", list(aliases)),
    };
    line(
        text,
        1,
        format!(
            "environment {}{aliases}, after stage {}",
            environment.name, environment.after
        ),
    );
    for closing in environment.closings() {
        line(text, 2, closing);
    }
    for (role, people) in &environment.approvals {
        let who = config.catalog.roles.get(role).map(people_of);
        line(
            text,
            2,
            format!("needs {people} of {role}: {}", who.unwrap_or_default()),
        );
    }
    let excluded = environment.exclude.people();
    if !excluded.is_empty() {
        line(text, 2, format!("not {}", excluded.join(", ")));
    }
    let allowed = [
        (environment.allow.open_heads, "heads of open pull requests"),
        (environment.allow.forks, "forks"),
        (environment.allow.drafts, "drafts"),
    ];
    if let Some(words) = chosen(&allowed) {
        line(text, 2, format!("also releases {words}"));
    }
    line(
        text,
        2,
        format!("a request expires after {}", environment.expires),
    );
    line(
        text,
        2,
        format!(
            "{} is asked how a release goes after {} without news",
            service.repo.forge(),
            environment.follow
        ),
    );
    line(text, 2, format!("starts by {}", environment.trigger));
}

fn people_of(role: &Role) -> String {
    let mut parts = Vec::new();
    let mut add = |what: &str, names: String| {
        if !names.is_empty() {
            parts.push(format!("{what} {names}"));
        }
    };
    add("GitHub users", list(&role.github_users));
    add("GitHub teams", list(&role.github_teams));
    add("GitHub repository roles", list(&role.github_roles));
    add("GitLab users", list(&role.gitlab_users));
    add("GitLab groups", list(&role.gitlab_groups));
    let level = role
        .gitlab_access_level
        .map(|level| format!("{level} or more"));
    add("GitLab members with", level.unwrap_or_default());
    parts.join("; ")
}

fn chosen(words: &[(bool, &str)]) -> Option<String> {
    let chosen: Vec<&str> = words
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, word)| *word)
        .collect();
    (!chosen.is_empty()).then(|| chosen.join(", "))
}

fn list<T: Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

fn line(text: &mut String, depth: usize, words: impl Display) {
    let blank = "  ".repeat(depth);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", format!("{blank}{words}").trim_end());
}
