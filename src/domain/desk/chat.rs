//! What people do in a chat. Who they are on the forge, and which repository they mean, is settled here; then
//! the command waits in the line of that repository, with the comments, and is decided like one.

use super::command::{Answer, list, via};
use super::{Change, Desk, Outcome};
use crate::domain::command::{self, Command, Found};
use crate::domain::reason::{Reason, code};
use crate::domain::{
    Account, Act, Action, Actor, Asked, Button, Effect, Entry, Internal, Look, News, Notice,
    Origin, Repository, Request, Said, Seen, Service, Speaker, Spot,
};

impl Desk<'_> {
    /// Somebody did something in a chat.
    pub(super) fn said(&self, said: &Said) -> Outcome {
        let spot = &said.spot;
        let token = format!("said/{}", reply_token(spot));
        if self.was_remembered(&token) {
            return Outcome::ignored("it was answered before");
        }
        let mut outcome = Outcome::default();
        outcome.changes.push(Change::Remember { token });
        if !self.is_ours(&spot.speaker) {
            let reason = Reason::refuses(format!(
                "this {} is not one that Countersign works for",
                match spot.speaker.chat {
                    crate::domain::Chat::Discord => "server",
                    crate::domain::Chat::Slack => "workspace",
                }
            ));
            self.turn_away(spot, "", reason, &mut outcome);
            return outcome;
        }
        match &said.act {
            Act::Command(line) => self.said_command(said, line, &mut outcome),
            Act::Press { button, reason } => {
                self.pressed(said, *button, reason.as_deref(), &mut outcome);
            }
            Act::Strange(what) => {
                let reason = Reason::refuses("this button is not known any more")
                    .help("Say what you want as a command; `/help` lists them.");
                self.turn_away(spot, what, reason, &mut outcome);
            }
        }
        outcome
    }

    fn is_ours(&self, speaker: &Speaker) -> bool {
        let mut tenants = self.catalog.tenants.iter();
        tenants.any(|(chat, tenant)| *chat == speaker.chat && *tenant == speaker.tenant)
    }

    fn said_command(&self, said: &Said, line: &str, outcome: &mut Outcome) {
        let spot = &said.spot;
        let Some(found) = Command::all_in(line).into_iter().next() else {
            let reason = Reason::refuses(format!("{} is no command", code(line)))
                .help("`/help` lists them.");
            return self.turn_away(spot, line, reason, outcome);
        };
        match &found.command {
            Ok(Command::Help(help)) => {
                let text = match &help.command {
                    Some(name) => command::help_for(name),
                    None => command::help(),
                };
                self.answer_stranger(spot, line, text, outcome);
            }
            Ok(Command::Link(link)) if link.code.is_none() => self.offer_link(said, outcome),
            Ok(Command::Link(_)) => {
                let reason = Reason::refuses("a code is used on the forge, not here")
                    .help("Write it in a comment on a pull request, or say `/link` for a new one.");
                self.turn_away(spot, line, reason, outcome);
            }
            Ok(Command::Unlink) => self.unlink_speaker(spot, outcome),
            Ok(_) => self.pass_on(spot, (line, &found), outcome),
            Err(mistake) => {
                let reason = Reason::refuses(mistake.says.clone())
                    .help(format!("Say it like this: {}", code(&mistake.usage)));
                self.turn_away(spot, line, reason, outcome);
            }
        }
    }

    /// A command for the line of its repository.
    fn pass_on(&self, spot: &Spot, (line, found): (&str, &Found), outcome: &mut Outcome) {
        let passed = self.is_known(spot).and_then(|()| {
            let command = found
                .command
                .as_ref()
                .map_err(|mistake| Reason::refuses(mistake.says.clone()))?;
            let repository = self.repository_for(spot, command)?;
            let author = self.linked(spot, repository.id.forge())?;
            Ok((author, repository))
        });
        match passed {
            Ok(passed) => tell(spot, passed, line.to_owned(), outcome),
            Err(reason) => self.turn_away(spot, line, reason, outcome),
        }
    }

    /// Which repository a command is about: by its service, its request, or what the channel is for.
    fn repository_for(&self, spot: &Spot, command: &Command) -> Result<Repository, Reason> {
        let bound = self.catalog.services_of(spot.speaker.chat, &spot.channel);
        let mut meant = bound.clone();
        if let Some(Some(number)) = command.request() {
            let named =
                |request: &Request| bound.iter().any(|service| service.name == request.service);
            let Some(request) = self.request(number).filter(named) else {
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
            meant.retain(|service| self.open_requests(service).iter().any(Request::is_waiting));
        }
        let Some(first) = meant.first() else {
            return Err(Reason::refuses("no request waits for an answer here"));
        };
        if several_repositories(&meant) {
            let names = list(meant.iter().map(|service| service.name.as_str()));
            return Err(Reason::refuses("several services could be meant")
                .help(format!("Name one with `--service`: {names}.")));
        }
        self.bound_to(first).ok_or_else(|| {
            Reason::unknown(format!(
                "nothing was heard of the repository of {} yet",
                first.name
            ))
        })
    }

    /// A button was pressed: it stands for a command about exactly what it was shown with.
    fn pressed(&self, said: &Said, button: Button, reason: Option<&str>, outcome: &mut Outcome) {
        let spot = &said.spot;
        let word = button.label();
        if button.asks().is_some() && reason.is_none() {
            outcome
                .entries
                .push(self.stranger(Action::Answered, spot).with("asked", word));
            let token = format!("{}/form", reply_token(spot));
            let form = Effect::Form {
                spot: spot.clone(),
                button,
            };
            return outcome.plan(token, form);
        }
        let meant = match button {
            Button::Link { offer } => return self.confirm_link(spot, (offer, true), outcome),
            Button::NoLink { offer } => return self.confirm_link(spot, (offer, false), outcome),
            Button::Deploy { notice } => self.offered(notice).map(|notice| {
                format!(
                    "/deploy {} {} --service {}",
                    notice.environment, notice.sha, notice.service
                )
            }),
            Button::Details { notice } => self.notice(notice).map(|notice| {
                format!(
                    "/why {} {} --service {}",
                    notice.environment, notice.sha, notice.service
                )
            }),
            Button::RollBack { notice } => self.notice(notice).and_then(|notice| {
                if !matches!(notice.news, News::Failed { .. }) {
                    return Err(gone_on(&notice));
                }
                Ok(format!(
                    "/rollback {} --service {}{}",
                    notice.environment,
                    notice.service,
                    option(reason)
                ))
            }),
            Button::Approve { request } => Ok(format!("/approve #{request}")),
            Button::Reject { request } => Ok(format!("/reject #{request}{}", option(reason))),
            Button::Retry { request } => Ok(format!("/retry #{request}")),
            Button::Dismiss { notice } => {
                let dismissed = self.offered(notice).and_then(|notice| {
                    let author = self.linked(spot, notice.repository.id.forge())?;
                    self.dismiss(spot, (author, notice), reason, outcome)
                });
                if let Err(reason) = dismissed {
                    self.turn_away(spot, word, reason, outcome);
                }
                return;
            }
        };
        match meant {
            Ok(line) => self.said_command(said, &line, outcome),
            Err(reason) => self.turn_away(spot, word, reason, outcome),
        }
    }

    pub(super) fn notice(&self, number: u64) -> Result<Notice, Reason> {
        match self.seen(Look::NoticeOf { number }) {
            Some(Seen::Notices(found)) => found.first().cloned(),
            _ => None,
        }
        .ok_or_else(|| Reason::refuses("this message is not known any more"))
    }

    /// A notice whose commit nobody asked for yet.
    fn offered(&self, number: u64) -> Result<Notice, Reason> {
        let notice = self.notice(number)?;
        if notice.news == News::Ready {
            Ok(notice)
        } else {
            Err(gone_on(&notice))
        }
    }

    /// Somebody says no to a commit that nobody asked for.
    fn dismiss(
        &self,
        spot: &Spot,
        (author, mut notice): (Account, Notice),
        reason: Option<&str>,
        outcome: &mut Outcome,
    ) -> Result<(), Reason> {
        let place = self.catalog.service(&notice.service).and_then(|service| {
            let mut environments = service.environments.iter();
            let environment = environments.find(|one| one.name == notice.environment)?;
            Some((service, environment))
        });
        let Some((service, environment)) = place else {
            return Err(Reason::refuses("it is not configured any more"));
        };
        let asked = Asked {
            repository: notice.repository.clone(),
            origin: Origin::Chat(spot.clone()),
            author,
            ordinal: 0,
            found: Found {
                line: String::new(),
                command: Ok(Command::Unlink),
            },
        };
        self.within(&asked, service, environment)?;
        self.member(&asked, environment)?;
        let why = format!(
            "{} said no{}",
            code(&asked.author.login),
            reason
                .map(|reason| format!(": {}", code(reason)))
                .unwrap_or_default()
        );
        let entry = self
            .entry(Action::Rejected, Actor::person(&asked.author))
            .with("service", notice.service.as_str())
            .with("environment", notice.environment.as_str())
            .with("sha", notice.sha.as_str())
            .with_private("why", why.as_str());
        outcome.entries.push(via(entry, spot));
        let text = format!(
            "**Rejected** {} for {} → **{}**.",
            notice.sha, notice.service, notice.environment
        );
        notice.news = News::Dismissed { why };
        self.show_notice(notice, outcome);
        self.answer(&asked, Answer::said(text), outcome);
        Ok(())
    }

    /// A command from a chat, in the line of its repository.
    pub(super) fn heard(
        &self,
        spot: &Spot,
        author: &Account,
        repository: &Repository,
        line: &str,
    ) -> Outcome {
        let Some(found) = Command::all_in(line).into_iter().next() else {
            return Outcome::ignored("it is no command any more");
        };
        // The link may have ended since.
        let known = self.known_as(spot, author.forge);
        let is_linked = known.is_some_and(|account| account.id == author.id);
        let asked = Asked {
            repository: repository.clone(),
            origin: Origin::Chat(spot.clone()),
            author: author.clone(),
            ordinal: 0,
            found,
        };
        if is_linked {
            return self.command(&asked);
        }
        let mut outcome = Outcome::default();
        let reason = Reason::refuses("your account is not linked any more");
        self.turn_away(spot, line, reason, &mut outcome);
        outcome
    }

    /// Whether a command in this channel may be about an environment.
    pub(super) fn within(
        &self,
        asked: &Asked,
        service: &Service,
        environment: &crate::domain::Environment,
    ) -> Result<(), Reason> {
        let Origin::Chat(spot) = &asked.origin else {
            return Ok(());
        };
        let channel = (spot.speaker.chat, spot.channel.as_str());
        let bound = self.catalog.services_of(channel.0, channel.1);
        let is_bound = bound.iter().any(|one| one.name == service.name);
        if is_bound && self.catalog.allows(channel, service, &environment.name) {
            return Ok(());
        }
        Err(Reason::refuses(format!(
            "this channel is not for {} → **{}**",
            service.name, environment.name
        )))
    }

    /// Says no to somebody who may be nobody to us.
    pub(super) fn turn_away(&self, spot: &Spot, line: &str, reason: Reason, outcome: &mut Outcome) {
        let short: String = line.chars().take(300).collect();
        let entry = self
            .stranger(Action::Refused, spot)
            .with_private("command", short)
            .with_private("why", reason.detail());
        outcome.entries.push(entry);
        let text = format!("**Refused**\n\n{}", Reason::of("", vec![reason]).render());
        reply(spot, text, Vec::new(), outcome);
    }

    fn answer_stranger(&self, spot: &Spot, line: &str, text: String, outcome: &mut Outcome) {
        let entry = self.stranger(Action::Answered, spot);
        outcome.entries.push(entry.with_private("command", line));
        reply(spot, text, Vec::new(), outcome);
    }

    /// An entry by somebody of whom only the chat's account is known.
    pub(super) fn stranger(&self, action: Action, spot: &Spot) -> Entry {
        let entry = self.entry(action, Actor::in_chat(&spot.speaker));
        entry.with("channel", spot.channel.as_str())
    }
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

/// Answers, so that only whoever spoke sees it.
pub(super) fn reply(spot: &Spot, text: String, buttons: Vec<Button>, outcome: &mut Outcome) {
    outcome.plan(
        format!("{}/reply", reply_token(spot)),
        Effect::Reply {
            spot: spot.clone(),
            text,
            buttons,
        },
    );
}

fn reply_token(spot: &Spot) -> String {
    let speaker = &spot.speaker;
    format!("{}/{}/{}", speaker.chat.as_str(), speaker.tenant, spot.id)
}

fn several_repositories(services: &[&Service]) -> bool {
    let mut paths = services
        .iter()
        .map(|service| service.repo.path().to_ascii_lowercase());
    let first = paths.next();
    paths.any(|path| Some(path) != first)
}

/// Why a button of a message does nothing any more.
fn gone_on(notice: &Notice) -> Reason {
    let says = match &notice.news {
        News::Ready => "nobody has asked for it yet".to_owned(),
        News::Waiting { request, .. } => format!("it was asked for already, as #{request}"),
        News::Deploying { request, .. } | News::Unclear { request } => {
            format!("#{request} is under way")
        }
        News::Live { request, .. } => format!("it is live already, by #{request}"),
        News::Failed { request, .. } => format!("#{request} failed"),
        News::Over { request, how, .. } => format!("#{request} is over: {}", how.word()),
        News::Overtaken { by } => format!("{by} is newer, and ready"),
        News::Withdrawn { why } | News::Dismissed { why } => why.clone(),
    };
    Reason::refuses(format!("this button is of an older state: {says}"))
        .help("Say it as a command if you mean it.")
}

fn option(reason: Option<&str>) -> String {
    reason
        .map(|reason| {
            let one_line = reason.replace(['\r', '\n'], " ");
            format!(" --reason={}", command::quoted(one_line.trim()))
        })
        .unwrap_or_default()
}
