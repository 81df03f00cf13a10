//! Values that go along with a trigger: the inputs of a workflow, the variables of a pipeline.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::policy_text::Record;
use crate::domain::{Placeholder, Request, Template};

/// Names and what is written behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values(pub BTreeMap<String, Template>);

impl Values {
    /// With every placeholder filled in for a request.
    pub(super) fn filled_in(&self, request: &Request) -> BTreeMap<String, String> {
        let value = |placeholder| match placeholder {
            Placeholder::Sha => request.sha.to_string(),
            Placeholder::Service => request.service.to_string(),
            Placeholder::Environment => request.environment.to_string(),
            Placeholder::Request => request.number.to_string(),
            Placeholder::Correlation => request.correlation(),
        };
        let values = self.0.iter();
        values
            .map(|(name, template)| (name.clone(), template.render(value)))
            .collect()
    }

    pub(super) fn spelled(&self) -> Record {
        self.0
            .iter()
            .fold(Record::default(), |record, (name, value)| {
                record.with(name, value.as_str())
            })
    }
}

/// ` with sha = {sha}, by = {service}`; nothing where there are none.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, value)) in self.0.iter().enumerate() {
            let before = if position == 0 { " with " } else { ", " };
            write!(f, "{before}{name} = {value}")?;
        }
        Ok(())
    }
}
