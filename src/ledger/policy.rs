//! The digest that names a policy's text in requests and entries.

use sha2::{Digest as _, Sha256};

use crate::domain::PolicyDigest;

/// SHA-256 over the text.
pub fn policy_digest(text: &str) -> PolicyDigest {
    PolicyDigest::from_bytes(Sha256::digest(text).into())
}
