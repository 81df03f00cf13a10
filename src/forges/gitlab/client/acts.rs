//! Acts: what we write on GitLab besides triggers: awards and notes.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Client, project};
use crate::call::CallError;
use crate::domain::{Place, Reaction, Written};
use crate::forges::mark::{mark, with_mark};

#[derive(Deserialize)]
struct Note {
    id: u64,
    #[serde(default)]
    body: String,
    author: Author,
    #[serde(default)]
    created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Author {
    id: u64,
}

fn notes(place: &Place) -> String {
    format!(
        "{}/merge_requests/{}/notes",
        project(&place.repository),
        place.pull_request
    )
}

impl Client {
    /// Puts an award on a note. GitLab keeps one of each kind and says that it is not there where we gave
    /// it already, so repeating is harmless.
    pub async fn react(&self, place: &Place, reaction: Reaction) -> Result<(), CallError> {
        let path = format!("{}/{}/award_emoji", notes(place), place.comment);
        let body = json!({ "name": reaction.as_str() });
        let answer = self.ask(Method::POST, &path, Some(&body)).await?;
        if answer.status() == 404 && answer.message().contains("already been taken") {
            return Ok(());
        }
        answer.judged().map(drop)
    }

    /// Writes a note on the merge request and returns its number. The thread marks it invisibly.
    pub async fn say(&self, place: &Place, text: &str, thread: &str) -> Result<u64, CallError> {
        let body = json!({ "body": with_mark(text, thread) });
        let answer = self.ask(Method::POST, &notes(place), Some(&body)).await?;
        #[derive(Deserialize)]
        struct Written {
            id: u64,
        }
        answer.judged()?.read().map(|written: Written| written.id)
    }

    /// What a note says now; nothing where it is gone, or not for everybody who sees the merge request.
    pub(super) async fn written(&self, place: &Place) -> Result<Option<Written>, CallError> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(default)]
            body: String,
            author: Author,
            #[serde(default)]
            system: bool,
            #[serde(default)]
            internal: bool,
            #[serde(default)]
            confidential: Option<bool>,
            #[serde(default)]
            imported: bool,
        }
        let path = format!("{}/{}", notes(place), place.comment);
        let found: Option<Shown> = self.read_maybe(&path).await?;
        let plain = found.filter(|found| {
            let is_hidden = found.internal || found.confidential == Some(true);
            !(found.system || found.imported || is_hidden)
        });
        Ok(plain.map(|found| Written {
            by: found.author.id,
            body: found.body,
        }))
    }

    /// Changes a note of ours; `false` when it is gone.
    pub async fn say_instead(
        &self,
        place: &Place,
        note: u64,
        text: &str,
        thread: &str,
    ) -> Result<bool, CallError> {
        let path = format!("{}/{note}", notes(place));
        let body = json!({ "body": with_mark(text, thread) });
        let answer = self.ask(Method::PUT, &path, Some(&body)).await?;
        match answer.judged() {
            Ok(_) => Ok(true),
            Err(CallError::Absent(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The note that we wrote for this thread, if it is there. Others can copy the mark, so only our own
    /// account's is believed.
    pub async fn said(&self, place: &Place, thread: &str) -> Result<Option<u64>, CallError> {
        let ourselves = self.ourselves().await?.id;
        let mark = mark(thread);
        let path = format!("{}?order_by=created_at&sort=desc", notes(place));
        let mut ours = None;
        self.read_until(&path, |page: Vec<Note>| {
            let oldest = page.last().and_then(|note| note.created_at);
            let mut written = page.into_iter();
            ours = written.find(|note| note.author.id == ourselves && note.body.contains(&mark));
            // An answer is newer than what it answers.
            ours.is_some() || oldest.is_some_and(|oldest| oldest < place.written_at)
        })
        .await?;
        Ok(ours.map(|note| note.id))
    }
}
