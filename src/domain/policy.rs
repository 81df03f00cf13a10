//! Policies: who may say yes. `Authorized` is made here only, from what the forge says at this moment; an `Approval`
//! needs one, a `Quorum` needs enough approvals by different people, and a trigger needs a `Quorum`. So a release
//! without authorization has no spelling:
//!
//! ```compile_fail,E0451
//! use countersign::domain::{Approval, Quorum};
//! // The fields are private: only the policy makes one.
//! fn forge(approvals: Vec<Approval>) -> Quorum {
//!     Quorum { approvals }
//! }
//! ```
//!
//! ```compile_fail,E0451
//! use std::collections::BTreeMap;
//! use countersign::domain::{Account, Authorized, RoleName};
//! fn forge(person: Account, roles: BTreeMap<RoleName, String>) -> Authorized {
//!     Authorized { person, roles }
//! }
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::text::Text;
use super::{Account, Environment, RoleName};

/// A person who may approve for one environment, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    person: Account,
    /// The environment's roles that the person holds, and by which rule.
    roles: BTreeMap<RoleName, String>,
}

/// What a person holds of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// By this rule.
    Held(String),
    Not,
    /// It could not be found out.
    Unknown(Text),
}

/// Why a person is not authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unauthorized {
    /// Holds none of the environment's roles.
    NoRole,
    /// These could not be found out: what they hold, or what they had to do with what would ship.
    Unclear(Vec<Text>),
    /// Holds a role, and is excluded.
    Excluded(Text),
}

/// An authorized person said yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    by: Authorized,
    at: Timestamp,
}

/// Enough approvals by different people, one for each place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    approvals: Vec<Approval>,
}

/// How far a quorum is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Approvals that have a place.
    pub filled: u32,
    pub needed: u32,
    /// Places that are still free, by role.
    pub missing: BTreeMap<RoleName, u32>,
}

/// Decides whether a person may approve: holds a role of the environment and is not excluded.
pub fn authorize(
    person: &Account,
    holdings: &BTreeMap<RoleName, Holding>,
    exclusion: Option<Unauthorized>,
) -> Result<Authorized, Unauthorized> {
    let roles: BTreeMap<RoleName, String> = holdings
        .iter()
        .filter_map(|(role, holding)| match holding {
            Holding::Held(rule) => Some((role.clone(), rule.clone())),
            Holding::Not | Holding::Unknown(_) => None,
        })
        .collect();
    if roles.is_empty() {
        let unclear: Vec<Text> = holdings
            .values()
            .filter_map(|holding| match holding {
                Holding::Unknown(why) => Some(why.clone()),
                Holding::Held(_) | Holding::Not => None,
            })
            .collect();
        return Err(if unclear.is_empty() {
            Unauthorized::NoRole
        } else {
            Unauthorized::Unclear(unclear)
        });
    }
    match exclusion {
        Some(why) => Err(why),
        None => Ok(Authorized {
            person: person.clone(),
            roles,
        }),
    }
}

impl Authorized {
    pub fn person(&self) -> &Account {
        &self.person
    }

    pub fn roles(&self) -> &BTreeMap<RoleName, String> {
        &self.roles
    }
}

impl Approval {
    pub fn new(by: Authorized, at: Timestamp) -> Self {
        Self { by, at }
    }

