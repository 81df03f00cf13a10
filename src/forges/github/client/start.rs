//! The start of a release, once: one call, and an answer that is read for exactly what it says.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{As, Client, Verb};
use crate::call::CallError;
use crate::domain::{Departure, External, ExternalKind, Start, Went};
use crate::web::escaped;

/// How long a trigger waits when our token is refused: the next call gets another.
const UNAUTHORIZED_PAUSE: u64 = 5;

impl Client {
    /// Sends a trigger. Whatever is not clearly a refusal or an acceptance is `Lost`.
    pub async fn start(&self, departure: &Departure) -> Went {
        match departure.start() {
            Start::Job { .. } | Start::Pipeline { .. } | Start::WaitingJob { .. } => {
                Went::Refused {
                    why: "GitHub has no jobs to play".to_owned(),
                }
            }
            Start::Deployment { environment } => self.deploy(departure, environment).await,
            Start::WorkflowDispatch {
                workflow,
                reference,
                inputs,
            } => {
                let mut body = json!({
                    "ref": reference, "inputs": inputs, "return_run_details": true
                });
                let went = self.dispatch(departure, workflow, &body).await;
                match went {
                    // GitHub Enterprise Server does not know the field, and has done nothing.
                    Err(why) if why.contains("return_run_details") => {
                        if let Some(body) = body.as_object_mut() {
                            body.remove("return_run_details");
                        }
                        self.dispatch(departure, workflow, &body)
                            .await
                            .unwrap_or_else(|why| Went::Refused { why })
                    }
                    Err(why) => Went::Refused { why },
                    Ok(went) => went,
                }
            }
            Start::RepositoryDispatch { event_type } => {
                let path = format!("/repos/{}/dispatches", departure.repository().path);
                let body = json!({
                    "event_type": event_type,
                    "client_payload": mark(departure),
                });
                let answer = self.begin(departure, &path, &body).await;
                settled(answer, |answer| match answer.status {
                    204 => Some(Went::Accepted { external: None }),
                    _ => None,
                })
            }
            Start::ProtectionRule { environment, run } => {
                let path = format!(
                    "/repos/{}/actions/runs/{run}/deployment_protection_rule",
                    departure.repository().path
                );
                let body = json!({
                    "environment_name": environment,
                    "state": "approved",
                    "comment": format!("Approved as #{} in Countersign.", departure.request()),
                });
                let run = *run;
                let answer = self.begin(departure, &path, &body).await;
                settled(answer, |answer| match answer.status {
                    204 => Some(Went::Accepted {
                        external: Some(External {
                            kind: ExternalKind::Run,
                            id: run,
                            url: String::new(),
                        }),
                    }),
                    _ => None,
                })
            }
        }
    }

    async fn deploy(&self, departure: &Departure, environment: &str) -> Went {
        #[derive(Deserialize)]
        struct Made {
            id: u64,
        }
        let path = format!("/repos/{}/deployments", departure.repository().path);
        // The commit is what was approved: nothing is merged into it, and the gates are ours.
        let body = json!({
            "ref": departure.sha(),
            "task": "deploy",
            "auto_merge": false,
            "required_contexts": [],
            "environment": environment,
            "description": format!("Approved as #{} in Countersign.", departure.request()),
            "payload": { "countersign": mark(departure) },
        });
        let answer = self.begin(departure, &path, &body).await;
        settled(answer, |answer| match answer.status {
            201 => answer.read::<Made>().ok().map(|made| Went::Accepted {
                external: Some(External {
                    kind: ExternalKind::Deployment,
                    id: made.id,
                    url: String::new(),
                }),
            }),
            202 => Some(Went::Refused {
                why: format!("nothing was deployed: {}", answer.message()),
            }),
            _ => None,
        })
    }

    /// `Err` is a refusal that may depend on the body's fields.
    async fn dispatch(
        &self,
        departure: &Departure,
        workflow: &str,
        body: &Value,
    ) -> Result<Went, String> {
        #[derive(Deserialize)]
        struct Details {
            workflow_run_id: u64,
            #[serde(default)]
            html_url: String,
        }
        let path = format!(
            "/repos/{}/actions/workflows/{}/dispatches",
            departure.repository().path,
            escaped(workflow)
        );
        let answer = self.begin(departure, &path, body).await;
        let went = settled(answer, |answer| match answer.status {
            200 => answer.read::<Details>().ok().map(|details| Went::Accepted {
                external: Some(External {
                    kind: ExternalKind::Run,
                    id: details.workflow_run_id,
                    url: details.html_url,
                }),
            }),
            204 => Some(Went::Accepted { external: None }),
            _ => None,
        });
        match went {
            Went::Refused { why } => Err(why),
            Went::Accepted { .. }
            | Went::Forbidden { .. }
            | Went::Held { .. }
            | Went::Stale
            | Went::Lost { .. } => Ok(went),
        }
    }

    async fn begin(
        &self,
        departure: &Departure,
        path: &str,
        body: &Value,
    ) -> Result<Answer, CallError> {
        let as_ = As::In(departure.repository());
        self.send(as_, path, Verb::Post(body), http::HeaderMap::new())
            .await
    }
}

/// What the other side needs to check that it was started by us, and for what.
fn mark(departure: &Departure) -> Value {
    json!({
        "correlation": departure.correlation(),
        "request": departure.request(),
        "service": departure.service(),
        "environment": departure.environment(),
        "sha": departure.sha(),
    })
}

/// Reads an answer: accepted if `accepted` says so, refused if GitHub clearly did nothing, else lost.
fn settled(answer: Result<Answer, CallError>, accepted: impl Fn(&Answer) -> Option<Went>) -> Went {
    let answer = match answer {
        Ok(answer) => answer,
        // Without a token for the installation nothing was sent.
        Err(CallError::Never(why) | CallError::Absent(why)) => return Went::Refused { why },
        Err(CallError::Later { why, .. }) => return Went::Lost { why },
    };
    if let Some(went) = accepted(&answer) {
        return went;
    }
    let why = format!("{}: {}", answer.status, answer.message());
    match answer.status {
        403 | 429 if answer.is_rate_limit() => Went::Held {
            why,
            seconds: answer.wait().max(Duration::from_secs(1)).as_secs(),
        },
        401 => Went::Held {
            why,
            seconds: UNAUTHORIZED_PAUSE,
        },
        300..=407 | 409..=499 => Went::Refused { why },
        status => Went::Lost {
            why: format!("GitHub answered {status}, which says nothing about the release"),
        },
    }
}
