//! Mentions that a message really makes: what its text names, as far as `allowed_mentions` lets it through. A
//! mention inside of backticks counts here, though Discord spares it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Complaints;

/// Those whom a message pings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mention {
    Everyone,
    Here,
    Role(u64),
    User(u64),
}

/// Who may be mentioned when a message says nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsaid {
    /// In messages of a bot.
    Everything,
    /// In answers to interactions.
    Users,
}

#[derive(Debug)]
struct Allowed {
    everyone: bool,
    roles: Which,
    users: Which,
}

#[derive(Debug)]
enum Which {
    All,
    Only(Vec<u64>),
}

impl Which {
    fn has(&self, id: u64) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(&id),
        }
    }
}

/// What is wrong with `allowed_mentions`.
pub(super) fn examine(allowed: &Value, complaints: &mut Complaints) {
    let parse = complaints.list("allowed_mentions/parse", &allowed["parse"], 3);
    for (index, kind) in parse.iter().enumerate() {
        if !["users", "roles", "everyone"]
            .iter()
            .any(|known| kind == known)
        {
            let at = format!("allowed_mentions/parse/{index}");
            complaints.choices(&at, "'roles', 'everyone', 'users'");
        }
    }
    for kind in ["users", "roles"] {
        let at = format!("allowed_mentions/{kind}");
        let ids = complaints.list(&at, &allowed[kind], 100);
        for (index, id) in ids.iter().enumerate() {
            if number(id).is_none() {
                let text = format!("Value {id} is not snowflake.");
                complaints.add(&format!("{at}/{index}"), "NUMBER_TYPE_COERCE", text);
            }
        }
        if !ids.is_empty() && parse.iter().any(|parsed| parsed == kind) {
            let text = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            let code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE";
            complaints.add("allowed_mentions", code, text);
        }
    }
}

/// Whom the text mentions, each once, in order.
pub(super) fn mentioned(content: &str, allowed: &Value, default: Unsaid) -> Vec<Mention> {
    let allowed = read(allowed, default);
    let mut found: Vec<Mention> = named(content)
        .into_iter()
        .filter(|mention| match mention {
            Mention::Everyone | Mention::Here => allowed.everyone,
            Mention::Role(id) => allowed.roles.has(*id),
            Mention::User(id) => allowed.users.has(*id),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn read(allowed: &Value, default: Unsaid) -> Allowed {
    if allowed.is_null() {
        return Allowed {
            everyone: default == Unsaid::Everything,
            roles: match default {
                Unsaid::Everything => Which::All,
                Unsaid::Users => Which::Only(Vec::new()),
            },
            users: Which::All,
        };
    }
    let parse = |kind: &str| {
        let parse = allowed["parse"].as_array();
        parse.is_some_and(|parse| parse.iter().any(|parsed| parsed == kind))
    };
    let chosen = |kind: &str| {
        if parse(kind) {
            return Which::All;
        }
        let ids = allowed[kind].as_array();
        Which::Only(ids.into_iter().flatten().filter_map(number).collect())
    };
    Allowed {
        everyone: parse("everyone"),
        roles: chosen("roles"),
        users: chosen("users"),
    }
}

fn number(id: &Value) -> Option<u64> {
    match id.as_str() {
        Some(text) => text.parse().ok(),
        None => id.as_u64(),
    }
}

fn named(content: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    for (word, mention) in [("@everyone", Mention::Everyone), ("@here", Mention::Here)] {
        if content.contains(word) {
            found.push(mention);
        }
    }
    for piece in content.split("<@").skip(1) {
        let Some((inside, _)) = piece.split_once('>') else {
            continue;
        };
        let (role, digits) = match inside.strip_prefix('&') {
            Some(digits) => (true, digits),
            None => (false, inside.strip_prefix('!').unwrap_or(inside)),
        };
        if let Ok(id) = digits.parse() {
            found.push(if role {
                Mention::Role(id)
            } else {
                Mention::User(id)
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(allowed: &Value, default: Unsaid, expect: &[Mention]) {
        let text = "@everyone, @here, <@&7>, <@!5>, <@6> and <@x> <@8";
        assert_eq!(mentioned(text, allowed, default), expect, "{allowed}");
    }

    #[test]
    fn only_what_is_allowed_is_mentioned() {
        use Mention::{Everyone, Here, Role, User};
        let all = [Everyone, Here, Role(7), User(5), User(6)];
        check(&Value::Null, Unsaid::Everything, &all);
        check(&Value::Null, Unsaid::Users, &[User(5), User(6)]);
        check(&json!({ "parse": [] }), Unsaid::Everything, &[]);
        check(&json!({ "parse": ["roles"] }), Unsaid::Users, &[Role(7)]);
        check(
            &json!({ "users": ["5", "9"] }),
            Unsaid::Everything,
            &[User(5)],
        );
        let both = json!({ "parse": ["everyone"], "roles": ["7"] });
        check(&both, Unsaid::Users, &[Everyone, Here, Role(7)]);
    }
}
