//! Tokens: whose they are, what they may do, and how long.

use jiff::Timestamp;
use serde_json::json;

use super::call::{Answer, Call, Outcome};
use super::world::World;
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) person: u64,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

impl GitLab {
    /// Lets a token of this person in, besides the first one; it may do what the person may.
    pub fn add_token(&self, token: &str, username: &str) {
        self.add_token_with(token, username, &["api"], None);
    }

    /// The same, with these scopes and until then.
    pub fn add_token_with(
        &self,
        token: &str,
        username: &str,
        scopes: &[&str],
        expires_at: Option<Timestamp>,
    ) {
        let mut world = lock(&self.world);
        let Some(person) = world.person_named(username).map(|person| person.id) else {
            return;
        };
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let made = Token {
            person,
            scopes,
            expires_at,
        };
        world.tokens.insert(token.to_owned(), made);
    }

    /// Every token that there is ends now.
    pub fn expire_tokens(&self) {
        let mut world = lock(&self.world);
        let now = world.now();
        for token in world.tokens.values_mut() {
            token.expires_at = Some(now);
        }
    }

    /// A token that may trigger pipelines of this project in a person's name, and nothing else.
    pub fn add_trigger_token(&self, project: &str, token: &str, username: &str) {
        let mut world = lock(&self.world);
        let (project, owner) = (world.id_of(project), world.person(username));
        if let Some(project) = world.projects.get_mut(&project) {
            project.trigger_tokens.insert(token.to_owned(), owner);
        }
    }
}

impl World {
    /// `GET /personal_access_tokens/self`
    pub(super) fn get_own_token(&self, call: &Call) -> Outcome {
        let person = call.who.ok_or_else(Answer::unauthorized)?;
        let mut tokens = self.tokens.values().enumerate();
        let own = tokens.find(|(_, token)| token.person == person);
        let (id, token) = own.ok_or_else(Answer::unauthorized)?;
        let end = token
            .expires_at
            .map(|end| end.strftime("%Y-%m-%d").to_string());
        Answer::ok(json!({
            "id": id, "name": "countersign", "description": null, "revoked": false,
            "created_at": self.now().to_string(), "scopes": token.scopes, "user_id": person,
            "last_used_at": self.now().to_string(), "active": true, "expires_at": end,
        }))
    }

    /// Whose token it is, if it may be used for this.
    pub(super) fn admit(&self, token: &str, method: &str) -> Result<u64, Answer> {
        let known = self.tokens.get(token).ok_or_else(Answer::unauthorized)?;
        let person = self.people.get(&known.person);
        let person = person.ok_or_else(Answer::unauthorized)?;
        if known.expires_at.is_some_and(|end| end <= self.now()) {
            let mut answer = Answer::error(401, "invalid_token");
            answer
                .describe("Token is expired. You can either do re-authorization or token refresh.");
            return Err(answer);
        }
        if person.is_blocked {
            let text = "403 Forbidden - Your account has been blocked.";
            return Err(Answer::message(403, text));
        }
        let allowed: &[&str] = match method {
            "GET" | "HEAD" => &["api", "read_api"],
            _ => &["api"],
        };
        let has = |scope: &String| allowed.contains(&scope.as_str());
        if !known.scopes.iter().any(has) {
            let mut answer = Answer::error(403, "insufficient_scope");
            let text = "The request requires higher privileges than provided by the access token.";
            answer.describe(text);
            return Err(answer);
        }
        Ok(person.id)
    }
}

impl Answer {
    /// What OAuth adds to its errors.
    fn describe(&mut self, text: &str) {
        if let super::call::Content::Json(body) = &mut self.content {
            body["error_description"] = text.into();
        }
    }
}
