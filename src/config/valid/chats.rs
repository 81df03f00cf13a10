//! `[discord]` and `[slack]`: the connections to chats.

use crate::config::at::At;
use crate::config::raw;
use crate::config::review::Review;
use crate::config::settings::{Discord, Slack};
use crate::domain::Invalid;

pub(super) fn discord(at: &At<raw::Discord>, review: &mut Review<'_>) -> Option<Discord> {
    let raw = &at.value;
    let id = raw.application_id.as_ref();
    let application_id = id.and_then(|id| review.keep(&id.place, application(&id.value)));
    let key = raw.public_key.as_ref();
    let public_key = key.and_then(|key| review.keep(&key.place, public_key(&key.value)));
    let token = raw.token.as_ref().and_then(|token| review.token(token));
    Some(Discord {
        application_id: application_id?,
        public_key: public_key?,
        token: token?,
    })
}

pub(super) fn slack(at: &At<raw::Slack>, review: &mut Review<'_>) -> Option<Slack> {
    let raw = &at.value;
    let token = raw.token.as_ref().and_then(|token| review.token(token));
    let signing_secrets = raw
        .signing_secret
        .as_ref()
        .map(|secrets| review.secrets(secrets));
    Some(Slack {
        token: token?,
        signing_secrets: signing_secrets?,
    })
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
