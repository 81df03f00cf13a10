//! Slack's words for "no", sorted by what may be done next, each with a way out for people.

use std::time::Duration;

use crate::call::CallError;

/// A "no" of Slack's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It may work later.
    Later { why: String, wait: Option<Duration> },
    /// The message is not there any more.
    Gone(String),
    /// Slack does not take it any more.
    Over(String),
    /// It will not work, however often it is tried.
    Never(String),
}

/// How long a word of Slack's is at most.
const LONGEST: usize = 80;

pub(super) fn sorted(word: &str, wait: Duration) -> Refusal {
    let is_word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let short: String = word.chars().filter(is_word).take(LONGEST).collect();
    match word {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Refusal::Later {
            why: short,
            wait: Some(wait),
        },
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "accesslimited" => Refusal::Later {
            why: short,
            wait: None,
        },
        "message_not_found" | "thread_not_found" | "cant_update_message" | "edit_window_closed" => {
            Refusal::Gone(short)
        }
        "expired_trigger_id"
        | "trigger_expired"
        | "trigger_exchanged"
        | "exchanged_trigger_id"
        | "invalid_trigger_id"
        | "used_url"
        | "expired_url" => Refusal::Over(short),
        _ => Refusal::Never(short),
    }
}

impl Refusal {
    /// The same for callers that treat no refusal apart.
    pub(super) fn error(self, method: &str) -> CallError {
        let says = |word: &str| format!("Slack answered {word} to {method}{}", way_out(word));
        match self {
            Self::Later { why, wait } => CallError::Later {
                why: says(&why),
                wait,
            },
            Self::Gone(word) | Self::Over(word) => CallError::Absent(says(&word)),
            Self::Never(word) => CallError::Never(says(&word)),
        }
    }
}

fn way_out(word: &str) -> &'static str {
    match word {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            ": the token is not valid; install the app again and put its token into the configuration"
        }
        "not_in_channel" | "channel_not_found" => {
            ": the bot does not see this channel; invite it there"
        }
        "is_archived" => ": the channel is archived; name another one in the configuration",
        "missing_scope" | "no_permission" | "not_allowed_token_type" | "ekm_access_denied" => {
            ": the app lacks a permission; compare its scopes with those in the documentation, and install it again"
        }
        "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel" => {
            ": the workspace does not let the bot speak in this channel"
        }
        "msg_too_long" | "invalid_blocks" | "msg_blocks_too_long" | "invalid_blocks_format" => {
            ": this is a mistake of Countersign's; please report it"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_by_what_may_be_done() {
        let wait = Duration::from_secs(7);
        for (word, expect) in [
            ("ratelimited", "later 7"),
            ("internal_error", "later"),
            ("message_not_found", "gone"),
            ("expired_trigger_id", "over"),
            ("used_url", "over"),
            ("channel_not_found", "never"),
            ("not_in_channel", "never"),
            ("invalid_auth", "never"),
            ("token_revoked", "never"),
            ("msg_too_long", "never"),
            ("something_new", "never"),
            ("", "never"),
        ] {
            let found = match sorted(word, wait) {
                Refusal::Later {
                    wait: Some(wait), ..
                } => format!("later {}", wait.as_secs()),
                Refusal::Later { wait: None, .. } => "later".to_owned(),
                Refusal::Gone(_) => "gone".to_owned(),
                Refusal::Over(_) => "over".to_owned(),
                Refusal::Never(_) => "never".to_owned(),
            };
            assert_eq!(found, expect, "{word}");
        }
    }

    #[test]
    fn a_refusal_names_a_way_out() {
        let error = sorted("not_in_channel", Duration::ZERO).error("chat.postMessage");
        assert_eq!(
            error.to_string(),
            "Slack answered not_in_channel to chat.postMessage: the bot does not see this channel; invite it there"
        );
    }
}
