//! Buttons: each stands for a command about exactly what it was shown with.

use crate::domain::command::{self, Command, Found};
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer, reply_token, via};
use crate::domain::desk::telling::notices;
use crate::domain::desk::{Outcome, chat, links};
use crate::domain::reason::{Reason, code};
use crate::domain::{
    Account, Action, Actor, Asked, Button, Effect, Look, News, Notice, Origin, Said, Seen, Spot,
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
        let form = Effect::Form {
            spot: spot.clone(),
            button,
        };
        return outcome.plan(token, form);
    }
    let meant = match button {
        Button::Link { offer } => {
            return links::confirm_link(sitting, spot, (offer, true), outcome);
        }
        Button::NoLink { offer } => {
            return links::confirm_link(sitting, spot, (offer, false), outcome);
        }
        Button::Deploy { notice } => offered(sitting, notice).map(|notice| {
            format!(
                "/deploy {} {} --service {}",
                notice.environment, notice.sha, notice.service
            )
        }),
        Button::Details { notice } => notice_of(sitting, notice).map(|notice| {
            format!(
                "/why {} {} --service {}",
                notice.environment, notice.sha, notice.service
            )
        }),
        Button::RollBack { notice } => notice_of(sitting, notice).and_then(|notice| {
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
            let dismissed = offered(sitting, notice).and_then(|notice| {
                let author = links::linked(sitting, spot, notice.repository.id.forge())?;
                dismiss(sitting, spot, (author, notice), reason, outcome)
            });
            if let Err(reason) = dismissed {
                answers::turn_away(sitting, spot, word, reason, outcome);
            }
            return;
        }
    };
    match meant {
        Ok(line) => chat::said_command(sitting, said, &line, outcome),
        Err(reason) => answers::turn_away(sitting, spot, word, reason, outcome),
    }
}

pub(crate) fn notice_of(sitting: &Sitting<'_>, number: u64) -> Result<Notice, Reason> {
    match sitting.seen(Look::NoticeOf { number }) {
        Some(Seen::Notices(found)) => found.first().cloned(),
        _ => None,
    }
    .ok_or_else(|| Reason::refuses("this message is not known any more"))
}

/// A notice whose commit nobody asked for yet.
fn offered(sitting: &Sitting<'_>, number: u64) -> Result<Notice, Reason> {
    let notice = notice_of(sitting, number)?;
    if notice.news == News::Ready {
        Ok(notice)
    } else {
        Err(gone_on(&notice))
    }
}

/// Somebody says no to a commit that nobody asked for.
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
    named::within(sitting, &asked, service, environment)?;
    named::member(sitting, &asked, environment)?;
    let why = format!(
        "{} said no{}",
        code(&asked.author.login),
        reason
            .map(|reason| format!(": {}", code(reason)))
            .unwrap_or_default()
    );
    let entry = sitting
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
    notices::show_notice(sitting, notice, outcome);
    answers::answer(&asked, Answer::said(text), outcome);
    Ok(())
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
