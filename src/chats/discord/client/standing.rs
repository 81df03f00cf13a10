//! Our standing with Discord: which application the token belongs to, and what its bot may do in a channel.
//! Asked by people who look for mistakes, never by the service at work.

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{As, Call, Client, UNKNOWN_CHANNEL};
use crate::call::CallError;

const ADMINISTRATOR: u64 = 1 << 3;
const MISSING_ACCESS: u64 = 50_001;

/// The application as Discord knows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Application {
    pub id: String,
    /// In hexadecimal digits.
    pub verify_key: String,
    #[serde(default)]
    pub interactions_endpoint_url: Option<String>,
}

/// A channel that the bot sees.
#[derive(Clone, Debug)]
pub struct Room {
    /// The server that it belongs to; none for direct messages.
    pub guild: Option<String>,
    /// What the bot may do there, as Discord's bits.
    pub rights: u64,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    guild_id: Option<String>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
}

/// What a channel gives and takes, for a role or for one member.
#[derive(Deserialize)]
struct Overwrite {
    id: String,
    allow: String,
    deny: String,
}

#[derive(Deserialize)]
struct Guild {
    owner_id: String,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    id: String,
    permissions: String,
}

#[derive(Deserialize)]
struct Member {
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

impl Client {
    /// The application that the token belongs to.
    pub async fn application(&self) -> Result<Application, CallError> {
        self.look("/applications/@me").await
    }

    /// A channel, and what the bot may do there; nothing where it does not see it.
    pub async fn room(&self, channel: u64) -> Result<Option<Room>, CallError> {
        let path = format!("/channels/{channel}");
        let heard = self.call(question(&path)).await?;
        if matches!(heard.refusal.code, UNKNOWN_CHANNEL | MISSING_ACCESS) {
            return Ok(None);
        }
        let channel: Channel = read(&heard.judged()?.body)?;
        let Some(id) = channel.guild_id.clone() else {
            return Ok(Some(Room {
                guild: None,
                rights: 0,
            }));
        };
        let guild: Guild = self.look(&format!("/guilds/{id}")).await?;
        let us: User = self.look("/users/@me").await?;
        let member: Member = self
            .look(&format!("/guilds/{id}/members/{}", us.id))
            .await?;
        let rights = rights(
            (&id, &guild),
            (&us.id, &member),
            &channel.permission_overwrites,
        );
        Ok(Some(Room {
            guild: Some(id),
            rights,
        }))
    }

    async fn look<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, CallError> {
        let heard = self.call(question(path)).await?.judged()?;
        read(&heard.body)
    }
}

fn question(path: &str) -> Call<'_> {
    Call {
        method: Method::GET,
        path: path.to_owned(),
        route: format!("GET {path}"),
        body: &Value::Null,
        speaker: As::Bot,
    }
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Later {
        why: format!("Discord's answer makes no sense: {error}"),
        wait: None,
    })
}

/// What a member may do in a channel: what the roles give, then what the channel takes and gives to
/// `@everyone`, to the member's roles together, and to the member alone.
fn rights(
    (guild_id, guild): (&str, &Guild),
    (user, member): (&str, &Member),
    overwrites: &[Overwrite],
) -> u64 {
    let has = |role: &str| role == guild_id || member.roles.iter().any(|own| own == role);
    let roles = guild.roles.iter().filter(|role| has(&role.id));
    let base = roles.fold(0, |sum, role| sum | bits(&role.permissions));
    if base & ADMINISTRATOR != 0 || guild.owner_id == user {
        return u64::MAX;
    }
    let changed = |before: u64, concerns: &dyn Fn(&str) -> bool| {
        let mut allow = 0;
        let mut deny = 0;
        for one in overwrites.iter().filter(|one| concerns(&one.id)) {
            allow |= bits(&one.allow);
            deny |= bits(&one.deny);
        }
        (before & !deny) | allow
    };
    let everybody = changed(base, &|id| id == guild_id);
    let by_roles = changed(everybody, &|id| id != guild_id && has(id));
    changed(by_roles, &|id| id == user)
}

fn bits(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overwrite(id: &str, allow: u64, deny: u64) -> Overwrite {
        Overwrite {
            id: id.to_owned(),
            allow: allow.to_string(),
            deny: deny.to_string(),
        }
    }

    #[test]
    fn a_channel_changes_what_roles_give() {
        let role = |id: &str, permissions: u64| Role {
            id: id.to_owned(),
            permissions: permissions.to_string(),
        };
        let guild = Guild {
            owner_id: "1".to_owned(),
            roles: vec![
                role("9", 0b0001),
                role("7", 0b0010),
                role("8", 0b1_0000_0000),
            ],
        };
        let member = Member {
            roles: vec!["7".to_owned()],
        };
        let check = |overwrites: &[Overwrite], expect: u64| {
            assert_eq!(rights(("9", &guild), ("5", &member), overwrites), expect);
        };
        check(&[], 0b0011);
        // `@everyone` loses it, the role gets it back, the member loses it again.
        check(&[overwrite("9", 0, 0b0001)], 0b0010);
        check(
            &[overwrite("9", 0, 0b0001), overwrite("7", 0b0001, 0)],
            0b0011,
        );
        check(
            &[overwrite("7", 0b0001, 0), overwrite("5", 0, 0b0001)],
            0b0010,
        );
        // Roles that the member does not have mean nothing.
        check(&[overwrite("8", 0b1000, 0b0011)], 0b0011);
    }

    #[test]
    fn administrators_and_owners_may_do_everything() {
        let guild = |owner: &str, permissions: u64| Guild {
            owner_id: owner.to_owned(),
            roles: vec![Role {
                id: "9".to_owned(),
                permissions: permissions.to_string(),
            }],
        };
        let member = Member { roles: Vec::new() };
        let nothing = [overwrite("9", 0, u64::MAX)];
        let all = rights(("9", &guild("1", ADMINISTRATOR)), ("5", &member), &nothing);
        assert_eq!(all, u64::MAX);
        let all = rights(("9", &guild("5", 0)), ("5", &member), &nothing);
        assert_eq!(all, u64::MAX);
    }
}
