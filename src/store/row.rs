//! Rows, whose columns become values. An error names table, column and row, so that an operator can look at it.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::StoreError;

/// A row together with what an error should call it.
pub(super) struct Row<'r> {
    row: &'r AnyRow,
    table: &'static str,
    key: String,
}

impl<'r> Row<'r> {
    /// `key` is the column that names the row.
    pub(super) fn of(row: &'r AnyRow, table: &'static str, key: &'static str) -> Self {
        let key = row
            .try_get::<i64, _>(key)
            .map(|number| number.to_string())
            .or_else(|_| row.try_get::<String, _>(key))
            .unwrap_or_else(|_| "?".to_owned());
        Self { row, table, key }
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(super) fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(super) fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(super) fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(super) fn bytes(&self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.get(column)
    }

    pub(super) fn maybe_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(column)
    }

    /// A number that cannot be negative.
    pub(super) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        let number = self.number(column)?;
        u64::try_from(number).map_err(|_| self.unreadable(column, format!("{number} is negative")))
    }

    pub(super) fn maybe_count(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        match self.get::<Option<i64>>(column)? {
            Some(_) => self.count(column).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        let micros = self.number(column)?;
        Timestamp::from_microsecond(micros)
            .map_err(|_| self.unreadable(column, format!("{micros} is not a time")))
    }

    pub(super) fn maybe_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        match self.get::<Option<i64>>(column)? {
            Some(_) => self.time(column).map(Some),
            None => Ok(None),
        }
    }

    /// A body as `inbox_door` packed it.
    pub(super) fn body(
        &self,
        column: &'static str,
        size: &'static str,
    ) -> Result<Vec<u8>, StoreError> {
        let packed = self.bytes(column)?;
        let size = usize::try_from(self.number(size)?)
            .map_err(|_| self.unreadable(size, "not a size".to_owned()))?;
        lz4_flex::block::decompress(&packed, size)
            .map_err(|error| self.unreadable(column, error.to_string()))
    }

    pub(super) fn unreadable(&self, column: &'static str, why: String) -> StoreError {
        StoreError::Unreadable {
            table: self.table,
            column,
            row: self.key.clone(),
            why,
        }
    }

    fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: for<'a> sqlx::Decode<'a, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        self.row
            .try_get(column)
            .map_err(|error| self.unreadable(column, error.to_string()))
    }
}
