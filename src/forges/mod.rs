//! The code forges. Each has an `edge`, which turns signed bytes into our words and never waits, and a
//! `client`, which acts. The forges do not know each other.

mod co_authors;
pub mod comment;
pub mod github;
pub mod gitlab;
mod mark;
