//! `[[service.environment]]`: the policy of a place to release to. Refuses a policy that no person could fulfil, and
//! one that any person could.

use std::collections::BTreeMap;

use super::{Known, Secrets, trigger};
use crate::config::at::{At, Place};
use crate::config::raw::{self, Allowed, Excluded};
use crate::config::report::Problem;
use crate::config::review::{Review, taken, twice};
use crate::config::suggest::closest;
use crate::domain::{
    self, Allow, Branch, Environment, EnvironmentName, Exclude, Forge, RepoRef, Role, RoleName,
    ServiceName, StageName, TimeSpan,
};

const FOUR_HOURS: u64 = 4 * 60 * 60;
const TEN_MINUTES: u64 = 10 * 60;

/// The service that an environment belongs to, as far as it could be made out.
pub(super) struct Surrounding<'a> {
    pub(super) service: Option<&'a ServiceName>,
    pub(super) repo: Option<&'a RepoRef>,
    pub(super) branch: Option<&'a Branch>,
    pub(super) stages: &'a [At<raw::Stage>],
    pub(super) known: &'a Known<'a>,
}

pub(super) fn environments(
    raw: &[At<raw::Environment>],
    surrounding: &Surrounding<'_>,
    secrets: &mut Secrets,
    review: &mut Review<'_>,
) -> Vec<Environment> {
    let mut names: Vec<At<EnvironmentName>> = Vec::new();
    let mut former: Vec<At<EnvironmentName>> = Vec::new();
    let environments: Vec<Environment> = raw
        .iter()
        .filter_map(|at| {
            let own = own_names(&at.value, &mut names, review);
            if let Some(name) = review.parse(at.value.formerly.as_ref()) {
                review.add_new(&mut former, name);
            }
            environment(at, own, surrounding, secrets, review)
        })
        .collect();
    for gone in &former {
        // Its old name may be an alias of its own.
        let is_own = |one: &Environment| {
            one.formerly.as_ref() == Some(&gone.value) && one.aliases.contains(&gone.value)
        };
        let name = names.iter().find(|name| name.value == gone.value);
        if let Some(name) = name.filter(|_| !environments.iter().any(is_own)) {
            review.refuse(taken(gone, &name.place));
        }
    }
    environments
}

/// The name with its aliases; no two environments may answer to the same one.
fn own_names(
    raw: &raw::Environment,
    taken: &mut Vec<At<EnvironmentName>>,
    review: &mut Review<'_>,
) -> Option<(EnvironmentName, Vec<EnvironmentName>)> {
    let name = review.parse::<EnvironmentName>(raw.name.as_ref());
    if let Some(name) = &name {
        review.add_new(taken, name.clone());
    }
    let mut aliases = Vec::new();
    for alias in raw.aliases.iter().flatten() {
        if let Some(alias) = review.parse::<EnvironmentName>(Some(alias)) {
            aliases.push(alias.value.clone());
            review.add_new(taken, alias);
        }
    }
    Some((name?.value, aliases))
}

fn environment(
    at: &At<raw::Environment>,
    names: Option<(EnvironmentName, Vec<EnvironmentName>)>,
    surrounding: &Surrounding<'_>,
    secrets: &mut Secrets,
    review: &mut Review<'_>,
) -> Option<Environment> {
    let raw = &at.value;
    let after = after(raw, surrounding, review);
    let approvals = approvals(raw, surrounding, review);
    let exclude = exclude(at, review);
    let allow = allow(raw, review);
    let expires = span(raw.expires.as_ref(), FOUR_HOURS, review);
    let follow = span(raw.follow.as_ref(), TEN_MINUTES, review);
    let freeze = raw.freeze.as_ref().map(|reason| {
        if reason.value.trim().is_empty() {
            let problem = Problem::new(&reason.place, "a freeze without a reason explains nothing");
            review.refuse(problem.help("write why, or remove `freeze` to release again"));
        }
        reason.value.clone()
    });
    let formerly = raw.formerly.as_ref();
    let formerly = formerly.and_then(|name| name.value.parse::<EnvironmentName>().ok());
    let name = names.as_ref().map(|(name, _)| name);
    let made = trigger::trigger(at, name, surrounding, review);
    let (name, aliases) = names?;
    let (trigger, secret) = made?;
    if let (Some(service), Some(secret)) = (surrounding.service, secret) {
        secrets.insert((service.clone(), name.clone()), secret);
    }
    Some(Environment {
        name,
        aliases,
        formerly,
        after: after?,
        approvals,
        exclude,
        expires: expires?,
        follow: follow?,
        allow,
        freeze,
        trigger,
    })
}

