//! People: their role in a repository, their teams, the apps behind bots, and ourselves. A login is believed
//! only when it belongs to the number that we mean.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{As, Client};
use crate::call::CallError;
use crate::domain::{Access, Account, Crowd, Membership, Ourselves, Repository, TeamRef};
use crate::web::escaped;

#[derive(Deserialize)]
struct Named {
    id: u64,
    login: String,
    /// An enterprise server says when it suspended an account.
    #[serde(default)]
    suspended_at: Option<String>,
}

/// Roles that anybody has in a public repository, and who has none in a private one.
const OF_ANYBODY: [&str; 2] = ["none", "read"];

#[derive(Deserialize)]
struct Permission {
    permission: String,
    role_name: String,
    #[serde(default)]
    user: Option<Named>,
}

impl Client {
    /// Whether a person has a role that not everybody has, or belongs to an organization that the repository or one of
    /// these teams is of. The login is what the person was called a moment ago; the answer says whose role it is.
    pub(super) async fn is_acquainted(
        &self,
        repository: &Repository,
        person: &Account,
        crowds: &[Crowd],
    ) -> Result<bool, CallError> {
        let found = self.permission(repository, &person.login).await?;
        let is_theirs = |user: &Named| user.id == person.id;
        if let Some(found) = found
            && found.user.as_ref().is_some_and(is_theirs)
            && !OF_ANYBODY.contains(&found.role_name.as_str())
        {
            return Ok(true);
        }
        let owner = repository.path.split('/').next();
        let teams = crowds.iter().filter_map(|crowd| match crowd {
            Crowd::Team(team) => Some(team.organization()),
            Crowd::Group(_) => None,
        });
        let organizations: BTreeSet<String> = owner
            .into_iter()
            .chain(teams)
            .map(str::to_lowercase)
            .collect();
        for organization in organizations {
            let path = format!(
                "/orgs/{}/members/{}",
                escaped(&organization),
                escaped(&person.login)
            );
            match self.get(As::In(repository), &path).await {
                Ok(_) => return Ok(true),
                // It is no organization, the person is no member, or nobody tells us.
                Err(CallError::Absent(_) | CallError::Never(_)) => {}
                Err(error @ CallError::Later { .. }) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn permission(
        &self,
        repository: &Repository,
        login: &str,
    ) -> Result<Option<Permission>, CallError> {
        let path = format!(
            "/repos/{}/collaborators/{}/permission",
            repository.path,
            escaped(login)
        );
        self.read_maybe(As::In(repository), &path).await
    }

    /// A person's role in a repository; nothing when they have none.
    pub(super) async fn role(
        &self,
        repository: &Repository,
        person: &Account,
    ) -> Result<Option<Access>, CallError> {
        let Some(login) = self.login_of(repository, person).await? else {
            return Ok(None);
        };
        match self.permission(repository, &login).await? {
            None => Ok(None),
            Some(found) if found.user.as_ref().is_some_and(|user| user.id != person.id) => Err(
                CallError::Never(format!("the login {login} belongs to somebody else now")),
            ),
            Some(found) if found.permission == "none" => Ok(None),
            Some(found) => Ok(Some(Access {
                role: found.role_name,
                until: None,
            })),
        }
    }

    /// What a person is called now; nothing where they are suspended. The login that we know may have changed hands.
    async fn login_of(
        &self,
        repository: &Repository,
        person: &Account,
    ) -> Result<Option<String>, CallError> {
        let in_use = |named: Named| named.suspended_at.is_none().then_some(named.login);
        let path = format!("/users/{}", escaped(&person.login));
        let found: Option<Named> = self.read_maybe(As::In(repository), &path).await?;
        if let Some(found) = found
            && found.id == person.id
        {
            return Ok(in_use(found));
        }
        let path = format!("/user/{}", person.id);
        match self.read_maybe::<Named>(As::In(repository), &path).await? {
            Some(found) if found.id == person.id => Ok(in_use(found)),
            Some(_) | None => Err(CallError::Never(format!(
                "GitHub does not know account {} ({}) any more",
                person.id, person.login
            ))),
        }
    }

    pub(super) async fn membership(
        &self,
        repository: &Repository,
        team: &TeamRef,
        person: &Account,
    ) -> Result<Membership, CallError> {
        #[derive(Deserialize)]
        struct State {
            state: String,
        }
        let (organization, slug) = (escaped(team.organization()), escaped(team.slug()));
        let Some(id) = self.team_id(As::In(repository), team).await? else {
            return Err(CallError::Never(format!(
                "GitHub shows no team {team}: may the app read the organization's members?"
            )));
        };
        let Some(login) = self.login_of(repository, person).await? else {
            return Ok(Membership {
                team: id,
                active: false,
                until: None,
            });
        };
        let path = format!(
            "/orgs/{organization}/teams/{slug}/memberships/{}",
            escaped(&login)
        );
        let state: Option<State> = self.read_maybe(As::In(repository), &path).await?;
        Ok(Membership {
            team: id,
            active: state.is_some_and(|found| found.state == "active"),
            until: None,
        })
    }

    pub(super) async fn team_id(
        &self,
        as_: As<'_>,
        team: &TeamRef,
    ) -> Result<Option<u64>, CallError> {
        #[derive(Deserialize)]
        struct Team {
            id: u64,
        }
        let (organization, slug) = (escaped(team.organization()), escaped(team.slug()));
        let path = format!("/orgs/{organization}/teams/{slug}");
        let found: Option<Team> = self.read_maybe(as_, &path).await?;
        Ok(found.map(|team| team.id))
    }

    pub(super) async fn user_id(&self, as_: As<'_>, login: &str) -> Result<Option<u64>, CallError> {
        let path = format!("/users/{}", escaped(login));
        let found: Option<Named> = self.read_maybe(as_, &path).await?;
        Ok(found.map(|user| user.id))
    }

    /// The app whose account reports under this login.
    pub(super) async fn app_behind(
        &self,
        repository: &Repository,
        login: &str,
    ) -> Result<Option<u64>, CallError> {
        #[derive(Deserialize)]
        struct App {
            id: u64,
        }
        let Some(slug) = login.strip_suffix("[bot]") else {
            return Ok(None);
        };
        let path = format!("/apps/{}", escaped(slug));
        let found: Option<App> = self.read_maybe(As::In(repository), &path).await?;
        Ok(found.map(|app| app.id))
    }

    /// Who we are; asked once.
    pub(super) async fn ourselves(&self) -> Result<Ourselves, CallError> {
        self.ourselves
            .get_or_try_init(|| async {
                if self.is_app() {
                    #[derive(Deserialize)]
                    struct App {
                        id: u64,
                        slug: String,
                    }
                    let app: App = self.read(As::Ourselves, "/app").await?;
                    return Ok(Ourselves {
                        app: Some(app.id),
                        login: format!("{}[bot]", app.slug),
                    });
                }
                let user: Named = self.read(As::Ourselves, "/user").await?;
                Ok(Ourselves {
                    app: None,
                    login: user.login,
                })
            })
            .await
            .cloned()
    }
}
