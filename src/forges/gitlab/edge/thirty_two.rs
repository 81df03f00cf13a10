//! Thirty-two bytes written as base64, which is how GitLab writes its keys and its signatures. Refuses every
//! other length and every other spelling of the same bytes.

/// 43 letters, of which the last carries two bits that are not used, and one `=`.
pub(super) fn from_base64(text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_suffix('=').filter(|text| text.len() == 43)?;
    let mut bytes = [0; 32];
    let mut next = bytes.iter_mut();
    let (mut bits, mut held) = (0_u32, 0);
    for letter in letters.bytes() {
        bits = bits << 6 | u32::from(six_bits(letter)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            *next.next()? = u8::try_from(bits >> held).ok()?;
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0 && next.next().is_none()).then_some(bytes)
}

fn six_bits(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_32_bytes_in_their_only_spelling_are_read() {
        let counted = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let check = |text: &str, expect: Option<[u8; 32]>| {
            assert_eq!(from_base64(text), expect, "{text}");
        };
        check(
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            Some(counted),
        );
        check(
            "//////////////////////////////////////////8=",
            Some([255; 32]),
        );
        check(
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=",
            Some([251; 32]),
        );
        for wrong in [
            "",
            "=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8==",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A=",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH 8=",
            "éééééééééééééééééééééé=",
        ] {
            check(wrong, None);
        }
    }
}
