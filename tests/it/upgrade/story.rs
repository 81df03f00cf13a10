//! The story of a fixture: the configuration that was in force, and what its numbers mean.

use serde::{Deserialize, Serialize};

/// What was in force when the fixtures were made.
pub(super) const SHOP_SERVICE: &str = r#"
[roles.deployer]
github_users = ["ann", "dora"]
[roles.qa]
github_teams = ["acme/qa"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"
notify = [
    { channel = "discord:900", environments = ["eu", "asia"] },
    { channel = "slack:C0DEPLOYS", environments = ["us", "asia"] },
]

[[service.stage]]
name = "build"
gates = ["check:build", "status:lint"]

[[service.environment]]
name = "prod"
approvals = { deployer = 1, qa = 1 }
exclude = ["author"]
trigger = { github = "deployment", environment = "production" }

[[service.environment]]
name = "eu"
approvals = { deployer = 2 }
exclude = []
trigger = { github = "deployment", environment = "europe" }

[[service.environment]]
name = "asia"
approvals = { deployer = 2 }
exclude = []
trigger = { github = "deployment", environment = "asia" }

[[service.environment]]
name = "south"
approvals = { deployer = 2 }
exclude = []
expires = "30m"
trigger = { github = "deployment", environment = "south" }

[[service.environment]]
name = "us"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "america" }

[[service.environment]]
name = "lab"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "lab" }

[[service.environment]]
name = "west"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "west" }

[[service.environment]]
name = "attic"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "attic" }
"#;

/// A service in a repository of its own, which does not wait when the first one is busy.
pub(super) const BOOKS_SERVICE: &str = r#"
[[service]]
name = "books"
repo = "github:acme/books"
branch = "main"
notify = ["discord:900", "slack:C0DEPLOYS"]

[[service.stage]]
name = "build"
gates = ["check:build"]
soak = "10m"

[[service.environment]]
name = "shelf"
approvals = { deployer = 2, qa = 1 }
exclude = []
trigger = { github = "deployment", environment = "shelf" }

[[service.environment]]
name = "window"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "window" }
"#;

/// The repository of the second service.
pub(super) const BOOKS: &str = "acme/books";
/// A token for those who read the audit log, which was made at the time.
pub(super) const TOKEN: &str =
    "cst_1111111111111111111111111111111111111111111111111111111111111111";

/// What a test that restores a fixture must know of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Story {
    /// The pull request of the shop, and its commit, which everything is about.
    pub(super) pull_request: u64,
    pub(super) sha: String,
    /// Asked for in a comment, with one approval; the second one is a delivery that is not handled yet.
    pub(super) prod: u64,
    /// Asked for on Discord, with one approval; the second one is a note that is not handled yet.
    pub(super) eu: u64,
    /// Asked for on Slack, with one approval.
    pub(super) asia: u64,
    /// With one approval and little time.
    pub(super) south: u64,
    /// Running.
    pub(super) us: u64,
    /// Started, and the answer was lost.
    pub(super) lab: u64,
    /// Started, and the intake has not heard of it yet.
    pub(super) west: u64,
    /// A release without a request.
    pub(super) attic: u64,
    /// With two approvals of three; its pull request and its commit. Whatever is to be shown of it waits.
    pub(super) shelf: u64,
    pub(super) books: u64,
    pub(super) books_sha: String,
    /// The next commit, which soaks.
    pub(super) soaking: String,
    /// Held back at the forge's wish.
    pub(super) window: u64,
    /// The comment that was not answered by a reaction, and the effect that was given up because of it.
    pub(super) helped: u64,
    pub(super) parked: i64,
    /// Dora's question on Discord, before an answer.
    pub(super) unanswered: u64,
    /// The command that shows whose account quinn's is.
    pub(super) code: String,
}

pub(super) fn services() -> String {
    format!("{SHOP_SERVICE}{BOOKS_SERVICE}")
}
