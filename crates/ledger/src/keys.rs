//! The key that signs the log, and checkpoints: heads of the log in the C2SP forms, signed with it. A
//! key file holds one key to a line, the one in force first; a key that was in force before follows.

use std::fmt;

use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use signed_note::{
    Note, Signer as _, StandardSigner, StandardVerifier, VerifierList, is_key_name_valid,
    new_ed25519_verifier_key,
};
use tlog_tiles::{Checkpoint as Text, Hash};

use super::seal::hex;
use super::{Sealer, base64, unbase64};

/// What makes the seals of entries out of a signing key.
const SEALING: &[u8] = b"countersign: seals of entries, version 2";

/// Why a key or a checkpoint is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("no key is in it")]
    Empty,
    #[error("line {0} is not a signing key (PRIVATE+KEY+name+id+key)")]
    NotAKey(usize),
    #[error("line {0} is not a public key (name+id+key)")]
    NotPublic(usize),
    #[error("its keys are of different logs, {0} and {1}")]
    TwoLogs(String, String),
    #[error("{0:?} cannot be the name of a log: it must not be empty or have spaces or plus signs")]
    Name(String),
    #[error("it is not a checkpoint")]
    NotACheckpoint,
    #[error("it is a checkpoint of {0}, and not of this log")]
    OtherLog(String),
    #[error("no key of this log signed it")]
    NotSigned,
}

/// A signing key as it is kept.
#[derive(Clone)]
struct Key {
    /// In the form of signed notes.
    spelled: String,
    seed: [u8; 32],
}

/// The signing keys of a log, the one in force first.
#[derive(Clone)]
pub struct Keys {
    log: String,
    keys: Vec<Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// A new key for a log of this name, from random bytes.
    pub fn new(log: &str, seed: [u8; 32]) -> Result<Self, Unusable> {
        if !is_key_name_valid(log) {
            return Err(Unusable::Name(log.to_owned()));
        }
        Ok(Self {
            log: log.to_owned(),
            keys: vec![Key::of(log, seed)],
        })
    }

    /// Reads a key file.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let mut keys: Vec<Key> = Vec::new();
        let mut log: Option<String> = None;
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let signer = StandardSigner::new(line).map_err(|_| Unusable::NotAKey(number))?;
            let seed = seed_of(line).ok_or(Unusable::NotAKey(number))?;
            match &log {
                Some(log) if log != signer.name() => {
                    return Err(Unusable::TwoLogs(log.clone(), signer.name().to_owned()));
                }
                Some(_) => {}
                None => log = Some(signer.name().to_owned()),
            }
            keys.push(Key {
                spelled: line.to_owned(),
                seed,
            });
        }
        log.map(|log| Self { log, keys }).ok_or(Unusable::Empty)
    }

    /// The text of a key file. Secret.
    pub fn spelled(&self) -> String {
        let mut text = String::new();
        for key in &self.keys {
            text.push_str(&key.spelled);
            text.push('\n');
        }
        text
    }

    /// The same log with a new key in force, and the one that was in force after it.
    #[must_use]
    pub fn rotated(&self, seed: [u8; 32]) -> Self {
        let keys = std::iter::once(Key::of(&self.log, seed))
            .chain(self.keys.first().cloned())
            .collect();
        Self {
            log: self.log.clone(),
            keys,
        }
    }

    pub fn log(&self) -> &str {
        &self.log
    }

    /// The public half of the key in force, in the form of signed notes.
    pub fn public(&self) -> String {
        self.publics().into_iter().next().unwrap_or_default()
    }

    /// The public halves of all keys.
    pub fn publics(&self) -> Vec<String> {
        self.keys
            .iter()
            .map(|key| public(&self.log, &key.seed))
            .collect()
    }

    pub fn sealer(&self) -> Sealer {
        let seals = self
            .keys
            .iter()
            .filter_map(|key| Hmac::<Sha256>::new_from_slice(&key.seed).ok())
            .map(|mac| mac.chain_update(SEALING).finalize().into_bytes().into());
        Sealer::new(self.log.clone(), self.public(), seals)
    }

    /// Signs a head of the log with the key in force.
    pub fn sign_head(&self, size: u64, root: [u8; 32]) -> Result<String, Unusable> {
        self.sign_head_with(1, size, root)
    }

    /// Signs a head with both keys of a rotation.
    pub fn sign_head_with_all(&self, size: u64, root: [u8; 32]) -> Result<String, Unusable> {
        self.sign_head_with(self.keys.len(), size, root)
    }

    fn sign_head_with(&self, most: usize, size: u64, root: [u8; 32]) -> Result<String, Unusable> {
        let text = Text::new(&self.log, size, Hash(root), "")
            .map_err(|_| Unusable::Name(self.log.clone()))?;
        let mut note =
            Note::new(&text.to_bytes(), &[]).map_err(|_| Unusable::Name(self.log.clone()))?;
        for key in self.keys.iter().take(most) {
            let signer = key.signer()?;
            note.add_sigs(&[&signer]).map_err(|_| Unusable::NotSigned)?;
        }
        String::from_utf8(note.to_bytes()).map_err(|_| Unusable::NotACheckpoint)
    }

    /// Signs any text with the key in force; base64 of the signature.
    pub fn sign(&self, text: &str) -> Result<String, Unusable> {
        let key = self.keys.first().ok_or(Unusable::Empty)?;
        let signature = key
            .signer()?
            .sign(text.as_bytes())
            .map_err(|_| Unusable::NotSigned)?;
        Ok(base64(&signature))
    }
}

