//! The mask hides secrets in the text of a file before a line of it is shown. Every hidden byte becomes a star, so that
//! places stay true. When in doubt, it hides too much.

use super::at::Place;

/// The text with these places hidden, and with the passwords of URLs and PEM keys hidden too.
pub(super) fn mask(text: &str, hidden: &[Place]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for place in hidden {
        hide_value(&mut bytes, place);
    }
    for place in passwords_in_urls(text).into_iter().chain(keys_in_pem(text)) {
        hide(&mut bytes, place);
    }
    finished(&bytes)
}

/// For a text that could not be parsed: also hides whatever follows a key that sounds secret.
pub(super) fn mask_unparsed(text: &str) -> String {
    let mut bytes = mask(text, &[]).into_bytes();
    if let Some(key) = text.find("-----BEGIN") {
        hide(&mut bytes, key..text.len());
    }
    let mut start = 0;
    let mut inside = None;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(fence) = inside {
            hide(&mut bytes, start..end);
            if line.contains(fence) {
                inside = None;
            }
        } else if let Some(at) = secret_value(line) {
            hide(&mut bytes, start + at..end);
            let value = line.get(at..).unwrap_or_default();
            inside = ["\"\"\"", "'''"]
                .into_iter()
                .find(|fence| value.matches(fence).count() % 2 == 1);
        }
        start = end;
    }
    finished(&bytes)
}

/// Where the value of a key that sounds secret begins on a line.
fn secret_value(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let words = ["secret", "token", "password", "private_key", "url"];
    let key = words
        .into_iter()
        .filter_map(|word| lower.find(word))
        .min()?;
    let equals = key + lower.get(key..)?.find('=')?;
    Some(equals + 1)
}

fn passwords_in_urls(text: &str) -> Vec<Place> {
    let ends = |c: char| c.is_whitespace() || c == '"' || c == '\'';
    text.match_indices("://")
        .filter_map(|(at, sign)| {
            let start = at + sign.len();
            let rest = text.get(start..)?;
            let url = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
            let person = url.rfind('@').map(|end| start..start + end);
            let query = url
                .find('?')
                .map(|query| start + query + 1..start + url.len());
            Some([person, query].into_iter().flatten())
        })
        .flatten()
        .collect()
}

fn keys_in_pem(text: &str) -> Vec<Place> {
    text.match_indices("-----BEGIN")
        .map(|(start, _)| {
            let rest = text.get(start..).unwrap_or_default();
            let line = rest.find('\n').unwrap_or(rest.len());
            start..start + rest.find("-----END").unwrap_or(line)
        })
        .collect()
}

/// Hides a value, but leaves the quotes around a text.
fn hide_value(bytes: &mut [u8], place: &Place) {
    let quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\''));
    let inner = if place.len() >= 2 && quote(place.start) && quote(place.end - 1) {
        place.start + 1..place.end - 1
    } else {
        place.clone()
    };
    hide(bytes, inner);
}

fn hide(bytes: &mut [u8], place: Place) {
    for byte in bytes.get_mut(place).into_iter().flatten() {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b'*';
        }
    }
}

/// Places begin and end on whole characters, so this changes nothing; it cannot fail either.
fn finished(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_places_become_stars_of_the_same_length() {
        let text = "a = \"hünter2\" # x\nb = 1";
        let hidden = [4..14, 20..20];
        assert_eq!(mask(text, &hidden), "a = \"********\" # x\nb = 1");
    }

    #[test]
    fn passwords_of_urls_are_hidden_everywhere() {
        let check = |text: &str, expect: &str| assert_eq!(mask(text, &[]), expect);
        check("'postgres://u:p@h/d'", "'postgres://***@h/d'");
        check(
            "x = \"mysql://u:p@ss@h\" # a@b",
            "x = \"mysql://******@h\" # a@b",
        );
        check("postgres://h/d?password=p", "postgres://h/d?**********");
        check("https://example.com", "https://example.com");
        check(
            "-----BEGIN X-----\nabc\n-----END X-----",
            "*****************\n***\n-----END X-----",
        );
    }

    #[test]
    fn what_could_not_be_parsed_hides_more() {
        let check = |text: &str, expect: &str| assert_eq!(mask_unparsed(text), expect);
        check(
            "webhook_secret = hunter2\nx = 1",
            "webhook_secret =********\nx = 1",
        );
        check("t = { token = 'a', b }", "t = { token =*********");
        check(
            "secret = \"\"\"\nabc\n\"\"\"\nx = 1",
            "secret =****\n***\n***\nx = 1",
        );
        check("x = 1", "x = 1");
    }
}
