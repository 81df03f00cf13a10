//! What a command names: a service, an environment, a request; and whether its author may touch it.

use super::command::list;
use super::{Desk, words};
use crate::domain::reason::{Reason, code};
use crate::domain::{Asked, Environment, Origin, Request, Service};

impl Desk<'_> {
    /// The service and environment of a request, while they are configured.
    pub(super) fn configured(&self, request: &Request) -> Option<(&Service, &Environment)> {
        let service = self.catalog.service(&request.service)?;
        let environment = service
            .environments
            .iter()
            .find(|environment| environment.name == request.environment)?;
        Some((service, environment))
    }

    /// The service and environment that a command names.
    pub(super) fn place<'s>(
        &self,
        asked: &Asked,
        services: &[&'s Service],
        service: Option<&str>,
        environment: &str,
    ) -> Result<(&'s Service, &'s Environment), Reason> {
        let named = self.named(services, service)?;
        let mut found = named.iter().filter_map(|service| {
            service
                .environment(environment)
                .map(|environment| (*service, environment))
        });
        match (found.next(), found.next()) {
            (Some(place), None) => self.within(asked, place.0, place.1).map(|()| place),
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

    fn named<'s>(
        &self,
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
    pub(super) fn waiting(
        &self,
        asked: &Asked,
        services: &[&Service],
        number: Option<u64>,
        fits: impl Fn(&Request) -> bool,
    ) -> Result<Request, Reason> {
        if let Some(number) = number {
            let request = self
                .request(number)
                .filter(|request| services.iter().any(|one| one.name == request.service));
            return match request {
                None => Err(Reason::refuses(format!(
                    "there is no request #{number} here"
                ))),
                Some(request) if !fits(&request) => Err(Reason::refuses(format!(
                    "{} does not wait for an answer: it is {}",
                    words::named(&request),
                    request.state.word()
                ))),
                Some(request) => self.is_within(asked, request),
            };
        }
        let mut open: Vec<Request> = services
            .iter()
            .flat_map(|service| self.open_requests(service))
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
            (None, _) => Err(Reason::refuses(
                "no request of this pull request waits for an answer",
            )
            .help(format!("Name another one: {elsewhere}."))),
            (Some(request), true) => self.is_within(asked, request),
            (Some(_), false) => {
                Err(Reason::refuses("several requests wait").help(format!("Name one: {here}.")))
            }
        }
    }

    /// A channel may be for some services and environments only.
    fn is_within(&self, asked: &Asked, request: Request) -> Result<Request, Reason> {
        if let Some((service, environment)) = self.configured(&request) {
            self.within(asked, service, environment)?;
        }
        Ok(request)
    }

    /// The services that a command may be about: in a chat, those of the channel.
    pub(super) fn shown_here<'s>(
        &self,
        asked: &Asked,
        mut services: Vec<&'s Service>,
    ) -> Vec<&'s Service> {
        if let Origin::Chat(spot) = &asked.origin {
            let bound = self.catalog.services_of(spot.speaker.chat, &spot.channel);
            services.retain(|service| bound.iter().any(|one| one.name == service.name));
        }
        services
    }

    /// Only whoever asked, or may approve, stops a request.
    pub(super) fn involved(&self, asked: &Asked, request: Request) -> Result<Request, Reason> {
        if request.by.id == asked.author.id {
            return Ok(request);
        }
        let Some((_, environment)) = self.configured(&request) else {
            return Ok(request);
        };
        self.member(asked, environment)
            .map_err(|reason| Reason::of(words::named(&request), vec![reason]))
            .map(|()| request)
    }

    /// Only whoever may approve opens and closes an environment.
    pub(super) fn member(&self, asked: &Asked, environment: &Environment) -> Result<(), Reason> {
        let repository = &asked.repository;
        match self.authorize(&asked.author, environment, repository, None) {
            Ok(_) => Ok(()),
            Err(why) => {
                let (_, says) = super::people::refusal(&asked.author, &why);
                let helpers = self.helpers(environment);
                Err(Reason::refuses(says).help(format!("These can: {helpers}.")))
            }
        }
    }
}
