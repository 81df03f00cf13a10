//! Co-authors: the people who wrote a commit together with its author, by the lines at the end of its message.

/// Their names and addresses.
pub(super) fn co_authors(message: &str) -> impl Iterator<Item = (&str, &str)> {
    message.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        if !key.trim().eq_ignore_ascii_case("co-authored-by") {
            return None;
        }
        let (name, email) = value.split_once('<')?;
        Some((name.trim(), email.trim().trim_end_matches('>')))
    })
}
