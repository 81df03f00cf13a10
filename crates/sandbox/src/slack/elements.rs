//! Elements: the form that Slack wants of texts, buttons, inputs and menus.

use serde_json::Value;

use super::error::Complaints;

/// A text that may be marked up.
pub(super) fn text(at: &str, text: &Value, most: usize, complaints: &mut Complaints) {
    match text["type"].as_str() {
        Some("plain_text" | "mrkdwn") => {}
        _ => complaints.add(&format!("{at}/type"), "must be one of: plain_text, mrkdwn"),
    }
    let at = format!("{at}/text");
    if text["text"].is_null() {
        complaints.required(&at, "text");
    }
    complaints.text(&at, &text["text"], (1, most));
}

/// A text that may not; nothing where it is missing.
pub(super) fn plain_text(at: &str, value: &Value, most: usize, complaints: &mut Complaints) {
    if value.is_null() {
        return;
    }
    if value["type"] != "plain_text" {
        complaints.add(&format!("{at}/type"), "must be one of: plain_text");
        return;
    }
    text(at, value, most, complaints);
}

pub(super) fn interactive(at: &str, element: &Value, complaints: &mut Complaints) {
    match element["type"].as_str() {
        Some("button") => button(at, element, complaints),
        Some("plain_text_input") => input(at, element, complaints),
        Some("static_select" | "radio_buttons" | "checkboxes" | "overflow") => {
            options(at, element, complaints);
        }
        Some(
            "users_select"
            | "channels_select"
            | "conversations_select"
            | "datepicker"
            | "timepicker"
            | "multi_users_select"
            | "external_select"
            | "url_text_input"
            | "email_text_input"
            | "number_input",
        ) => {}
        Some(kind) => complaints.add(&format!("{at}/type"), format!("unsupported type: {kind}")),
        None => complaints.required(at, "type"),
    }
    plain_text(
        &format!("{at}/placeholder"),
        &element["placeholder"],
        150,
        complaints,
    );
    confirm(&format!("{at}/confirm"), &element["confirm"], complaints);
}

fn button(at: &str, button: &Value, complaints: &mut Complaints) {
    if button["text"].is_null() {
        complaints.required(at, "text");
    }
    plain_text(&format!("{at}/text"), &button["text"], 75, complaints);
    complaints.text(&format!("{at}/value"), &button["value"], (0, 2_000));
    complaints.text(&format!("{at}/url"), &button["url"], (1, 3_000));
    complaints.text(
        &format!("{at}/accessibility_label"),
        &button["accessibility_label"],
        (0, 75),
    );
    let style = button["style"].as_str();
    if !button["style"].is_null() && !matches!(style, Some("primary" | "danger")) {
        complaints.add(&format!("{at}/style"), "must be one of: primary, danger");
    }
}

fn input(at: &str, input: &Value, complaints: &mut Complaints) {
    complaints.text(
        &format!("{at}/initial_value"),
        &input["initial_value"],
        (0, 3_000),
    );
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        let number = &input[name];
        let is_in = number
            .as_u64()
            .is_some_and(|it| (least..=3_000).contains(&it));
        if !number.is_null() && !is_in {
            complaints.add(
                &format!("{at}/{name}"),
                format!("must be between {least} and 3000"),
            );
        }
    }
}

fn options(at: &str, menu: &Value, complaints: &mut Complaints) {
    let most = match menu["type"].as_str() {
        Some("static_select") => 100,
        Some("overflow") => 5,
        _ => 10,
    };
    if menu["option_groups"].is_array() {
        return;
    }
    let at = format!("{at}/options");
    let options = complaints.list(&at, &menu["options"], (1, most));
    for (index, option) in options.iter().enumerate() {
        let at = format!("{at}/{index}");
        text(&format!("{at}/text"), &option["text"], 75, complaints);
        complaints.text(&format!("{at}/value"), &option["value"], (1, 75));
        complaints.text(&format!("{at}/url"), &option["url"], (1, 3_000));
    }
}

fn confirm(at: &str, dialog: &Value, complaints: &mut Complaints) {
    if dialog.is_null() {
        return;
    }
    for (part, most) in [("title", 100), ("confirm", 30), ("deny", 30)] {
        if dialog[part].is_null() {
            complaints.required(at, part);
        }
        plain_text(&format!("{at}/{part}"), &dialog[part], most, complaints);
    }
    text(&format!("{at}/text"), &dialog["text"], 300, complaints);
}
