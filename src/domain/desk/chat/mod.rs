//! Commands from a chat. Who speaks and which repository they mean is settled here; then the command waits in the line
//! of that repository, with the comments, and is decided like one.

use crate::domain::command::{self, Command, Found};
use crate::domain::desk::known::named::list;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, reply_token};
use crate::domain::desk::{Change, Outcome, asked, links};
use crate::domain::reason::{Reason, code};
use crate::domain::{
    Account, Act, Asked, Internal, Origin, Repository, Request, Said, Service, Speaker, Spot,
};

pub(super) mod buttons;

/// Somebody did something in a chat.
pub(crate) fn said(sitting: &Sitting<'_>, said: &Said) -> Outcome {
    let spot = &said.spot;
    let token = format!("said/{}", reply_token(spot));
    if sitting.was_remembered(&token) {
        return Outcome::ignored("it was answered before");
    }
    let mut outcome = Outcome::default();
    outcome.changes.push(Change::Remember { token });
    if !is_ours(sitting, &spot.speaker) {
        let reason = Reason::refuses(format!(
            "this {} is not one that Countersign works for",
            match spot.speaker.chat {
                crate::domain::Chat::Discord => "server",
                crate::domain::Chat::Slack => "workspace",
            }
        ));
        answers::turn_away(sitting, spot, "", reason, &mut outcome);
        return outcome;
    }
    match &said.act {
        Act::Command(line) => said_command(sitting, said, line, &mut outcome),
        Act::Press { button, reason } => {
            buttons::pressed(sitting, said, *button, reason.as_deref(), &mut outcome);
        }
        Act::Strange(what) => {
            let reason = Reason::refuses("this button is not known any more")
                .help("Say what you want as a command; `/help` lists them.");
            answers::turn_away(sitting, spot, what, reason, &mut outcome);
        }
    }
    outcome
}

fn is_ours(sitting: &Sitting<'_>, speaker: &Speaker) -> bool {
    let mut tenants = sitting.catalog.tenants.iter();
    tenants.any(|(chat, tenant)| *chat == speaker.chat && *tenant == speaker.tenant)
}

fn said_command(sitting: &Sitting<'_>, said: &Said, line: &str, outcome: &mut Outcome) {
    let spot = &said.spot;
    let Some(found) = Command::all_in(line).into_iter().next() else {
        let reason =
            Reason::refuses(format!("{} is no command", code(line))).help("`/help` lists them.");
        return answers::turn_away(sitting, spot, line, reason, outcome);
    };
    match &found.command {
        Ok(Command::Help(help)) => {
            let text = match &help.command {
                Some(name) => command::help_for(name),
                None => command::help(),
            };
            answers::answer_stranger(sitting, spot, line, text, outcome);
        }
        Ok(Command::Link(link)) if link.code.is_none() => links::offer_link(sitting, said, outcome),
        Ok(Command::Link(_)) => {
            let reason = Reason::refuses("a code is used on the forge, not here")
                .help("Write it in a comment on a pull request, or say `/link` for a new one.");
            answers::turn_away(sitting, spot, line, reason, outcome);
        }
        Ok(Command::Unlink) => links::unlink_speaker(sitting, spot, outcome),
        Ok(_) => pass_on(sitting, spot, (line, &found), outcome),
        Err(mistake) => {
            let reason = Reason::refuses(mistake.says.clone())
                .help(format!("Say it like this: {}", code(&mistake.usage)));
            answers::turn_away(sitting, spot, line, reason, outcome);
        }
    }
}

/// A command for the line of its repository.
fn pass_on(
    sitting: &Sitting<'_>,
    spot: &Spot,
    (line, found): (&str, &Found),
    outcome: &mut Outcome,
) {
    let passed = links::is_known(sitting, spot).and_then(|()| {
        let command = found
            .command
            .as_ref()
            .map_err(|mistake| Reason::refuses(mistake.says.clone()))?;
        let repository = repository_for(sitting, spot, command)?;
        let author = links::linked(sitting, spot, repository.id.forge())?;
        Ok((author, repository))
    });
    match passed {
        Ok(passed) => tell(spot, passed, line.to_owned(), outcome),
        Err(reason) => answers::turn_away(sitting, spot, line, reason, outcome),
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
            return Err(Reason::refuses(format!(
                "there is no request #{number} here"
            )));
        };
        meant.retain(|service| service.name == request.service);
    }
    if let Some(name) = command.service() {
        meant.retain(|service| service.name.as_str() == name);
        if meant.is_empty() {
            let names = list(bound.iter().map(|service| service.name.as_str()));
            let why = format!("no service here is called {}", code(name));
            return Err(Reason::refuses(why).help(format!("There are {names}.")));
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
        return Err(Reason::refuses("no request waits for an answer here"));
    };
    if several_repositories(&meant) {
        let names = list(meant.iter().map(|service| service.name.as_str()));
        return Err(Reason::refuses("several services could be meant")
            .help(format!("Name one with `--service`: {names}.")));
    }
    sitting.bound_to(first).ok_or_else(|| {
        Reason::unknown(format!(
            "nothing was heard of the repository of {} yet",
            first.name
        ))
    })
}

/// A command from a chat, in the line of its repository.
pub(crate) fn heard(
    sitting: &Sitting<'_>,
    spot: &Spot,
    author: &Account,
    repository: &Repository,
    line: &str,
) -> Outcome {
    let Some(found) = Command::all_in(line).into_iter().next() else {
        return Outcome::ignored("it is no command any more");
    };
    // The link may have ended since.
    let known = links::known_as(sitting, spot, author.forge);
    let is_linked = known.is_some_and(|account| account.id == author.id);
    let asked = Asked {
        repository: repository.clone(),
        origin: Origin::Chat(spot.clone()),
        author: author.clone(),
        ordinal: 0,
        found,
    };
    if is_linked {
        return asked::command(sitting, &asked);
    }
    let mut outcome = Outcome::default();
    let reason = Reason::refuses("your account is not linked any more");
    answers::turn_away(sitting, spot, line, reason, &mut outcome);
    outcome
}

/// Puts a command into the line of its repository.
fn tell(
    spot: &Spot,
    (author, repository): (Account, Repository),
    line: String,
    outcome: &mut Outcome,
) {
    outcome.changes.push(Change::Tell {
        repository: repository.id,
        note: Box::new(Internal::Heard {
            spot: Box::new(spot.clone()),
            author,
            repository,
            line,
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
