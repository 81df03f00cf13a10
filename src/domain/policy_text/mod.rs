//! The policy of an environment as one canonical text: who and how many, and everything that decides what they approve.
//! What only says when, or whom to tell, is outside and asked anew at the departure; `keys` lists both. Nothing is
//! hashed here: the digest is made by a function that is handed in.

mod canonical;
mod first;
pub mod keys;

pub(crate) use canonical::Record;

use canonical::Piece;

use super::{
    Allow, AppId, Environment, Exclude, Excluded, Forge, Gate, PathPattern, PolicyDigest, RepoRef,
    RepositoryRole, Role, Service, Stage, TimeSpan,
};

/// The version of the text. It grows only when the same meaning must be written differently, which voids
/// whatever waits; a key that is new is left out where it is not set, and changes nothing.
const VERSION: u64 = 1;

/// A policy that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPolicy {
    /// What people approve under, readable without the configuration of that day.
    pub text: String,
    /// Names the text.
    pub digest: PolicyDigest,
    /// How it was named before it had a text.
    pub first: Option<PolicyDigest>,
    /// How it was named while `author` meant whoever the commits say. What was asked for under these names was asked
    /// for under another policy.
    pub narrower: Vec<PolicyDigest>,
}

impl SealedPolicy {
    /// Spells a policy and names it. There is none where an approval asks for a role that is not defined.
    pub(super) fn of(
        service: &Service,
        environment: &Environment,
        roles: &[&Role],
    ) -> Option<Self> {
        let excluded = words(environment.exclude.each().map(Excluded::word));
        let text = spell(service, environment, roles, excluded)?;
        let first = first::spell(service, environment, roles).map(|text| PolicyDigest::of(&text));
        let once = narrower(&environment.exclude);
        let once = once.and_then(|excluded| spell(service, environment, roles, excluded));
        let once = once.map(|text| PolicyDigest::of(&text));
        let (first, narrower) = match once {
            Some(once) => (None, std::iter::once(once).chain(first).collect()),
            None => (first, Vec::new()),
        };
        Some(Self {
            digest: PolicyDigest::of(&text),
            first,
            narrower,
            text,
        })
    }

    /// Whether what was asked for under a policy of this digest was asked for under this one. The digest is
    /// whatever a request brings along: a text that names no policy names this one least of all.
    pub fn is_named(&self, digest: &str) -> bool {
        let names = |own: &PolicyDigest| own.as_str() == digest;
        names(&self.digest) || self.first.as_ref().is_some_and(names)
    }

    /// Whether the policy of this digest has the words of this one, and meant less by `author`.
    pub fn was_narrower(&self, digest: &str) -> bool {
        self.narrower.iter().any(|own| own.as_str() == digest)
    }
}

fn spell(
    service: &Service,
    environment: &Environment,
    roles: &[&Role],
    excluded: Piece,
) -> Option<String> {
    let forge = service.repo.forge();
    let policy = Record::default()
        .with("allow", allowed(environment.allow))
        .with("approvals", approvals(forge, environment, roles)?)
        .with("branch", service.branch.as_str())
        .with("exclude", excluded)
        .with(
            "paths",
            Piece::set(service.paths.iter().map(PathPattern::as_str)),
        )
        .with("repo", repository(&service.repo))
        .with(
            "stages",
            Piece::ordered(service.stages_before(environment).iter().map(stage)),
        )
        .with("trigger", environment.trigger.kind().spelled())
        .with("v", VERSION);
    Piece::from(policy).text()
}

/// How many people of which roles. The names of roles are left out: who has them decides.
fn approvals(forge: Forge, environment: &Environment, roles: &[&Role]) -> Option<Piece> {
    let approvals: Option<Vec<Record>> = environment
        .approvals
        .iter()
        .map(|(name, people)| {
            let role = roles.iter().find(|role| role.name == *name)?;
            Some(who(forge, role).with("people", u64::from(*people)))
        })
        .collect();
    // Two roles that the same people have are still two approvals.
    approvals.map(Piece::unordered)
}

/// Who has a role on this forge. Forges compare these names without regard to case.
fn who(forge: Forge, role: &Role) -> Record {
    let users = names(role.users(forge));
    let crowds = names(&role.crowds(forge));
    let roles = role.github_roles.iter().map(RepositoryRole::as_str);
    match forge {
        Forge::GitHub => Record::default()
            .with("github_roles", Piece::set(roles))
            .with("github_teams", crowds)
            .with("github_users", users),
        Forge::GitLab => Record::default()
            .with_some(
                "gitlab_access_level",
                role.gitlab_access_level.map(|level| level.to_string()),
            )
            .with("gitlab_groups", crowds)
            .with("gitlab_users", users),
    }
}

fn names(names: &[impl ToString]) -> Piece {
    Piece::set(
        names
            .iter()
            .map(|name| name.to_string().to_ascii_lowercase()),
    )
}

fn repository(repo: &RepoRef) -> String {
    repo.to_string().to_ascii_lowercase()
}

fn words<'w>(said: impl IntoIterator<Item = &'w str>) -> Piece {
    Piece::set(said)
}

/// As a version spelled it that knew two words. It is none where `author` is not excluded, or more than that version knew.
fn narrower(exclude: &Exclude) -> Option<Piece> {
    let is_known = |who: Excluded| who == Excluded::Requester || Excluded::AUTHOR.contains(&who);
    let knows_all = exclude.has_authors() && exclude.each().all(is_known);
    let requester = exclude.has(Excluded::Requester).then_some("requester");
    knows_all.then(|| words(std::iter::once("author").chain(requester)))
}

fn allowed(allow: Allow) -> Piece {
    let Allow {
        open_heads,
        forks,
        drafts,
    } = allow;
    let said = [
        ("open-heads", open_heads),
        ("forks", forks),
        ("drafts", drafts),
    ];
    words(
        said.into_iter()
            .filter_map(|(word, is_said)| is_said.then_some(word)),
    )
}

fn stage(stage: &Stage) -> Record {
    Record::default()
        .with("gates", Piece::set(stage.gates.iter().map(gate)))
        .with_some("soak", stage.soak.map(TimeSpan::seconds))
}

fn gate(gate: &Gate) -> Record {
    Record::default()
        .with_some("app", gate.app().map(AppId::get))
        .with(
            "events",
            Piece::set(gate.events().iter().map(String::as_str)),
        )
        .with_some("posted", gate.is_posted().then_some("any workflow"))
        .with(gate.kind(), gate.name().as_str())
}
