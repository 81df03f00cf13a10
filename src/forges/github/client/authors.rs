//! Authors: the accounts behind commits, as far as GitHub knows them.

use serde::Deserialize;

use super::Client;
use crate::domain::{Account, Commit, Credit, Forge, Part, Sha, Somebody};
use crate::forges::co_authors::co_authors;
use crate::forges::github::payload::User;

/// The account and the address of whatever GitHub commits by itself.
const WEB_FLOW: &str = "web-flow";
const NO_REPLY: &str = "noreply@github.com";

#[derive(Deserialize)]
pub(super) struct RawCommit {
    sha: Sha,
    commit: Written,
    #[serde(default)]
    author: Option<MaybeUser>,
    #[serde(default)]
    committer: Option<MaybeUser>,
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: Sha,
}

/// GitHub answers with an empty object where there is no account.
#[derive(Deserialize)]
#[serde(untagged)]
enum MaybeUser {
    User(User),
    Nobody {},
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    message: String,
    #[serde(default)]
    author: Option<Signature>,
    #[serde(default)]
    committer: Option<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

impl Client {
    /// The commit with the accounts of its people.
    pub(super) fn known(&self, raw: RawCommit) -> Commit {
        let mut credits = Vec::new();
        let (author, is_forge) = self.signed(raw.author, raw.commit.author);
        // Anybody can write the address that is GitHub's own.
        let who = match author {
            Somebody::Known(account) if is_forge => Somebody::Stranger(account.login),
            known @ (Somebody::Known(_) | Somebody::Stranger(_)) => known,
        };
        credits.push(Credit {
            part: Part::Author,
            who,
        });
        let (committer, is_forge) = self.signed(raw.committer, raw.commit.committer);
        if !is_forge {
            credits.push(Credit {
                part: Part::Committer,
                who: committer,
            });
        }
        for (name, email) in co_authors(&raw.commit.message) {
            let account = private_address(email, &self.private_emails);
            let who = account.map_or_else(
                || Somebody::Stranger(format!("{name} <{email}>")),
                Somebody::Known,
            );
            credits.push(Credit {
                part: Part::CoAuthor,
                who,
            });
        }
        let title = raw.commit.message.lines().next().unwrap_or_default();
        Commit {
            sha: raw.sha,
            title: title.chars().take(200).collect(),
            credits,
            parents: raw.parents.into_iter().map(|parent| parent.sha).collect(),
        }
    }

    /// Who signed, and whether that is GitHub itself; an enterprise server has an address of its own.
    fn signed(&self, user: Option<MaybeUser>, signature: Option<Signature>) -> (Somebody, bool) {
        let (name, email) = signature.map_or((None, None), |it| (it.name, it.email));
        let host = self.private_emails.strip_prefix("users.noreply.");
        let is_own = |email: &str| {
            let at = email.strip_prefix("noreply@");
            email == NO_REPLY || at.is_some_and(|at| Some(at) == host)
        };
        let user = match user {
            Some(MaybeUser::User(user)) => Some(user),
            Some(MaybeUser::Nobody {}) | None => None,
        };
        let is_forge = email.as_deref().is_some_and(is_own)
            || user.as_ref().is_some_and(|user| user.login == WEB_FLOW);
        let who = match user {
            Some(user) => behind(Some(user)),
            None => Somebody::Stranger(name.unwrap_or_else(|| "somebody".to_owned())),
        };
        (who, is_forge)
    }
}

/// The account behind something that GitHub saw itself.
pub(super) fn behind(user: Option<User>) -> Somebody {
    match user {
        Some(user) => Somebody::Known(Account {
            forge: Forge::GitHub,
            id: user.id.0,
            login: user.login,
        }),
        None => Somebody::Stranger("somebody".to_owned()),
    }
}

/// GitHub's own addresses hold the account's number. The older ones hold a login only, which may be somebody else's by now.
fn private_address(email: &str, own: &str) -> Option<Account> {
    let (local, host) = email.split_once('@')?;
    let (id, login) = local.split_once('+')?;
    let is_own = !own.is_empty() && host.eq_ignore_ascii_case(own);
    Some(Account {
        forge: Forge::GitHub,
        id: id.parse().ok().filter(|_| is_own)?,
        login: login.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forges::github::client::{DEADLINE, Identity};

    #[test]
    fn an_address_of_github_holds_the_number() {
        let check = |email: &str, expect: Option<(u64, &str)>| {
            let found = private_address(email, "users.noreply.github.com");
            let found = found.as_ref().map(|one| (one.id, one.login.as_str()));
            assert_eq!(found, expect, "{email}");
        };
        check("5+ann@users.noreply.github.com", Some((5, "ann")));
        check("5+ann@Users.NoReply.GitHub.com", Some((5, "ann")));
        check("ann@users.noreply.github.com", None);
        check("5+ann@users.noreply.git.example", None);
        check("5+ann@example.com", None);
        check("bob@example.com", None);
        check("", None);
        assert_eq!(private_address("5+ann@", ""), None);
    }

    #[tokio::test]
    async fn a_commit_names_people_and_strangers() {
        let client = Client::new(
            "http://127.0.0.1:1",
            Identity::Token("x".to_owned()),
            DEADLINE,
        );
        let client = client
            .unwrap()
            .with_private_emails("users.noreply.github.com");
        let check = |author: serde_json::Value, committer: serde_json::Value, expect: &[&str]| {
            let signed = |person: &serde_json::Value| serde_json::json!({ "name": "Name", "email": person["email"] });
            let message = "Fix\n\nCo-authored-by: Ann <5+ann@users.noreply.github.com>\n\
                co-authored-by: Bob <bob@example.com>\nSigned-off-by: Cid <cid@example.com>\n\
                Co-authored-by: nobody";
            let raw: RawCommit = serde_json::from_value(serde_json::json!({
                "sha": "a".repeat(40),
                "commit": {
                    "message": message, "author": signed(&author), "committer": signed(&committer),
                },
                "author": author["user"], "committer": committer["user"],
            }))
            .unwrap();
            let shown: Vec<String> = client
                .known(raw)
                .credits
                .iter()
                .map(|credit| match &credit.who {
                    Somebody::Known(account) => format!("{:?} {}", credit.part, account.id),
                    Somebody::Stranger(name) => format!("{:?} {name}", credit.part),
                })
                .collect();
            let rest = ["CoAuthor 5", "CoAuthor Bob <bob@example.com>"];
            assert_eq!(shown, [expect, &rest].concat());
        };
        let person = |email: &str, user: serde_json::Value| serde_json::json!({ "email": email, "user": user });
        let ann = person(
            "a@b.example",
            serde_json::json!({ "id": 5, "login": "ann" }),
        );
        let web = person(NO_REPLY, serde_json::json!({ "id": 9, "login": WEB_FLOW }));
        let unlinked = person(NO_REPLY, serde_json::Value::Null);
        let empty = person("x@y.example", serde_json::json!({}));
        check(ann.clone(), ann.clone(), &["Author 5", "Committer 5"]);
        check(ann.clone(), web.clone(), &["Author 5"]);
        check(ann, unlinked.clone(), &["Author 5"]);
        check(web.clone(), web, &["Author web-flow"]);
        check(unlinked.clone(), unlinked, &["Author Name"]);
        check(empty.clone(), empty, &["Author Name", "Committer Name"]);
    }
}
