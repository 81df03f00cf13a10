//! What a command names: a service, an environment, a request; and whether its author may touch it.

use crate::domain::desk::known::people::{self, refusal};
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, code};
use crate::domain::{Asked, Environment, Origin, Request, Service};

/// The service and environment of a request, while they are configured.
pub(crate) fn configured<'a>(
    sitting: &Sitting<'a>,
    request: &Request,
) -> Option<(&'a Service, &'a Environment)> {
    let service = sitting.catalog.service(&request.service)?;
    let environment = service
        .environments
        .iter()
        .find(|environment| environment.name == request.environment)?;
    Some((service, environment))
}

/// The service and environment that a command names.
pub(crate) fn place<'s>(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&'s Service],
    service: Option<&str>,
    environment: &str,
) -> Result<(&'s Service, &'s Environment), Reason> {
    let named = services_called(services, service)?;
    let mut found = named.iter().filter_map(|service| {
        service
            .environment(environment)
            .map(|environment| (*service, environment))
    });
    match (found.next(), found.next()) {
        (Some(place), None) => within(sitting, asked, place.0, place.1).map(|()| place),
        (Some(_), Some(_)) => {
            let names = list(named.iter().map(|service| service.name.as_str()));
            Err(
                Reason::refuses(format!("several services have {}", code(environment)))
                    .help(format!("Name one with `--service`: {names}.")),
            )
        }
        (None, _) => {
            let names = named
                .iter()
                .flat_map(|service| &service.environments)
                .map(|environment| environment.name.as_str());
            Err(
                Reason::refuses(format!("there is no environment {}", code(environment)))
                    .help(format!("There are {}.", list(names))),
            )
        }
    }
}

fn services_called<'s>(
    services: &[&'s Service],
    name: Option<&str>,
) -> Result<Vec<&'s Service>, Reason> {
    let Some(name) = name else {
        return Ok(services.to_vec());
    };
    let found: Vec<&Service> = services
        .iter()
        .copied()
        .filter(|service| service.name.as_str() == name)
        .collect();
    if found.is_empty() {
        let names = list(services.iter().map(|service| service.name.as_str()));
        return Err(
            Reason::refuses(format!("no service here is called {}", code(name)))
                .help(format!("There are {names}.")),
        );
    }
    Ok(found)
}

/// The request that a command means: the one with the number, or the only one of this pull
/// request that fits: a yes said elsewhere means something else.
pub(crate) fn waiting(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    number: Option<u64>,
    fits: impl Fn(&Request) -> bool,
) -> Result<Request, Reason> {
    if let Some(number) = number {
        let request = sitting
            .request(number)
            .filter(|request| services.iter().any(|one| one.name == request.service));
        return match request {
            None => Err(Reason::refuses(format!(
                "there is no request #{number} here"
            ))),
            Some(request) if !fits(&request) => Err(Reason::refuses(format!(
                "{} does not wait for an answer: it is {}",
                in_full(&request),
                request.state.word()
            ))),
            Some(request) => is_within(sitting, asked, request),
        };
    }
    let mut open: Vec<Request> = services
        .iter()
        .flat_map(|service| sitting.open_requests(service))
        .filter(|request| fits(request))
        .collect();
    let numbers = |open: &[Request]| {
        let names = open.iter().map(|one| format!("#{}", one.number));
        names.collect::<Vec<_>>().join(", ")
    };
    let elsewhere = numbers(&open);
    // A chat has no pull request: there, the only one that waits is meant.
    if let Some(place) = asked.origin.comment() {
        open.retain(|request| {
            request
                .origin
                .comment()
                .is_some_and(|asked_in| asked_in.pull_request == place.pull_request)
        });
    }
    let here = numbers(&open);
    match (open.pop(), open.is_empty()) {
        (None, _) if elsewhere.is_empty() => {
            Err(Reason::refuses("no request waits for an answer here"))
        }
        (None, _) => Err(
            Reason::refuses("no request of this pull request waits for an answer")
                .help(format!("Name another one: {elsewhere}.")),
        ),
        (Some(request), true) => is_within(sitting, asked, request),
        (Some(_), false) => {
            Err(Reason::refuses("several requests wait").help(format!("Name one: {here}.")))
        }
    }
}

/// A channel may be for some services and environments only.
fn is_within(sitting: &Sitting<'_>, asked: &Asked, request: Request) -> Result<Request, Reason> {
    if let Some((service, environment)) = configured(sitting, &request) {
        within(sitting, asked, service, environment)?;
    }
    Ok(request)
}

/// The services that a command may be about: in a chat, those of the channel.
pub(crate) fn shown_here<'s>(
    sitting: &Sitting<'_>,
    asked: &Asked,
    mut services: Vec<&'s Service>,
) -> Vec<&'s Service> {
    if let Origin::Chat(spot) = &asked.origin {
        let bound = sitting
            .catalog
            .services_of(spot.speaker.chat, &spot.channel);
        services.retain(|service| bound.iter().any(|one| one.name == service.name));
    }
    services
}

/// Only whoever asked, or may approve, stops a request.
pub(crate) fn involved(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: Request,
) -> Result<Request, Reason> {
    if request.by.id == asked.author.id {
        return Ok(request);
    }
    let Some((_, environment)) = configured(sitting, &request) else {
        return Ok(request);
    };
    member(sitting, asked, environment)
        .map_err(|reason| Reason::of(in_full(&request), vec![reason]))
        .map(|()| request)
}

/// Only whoever may approve opens and closes an environment.
pub(crate) fn member(
    sitting: &Sitting<'_>,
    asked: &Asked,
    environment: &Environment,
) -> Result<(), Reason> {
    let repository = &asked.repository;
    match people::authorize(sitting, &asked.author, environment, repository, None) {
        Ok(_) => Ok(()),
        Err(why) => {
            let (_, says) = refusal(&asked.author, &why);
            let helpers = people::helpers(sitting, environment);
            Err(Reason::refuses(says).help(format!("These can: {helpers}.")))
        }
    }
}

/// Whether a command in this channel may be about an environment.
pub(crate) fn within(
    sitting: &Sitting<'_>,
    asked: &Asked,
    service: &Service,
    environment: &Environment,
) -> Result<(), Reason> {
    let Origin::Chat(spot) = &asked.origin else {
        return Ok(());
    };
    let channel = (spot.speaker.chat, spot.channel.as_str());
    let bound = sitting.catalog.services_of(channel.0, channel.1);
    let is_bound = bound.iter().any(|one| one.name == service.name);
    if is_bound && sitting.catalog.allows(channel, service, &environment.name) {
        return Ok(());
    }
    Err(Reason::refuses(format!(
        "this channel is not for {} → **{}**",
        service.name, environment.name
    )))
}

pub(crate) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.map(code).collect();
    names.dedup();
    names.join(", ")
}

/// A request by its number and by what it would ship.
pub(crate) fn in_full(request: &Request) -> String {
    format!(
        "#{}, {} → **{}** at {}",
        request.number, request.service, request.environment, request.sha
    )
}
