//! Entries together with what lies aside for them, as people read them.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Dialect, Store, StoreError, Tx};
use super::entries::Stored;
use super::find::list;
use countersign_ledger::{Aside, Shown};

/// How many entries are asked for in one statement.
const MOST: usize = 500;

statements! {
    ASIDES_OF = ["SELECT seq, name, salt, value FROM ledger_private
        WHERE +seq <= $1 AND seq IN (SELECT CAST(value AS BIGINT) FROM" EACH_OF_2 ")"];
}

/// The entries with what lies aside in its place, in their order.
pub async fn shown(store: &Store, entries: &[Stored]) -> Result<Vec<Shown>, StoreError> {
    let mut connection = store.reader().acquire().await?;
    fill(&mut connection, store.dialect(), entries).await
}

/// The same within a transaction.
pub async fn shown_in(tx: &mut Tx, entries: &[Stored]) -> Result<Vec<Shown>, StoreError> {
    let dialect = tx.dialect();
    fill(tx.connection(), dialect, entries).await
}

async fn fill(
    connection: &mut AnyConnection,
    dialect: Dialect,
    entries: &[Stored],
) -> Result<Vec<Shown>, StoreError> {
    let mut shown = Vec::with_capacity(entries.len());
    for some in entries.chunks(MOST) {
        let numbers: Vec<i64> = some.iter().map(|entry| entry.seq).collect();
        let rows = sqlx::query(ASIDES_OF.text(dialect))
            .bind(numbers.iter().max().copied().unwrap_or_default())
            .bind(list(&numbers))
            .fetch_all(&mut *connection)
            .await?;
        let mut asides: BTreeMap<i64, Vec<Aside>> = BTreeMap::new();
        for row in &rows {
            let row = Row::of(row, "ledger_private", "seq");
            asides.entry(row.number("seq")?).or_default().push(Aside {
                name: row.text("name")?,
                salt: row.bytes("salt")?,
                value: row.text("value")?,
            });
        }
        for entry in some {
            let aside = asides.remove(&entry.seq).unwrap_or_default();
            shown.push(
                Shown::of(&entry.body, &aside).map_err(|why| StoreError::Unreadable {
                    table: "ledger_entry",
                    column: "body",
                    row: entry.seq.to_string(),
                    why,
                })?,
            );
        }
    }
    Ok(shown)
}
