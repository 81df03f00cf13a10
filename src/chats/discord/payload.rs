//! Discord's interactions, as much of them as is used. A value of another kind than expected is an error that
//! names its field.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// What a person did.
#[derive(Debug, Deserialize)]
pub(super) struct Interaction {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) guild_id: Option<Snowflake>,
    #[serde(default)]
    pub(super) channel_id: Option<Snowflake>,
    /// The person; in a direct message they are named elsewhere.
    #[serde(default)]
    pub(super) member: Option<Member>,
    #[serde(default)]
    pub(super) data: Option<Data>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) user: User,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Snowflake,
    #[serde(default)]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) global_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Data {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) options: Option<Vec<Choice>>,
    #[serde(default)]
    pub(super) custom_id: Option<String>,
    /// Of a form that was sent.
    #[serde(default)]
    pub(super) components: Option<Vec<Component>>,
}

/// A part of a command that was filled in.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Option<Value>,
    /// It is being typed.
    #[serde(default)]
    pub(super) focused: bool,
}

/// A part of a form: a label around an input, or a row of inputs as it was before.
#[derive(Debug, Deserialize)]
pub(super) struct Component {
    #[serde(default)]
    pub(super) value: Option<Value>,
    #[serde(default)]
    pub(super) component: Option<Box<Component>>,
    #[serde(default)]
    pub(super) components: Option<Vec<Component>>,
}

/// One of Discord's ids: a number, written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snowflake(u64);

impl Snowflake {
    /// The milliseconds since the first second of 2015 in which it was made.
    pub(super) fn made_at(&self) -> Option<jiff::Timestamp> {
        let millis = i64::try_from(self.0 >> 22).ok()?;
        jiff::Timestamp::from_millisecond(millis.checked_add(1_420_070_400_000)?).ok()
    }
}

impl std::fmt::Display for Snowflake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        number
            .map(Self)
            .ok_or_else(|| de::Error::custom("this is no id of Discord"))
    }
}

impl Choice {
    /// What was filled in, as it would be typed.
    pub(super) fn text(&self) -> Option<String> {
        match self.value.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Component {
    /// The first text that was filled in.
    pub(super) fn text(&self) -> Option<&str> {
        let own = self.value.as_ref().and_then(Value::as_str);
        let inner = || self.component.as_ref().and_then(|inner| inner.text());
        let row = || self.components.iter().flatten().find_map(Self::text);
        own.or_else(inner).or_else(row)
    }
}
