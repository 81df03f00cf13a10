//! The start of a release, once: after a look that changes nothing, one call, and an answer that is read for
//! exactly what it says.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::releases::{Deployment, Job};
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{Departure, External, ExternalKind, Start, Went};

/// How long a trigger waits when our token is refused, or when nothing could be looked up.
const PAUSE: u64 = 5;

/// What a job lets us do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Play,
    /// It ran before; running it again makes another job.
    Again,
}

impl Client {
    /// Sends a trigger. Whatever is not clearly a refusal or an acceptance is `Lost`.
    pub async fn start(&self, departure: &Departure) -> Went {
        let started = match departure.start() {
            Start::Job { name, branch } => self.start_job(departure, name, branch.as_deref()).await,
            Start::WaitingJob {
                environment,
                branch,
            } => {
                self.start_waiting(departure, environment, branch.as_deref())
                    .await
            }
            Start::Pipeline {
                reference,
                variables,
                by_token: false,
            } => self.start_pipeline(departure, (reference, variables)).await,
            Start::Pipeline {
                reference,
                variables,
                by_token: true,
            } => {
                let place = (departure.service().clone(), departure.environment().clone());
                match self.trigger_tokens.get(&place) {
                    Some(token) => {
                        self.start_by_token(departure, (reference, variables), token)
                            .await
                    }
                    None => refused("the trigger's token is not configured any more"),
                }
            }
            Start::Deployment { .. }
            | Start::WorkflowDispatch { .. }
            | Start::RepositoryDispatch { .. }
            | Start::ProtectionRule { .. } => refused("GitLab has no such trigger"),
        };
        started.unwrap_or_else(not_sent)
    }

    async fn start_job(
        &self,
        departure: &Departure,
        name: &str,
        branch: Option<&str>,
    ) -> Result<Went, CallError> {
        let repository = departure.repository();
        let place = (departure.sha(), branch);
        let job = self.newest_job(repository, place, name).await?;
        match job {
            Some(job) => self.run(departure, &job).await,
            None => refused(&format!(
                "no pipeline of the commit that a push started{} has a job called {name}",
                branch
                    .map(|branch| format!(" on {branch}"))
                    .unwrap_or_default()
            )),
        }
    }

    /// Approves the deployment that waits, which starts nothing, and plays its job.
    async fn start_waiting(
        &self,
        departure: &Departure,
        environment: &str,
        branch: Option<&str>,
    ) -> Result<Went, CallError> {
        let repository = departure.repository();
        let found = self
            .newest_deployment(repository, (departure.sha(), branch), environment)
            .await?;
        let Some(found) = found else {
            return refused(&format!(
                "no deployment of the commit to {environment} waits"
            ));
        };
        let mut deployment = self.deployment(repository, found.id).await?;
        if let Some(person) = deployment.rejected_by() {
            return refused(&format!(
                "the deployment was rejected on GitLab by {person}"
            ));
        }
        if deployment.lacks() > 0 {
            self.approve(departure, &deployment).await?;
            deployment = self.deployment(repository, found.id).await?;
        }
        match deployment.lacks() {
            0 => {}
            1 => return refused("one more approval is needed on GitLab"),
            lacking => {
                return refused(&format!("{lacking} more approvals are needed on GitLab"));
            }
        }
        let Some(job) = deployment.deployable.or(found.deployable) else {
            return refused("the deployment that waits has no job");
        };
        let job = self.job(repository, job.id).await?;
        self.run(departure, &job).await
    }

    /// Says yes in the name of our account, which counts once, however often it is said.
    async fn approve(
        &self,
        departure: &Departure,
        deployment: &Deployment,
    ) -> Result<(), CallError> {
        let ourselves = self.ourselves().await?.id;
        let mut approvals = deployment.approvals.iter();
        if approvals.any(|said| said.user.id == ourselves) {
            return Ok(());
        }
        let path = format!(
            "{}/deployments/{}/approval",
            project(departure.repository()),
            deployment.id
        );
        let body = json!({
            "status": "approved",
            "comment": format!("Approved as #{} in Countersign.", departure.request()),
        });
        let answer = self.ask(Method::POST, &path, Some(&body)).await?;
        answer.judged().map(drop)
    }

