//! Logs of any size, laid down past the store, because a test has no time to append so much.

use std::fmt::Write as _;

use countersign::store::Store;
use countersign::store::ledger::{Checkpoint, Tile, entries, record_checkpoint, record_tiles};
use countersign_ground::digest::hex;
use countersign_ledger::{self as ledger, Edge, FullTile};
use sqlx::{AssertSqlSafe, Executor as _};

use super::Database;
use super::database::keys;

const ROWS: u64 = 1_000;

/// The bytes of an entry that was laid down.
pub(crate) fn body(seq: u64) -> Vec<u8> {
    format!("entry {seq}").into_bytes()
}

/// Brings the log from `edge` to `size` entries, with full tiles and a signed head.
pub(crate) async fn lay(database: &Database, store: &Store, edge: &mut Edge, size: u64) {
    let mut connection = database.direct().await;
    let is_postgres = database.url.starts_with("postgres");
    let bytes = |bytes: &[u8]| {
        let digits = hex(bytes);
        if is_postgres {
            format!("'\\x{digits}'")
        } else {
            format!("X'{digits}'")
        }
    };
    let mut full = Vec::new();
    connection
        .execute(AssertSqlSafe("BEGIN".to_owned()))
        .await
        .unwrap();
    while edge.size() < size {
        let mut sql =
            "INSERT INTO ledger_entry (seq, at, action, outcome, about, body, leaf) VALUES "
                .to_owned();
        let first = edge.size() + 1;
        for seq in first..=size.min(edge.size() + ROWS) {
            let (body, leaf) = (body(seq), ledger::leaf(&body(seq)));
            let joint = if seq == first { "" } else { "," };
            let (body, spelled) = (bytes(&body), bytes(&leaf));
            write!(
                sql,
                "{joint}({seq}, 0, 'answered', 'allowed', '', {body}, {spelled})"
            )
            .unwrap();
            edge.push(leaf, |tile| full.push(tile));
        }
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let head = format!("UPDATE ledger_head SET size = {size}");
    connection.execute(AssertSqlSafe(head)).await.unwrap();
    connection
        .execute(AssertSqlSafe("COMMIT".to_owned()))
        .await
        .unwrap();
    record(store, edge, full).await;
}

/// Signs the log as it is, from the bytes of its entries.
pub(crate) async fn sign(store: &Store) {
    let mut edge = Edge::default();
    let mut full = Vec::new();
    for entry in entries(store, 0, 10_000).await.unwrap() {
        edge.push(ledger::leaf(&entry.body), |tile| full.push(tile));
    }
    record(store, &edge, full).await;
}

async fn record(store: &Store, edge: &Edge, full: Vec<FullTile>) {
    let tiles: Vec<Tile> = full
        .into_iter()
        .map(|tile| Tile {
            level: i64::try_from(tile.level).unwrap(),
            n: i64::try_from(tile.n).unwrap(),
            hashes: tile.hashes,
            root: tile.root.to_vec(),
        })
        .collect();
    let head = Checkpoint {
        size: i64::try_from(edge.size()).unwrap(),
        root: edge.root().to_vec(),
        note: keys().sign_head(edge.size(), edge.root()).unwrap(),
    };
    store
        .unit(move |tx| {
            let (tiles, head) = (tiles.clone(), head.clone());
            Box::pin(async move {
                record_tiles(tx, &tiles).await?;
                record_checkpoint(tx, &head).await
            })
        })
        .await
        .unwrap();
}
