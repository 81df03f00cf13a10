//! People: their access to a project, their groups, and ourselves. Numbers are asked for, names never decide.

use serde::Deserialize;

use super::{Client, project};
use crate::call::CallError;
use crate::domain::{AccessLevel, Account, Crowd, Forge, GroupPath, Membership, Repository};
use crate::web::escaped;

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) username: String,
}

/// A member of a project or a group, directly or through what it belongs to.
#[derive(Deserialize)]
struct Member {
    state: String,
    access_level: u64,
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            forge: Forge::GitLab,
            id: user.id,
            login: user.username,
        }
    }
}

impl Client {
    /// A person's access to a project, by the word for it; nothing where they have none, or are blocked.
    pub(super) async fn role(
        &self,
        repository: &Repository,
        person: &Account,
    ) -> Result<Option<String>, CallError> {
        let path = format!("{}/members/all/{}", project(repository), person.id);
        let found: Option<Member> = self.read_maybe(&path).await?;
        Ok(found.filter(Member::is_active).map(|member| {
            let mut levels = AccessLevel::ALL.into_iter().rev();
            let level = levels.find(|level| member.access_level >= level.number());
            level.map_or_else(
                || "less than developer".to_owned(),
                |level| level.to_string(),
            )
        }))
    }

    /// Whether a person is a member of the project, or of one of these groups.
    pub(super) async fn is_acquainted(
        &self,
        repository: &Repository,
        person: &Account,
        crowds: &[Crowd],
    ) -> Result<bool, CallError> {
        if self.role(repository, person).await?.is_some() {
            return Ok(true);
        }
        for crowd in crowds {
            // A group that is not shown lets nobody in.
            if let Crowd::Group(group) = crowd
                && let Some(id) = self.group_id(group.as_str()).await?
                && self.member_of(id, person).await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn member_of(&self, group: u64, person: &Account) -> Result<bool, CallError> {
        let path = format!("/groups/{group}/members/all/{}", person.id);
        let found: Option<Member> = self.read_maybe(&path).await?;
        Ok(found.is_some_and(|member| member.is_active()))
    }

    pub(super) async fn membership(
        &self,
        group: &GroupPath,
        person: &Account,
    ) -> Result<Membership, CallError> {
        let Some(id) = self.group_id(group.as_str()).await? else {
            return Err(CallError::Never(format!(
                "GitLab shows no group {group}: may our token read it?"
            )));
        };
        Ok(Membership {
            team: id,
            active: self.member_of(id, person).await?,
        })
    }

    pub(super) async fn group_id(&self, path: &str) -> Result<Option<u64>, CallError> {
        #[derive(Deserialize)]
        struct Group {
            id: u64,
        }
        let path = format!("/groups/{}", escaped(path));
        let found: Option<Group> = self.read_maybe(&path).await?;
        Ok(found.map(|group| group.id))
    }

    pub(super) async fn user_id(&self, name: &str) -> Result<Option<u64>, CallError> {
        let found: Vec<User> = self
            .read(&format!("/users?username={}", escaped(name)))
            .await?;
        let mut named = found
            .iter()
            .filter(|user| user.username.eq_ignore_ascii_case(name));
        Ok(named.next().map(|user| user.id))
    }

    /// Whose token it is; asked once.
    pub(super) async fn ourselves(&self) -> Result<&Account, CallError> {
        self.ourselves
            .get_or_try_init(|| async {
                let user: User = self.read("/user").await?;
                Ok(user.into())
            })
            .await
    }
}

impl Member {
    fn is_active(&self) -> bool {
        self.state == "active"
    }
}
