//! An app that GitHub makes from our wishes, and hands over for a code that is good once.

use std::fmt;
use std::time::Duration;

use http::Request;
use http::header::{ACCEPT, USER_AGENT};
use http_body_util::Full;
use serde::Deserialize;

use crate::web::{escaped, send, web};

const DEADLINE: Duration = Duration::from_secs(30);
const LONGEST_ANSWER: usize = 1 << 20;

/// An app that was just made, with everything that it is known by.
#[derive(Deserialize)]
pub struct NewApp {
    pub id: u64,
    pub slug: String,
    pub html_url: String,
    pub pem: String,
    /// Nothing where the app has no webhook.
    #[serde(default)]
    pub webhook_secret: Option<String>,
}

impl fmt::Debug for NewApp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NewApp")
            .field("id", &self.id)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
}

/// Takes an app over; or says why that did not work. A second attempt is refused by GitHub.
pub async fn take_over(api_url: &str, code: &str) -> Result<NewApp, String> {
    let url = format!(
        "{}/app-manifests/{}/conversions",
        api_url.trim_end_matches('/'),
        escaped(code)
    );
    let request = Request::post(url)
        .header(ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
        .header(USER_AGENT, "countersign")
        .body(Full::default())
        .map_err(|_| format!("{api_url} is not an address"))?;
    let answer = send(&web(), request, DEADLINE, LONGEST_ANSWER)
        .await
        .map_err(|error| format!("GitHub {error}"))?;
    if answer.status != 201 {
        return Err(format!("GitHub answered {}", answer.status));
    }
    // What is wrong with the answer is not said, because the key is part of it.
    serde_json::from_slice(&answer.body).map_err(|_| "GitHub's answer makes no sense".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_never_shows_its_secrets() {
        let text = r#"{"id": 7, "slug": "countersign", "html_url": "https://github.com/apps/countersign",
            "pem": "canary", "webhook_secret": "canary", "client_secret": "canary"}"#;
        let app: NewApp = serde_json::from_str(text).unwrap();
        assert!(!format!("{app:?}").contains("canary"));
    }
}
