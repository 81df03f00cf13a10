//! Names in a command: a service, an environment, a request; and whether the author of the command may touch it.

use crate::domain::desk::known::destination::{Destination, in_full};
use crate::domain::desk::known::people::{self, refusal};
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Text, code, command, list, text};
use crate::domain::{Asked, Environment, Request, Service, Surface};

/// The service and environment of a request, while they are configured.
pub(crate) fn configured<'a>(sitting: &Sitting<'a>, request: &Request) -> Option<Destination<'a>> {
    let service = sitting.catalog.service(&request.service)?;
    let environment = service.environment_called(&request.environment)?;
    Some(Destination {
        service,
        environment,
    })
}

/// The service and environment that a command names.
pub(crate) fn place<'s>(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&'s Service],
    service: Option<&str>,
    environment: &str,
) -> Result<Destination<'s>, Reason> {
    let named = services_called(services, service)?;
    let mut found = named.iter().filter_map(|service| {
        let environment = service.environment(environment)?;
        Some(Destination {
            service,
            environment,
        })
    });
    match (found.next(), found.next()) {
        (Some(place), None) => within(sitting, asked, place).map(|()| place),
        (Some(_), Some(_)) => {
            let names = list(named.iter().map(|service| service.name.as_str()));
            let says = text!["several services have ", code(environment)];
            Err(Reason::refuses(Rule::COMMAND, says).help(name_one(&names)))
        }
        (None, _) => Err(no_environment(environment, &named)),
    }
}

/// The way out where several services could be meant.
pub(crate) fn name_one(names: &Text) -> Text {
    text!["Name one with ", command("--service"), ": ", names, "."]
}

/// The way out where a name is unknown.
pub(crate) fn there_are(what: &str, names: &[&str]) -> Text {
    match names {
        [] => text![format!("There is no {what} here.")],
        [only] => text![format!("The only {what} is "), code(only), "."],
        _ => text![
            format!("The {what}s are "),
            list(names.iter().copied()),
            "."
        ],
    }
}

/// No environment of these services has this name.
pub(crate) fn no_environment(name: &str, services: &[&Service]) -> Reason {
    let environments = services.iter().flat_map(|service| &service.environments);
    let names: Vec<&str> = environments.map(|one| one.name.as_str()).collect();
    let says = text!["there is no environment ", code(name)];
    Reason::refuses(Rule::COMMAND, says).help(there_are("environment", &names))
}

/// No service has this name.
pub(crate) fn no_service(name: &str, services: &[&Service]) -> Reason {
    let names: Vec<&str> = services.iter().map(|one| one.name.as_str()).collect();
    let says = text!["no service here is called ", code(name)];
    Reason::refuses(Rule::COMMAND, says).help(there_are("service", &names))
}

/// No request has this number.
pub(crate) fn no_request(number: u64) -> Reason {
    Reason::refuses(Rule::COMMAND, format!("there is no request #{number} here"))
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
        return Err(no_service(name, services));
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
            None => Err(no_request(number)),
            Some(request) if !fits(&request) => {
                let word = request.state.word();
                let says = text![
                    in_full(&request),
                    format!(" does not wait for an answer: it is {word}")
                ];
                Err(Reason::refuses(Rule::STATE, says).fact("state", word))
            }
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
    let refuses = |says: &str| Reason::refuses(Rule::COMMAND, says);
    match (open.pop(), open.is_empty()) {
        (None, _) if elsewhere.is_empty() => Err(refuses("no request waits for an answer here")),
        (None, _) => Err(
            refuses("no request of this pull request waits for an answer")
                .help(format!("Name another one: {elsewhere}.")),
        ),
        (Some(request), true) => is_within(sitting, asked, request),
        (Some(_), false) => {
            Err(refuses("several requests wait").help(format!("Name one: {here}.")))
        }
    }
}

/// A channel may be for some services and environments only.
fn is_within(sitting: &Sitting<'_>, asked: &Asked, request: Request) -> Result<Request, Reason> {
    if let Some(place) = configured(sitting, &request) {
        within(sitting, asked, place)?;
    }
    Ok(request)
}

/// The services that a command may be about: in a chat, those of the channel.
pub(crate) fn shown_here<'s>(
    sitting: &Sitting<'_>,
    asked: &Asked,
    mut services: Vec<&'s Service>,
) -> Vec<&'s Service> {
    if let Surface::Chat(spot) = &asked.origin {
        let bound = sitting
            .catalog
            .services_of(spot.speaker.chat, &spot.channel);
        services.retain(|service| bound.iter().any(|one| one.name == service.name));
    }
    services
}

/// Only the requester, or a person who may approve, stops a request. Where its environment is not configured any more,
/// nobody may approve: those who did may stop it.
pub(crate) fn involved(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: Request,
) -> Result<Request, Reason> {
    if request.by.id == asked.author.id {
        return Ok(request);
    }
    let Some(Destination { environment, .. }) = configured(sitting, &request) else {
        if request
            .given
            .iter()
            .any(|given| given.by.id == asked.author.id)
        {
            return Ok(request);
        }
        let says = text![
            in_full(&request),
            " is not configured any more: only those who asked for it or approved it stop it"
        ];
        return Err(Reason::refuses(Rule::STATE, says));
    };
    member(sitting, asked, environment)
        .map_err(|reason| Reason::of(Rule::STATE, in_full(&request), vec![reason]))
        .map(|()| request)
}

/// Only people who may approve open and close an environment.
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
            let help = people::others(sitting, environment, &asked.author);
            Err(Reason::refuses(Rule::REQUESTER, says).help(help))
        }
    }
}

/// Whether a command in this channel may be about a destination.
pub(crate) fn within(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
) -> Result<(), Reason> {
    let Surface::Chat(spot) = &asked.origin else {
        return Ok(());
    };
    let (service, environment) = (place.service, &place.environment.name);
    let channel = (spot.speaker.chat, spot.channel.as_str());
    let bound = sitting.catalog.services_of(channel.0, channel.1);
    let is_bound = bound.iter().any(|one| one.name == service.name);
    if is_bound && sitting.catalog.allows(channel, service, environment) {
        return Ok(());
    }
    let says = text!["this channel is not for ", place.says()];
    Err(Reason::refuses(Rule::CHANNEL, says))
}
