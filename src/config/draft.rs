//! A `bot.toml` that need not be valid yet: single values are read out of it, and one is changed in its place, with
//! everything around it left as it was written.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::valid::pages_beside_api;

/// The text of a configuration.
#[derive(Debug, Clone)]
pub struct Draft(String);

impl Draft {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text at this key of a table.
    pub fn text(&self, table: &str, key: &str) -> Option<String> {
        let found = self.at(table, key, |value| value.as_str().map(str::to_owned));
        found.map(|(text, _)| text)
    }

    /// The same text with another number at this key of a table; nothing where there is no number.
    #[must_use]
    pub fn with_number(&self, table: &str, key: &str, number: u64) -> Option<String> {
        let (_, span) = self.at(table, key, |value| value.is_integer().then_some(()))?;
        let (before, after) = (self.0.get(..span.start)?, self.0.get(span.end..)?);
        Some(format!("{before}{number}{after}"))
    }

    fn at<T>(
        &self,
        table: &str,
        key: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Option<(T, Range<usize>)> {
        let root: Spanned<DeTable<'_>> = DeTable::parse(&self.0).ok()?;
        let table = root.get_ref().get(table)?.get_ref().as_table()?;
        let value = table.get(key)?;
        Some((read(value.get_ref())?, value.span()))
    }
}

/// Where a GitHub shows its pages to people, by the address of its API.
pub fn pages_of_github(api_url: &str) -> Option<String> {
    pages_beside_api(api_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Mine\n[github]\napp_id = 1 # the app\nprivate_key = { file = \"k\" }\n[server]\npublic_url = \"https://d.example\"\n";

    #[test]
    fn one_number_changes_and_nothing_else() {
        let draft = Draft::new(TEXT.to_owned());
        let changed = draft.with_number("github", "app_id", 4_711).unwrap();
        assert_eq!(changed, TEXT.replace("app_id = 1 ", "app_id = 4711 "));
        assert_eq!(draft.with_number("github", "private_key", 1), None);
        assert_eq!(draft.with_number("gitlab", "app_id", 1), None);
    }

    #[test]
    fn what_is_no_configuration_has_no_values() {
        let draft = Draft::new(TEXT.to_owned());
        let address = draft.text("server", "public_url");
        assert_eq!(address.as_deref(), Some("https://d.example"));
        assert_eq!(draft.text("github", "app_id"), None);
        assert_eq!(Draft::new("not = = toml".to_owned()).text("a", "b"), None);
    }
}
