//! Buttons: each stands for a command about exactly what it was shown with.

use crate::domain::command::{
    self, Approve, Command, Deploy, Found, Reject, Retry, Rollback, Target, Why,
};
use crate::domain::desk::asked::approve::because;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer, reply_token, via};
use crate::domain::desk::telling::notices;
use crate::domain::desk::{Outcome, chat, links};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{commit, person, strong, text, ticked};
use crate::domain::{
    Account, Action, Actor, Asked, Button, InChat, Look, News, Notice, Said, Spot, Surface,
};

/// A button was pressed: it stands for a command about exactly what it was shown with.
pub(crate) fn pressed(
    sitting: &Sitting<'_>,
    said: &Said,
    button: Button,
    reason: Option<&str>,
    outcome: &mut Outcome,
) {
    let spot = &said.spot;
    let word = button.label();
    if button.asks().is_some() && reason.is_none() {
        outcome
            .entries
            .push(answers::stranger(sitting, Action::Answered, spot).with("asked", word));
        let token = format!("{}/form", reply_token(spot));
        let form = InChat::Form {
            spot: spot.clone(),
            button,
        };
        return outcome.plan(token, form);
    }
    let meant = match button {
        Button::Link { offer, claimant } => {
            return links::confirm_link(sitting, spot, (offer, claimant), outcome);
        }
        Button::NoLink { offer } => return links::decline_link(sitting, spot, offer, outcome),
        Button::Deploy { notice } => offered(sitting, notice).map(|notice| {
            Command::Deploy(Deploy {
                environment: notice.environment.to_string(),
                target: Some(Target::Sha(notice.sha)),
                service: Some(notice.service.to_string()),
                reason: None,
                at: None,
                dry_run: false,
            })
        }),
        Button::Details { notice } => notice_of(sitting, notice).map(|notice| {
            Command::Why(Why {
                environment: notice.environment.to_string(),
                target: Some(Target::Sha(notice.sha)),
                service: Some(notice.service.to_string()),
            })
        }),
        Button::RollBack { notice } => roll_back(sitting, notice, reason),
        Button::Approve { request } => Ok(Command::Approve(Approve {
            request: Some(request),
            service: None,
        })),
        Button::Reject { request } => given(reason).map(|reason| {
            Command::Reject(Reject {
                request: Some(request),
                reason,
            })
        }),
        Button::Retry { request } => Ok(Command::Retry(Retry {
            request: Some(request),
            dry_run: false,
        })),
        Button::Dismiss { notice } => {
            let dismissed = offered(sitting, notice).and_then(|notice| {
                let author = links::linked(sitting, spot, notice.repository.id.forge())?;
                dismiss(sitting, spot, (author, notice), reason, outcome)
            });
            if let Err(reason) = dismissed {
                answers::turn_away(sitting, spot, word, &reason, outcome);
            }
            return;
        }
    };
    match meant {
        Ok(command) => {
            let line = command.to_string();
            chat::obey(sitting, said, &line, command, outcome);
        }
        Err(reason) => answers::turn_away(sitting, spot, word, &reason, outcome),
    }
}

/// Back, where the release of a notice failed.
fn roll_back(sitting: &Sitting<'_>, notice: u64, reason: Option<&str>) -> Result<Command, Reason> {
    let notice = notice_of(sitting, notice)?;
    if !matches!(notice.news, News::Failed { .. }) {
        return Err(gone_on(&notice));
    }
    Ok(Command::Rollback(Rollback {
        environment: notice.environment.to_string(),
        target: None,
        service: Some(notice.service.to_string()),
        reason: given(reason)?,
        dry_run: false,
    }))
}

/// What the person wrote in a form, as the reason of a command.
fn given(reason: Option<&str>) -> Result<Option<command::Reason>, Reason> {
    let Some(reason) = reason else {
        return Ok(None);
    };
    let lines: Vec<&str> = reason.lines().collect();
    let parsed = lines.join(" ").trim().parse::<command::Reason>();
    parsed
        .map(Some)
        .map_err(|invalid| Reason::refuses(Rule::COMMAND, ticked(&invalid.to_string())))
}

pub(crate) fn notice_of(sitting: &Sitting<'_>, number: u64) -> Result<Notice, Reason> {
    let found = sitting.notices(Look::NoticeOf { number });
    found
        .into_iter()
        .next()
        .ok_or_else(|| Reason::refuses(Rule::STATE, "this message is not known any more"))
}

/// A notice whose commit was not asked for yet.
fn offered(sitting: &Sitting<'_>, number: u64) -> Result<Notice, Reason> {
    let notice = notice_of(sitting, number)?;
    if notice.news == News::Ready {
        Ok(notice)
    } else {
        Err(gone_on(&notice))
    }
}

/// A person says no to a commit that was not asked for.
fn dismiss(
    sitting: &Sitting<'_>,
    spot: &Spot,
    (author, mut notice): (Account, Notice),
    reason: Option<&str>,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let place = sitting
        .catalog
        .service(&notice.service)
        .and_then(|service| {
            let mut environments = service.environments.iter();
            let environment = environments.find(|one| one.name == notice.environment)?;
            Some(Destination {
                service,
                environment,
            })
        });
    let Some(place) = place else {
        return Err(Reason::refuses(
            Rule::STATE,
            "it is not configured any more",
        ));
    };
    let asked = Asked {
        repository: notice.repository.clone(),
        origin: Surface::Chat(spot.clone()),
        author,
        ordinal: 0,
        found: Found {
            line: String::new(),
            command: Ok(Command::Unlink),
        },
    };
    named::within(sitting, &asked, place)?;
    named::member(sitting, &asked, place.environment)?;
    let why = text![person(&asked.author), " said no", because(reason)];
    let entry = sitting
        .entry(Action::Rejected, Actor::from(&asked.author))
        .with("service", notice.service.as_str())
        .with("environment", notice.environment.as_str())
        .with("sha", notice.sha.as_str())
        .with_private("why", why.plain());
    outcome.entries.push(via(entry, spot));
    let text = text![
        strong("Rejected"),
        " ",
        commit(notice.sha.as_str()),
        " for ",
        place.says(),
        "."
    ];
    notice.news = News::Dismissed { why };
    notices::show_notice(sitting, notice, outcome);
    answers::answer(&asked, Answer::said(text), outcome);
    Ok(())
}

/// Why a button of a message does nothing any more.
fn gone_on(notice: &Notice) -> Reason {
    let says = match &notice.news {
        News::Ready => text!["nobody has asked for it yet"],
        News::Waiting { request, .. } => text![format!("it was asked for already, as #{request}")],
        News::Deploying { request, .. } | News::Unclear { request } => {
            text![format!("#{request} is under way")]
        }
        News::Live { request, .. } => text![format!("it is live already, by #{request}")],
        News::Failed { request, .. } => text![format!("#{request} failed")],
        News::Over { request, how, .. } => text![format!("#{request} is over: {}", how.word())],
        News::Overtaken { by } => text![commit(by.as_str()), " is newer, and ready"],
        News::Withdrawn { why } | News::Dismissed { why } => why.clone(),
    };
    let says = text!["this button is of an older state: ", says];
    Reason::refuses(Rule::STATE, says).help("Say it as a command if you mean it.")
}
