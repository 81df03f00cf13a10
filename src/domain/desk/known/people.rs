//! People: who a person is to a repository and an environment, asked of the forge at this moment.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::policy::{self, Authorized, Holding, Unauthorized};
use crate::domain::reason::Verdict;
use crate::domain::text::{Text, code, named, person, text};
use crate::domain::{
    Account, Crowd, Environment, Fact, Forge, Login, PinKind, Question, Repository, Role, RoleName,
};

/// Whose work would ship.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authors {
    pub(crate) people: Vec<Account>,
    /// Why not all authors are known, if so.
    pub(crate) unclear: Option<Text>,
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
    exclusion: Option<Text>,
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
            Some(id) if id == person.id => {
                let rule = format!("named in role {} as {}", role.name, login);
                if !person.forge.blocks_people() {
                    return Holding::Held(rule);
                }
                return match sitting.role_of(repository, person) {
                    Ok(Some(_)) => Holding::Held(rule),
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
) -> Option<Text> {
    if environment.exclude.requester && person.id == requester.id {
        return Some("asked for this release, and the policy excludes the requester".into());
    }
    if environment.exclude.author {
        if authors.people.iter().any(|author| author.id == person.id) {
            return Some("is an author of what would ship, and the policy excludes authors".into());
        }
        if let Some(why) = &authors.unclear {
            return Some(text!["may be an author of what would ship: ", why]);
        }
    }
    None
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
