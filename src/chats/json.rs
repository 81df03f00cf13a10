//! Objects of JSON from outside, read or refused by the field that cannot be read.

use serde::de::DeserializeOwned;

/// The longest sentence about an unreadable field; it may quote what a stranger wrote.
const LONGEST_WHY: usize = 300;

pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // A struct can be read from an array too, which nothing of a chat's is.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the body is not a JSON object".to_owned());
    }
    let error = match serde_json::from_slice(body) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    // Only what cannot be read is read again, slower, to learn which field it is.
    let mut again = serde_json::Deserializer::from_slice(body);
    let why = match serde_path_to_error::deserialize::<_, T>(&mut again) {
        Err(named) => named.to_string(),
        Ok(_) => error.to_string(),
    };
    Err(why.chars().take(LONGEST_WHY).collect())
}
