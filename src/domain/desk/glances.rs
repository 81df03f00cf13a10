//! Glances: what a reader sees who asks for nothing. Nothing is decided and nothing written; what is missing is named,
//! as in every sitting.

use crate::domain::desk::asked::show;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::view::{Glance, StatusView, View};
use crate::domain::{EnvironmentName, Repository, Service, ServiceName};

/// The view that a glance wants.
pub(crate) fn look(sitting: &Sitting<'_>, glance: &Glance) -> Result<View, Reason> {
    match glance {
        Glance::Status { services } => {
            let mut shown = Vec::new();
            for name in services {
                let service = service(sitting, name)?;
                let repository = repository(sitting, service)?;
                shown.push(show::of_service(sitting, &repository, service, None));
            }
            Ok(View::Status(StatusView { services: shown }))
        }
        Glance::Examined {
            service,
            environment,
            sha,
        } => {
            let place = place(sitting, service, environment)?;
            let repository = repository(sitting, place.service)?;
            let meant = sha.clone().into();
            let examined = show::examined(sitting, &repository, place, meant);
            Ok(View::Examined(Box::new(examined)))
        }
        Glance::People {
            service,
            environment,
        } => {
            let place = place(sitting, service, environment)?;
            Ok(View::People(show::who_can(sitting, place)))
        }
    }
}

fn service<'c>(sitting: &Sitting<'c>, name: &ServiceName) -> Result<&'c Service, Reason> {
    sitting.catalog.service(name).ok_or_else(|| {
        let services: Vec<&Service> = sitting.catalog.services.iter().collect();
        named::no_service(name.as_str(), &services)
    })
}

fn place<'c>(
    sitting: &Sitting<'c>,
    name: &ServiceName,
    environment: &EnvironmentName,
) -> Result<Destination<'c>, Reason> {
    let service = service(sitting, name)?;
    let mut environments = service.environments.iter();
    let environment = environments
        .find(|one| one.name == *environment)
        .ok_or_else(|| named::no_environment(environment.as_str(), &[service]))?;
    Ok(Destination {
        service,
        environment,
    })
}

fn repository(sitting: &Sitting<'_>, service: &Service) -> Result<Repository, Reason> {
    sitting.bound_to(service).ok_or_else(|| {
        let says = format!(
            "nothing was heard of the repository of {} yet",
            service.name
        );
        Reason::unknown(Rule::REPOSITORY, says)
    })
}
