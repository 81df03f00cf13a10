//! Blocks, and the form that Slack wants of them in messages and in views.

use std::collections::BTreeSet;

use serde_json::Value;

use super::elements;
use super::error::{self, Complaints};
use crate::desk::Answer;

const IN_MESSAGES: usize = 50;
const IN_VIEWS: usize = 100;

/// The blocks of a message; none where there are none.
pub(super) fn of_message(value: &Value) -> Result<Vec<Value>, Answer> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let Some(blocks) = value.as_array() else {
        return Err(error::error("invalid_blocks_format"));
    };
    let mut complaints = Complaints::default();
    complaints.list("/blocks", value, (0, IN_MESSAGES));
    examine("/blocks", blocks, false, &mut complaints);
    if complaints.0.is_empty() {
        Ok(named(blocks))
    } else {
        Err(error::explained("invalid_blocks", &complaints.0))
    }
}

/// A view, which is a form.
pub(super) fn of_view(view: &Value) -> Result<Vec<Value>, Answer> {
    let mut complaints = Complaints::default();
    if !["modal", "home"].iter().any(|kind| view["type"] == *kind) {
        complaints.add("/view/type", "must be a valid enum value");
    }
    if view["type"] == "modal" && view["title"].is_null() {
        complaints.required("/view", "title");
    }
    for (part, most) in [("title", 24), ("submit", 24), ("close", 24)] {
        let at = format!("/view/{part}");
        elements::plain_text(&at, &view[part], most, &mut complaints);
    }
    complaints.text(
        "/view/private_metadata",
        &view["private_metadata"],
        (0, 3_000),
    );
    complaints.text("/view/callback_id", &view["callback_id"], (0, 255));
    complaints.text("/view/external_id", &view["external_id"], (0, 255));
    let blocks = complaints.list("/view/blocks", &view["blocks"], (1, IN_VIEWS));
    examine("/view/blocks", blocks, true, &mut complaints);
    let has_input = blocks.iter().any(|block| block["type"] == "input");
    if has_input && view["submit"].is_null() {
        complaints.required("/view", "submit");
    }
    if complaints.0.is_empty() {
        Ok(named(blocks))
    } else {
        Err(error::explained("invalid_arguments", &complaints.0))
    }
}

fn examine(at: &str, blocks: &[Value], is_view: bool, complaints: &mut Complaints) {
    let mut ids = BTreeSet::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("{at}/{index}");
        complaints.text(&format!("{at}/block_id"), &block["block_id"], (1, 255));
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            complaints.add(&format!("{at}/block_id"), format!("`{id}` already exists"));
        }
        let mut actions = BTreeSet::new();
        one(&at, block, is_view, complaints);
        for (place, element) in elements_of(block) {
            let at = format!("{at}/{place}/action_id");
            complaints.text(&at, &element["action_id"], (1, 255));
            if let Some(id) = element["action_id"].as_str()
                && !actions.insert(id)
            {
                complaints.add(&at, format!("`action_id` \"{id}\" already exists"));
            }
        }
    }
}

/// The elements of a block, each with its place in it.
pub(super) fn elements_of(block: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for part in ["accessory", "element"] {
        if block[part].is_object() {
            found.push((part.to_owned(), &block[part]));
        }
    }
    if block["type"] == "actions" {
        let elements = block["elements"].as_array();
        for (index, element) in elements.into_iter().flatten().enumerate() {
            found.push((format!("elements/{index}"), element));
        }
    }
    found
}

fn one(at: &str, block: &Value, is_view: bool, complaints: &mut Complaints) {
    match block["type"].as_str() {
        Some("section") => section(at, block, complaints),
        Some("divider" | "rich_text") => {}
        Some("header") => {
            if block["text"].is_null() {
                complaints.required(at, "text");
            }
            let at = format!("{at}/text");
            elements::plain_text(&at, &block["text"], 150, complaints);
        }
        Some("context") => {
            let at = format!("{at}/elements");
            let inside = complaints.list(&at, &block["elements"], (1, 10));
            for (index, element) in inside.iter().enumerate() {
                let at = format!("{at}/{index}");
                if element["type"] != "image" {
                    elements::text(&at, element, 3_000, complaints);
                }
            }
        }
        Some("actions") => {
            let at = format!("{at}/elements");
            let inside = complaints.list(&at, &block["elements"], (1, 25));
            for (index, element) in inside.iter().enumerate() {
                elements::interactive(&format!("{at}/{index}"), element, complaints);
            }
        }
        Some("image") => {
            complaints.text(&format!("{at}/image_url"), &block["image_url"], (1, 3_000));
            if block["alt_text"].is_null() {
                complaints.required(at, "alt_text");
            }
            complaints.text(&format!("{at}/alt_text"), &block["alt_text"], (0, 2_000));
        }
        Some("input") if is_view => {
            for part in ["label", "element"] {
                if block[part].is_null() {
                    complaints.required(at, part);
                }
            }
            elements::plain_text(&format!("{at}/label"), &block["label"], 2_000, complaints);
            elements::plain_text(&format!("{at}/hint"), &block["hint"], 2_000, complaints);
            if block["element"].is_object() {
                elements::interactive(&format!("{at}/element"), &block["element"], complaints);
            }
        }
        Some(kind) => complaints.add(&format!("{at}/type"), format!("unsupported type: {kind}")),
        None => complaints.required(at, "type"),
    }
}

fn section(at: &str, block: &Value, complaints: &mut Complaints) {
    if block["text"].is_null() && block["fields"].is_null() {
        complaints.add(at, "must define either `text` or `fields`");
    }
    if !block["text"].is_null() {
        elements::text(&format!("{at}/text"), &block["text"], 3_000, complaints);
    }
    if !block["fields"].is_null() {
        let at = format!("{at}/fields");
        let fields = complaints.list(&at, &block["fields"], (1, 10));
        for (index, field) in fields.iter().enumerate() {
            elements::text(&format!("{at}/{index}"), field, 2_000, complaints);
        }
    }
    let accessory = &block["accessory"];
    if accessory.is_object() && accessory["type"] != "image" {
        elements::interactive(&format!("{at}/accessory"), accessory, complaints);
    }
}

/// The blocks as Slack keeps them: each block and each element with an id.
fn named(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for (index, block) in blocks.iter_mut().enumerate() {
        if block["block_id"].is_null() {
            block["block_id"] = format!("b{index}").into();
        }
        for part in ["accessory", "element"] {
            if block[part].is_object() && block[part]["action_id"].is_null() {
                block[part]["action_id"] = format!("a{index}").into();
            }
        }
        if block["type"] == "actions" {
            let elements = block["elements"].as_array_mut();
            for (inner, element) in elements.into_iter().flatten().enumerate() {
                if element["action_id"].is_null() {
                    element["action_id"] = format!("a{index}.{inner}").into();
                }
            }
        }
    }
    blocks
}
