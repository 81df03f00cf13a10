//! Our standing with GitHub: as whom we act, what we may do, and whether there is what the configuration names.
//! Asked by people who look for mistakes, never by the service at work.

use std::collections::{BTreeMap, BTreeSet};

use http::header::DATE;
use serde::Deserialize;

use super::answer::Answer;
use super::{As, Client, Verb};
use crate::call::CallError;
use crate::domain::{Branch, Forge, ForgeName, Repository, RepositoryId};
use crate::web::escaped;

/// The header that names what a classic token may do.
const SCOPES: &str = "x-oauth-scopes";

/// As whom GitHub knows us.
#[derive(Clone, Debug)]
pub struct Standing {
    /// GitHub's clock, in the words of its `Date` header.
    pub date: Option<String>,
    /// Or why it does not know us.
    pub ours: Result<Ours, CallError>,
}

/// Who we are.
#[derive(Clone, Debug)]
pub enum Ours {
    App(App),
    Person(Person),
}

/// The app, as its owner has set it.
#[derive(Clone, Debug, Deserialize)]
pub struct App {
    pub slug: String,
    #[serde(default)]
    pub permissions: BTreeMap<String, String>,
    #[serde(default)]
    pub events: BTreeSet<String>,
}

/// The owner of a token.
#[derive(Clone, Debug)]
pub struct Person {
    pub login: String,
    /// What a classic token may do; fine-grained ones do not say.
    pub scopes: Option<BTreeSet<String>>,
}

/// A webhook, as it is set on GitHub's side.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Webhook {
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub content_type: String,
    /// Stars, where there is one.
    #[serde(default)]
    pub secret: Option<String>,
    /// A number or a text; "1" means that GitHub does not check the certificate.
    #[serde(default)]
    insecure_ssl: serde_json::Value,
}

/// A webhook of one repository.
#[derive(Clone, Debug, Deserialize)]
pub struct RepositoryWebhook {
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub events: BTreeSet<String>,
    #[serde(default)]
    pub config: Webhook,
}

/// How a repository looks to us.
#[derive(Clone, Debug)]
pub enum View {
    /// There is none, or it is not shown to us.
    Hidden,
    /// The app has been put aside there.
    Suspended,
    Seen(Seen),
}

/// A repository that we see.
#[derive(Clone, Debug)]
pub struct Seen {
    pub repository: Repository,
    /// What the app was granted there; a person's token says nothing.
    pub granted: Option<BTreeMap<String, String>>,
    /// What the app is told about there.
    pub told: Option<BTreeSet<String>>,
}

impl Webhook {
    pub fn checks_certificates(&self) -> bool {
        let is_one = |value: &serde_json::Value| value.as_str() == Some("1") || *value == 1;
        !is_one(&self.insecure_ssl)
    }
}

