//! Our standing with Slack: the workspace and the scopes of our token. Asked by people who look for mistakes,
//! never by the service at work.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::{Client, request, sorted, unclear, wait};
use crate::call::CallError;

/// The header that names what a token may do.
const SCOPES: &str = "x-oauth-scopes";

/// Whose the token is.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The workspace, such as `T0123456789`.
    pub team: String,
    pub scopes: BTreeSet<String>,
}

impl Client {
    /// Whose our token is, and what it may do.
    pub async fn standing(&self) -> Result<Standing, CallError> {
        #[derive(Deserialize)]
        struct Said {
            ok: bool,
            #[serde(default)]
            error: String,
            #[serde(default)]
            team_id: String,
        }
        let method = "auth.test";
        let url = format!("{}/{method}", self.api_url);
        let asked = request(&url, Some(&self.token), &json!({}))?;
        let answer = self.send(asked, method).await?;
        let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
        let team = match said {
            Some(said) if said.ok => said.team_id,
            Some(said) if !said.error.is_empty() => {
                return Err(sorted(&said.error, wait(&answer)).error(method));
            }
            _ => return Err(unclear(&answer, method)),
        };
        let scopes = answer
            .headers
            .get(SCOPES)
            .and_then(|value| value.to_str().ok());
        let scopes = scopes.unwrap_or_default().split(',').map(str::trim);
        Ok(Standing {
            team,
            scopes: scopes
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}
