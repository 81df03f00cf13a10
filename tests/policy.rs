//! The policy's text and digest: pinned letter by letter, and what changes them and what does not. A change to
//! a literal here voids every request that waits at an upgrade.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

#[path = "policy/changes.rs"]
mod changes;
#[path = "policy/pinned.rs"]
mod pinned;

use std::path::Path;

use countersign::config::{Colour, Config, Report, Surroundings};
use countersign::domain::{Catalog, SealedPolicy};

/// Everything that can be said about a service on GitHub.
const GITHUB: &str = include_str!("policy/github.toml");
/// Everything that can be said about a service on GitLab.
const GITLAB: &str = include_str!("policy/gitlab.toml");

fn parse(text: &str) -> Result<Catalog, Report> {
    let variables = [
        ("TOKEN", "0123456789abcdef"),
        ("SECRET", "0123456789abcdef"),
        ("OTHER", "fedcba9876543210"),
    ];
    let surroundings = Surroundings::fixed(Path::new("/"), variables);
    let config = Config::parse(text, "bot.toml", &surroundings)?;
    Ok(config.catalog.sealed())
}

fn catalog(text: &str) -> Catalog {
    parse(text).unwrap_or_else(|report| panic!("{}\n{text}", report.render(Colour::Never)))
}

/// The policy of an environment of the only service.
fn policy(text: &str, environment: &str) -> SealedPolicy {
    let catalog = catalog(text);
    let service = catalog.services.first().unwrap();
    let environment = service.environment(environment).unwrap();
    catalog
        .policy(service, environment)
        .unwrap_or_else(|| panic!("{} has no policy", environment.name))
        .clone()
}
