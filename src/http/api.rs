//! `/api/v1/audit`: questions to the audit log from programs that bear a token. Who may ask is settled
//! before it is looked at what is asked; a parameter that means nothing is refused by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::{Problem, json_of};
use super::bearer;
use super::routes::Doorway;
use crate::domain::{Filter, Scope};
use crate::store::{Store, ledger};
use countersign_ledger::Shown;

const AUDIT: &str = "/api/v1/audit/";
const REQUESTS: &str = "/api/v1/audit/requests/";
/// Entries of a page, unless asked for otherwise.
const USUAL: u32 = 50;
const MOST: u32 = 200;

/// A page that a program asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    filter: Filter,
    /// Only entries with a lower number.
    before: Option<i64>,
    limit: u32,
}

/// The newest entries that pass the filters.
pub(super) async fn search(
    State(doorway): State<Arc<Doorway>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let now = doorway.clock.now();
    let reading = async move |store: Store| page(&store, Wanted::parse(&uri, now)?).await;
    answer(&doorway, &headers, now, reading).await
}

/// One entry.
pub(super) async fn one(
    State(doorway): State<Arc<Doorway>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let reading = async move |store: Store| {
        let seq = number(&uri, AUDIT, "an entry")?;
        let found = ledger::one(&store, seq).await?;
        let shown = ledger::shown(&store, found.as_slice()).await?;
        shown
            .first()
            .map(entry)
            .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no entry {seq}")))
    };
    answer(&doorway, &headers, doorway.clock.now(), reading).await
}

/// Everything about a request, from its beginning.
pub(super) async fn of_request(
    State(doorway): State<Arc<Doorway>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let reading = async move |store: Store| {
        let request = number(&uri, REQUESTS, "a request")?;
        let found = ledger::of_request(&store, request).await?;
        if found.is_empty() {
            let sentence = format!("nothing is recorded about a request {request}");
            return Err(Problem::new(StatusCode::NOT_FOUND, sentence));
        }
        let shown = ledger::shown(&store, &found).await?;
        Ok(json!({ "entries": shown.iter().map(entry).collect::<Vec<_>>() }))
    };
    answer(&doorway, &headers, doorway.clock.now(), reading).await
}

/// Lets bearers of a token read, a few at once.
async fn answer<R, F>(
    doorway: &Doorway,
    headers: &HeaderMap,
    now: Timestamp,
    reading: R,
) -> Response
where
    R: FnOnce(Store) -> F + Send + 'static,
    F: Future<Output = Result<Value, Problem>> + Send,
{
    let shown = match bearer::shown(headers) {
        Ok(shown) => shown,
        Err(problem) => return problem.into_json(),
    };
    let (store, bearers) = (doorway.readiness.store.clone(), doorway.bearers.clone());
    let admitted = async move {
        bearers.admit(&store, &shown, Scope::Audit, now).await?;
        reading(store).await
    };
    match doorway.audit_turns.take(admitted).await {
        Ok(value) => json_of(StatusCode::OK, value.to_string()),
        Err(problem) => problem.into_json(),
    }
}

async fn page(store: &Store, wanted: Wanted) -> Result<Value, Problem> {
    let most = wanted.limit as usize;
    // One more tells whether there is another page.
    let mut found = ledger::find(store, &wanted.filter, wanted.before, wanted.limit + 1).await?;
    let goes_on = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| goes_on).map(|last| last.seq);
    let shown = ledger::shown(store, &found).await?;
    let entries: Vec<Value> = shown.iter().map(entry).collect();
    Ok(json!({ "entries": entries, "next": next }))
}

fn entry(shown: &Shown) -> Value {
    json!({ "seq": shown.seq, "entry": shown.entry, "erased": shown.erased })
}

impl Wanted {
    fn parse(uri: &Uri, now: Timestamp) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| {
            refused("the query cannot be read; write it like `?service=shop&limit=50`")
        })?;
        let mut wanted = Self {
            filter: Filter::default(),
            before: None,
            limit: USUAL,
        };
        let mut seen = BTreeSet::new();
        for (key, value) in &pairs {
            if !seen.insert(key) {
                return Err(refused(format!("`{key}` is given twice")));
            }
            match key.as_str() {
                "limit" => {
                    let limit = value.parse().ok();
                    wanted.limit = limit
                        .filter(|limit| (1..=MOST).contains(limit))
                        .ok_or_else(|| refused(format!("`limit` is a number from 1 to {MOST}")))?;
                }
                "before" => {
                    let before = value.parse().ok().filter(|before| *before > 0);
                    wanted.before = Some(before.ok_or_else(|| {
                        refused("`before` is the number of an entry, as `next` gave it")
                    })?);
                }
                _ => wanted.filter.set(key, value, now).map_err(|why| {
                    let is_known = Filter::keys().any(|known| known == key);
                    refused(if is_known {
                        format!("`{key}`: {why}")
                    } else {
                        format!("{why}, before, limit")
                    })
                })?,
            }
        }
        Ok(wanted)
    }
}

/// The number at the end of a path.
fn number(uri: &Uri, before: &str, called: &str) -> Result<i64, Problem> {
    let digits = uri.path().strip_prefix(before).unwrap_or_default();
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|number| is_plain && *number > 0)
        .ok_or_else(|| {
            refused(format!(
                "this is not the number of {called}; write it like `{before}42`"
            ))
        })
}

fn refused(sentence: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, sentence)
}
