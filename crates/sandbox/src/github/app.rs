//! GitHub Apps: ours with its key, installations and tokens, and others that only report. An
//! installation's token reaches what the installation covers, with its permissions, until it expires.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Identity, Outcome};
use super::people::{Kind, merge};
use super::repositories::Repository;
use super::settings::Asked;
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};
use countersign_ground::clock::Clock;
use countersign_ground::{clock, digest};

/// The app's number.
pub const APP_ID: u64 = 1_234;
/// The app's client id, which may stand for the number.
pub const APP_CLIENT_ID: &str = "Iv23liCountersign000";
pub const APP_SLUG: &str = "countersign";
/// Where the app is installed at first: on all of acme.
pub const INSTALLATION_ID: u64 = 77;

/// What the app may do where it is installed, unless a test says otherwise.
const PERMISSIONS: [(&str, &str); 9] = [
    ("actions", "write"),
    ("checks", "read"),
    ("contents", "write"),
    ("deployments", "write"),
    ("issues", "write"),
    ("members", "read"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "write"),
];

const EVENTS: [&str; 10] = [
    "check_run",
    "deployment",
    "deployment_protection_rule",
    "deployment_status",
    "issue_comment",
    "pull_request",
    "push",
    "repository",
    "status",
    "workflow_run",
];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) slug: String,
    client_id: String,
    /// The account that acts for it.
    pub(super) bot: u64,
    made_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Installation {
    pub(super) id: u64,
    pub(super) account: String,
    /// `None` for all of the account's.
    pub(super) repositories: Option<BTreeSet<u64>>,
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) is_suspended: bool,
    pub(super) made_at: Timestamp,
}

/// A token of an installation.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) installation: u64,
    pub(super) repositories: Option<Vec<u64>>,
    permissions: BTreeMap<String, String>,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    iss: Value,
    exp: i64,
    #[serde(default)]
    iat: i64,
}

impl Installation {
    pub(super) fn covers(&self, repository: &Repository) -> bool {
        repository.owner().eq_ignore_ascii_case(&self.account)
            && self
                .repositories
                .as_ref()
                .is_none_or(|ids| ids.contains(&repository.id))
    }
}

impl Issued {
    pub(super) fn allows(&self, need: Need) -> bool {
        let given = |name| self.permissions.get(name).map(String::as_str);
        match need {
            Need::Read("metadata") => true,
            Need::Read(name) => given(name).is_some(),
            Need::Write(name) => matches!(given(name), Some("write" | "admin")),
        }
    }
}

impl Asked {
    pub(super) fn at_first() -> Self {
        let permissions = PERMISSIONS.map(|(name, access)| (name.to_owned(), access.to_owned()));
        Self {
            permissions: permissions.into(),
            events: EVENTS.map(str::to_owned).into(),
        }
    }
}

impl GitHub {
    /// Gives the installation other permissions; tokens that are out keep theirs.
    pub fn set_permission(&self, installation: u64, name: &str, access: Option<&str>) {
        let mut world = lock(&self.world);
        if let Some(installation) = world.installations.get_mut(&installation) {
            match access {
                Some(access) => {
                    let permissions = &mut installation.permissions;
                    drop(permissions.insert(name.to_owned(), access.to_owned()));
                }
                None => drop(installation.permissions.remove(name)),
            }
        }
    }

    /// Tokens begin and end by another clock than the world's. Their holder may have no other than the machine's.
    pub fn judge_tokens_by(&self, clock: Clock) {
        lock(&self.world).clock_of_tokens = clock;
    }

    /// Tokens that are made from now on last so long; GitHub's last an hour.
    pub fn tokens_last(&self, long: Duration) {
        lock(&self.world).tokens_last = long;
    }

    /// All tokens of installations are over, as after an hour.
    pub fn expire_tokens(&self) {
        lock(&self.world).issued.clear();
    }
}

impl World {
    pub(super) fn our_app(&self) -> Option<&App> {
        self.apps.get(APP_SLUG)
    }

    pub(super) fn add_our_app(&mut self) {
        self.add_app(APP_ID, APP_SLUG, APP_CLIENT_ID);
        self.add_app(15_368, "github-actions", "Iv1.05c79e9ad1f6bdfa");
        self.install(INSTALLATION_ID, "acme", None);
    }

