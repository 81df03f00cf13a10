//! Comments and reactions. A comment belongs to its author; an app writes as its bot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Identity, Outcome};
use super::people::{Kind, merge};
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};

/// A comment that was written through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: u64,
    pub repository: String,
    pub issue: u64,
    pub body: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) issue: u64,
    pub(super) body: String,
    pub(super) author: u64,
    pub(super) came_through_api: bool,
    pub(super) written_at: Timestamp,
    pub(super) edited_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Reaction {
    id: u64,
    account: u64,
    content: String,
}

impl GitHub {
    /// What was written through the API, in order.
    pub fn comments(&self) -> Vec<Written> {
        let world = lock(&self.world);
        let mut written: Vec<Written> = world
            .repositories
            .values()
            .flat_map(|repository| {
                let ours = repository
                    .comments
                    .values()
                    .filter(|comment| comment.came_through_api);
                ours.map(|comment| Written {
                    id: comment.id,
                    repository: repository.full_name.clone(),
                    issue: comment.issue,
                    body: comment.body.clone(),
                })
            })
            .collect();
        written.sort_by_key(|comment| comment.id);
        written
    }

    /// The reactions to a comment, in the order in which they came.
    pub fn reactions(&self, repository: &str, comment: u64) -> Vec<String> {
        let world = lock(&self.world);
        let given = world
            .repository_named(repository)
            .and_then(|repository| repository.reactions.get(&comment));
        given
            .into_iter()
            .flatten()
            .map(|reaction| reaction.content.clone())
            .collect()
    }

    /// A comment that was there before any webhook listened.
    pub fn add_comment(&self, repository: &str, issue: u64, login: &str, body: &str) -> u64 {
        let mut world = lock(&self.world);
        let repository = world.id_of(repository);
        let author = world.account_named(login).map_or(0, |account| account.id);
        world.write(repository, issue, author, body)
    }

    /// From now on a reaction to a comment that this world never saw is refused. Tests that deliver
    /// events by hand speak of such comments, so until then they are taken to be there.
    pub fn deny_hearsay(&self) {
        lock(&self.world).believes_hearsay = false;
    }
}

