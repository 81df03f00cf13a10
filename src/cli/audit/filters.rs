//! The filters of the audit log as options of the command line.

use clap::Args;
use jiff::Timestamp;

use crate::domain::Filter;

#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this environment
    #[arg(long, visible_alias = "env", value_name = "NAME")]
    environment: Option<String>,
    /// Only what this person did: a login, `github:7`, or `operator`
    #[arg(long, visible_alias = "who", value_name = "WHO")]
    person: Option<String>,
    /// Only this action, such as `approved`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what ended so: allowed, refused, succeeded, failed, alarm or noted
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only this commit; at least 4 digits of its id
    #[arg(long, value_name = "SHA")]
    sha: Option<String>,
    /// Only this request
    #[arg(long, value_name = "N")]
    request: Option<String>,
    /// Not before this time, such as `2026-01-31`, `2026-01-31T14:30:00Z` or `7d`
    #[arg(long, visible_alias = "from", value_name = "TIME")]
    since: Option<String>,
    /// Only before this time
    #[arg(long, visible_alias = "to", value_name = "TIME")]
    until: Option<String>,
    /// Only what has these words among its reasons; the last may be the beginning of a word
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
}

impl Filters {
    /// The filter that is meant, or what is wrong with it.
    pub(super) fn read(&self, now: Timestamp) -> Result<Filter, String> {
        let mut filter = Filter::default();
        for (key, value) in [
            ("service", &self.service),
            ("environment", &self.environment),
            ("person", &self.person),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("sha", &self.sha),
            ("request", &self.request),
            ("since", &self.since),
            ("until", &self.until),
            ("text", &self.text),
        ] {
            if let Some(value) = value {
                filter.set(key, value, now)?;
            }
        }
        Ok(filter)
    }
}
