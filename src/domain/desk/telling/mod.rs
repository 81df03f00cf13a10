//! Tellings: what people and forges are told: comments, notices, statuses, answers.

pub(super) mod announcements;
pub(super) mod answers;
pub(super) mod notices;
pub(super) mod pages;
pub(super) mod ships;
pub(super) mod views;
pub(super) mod words;
