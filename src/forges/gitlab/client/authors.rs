//! Authors: the accounts behind commits. Git knows addresses only, so GitLab is asked whose they are; an
//! address that no account shows, and a private one of no account, belongs to a stranger.

use std::sync::PoisonError;

use serde::Deserialize;

use super::Client;
use super::people::User;
use crate::call::CallError;
use crate::domain::Account;
use crate::web::escaped;

/// So many addresses are remembered.
const KEPT: usize = 4_096;
/// Of so many that a search finds, one may be meant.
const LIKELY: usize = 5;

impl Client {
    /// The account behind an address, if GitLab shows one.
    pub(super) async fn author(&self, email: &str) -> Result<Option<Account>, CallError> {
        let key = email.to_ascii_lowercase();
        if let Some(known) = self.known_author(&key) {
            return Ok(Some(known));
        }
        let account = match private_address(email, &self.private_emails) {
            Some(id) => self.read_maybe(&format!("/users/{id}")).await?,
            None => self.found_by(email).await?,
        };
        let Some(account) = account.map(Account::from) else {
            return Ok(None);
        };
        let mut authors = self.authors.lock().unwrap_or_else(PoisonError::into_inner);
        if authors.len() >= KEPT {
            authors.clear();
        }
        authors.insert(key, account.clone());
        Ok(Some(account))
    }

    /// The account whose page shows an address.
    async fn found_by(&self, email: &str) -> Result<Option<User>, CallError> {
        let path = format!("/users?search={}", escaped(email));
        let found: Vec<User> = self.read(&path).await?;
        let mut account = None;
        for user in found.into_iter().take(LIKELY) {
            // Names are searched, too, and people choose their own.
            if self.shows(&user, email).await? {
                account = Some(user);
            }
        }
        Ok(account)
    }

    /// Whether the user's page shows this address.
    async fn shows(&self, user: &User, email: &str) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            public_email: Option<String>,
            #[serde(default)]
            commit_email: Option<String>,
        }
        let page: Option<Page> = self.read_maybe(&format!("/users/{}", user.id)).await?;
        let shown = page.map(|page| [page.public_email, page.commit_email]);
        let mut shown = shown.into_iter().flatten().flatten();
        Ok(shown.any(|shown| shown.eq_ignore_ascii_case(email)))
    }

    fn known_author(&self, key: &str) -> Option<Account> {
        let authors = self.authors.lock().unwrap_or_else(PoisonError::into_inner);
        authors.get(key).cloned()
    }
}

/// GitLab's own addresses hold the account's number, and whatever name it had then: `7-ann@users.noreply.gitlab.com`.
fn private_address(email: &str, own: &str) -> Option<u64> {
    let (local, host) = email.split_once('@')?;
    let (id, _) = local.split_once('-')?;
    let is_own = !own.is_empty() && host.eq_ignore_ascii_case(own);
    id.parse().ok().filter(|_| is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_gitlab_holds_the_number() {
        let check = |email: &str, expect: Option<u64>| {
            let found = private_address(email, "users.noreply.gitlab.com");
            assert_eq!(found, expect, "{email}");
        };
        check("7-ann@users.noreply.gitlab.com", Some(7));
        check("7-ann-b@Users.NoReply.GitLab.com", Some(7));
        check("7-ann@users.noreply.git.acme.example", None);
        check("7-ann@gitlab.com", None);
        check("ann@users.noreply.gitlab.com", None);
        check("x-ann@users.noreply.gitlab.com", None);
        assert_eq!(private_address("7-ann@", ""), None);
    }
}