impl Key {
    fn of(log: &str, seed: [u8; 32]) -> Self {
        let public = SigningKey::from_bytes(&seed).verifying_key();
        let spelled_public = new_ed25519_verifier_key(log, &public);
        let id = spelled_public.split('+').nth(1).unwrap_or_default();
        let private = base64(&[&[1], seed.as_slice()].concat());
        Self {
            spelled: format!("PRIVATE+KEY+{log}+{id}+{private}"),
            seed,
        }
    }

    fn signer(&self) -> Result<StandardSigner, Unusable> {
        StandardSigner::new(&self.spelled).map_err(|_| Unusable::NotAKey(1))
    }
}

fn public(log: &str, seed: &[u8; 32]) -> String {
    new_ed25519_verifier_key(log, &SigningKey::from_bytes(seed).verifying_key())
}

fn seed_of(spelled: &str) -> Option<[u8; 32]> {
    // Base64 may hold a plus sign, so the parts are counted from the left.
    let key = unbase64(spelled.splitn(5, '+').nth(4)?)?;
    key.strip_prefix(&[1])?.try_into().ok()
}

/// A head of the log whose signature was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub root: [u8; 32],
}

/// The public keys of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    log: String,
    keys: Vec<String>,
}

impl PublicKeys {
    /// Public keys of one log, in the form of signed notes.
    pub fn new(keys: impl IntoIterator<Item = String>) -> Result<Self, Unusable> {
        let keys: Vec<String> = keys.into_iter().collect();
        let mut log: Option<&str> = None;
        for (index, key) in keys.iter().enumerate() {
            StandardVerifier::new(key).map_err(|_| Unusable::NotPublic(index + 1))?;
            let name = key.split('+').next().unwrap_or_default();
            match log {
                Some(log) if log != name => {
                    return Err(Unusable::TwoLogs(log.to_owned(), name.to_owned()));
                }
                Some(_) => {}
                None => log = Some(name),
            }
        }
        let log = log.ok_or(Unusable::Empty)?.to_owned();
        Ok(Self { log, keys })
    }

    pub fn log(&self) -> &str {
        &self.log
    }

    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Believes another key, which a rotation brought.
    pub fn add(&mut self, key: &str) {
        if !self.keys.iter().any(|known| known == key) {
            self.keys.push(key.to_owned());
        }
    }

