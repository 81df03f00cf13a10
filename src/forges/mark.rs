//! The mark by which a comment of ours is found again: a line that is not seen where the comment is shown.

/// What both forges take for a comment, with room for the mark.
const LONGEST: usize = 60_000;

pub(super) fn mark(thread: &str) -> String {
    format!("<!-- countersign {thread} -->")
}

/// A comment that is not too long, with its mark.
pub(super) fn with_mark(text: &str, thread: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    format!("{text}\n\n{}", mark(thread))
}