    pub fn by(&self) -> &Authorized {
        &self.by
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl Quorum {
    /// Gives every place of the environment's policy to another person, if that can be done.
    pub fn gather(approvals: Vec<Approval>, environment: &Environment) -> Result<Self, Shortage> {
        let places: Vec<&RoleName> = environment
            .approvals
            .iter()
            .flat_map(|(role, count)| std::iter::repeat_n(role, *count as usize))
            .collect();
        let mut people: Vec<&Approval> = Vec::new();
        for approval in &approvals {
            let id = approval.by.person.id;
            if people.iter().all(|known| known.by.person.id != id) {
                people.push(approval);
            }
        }
        let mut taken: Vec<Option<usize>> = vec![None; places.len()];
        for person in 0..people.len() {
            let mut tried = vec![false; places.len()];
            seat(person, &people, &places, &mut taken, &mut tried);
        }
        let mut missing = BTreeMap::new();
        for (place, taken) in places.iter().zip(&taken) {
            if taken.is_none() {
                *missing.entry((*place).clone()).or_insert(0) += 1;
            }
        }
        // An environment without places is not a policy, and no policy means refusal.
        if missing.is_empty() && !places.is_empty() {
            return Ok(Self { approvals });
        }
        let needed = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let free: u32 = missing.values().sum();
        Err(Shortage {
            filled: needed - free,
            needed,
            missing,
        })
    }

    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }
}

/// Finds a place for a person, asking those who sit already to move: an augmenting path of a bipartite
/// matching.
fn seat(
    person: usize,
    people: &[&Approval],
    places: &[&RoleName],
    taken: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for place in 0..places.len() {
        if tried[place] || !people[person].by.roles.contains_key(places[place]) {
            continue;
        }
        tried[place] = true;
        let free = match taken[place] {
            None => true,
            Some(other) => seat(other, people, places, taken, tried),
        };
        if free {
            taken[place] = Some(person);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::trigger::deployment::Deployment;
    use crate::domain::{Allow, Exclude, Forge, Trigger};

    fn role(name: &str) -> RoleName {
        name.parse().unwrap()
    }

    fn environment(approvals: &[(&str, u32)]) -> Environment {
        Environment {
            name: "prod".parse().unwrap(),
            aliases: Vec::new(),
            formerly: None,
            after: "build".parse().unwrap(),
            approvals: approvals
                .iter()
                .map(|(name, count)| (role(name), *count))
                .collect(),
            exclude: Exclude::default(),
            expires: "4h".parse().unwrap(),
            follow: "10m".parse().unwrap(),
            allow: Allow::default(),
            freeze: None,
            trigger: Trigger::Deployment(Deployment {
                environment: "prod".parse().unwrap(),
                reporter: None,
            }),
        }
    }

    fn approval(id: u64, roles: &[&str]) -> Approval {
        let person = Account {
            forge: Forge::GitHub,
            id,
            login: format!("p{id}"),
        };
        let holdings = roles
            .iter()
            .map(|name| (role(name), Holding::Held("named".to_owned())))
            .collect();
        let by = authorize(&person, &holdings, None).unwrap();
        Approval::new(by, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_place_needs_another_person() {
        type Given<'a> = &'a [(u64, &'a [&'a str])];
        let check = |policy: &[(&str, u32)], given: Given<'_>, filled: Option<u32>| {
            let approvals = given.iter().map(|(id, roles)| approval(*id, roles));
            let gathered = Quorum::gather(approvals.collect(), &environment(policy));
            assert_eq!(
                gathered.err().map(|short| short.filled),
                filled,
                "{policy:?} {given:?}"
            );
        };
        check(&[("deployer", 1)], &[], Some(0));
        check(&[("deployer", 1)], &[(1, &["deployer"])], None);
        check(&[("deployer", 2)], &[(1, &["deployer"])], Some(1));
        check(
            &[("deployer", 2)],
            &[(1, &["deployer"]), (1, &["deployer"])],
            Some(1),
        );
        check(
            &[("deployer", 1), ("qa", 1)],
            &[(1, &["deployer", "qa"])],
            Some(1),
        );
        check(
            &[("deployer", 1), ("qa", 1)],
            &[(1, &["deployer", "qa"]), (2, &["deployer"])],
            None,
        );
        check(&[("qa", 1)], &[(1, &["deployer"])], Some(0));
        check(&[], &[(1, &["deployer"])], Some(0));
    }

    #[test]
    fn what_could_not_be_found_out_is_no_role() {
        let person = Account {
            forge: Forge::GitHub,
            id: 1,
            login: "ann".to_owned(),
        };
        let holdings = BTreeMap::from([(role("qa"), Holding::Unknown("GitHub is down".into()))]);
        assert_eq!(
            authorize(&person, &holdings, None),
            Err(Unauthorized::Unclear(vec!["GitHub is down".into()]))
        );
        let holdings = BTreeMap::from([(role("qa"), Holding::Not)]);
        assert_eq!(
            authorize(&person, &holdings, None),
            Err(Unauthorized::NoRole)
        );
        let holdings = BTreeMap::from([(role("qa"), Holding::Held("named".to_owned()))]);
        assert!(
            authorize(
                &person,
                &holdings,
                Some(Unauthorized::Excluded("author".into()))
            )
            .is_err()
        );
    }

    proptest! {
        /// Whatever people hold and however often they say yes: as many different people as places.
        #[test]
        fn a_quorum_has_as_many_people_as_places(
            given in prop::collection::vec((0u64..5, prop::collection::btree_set(0usize..3, 1..3)), 0..8),
            places in prop::collection::vec(1u32..3, 1..3),
        ) {
            const NAMES: [&str; 3] = ["deployer", "qa", "lead"];
            let policy: Vec<(&str, u32)> = NAMES.into_iter().zip(places).collect();
            let needed: u32 = policy.iter().map(|(_, count)| count).sum();
            let approvals: Vec<Approval> = given
                .iter()
                .map(|(id, roles)| {
                    let roles: Vec<&str> = roles.iter().map(|role| NAMES[*role]).collect();
                    approval(*id, &roles)
                })
                .collect();
            let people: std::collections::BTreeSet<u64> =
                given.iter().map(|(id, _)| *id).collect();
            match Quorum::gather(approvals, &environment(&policy)) {
                Ok(_) => prop_assert!(people.len() >= needed as usize),
                Err(short) => prop_assert!(short.filled < needed),
            }
        }
    }
}
