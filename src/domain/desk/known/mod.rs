//! Knowledge: what is known about repositories, people and requests, before anything is decided.

pub(super) mod destination;
pub(super) mod digests;
pub(super) mod named;
pub(super) mod people;
pub(super) mod repositories;
pub(super) mod sighted;
