//! The policy that a request was asked for under: what it is when the request departs decides.

use super::any_order::{at, catalog, repository, sha};
use super::memory::Memory;
use crate::domain::{
    Account, Catalog, Due, Ended, Forge, Incoming, Internal, Place, Request, RequestKind, Role,
    State, Surface,
};

/// The catalog with the role that its approvals ask for, and its policies.
pub(super) fn sealed(mut catalog: Catalog) -> Catalog {
    let deployer = Role {
        name: "deployer".parse().unwrap(),
        github_users: vec!["ann".parse().unwrap()],
        github_teams: Vec::new(),
        github_roles: Vec::new(),
        gitlab_users: Vec::new(),
        gitlab_groups: Vec::new(),
        gitlab_access_level: None,
    };
    catalog.roles.insert(deployer.name.clone(), deployer);
    catalog.sealed()
}

/// The digest of the only policy.
pub(super) fn in_force(catalog: &Catalog) -> String {
    let policy = catalog.policies.values().next().unwrap();
    policy.digest.to_string()
}

fn request(policy: &str) -> Request {
    Request {
        number: 1,
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        repository: repository(),
        sha: sha(1),
        kind: RequestKind::Deploy,
        by: Account {
            forge: Forge::GitHub,
            id: 5,
            login: "ann".to_owned(),
        },
        reason: None,
        origin: Surface::Comment(Place {
            repository: repository(),
            pull_request: 3,
            comment: 1,
            written_at: at(0),
        }),
        thread: "asked".to_owned(),
        open_head: None,
        policy: policy.to_owned(),
        opened_at: at(0),
        expires_at: at(3_600),
        given: Vec::new(),
        state: State::Waiting,
    }
}

/// How a request of this policy ended when the desk looked whether it may depart.
fn ended(policy: &str, catalog: &Catalog) -> Option<Ended> {
    let mut memory = Memory::default();
    memory.requests.insert(1, request(policy));
    let due = Due::Depart {
        service: "shop".parse().unwrap(),
        request: 1,
        attempt: 0,
    };
    let incoming = Incoming::Internal(Internal::Due(due));
    memory.hear(&incoming, catalog, at(10));
    memory.requests[&1].ended()
}

#[test]
fn only_the_policy_in_force_lets_a_request_wait_on() {
    let ours = sealed(catalog());
    let policy = ours.policies.values().next().unwrap();
    let old = policy.first.as_ref().unwrap().to_string();
    let current = policy.digest.to_string();
    assert_ne!(old, current);
    let check = |policy: &str, expect: Option<Ended>| {
        assert_eq!(ended(policy, &ours), expect, "{policy:?}");
    };
    check(&current, None);
    check(&old, None);
    check("", Some(Ended::Voided));
    check("none", Some(Ended::Voided));
    check(&current.to_uppercase(), Some(Ended::Voided));
    check(&"0".repeat(64), Some(Ended::Voided));
}

#[test]
fn without_a_policy_nothing_matches() {
    // The role that its approvals ask for is not defined.
    let without_role = catalog().sealed();
    assert_eq!(without_role.policies.len(), 0);
    for policy in ["", "none", &in_force(&sealed(catalog()))] {
        assert_eq!(ended(policy, &without_role), Some(Ended::Voided));
        assert_eq!(ended(policy, &catalog()), Some(Ended::Voided));
    }
}

#[test]
fn a_freeze_voids_nothing_whichever_version_asked() {
    let ours = sealed(catalog());
    let mut frozen = catalog();
    frozen.services[0].environments[0].freeze = Some("audit".to_owned());
    let frozen = sealed(frozen);
    assert_eq!(frozen.policies, ours.policies);
    assert_eq!(ended(&in_force(&ours), &frozen), None);
}
