//! Entries: what the audit log says about services, as it is listed in an answer.

use jiff::Timestamp;

use crate::domain::{Action, Filter, Noted, Seen, ServiceName};
use crate::store::{StoreError, Tx, ledger};
use countersign_ledger::Shown;

/// Entries of these services; or why they cannot be looked for, which is no reason to try again.
pub(super) async fn noted(
    tx: &mut Tx,
    services: &[ServiceName],
    filter: &Filter,
    most: u32,
) -> Result<Seen, StoreError> {
    match find(tx, services, filter, most).await {
        Ok(entries) => Ok(Seen::Entries(Ok(entries))),
        Err(StoreError::Unsearchable(why)) => Ok(Seen::Entries(Err(why))),
        Err(error @ StoreError::Unreadable { .. }) => Ok(Seen::Entries(Err(error.to_string()))),
        Err(error) => Err(error),
    }
}

async fn find(
    tx: &mut Tx,
    services: &[ServiceName],
    filter: &Filter,
    most: u32,
) -> Result<Vec<Noted>, StoreError> {
    let rows = ledger::find_of(tx, services, filter, most).await?;
    let shown = ledger::shown_in(tx, &rows).await?;
    shown.iter().map(note).collect()
}

fn note(shown: &Shown) -> Result<Noted, StoreError> {
    let unreadable = |why: &str| StoreError::Unreadable {
        table: "ledger_entry",
        column: "body",
        row: shown.seq.to_string(),
        why: why.to_owned(),
    };
    let at: Timestamp = shown
        .frame("at")
        .parse()
        .map_err(|_| unreadable("its time cannot be read"))?;
    let action =
        Action::parse(shown.frame("action")).ok_or_else(|| unreadable("its action is unknown"))?;
    let text = |name: &str| shown.text(name).map(str::to_owned);
    Ok(Noted {
        seq: shown.seq,
        at,
        action,
        service: text("service"),
        environment: text("environment"),
        who: shown.who(),
        sha: text("sha"),
        request: shown.request(),
        why: shown.why(),
    })
}
