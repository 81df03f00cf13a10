//! The world of this GitHub, everything in it, and who may touch it. What happens to it is told file by file:
//! people, repositories, commits, pulls, comments, reports, actions, deployments, app.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::app::{App, Installation, Issued};
use super::call::{Answer, Call, Identity};
use super::commits::Commit;
use super::hooks::Hooks;
use super::key::AppKey;
use super::manifest::Wished;
use super::people::{Account, Team};
use super::repositories::Repository;
use super::settings::Asked;
use countersign_ground::clock::Clock;
use countersign_ground::digest;

#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Clock,
    /// By which tokens begin and end.
    pub(super) clock_of_tokens: Clock,
    pub(super) tokens_last: Duration,
    pub(super) url: String,
    pub(super) key: AppKey,
    pub(super) last_id: u64,
    pub(super) accounts: BTreeMap<u64, Account>,
    pub(super) teams: BTreeMap<u64, Team>,
    pub(super) repositories: BTreeMap<u64, Repository>,
    /// Former names, and which repository they lead to.
    pub(super) former_names: BTreeMap<String, u64>,
    pub(super) commits: BTreeMap<String, Commit>,
    /// Personal tokens and whose they are.
    pub(super) tokens: BTreeMap<String, u64>,
    pub(super) apps: BTreeMap<String, App>,
    pub(super) installations: BTreeMap<u64, Installation>,
    pub(super) issued: BTreeMap<String, Issued>,
    pub(super) asked: Asked,
    /// An app that was wished for by a manifest.
    pub(super) wished: Option<Wished>,
    /// Of classic tokens.
    pub(super) scopes: BTreeMap<String, String>,
    pub(super) hooks: Hooks,
    /// Answers dispatches as an older GitHub Enterprise Server does.
    pub(super) is_enterprise_server: bool,
    /// Whether comments that this world never saw are taken to be there.
    pub(super) believes_hearsay: bool,
}

/// What a call needs of its caller.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    Read(&'static str),
    Write(&'static str),
}

impl World {
    pub(super) fn new(clock: Clock, url: String, key: AppKey) -> Self {
        Self {
            clock_of_tokens: clock.clone(),
            tokens_last: Duration::from_secs(3_600),
            clock,
            url,
            key,
            last_id: 50_000_000,
            accounts: BTreeMap::new(),
            teams: BTreeMap::new(),
            repositories: BTreeMap::new(),
            former_names: BTreeMap::new(),
            commits: BTreeMap::new(),
            tokens: BTreeMap::new(),
            apps: BTreeMap::new(),
            installations: BTreeMap::new(),
            issued: BTreeMap::new(),
            asked: Asked::at_first(),
            wished: None,
            scopes: BTreeMap::new(),
            hooks: Hooks::default(),
            is_enterprise_server: false,
            believes_hearsay: true,
        }
    }

    /// A number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn repository_named(&self, full_name: &str) -> Option<&Repository> {
        self.repositories
            .values()
            .find(|repository| repository.full_name.eq_ignore_ascii_case(full_name))
    }

    /// For those who speak to the sandbox itself; unknown names are made up as a new repository.
    pub(super) fn id_of(&mut self, full_name: &str) -> u64 {
        if let Some(known) = self.repository_named(full_name) {
            return known.id;
        }
        let id = self.next_id();
        self.add_repository(id, full_name);
        id
    }

    /// The repository at this path, if the caller may do this with it.
    pub(super) fn reach(
        &self,
        call: &Call,
        owner: &str,
        name: &str,
        need: Need,
    ) -> Result<&Repository, Answer> {
        let full_name = format!("{owner}/{name}");
        let Some(repository) = self.repository_named(&full_name) else {
            return Err(self.moved(call, &full_name));
        };
        self.permit(&call.identity, repository, need)?;
        Ok(repository)
    }

    /// A former name leads to the numeric address; any other leads nowhere.
    fn moved(&self, call: &Call, full_name: &str) -> Answer {
        let former = self.former_names.get(&full_name.to_ascii_lowercase());
        let Some(repository) = former.and_then(|id| self.repositories.get(id)) else {
            return Answer::not_found();
        };
        let rest: String = call
            .path
            .iter()
            .skip(3)
            .map(|part| format!("/{part}"))
            .collect();
        let query = call.address.split_once('?').map(|(_, query)| query);
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        let url = format!("{}/repositories/{}{rest}{query}", self.url, repository.id);
        let status = if call.method == "GET" { 301 } else { 307 };
        let mut answer = Answer::message(status, "Moved Permanently");
        if let Some(body) = answer.body.as_mut() {
            body["url"] = url.clone().into();
        }
        answer.headers.push(("location", url));
        answer
    }

    pub(super) fn permit(
        &self,
        identity: &Identity,
        repository: &Repository,
        need: Need,
    ) -> Result<(), Answer> {
        match identity {
            Identity::App => Err(Answer::inaccessible()),
            Identity::Person(person) => {
                let role = repository.roles.get(person).map(String::as_str);
                match (role, need) {
                    (None, _) if repository.is_private => Err(Answer::not_found()),
                    (_, Need::Read(_) | Need::Write("issues")) => Ok(()),
                    (Some(role), Need::Write(_)) if can_push(role) => Ok(()),
                    (_, Need::Write(_)) => Err(Answer::message(
                        403,
                        "Must have push access to the repository.",
                    )),
                }
            }
            Identity::Installation(issued) => {
                let Some(installation) = self.installations.get(&issued.installation) else {
                    return Err(Answer::message(401, "Bad credentials"));
                };
                if installation.is_suspended {
                    let text = "This installation has been suspended";
                    return Err(Answer::message(403, text));
                }
                let chosen = issued
                    .repositories
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&repository.id));
                if !(chosen && installation.covers(repository)) {
                    return match need {
                        _ if repository.is_private => Err(Answer::not_found()),
                        Need::Read(_) => Ok(()),
                        Need::Write(_) => Err(Answer::inaccessible()),
                    };
                }
                if issued.allows(need) {
                    Ok(())
                } else {
                    Err(Answer::inaccessible())
                }
            }
        }
    }

    /// The account that acts: the person of a token, the bot of an app.
    pub(super) fn actor(&self, identity: &Identity) -> u64 {
        match identity {
            Identity::Person(person) => *person,
            Identity::App | Identity::Installation(_) => self.our_app().map_or(0, |app| app.bot),
        }
    }
}

fn can_push(role: &str) -> bool {
    !matches!(role, "read" | "triage" | "none")
}

/// Times as GitHub writes them.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An opaque id that looks like GitHub's.
pub(super) fn node(kind: &str, id: impl std::fmt::Display) -> String {
    format!(
        "{kind}_{}",
        &digest::sha256_hex(format!("{kind}{id}").as_bytes())[..16]
    )
}
