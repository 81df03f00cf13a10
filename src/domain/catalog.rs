//! The catalog: everything that is configured about services and people. This is what the rest of the program gets from
//! `bot.toml`; it holds no secrets.

use std::collections::BTreeMap;

use super::{
    Chat, Environment, EnvironmentName, Forge, PolicyDigest, RepoRef, Role, RoleName, SealedPolicy,
    Service, ServiceName,
};

/// The services and the roles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// The roles that approvals name.
    pub roles: BTreeMap<RoleName, Role>,
    /// The services, in the order of the file.
    pub services: Vec<Service>,
    /// Each environment's policy with its digest: an approval counts only under the policy that it was
    /// given under. What is not in here has no policy, and nothing is released to it.
    pub policies: BTreeMap<(ServiceName, EnvironmentName), SealedPolicy>,
    /// The guilds and workspaces that are ours; commands from any other are not obeyed.
    pub tenants: Vec<(Chat, String)>,
    /// Where the forges show their pages to people, without a slash at the end.
    pub web_urls: BTreeMap<Forge, String>,
}

impl Catalog {
    /// The service that has, or had, this name.
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|service| service.is_called(name))
    }

    /// Which names follow which, for the log: `store/live = shop/prod`.
    pub fn renames(&self) -> Vec<String> {
        let mut renames = Vec::new();
        for service in &self.services {
            let before = service.formerly.as_ref().unwrap_or(&service.name);
            for environment in &service.environments {
                let was = environment.formerly.as_ref().unwrap_or(&environment.name);
                if before != &service.name || was != &environment.name {
                    let (service, environment) = (&service.name, &environment.name);
                    renames.push(format!("{service}/{environment} = {before}/{was}"));
                }
            }
        }
        renames
    }

    /// The services that live in this repository. Forges compare paths without regard to case.
    pub fn services_in<'a>(&'a self, repo: &'a RepoRef) -> impl Iterator<Item = &'a Service> {
        self.services.iter().filter(move |service| {
            service.repo.forge() == repo.forge()
                && service.repo.path().eq_ignore_ascii_case(repo.path())
        })
    }

    /// The services that a channel is for; all of them, if no service names it.
    pub fn services_of(&self, chat: Chat, channel: &str) -> Vec<&Service> {
        let named = |service: &&Service| {
            let mut channels = service.notify.iter();
            channels.any(|one| one.channel.is(chat, channel))
        };
        let bound: Vec<&Service> = self.services.iter().filter(named).collect();
        if bound.is_empty() {
            self.services.iter().collect()
        } else {
            bound
        }
    }

    /// Whether commands in a channel may be about an environment of one of its services.
    pub fn allows(
        &self,
        (chat, channel): (Chat, &str),
        service: &Service,
        environment: &EnvironmentName,
    ) -> bool {
        let mut own = service
            .notify
            .iter()
            .filter(|one| one.channel.is(chat, channel))
            .peekable();
        own.peek().is_none() || own.any(|one| one.covers(environment))
    }

    /// The policy of an environment, if it has one.
    pub fn policy(&self, service: &Service, environment: &Environment) -> Option<&SealedPolicy> {
        let key = (service.name.clone(), environment.name.clone());
        self.policies.get(&key)
    }

    /// Names all policies together: whoever may release what, and after which gates.
    pub fn rules(&self) -> PolicyDigest {
        let line =
            |((service, environment), policy): (&(ServiceName, EnvironmentName), &SealedPolicy)| {
                format!("{service}/{environment} {}\n", policy.digest.as_str())
            };
        let lines: Vec<String> = self.policies.iter().map(line).collect();
        PolicyDigest::of(&lines.concat())
    }

    /// Puts the policies in.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        let mut policies = BTreeMap::new();
        for service in &self.services {
            for environment in &service.environments {
                let roles: Vec<&Role> = environment
                    .approvals
                    .keys()
                    .filter_map(|name| self.roles.get(name))
                    .collect();
                let key = (service.name.clone(), environment.name.clone());
                if let Some(policy) = SealedPolicy::of(service, environment, &roles) {
                    policies.insert(key, policy);
                }
            }
        }
        self.policies = policies;
        self
    }
}
