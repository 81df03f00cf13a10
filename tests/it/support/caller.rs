//! A caller that asks the sandbox GitHub as any client would.

use countersign_ground::clock::Clock;
use countersign_sandbox::github::{APP_CLIENT_ID, APP_KEY, GitHub, INSTALLATION_ID};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

pub(crate) struct Caller {
    url: String,
    token: String,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where it is empty or not JSON.
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) fn new(github: &GitHub, token: &str) -> Self {
        Self {
            url: github.url(),
            token: token.to_owned(),
            http: reqwest::Client::builder()
                .user_agent("countersign-tests")
                .build()
                .unwrap(),
        }
    }

    /// As the app itself.
    pub(crate) fn app(github: &GitHub) -> Self {
        Self::new(github, &jwt(&json!(APP_CLIENT_ID), 540))
    }

    /// As the app's installation on acme.
    pub(crate) async fn installation(github: &GitHub) -> Self {
        let path = format!("/app/installations/{INSTALLATION_ID}/access_tokens");
        let answer = Self::app(github).post(&path, json!({})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Self::new(github, answer.body["token"].as_str().unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_unless(path, "").await
    }

    /// Unless the answer still has this tag.
    pub(crate) async fn get_unless(&self, path: &str, etag: &str) -> Answer {
        let mut request = self.http.get(self.address(path));
        if !etag.is_empty() {
            request = request.header("if-none-match", etag);
        }
        self.send(request).await.unwrap()
    }

    /// Null for a call without a body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_post(&self, path: &str, body: Value) -> reqwest::Result<Answer> {
        let mut request = self.http.post(self.address(path));
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        self.send(request).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let request = self.http.patch(self.address(path));
        self.send(request.body(body.to_string())).await.unwrap()
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_str(&response.text().await?).unwrap_or_default(),
        })
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The address of another page.
    pub(crate) fn link(&self, rel: &str) -> Option<String> {
        let rel = format!("rel=\"{rel}\"");
        let link = self
            .header("link")
            .split(", ")
            .find(|link| link.ends_with(&rel))?;
        Some(link.split(['<', '>']).nth(1)?.to_owned())
    }
}

/// A token of the app that ends in so many seconds.
pub(crate) fn jwt(issuer: &Value, seconds: i64) -> String {
    let now = Clock::system().now().as_second();
    let claims = json!({ "iss": issuer, "iat": now - 60, "exp": now + seconds });
    let key = EncodingKey::from_rsa_pem(APP_KEY.as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}
