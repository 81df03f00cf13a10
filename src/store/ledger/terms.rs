//! The words of a text that is looked for: which one leads, and which entries have the others.

use std::collections::BTreeSet;

use super::super::StoreError;
use super::super::row::Row;
use super::super::statement::statements;
use super::find::{Lead, Reading, list, number};
use countersign_ledger::words_of;

/// Words that a text may have.
const MOST_WORDS: usize = 10;
/// Words that may begin alike.
const MOST_ALIKE: usize = 64;
/// Behind every word that begins so.
const LAST_LETTER: char = '\u{10ffff}';

statements! {
    ALIKE = ["WITH RECURSIVE alike (word) AS (
            SELECT MIN(word) FROM ledger_word WHERE word >= $1 AND word < $2
            UNION ALL SELECT (SELECT MIN(n.word) FROM ledger_word n WHERE n.word > alike.word AND n.word < $2)
            FROM alike WHERE alike.word IS NOT NULL)
        SELECT word FROM alike WHERE word IS NOT NULL LIMIT $3"];
    /// Where nothing else is asked, the word alone says which entries: no engine can take a longer road.
    WITH_WORD_ONLY = ["SELECT seq FROM ledger_word WHERE word = $1 AND seq < $2 AND seq >= $3 ORDER BY seq DESC LIMIT $4"];
    HOW_MANY = ["SELECT COUNT(*) AS found FROM (SELECT 1 FROM ledger_word WHERE word = $1 LIMIT 5000) counted"];
    /// The list leads, because a word can have many more entries than are asked about.
    HAVE_WORD = ["SELECT CAST(value AS BIGINT) AS seq FROM" EACH_OF_2 "WHERE EXISTS (SELECT 1 FROM ledger_word w
        WHERE w.seq = CAST(value AS BIGINT) AND w.word >= $1 AND w.word <= $3)"];
}

/// A word that must be there.
pub(super) struct Term {
    word: String,
    /// Whether it may go on.
    is_beginning: bool,
}

impl Reading<'_> {
    /// The newest entries with a word.
    pub(super) async fn with_word(
        &mut self,
        word: &str,
        from: i64,
        before: i64,
        most: u32,
    ) -> Result<Vec<i64>, StoreError> {
        let rows = sqlx::query(WITH_WORD_ONLY.text(self.dialect))
            .bind(word)
            .bind(before)
            .bind(from)
            .bind(i64::from(most))
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(number).collect()
    }

    /// Takes the word that the fewest entries have out of the terms, to lead.
    pub(super) async fn rarest(&mut self, terms: &mut Vec<Term>) -> Result<Lead, StoreError> {
        let mut best: Option<(i64, usize, Vec<String>)> = None;
        for (index, term) in terms.iter().enumerate() {
            let words = if term.is_beginning {
                self.alike(&term.word).await?
            } else {
                vec![term.word.clone()]
            };
            let is_only_term = terms.len() == 1;
            if words.len() > MOST_ALIKE {
                if is_only_term {
                    return Err(StoreError::Unsearchable(format!(
                        "too many words begin with {:?}: write more of it, or another word before it",
                        term.word
                    )));
                }
                continue;
            }
            let mut many = 0;
            if !is_only_term {
                for word in &words {
                    many += self.how_many(word).await?;
                }
            }
            if best.as_ref().is_none_or(|(fewest, _, _)| many < *fewest) {
                best = Some((many, index, words));
            }
        }
        Ok(match best {
            Some((_, index, words)) => {
                terms.remove(index);
                Lead::Words(words)
            }
            None => Lead::Nothing,
        })
    }

    /// The words that begin so; one more than may be.
    async fn alike(&mut self, beginning: &str) -> Result<Vec<String>, StoreError> {
        let most = i64::try_from(MOST_ALIKE + 1).unwrap_or(i64::MAX);
        let rows = sqlx::query(ALIKE.text(self.dialect))
            .bind(beginning)
            .bind(format!("{beginning}{LAST_LETTER}"))
            .bind(most)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter()
            .map(|row| Row::of(row, "ledger_word", "word").text("word"))
            .collect()
    }

    async fn how_many(&mut self, word: &str) -> Result<i64, StoreError> {
        let row = sqlx::query(HOW_MANY.text(self.dialect))
            .bind(word)
            .fetch_one(&mut *self.connection)
            .await?;
        Row::of(&row, "ledger_word", "found").number("found")
    }

    pub(super) async fn having(
        &mut self,
        term: &Term,
        among: &[i64],
    ) -> Result<BTreeSet<i64>, StoreError> {
        let last = if term.is_beginning {
            format!("{}{LAST_LETTER}", term.word)
        } else {
            term.word.clone()
        };
        let rows = sqlx::query(HAVE_WORD.text(self.dialect))
            .bind(&term.word)
            .bind(list(among))
            .bind(last)
            .fetch_all(&mut *self.connection)
            .await?;
        rows.iter().map(number).collect()
    }
}

/// The words that must be there. The last one may be the beginning of a word.
pub(super) fn terms(text: Option<&str>) -> Result<Vec<Term>, StoreError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let words: Vec<String> = words_of(text).collect();
    let Some((last, before)) = words.split_last() else {
        return Err(StoreError::Unsearchable(format!(
            "{text:?} holds no word to look for"
        )));
    };
    let whole: BTreeSet<&String> = before.iter().collect();
    if whole.len() >= MOST_WORDS {
        return Err(StoreError::Unsearchable(format!(
            "at most {MOST_WORDS} words can be looked for at once"
        )));
    }
    let term = |word: &String, is_beginning| Term {
        word: word.clone(),
        is_beginning,
    };
    let mut terms: Vec<Term> = whole.into_iter().map(|word| term(word, false)).collect();
    terms.push(term(last, true));
    Ok(terms)
}
