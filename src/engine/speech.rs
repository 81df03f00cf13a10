//! Speech carries out what is shown and said in chats. A message that is there is changed; one that is gone, or was
//! never made, is posted if it should be.

use super::hands::Job;
use crate::call::CallError;
use crate::chats::clients::Clients;
use crate::chats::{Remark, Shown};
use crate::domain::{Happening, InChat};

/// Does it, and says what the chat calls what was made.
pub(super) async fn carry_out(
    chats: &Clients,
    effect: &InChat,
    job: &Job<'_>,
) -> Result<Option<String>, CallError> {
    match effect {
        InChat::Reply {
            spot,
            text,
            buttons,
        } => chats.reply(spot, text, buttons).await.map(|()| None),
        InChat::Form { spot, button } => chats.form(spot, *button).await.map(|()| None),
        InChat::Notice {
            channel,
            notice,
            call,
            post,
        } => {
            let happening = notice.news.happening();
            let is_anchored = matches!(happening, Happening::Ready | Happening::Live);
            let shown = Shown {
                token: job.token,
                call: call.as_deref(),
                anchor: job.anchor.as_deref().filter(|_| is_anchored),
            };
            if let Some(message) = &job.made
                && chats.change(channel, message, notice, shown).await?
            {
                return Ok(Some(message.clone()));
            }
            if !post {
                return Ok(None);
            }
            chats.notice(channel, notice, shown).await.map(Some)
        }
        InChat::Remark {
            channel,
            notice,
            kind,
            text,
            call,
        } => {
            if notice.is_some() && job.made.is_none() {
                // The channel did not want the message that it belongs to.
                return Ok(None);
            }
            let remark = Remark {
                under: job.made.as_deref(),
                kind: *kind,
                text,
                call: call.as_deref(),
                title: "What happened",
                token: job.token,
            };
            chats.remark(channel, &remark).await.map(|()| None)
        }
    }
}
