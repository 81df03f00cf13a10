//! Mentions that a message makes: in its text, and in the marked-up texts of its blocks.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Those whom a message pings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mention {
    Channel,
    Here,
    Everyone,
    Group(String),
    User(String),
}

/// Whom a message mentions, each once, in order.
pub(super) fn mentioned(text: &str, blocks: &[Value]) -> Vec<Mention> {
    let mut found = named(text);
    for block in blocks {
        inside(block, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// Texts of type `mrkdwn`, wherever they stand, and the mentions of rich texts.
fn inside(part: &Value, found: &mut Vec<Mention>) {
    if part["type"] == "mrkdwn" {
        found.extend(named(part["text"].as_str().unwrap_or_default()));
    }
    let text = |field: &str| part[field].as_str().map(str::to_owned);
    match part["type"].as_str() {
        Some("user") => found.extend(text("user_id").map(Mention::User)),
        Some("usergroup") => found.extend(text("usergroup_id").map(Mention::Group)),
        Some("broadcast") => found.extend(text("range").and_then(|range| special(&range))),
        _ => {}
    }
    for inner in part
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, inner)| inner)
    {
        inside(inner, found);
    }
    for inner in part.as_array().into_iter().flatten() {
        inside(inner, found);
    }
}

fn named(text: &str) -> Vec<Mention> {
    let pieces = text.split('<').skip(1);
    let inside = pieces.filter_map(|piece| Some(piece.split_once('>')?.0));
    inside
        .filter_map(|inside| {
            let (name, _label) = inside.split_once('|').unwrap_or((inside, ""));
            if let Some(user) = name.strip_prefix('@') {
                return Some(Mention::User(user.to_owned()));
            }
            let word = name.strip_prefix('!')?;
            match word.strip_prefix("subteam^") {
                Some(group) => Some(Mention::Group(group.to_owned())),
                None => special(word),
            }
        })
        .collect()
}

fn special(word: &str) -> Option<Mention> {
    match word {
        "channel" | "group" => Some(Mention::Channel),
        "here" => Some(Mention::Here),
        "everyone" => Some(Mention::Everyone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marked_up_texts_mention_and_plain_ones_do_not() {
        let text = |kind: &str, text: &str| json!({ "type": "section", "text": { "type": kind, "text": text } });
        let blocks = [
            text("plain_text", "<!channel>"),
            text("mrkdwn", "<!subteam^S1|@deployers> <@U1|ann> &lt;@U2&gt;"),
            json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": "<!everyone>" }] }),
        ];
        let expect = [
            Mention::Here,
            Mention::Everyone,
            Mention::Group("S1".to_owned()),
            Mention::User("U1".to_owned()),
        ];
        assert_eq!(mentioned("<!here> @channel <#C1>", &blocks), expect);
    }
}
