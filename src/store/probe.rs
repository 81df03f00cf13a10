//! The probe asks the database how it is: can it be written, is the schema ours, what waits longest.

use std::time::Duration;

use jiff::Timestamp;

use super::statement::statements;
use super::{Store, StoreError, inbox, inbox_door, migrate, outbox, statement};

statements! {
    WRITE = ["INSERT INTO lease (name, holder, fence, lease_until) VALUES ('probe', '', 1, 0)
        ON CONFLICT (name) DO UPDATE SET fence = lease.fence + 1"];
}

/// What `/readyz` wants to know of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub oldest_unhandled: Option<Timestamp>,
    pub parked_effects: i64,
    pub parked_deliveries: i64,
}

impl Store {
    /// Writes something durable, checks the schema, and looks at what waits.
    pub async fn probe(&self, limit: Duration) -> Result<Health, StoreError> {
        let probing = async {
            self.unit(|tx| {
                Box::pin(async move {
                    sqlx::query(tx.sql(&WRITE)).execute(tx.connection()).await?;
                    Ok(())
                })
            })
            .await?;
            migrate::check(self).await?;
            let (parked_effects, parked_deliveries) = self.set_aside().await?;
            Ok(Health {
                oldest_unhandled: inbox::oldest(self).await?,
                parked_effects,
                parked_deliveries,
            })
        };
        tokio::time::timeout(limit, probing)
            .await
            .unwrap_or(Err(StoreError::Stopped))
    }

    /// How many effects and how many deliveries were set aside and wait for a person.
    pub async fn set_aside(&self) -> Result<(i64, i64), StoreError> {
        let effects = outbox::parked(self).await?;
        Ok((effects, inbox::count_set_aside(self).await?))
    }

    /// Prepares every statement, so that a schema that does not fit is found at the start and not in
    /// the middle of a deploy. Returns how many there are.
    pub async fn prepare_every_statement(&self) -> Result<usize, StoreError> {
        use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

        let mut connection = self.writer().acquire().await?;
        let constants = statement::every_statement()
            .map(|statement| (statement.name, statement.text(self.dialect()).to_owned()));
        let grown = inbox_door::grown_texts().map(|text| ("grown insert", text));
        let mut prepared = 0;
        for (name, text) in constants.chain(grown) {
            connection
                .prepare(AssertSqlSafe(text).into_sql_str())
                .await
                .map_err(|error| {
                    StoreError::Unusable(format!(
                        "statement {name} does not fit the schema: {error}"
                    ))
                })?;
            prepared += 1;
        }
        Ok(prepared)
    }
}
