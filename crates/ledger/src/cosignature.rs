//! Cosignatures: what a witness says about a checkpoint, as C2SP has it: at this time, this was the longest log that it
//! knew under this name, and it had only grown. Only Ed25519 keys of version 1 are understood.

use ed25519_dalek::{Signature, VerifyingKey};
use signed_note::{Note, Signature as Line, is_key_name_valid, key_id};

use super::unbase64;

/// The kind of key that makes cosignatures of version 1.
const COSIGNATURE_V1: u8 = 4;
/// The bytes of a time before a signature.
const TIME_LENGTH: usize = 8;

/// The public key of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

/// Why a key of a witness or an answer of one is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnessed {
    #[error("it is not the key of a witness (name+id+key, with an Ed25519 key for cosignatures)")]
    NotAKey,
    #[error("it is not a signed note")]
    NotANote,
    #[error("the witness's key did not sign it")]
    NotSigned,
    #[error("the signature under the witness's name is wrong")]
    WrongSignature,
}

impl WitnessKey {
    /// Reads a key in the form of signed notes.
    pub fn parse(text: &str) -> Result<Self, NotWitnessed> {
        Self::read(text).ok_or(NotWitnessed::NotAKey)
    }

    fn read(text: &str) -> Option<Self> {
        // Base64 may hold a plus sign, so the parts are counted from the left.
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let is_hex = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = u32::from_str_radix(id, 16).ok().filter(|_| is_hex)?;
        let spelled = unbase64(key)?;
        let bytes: [u8; 32] = spelled.strip_prefix(&[COSIGNATURE_V1])?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        let is_right = is_key_name_valid(name) && id == key_id(name, &spelled);
        (is_right && !key.is_weak()).then(|| Self {
            name: name.to_owned(),
            id,
            key,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The checkpoint with what a witness answered to it, if that is a cosignature by this key. Lines by
    /// other keys are left out.
    pub fn join(&self, checkpoint: &str, answer: &str) -> Result<String, NotWitnessed> {
        let text = text_of(checkpoint)?;
        let (line, _) = self.find(text, answer)?;
        let line = String::from_utf8(line.to_bytes()).map_err(|_| NotWitnessed::NotANote)?;
        Ok(format!("{checkpoint}{line}"))
    }

    /// When the witness saw a cosigned checkpoint, in seconds since 1970.
    pub fn check(&self, note: &str) -> Result<u64, NotWitnessed> {
        let text = text_of(note)?;
        let lines = note.get(text.len() + 1..).ok_or(NotWitnessed::NotANote)?;
        self.find(text, lines).map(|(_, time)| time)
    }

    /// The line of this key. One that is wrong spoils the others.
    fn find(&self, text: &str, lines: &str) -> Result<(Line, u64), NotWitnessed> {
        let lines = lines.strip_suffix('\n').ok_or(NotWitnessed::NotANote)?;
        let mut found = None;
        for line in lines.split('\n') {
            let line = Line::from_bytes(line.as_bytes()).map_err(|_| NotWitnessed::NotANote)?;
            if line.name() != self.name || line.id() != self.id {
                continue;
            }
            let time = self.time(text, &line).ok_or(NotWitnessed::WrongSignature)?;
            found.get_or_insert((line, time));
        }
        found.ok_or(NotWitnessed::NotSigned)
    }

    fn time(&self, text: &str, line: &Line) -> Option<u64> {
        let (time, signature) = line.signature().split_at_checked(TIME_LENGTH)?;
        let time = u64::from_be_bytes(time.try_into().ok()?);
        let signature = Signature::from_slice(signature).ok()?;
        let message = message(text, time);
        let is_right = i64::try_from(time).is_ok()
            && self
                .key
                .verify_strict(message.as_bytes(), &signature)
                .is_ok();
        is_right.then_some(time)
    }
}

/// What is signed: the text of a checkpoint, without its signatures, under a time.
fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The text of a signed note, with its last newline.
fn text_of(note: &str) -> Result<&str, NotWitnessed> {
    Note::from_bytes(note.as_bytes()).map_err(|_| NotWitnessed::NotANote)?;
    let end = note.rfind("\n\n").ok_or(NotWitnessed::NotANote)?;
    note.get(..=end).ok_or(NotWitnessed::NotANote)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;
    use crate::{Keys, base64};

    const NAME: &str = "witness.example/w1";
    const TIME: u64 = 1_679_315_147;

    fn secret(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn spelled(seed: u8, algorithm: u8) -> String {
        let key = [
            &[algorithm],
            secret(seed).verifying_key().as_bytes().as_slice(),
        ]
        .concat();
        format!("{NAME}+{:08x}+{}", key_id(NAME, &key), base64(&key))
    }

    fn key(seed: u8) -> WitnessKey {
        WitnessKey::parse(&spelled(seed, COSIGNATURE_V1)).unwrap()
    }

    fn line(seed: u8, message: &str, time: u64) -> String {
        let key = key(seed);
        let signature = secret(seed).sign(message.as_bytes()).to_bytes();
        let bytes = [
            key.id.to_be_bytes().as_slice(),
            &time.to_be_bytes(),
            &signature,
        ]
        .concat();
        format!("\u{2014} {NAME} {}\n", base64(&bytes))
    }

    fn checkpoint() -> String {
        let keys = Keys::new("deploys.example.com/log", [1; 32]).unwrap();
        keys.sign_head(17, [5; 32]).unwrap()
    }

    fn signed(seed: u8, checkpoint: &str) -> String {
        let text = checkpoint.split_once("\n\n").unwrap().0;
        let message = format!("cosignature/v1\ntime {TIME}\n{text}\n");
        line(seed, &message, TIME)
    }

    #[test]
    fn keys_of_another_kind_are_refused() {
        let good = spelled(1, COSIGNATURE_V1);
        assert_eq!(key(1).name(), NAME);
        for index in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[index] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(WitnessKey::parse(&changed).is_err(), "{changed}");
        }
        let weak = [&[COSIGNATURE_V1], [0; 32].as_slice()].concat();
        let weak = format!("{NAME}+{:08x}+{}", key_id(NAME, &weak), base64(&weak));
        for text in ["", NAME, &spelled(1, 1), &spelled(1, 6), &weak] {
            assert_eq!(
                WitnessKey::parse(text),
                Err(NotWitnessed::NotAKey),
                "{text}"
            );
        }
    }

    #[test]
    fn a_cosignature_is_believed_as_it_was_made() {
        let checkpoint = checkpoint();
        let answer = signed(1, &checkpoint);
        let joined = key(1).join(&checkpoint, &answer).unwrap();
        assert_eq!(joined, format!("{checkpoint}{answer}"));
        assert_eq!(key(1).check(&joined), Ok(TIME));
        assert_eq!(key(2).check(&joined), Err(NotWitnessed::NotSigned));
        assert_eq!(key(1).check(&checkpoint), Err(NotWitnessed::NotSigned));

        // Lines of strangers are passed over, those under its own name are not.
        let stranger = signed(2, &checkpoint);
        let both = format!("{stranger}{answer}");
        assert_eq!(key(1).join(&checkpoint, &both), Ok(joined));
        let plain = line(1, checkpoint.split_once("\n\n").unwrap().0, TIME);
        for wrong in [&plain, &format!("{answer}{plain}")] {
            let seen = key(1).join(&checkpoint, wrong);
            assert_eq!(seen, Err(NotWitnessed::WrongSignature));
        }
        for (answer, expect) in [
            (stranger.as_str(), NotWitnessed::NotSigned),
            ("", NotWitnessed::NotANote),
            ("\n", NotWitnessed::NotANote),
            ("hello\n", NotWitnessed::NotANote),
            (answer.trim_end(), NotWitnessed::NotANote),
        ] {
            assert_eq!(key(1).join(&checkpoint, answer), Err(expect), "{answer}");
        }
    }

    #[test]
    fn no_byte_of_it_can_be_changed() {
        let checkpoint = checkpoint();
        let answer = signed(1, &checkpoint);
        let body = checkpoint.find("\n\n").unwrap();
        let whole = format!("{checkpoint}{answer}");
        let log = body + 2..checkpoint.len();
        for index in (0..whole.len()).filter(|index| !log.contains(index)) {
            for bit in 0..8 {
                let mut changed = whole.clone().into_bytes();
                changed[index] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(changed) {
                    assert!(key(1).check(&changed).is_err(), "{index} {changed}");
                }
            }
        }
        let late = message(&checkpoint[..=body], u64::MAX);
        let late = format!("{checkpoint}{}", line(1, &late, u64::MAX));
        assert_eq!(key(1).check(&late), Err(NotWitnessed::WrongSignature));
    }
}