    /// The head that a checkpoint states, if one of these keys signed it.
    pub fn check(&self, note: &str) -> Result<Head, Unusable> {
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| Unusable::NotACheckpoint)?;
        let text = Text::from_bytes(note.text()).map_err(|_| Unusable::NotACheckpoint)?;
        if text.origin() != self.log {
            return Err(Unusable::OtherLog(text.origin().to_owned()));
        }
        note.verify(&self.verifiers())
            .map_err(|_| Unusable::NotSigned)?;
        Ok(Head {
            size: text.size(),
            root: text.hash().0,
        })
    }

    /// Whether one of these keys signed a text.
    pub fn signed(&self, key: &str, text: &str, signature: &str) -> bool {
        use signed_note::Verifier as _;

        self.keys.iter().any(|known| known == key)
            && StandardVerifier::new(key).is_ok_and(|verifier| {
                unbase64(signature)
                    .is_some_and(|signature| verifier.verify(text.as_bytes(), &signature))
            })
    }

    fn verifiers(&self) -> VerifierList {
        VerifierList::new(
            self.keys
                .iter()
                .filter_map(|key| StandardVerifier::new(key).ok())
                .map(|key| Box::new(key) as Box<dyn signed_note::Verifier>)
                .collect(),
        )
    }
}

/// How the audit log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is being checked for the first time.
    Checking,
    /// It was signed as far as this.
    Sound(Head),
    /// It does not fit what was signed; nothing is released.
    Broken { why: String },
}

/// A head in short, for a message: enough to compare with what the log says later.
pub fn short(head: Head) -> String {
    format!("{}:{}", head.size, hex(&head.root[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> Keys {
        Keys::new("example.com/log", [seed; 32]).unwrap()
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        for seed in 0..=255 {
            let made = keys(seed);
            let read = Keys::parse(&format!("# a comment\n\n{}", made.spelled())).unwrap();
            assert_eq!(read.public(), made.public());
            assert_eq!(read.spelled(), made.spelled());
        }
        assert!(!format!("{:?}", keys(1)).contains("PRIVATE"));
    }

    #[test]
    fn a_wrong_key_file_says_where_it_is_wrong() {
        let good = keys(1).spelled();
        let other = Keys::new("other.example/log", [3; 32]).unwrap().spelled();
        for (text, expect) in [
            (String::new(), Unusable::Empty),
            ("hello".to_owned(), Unusable::NotAKey(1)),
            (format!("{good}nonsense\n"), Unusable::NotAKey(2)),
            (
                format!("{good}{other}"),
                Unusable::TwoLogs("example.com/log".to_owned(), "other.example/log".to_owned()),
            ),
        ] {
            assert_eq!(Keys::parse(&text).unwrap_err(), expect, "{text}");
        }
        for name in ["", "a b", "a+b"] {
            assert_eq!(
                Keys::new(name, [0; 32]).unwrap_err(),
                Unusable::Name(name.to_owned())
            );
        }
    }

    #[test]
    fn a_head_is_believed_when_a_key_of_the_log_signed_it() {
        let (old, other) = (keys(1), keys(2));
        let new = old.rotated([9; 32]);
        let only = |keys: &Keys| PublicKeys::new([keys.public()]).unwrap();
        let head = Head {
            size: 17,
            root: [5; 32],
        };
        let note = old.sign_head(head.size, head.root).unwrap();
        assert_eq!(only(&old).check(&note), Ok(head));
        assert_eq!(only(&other).check(&note), Err(Unusable::NotSigned));
        assert_eq!(only(&new).check(&note), Err(Unusable::NotSigned));
        let both = new.sign_head_with_all(head.size, head.root).unwrap();
        assert_eq!(only(&old).check(&both), Ok(head));
        assert_eq!(only(&new).check(&both), Ok(head));
        let elsewhere = Keys::new("other.example", [1; 32]).unwrap();
        assert_eq!(
            only(&elsewhere).check(&note),
            Err(Unusable::OtherLog("example.com/log".to_owned()))
        );
        for index in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[index] ^= 1;
            if let Ok(changed) = String::from_utf8(changed) {
                assert!(only(&old).check(&changed).is_err(), "{index}");
            }
        }
    }

    #[test]
    fn seals_of_the_key_before_are_still_believed() {
        let old = keys(1);
        let new = old.rotated([9; 32]);
        let body = old.sealer().seal(br#"{"seal":""}"#.to_vec());
        assert!(new.sealer().is_ours(&body));
        assert!(!keys(9).sealer().is_ours(&body));
        let body = new.sealer().seal(br#"{"seal":""}"#.to_vec());
        assert!(keys(9).sealer().is_ours(&body));
        assert!(!old.sealer().is_ours(&body));
    }
}
