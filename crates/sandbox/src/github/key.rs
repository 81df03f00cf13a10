//! The key of the sandbox's app: a throw-away that opens nothing outside of the sandbox. Each sandbox makes its own, so
//! that no private key stands in a program; tests, which start many, know one that lies beside this file.

use std::{fmt, io};

use jsonwebtoken::DecodingKey;

/// The private key that tests know.
#[cfg(feature = "known-key")]
pub const APP_KEY: &str = include_str!("app_key.pem");

/// A key, of which GitHub keeps the public half and the app the private one.
#[derive(Clone)]
pub(super) struct AppKey {
    pub(super) private: String,
    pub(super) public: DecodingKey,
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppKey").finish_non_exhaustive()
    }
}

impl AppKey {
    /// The one that tests know.
    #[cfg(feature = "known-key")]
    pub(super) fn for_a_sandbox() -> io::Result<Self> {
        let public = DecodingKey::from_rsa_pem(include_bytes!("app_key_public.pem"));
        Ok(Self {
            private: APP_KEY.to_owned(),
            public: public.map_err(io::Error::other)?,
        })
    }

    /// A new one.
    #[cfg(not(feature = "known-key"))]
    pub(super) fn for_a_sandbox() -> io::Result<Self> {
        Self::made()
    }

    #[cfg(any(test, not(feature = "known-key")))]
    fn made() -> io::Result<Self> {
        use aws_lc_rs::encoding::AsDer as _;
        use aws_lc_rs::rsa::KeySize;
        use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;

        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let der = pair.as_der().map_err(io::Error::other)?;
        let letters: Vec<char> = STANDARD.encode(der.as_ref()).chars().collect();
        let mut private = "-----BEGIN PRIVATE KEY-----\n".to_owned();
        for line in letters.chunks(64) {
            private.extend(line);
            private.push('\n');
        }
        private.push_str("-----END PRIVATE KEY-----\n");
        Ok(Self {
            private,
            public: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
        })
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_new_key_signs_what_only_its_public_half_believes() {
        let (ours, other) = (AppKey::made().unwrap(), AppKey::made().unwrap());
        let private = EncodingKey::from_rsa_pem(ours.private.as_bytes()).unwrap();
        let claims = json!({ "iss": "1" });
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &private);
        let token = token.unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let read = |key: &AppKey| jsonwebtoken::decode::<Value>(&token, &key.public, &validation);
        assert_eq!(read(&ours).unwrap().claims, claims);
        assert!(read(&other).is_err());
    }
}
