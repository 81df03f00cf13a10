//! Accounts, teams and their members: the number behind a login, whatever the login says today.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Identity, Outcome};
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Person,
    Bot,
    Organization,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) login: String,
    pub(super) kind: Kind,
    #[serde(default)]
    is_suspended: bool,
}

/// Whether an invitation to a team was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Membership {
    Active,
    Pending,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) id: u64,
    organization: String,
    slug: String,
    members: BTreeMap<u64, Membership>,
}

/// What people do outside of repositories. Unknown logins are left alone.
impl GitHub {
    pub fn add_person(&self, id: u64, login: &str) {
        lock(&self.world).add_account(id, login, Kind::Person);
    }

    /// The id stays; the old login is free from now on.
    pub fn rename_person(&self, id: u64, login: &str) {
        if let Some(account) = lock(&self.world).accounts.get_mut(&id) {
            login.clone_into(&mut account.login);
        }
    }

    /// The account is gone; what it wrote stays without an author.
    pub fn delete_person(&self, id: u64) {
        lock(&self.world).accounts.remove(&id);
    }

    /// An enterprise server does not let the person in any more; they stay where they are members.
    pub fn suspend_person(&self, login: &str) {
        let mut world = lock(&self.world);
        let id = world.person(login);
        if let Some(account) = world.accounts.get_mut(&id) {
            account.is_suspended = true;
        }
    }

    pub fn add_team(&self, id: u64, organization: &str, slug: &str) {
        let team = Team {
            id,
            organization: organization.to_owned(),
            slug: slug.to_owned(),
            members: BTreeMap::new(),
        };
        lock(&self.world).teams.insert(id, team);
    }

    pub fn rename_team(&self, id: u64, slug: &str) {
        if let Some(team) = lock(&self.world).teams.get_mut(&id) {
            slug.clone_into(&mut team.slug);
        }
    }

    pub fn delete_team(&self, id: u64) {
        lock(&self.world).teams.remove(&id);
    }

    /// Puts a person into a team; `None` takes them out.
    pub fn set_member(&self, team: u64, login: &str, membership: Option<Membership>) {
        let mut world = lock(&self.world);
        let Some(person) = world.account_named(login).map(|account| account.id) else {
            return;
        };
        if let Some(team) = world.teams.get_mut(&team) {
            match membership {
                Some(membership) => drop(team.members.insert(person, membership)),
                None => drop(team.members.remove(&person)),
            }
        }
    }

    /// Gives a role by its name; `None` takes it away.
    pub fn set_role(&self, repository: &str, login: &str, role: Option<&str>) {
        let mut world = lock(&self.world);
        let Some(person) = world.account_named(login).map(|account| account.id) else {
            return;
        };
        let id = world.id_of(repository);
        if let Some(repository) = world.repositories.get_mut(&id) {
            match role {
                Some(role) => drop(repository.roles.insert(person, role.to_owned())),
                None => drop(repository.roles.remove(&person)),
            }
        }
    }

    /// Lets a personal token of this person in, besides the first one.
    pub fn add_token(&self, token: &str, login: &str) {
        let mut world = lock(&self.world);
        if let Some(person) = world.account_named(login).map(|account| account.id) {
            world.tokens.insert(token.to_owned(), person);
        }
    }
}

impl World {
    pub(super) fn add_account(&mut self, id: u64, login: &str, kind: Kind) {
        let login = login.to_owned();
        self.accounts.insert(
            id,
            Account {
                id,
                login,
                kind,
                is_suspended: false,
            },
        );
    }

    pub(super) fn account_named(&self, login: &str) -> Option<&Account> {
        self.accounts
            .values()
            .find(|account| account.login.eq_ignore_ascii_case(login))
    }

