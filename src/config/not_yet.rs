//! Gaps: what a configuration can say that this version does not do. It is checked like everything else and then
//! refused, because ignoring it in silence would be worse. When a part becomes available, its line is deleted here, and
//! nothing else.

use toml::de::{DeTable, DeValue};

use super::at::Place;
use super::report::Problem;

/// A path of keys, the beginning of the text that stands there, and what it is for.
const NOT_YET: &[(&str, &str, &str)] = &[(
    "service.environment.trigger.webhook",
    "",
    "a trigger by webhook",
)];

/// A problem for every use of something that is not available yet.
pub(super) fn refuse(root: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, beginning, what) in NOT_YET {
        find(root, path, beginning, &mut |place| {
            let problem = Problem::new(&place, format!("{what} is not available yet"));
            problems.push(problem.help("take it out; this version would not act on it"));
        });
    }
    problems
}

fn find(table: &DeTable<'_>, path: &str, beginning: &str, found: &mut impl FnMut(Place)) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let Some((key, value)) = table.get_key_value(first) else {
        return;
    };
    match rest {
        None if beginning.is_empty() => found(key.span()),
        None => {
            let text = value.get_ref().as_str();
            if text.is_some_and(|text| text.starts_with(beginning)) {
                found(value.span());
            }
        }
        Some(rest) => each_table(value.get_ref(), &mut |inner| {
            find(inner, rest, beginning, found);
        }),
    }
}

fn each_table<'a, 'i>(value: &'a DeValue<'i>, act: &mut dyn FnMut(&'a DeTable<'i>)) {
    if let Some(table) = value.as_table() {
        act(table);
    }
    for inner in value.as_array().into_iter().flat_map(|list| list.iter()) {
        each_table(inner.get_ref(), act);
    }
}
