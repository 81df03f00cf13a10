//! `notify`: the channels of a service, and what each is told. Refuses an environment that the service has not:
//! the channel would stay silent.

use super::Known;
use crate::config::at::At;
use crate::config::raw::{self, TextOr};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::domain::{ChannelRef, EnvironmentName, Happening, QuietHours, Subscription};

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
    let chat = channel.value.chat();
    let section = chat.as_str();
    if !known.speaks_in(chat) && !review.refused(&(0..0), section) {
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
        let id = subscription.channel.callable(&call.value);
        subscription.call = review.keep(&call.place, id);
    }
    if let Some(quiet) = &table.quiet {
        subscription.quiet = review.keep(&quiet.place, QuietHours::parse(&quiet.value));
    }
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