    fn add_app(&mut self, id: u64, slug: &str, client_id: &str) {
        let bot = 41_000_000 + id;
        self.add_account(bot, &format!("{slug}[bot]"), Kind::Bot);
        let app = App {
            id,
            slug: slug.to_owned(),
            client_id: client_id.to_owned(),
            bot,
            made_at: self.now(),
        };
        self.apps.insert(slug.to_owned(), app);
    }

    /// An app by its slug; one that is not known is made up.
    pub(super) fn app_named(&mut self, slug: &str) {
        if !self.apps.contains_key(slug) {
            let id = self.next_id();
            self.add_app(id, slug, &format!("Iv23li{id}"));
        }
    }

    pub(super) fn install(&mut self, id: u64, account: &str, repositories: Option<BTreeSet<u64>>) {
        let permissions = PERMISSIONS.map(|(name, access)| (name.to_owned(), access.to_owned()));
        let installation = Installation {
            id,
            account: account.to_owned(),
            repositories,
            permissions: permissions.into_iter().collect(),
            is_suspended: false,
            made_at: self.now(),
        };
        self.installations.insert(id, installation);
    }

    pub(super) fn installation_of(&self, repository: &Repository) -> Option<&Installation> {
        self.installations
            .values()
            .find(|one| one.covers(repository))
    }

    pub(super) fn app_json(&self, app: &App) -> Value {
        let owner = self
            .account_named("acme")
            .map_or(Value::Null, |owner| self.user_json(owner.id));
        json!({
            "id": app.id,
            "slug": app.slug,
            "node_id": node("A", app.id),
            "client_id": app.client_id,
            "owner": owner,
            "name": app.slug,
            "description": "",
            "external_url": "https://example.com",
            "html_url": format!("https://github.com/apps/{}", app.slug),
            "created_at": stamp(app.made_at),
            "updated_at": stamp(app.made_at),
            "permissions": self.asked.permissions,
            "events": self.asked.events,
        })
    }

    pub(super) fn installation_json(&self, installation: &Installation) -> Value {
        let id = installation.id;
        let account = self.account_named(&installation.account);
        let account_json = account.map_or(Value::Null, |account| self.user_json(account.id));
        let selection = if installation.repositories.is_some() {
            "selected"
        } else {
            "all"
        };
        json!({
            "id": id,
            "client_id": APP_CLIENT_ID,
            "account": account_json,
            "repository_selection": selection,
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", self.url),
            "repositories_url": format!("{}/installation/repositories", self.url),
            "html_url": format!("https://github.com/organizations/{}/settings/installations/{id}", installation.account),
            "app_id": APP_ID,
            "app_slug": APP_SLUG,
            "target_id": account.map_or(0, |account| account.id),
            "target_type": "Organization",
            "permissions": installation.permissions,
            "events": self.asked.events,
            "created_at": stamp(installation.made_at),
            "updated_at": stamp(installation.made_at),
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": null,
            "suspended_at": installation.is_suspended.then(|| stamp(self.now())),
        })
    }

    /// The identity that shows this token, or why there is none.
    pub(super) fn identify(&self, token: &str) -> Result<Identity, Answer> {
        if let Some(person) = self.tokens.get(token) {
            return Ok(Identity::Person(*person));
        }
        if let Some(issued) = self.issued.get(token) {
            if issued.expires_at > self.clock_of_tokens.now() {
                return Ok(Identity::Installation(issued.clone()));
            }
        } else if token.starts_with("eyJ") {
            return self.check_jwt(token);
        }
        Err(Answer::message(401, "Bad credentials"))
    }

