//! People: who a person is to a repository and an environment, asked of the forge at this moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::policy::{self, Authorized, Holding, Unauthorized};
use crate::domain::reason::Verdict;
use crate::domain::text::{Text, code, named, person, text};
use crate::domain::{
    Account, Crowd, Environment, Exclude, Excluded, Fact, Forge, Login, PinKind, Question,
    Repository, Role, RoleName, Somebody,
};

/// Whose work would ship.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authors {
    people: Vec<(Account, Hand)>,
    /// Why anybody may be one of them, if so.
    anybody: Option<Text>,
    /// What could not be found out at this moment, if anything.
    unknown: Option<Text>,
}

/// What somebody had to do with it.
#[derive(Clone, Debug)]
pub(crate) struct Hand {
    pub(crate) by: Excluded,
    /// Behind their name.
    pub(crate) did: Text,
    /// With their name in it.
    pub(crate) done: Text,
}

impl Authors {
    /// Somebody had a hand in it, if that is something that the policy excludes.
    pub(crate) fn had(&mut self, exclude: &Exclude, who: &Somebody, hand: Hand) {
        let is_apps = exclude.has(Excluded::App)
            && [Excluded::CommitAuthor, Excluded::Opener, Excluded::Pusher].contains(&hand.by);
        match who {
            Somebody::Known(account) => {
                if is_apps && account.forge.is_app(&account.login) {
                    let nobody_knows = ", an app, and nobody knows who is behind it";
                    self.doubt(text![&hand.done, nobody_knows]);
                }
                if exclude.has(hand.by) {
                    self.people.push((account.clone(), hand));
                }
            }
            Somebody::Stranger(_) if exclude.has(hand.by) => {
                let way_out = way_out(exclude, hand.by);
                self.doubt(text![hand.done, ", who has no account here", way_out]);
            }
            Somebody::Stranger(_) => {}
        }
    }

    /// Anybody may be one of them; the first reason is enough.
    pub(crate) fn doubt(&mut self, why: impl Into<Text>) {
        self.anybody.get_or_insert_with(|| why.into());
    }

    /// This could not be found out, and may be found out later.
    pub(crate) fn miss(&mut self, why: impl Into<Text>) {
        self.unknown.get_or_insert_with(|| why.into());
    }
}

/// What a policy can do about lines that anybody can write.
fn way_out(exclude: &Exclude, by: Excluded) -> Text {
    if by != Excluded::CoAuthor {
        return Text::default();
    }
    if !exclude.has_authors() {
        return text![
            " (a policy without ",
            code(by.word()),
            " does not read such lines)"
        ];
    }
    let others = Excluded::AUTHOR.into_iter().filter(|one| *one != by);
    text![
        " (a policy that excludes ",
        Text::joined(others.map(|one| code(one.word())), ", "),
        " instead of ",
        code("author"),
        " does not read such lines)"
    ]
}

/// Whether a person belongs here at all.
pub(crate) enum Acquaintance {
    Known,
    /// Why, if there is more to say.
    Stranger(Option<Text>),
    Unclear(String),
}

/// Whether a person is named in any role, or belongs to the repository or to those whom roles name. Somebody who is
/// named is known without a question.
pub(crate) fn acquaintance(
    sitting: &Sitting<'_>,
    repository: &Repository,
    person: &Account,
) -> Acquaintance {
    let roles = sitting.catalog.roles.values();
    let mut names = roles.clone().flat_map(|role| role.users(person.forge));
    let is_person =
        |login: &Login| sitting.pin(PinKind::User, person.forge, login.as_str()) == Some(person.id);
    if names.any(is_person) {
        return Acquaintance::Known;
    }
    let crowds: BTreeSet<Crowd> = roles.flat_map(|role| role.crowds(person.forge)).collect();
    let question = Question::Acquaintance {
        repository: repository.clone(),
        person: person.clone(),
        crowds: crowds.into_iter().collect(),
    };
    match sitting.fact(question) {
        Ok(Fact::Acquaintance(true)) => Acquaintance::Known,
        Ok(Fact::Acquaintance(false)) => Acquaintance::Stranger(None),
        Ok(other) => Acquaintance::Unclear(misfit(other)),
        Err(why) => Acquaintance::Unclear(why),
    }
}

