//! Percent-encoding, and the pairs of queries and forms.

/// Percent-encoded, as far as a query needs it.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Undoes percent-encoding; `+` is a space in queries only.
pub(super) fn decoded(text: &str, plus_is_space: bool) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let pair: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = str::from_utf8(&pair).ok();
                out.extend(digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()));
            }
            b'+' if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The pairs of a query or a form, decoded, in their order.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        })
        .collect()
}

/// The body of a form.
#[cfg(feature = "slack")]
pub(super) fn form(pairs: &[(String, String)]) -> String {
    let written: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    written.join("&")
}