    fn check_jwt(&self, token: &str) -> Result<Identity, Answer> {
        let refused = |text: &str| Answer::message(401, text);
        let unreadable = |_| refused("A JSON web token could not be decoded");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        // The times are compared with the clock of tokens below.
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key.public, &validation);
        let claims = claims.map_err(unreadable)?.claims;
        let text = claims.iss.as_str().map(str::to_owned);
        let issuer = text.unwrap_or_else(|| claims.iss.to_string());
        if issuer != APP_CLIENT_ID && issuer != APP_ID.to_string() {
            return Err(Answer::message(404, "Integration not found"));
        }
        let now = self.clock_of_tokens.now().as_second();
        if claims.exp <= now {
            return Err(refused(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ));
        }
        if claims.exp > now + 600 {
            return Err(refused(
                "'Expiration time' claim ('exp') is too far in the future",
            ));
        }
        if claims.iat > now + 60 {
            return Err(refused(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ));
        }
        Ok(Identity::App)
    }

    pub(super) fn only_app(call: &Call) -> Result<(), Answer> {
        match call.identity {
            Identity::App => Ok(()),
            Identity::Person(_) | Identity::Installation(_) => Err(Answer::message(
                401,
                "A JSON web token could not be decoded",
            )),
        }
    }

    /// `GET /app`
    pub(super) fn get_our_app(&self, call: &Call) -> Outcome {
        Self::only_app(call)?;
        let mut json = self.our_app().map_or(Value::Null, |app| self.app_json(app));
        merge(
            &mut json,
            json!({ "installations_count": self.installations.len() }),
        );
        Answer::ok(json)
    }

    /// `GET /apps/{slug}`
    pub(super) fn get_app(&self, slug: &str) -> Outcome {
        let app = self.apps.get(slug).ok_or_else(Answer::not_found)?;
        Answer::ok(self.app_json(app))
    }

    /// `GET /repos/{owner}/{repo}/installation`
    pub(super) fn get_installation(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        Self::only_app(call)?;
        let repository = self.repository_named(&format!("{owner}/{name}"));
        let installation = repository.and_then(|found| self.installation_of(found));
        Answer::ok(self.installation_json(installation.ok_or_else(Answer::not_found)?))
    }

    /// `POST /app/installations/{id}/access_tokens`
    pub(super) fn issue_token(&mut self, call: &Call, id: &str) -> Outcome {
        Self::only_app(call)?;
        let installation = id.parse().ok().and_then(|id| self.installations.get(&id));
        let installation = installation.ok_or_else(Answer::not_found)?.clone();
        if installation.is_suspended {
            return Err(Answer::message(403, "This installation has been suspended"));
        }
        let mut issued = Issued {
            installation: installation.id,
            repositories: self.chosen(call, &installation)?,
            permissions: installation.permissions.clone(),
            expires_at: clock::later(self.clock_of_tokens.now(), self.tokens_last),
        };
        if let Some(wanted) = call.body.get("permissions").and_then(Value::as_object) {
            let wanted = wanted
                .iter()
                .filter_map(|(name, access)| Some((name.clone(), access.as_str()?.to_owned())));
            let wanted: BTreeMap<String, String> = wanted.collect();
            let granted = |(name, access): (&String, &String)| {
                let given = issued.permissions.get(name).map(String::as_str);
                given == Some(access.as_str()) || (access == "read" && given.is_some())
            };
            if !wanted.iter().all(granted) {
                return Err(Answer::invalid(
                    "The permissions requested are not granted to this installation.",
                ));
            }
            issued.permissions = wanted;
        }
        // The length differs from token to token, so that no client counts on it.
        let number = self.next_id();
        let noise = digest::sha256_hex(format!("token {number}").as_bytes()).repeat(4);
        let length = 41 + usize::try_from(number % 83).unwrap_or(0) * 2;
        let token = format!("ghs_{APP_ID}_{}", &noise[..length]);
        let body = json!({
            "token": token,
            "expires_at": stamp(issued.expires_at),
            "permissions": issued.permissions,
            "repository_selection": if issued.repositories.is_some() { "selected" } else { "all" },
        });
        self.issued.insert(token, issued);
        Answer::created(body)
    }

    /// The repositories that a token is asked for, all of them the installation's.
    fn chosen(&self, call: &Call, installation: &Installation) -> Result<Option<Vec<u64>>, Answer> {
        let names = call.body.get("repositories").and_then(Value::as_array);
        let ids = call.body.get("repository_ids").and_then(Value::as_array);
        if names.is_none() && ids.is_none() {
            return Ok(installation
                .repositories
                .as_ref()
                .map(|ids| ids.iter().copied().collect()));
        }
        let by_name = names.into_iter().flatten().map(|name| {
            let name = format!("{}/{}", installation.account, name.as_str()?);
            self.repository_named(&name)
        });
        let by_id = ids
            .into_iter()
            .flatten()
            .map(|id| self.repositories.get(&id.as_u64()?));
        let chosen: Option<Vec<u64>> = by_name
            .chain(by_id)
            .map(|found| {
                found
                    .filter(|found| installation.covers(found))
                    .map(|found| found.id)
            })
            .collect();
        let refusal = "There is at least one repository that does not exist or is not accessible to the parent installation.";
        chosen.map(Some).ok_or_else(|| Answer::invalid(refusal))
    }
}
