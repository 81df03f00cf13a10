//! Our commands as Discord registers them, from the same definition that reads a comment.

use serde_json::{Value, json};

use crate::chats::outside::shortened;
use crate::domain::command::{Part, definitions};

/// What Discord takes for a description.
const DESCRIPTION: usize = 100;
const TEXT: u8 = 3;
const SWITCH: u8 = 5;
/// What is completed while a person types.
const COMPLETED: &[&str] = &["environment", "service", "target"];

/// Where a command is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// In one server, at once.
    Guild,
    /// In every server, but not in direct messages.
    Everywhere,
}

/// All commands, as they replace what was registered before.
pub(super) fn commands(reach: Reach) -> Value {
    definitions()
        .into_iter()
        .map(|definition| {
            let mut parts: Vec<&Part> = definition.parts.iter().collect();
            // Discord wants what is required first.
            parts.sort_by_key(|part| !part.is_required);
            let options: Vec<Value> = parts.into_iter().map(option).collect();
            let mut command = json!({
                "type": 1,
                "name": definition.name,
                "description": described(definition.about),
                "options": options,
            });
            // A server's own commands are for that server anyway.
            if reach == Reach::Everywhere {
                command["contexts"] = json!([0]);
                command["integration_types"] = json!([0]);
            }
            command
        })
        .collect()
}

fn option(part: &Part) -> Value {
    let mut option = json!({
        "type": if part.is_switch { SWITCH } else { TEXT },
        "name": part.name,
        "description": described(&part.help),
        "required": part.is_required,
    });
    if COMPLETED.contains(&part.name.as_str()) {
        option["autocomplete"] = json!(true);
    }
    option
}

/// A description is plain text, and marks would stand in it as they are.
fn described(text: &str) -> String {
    shortened(&text.replace('`', ""), DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_registered_within_discords_limits() {
        for reach in [Reach::Guild, Reach::Everywhere] {
            let commands = commands(reach);
            let commands = commands.as_array().unwrap();
            assert_eq!(commands.len(), definitions().len());
            for command in commands {
                let text = |value: &Value| value.as_str().unwrap().chars().count();
                assert!((1..=32).contains(&text(&command["name"])));
                assert!((1..=100).contains(&text(&command["description"])));
                let options = command["options"].as_array().unwrap();
                assert!(options.len() <= 25);
                let required: Vec<bool> = options
                    .iter()
                    .map(|option| option["required"].as_bool().unwrap())
                    .collect();
                assert!(required.is_sorted_by(|before, after| before >= after));
                for option in options {
                    let name = option["name"].as_str().unwrap();
                    assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
                    assert!((1..=32).contains(&name.len()));
                    assert!((1..=100).contains(&text(&option["description"])));
                }
            }
        }
    }

    #[test]
    fn what_can_be_completed_is() {
        let commands = commands(Reach::Guild);
        let deploy = &commands[0];
        assert_eq!(deploy["name"], "deploy");
        assert_eq!(
            deploy["options"][0],
            json!({
                "type": 3,
                "name": "environment",
                "description": "an environment: its name or an alias",
                "required": true,
                "autocomplete": true,
            })
        );
        let last = deploy["options"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["name"], &last["type"]),
            (&json!("dry-run"), &json!(5))
        );
    }
}
