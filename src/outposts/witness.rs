//! A witness of logs, asked as C2SP's tlog-witness has it. It gets a checkpoint with the proof that the log
//! only grew, and answers with a cosignature or with the size that it knows. What it says is not believed
//! here; a redirect, an error and silence all mean that it said nothing.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::Full;

use crate::web::{Web, send, web};

/// From the first byte that is sent to the answer's last.
const DEADLINE: Duration = Duration::from_secs(20);
/// No answer is longer.
const LONGEST_ANSWER: usize = 64 << 10;
/// The type of an answer that tells a size.
const SIZE: &str = "text/x.tlog.size";

/// Where checkpoints are sent.
pub struct Witness {
    client: Web,
    url: Uri,
    deadline: Duration,
}

/// What a witness answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Lines of signatures, not checked yet.
    Cosigned(String),
    /// It knows the log up to another size than the one that was sent.
    Knows(u64),
}

/// The address of a witness cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address of the witness cannot be used")]
pub struct Unusable;

/// The witness did not cosign, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotCosigned(pub String);

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Witness {
    /// A witness whose submissions go to addresses below this one.
    pub fn new(prefix: &str) -> Result<Self, Unusable> {
        let url = format!("{}/add-checkpoint", prefix.trim_end_matches('/'));
        let url: Uri = url.parse().map_err(|_| Unusable)?;
        if url.host().is_none() {
            return Err(Unusable);
        }
        Ok(Self {
            client: web(),
            url,
            deadline: DEADLINE,
        })
    }

    /// The same, with less patience.
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Submits a checkpoint.
    pub async fn add_checkpoint(&self, submission: String) -> Result<Answer, NotCosigned> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(USER_AGENT, "countersign")
            .body(Full::new(Bytes::from(submission)))
            .map_err(|error| NotCosigned(error.to_string()))?;
        let answer = send(&self.client, request, self.deadline, LONGEST_ANSWER).await;
        let answer = answer.map_err(|error| NotCosigned(format!("the witness {error}")))?;
        let status = answer.status;
        let kind = answer.headers.get(CONTENT_TYPE);
        let is_size = kind.is_some_and(|kind| kind == SIZE);
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        match status {
            StatusCode::OK => Ok(Answer::Cosigned(text.to_owned())),
            StatusCode::CONFLICT if is_size => text
                .strip_suffix('\n')
                .and_then(|size| size.parse().ok())
                .map(Answer::Knows)
                .ok_or_else(|| NotCosigned("the witness told no size".to_owned())),
            _ => Err(NotCosigned(format!(
                "the witness answered {status}{}",
                meaning(status)
            ))),
        }
    }
}

/// What an answer means to the operator who has to do something about it.
fn meaning(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => ": it does not know this log",
        StatusCode::FORBIDDEN => ": it does not know the key of this log",
        StatusCode::CONFLICT => ": it knows another log of this name and size",
        StatusCode::UNPROCESSABLE_ENTITY => ": the log did not grow out of what it saw before",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_go_below_the_prefix() {
        for prefix in ["https://witness.example/w", "https://witness.example/w/"] {
            let witness = Witness::new(prefix).unwrap();
            assert_eq!(witness.url, "https://witness.example/w/add-checkpoint");
        }
        assert_eq!(Witness::new("").unwrap_err(), Unusable);
    }
}