fn span(
    written: Option<&At<String>>,
    default_seconds: u64,
    review: &mut Review<'_>,
) -> Option<TimeSpan> {
    match written {
        Some(written) => review.parse(Some(written)).map(|span| span.value),
        None => TimeSpan::from_seconds(default_seconds),
    }
}

/// The stage that must have passed; the last one unless the file names another.
fn after(
    raw: &raw::Environment,
    surrounding: &Surrounding<'_>,
    review: &mut Review<'_>,
) -> Option<StageName> {
    let names = || {
        let stages = surrounding.stages.iter();
        stages.filter_map(|stage| stage.value.name.as_ref())
    };
    let Some(written) = &raw.after else {
        return names().next_back()?.value.parse().ok();
    };
    if names().any(|name| name.value == written.value) {
        return written.value.parse().ok();
    }
    let message = format!("this service has no stage `{}`", written.value);
    let words = || names().map(|name| name.value.as_str());
    refuse_unknown(
        &written.place,
        message,
        (&written.value, &words().collect::<Vec<_>>()),
        review,
    );
    None
}

fn approvals(
    raw: &raw::Environment,
    surrounding: &Surrounding<'_>,
    review: &mut Review<'_>,
) -> BTreeMap<RoleName, u32> {
    let mut approvals = BTreeMap::new();
    let known = surrounding.known;
    for (name, count) in raw.approvals.iter().flatten() {
        if !known.role_names().any(|(known, _)| known == name.value) {
            let words: Vec<&str> = known.role_names().map(|(name, _)| name).collect();
            let message = format!("there is no role `{}`", name.value);
            refuse_unknown(&name.place, message, (&name.value, &words), review);
            continue;
        }
        let Ok(role) = name.value.parse::<RoleName>() else {
            continue;
        };
        let people = u32::try_from(count.value)
            .ok()
            .filter(|people| (1..=100).contains(people));
        let Some(people) = people else {
            let message = if count.value == 0 {
                "at least one person must approve"
            } else {
                "this is too many people"
            };
            review.refuse(Problem::new(&count.place, message).help("choose from 1 to 100"));
            continue;
        };
        if let (Some(role), Some(repo)) = (known.roles.get(&role), surrounding.repo) {
            can_be_fulfilled(role, repo.forge(), (people, &name.place), review);
        }
        approvals.insert(role, people);
    }
    approvals
}

fn can_be_fulfilled(role: &Role, forge: Forge, asked: (u32, &Place), review: &mut Review<'_>) {
    let (people, place) = asked;
    if role.reaches_anybody() && !role.reaches(forge) {
        let message = format!("the role `{}` has no members on {forge}", role.name);
        let problem = Problem::new(place, message);
        review.refuse(problem.help(format!(
            "this service is on {forge}: add `{0}_users` or `{0}_{1}` to `[roles.{2}]`",
            forge.prefix(),
            forge.crowds(),
            role.name
        )));
        return;
    }
    if !role.crowds(forge).is_empty() || role.goes_by_access(forge) {
        return;
    }
    let counted = role.users(forge).len();
    if (1..usize::try_from(people).unwrap_or(usize::MAX)).contains(&counted) {
        let message = format!(
            "{people} people must approve, but only {counted} can have the role `{}`",
            role.name
        );
        let problem = Problem::new(place, message);
        review.refuse(problem.help("ask for fewer, or give the role to more people"));
    }
}

