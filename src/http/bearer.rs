//! Bearers: who may read: the bearer of a token that is in force and has the scope. Only the hash of what was shown
//! leaves this file, and what was shown is never logged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

use super::answer::Problem;
use crate::domain::Scope;
use crate::store::{Store, tokens};

const MISSING: &str = "Bearer realm=\"countersign\"";
const WRONG: &str = "Bearer realm=\"countersign\", error=\"invalid_token\"";
const LACKING: &str = "Bearer realm=\"countersign\", error=\"insufficient_scope\"";

/// Knows which tokens were used a moment ago, so that it is not written down at every request.
#[derive(Clone, Debug, Default)]
pub(super) struct Bearers {
    used: Arc<Mutex<BTreeMap<i64, Timestamp>>>,
}

/// A token as it was shown, by its hash.
#[derive(Debug)]
pub(super) struct Shown(String);

/// Looks for a token. What cannot be one is turned away before the database is asked.
pub(super) fn shown(headers: &HeaderMap) -> Result<Shown, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "a token is needed: `Authorization: Bearer cst_...`; `countersign token create` makes one",
        )
        .with(header::WWW_AUTHENTICATE, MISSING));
    };
    let is_alone = values.next().is_none();
    value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| is_alone && scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| is_token(token))
        .map(|token| Shown(tokens::hash(token)))
        .ok_or_else(wrong)
}

impl Bearers {
    /// Whether the bearer may read this now.
    pub(super) async fn admit(
        &self,
        store: &Store,
        shown: &Shown,
        scope: Scope,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let token = tokens::of_hash(store, &shown.0)
            .await?
            .filter(|token| token.is_in_force(now))
            .ok_or_else(wrong)?;
        if self.is_first_use(token.id, token.last_used_at, now) {
            let (store, id) = (store.clone(), token.id);
            tokio::spawn(async move {
                let noted = store
                    .unit(move |tx| Box::pin(async move { tokens::used(tx, id, now).await }))
                    .await;
                if let Err(error) = noted {
                    tracing::warn!(error = %error, token = id, "the use of a token could not be noted");
                }
            });
        }
        if token.scopes.contains(&scope) {
            Ok(())
        } else {
            let sentence = format!("this token is not for that: it lacks the scope `{scope}`");
            Err(Problem::new(StatusCode::FORBIDDEN, sentence)
                .with(header::WWW_AUTHENTICATE, LACKING))
        }
    }

    /// Whether this use is worth a note.
    fn is_first_use(&self, id: i64, noted: Option<Timestamp>, now: Timestamp) -> bool {
        let is_long_ago = |last: Timestamp| {
            let passed = now.duration_since(last);
            passed.is_negative() || passed.unsigned_abs() >= tokens::USED_AGAIN
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first =
            noted.is_none_or(is_long_ago) && used.get(&id).is_none_or(|last| is_long_ago(*last));
        if is_first {
            used.insert(id, now);
        }
        is_first
    }
}

fn is_token(text: &str) -> bool {
    text.strip_prefix("cst_").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn wrong() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "this token is unknown, has ended, or was revoked",
    )
    .with(header::WWW_AUTHENTICATE, WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_token_is_looked_for() {
        let token = format!("cst_{}", "0f".repeat(32));
        for (values, expect) in [
            (vec![format!("Bearer {token}")], true),
            (vec![format!("bearer  {token} ")], true),
            (vec![], false),
            (vec![String::new()], false),
            (vec!["Bearer".to_owned()], false),
            (vec!["Bearer ".to_owned()], false),
            (vec![format!("Basic {token}")], false),
            (vec![token.clone()], false),
            (vec![format!("Bearer {token}0")], false),
            (vec![format!("Bearer {}", "0f".repeat(34))], false),
            (vec![format!("Bearer cst_{}", "é".repeat(32))], false),
            (vec![format!("Bearer {token}"); 2], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append(header::AUTHORIZATION, value);
            }
            let found = shown(&headers);
            assert_eq!(found.is_ok(), expect, "{values:?}");
            if let Ok(Shown(hash)) = found {
                assert_eq!(hash, tokens::hash(&token));
            }
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let bearers = Bearers::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(bearers.is_first_use(1, None, at(1000)));
        assert!(!bearers.is_first_use(1, None, at(1059)));
        assert!(bearers.is_first_use(2, Some(at(900)), at(1000)));
        assert!(!bearers.is_first_use(3, Some(at(990)), at(1000)));
        assert!(bearers.is_first_use(1, Some(at(1000)), at(1060)));
    }
}
