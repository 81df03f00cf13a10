//! The history of a repository, as git has it: which commits lie below another, what lies between two, and what a short
//! id means. What a forge keeps of a commit besides is its own business.

use std::collections::{BTreeMap, BTreeSet};

/// A commit as far as git knows it.
pub(crate) trait Recorded {
    fn sha(&self) -> &str;
    fn parents(&self) -> &[String];
    fn files(&self) -> &[String];
    /// Grows with each commit.
    fn serial(&self) -> u64;
    /// Which repositories share it: one and its forks.
    fn network(&self) -> u64;
}

/// Every commit, by its id.
pub(crate) type Commits<C> = BTreeMap<String, C>;

/// The commit and everything below it.
pub(crate) fn ancestors<'c, C: Recorded>(commits: &'c Commits<C>, sha: &str) -> BTreeSet<&'c str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = commits.get(sha).into_iter().map(C::sha).collect();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            let parents = commits.get(next).map(C::parents);
            open.extend(parents.into_iter().flatten().map(String::as_str));
        }
    }
    seen
}

/// Oldest first.
pub(crate) fn in_order<'c, 's, C: Recorded>(
    commits: &'c Commits<C>,
    shas: impl Iterator<Item = &'s str>,
) -> Vec<&'c C> {
    let mut found: Vec<&C> = shas.filter_map(|sha| commits.get(sha)).collect();
    found.sort_by_key(|commit| commit.serial());
    found
}

/// What lies above a base, oldest first.
pub(crate) fn between<'c, C: Recorded>(
    commits: &'c Commits<C>,
    base: &str,
    head: &str,
) -> Vec<&'c C> {
    let (base, head) = (ancestors(commits, base), ancestors(commits, head));
    in_order(commits, head.difference(&base).copied())
}

/// What the commits above a base touch.
pub(crate) fn files_between<C: Recorded>(
    commits: &Commits<C>,
    base: &str,
    head: &str,
) -> Vec<String> {
    let commits = between(commits, base, head);
    let files: BTreeSet<&String> = commits.iter().flat_map(|commit| commit.files()).collect();
    files.into_iter().cloned().collect()
}

/// The newest commit that lies below both.
pub(crate) fn fork_point<'c, C: Recorded>(
    commits: &'c Commits<C>,
    one: &str,
    other: &str,
) -> Option<&'c C> {
    let (one, other) = (ancestors(commits, one), ancestors(commits, other));
    in_order(commits, one.intersection(&other).copied()).pop()
}

/// What a name points at, as git finds it: a tag before a branch of the same name, unless the name says which.
pub(crate) fn named<'r>(
    tags: &'r BTreeMap<String, String>,
    branches: &'r BTreeMap<String, String>,
    text: &str,
) -> Option<&'r String> {
    let name = text.strip_prefix("refs/").unwrap_or(text);
    let tag = name.strip_prefix("tags/").and_then(|name| tags.get(name));
    let branch = || branches.get(name.strip_prefix("heads/")?);
    let bare = || tags.get(text).or_else(|| branches.get(text));
    tag.or_else(branch).or_else(bare)
}

/// The commit whose id this is, or begins with this.
pub(crate) fn abbreviated<'c, C: Recorded>(
    commits: &'c Commits<C>,
    network: u64,
    text: &str,
) -> Option<&'c C> {
    let is_id = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = text.to_ascii_lowercase();
    let mut matching = commits
        .range(text.clone()..)
        .take_while(|(sha, _)| sha.starts_with(&text));
    let found = matching.find(|(_, commit)| is_id && commit.network() == network);
    found.map(|(_, commit)| commit)
}
