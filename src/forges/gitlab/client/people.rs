//! People: their access to a project, their groups, and ourselves. Numbers are asked for, names never decide.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Client, project};
use crate::call::CallError;
use crate::domain::{
    Access, AccessLevel, Account, Crowd, Forge, GroupPath, Membership, Repository, Somebody,
};
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
    #[serde(default)]
    locked: bool,
    /// Who was invited may wait for an administrator, or for a seat. An older GitLab does not say.
    #[serde(default)]
    membership_state: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
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

/// The account behind something that GitLab saw itself.
pub(super) fn behind(user: Option<User>) -> Somebody {
    user.map_or_else(
        || Somebody::Stranger("somebody".to_owned()),
        |user| Somebody::Known(user.into()),
    )
}

impl Client {
    /// A person's access to a project, by the word for it; nothing where they have none, or are blocked.
    pub(super) async fn role(
        &self,
        repository: &Repository,
        person: &Account,
    ) -> Result<Option<Access>, CallError> {
        let path = format!("{}/members/all/{}", project(repository), person.id);
        let found: Option<Member> = self.read_maybe(&path).await?;
        let Some(member) = found.filter(Member::is_active) else {
            return Ok(None);
        };
        let mut levels = AccessLevel::ALL.into_iter().rev();
        let level = levels.find(|level| member.access_level >= level.number());
        Ok(Some(Access {
            role: level.map_or_else(
                || "less than developer".to_owned(),
                |level| level.to_string(),
            ),
            until: member.until()?,
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
        let member = self.group_member(group, person).await?;
        Ok(member.is_some())
    }

    /// Somebody's active membership in a group.
    async fn group_member(
        &self,
        group: u64,
        person: &Account,
    ) -> Result<Option<Member>, CallError> {
        let path = format!("/groups/{group}/members/all/{}", person.id);
        let found: Option<Member> = self.read_maybe(&path).await?;
        Ok(found.filter(Member::is_active))
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
        let member = self.group_member(id, person).await?;
        Ok(Membership {
            team: id,
            active: member.is_some(),
            until: match member {
                Some(member) => member.until()?,
                None => None,
            },
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
        let joined = self.membership_state.as_deref();
        self.state == "active" && !self.locked && joined.is_none_or(|state| state == "active")
    }

    /// When it ends: GitLab names the first day without it, and takes the person out later.
    fn until(&self) -> Result<Option<Timestamp>, CallError> {
        let Some(day) = &self.expires_at else {
            return Ok(None);
        };
        let begins = day
            .parse::<Date>()
            .and_then(|day| day.to_zoned(TimeZone::UTC));
        match begins {
            Ok(begins) => Ok(Some(begins.timestamp())),
            Err(_) => Err(CallError::Never(
                "GitLab tells of a membership that ends on no day".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_there_now_is_a_member() {
        let check = |more: serde_json::Value, expect: (bool, Option<&str>)| {
            let mut shown = serde_json::json!({ "state": "active", "access_level": 30 });
            for (key, value) in more.as_object().unwrap() {
                shown[key] = value.clone();
            }
            let member: Member = serde_json::from_value(shown).unwrap();
            let until = member.until().ok().flatten().map(|at| at.to_string());
            assert_eq!((member.is_active(), until.as_deref()), expect, "{more}");
        };
        check(serde_json::json!({}), (true, None));
        check(
            serde_json::json!({ "membership_state": "active", "locked": false, "expires_at": null }),
            (true, None),
        );
        check(
            serde_json::json!({ "membership_state": "awaiting" }),
            (false, None),
        );
        check(serde_json::json!({ "locked": true }), (false, None));
        check(serde_json::json!({ "state": "blocked" }), (false, None));
        check(
            serde_json::json!({ "expires_at": "2026-03-02" }),
            (true, Some("2026-03-02T00:00:00Z")),
        );
        let odd = serde_json::json!({
            "state": "active", "access_level": 30, "expires_at": "soon",
        });
        let odd: Member = serde_json::from_value(odd).unwrap();
        assert!(odd.until().is_err());
    }
}
