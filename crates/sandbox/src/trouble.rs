//! Trouble that a test makes for calls: it refuses them, loses their answers, breaks their connections.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{Full, Limited};

/// What the next call meets.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Answer so without doing anything.
    Refuse {
        status: u16,
        headers: Vec<(&'static str, String)>,
        message: &'static str,
    },
    /// Do what was asked, then answer so.
    FailAfterActing { status: u16 },
    /// Do what was asked after a while.
    Slow(Duration),
    /// Do what was asked and never answer.
    Silence,
    /// Do nothing and never answer.
    SilenceBefore,
    /// Close the connection without doing anything.
    Reset,
    /// Do what was asked, then close the connection.
    ResetAfterActing,
    /// Do what was asked, and answer with the right status and a text that is not JSON.
    Garbage,
}

impl Trouble {
    /// Too many calls, and for how many seconds to stay away.
    pub fn too_many(retry_after: u64) -> Self {
        Self::Refuse {
            status: 429,
            headers: vec![("retry-after", retry_after.to_string())],
            message: "Too Many Requests",
        }
    }

    /// Nothing but this status.
    pub fn status(status: u16) -> Self {
        Self::Refuse {
            status,
            headers: Vec::new(),
            message: "The sandbox was told to fail.",
        }
    }

    /// GitHub's secondary limit, which says how long to wait, or only that one has to.
    pub fn secondary_limit(retry_after: Option<u64>) -> Self {
        let headers = retry_after.map(|seconds| ("retry-after", seconds.to_string()));
        Self::Refuse {
            status: 403,
            headers: headers.into_iter().collect(),
            message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        }
    }
}

/// Trouble in store, for any call and for one kind of call.
#[derive(Debug, Default)]
pub(super) struct Store {
    anywhere: VecDeque<Trouble>,
    somewhere: Vec<(String, String, Trouble)>,
}

impl Store {
    pub(super) fn add(&mut self, trouble: impl IntoIterator<Item = Trouble>) {
        self.anywhere.extend(trouble);
    }

    pub(super) fn add_at(&mut self, method: &str, path: &str, trouble: Trouble) {
        self.somewhere
            .push((method.to_owned(), path.to_owned(), trouble));
    }

    /// The trouble that was meant for this call, else the next that was meant for any.
    pub(super) fn take(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let mut somewhere = self.somewhere.iter();
        let meant = somewhere.position(|(at, part, _)| at == method && has(path, part));
        match meant {
            Some(place) => Some(self.somewhere.remove(place).2),
            None => self.anywhere.pop_front(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.anywhere.len() + self.somewhere.len()
    }
}

/// Whether a path has this part, in which `#` stands for a number or a commit's id, and `$` at the end for the
/// path's end.
pub fn has(path: &str, part: &str) -> bool {
    let (part, is_whole) = match part.strip_suffix('$') {
        Some(part) => (part, true),
        None => (part, false),
    };
    let fits = |from: usize| {
        let rest = path.get(from..).and_then(|rest| without(rest, part));
        rest.is_some_and(|rest| rest.is_empty() || !is_whole)
    };
    (0..=path.len()).any(fits)
}

/// What is left of a path behind this part.
fn without<'p>(path: &'p str, part: &str) -> Option<&'p str> {
    let mut pieces = part.split('#');
    let mut rest = path.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        if number.len() == rest.len() {
            return None;
        }
        rest = number.strip_prefix(piece)?;
    }
    Some(rest)
}

/// A body that fails before anything of the answer left; hyper then closes the connection.
pub(super) fn broken() -> Body {
    Body::new(Limited::new(Full::new(Bytes::from_static(b"never")), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_is_found() {
        for (path, part, expect) in [
            ("/projects/9/jobs", "/jobs", true),
            ("/projects/9/jobs/7", "/jobs", true),
            ("/projects/9/jobs/7", "/jobs$", false),
            ("/projects/9/jobs/7", "/jobs/#$", true),
            ("/projects/9/jobs/7/play", "/jobs/#$", false),
            ("/projects/9/pipelines/7/jobs", "/pipelines/#/jobs$", true),
            ("/projects/9/pipelines/x/jobs", "/pipelines/#/jobs$", false),
            ("/projects/9/repository/commits/0af9", "/commits/#$", true),
            (
                "/projects/9/repository/commits/0af9/statuses",
                "/commits/#$",
                false,
            ),
            ("/projects/9/jobs/", "/jobs/#", false),
        ] {
            assert_eq!(has(path, part), expect, "{path} {part}");
        }
    }
}
