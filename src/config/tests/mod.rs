//! Tests: whole files through the front door: what is accepted, and the words of what is refused.

mod example;
mod meaning;
mod never;
mod pinned;
mod words;

use std::path::Path;

use super::{Config, Report, Surroundings};

/// A file that is right, as small as it can be.
const GOOD: &str = r#"
[github]
app_id = 1
private_key = { env = "KEY" }
webhook_secret = { env = "HOOK" }

[roles.deployer]
github_teams = ["acme/sre"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"

[[service.stage]]
name = "build"
gates = ["check:build"]

[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = ["author"]
"#;

fn surroundings() -> Surroundings {
    let variables = [
        (
            "KEY",
            "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n",
        ),
        ("HOOK", "0123456789abcdef"),
        ("OTHER", "fedcba9876543210"),
        ("SHORT", "0123456789abcde"),
        ("EMPTY", ""),
        ("TOKEN", "token-of-a-machine"),
        ("CREDENTIALS_DIRECTORY", "/nowhere/at/all"),
    ];
    Surroundings::fixed(Path::new("/etc/countersign"), variables)
}

fn parse(text: &str) -> Result<Config, Report> {
    Config::parse(text, "bot.toml", &surroundings())
}
