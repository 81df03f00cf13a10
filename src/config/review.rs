//! The review of a file's meaning: everything that is found goes in here, so that one mistake
//! does not hide the next.

use std::fmt::Display;
use std::str::FromStr;

use super::at::{At, Place};
use super::report::Problem;
use super::shape::Findings;
use super::surroundings::Surroundings;
use crate::domain::Invalid;

/// What has been found so far, and what the file finds around it.
pub(super) struct Review<'a> {
    pub(super) surroundings: &'a Surroundings,
    pub(super) findings: Findings,
    pub(super) warnings: Vec<(Place, String)>,
}

impl<'a> Review<'a> {
    pub(super) fn new(surroundings: &'a Surroundings, findings: Findings) -> Self {
        Self {
            surroundings,
            findings,
            warnings: Vec::new(),
        }
    }

    pub(super) fn refuse(&mut self, problem: Problem) {
        self.findings.problems.push(problem);
    }

    pub(super) fn invalid(&mut self, place: &Place, invalid: Invalid) {
        self.refuse(Problem::new(place, invalid.problem).help(invalid.way_out));
    }

    /// Also hides the place in every line that is shown.
    pub(super) fn hide(&mut self, place: &Place) {
        self.findings.hidden.push(place.clone());
    }

    pub(super) fn warn(&mut self, place: &Place, sentence: impl Into<String>) {
        self.warnings.push((place.clone(), sentence.into()));
    }

    /// Whether this key of the table at `place` is in the file, but was refused for its shape.
    pub(super) fn refused(&self, place: &Place, key: &str) -> bool {
        let refused = &self.findings.refused;
        refused
            .iter()
            .any(|(start, name)| *start == place.start && name == key)
    }

    /// Whether any key of the table at `place` was refused for its shape.
    pub(super) fn refused_any(&self, place: &Place) -> bool {
        self.findings
            .refused
            .iter()
            .any(|(start, _)| *start == place.start)
    }

    /// Gives back what is good, and keeps what is wrong.
    pub(super) fn keep<T>(&mut self, place: &Place, result: Result<T, Invalid>) -> Option<T> {
        result.map_err(|invalid| self.invalid(place, invalid)).ok()
    }

    /// Parses a text that may be absent.
    pub(super) fn parse<T>(&mut self, text: Option<&At<String>>) -> Option<At<T>>
    where
        T: FromStr<Err = Invalid>,
    {
        let text = text?;
        let value = self.keep(&text.place, text.value.parse())?;
        Some(At {
            place: text.place.clone(),
            value,
        })
    }

    /// Parses every text of a list, and refuses what stands there twice.
    pub(super) fn parse_all<T>(&mut self, list: Option<&Vec<At<String>>>) -> Vec<T>
    where
        T: FromStr<Err = Invalid> + PartialEq + Display,
    {
        let mut parsed: Vec<At<T>> = Vec::new();
        for text in list.into_iter().flatten() {
            if let Some(one) = self.parse(Some(text)) {
                self.add_new(&mut parsed, one);
            }
        }
        parsed.into_iter().map(|one| one.value).collect()
    }

    /// Adds to a list, unless the same is there already.
    pub(super) fn add_new<T: PartialEq + Display>(&mut self, list: &mut Vec<At<T>>, one: At<T>) {
        match list.iter().find(|other| other.value == one.value) {
            Some(first) => self.refuse(twice(&one, &first.place)),
            None => list.push(one),
        }
    }
}

/// The problem of a former name that something else has.
pub(super) fn taken<T: Display>(formerly: &At<T>, by: &Place) -> Problem {
    let message = format!("`{}` is configured itself", formerly.value);
    Problem::new(&formerly.place, message)
        .also(by, "here")
        .help("`formerly` is for a name that is not in use any more: remove it, or the other one")
}

/// The problem of something that stands there twice.
pub(super) fn twice<T: Display>(second: &At<T>, first: &Place) -> Problem {
    Problem::new(&second.place, format!("`{}` appears twice", second.value))
        .also(first, "first here")
        .help("remove one of them, or give it another name")
}