    /// Null for an account that is gone.
    pub(super) fn user_json(&self, id: u64) -> Value {
        let Some(account) = self.accounts.get(&id) else {
            return Value::Null;
        };
        let login = account.login.as_str();
        let api = format!(
            "{}/users/{}",
            self.url,
            login.replace('[', "%5B").replace(']', "%5D")
        );
        let kind = match account.kind {
            Kind::Person => "User",
            Kind::Bot => "Bot",
            Kind::Organization => "Organization",
        };
        let html = match account.kind {
            Kind::Bot => format!(
                "https://github.com/apps/{}",
                login.trim_end_matches("[bot]")
            ),
            Kind::Person | Kind::Organization => format!("https://github.com/{login}"),
        };
        json!({
            "login": login,
            "id": id,
            "node_id": node("U", id),
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            "gravatar_id": "",
            "url": api,
            "html_url": html,
            "followers_url": format!("{api}/followers"),
            "following_url": format!("{api}/following{{/other_user}}"),
            "gists_url": format!("{api}/gists{{/gist_id}}"),
            "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{api}/subscriptions"),
            "organizations_url": format!("{api}/orgs"),
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events{{/privacy}}"),
            "received_events_url": format!("{api}/received_events"),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    pub(super) fn organization_json(&self, login: &str) -> Option<Value> {
        let account = self.account_named(login)?;
        let api = format!("{}/orgs/{login}", self.url);
        (account.kind == Kind::Organization).then(|| {
            json!({
                "login": account.login,
                "id": account.id,
                "node_id": node("O", account.id),
                "url": api,
                "repos_url": format!("{api}/repos"),
                "events_url": format!("{api}/events"),
                "hooks_url": format!("{api}/hooks"),
                "issues_url": format!("{api}/issues"),
                "members_url": format!("{api}/members{{/member}}"),
                "public_members_url": format!("{api}/public_members{{/member}}"),
                "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", account.id),
                "description": null,
            })
        })
    }

    fn profile(&self, id: u64) -> Value {
        let mut user = self.user_json(id);
        let more = json!({
            "name": user["login"], "company": null, "blog": "", "location": null, "email": null,
            "hireable": null, "bio": null, "public_repos": 1, "public_gists": 0, "followers": 0,
            "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        });
        merge(&mut user, more);
        let known = self.accounts.get(&id);
        if known.is_some_and(|account| account.is_suspended) {
            user["suspended_at"] = stamp(self.now()).into();
        }
        user
    }

    /// `GET /user`
    pub(super) fn who_am_i(&self, call: &Call) -> Outcome {
        let Identity::Person(person) = call.identity else {
            return Err(Answer::inaccessible());
        };
        let mut user = self.profile(person);
        let more = json!({
            "private_gists": 0, "total_private_repos": 0, "owned_private_repos": 0, "disk_usage": 0,
            "collaborators": 0, "two_factor_authentication": true,
        });
        merge(&mut user, more);
        Answer::ok(user)
    }

    /// `GET /users/{login}`
    pub(super) fn user_by_login(&self, login: &str) -> Outcome {
        let account = self.account_named(login).ok_or_else(Answer::not_found)?;
        Answer::ok(self.profile(account.id))
    }

    /// `GET /user/{account_id}`
    pub(super) fn user_by_id(&self, id: &str) -> Outcome {
        let account = id.parse().ok().and_then(|id| self.accounts.get(&id));
        Answer::ok(self.profile(account.ok_or_else(Answer::not_found)?.id))
    }

    fn sees_members(call: &Call) -> Result<(), Answer> {
        match &call.identity {
            Identity::App => Err(Answer::inaccessible()),
            Identity::Installation(issued) if !issued.allows(Need::Read("members")) => {
                Err(Answer::inaccessible())
            }
            Identity::Installation(_) | Identity::Person(_) => Ok(()),
        }
    }

    /// Teams are shown to members of the organization and to installations that may read members.
    fn team(&self, call: &Call, organization: &str, slug: &str) -> Result<&Team, Answer> {
        Self::sees_members(call)?;
        let found = self.teams.values().find(|team| {
            team.organization.eq_ignore_ascii_case(organization)
                && team.slug.eq_ignore_ascii_case(slug)
        });
        found.ok_or_else(Answer::not_found)
    }

    fn team_url(&self, team: &Team) -> String {
        let owner = self
            .account_named(&team.organization)
            .map_or(0, |owner| owner.id);
        format!("{}/organizations/{owner}/team/{}", self.url, team.id)
    }

    /// `GET /orgs/{org}/teams/{slug}`
    pub(super) fn get_team(&self, call: &Call, organization: &str, slug: &str) -> Outcome {
        let team = self.team(call, organization, slug)?;
        let url = self.team_url(team);
        let html = format!("https://github.com/orgs/{organization}");
        let now = stamp(self.now());
        let mut owner = self
            .organization_json(&team.organization)
            .unwrap_or_default();
        let more = json!({
            "has_organization_projects": true, "has_repository_projects": true, "public_repos": 1,
            "public_gists": 0, "followers": 0, "following": 0, "html_url": html,
            "created_at": now, "type": "Organization", "updated_at": now, "archived_at": null,
        });
        merge(&mut owner, more);
        Answer::ok(json!({
            "id": team.id,
            "node_id": node("T", team.id),
            "url": url,
            "html_url": format!("{html}/teams/{}", team.slug),
            "name": team.slug,
            "slug": team.slug,
            "description": null,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "pull",
            "parent": null,
            "members_url": format!("{url}/members{{/member}}"),
            "repositories_url": format!("{url}/repos"),
            "members_count": team.members.len(),
            "repos_count": 0,
            "created_at": now,
            "updated_at": now,
            "organization": owner,
            "type": "organization",
        }))
    }

    /// `GET /orgs/{org}/teams/{slug}/memberships/{login}`
    pub(super) fn membership(
        &self,
        call: &Call,
        organization: &str,
        slug: &str,
        login: &str,
    ) -> Outcome {
        let team = self.team(call, organization, slug)?;
        let person = self.account_named(login).ok_or_else(Answer::not_found)?;
        let state = match team.members.get(&person.id) {
            None => return Err(Answer::not_found()),
            Some(Membership::Active) => "active",
            Some(Membership::Pending) => "pending",
        };
        let url = format!("{}/memberships/{}", self.team_url(team), person.login);
        Answer::ok(json!({ "url": url, "role": "member", "state": state }))
    }

    /// `GET /orgs/{org}/members/{login}`: whoever is in one of its teams is a member.
    pub(super) fn is_member(&self, call: &Call, organization: &str, login: &str) -> Outcome {
        Self::sees_members(call)?;
        let person = self.account_named(login).ok_or_else(Answer::not_found)?;
        let mut teams = self.teams.values();
        let is_member = teams.any(|team| {
            team.organization.eq_ignore_ascii_case(organization)
                && team.members.get(&person.id) == Some(&Membership::Active)
        });
        if is_member {
            return Answer::nothing();
        }
        Err(Answer::not_found())
    }

    /// `GET /repos/{owner}/{repo}/collaborators/{login}/permission`
    pub(super) fn permission(&self, call: &Call, owner: &str, name: &str, login: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("metadata"))?;
        let person = self
            .account_named(login)
            .ok_or_else(|| Answer::message(404, &format!("{login} is not a user")))?;
        let given = repository.roles.get(&person.id).map(String::as_str);
        let role = match given {
            Some(role) => role,
            None if repository.is_private => "none",
            None => "read",
        };
        let permission = match role {
            "maintain" => "write",
            "triage" => "read",
            "admin" | "write" | "read" | "none" => role,
            _custom => "write",
        };
        let mut user = self.user_json(person.id);
        let can = |roles: &[&str]| roles.contains(&permission);
        let more = json!({
            "role_name": role,
            "permissions": {
                "admin": role == "admin",
                "maintain": matches!(role, "admin" | "maintain"),
                "push": can(&["admin", "write"]),
                "triage": can(&["admin", "write"]) || role == "triage",
                "pull": role != "none",
            },
        });
        merge(&mut user, more);
        Answer::ok(json!({ "permission": permission, "role_name": role, "user": user }))
    }
}

/// Adds the fields of the second object to the first.
pub(super) fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