/// Whether a person may approve for an environment, now.
pub(crate) fn authorize(
    sitting: &Sitting<'_>,
    person: &Account,
    environment: &Environment,
    repository: &Repository,
    exclusion: Option<Unauthorized>,
) -> Result<Authorized, Unauthorized> {
    let holdings: BTreeMap<RoleName, Holding> = environment
        .approvals
        .keys()
        .map(|name| (name.clone(), holding(sitting, name, person, repository)))
        .collect();
    policy::authorize(person, &holdings, exclusion)
}

/// Whether a person has a role, as far as it can be found out.
pub(crate) fn holding(
    sitting: &Sitting<'_>,
    name: &RoleName,
    person: &Account,
    repository: &Repository,
) -> Holding {
    let Some(role) = sitting.catalog.roles.get(name) else {
        return Holding::Unknown(text![
            "the role ",
            code(name.as_str()),
            " is not configured"
        ]);
    };
    let mut unclear = Vec::new();
    for found in [
        by_name(sitting, role, person, repository),
        by_team(sitting, role, person, repository),
        by_role(sitting, role, person, repository),
    ] {
        match found {
            Holding::Held(rule) => return Holding::Held(rule),
            Holding::Unknown(why) => unclear.push(why),
            Holding::Not => {}
        }
    }
    if unclear.is_empty() {
        Holding::Not
    } else {
        Holding::Unknown(Text::joined(unclear, "; "))
    }
}

fn by_name(
    sitting: &Sitting<'_>,
    role: &Role,
    person: &Account,
    repository: &Repository,
) -> Holding {
    for login in role.users(person.forge) {
        match sitting.pin(PinKind::User, person.forge, login.as_str()) {
            // Who left, or was blocked, has the same name as ever, and may speak in a chat all the same.
            Some(id) if id == person.id => {
                return match sitting.role_of(repository, person) {
                    Ok(Some(_)) => {
                        Holding::Held(format!("named in role {} as {}", role.name, login))
                    }
                    Ok(None) => Holding::Not,
                    Err(why) => Holding::Unknown(text!["role in the repository: ", why]),
                };
            }
            Some(_) => {}
            None if login.as_str().eq_ignore_ascii_case(&person.login) => {
                return Holding::Unknown(text![
                    "the login ",
                    named(login.as_str()),
                    " has not been looked up yet"
                ]);
            }
            None => {}
        }
    }
    Holding::Not
}

fn by_team(
    sitting: &Sitting<'_>,
    role: &Role,
    person: &Account,
    repository: &Repository,
) -> Holding {
    let mut unclear = None;
    for team in role.crowds(person.forge) {
        let called = text![format!("{} ", team.kind()), code(&team.to_string())];
        let Some(pinned) = sitting.pin(PinKind::Team, person.forge, &team.to_string()) else {
            unclear = Some(text!["the ", called, " has not been looked up yet"]);
            continue;
        };
        match sitting.membership(repository, &team, person) {
            Ok(found) if found.team != pinned => {
                unclear = Some(text![
                    "the ",
                    called,
                    " is another one than it was: the name has changed hands"
                ]);
            }
            Ok(found) if found.active => {
                return Holding::Held(format!("active member of {} {team}", team.kind()));
            }
            Ok(_) => {}
            Err(why) => unclear = Some(text!["membership in ", called, ": ", why]),
        }
    }
    unclear.map_or(Holding::Not, Holding::Unknown)
}

fn by_role(
    sitting: &Sitting<'_>,
    role: &Role,
    person: &Account,
    repository: &Repository,
) -> Holding {
    if !role.goes_by_access(person.forge) {
        return Holding::Not;
    }
    match sitting.role_of(repository, person) {
        Ok(Some(held)) if role.is_given_by(person.forge, &held) => {
            Holding::Held(format!("role {held} in the repository"))
        }
        Ok(_) => Holding::Not,
        Err(why) => Holding::Unknown(text!["role in the repository: ", why]),
    }
}