    /// Plays a job, or runs again one that ended.
    async fn run(&self, departure: &Departure, job: &Job) -> Result<Went, CallError> {
        let way = match way(job) {
            Ok(way) => way,
            Err(why) => return refused(&why),
        };
        let verb = match way {
            Way::Play => "play",
            Way::Again => "retry",
        };
        let path = format!("{}/jobs/{}/{verb}", project(departure.repository()), job.id);
        let body = (way == Way::Play).then(|| json!({}));
        let answer = self.ask(Method::POST, &path, body.as_ref()).await;
        let mut waits = false;
        let went = settled(answer, |answer| {
            // Played, it stays what it was; run again, it is another.
            let made: Job = answer.read().ok()?;
            waits = made.status == "manual";
            Some(External {
                kind: ExternalKind::Job,
                id: made.id,
                url: made.web_url.unwrap_or_default(),
            })
        });
        if waits {
            // Where deployments are approved, each needs its own approval.
            return Ok(Went::Held {
                why: format!("run again, the job {} waits to be played", job.name),
                seconds: PAUSE,
            });
        }
        Ok(went)
    }

    async fn start_pipeline(
        &self,
        departure: &Departure,
        (reference, variables): (&str, &BTreeMap<String, String>),
    ) -> Result<Went, CallError> {
        let listed: Vec<Value> = variables
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": value }))
            .collect();
        let body = json!({ "ref": reference, "variables": listed });
        let path = format!("{}/pipeline", project(departure.repository()));
        let answer = self.ask(Method::POST, &path, Some(&body)).await;
        Ok(settled(answer, pipeline_made))
    }

    async fn start_by_token(
        &self,
        departure: &Departure,
        (reference, variables): (&str, &BTreeMap<String, String>),
        token: &str,
    ) -> Result<Went, CallError> {
        let body = json!({ "ref": reference, "token": token, "variables": variables });
        let path = format!("{}/trigger/pipeline", project(departure.repository()));
        let answer = self.ask(Method::POST, &path, Some(&body)).await;
        Ok(settled(answer, pipeline_made))
    }
}

fn pipeline_made(answer: &Answer) -> Option<External> {
    #[derive(Deserialize)]
    struct Made {
        id: u64,
        #[serde(default)]
        web_url: Option<String>,
    }
    let made: Made = answer.read().ok()?;
    Some(External {
        kind: ExternalKind::Pipeline,
        id: made.id,
        url: made.web_url.unwrap_or_default(),
    })
}

/// What can be done with a job, or why nothing.
fn way(job: &Job) -> Result<Way, String> {
    let name = &job.name;
    let by = job.user.as_ref().map_or("somebody", |user| &user.username);
    match job.status.as_str() {
        "manual" | "scheduled" => Ok(Way::Play),
        "success" | "failed" | "canceled" => Ok(Way::Again),
        "created" | "skipped" => Err(format!(
            "the job {name} cannot be played: its pipeline has not come so far ({})",
            job.status
        )),
        status => Err(format!("the job {name} is {status} already, by {by}")),
    }
}

fn refused(why: &str) -> Result<Went, CallError> {
    Ok(Went::Refused {
        why: why.to_owned(),
    })
}

/// Something failed before anything could start.
fn not_sent(error: CallError) -> Went {
    match error {
        CallError::Later { why, wait } => Went::Held {
            why,
            seconds: wait.map_or(PAUSE, |wait| wait.as_secs().max(1)),
        },
        CallError::Absent(why) | CallError::Never(why) => Went::Refused { why },
    }
}

/// Reads an answer: accepted if something was made, refused if GitLab clearly did nothing, else lost.
fn settled(
    answer: Result<Answer, CallError>,
    made: impl FnOnce(&Answer) -> Option<External>,
) -> Went {
    let answer = match answer {
        Ok(answer) => answer,
        Err(CallError::Never(why) | CallError::Absent(why)) => return Went::Refused { why },
        Err(CallError::Later { why, .. }) => return Went::Lost { why },
    };
    let why = answer.said();
    match answer.status() {
        200 | 201 => made(&answer).map_or_else(
            || Went::Lost {
                why: "GitLab took it and does not say under which number".to_owned(),
            },
            |external| Went::Accepted {
                external: Some(external),
            },
        ),
        429 => Went::Held {
            why,
            seconds: answer.wait().as_secs(),
        },
        401 => Went::Held {
            why,
            seconds: PAUSE,
        },
        300..=407 | 409..=499 => Went::Refused { why },
        _ => Went::Lost { why },
    }
}
