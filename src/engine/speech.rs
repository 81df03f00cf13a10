//! Speech carries out what is shown and said in chats. A message that is there is changed; one that is gone, or was
//! never made, is posted if it should be.

use std::sync::Arc;

use tokio::sync::watch;

use super::hands::Job;
use crate::call::CallError;
use crate::chats::{Remark, Shown, discord, slack};
use crate::domain::{ChannelRef, Chat, Effect, Happening, Notice};

/// The clients of the chats that are configured.
#[derive(Clone, Debug)]
pub struct Chats {
    pub discord: watch::Receiver<Option<Arc<discord::client::Client>>>,
    pub slack: watch::Receiver<Option<Arc<slack::client::Client>>>,
}

impl Default for Chats {
    /// No chat at all.
    fn default() -> Self {
        Self {
            discord: watch::channel(None).1,
            slack: watch::channel(None).1,
        }
    }
}

/// The chat in which something is done, and its client.
enum Through {
    Discord(Arc<discord::client::Client>),
    Slack(Arc<slack::client::Client>),
}

impl Chats {
    fn through(&self, chat: Chat) -> Result<Through, CallError> {
        let client = match chat {
            Chat::Discord => self.discord.borrow().clone().map(Through::Discord),
            Chat::Slack => self.slack.borrow().clone().map(Through::Slack),
        };
        client.ok_or_else(|| {
            CallError::Never(format!("{} is not configured any more", chat.called()))
        })
    }

    /// Does it, and says what the chat calls what was made.
    pub(super) async fn carry_out(
        &self,
        chat: Chat,
        job: &Job<'_>,
    ) -> Result<Option<String>, CallError> {
        let through = self.through(chat)?;
        match job.effect {
            Effect::Reply {
                spot,
                text,
                buttons,
            } => match &through {
                Through::Discord(client) => client.reply(spot, text, buttons).await,
                Through::Slack(client) => client.reply(spot, text, buttons).await,
            }
            .map(|()| None),
            Effect::Form { spot, button } => match &through {
                // It asks its questions where it is pressed.
                Through::Discord(_) => Ok(None),
                Through::Slack(client) => client.form(spot, *button).await.map(|()| None),
            },
            Effect::Notice {
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
                through
                    .notice((channel, *post), notice, (job.made.as_deref(), shown))
                    .await
            }
            Effect::Remark {
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
                match (&through, channel) {
                    (Through::Discord(client), ChannelRef::Discord(id)) => {
                        client.remark(*id, &remark).await
                    }
                    (Through::Slack(client), ChannelRef::Slack(id)) => {
                        client.remark(id, &remark).await
                    }
                    (Through::Discord(_) | Through::Slack(_), _) => Ok(()),
                }
                .map(|()| None)
            }
            Effect::React { .. }
            | Effect::Say { .. }
            | Effect::Trigger { .. }
            | Effect::CommitStatus { .. }
            | Effect::DeploymentStatus { .. }
            | Effect::RejectRun { .. } => Ok(None),
        }
    }
}

impl Through {
    async fn notice(
        &self,
        (channel, post): (&ChannelRef, bool),
        notice: &Notice,
        (made, shown): (Option<&str>, Shown<'_>),
    ) -> Result<Option<String>, CallError> {
        if let Some(message) = made {
            let is_there = match (self, channel) {
                (Self::Discord(client), ChannelRef::Discord(id)) => {
                    client.change(*id, message, notice, shown).await?
                }
                (Self::Slack(client), ChannelRef::Slack(id)) => {
                    client.change(id, message, notice, shown).await?
                }
                (Self::Discord(_) | Self::Slack(_), _) => true,
            };
            if is_there {
                return Ok(Some(message.to_owned()));
            }
        }
        if !post {
            return Ok(None);
        }
        match (self, channel) {
            (Self::Discord(client), ChannelRef::Discord(id)) => {
                client.notice(*id, notice, shown).await.map(Some)
            }
            (Self::Slack(client), ChannelRef::Slack(id)) => {
                client.notice(id, notice, shown).await.map(Some)
            }
            (Self::Discord(_) | Self::Slack(_), _) => Ok(None),
        }
    }
}
