//! Commands from a chat. Who speaks and which repository they mean is settled here; then the command waits in the line
//! of that repository, with the comments, and is decided like one.

use crate::domain::command::{self, Command, Found};
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, reply_token};
use crate::domain::desk::{Change, Outcome, asked, links};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{self, code, list, text};
use crate::domain::{
    Account, Act, Asked, Chat, Internal, Repository, Request, Said, Service, Spot, Surface,
};

pub(super) mod buttons;

/// A speaker did something in a chat.
pub(crate) fn said(sitting: &Sitting<'_>, said: &Said) -> Outcome {
    let spot = &said.spot;
    let token = format!("said/{}", reply_token(spot));
    if sitting.was_remembered(&token) {
        return Outcome::ignored("it was answered before");
    }
    let mut outcome = Outcome::default();
    outcome.changes.push(Change::Remember { token });
    let home = said.home.as_deref().unwrap_or(&spot.speaker.tenant);
    let is_ours = |tenant| is_ours(sitting, spot.speaker.chat, tenant);
    if !is_ours(&spot.speaker.tenant) || !is_ours(home) {
        let tenant = spot.speaker.chat.tenant();
        let says = format!("Countersign does not work for this {tenant}");
        let reason = Reason::refuses(Rule::TENANT, says);
        answers::turn_away(sitting, spot, "", &reason, &mut outcome);
        return outcome;
    }
    match &said.act {
        Act::Command(line) => said_command(sitting, said, line, &mut outcome),
        Act::Press { button, reason } => {
            buttons::pressed(sitting, said, *button, reason.as_deref(), &mut outcome);
        }
        Act::Strange(what) => {
            let help = text![
                "Say what you want as a command; ",
                text::command("/help"),
                " lists them."
            ];
            let reason = Reason::refuses(Rule::STATE, "this button is not known any more");
            answers::turn_away(sitting, spot, what, &reason.help(help), &mut outcome);
        }
    }
    outcome
}

fn is_ours(sitting: &Sitting<'_>, chat: Chat, tenant: &str) -> bool {
    let mut tenants = sitting.catalog.tenants.iter();
    tenants.any(|(of, ours)| *of == chat && ours == tenant)
}

fn said_command(sitting: &Sitting<'_>, said: &Said, line: &str, outcome: &mut Outcome) {
    let spot = &said.spot;
    let Some(found) = Command::all_in(line).into_iter().next() else {
        let reason = Reason::refuses(Rule::COMMAND, text![code(line), " is no command"])
            .help(text![text::command("/help"), " lists them."]);
        return answers::turn_away(sitting, spot, line, &reason, outcome);
    };
    match found.command {
        Ok(wanted) => obey(sitting, said, &found.line, wanted, outcome),
        Err(mistake) => {
            let reason = answers::misunderstood(&mistake);
            answers::turn_away(sitting, spot, line, &reason, outcome);
        }
    }
}

/// Does what a command asks for, or passes it on to the line of its repository.
pub(super) fn obey(
    sitting: &Sitting<'_>,
    said: &Said,
    line: &str,
    wanted: Command,
    outcome: &mut Outcome,
) {
    let spot = &said.spot;
    match &wanted {
        Command::Help(help) => {
            let text = match &help.command {
                Some(name) => command::help_for(name),
                None => command::help(),
            };
            answers::answer_stranger(sitting, spot, line, text, outcome);
        }
        Command::Link(link) if link.code.is_none() => links::offer_link(sitting, said, outcome),
        Command::Link(_) => {
            let help = text![
                "Write it in a comment on a pull request, or say ",
                text::command("/link"),
                " for a new one."
            ];
            let reason = Reason::refuses(Rule::LINK, "a code is used on the forge, not here");
            answers::turn_away(sitting, spot, line, &reason.help(help), outcome);
        }
        Command::Unlink => links::unlink_speaker(sitting, spot, outcome),
        Command::Deploy(_)
        | Command::Approve(_)
        | Command::Reject(_)
        | Command::Cancel(_)
        | Command::Rollback(_)
        | Command::Retry(_)
        | Command::Lock(_)
        | Command::Unlock(_)
        | Command::Status(_)
        | Command::Why(_)
        | Command::Who(_)
        | Command::Audit(_) => pass_on(sitting, spot, line, wanted, outcome),
    }
}