/// Why a person's approval does not count here, although a role would let it.
pub(crate) fn exclusion(
    person: &Account,
    environment: &Environment,
    authors: &Authors,
    requester: &Account,
) -> Option<Unauthorized> {
    let exclude = &environment.exclude;
    if exclude.has(Excluded::Requester) && person.id == requester.id {
        let why = "asked for this release, and the policy excludes the requester";
        return Some(Unauthorized::Excluded(why.into()));
    }
    let own = authors.people.iter().filter(|(one, _)| one.id == person.id);
    if let Some((_, hand)) = own.min_by_key(|(_, hand)| hand.by) {
        let word = code(exclude.word_for(hand.by));
        let way_out = way_out(exclude, hand.by);
        let why = text![&hand.did, ", and the policy excludes ", word, way_out];
        return Some(Unauthorized::Excluded(why));
    }
    if let Some(why) = &authors.anybody {
        let why = text!["may be an author of what would ship: ", why];
        return Some(Unauthorized::Excluded(why));
    }
    let unknown = authors.unknown.clone()?;
    Some(Unauthorized::Unclear(vec![unknown]))
}

/// Who can fill a role.
pub(crate) fn who(sitting: &Sitting<'_>, name: &RoleName) -> Text {
    who_but(sitting, name, None)
}

/// Who can fill a role, without a person who has just been refused.
fn who_but(sitting: &Sitting<'_>, name: &RoleName, refused: Option<&Account>) -> Text {
    let Some(role) = sitting.catalog.roles.get(name) else {
        return code(name.as_str()).into();
    };
    let mut who: Vec<Text> = Vec::new();
    for forge in Forge::ALL {
        let is_refused = |login: &str| {
            refused.is_some_and(|one| one.forge == forge && one.login.eq_ignore_ascii_case(login))
        };
        who.extend(
            role.users(forge)
                .iter()
                .filter(|login| !is_refused(login.as_str()))
                .map(|login| named(login.as_str()).into()),
        );
        let crowds = role.crowds(forge);
        who.extend(
            crowds
                .iter()
                .map(|crowd| text![format!("{} ", crowd.kind()), code(&crowd.to_string())]),
        );
    }
    who.extend(
        role.github_roles
            .iter()
            .map(|role| text!["anyone with ", code(role.as_str()), " in the repository"]),
    );
    who.extend(role.gitlab_access_level.iter().map(|level| {
        let level = code(&level.to_string());
        text!["anyone with ", level, " or more in the project"]
    }));
    if who.is_empty() {
        who.push("nobody else".into());
    }
    text![code(name.as_str()), " (", Text::joined(who, ", "), ")"]
}

/// The people and groups who can help with an environment's approvals.
pub(crate) fn helpers(sitting: &Sitting<'_>, environment: &Environment) -> Text {
    let roles = environment.approvals.keys();
    Text::joined(roles.map(|role| who(sitting, role)), "; ")
}

/// The way out for a person who may not: who else may.
pub(crate) fn others(sitting: &Sitting<'_>, environment: &Environment, refused: &Account) -> Text {
    let roles = environment.approvals.keys();
    let who = roles.map(|role| who_but(sitting, role, Some(refused)));
    text!["Ask one of these: ", Text::joined(who, "; "), "."]
}

/// Why a person may not approve, as a sentence about them; and whether that is only unclear.
pub(crate) fn refusal(about: &Account, why: &Unauthorized) -> (Verdict, Text) {
    let who = person(about);
    match why {
        Unauthorized::NoRole => (
            Verdict::Refuses,
            text![who, " has none of the roles that approve here"],
        ),
        Unauthorized::Unclear(why) => (
            Verdict::Unknown,
            text![
                "whether ",
                who,
                " may approve could not be found out: ",
                Text::joined(why, "; ")
            ],
        ),
        Unauthorized::Excluded(why) => (Verdict::Refuses, text![who, " ", why]),
    }
}
