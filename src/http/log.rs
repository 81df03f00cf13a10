//! `/log/`: the audit log as C2SP's tlog-tiles, for auditors. What the latest signed head does not cover is not there.
//! Hashes are for all; entries name services and people, and need a token.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri, header};

use super::answer::Problem;
use super::bearer;
use super::routes::Doorway;
use crate::domain::Scope;
use crate::store::{Store, ledger};
use countersign_ledger::{Kind, TilePath, encode_bundle};

/// A head is replaced by the next one.
const BRIEFLY: &str = "public, max-age=2";
/// A tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Nor do entries, but a cache that others share must not keep them.
const FOR_EVER_ALONE: &str = "private, max-age=31536000, immutable";

/// The latest signed head, with the signatures of the witnesses that have seen it.
pub(super) async fn checkpoint(State(doorway): State<Arc<Doorway>>) -> Response {
    let store = doorway.readiness.store.clone();
    let reading = async move {
        Ok(match ledger::last_checkpoint(&store).await? {
            Some(head) => Some(ledger::witness::cosigned(&store, head).await?),
            None => None,
        })
    };
    match doorway.log_turns.take(reading).await {
        Ok(Some(note)) => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, BRIEFLY),
            ];
            (headers, note).into_response()
        }
        Ok(None) => Problem::new(
            StatusCode::NOT_FOUND,
            "no head of the log has been signed yet",
        )
        .into_text(),
        Err(problem) => problem.into_text(),
    }
}

/// A tile of hashes, or a bundle of entries.
pub(super) async fn tile(
    State(doorway): State<Arc<Doorway>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match read(&doorway, &headers, uri.path()).await {
        Ok((kind, bytes)) => {
            let cache = match kind {
                Kind::Hashes { .. } => FOR_EVER,
                Kind::Entries => FOR_EVER_ALONE,
            };
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, cache),
            ];
            (headers, bytes).into_response()
        }
        Err(problem) => problem.into_text(),
    }
}

async fn read(
    doorway: &Doorway,
    headers: &HeaderMap,
    path: &str,
) -> Result<(Kind, Vec<u8>), Problem> {
    let tile = path
        .strip_prefix("/log/tile/")
        .and_then(TilePath::parse)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "this is not the path of a tile"))?;
    let shown = match tile.kind {
        Kind::Hashes { .. } => None,
        Kind::Entries => Some(bearer::shown(headers)?),
    };
    let (store, bearers) = (doorway.readiness.store.clone(), doorway.bearers.clone());
    let now = doorway.clock.now();
    let reading = async move {
        if let Some(shown) = shown {
            bearers.admit(&store, &shown, Scope::Log, now).await?;
        }
        bytes(&store, tile).await
    };
    let bytes = doorway.log_turns.take(reading).await?;
    Ok((tile.kind, bytes))
}

async fn bytes(store: &Store, tile: TilePath) -> Result<Vec<u8>, Problem> {
    let head = ledger::last_checkpoint(store).await?;
    let size = head.map_or(0, |head| u64::try_from(head.size).unwrap_or(0));
    let n = i64::try_from(tile.n).ok();
    let Some(n) = n.filter(|_| tile.width <= tile.filled(size)) else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("the signed log has {size} entries and does not reach that far"),
        ));
    };
    let bytes = match tile.kind {
        Kind::Hashes { level } => ledger::hash_tile(store, level.into(), n, tile.width).await?,
        Kind::Entries => ledger::bundle(store, n, tile.width)
            .await?
            .and_then(|entries| encode_bundle(entries.iter().map(Vec::as_slice))),
    };
    bytes.ok_or_else(|| {
        tracing::error!(
            tile = tile.spelled(),
            size,
            "the database lacks a part of the signed log"
        );
        Problem::broken()
    })
}
