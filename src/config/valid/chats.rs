//! `[discord]` and `[slack]`: the connections to chats.

use crate::config::at::At;
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::{Discord, Slack};
use crate::config::web_address::WebAddress;
use crate::domain::Invalid;

pub(super) fn discord(at: &At<raw::Discord>, review: &mut Review<'_>) -> Option<Discord> {
    let raw = &at.value;
    let id = raw.application_id.as_ref();
    let application_id = id.and_then(|id| review.keep(&id.place, application(&id.value)));
    let key = raw.public_key.as_ref();
    let public_key = key.and_then(|key| review.keep(&key.place, public_key(&key.value)));
    let token = raw.token.as_ref().and_then(|token| review.token(token));
    let guilds = ids(
        raw.guilds.as_ref(),
        review,
        |id| application(id).is_ok(),
        "a Discord server",
    );
    let api_url = address(raw.api_url.as_ref(), "https://discord.com/api/v10", review);
    Some(Discord {
        application_id: application_id?,
        public_key: public_key?,
        token: token?,
        guilds,
        is_global: raw
            .commands
            .as_ref()
            .is_some_and(|scope| matches!(scope.value, raw::CommandScope::Global)),
        api_url: api_url?,
    })
}

pub(super) fn slack(at: &At<raw::Slack>, review: &mut Review<'_>) -> Option<Slack> {
    let raw = &at.value;
    let token = raw.token.as_ref().and_then(|token| review.token(token));
    let signing_secrets = raw
        .signing_secret
        .as_ref()
        .map(|secrets| review.secrets(secrets));
    let teams = ids(raw.teams.as_ref(), review, is_team, "a Slack workspace");
    let app_token = raw.app_token.as_ref().map(|token| review.token(token));
    let api_url = address(raw.api_url.as_ref(), "https://slack.com/api", review);
    let hooks_url = address(raw.hooks_url.as_ref(), "https://hooks.slack.com", review);
    Some(Slack {
        token: token?,
        signing_secrets: signing_secrets?,
        teams,
        app_token: match app_token {
            None => None,
            Some(token) => Some(token?),
        },
        api_url: api_url?,
        hooks_url: hooks_url?,
    })
}

/// Every id of a list, each once.
fn ids(
    list: Option<&Vec<At<String>>>,
    review: &mut Review<'_>,
    is_one: impl Fn(&str) -> bool,
    what: &str,
) -> Vec<String> {
    let mut kept: Vec<At<String>> = Vec::new();
    for id in list.into_iter().flatten() {
        if is_one(&id.value) {
            let (place, value) = (id.place.clone(), id.value.clone());
            review.add_new(&mut kept, At { place, value });
        } else {
            let problem = Problem::new(&id.place, format!("this is not the id of {what}"));
            review.refuse(problem.help("copy the id, in quotes; a name can change hands"));
        }
    }
    kept.into_iter().map(|id| id.value).collect()
}

fn is_team(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (9..=32).contains(&id.len()) && id.starts_with(['T', 'E']) && id.bytes().all(allowed)
}

fn address(written: Option<&At<String>>, usual: &str, review: &mut Review<'_>) -> Option<String> {
    let Some(written) = written else {
        return Some(usual.to_owned());
    };
    let parsed = WebAddress::parse_private(&written.value);
    let address = review.keep(&written.place, parsed)?;
    Some(address.text())
}

fn application(text: &str) -> Result<u64, Invalid> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let id = text.parse().ok().filter(|id| digits && *id > 0);
    id.ok_or_else(|| Invalid {
        problem: "this is not the id of a Discord application".to_owned(),
        way_out: "copy the number from the developer portal, in quotes".to_owned(),
    })
}

fn public_key(text: &str) -> Result<[u8; 32], Invalid> {
    let invalid = || Invalid {
        problem: "this is not a public key of Discord".to_owned(),
        way_out: "copy the 64 hexadecimal digits from the developer portal".to_owned(),
    };
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    let mut key = [0; 32];
    for (byte, position) in key.iter_mut().zip((0..64).step_by(2)) {
        let digits = text.get(position..position + 2).ok_or_else(invalid)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
    }
    Ok(key)
}
