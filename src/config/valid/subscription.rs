//! `notify`: the channels of a service, and what each is told. Refuses an environment that the service has not:
//! the channel would stay silent.

use super::Known;
use crate::config::at::At;
use crate::config::raw::{self, TextOr};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::domain::{ChannelRef, EnvironmentName, Happening, Invalid, QuietHours, Subscription};

pub(super) fn notify(
    raw: &raw::Service,
    known: &Known<'_>,
    review: &mut Review<'_>,
) -> Vec<Subscription> {
    let mut channels: Vec<At<ChannelRef>> = Vec::new();
    let mut subscriptions = Vec::new();
    for at in raw.notify.iter().flatten() {
        let written = match &at.value {
            TextOr::Text(text) => Some(At {
                place: at.place.clone(),
                value: text.clone(),
            }),
            TextOr::Table(table) => table.channel.clone(),
        };
        let Some(channel) = review.parse::<ChannelRef>(written.as_ref()) else {
            continue;
        };
        must_connect(&channel, known, review);
        let mut subscription = Subscription::to(channel.value.clone());
        if let TextOr::Table(table) = &at.value {
            fill(&mut subscription, table, raw, review);
        }
        review.add_new(&mut channels, channel);
        subscriptions.push(subscription);
    }
    subscriptions
}

fn must_connect(channel: &At<ChannelRef>, known: &Known<'_>, review: &mut Review<'_>) {
    let (connected, section) = match channel.value {
        ChannelRef::Discord(_) => (known.file.discord.is_some(), "discord"),
        ChannelRef::Slack(_) => (known.file.slack.is_some(), "slack"),
    };
    if !connected && !review.refused(&(0..0), section) {
        let problem = Problem::new(&channel.place, format!("there is no `[{section}]`"));
        review.refuse(problem.help(format!("add the section `[{section}]`")));
    }
}

fn fill(
    subscription: &mut Subscription,
    table: &raw::Subscription,
    service: &raw::Service,
    review: &mut Review<'_>,
) {
    let own: Vec<&str> = service
        .environment
        .iter()
        .flatten()
        .filter_map(|environment| environment.value.name.as_ref())
        .map(|name| name.value.as_str())
        .collect();
    for written in table.environments.iter().flatten() {
        let Some(name) = review.parse::<EnvironmentName>(Some(written)) else {
            continue;
        };
        if own.contains(&name.value.as_str()) {
            subscription.environments.push(name.value);
        } else {
            let problem = Problem::new(
                &name.place,
                format!("the service has no environment `{}`", name.value),
            );
            review.refuse(problem.help(format!("there are: {}", own.join(", "))));
        }
    }
    if let Some(on) = &table.on {
        subscription.on = on.iter().map(|one| happening(one.value)).collect();
    }
    if let Some(call) = &table.call {
        let id = callable(&subscription.channel, &call.value);
        subscription.call = review.keep(&call.place, id);
    }
    if let Some(quiet) = &table.quiet {
        subscription.quiet = review.keep(&quiet.place, QuietHours::parse(&quiet.value));
    }
}

/// A role or a user group, by the id that its chat gave it.
fn callable(channel: &ChannelRef, id: &str) -> Result<String, Invalid> {
    let (is_id, example) = match channel {
        ChannelRef::Discord(_) => (
            id.bytes().all(|b| b.is_ascii_digit()),
            "the id of a role is a number, such as `1000000000000000004`",
        ),
        ChannelRef::Slack(_) => (
            id.starts_with('S')
                && id
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
            "the id of a user group begins with S, such as `S0123456789`",
        ),
    };
    if is_id && (1..=32).contains(&id.len()) {
        return Ok(id.to_owned());
    }
    Err(Invalid::new("nobody can be called by this", example))
}

fn happening(written: raw::Happening) -> Happening {
    match written {
        raw::Happening::Ready => Happening::Ready,
        raw::Happening::Requested => Happening::Requested,
        raw::Happening::Deploying => Happening::Deploying,
        raw::Happening::Live => Happening::Live,
        raw::Happening::Failed => Happening::Failed,
        raw::Happening::Ended => Happening::Ended,
        raw::Happening::StageFailed => Happening::StageFailed,
        raw::Happening::Unexplained => Happening::Unexplained,
        raw::Happening::Parked => Happening::Parked,
    }
}
