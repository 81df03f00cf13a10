//! Slack: whose the token is, what it may do, and whether a socket opens. Which channels the app is in, its scopes
//! do not let it see; a notice that cannot be posted is set aside, and shows up there.

use super::finding::Findings;
use crate::chats::slack::client::Client;
use crate::config::Slack;

const ABOUT: &str = "slack";
const SCOPES: [&str; 2] = ["chat:write", "commands"];

pub(super) async fn look((settings, client): (&Slack, &Client), findings: &mut Findings) {
    match client.standing().await {
        Ok(standing) => {
            if settings.teams.contains(&standing.team) {
                findings.ok(
                    ABOUT,
                    format!("the token is of the workspace {}", standing.team),
                );
            } else {
                findings.error(
                    ABOUT,
                    format!(
                        "the token is of the workspace {}, which is not in `teams`",
                        standing.team
                    ),
                    "add it, or take the token of the app's installation in your workspace",
                );
            }
            let lacking = |scope: &&&str| !standing.scopes.contains(**scope);
            let missing: Vec<&str> = SCOPES.iter().filter(lacking).copied().collect();
            if !missing.is_empty() {
                findings.error(
                    ABOUT,
                    format!("the token lacks the scope {}", missing.join(", ")),
                    "add it under *OAuth & Permissions*, and install the app again",
                );
            }
        }
        Err(error) => return findings.error(ABOUT, error.to_string(), ""),
    }
    if client.listens() {
        match client.open_socket().await {
            Ok(_) => findings.ok(ABOUT, "a socket opens"),
            Err(error) => findings.error(
                ABOUT,
                error.to_string(),
                "`app_token` needs the scope `connections:write`, and Socket Mode must be on",
            ),
        }
    }
}
