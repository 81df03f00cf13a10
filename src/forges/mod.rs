//! The code forges. Each has an `edge`, which turns signed bytes into our words and never waits, and a
//! `client`, which acts. The forges do not know each other; `door` and `clients` know both, and nobody above needs to.

mod allowance;
pub mod clients;
mod co_authors;
pub mod comment;
pub mod door;
pub mod github;
pub mod gitlab;
mod mark;
pub mod parts;
