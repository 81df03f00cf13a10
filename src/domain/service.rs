//! Services: what is deployed: one repository, or some paths of one, with a release branch.

use super::{
    Branch, Environment, EnvironmentName, PathPattern, RepoRef, ServiceName, Stage, Subscription,
};

/// What is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name, unique in the configuration.
    pub name: ServiceName,
    /// What it was called before. What was released, is live or closed under that name is its own.
    pub formerly: Option<ServiceName>,
    /// The repository.
    pub repo: RepoRef,
    /// The release branch.
    pub branch: Branch,
    /// The paths that belong to the service; empty means the whole repository.
    pub paths: Vec<PathPattern>,
    /// The channels that are told about it.
    pub notify: Vec<Subscription>,
    /// The steps, in order; at least one.
    pub stages: Vec<Stage>,
    /// Where candidates can be released; at least one.
    pub environments: Vec<Environment>,
}

impl Service {
    /// The name and the former one.
    pub fn names(&self) -> impl Iterator<Item = &ServiceName> {
        std::iter::once(&self.name).chain(&self.formerly)
    }

    /// By which names what is stored may be about one of its environments.
    pub fn names_with<'s>(
        &'s self,
        environment: &'s Environment,
    ) -> impl Iterator<Item = (ServiceName, EnvironmentName)> + 's {
        self.names().flat_map(|service| {
            let environments = environment.names();
            environments.map(move |environment| (service.clone(), environment.clone()))
        })
    }

    /// Whether this is or was its name.
    pub fn is_called(&self, name: &ServiceName) -> bool {
        self.names().any(|one| one == name)
    }

    /// The environment that has, or had, this name.
    pub fn environment_called(&self, name: &EnvironmentName) -> Option<&Environment> {
        let mut environments = self.environments.iter();
        environments.find(|one| one.is_called(name))
    }

    /// The environment that a command means, by name or alias.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.answers_to(name))
    }

    /// The stages that a candidate must pass before this environment, in order.
    pub fn stages_before(&self, environment: &Environment) -> &[Stage] {
        let last = self
            .stages
            .iter()
            .position(|stage| stage.name == environment.after);
        match last {
            Some(last) => self.stages.get(..=last).unwrap_or(&self.stages),
            None => &self.stages,
        }
    }

    /// Whether a changed path belongs to the service.
    pub fn covers(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.matches(path))
    }
}