impl World {
    pub(super) fn write(&mut self, repository: u64, issue: u64, author: u64, body: &str) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let comment = Comment {
            id,
            issue,
            body: body.to_owned(),
            author,
            came_through_api: false,
            written_at: now,
            edited_at: now,
        };
        if let Some(repository) = self.repositories.get_mut(&repository) {
            repository.comments.insert(id, comment);
        }
        id
    }

    fn reactions_json(url: &str, given: &[Reaction]) -> Value {
        const KINDS: [&str; 8] = [
            "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes",
        ];
        let mut json = json!({ "url": format!("{url}/reactions"), "total_count": given.len() });
        for kind in KINDS {
            json[kind] = given
                .iter()
                .filter(|one| one.content == kind)
                .count()
                .into();
        }
        json
    }

    pub(super) fn comment_json(&self, repository: &Repository, comment: &Comment) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/issues/comments/{}", comment.id);
        let given = repository.reactions.get(&comment.id);
        let is_bot = self
            .accounts
            .get(&comment.author)
            .is_some_and(|author| author.kind == Kind::Bot);
        let app = self
            .our_app()
            .filter(|_| is_bot)
            .map(|app| self.app_json(app));
        json!({
            "id": comment.id,
            "node_id": node("IC", comment.id),
            "url": url,
            "html_url": format!(
                "https://github.com/{}/pull/{}#issuecomment-{}",
                repository.full_name, comment.issue, comment.id
            ),
            "issue_url": format!("{api}/issues/{}", comment.issue),
            "body": comment.body,
            "user": self.user_json(comment.author),
            "created_at": stamp(comment.written_at),
            "updated_at": stamp(comment.edited_at),
            "author_association": self.association(repository, comment.author),
            "performed_via_github_app": app,
            "reactions": Self::reactions_json(&url, given.map_or(&[], Vec::as_slice)),
        })
    }

    /// The pull request as the issue that it also is.
    pub(super) fn issue_json(&self, repository: &Repository, number: u64) -> Value {
        let Some(pull) = repository.pulls.get(&number) else {
            return Value::Null;
        };
        let url = format!("{}/issues/{number}", self.api_url(repository));
        let shown = self.pull_json(repository, pull);
        let mut json = json!({
            "url": url,
            "repository_url": self.api_url(repository),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "timeline_url": format!("{url}/timeline"),
            "comments": repository.comments.values().filter(|one| one.issue == number).count(),
            "reactions": Self::reactions_json(&url, &[]),
            "performed_via_github_app": null,
            "state_reason": null,
            "pull_request": {
                "url": shown["url"], "html_url": shown["html_url"], "diff_url": shown["diff_url"],
                "patch_url": shown["patch_url"], "merged_at": shown["merged_at"],
            },
        });
        for same in [
            "id",
            "node_id",
            "html_url",
            "number",
            "title",
            "user",
            "labels",
            "state",
            "locked",
            "assignee",
            "assignees",
            "milestone",
            "created_at",
            "updated_at",
            "closed_at",
            "author_association",
            "active_lock_reason",
            "draft",
            "body",
        ] {
            json[same] = shown[same].clone();
        }
        json
    }

    /// Comments may be touched by who may touch issues, or pull requests.
    fn reach_comments(
        &self,
        call: &Call,
        owner: &str,
        name: &str,
        need: fn(&'static str) -> Need,
    ) -> Result<&Repository, Answer> {
        let through_issues = self.reach(call, owner, name, need("issues"));
        match (&through_issues, &call.identity) {
            (Err(_), Identity::Installation(_)) => {
                self.reach(call, owner, name, need("pull_requests"))
            }
            _ => through_issues,
        }
    }

    /// `GET /repos/{owner}/{repo}/issues/{number}/comments`, oldest first.
    pub(super) fn list_comments(
        &self,
        call: &Call,
        owner: &str,
        name: &str,
        issue: &str,
    ) -> Outcome {
        let repository = self.reach_comments(call, owner, name, Need::Read)?;
        let issue = issue
            .parse()
            .ok()
            .filter(|number| repository.pulls.contains_key(number));
        let issue = issue.ok_or_else(Answer::not_found)?;
        let since: Option<Timestamp> = call.asked("since").and_then(|text| text.parse().ok());
        let shown = repository.comments.values().filter(|comment| {
            comment.issue == issue
                && since.is_none_or(|since| comment.edited_at.as_second() >= since.as_second())
        });
        call.list(shown.collect(), |comment| {
            self.comment_json(repository, comment)
        })
    }

    /// `GET /repos/{owner}/{repo}/issues/comments/{id}`
    pub(super) fn get_comment(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach_comments(call, owner, name, Need::Read)?;
        let comment = id.parse().ok().and_then(|id| repository.comments.get(&id));
        Answer::ok(self.comment_json(repository, comment.ok_or_else(Answer::not_found)?))
    }

    /// `POST /repos/{owner}/{repo}/issues/{number}/comments`
    pub(super) fn post_comment(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        issue: &str,
    ) -> Outcome {
        let repository = self.reach_comments(call, owner, name, Need::Write)?;
        let issue = issue
            .parse()
            .ok()
            .filter(|number| repository.pulls.contains_key(number));
        let issue = issue.ok_or_else(Answer::not_found)?;
        let (repository, body) = (repository.id, call.required("body")?);
        let author = self.actor(&call.identity);
        let id = self.write(repository, issue, author, body);
        let found = self.repositories.get_mut(&repository);
        if let Some(comment) = found.and_then(|found| found.comments.get_mut(&id)) {
            comment.came_through_api = true;
        }
        self.comment_event(repository, id, "created", author);
        self.shown_comment(repository, id, 201)
    }

    fn shown_comment(&self, repository: u64, id: u64, status: u16) -> Outcome {
        let repository = self
            .repositories
            .get(&repository)
            .ok_or_else(Answer::not_found)?;
        let comment = repository.comments.get(&id).ok_or_else(Answer::not_found)?;
        Ok(Answer::new(status, self.comment_json(repository, comment)))
    }

    /// `PATCH /repos/{owner}/{repo}/issues/comments/{id}`
    pub(super) fn patch_comment(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        id: &str,
    ) -> Outcome {
        let repository = self.reach_comments(call, owner, name, Need::Write)?;
        let comment = id.parse().ok().and_then(|id| repository.comments.get(&id));
        let comment = comment.ok_or_else(Answer::not_found)?;
        let actor = self.actor(&call.identity);
        if comment.author != actor {
            self.reach(call, owner, name, Need::Write("contents"))?;
        }
        let (repository, id, body) = (repository.id, comment.id, call.required("body")?);
        self.edit(repository, id, actor, body);
        self.shown_comment(repository, id, 200)
    }

    pub(super) fn edit(&mut self, repository: u64, id: u64, actor: u64, body: &str) {
        let now = self.now();
        let found = self.repositories.get_mut(&repository);
        let Some(comment) = found.and_then(|found| found.comments.get_mut(&id)) else {
            return;
        };
        let before = std::mem::replace(&mut comment.body, body.to_owned());
        comment.edited_at = now;
        let changes = json!({ "changes": { "body": { "from": before } } });
        self.comment_event_with((repository, id), "edited", actor, changes);
    }

    pub(super) fn comment_event(&mut self, repository: u64, id: u64, action: &str, by: u64) {
        self.comment_event_with((repository, id), action, by, json!({}));
    }

    fn comment_event_with(
        &mut self,
        (repository, id): (u64, u64),
        action: &str,
        by: u64,
        more: Value,
    ) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        if self.hooks.nobody_listens() {
            return;
        }
        let Some(comment) = found.comments.get(&id) else {
            return;
        };
        let mut payload = json!({
            "action": action,
            "issue": self.issue_json(found, comment.issue),
            "comment": self.comment_json(found, comment),
        });
        merge(&mut payload, more);
        self.tell("issue_comment", repository, by, payload);
    }

    /// `POST /repos/{owner}/{repo}/issues/comments/{id}/reactions`
    pub(super) fn post_reaction(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        comment: &str,
    ) -> Outcome {
        const KNOWN: [&str; 8] = [
            "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes",
        ];
        let repository = self.reach_comments(call, owner, name, Need::Write)?;
        let comment: u64 = comment.parse().map_err(|_| Answer::not_found())?;
        if !self.believes_hearsay && !repository.comments.contains_key(&comment) {
            return Err(Answer::not_found());
        }
        let content = call.required("content")?;
        if !KNOWN.contains(&content) {
            return Err(Answer::invalid("Validation Failed"));
        }
        let repository = repository.id;
        let (account, fresh, now) = (self.actor(&call.identity), self.next_id(), self.now());
        let found = self.repositories.get_mut(&repository);
        let given = found
            .ok_or_else(Answer::not_found)?
            .reactions
            .entry(comment)
            .or_default();
        let same = |one: &&Reaction| one.account == account && one.content == content;
        let (status, id) = match given.iter().find(same) {
            Some(there) => (200, there.id),
            None => {
                given.push(Reaction {
                    id: fresh,
                    account,
                    content: content.to_owned(),
                });
                (201, fresh)
            }
        };
        let body = json!({
            "id": id,
            "node_id": node("REA", id),
            "user": self.user_json(account),
            "content": content,
            "created_at": stamp(now),
        });
        Ok(Answer::new(status, body))
    }
}
