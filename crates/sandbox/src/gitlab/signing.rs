//! Signatures of webhooks, as Standard Webhooks describes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use countersign_ground::digest;

/// The key of a signing token: 32 bytes.
fn key(token: &str) -> Option<Vec<u8>> {
    let encoded = token.strip_prefix("whsec_")?;
    let key = STANDARD.decode(encoded).ok()?;
    (key.len() == 32).then_some(key)
}

/// Whether GitLab takes it for a signing token.
pub(super) fn is_token(token: &str) -> bool {
    key(token).is_some()
}

/// The signature of a delivery with this id, at this second.
pub(super) fn signature(token: &str, (id, at): (&str, &str), body: &[u8]) -> Option<String> {
    let mut message = format!("{id}.{at}.").into_bytes();
    message.extend_from_slice(body);
    let tag = digest::hmac_sha256_hex(&key(token)?, &message);
    let tag = digest::unhex::<32>(&tag)?;
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_is_signed_as_it_should_be() {
        let token = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let id = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
        let body = br#"{"object_kind":"pipeline"}"#;
        assert_eq!(
            signature(token, (id, "1767225600"), body).as_deref(),
            Some("v1,f6bnPTgLs53gAzqiBHsGcBO6Hcqx39DNdH7v+hmztxQ=")
        );
        for wrong in [
            "",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "whsec_AAEC",
        ] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }
}
