//! Text with placeholders such as `{sha}`, filled in when a trigger leaves. Refuses a
//! placeholder that is not known, so that a typing error cannot reach production as text.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

/// A value that is known only when the trigger leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placeholder {
    /// The full commit id that is released.
    Sha,
    /// The service's name.
    Service,
    /// The environment's name.
    Environment,
    /// The request's number.
    Request,
    /// The id by which the run is found again when an answer is lost.
    Correlation,
}

impl Placeholder {
    /// Every placeholder, in the order in which they are explained.
    pub const ALL: [Self; 5] = [
        Self::Sha,
        Self::Service,
        Self::Environment,
        Self::Request,
        Self::Correlation,
    ];

    /// The word between the braces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sha => "sha",
            Self::Service => "service",
            Self::Environment => "environment",
            Self::Request => "request",
            Self::Correlation => "correlation",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// Text that may hold placeholders; `{{` and `}}` stand for single braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

impl Template {
    /// The template as it is written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether this placeholder occurs.
    pub fn mentions(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Placeholder(placeholder))
    }

    /// The text with every placeholder filled in.
    pub fn render(&self, value: impl Fn(Placeholder) -> String) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Placeholder(placeholder) => value(*placeholder),
            })
            .collect()
    }
}

impl FromStr for Template {
    type Err = Invalid;

    fn from_str(source: &str) -> Result<Self, Invalid> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                text.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                text.push('}');
                rest = after;
            } else {
                let (placeholder, after) = placeholder(brace)?;
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut text)));
                }
                parts.push(Part::Placeholder(placeholder));
                rest = after;
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self {
            source: source.to_owned(),
            parts,
        })
    }
}

fn placeholder(text: &str) -> Result<(Placeholder, &str), Invalid> {
    let known = || {
        let words: Vec<String> = Placeholder::ALL
            .iter()
            .map(|placeholder| format!("`{{{}}}`", placeholder.word()))
            .collect();
        format!(
            "known are {}; `{{{{` and `}}}}` write single braces",
            words.join(", ")
        )
    };
    let inside = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    let Some((word, after)) = inside else {
        return Err(Invalid::new(
            "there is a brace without its partner",
            known(),
        ));
    };
    Placeholder::ALL
        .into_iter()
        .find(|placeholder| placeholder.word() == word)
        .map(|placeholder| (placeholder, after))
        .ok_or_else(|| Invalid::new("this placeholder is not known", known()))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let check = |source: &str, expect: &str| {
            let template: Template = source.parse().unwrap();
            assert_eq!(
                template.render(|placeholder| placeholder.word().to_uppercase()),
                expect
            );
        };
        check("", "");
        check("plain", "plain");
        check("{sha}", "SHA");
        check("v-{sha}-{environment}!", "v-SHA-ENVIRONMENT!");
        check("{{sha}} {service}", "{sha} SERVICE");
    }

    #[test]
    fn unknown_placeholders_and_lone_braces_are_refused() {
        for bad in ["{commit}", "{sha", "sha}", "{", "}", "{ sha }", "{}"] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
    }
}
