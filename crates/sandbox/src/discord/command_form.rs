//! Commands, and the form that Discord wants of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::Complaints;

const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;
/// Texts, whole numbers, numbers.
const WITH_CHOICES: [u64; 3] = [3, 4, 10];

/// What is wrong with a command, at its place in the form.
pub(super) fn examine(root: &str, command: &Value, complaints: &mut Complaints) {
    let at = |field: &str| {
        if root.is_empty() {
            field.to_owned()
        } else {
            format!("{root}/{field}")
        }
    };
    if command["name"].is_null() {
        complaints.required(&at("name"));
    }
    if matches!(command["type"].as_u64(), Some(2 | 3)) {
        // Commands of a context menu: any name, no description.
        complaints.text(&at("name"), &command["name"], (1, 32));
        if command["description"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
        {
            let text = "Context menu commands cannot have description";
            complaints.add(
                &at("description"),
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_EMPTY",
                text,
            );
        }
        return;
    }
    name(&at("name"), &command["name"], complaints);
    complaints.required_text(&at("description"), &command["description"], (1, 100));
    options(&at("options"), &command["options"], complaints);
    let permissions = &command["default_member_permissions"];
    if permissions
        .as_str()
        .is_some_and(|bits| bits.parse::<u64>().is_err())
    {
        let text = format!("Value {permissions} is not an integer.");
        complaints.add(
            &at("default_member_permissions"),
            "NUMBER_TYPE_COERCE",
            text,
        );
    }
    if letters(command) > 8_000 {
        let text = "Command exceeds maximum size (8000)";
        complaints.add(root, "APPLICATION_COMMAND_TOO_LARGE", text);
    }
}

/// 1 to 32 letters, digits, `-`, `_` and `'`, in lower case.
fn name(at: &str, name: &Value, complaints: &mut Complaints) {
    complaints.text(at, name, (1, 32));
    let is_good = |text: &str| {
        let is_in = |letter: char| letter.is_alphanumeric() || "-_'".contains(letter);
        text.chars().all(is_in) && text.to_lowercase() == text
    };
    if name
        .as_str()
        .is_some_and(|text| !text.is_empty() && !is_good(text))
    {
        let text = "Command name is invalid";
        complaints.add(at, "APPLICATION_COMMAND_INVALID_NAME", text);
    }
}

fn options(at: &str, value: &Value, complaints: &mut Complaints) {
    let options = complaints.list(at, value, 25);
    let mut names = BTreeSet::new();
    let mut is_optional_before = false;
    for (index, option) in options.iter().enumerate() {
        let at = format!("{at}/{index}");
        if option["name"].is_null() {
            complaints.required(&format!("{at}/name"));
        }
        name(&format!("{at}/name"), &option["name"], complaints);
        let description = format!("{at}/description");
        complaints.required_text(&description, &option["description"], (1, 100));
        if let Some(name) = option["name"].as_str()
            && !names.insert(name)
        {
            let code = "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS";
            complaints.add(&at, code, "Option name already exists");
        }
        match option["type"].as_u64() {
            Some(kind @ (SUBCOMMAND | GROUP)) => {
                let is_inner = |inner: &Value| {
                    let inner = inner["type"].as_u64().unwrap_or(0);
                    inner <= GROUP && inner >= kind
                };
                if option["options"]
                    .as_array()
                    .is_some_and(|inner| inner.iter().any(is_inner))
                {
                    let text = "Sub-command option type is not allowed here";
                    complaints.add(&at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", text);
                }
                self::options(&format!("{at}/options"), &option["options"], complaints);
                continue;
            }
            Some(3..=11) => {}
            _ => complaints.choices(&format!("{at}/type"), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
        }
        let is_required = option["required"] == true;
        if is_required && is_optional_before {
            let text = "Required options must be placed before non-required options";
            complaints.add(&at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text);
        }
        is_optional_before |= !is_required;
        choices(&at, option, complaints);
    }
    let is_deep = |one: &Value| one["type"].as_u64().is_some_and(|kind| kind <= GROUP);
    if options.iter().any(is_deep) && !options.iter().all(is_deep) {
        let text = "Sub-commands and options cannot stand side by side";
        complaints.add(at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", text);
    }
}

fn choices(at: &str, option: &Value, complaints: &mut Complaints) {
    let place = format!("{at}/choices");
    let choices = complaints.list(&place, &option["choices"], 25);
    let kind = option["type"].as_u64().unwrap_or(0);
    if !choices.is_empty() && !WITH_CHOICES.contains(&kind) {
        let text = "Choices are not allowed for this option type";
        complaints.add(&place, "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", text);
    }
    if !choices.is_empty() && option["autocomplete"] == true {
        let text = "Autocomplete and choices are mutually exclusive";
        complaints.add(
            at,
            "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES_EXCLUSIVE",
            text,
        );
    }
    for (index, one) in choices.iter().enumerate() {
        choice(&format!("{place}/{index}"), one, kind, complaints);
    }
}

/// One of a list to choose from, in a command or while a user types.
pub(super) fn choice(at: &str, one: &Value, kind: u64, complaints: &mut Complaints) {
    complaints.required_text(&format!("{at}/name"), &one["name"], (1, 100));
    let place = format!("{at}/value");
    if kind == 3 {
        complaints.required_text(&place, &one["value"], (1, 100));
    } else if !one["value"].is_number() {
        complaints.add(&place, "NUMBER_TYPE_COERCE", "Value is not a number.");
    }
}

/// How many letters of names, descriptions and values there are, inside out.
fn letters(part: &Value) -> usize {
    let own: usize = ["name", "description", "value"]
        .iter()
        .filter_map(|field| part[*field].as_str())
        .map(|text| text.chars().count())
        .sum();
    let inside = ["options", "choices"]
        .iter()
        .filter_map(|field| part[*field].as_array());
    own + inside.flatten().map(letters).sum::<usize>()
}