fn refuse_unknown(place: &Place, message: String, word: (&str, &[&str]), review: &mut Review<'_>) {
    let (word, known) = word;
    let problem = Problem::new(place, message);
    let problem = match closest(word, known.iter().copied()) {
        Some(close) => problem.help(format!("did you mean `{close}`?")),
        None if known.is_empty() => problem,
        None => problem.help(format!("there is `{}`", known.join("`, `"))),
    };
    review.refuse(problem);
}

fn exclude(at: &At<raw::Environment>, review: &mut Review<'_>) -> Exclude {
    let Some(written) = &at.value.exclude else {
        if !review.refused(&at.place, "exclude") {
            let place = super::service::place_of(at.value.name.as_ref(), &at.place);
            review.warn(
                place,
                "authors may approve their own changes; \
                `exclude = [\"author\"]` prevents it, `exclude = []` says that it is meant",
            );
        }
        return Exclude::default();
    };
    refuse_repeated(written, review);
    if written.iter().any(|at| at.value == Excluded::Author) {
        let within = |at: &&At<Excluded>| {
            let meant = at.value.meant();
            at.value != Excluded::Author
                && meant
                    .iter()
                    .all(|who| domain::Excluded::AUTHOR.contains(who))
        };
        if let Some(again) = written.iter().find(within) {
            let problem = Problem::new(&again.place, "`author` says this already");
            review.refuse(problem.help(
                "keep `author`, or list those of `commit-author`, `opener`, `pusher` and `co-author` that are meant",
            ));
        }
    }
    let meant = written.iter().flat_map(|at| at.value.meant());
    meant.copied().collect()
}

fn allow(raw: &raw::Environment, review: &mut Review<'_>) -> Allow {
    let written = raw.allow.as_deref().unwrap_or_default();
    refuse_repeated(written, review);
    let has = |what: Allowed| written.iter().find(|at| at.value == what);
    let open_heads = has(Allowed::OpenHeads);
    if open_heads.is_none()
        && let Some(alone) = has(Allowed::Forks).or(has(Allowed::Drafts))
    {
        let problem = Problem::new(&alone.place, "this allows nothing without `open-heads`");
        review.refuse(problem.help(
            "forks and drafts are about pull requests that are still open: add `open-heads`",
        ));
    }
    Allow {
        open_heads: open_heads.is_some(),
        forks: has(Allowed::Forks).is_some(),
        drafts: has(Allowed::Drafts).is_some(),
    }
}

fn refuse_repeated<T: Copy + PartialEq + Word>(written: &[At<T>], review: &mut Review<'_>) {
    for (position, at) in written.iter().enumerate() {
        let before = written.iter().take(position);
        if let Some(first) = before.clone().find(|first| first.value == at.value) {
            let word = At {
                place: at.place.clone(),
                value: at.value.word(),
            };
            review.refuse(twice(&word, &first.place));
        }
    }
}

/// A word of the file that stands for itself.
trait Word {
    fn word(self) -> &'static str;
}

impl Word for Excluded {
    fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::CommitAuthor
            | Self::Opener
            | Self::Pusher
            | Self::CoAuthor
            | Self::Committer
            | Self::Merger
            | Self::Requester
            | Self::App => self.meant().first().map_or("", |who| who.word()),
        }
    }
}

impl Excluded {
    /// What the word stands for.
    fn meant(self) -> &'static [domain::Excluded] {
        match self {
            Self::Author => &domain::Excluded::AUTHOR,
            Self::CommitAuthor => &[domain::Excluded::CommitAuthor],
            Self::Opener => &[domain::Excluded::Opener],
            Self::Pusher => &[domain::Excluded::Pusher],
            Self::CoAuthor => &[domain::Excluded::CoAuthor],
            Self::Committer => &[domain::Excluded::Committer],
            Self::Merger => &[domain::Excluded::Merger],
            Self::Requester => &[domain::Excluded::Requester],
            Self::App => &[domain::Excluded::App],
        }
    }
}

impl Word for Allowed {
    fn word(self) -> &'static str {
        match self {
            Self::OpenHeads => "open-heads",
            Self::Forks => "forks",
            Self::Drafts => "drafts",
        }
    }
}