impl Client {
    /// As whom GitHub knows us; an error when it did not answer at all.
    pub async fn standing(&self) -> Result<Standing, CallError> {
        let path = if self.is_app() { "/app" } else { "/user" };
        let answer = self
            .send(As::Ourselves, path, Verb::Get, http::HeaderMap::new())
            .await?;
        let text = |name: &str| {
            let value = answer.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let (date, scopes) = (text(DATE.as_str()), text(SCOPES));
        let ours = answer
            .judged()
            .and_then(|answer| match (self.is_app(), scopes) {
                (true, _) => answer.read().map(Ours::App),
                (false, scopes) => person(&answer, scopes.as_deref()).map(Ours::Person),
            });
        Ok(Standing { date, ours })
    }

    /// Where the app's own webhook leads.
    pub async fn app_webhook(&self) -> Result<Webhook, CallError> {
        self.read(As::Ourselves, "/app/hook/config").await
    }

    /// How a repository looks to us.
    pub async fn view_of(&self, path: &str) -> Result<View, CallError> {
        #[derive(Deserialize)]
        struct Installation {
            id: u64,
            #[serde(default)]
            permissions: BTreeMap<String, String>,
            #[serde(default)]
            events: BTreeSet<String>,
            #[serde(default)]
            suspended_at: Option<String>,
        }
        #[derive(Deserialize)]
        struct Found {
            id: u64,
            full_name: String,
        }
        let mut repository = Repository {
            id: RepositoryId::on(Forge::GitHub, 0),
            path: path.to_owned(),
            installation: None,
        };
        let (mut granted, mut told) = (None, None);
        if self.is_app() {
            let asked = format!("/repos/{path}/installation");
            let found: Option<Installation> = self.read_maybe(As::Ourselves, &asked).await?;
            let Some(found) = found else {
                return Ok(View::Hidden);
            };
            if found.suspended_at.is_some() {
                return Ok(View::Suspended);
            }
            repository.installation = Some(found.id);
            (granted, told) = (Some(found.permissions), Some(found.events));
        }
        let asked = format!("/repos/{path}");
        let found: Option<Found> = self.read_maybe(As::In(&repository), &asked).await?;
        Ok(found.map_or(View::Hidden, |found| {
            View::Seen(Seen {
                repository: Repository {
                    id: RepositoryId::on(Forge::GitHub, found.id),
                    path: found.full_name,
                    ..repository
                },
                granted,
                told,
            })
        }))
    }

    pub async fn has_branch(
        &self,
        repository: &Repository,
        branch: &Branch,
    ) -> Result<bool, CallError> {
        let head = self.head(repository, branch.as_str()).await?;
        Ok(head.is_some())
    }

    /// Whether runs of a workflow can start; nothing where there is no such file.
    pub async fn workflow_is_active(
        &self,
        repository: &Repository,
        file: &str,
    ) -> Result<Option<bool>, CallError> {
        #[derive(Deserialize)]
        struct Workflow {
            state: String,
        }
        let path = format!(
            "/repos/{}/actions/workflows/{}",
            repository.path,
            escaped(file)
        );
        let found: Option<Workflow> = self.read_maybe(As::In(repository), &path).await?;
        Ok(found.map(|workflow| workflow.state == "active"))
    }

    pub async fn has_environment(
        &self,
        repository: &Repository,
        name: &ForgeName,
    ) -> Result<bool, CallError> {
        let path = format!(
            "/repos/{}/environments/{}",
            repository.path,
            escaped(name.as_str())
        );
        let found: Option<serde_json::Value> = self.read_maybe(As::In(repository), &path).await?;
        Ok(found.is_some())
    }

    /// The apps that an environment waits for.
    pub async fn protectors(
        &self,
        repository: &Repository,
        environment: &ForgeName,
    ) -> Result<BTreeSet<String>, CallError> {
        #[derive(Deserialize)]
        struct Rules {
            custom_deployment_protection_rules: Vec<Rule>,
        }
        #[derive(Deserialize)]
        struct Rule {
            enabled: bool,
            app: Slug,
        }
        #[derive(Deserialize)]
        struct Slug {
            slug: String,
        }
        let path = format!(
            "/repos/{}/environments/{}/deployment_protection_rules",
            repository.path,
            escaped(environment.as_str())
        );
        let rules: Rules = self.read(As::In(repository), &path).await?;
        let rules = rules.custom_deployment_protection_rules.into_iter();
        Ok(rules
            .filter(|rule| rule.enabled)
            .map(|rule| rule.app.slug)
            .collect())
    }

    /// The webhooks of a repository, where we may see them.
    pub async fn webhooks(
        &self,
        repository: &Repository,
    ) -> Result<Vec<RepositoryWebhook>, CallError> {
        let path = format!("/repos/{}/hooks?per_page=100", repository.path);
        self.read(As::In(repository), &path).await
    }
}

fn person(answer: &Answer, scopes: Option<&str>) -> Result<Person, CallError> {
    #[derive(Deserialize)]
    struct User {
        login: String,
    }
    let user: User = answer.read()?;
    let words = |scopes: &str| {
        let words = scopes.split(',').map(str::trim);
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    Ok(Person {
        login: user.login,
        scopes: scopes.map(words),
    })
}
