//! Chance, and the only place that draws random numbers. What must be testable takes the drawn value as a parameter.

/// A number from 0 up to 1, for jitter.
pub fn fraction() -> f64 {
    let bits = u32::from_le_bytes(bytes());
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

/// Sixteen random hex digits, for the name of a process or a request.
pub fn id() -> String {
    format!("{:016x}", u64::from_le_bytes(bytes()))
}

/// Random bytes for a salt or a key; nothing when the machine has no randomness to give.
pub fn secret<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}

/// Ten letters and digits that people can copy, none of which looks like another; nothing when the machine has
/// no randomness to give.
pub fn code() -> Option<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let drawn: [u8; 10] = secret()?;
    let letters = drawn
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)).copied());
    Some(letters.map(char::from).collect())
}

/// A machine whose random source fails gives zeros: jitter and names only lose their spread.
fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = [0; N];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_lie_between_zero_and_one() {
        for _ in 0..1_000 {
            let drawn = fraction();
            assert!((0.0..1.0).contains(&drawn), "{drawn}");
        }
    }

    #[test]
    fn codes_are_easy_to_copy() {
        let drawn = code().unwrap();
        assert_eq!(drawn.len(), 10);
        assert!(
            drawn
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        );
        assert_ne!(code(), code());
    }

    #[test]
    fn ids_differ() {
        assert_ne!(id(), id());
        assert_eq!(id().len(), 16);
    }
}
