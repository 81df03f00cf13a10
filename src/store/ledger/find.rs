//! The search: entries by what they are about, newest first, a page at a time. The rarest value that is asked for
//! leads: a request, a commit, a word. Without one, the newest entries are tried, and then every combination of
//! service, environment, person and action that matches gives its newest ones, so that a page costs the same however
//! rare its entries are.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection};

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Dialect, Statement, Store, StoreError, Tx};
use super::entries::{Stored, stored};
use super::period::near;
use super::terms::{Term, terms};
use crate::domain::{Action, Ending, Filter, ServiceName};
use countersign_ledger::OPERATOR;

/// How many entries are looked through before anything cleverer is done.
const STEP: i64 = 2_000;
/// How many entries of the leading word are checked for the other words at once, at first and at most.
const CHUNKS: (u32, u32) = (200, 5_000);
// In all that say WANTED: `$1` is the number before which, `$7` the one from which, `$8` and `$9` the times,
// `$10` the most rows. A plus before a column keeps an engine from choosing that column's index.
statements! {
    HEAD = ["SELECT size, slip, log FROM ledger_head WHERE log = 'main'"];
    WHO = ["SELECT person FROM person WHERE lower(login) = $1 ORDER BY person LIMIT 100"];
    SCAN = ["SELECT seq FROM ledger_entry WHERE" WANTED "AND seq < $1 AND seq >= $7 AND +at >= $8 AND +at < $9
        ORDER BY seq DESC LIMIT $10"];
    OF_REQUEST = ["SELECT seq FROM ledger_entry WHERE" WANTED "AND +seq < $1 AND +seq >= $7 AND +at >= $8 AND +at < $9
        AND request = $11 AND (CAST($12 AS TEXT) IS NULL OR (sha >= $12 AND sha < $13))
        ORDER BY +seq DESC LIMIT $10"];
    OF_SHA = ["SELECT seq FROM ledger_entry WHERE" WANTED "AND +seq < $1 AND +seq >= $7 AND +at >= $8 AND +at < $9
        AND sha >= $11 AND sha < $12 ORDER BY +seq DESC LIMIT $10"];
    WITH_WORD = ["SELECT w.seq FROM ledger_word w JOIN ledger_entry e ON e.seq = w.seq
        WHERE" WANTED "AND w.seq < $1 AND w.seq >= $7 AND +e.at >= $8 AND +e.at < $9 AND w.word = $11
        ORDER BY w.seq DESC LIMIT $10"];
    /// The newest entry of each combination that matches, those with the newest first; and of these the
    /// newest entries.
    OF_ABOUT = ["SELECT e.seq FROM (
            SELECT about FROM (
                SELECT a.about, (SELECT n.seq FROM ledger_entry n WHERE n.about = a.about
                    AND n.seq < $1 AND n.seq >= $7 AND n.at >= $8 AND n.at < $9 ORDER BY n.seq DESC LIMIT 1) AS newest
                FROM ledger_about a WHERE" WANTED ") matching
            WHERE newest IS NOT NULL ORDER BY newest DESC LIMIT $10) chosen
        JOIN ledger_entry e ON e.about = chosen.about AND e.seq < $1 AND e.at >= $8 AND e.at < $9
            AND e.seq >= (SELECT MIN(o.seq) FROM (SELECT i.seq FROM ledger_entry i WHERE i.about = chosen.about
                AND i.seq < $1 AND i.seq >= $7 AND i.at >= $8 AND i.at < $9 ORDER BY i.seq DESC LIMIT $10) o)
        ORDER BY e.seq DESC LIMIT $10"];
    /// CROSS JOIN, because SQLite keeps to its order: the few combinations lead.
    FEW = ["SELECT COUNT(*) AS found FROM (SELECT 1 FROM (SELECT about FROM ledger_about WHERE" WANTED ") a
        CROSS JOIN ledger_entry e WHERE e.about = a.about AND e.seq < $1 AND e.seq >= $7 AND e.at >= $8 AND e.at < $9
        LIMIT $10) counted"];
    PAGE = ["SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf FROM ledger_entry
        WHERE seq IN (SELECT CAST(value AS BIGINT) FROM" EACH_OF_2 ") ORDER BY seq DESC LIMIT $1"];
}

/// Entries that match, newest first. `before` is the number of the last one of the page before.
pub async fn find(
    store: &Store,
    filter: &Filter,
    before: Option<i64>,
    most: u32,
) -> Result<Vec<Stored>, StoreError> {
    let services = filter.service.as_ref().map(|service| vec![service.clone()]);
    let mut connection = store.reader().acquire().await?;
    let mut reading = Reading {
        dialect: store.dialect(),
        connection: &mut connection,
    };
    reading.page(filter, services, before, most).await
}

/// The newest entries that match and are about one of these services.
pub async fn find_of(
    tx: &mut Tx,
    services: &[ServiceName],
    filter: &Filter,
    most: u32,
) -> Result<Vec<Stored>, StoreError> {
    let wanted = |name: &str| filter.service.as_ref().is_none_or(|only| only == name);
    let services = services
        .iter()
        .map(|service| service.as_str().to_owned())
        .filter(|name| wanted(name))
        .collect();
    let mut reading = Reading {
        dialect: tx.dialect(),
        connection: tx.connection(),
    };
    reading.page(filter, Some(services), None, most).await
}

/// A connection on which several statements make one answer.
pub(super) struct Reading<'c> {
    pub(super) dialect: Dialect,
    pub(super) connection: &'c mut AnyConnection,
}

/// A filter in the database's words.
struct Wanted {
    services: Option<String>,
    environment: Option<String>,
    people: Option<String>,
    action: Option<&'static str>,
    outcome: Option<&'static str>,
    /// The smallest number that matters.
    from: i64,
    since: i64,
    until: i64,
}

/// What leads to the entries.
pub(super) enum Lead {
    Request {
        number: i64,
        sha: Option<String>,
    },
    Sha(String),
    /// Entries with any of these words.
    Words(Vec<String>),
    Nothing,
}

impl Reading<'_> {
    async fn page(
        &mut self,
        filter: &Filter,
        services: Option<Vec<String>>,
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut terms = terms(filter.text.as_deref())?;
        let people = match &filter.person {
            Some(written) => Some(self.people(written).await?),
            None => None,
        };
        if people.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let (before, mut wanted) = self.bounds(filter, before).await?;
        // Lists of text always have a spelling.
        wanted.services = services.map(|names| serde_json::to_string(&names).unwrap_or_default());
        wanted.people = people.map(|people| serde_json::to_string(&people).unwrap_or_default());
        let number = filter.request.map(i64::try_from).transpose();
        let Ok(number) = number else {
            return Ok(Vec::new());
        };
        let lead = match (number, &filter.sha) {
            (Some(number), sha) => Lead::Request {
                number,
                sha: sha.clone(),
            },
            (None, Some(sha)) => Lead::Sha(sha.clone()),
            (None, None) if self.are_few(&wanted, before, &terms).await? => Lead::Nothing,
            (None, None) => self.rarest(&mut terms).await?,
        };
        let numbers = self.numbers(&lead, &wanted, &terms, (before, most)).await?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(PAGE.text(self.dialect))
            .bind(i64::from(most))
            .bind(list(&numbers))
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(stored).collect()
    }

    /// All who are called so now: a speaker in a chat hides no person by taking the same name.
    async fn people(&mut self, written: &str) -> Result<Vec<String>, StoreError> {
        if written == OPERATOR || written.contains(':') {
            return Ok(vec![written.to_owned()]);
        }
        let rows = sqlx::query(WHO.text(self.dialect))
            .bind(written.to_ascii_lowercase())
            .fetch_all(&mut *self.connection)
            .await?;
        let people = rows.iter();
        people
            .map(|row| Row::of(row, "person", "person").text("person"))
            .collect()
    }

    /// The numbers between which the times lie, and the filter without its people and services.
    async fn bounds(
        &mut self,
        filter: &Filter,
        before: Option<i64>,
    ) -> Result<(i64, Wanted), StoreError> {
        let head = sqlx::query(HEAD.text(self.dialect))
            .fetch_one(&mut *self.connection)
            .await?;
        let head = Row::of(&head, "ledger_head", "log");
        let (size, slip) = (head.number("size")?, head.number("slip")?);
        let mut before = before.unwrap_or(i64::MAX).min(size.saturating_add(1));
        let mut from = 1;
        let since = filter.since.map_or(i64::MIN, Timestamp::as_microsecond);
        let until = filter.until.map_or(i64::MAX, Timestamp::as_microsecond);
        // What is further away in time than a clock ever slipped is on the same side in the order of numbers.
        if filter.since.is_some() {
            let (older, _) = near(self, since.saturating_sub(slip)).await?;
            from = older.saturating_add(1);
        }
        if filter.until.is_some() {
            let (_, newer) = near(self, until.saturating_add(slip)).await?;
            before = before.min(newer);
        }
        let wanted = Wanted {
            services: None,
            environment: filter.environment.clone(),
            people: None,
            action: filter.action.map(Action::as_str),
            outcome: filter.outcome.map(Ending::as_str),
            from,
            since,
            until,
        };
        Ok((before, wanted))
    }

    /// Whether words are looked for in so few entries that each of these can be looked at.
    async fn are_few(
        &mut self,
        wanted: &Wanted,
        before: i64,
        terms: &[Term],
    ) -> Result<bool, StoreError> {
        if terms.is_empty() || !wanted.is_about_something() {
            return Ok(false);
        }
        let query = wanted.bound(&FEW, self.dialect, before, STEP);
        let row = query.fetch_one(&mut *self.connection).await?;
        Ok(Row::of(&row, "ledger_about", "found").number("found")? < STEP)
    }

    /// The numbers of the entries that follow the lead and have the terms.
    async fn numbers(
        &mut self,
        lead: &Lead,
        wanted: &Wanted,
        terms: &[Term],
        (mut before, most): (i64, u32),
    ) -> Result<Vec<i64>, StoreError> {
        if terms.is_empty() {
            return self.led(lead, wanted, before, most).await;
        }
        let mut found = Vec::new();
        let enough = usize::try_from(most).unwrap_or(usize::MAX);
        let (mut chunk, largest) = CHUNKS;
        loop {
            let mut numbers = self.led(lead, wanted, before, chunk).await?;
            let is_last = u32::try_from(numbers.len()).is_ok_and(|count| count < chunk);
            if let Some(last) = numbers.last() {
                before = *last;
            }
            for term in terms {
                if !numbers.is_empty() {
                    let having = self.having(term, &numbers).await?;
                    numbers.retain(|number| having.contains(number));
                }
            }
            found.extend(numbers);
            if is_last || found.len() >= enough {
                found.truncate(enough);
                return Ok(found);
            }
            chunk = largest.min(chunk * 2);
        }
    }

    async fn led(
        &mut self,
        lead: &Lead,
        wanted: &Wanted,
        before: i64,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        match lead {
            Lead::Request { number, sha } => {
                let extra = Extra {
                    number: Some(*number),
                    texts: vec![sha.clone(), sha.as_ref().map(|sha| behind(sha))],
                };
                self.ask(&OF_REQUEST, wanted, (before, most), extra).await
            }
            Lead::Sha(sha) => {
                let texts = vec![Some(sha.clone()), Some(behind(sha))];
                let extra = Extra {
                    number: None,
                    texts,
                };
                self.ask(&OF_SHA, wanted, (before, most), extra).await
            }
            Lead::Words(words) => {
                let mut newest = BTreeSet::new();
                for word in words {
                    if wanted.is_only_words() {
                        newest.extend(self.with_word(word, wanted.from, before, most).await?);
                        continue;
                    }
                    let extra = Extra {
                        number: None,
                        texts: vec![Some(word.clone())],
                    };
                    let found = self.ask(&WITH_WORD, wanted, (before, most), extra).await?;
                    newest.extend(found);
                }
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                Ok(newest.into_iter().rev().take(most).collect())
            }
            Lead::Nothing => self.unled(wanted, before, most).await,
        }
    }

    async fn unled(
        &mut self,
        wanted: &Wanted,
        before: i64,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let from = if wanted.is_about_something() {
            wanted.from.max(before.saturating_sub(STEP))
        } else {
            wanted.from
        };
        let near = wanted.starting(from);
        let found = self
            .ask(&SCAN, &near, (before, most), Extra::default())
            .await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= most);
        if is_full || from == wanted.from {
            return Ok(found);
        }
        self.ask(&OF_ABOUT, wanted, (before, most), Extra::default())
            .await
    }

    async fn ask(
        &mut self,
        statement: &Statement,
        wanted: &Wanted,
        (before, most): (i64, u32),
        extra: Extra,
    ) -> Result<Vec<i64>, StoreError> {
        let mut query = wanted.bound(statement, self.dialect, before, i64::from(most));
        if let Some(number) = extra.number {
            query = query.bind(number);
        }
        for text in extra.texts {
            query = query.bind(text);
        }
        let rows = query.fetch_all(&mut *self.connection).await?;
        rows.iter().map(number).collect()
    }
}

/// Values that only some statements have.
#[derive(Default)]
struct Extra {
    number: Option<i64>,
    texts: Vec<Option<String>>,
}

impl Wanted {
    /// A statement that says WANTED, with its first ten values.
    fn bound<'w>(
        &'w self,
        statement: &Statement,
        dialect: Dialect,
        before: i64,
        most: i64,
    ) -> Query<'w, Any, AnyArguments> {
        sqlx::query(statement.text(dialect))
            .bind(before)
            .bind(&self.services)
            .bind(&self.environment)
            .bind(&self.people)
            .bind(self.action)
            .bind(self.outcome)
            .bind(self.from)
            .bind(self.since)
            .bind(self.until)
            .bind(most)
    }

    /// Neither what entries are about nor a time is asked.
    fn is_only_words(&self) -> bool {
        !self.is_about_something() && self.since == i64::MIN && self.until == i64::MAX
    }

    fn is_about_something(&self) -> bool {
        self.services.is_some()
            || self.environment.is_some()
            || self.people.is_some()
            || self.action.is_some()
            || self.outcome.is_some()
    }

    fn starting(&self, from: i64) -> Self {
        Self {
            services: self.services.clone(),
            environment: self.environment.clone(),
            people: self.people.clone(),
            from,
            ..*self
        }
    }
}

/// Behind every commit whose id begins so: its digits end with `f`.
fn behind(sha: &str) -> String {
    format!("{sha}g")
}

pub(super) fn list(numbers: &[i64]) -> String {
    // Lists of numbers always have a spelling.
    serde_json::to_string(numbers).unwrap_or_default()
}

pub(super) fn number(row: &AnyRow) -> Result<i64, StoreError> {
    Row::of(row, "ledger_entry", "seq").number("seq")
}