/// A command for the line of its repository.
fn pass_on(
    sitting: &Sitting<'_>,
    spot: &Spot,
    line: &str,
    command: Command,
    outcome: &mut Outcome,
) {
    let passed = links::is_known(sitting, spot).and_then(|()| {
        let repository = repository_for(sitting, spot, &command)?;
        let author = links::linked(sitting, spot, repository.id.forge())?;
        Ok((author, repository))
    });
    match passed {
        Ok(passed) => tell(spot, passed, (line, command), outcome),
        Err(reason) => answers::turn_away(sitting, spot, line, &reason, outcome),
    }
}

/// Which repository a command is about: by its service, its request, or what the channel is for.
fn repository_for(
    sitting: &Sitting<'_>,
    spot: &Spot,
    command: &Command,
) -> Result<Repository, Reason> {
    let bound = sitting
        .catalog
        .services_of(spot.speaker.chat, &spot.channel);
    let mut meant = bound.clone();
    if let Some(Some(number)) = command.request() {
        let named = |request: &Request| bound.iter().any(|service| service.name == request.service);
        let Some(request) = sitting.request(number).filter(named) else {
            return Err(named::no_request(number));
        };
        meant.retain(|service| service.name == request.service);
    }
    if let Some(name) = command.service() {
        meant.retain(|service| service.name.as_str() == name);
        if meant.is_empty() {
            return Err(named::no_service(name, &bound));
        }
    }
    if let Some(name) = command.environment() {
        let has = |service: &&Service| service.environment(name).is_some();
        // Where none has it, the answer says which there are.
        if meant.iter().any(has) {
            meant.retain(has);
        }
    }
    if command.request() == Some(None) && several_repositories(&meant) {
        meant.retain(|service| {
            sitting
                .open_requests(service)
                .iter()
                .any(Request::is_waiting)
        });
    }
    let Some(first) = meant.first() else {
        let says = "no request waits for an answer here";
        return Err(Reason::refuses(Rule::COMMAND, says));
    };
    if several_repositories(&meant) {
        let names = list(meant.iter().map(|service| service.name.as_str()));
        return Err(
            Reason::refuses(Rule::COMMAND, "several services could be meant")
                .help(named::name_one(&names)),
        );
    }
    sitting.bound_to(first).ok_or_else(|| {
        let says = format!("nothing was heard of the repository of {} yet", first.name);
        Reason::unknown(Rule::REPOSITORY, says)
    })
}

/// A command from a chat, in the line of its repository.
pub(crate) fn heard(
    sitting: &Sitting<'_>,
    spot: &Spot,
    author: &Account,
    repository: &Repository,
    found: Found,
) -> Outcome {
    // The link may have ended since.
    let known = links::known_as(sitting, spot, author.forge);
    let is_linked = known.is_some_and(|account| account.id == author.id);
    let asked = Asked {
        repository: repository.clone(),
        origin: Surface::Chat(spot.clone()),
        author: author.clone(),
        ordinal: 0,
        found,
    };
    if is_linked {
        return asked::command(sitting, &asked);
    }
    let mut outcome = Outcome::default();
    let reason = Reason::refuses(Rule::LINK, "your account is no longer linked");
    answers::turn_away(sitting, spot, &asked.found.line, &reason, &mut outcome);
    outcome
}

/// Puts a command into the line of its repository.
fn tell(
    spot: &Spot,
    (author, repository): (Account, Repository),
    (line, command): (&str, Command),
    outcome: &mut Outcome,
) {
    outcome.changes.push(Change::Note {
        repository: repository.id,
        note: Box::new(Internal::Heard {
            spot: Box::new(spot.clone()),
            author,
            repository,
            line: line.to_owned(),
            command: Some(Box::new(command)),
        }),
    });
}

fn several_repositories(services: &[&Service]) -> bool {
    let mut paths = services
        .iter()
        .map(|service| service.repo.path().to_ascii_lowercase());
    let first = paths.next();
    paths.any(|path| Some(path) != first)
}
