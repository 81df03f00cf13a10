//! The proof of one entry in the form of C2SP's tlog-proof: how it is written, and whether it proves that these bytes
//! stand in the log.

use super::base64;
use super::facets::Seen;
use super::keys::{Head, PublicKeys};
use super::proof::leaf_is_in;
use super::tree::leaf;
use super::unbase64;

const FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// The text of a proof.
pub fn tlog_proof(index: u64, proof: &[[u8; 32]], checkpoint: &str) -> String {
    let mut text = format!("{FORMAT}\nindex {index}\n");
    for hash in proof {
        text.push_str(&base64(hash));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

/// Whether a proof shows that the log with these keys holds an entry of exactly these bytes; the entry's number, and the
/// head that covers it.
pub fn check_proof(text: &str, body: &[u8], trusted: &PublicKeys) -> Result<(i64, Head), String> {
    let (lines, checkpoint) = text
        .split_once("\n\n")
        .ok_or("it is not a proof: no checkpoint follows an empty line")?;
    let mut lines = lines.lines();
    if lines.next() != Some(FORMAT) {
        return Err(format!("it is not a proof of the form {FORMAT}"));
    }
    let index = lines
        .next()
        .and_then(|line| line.strip_prefix("index "))
        .and_then(|index| index.parse::<u64>().ok())
        .ok_or("its second line does not say the index of an entry")?;
    let proof: Option<Vec<[u8; 32]>> = lines.map(|hash| unbase64(hash)?.try_into().ok()).collect();
    let proof = proof.ok_or("a hash of it cannot be read")?;
    let head = trusted
        .check(checkpoint)
        .map_err(|error| format!("its checkpoint: {error}"))?;
    let seen = Seen::read(body)?;
    if seen.log != trusted.log() {
        return Err(format!("it is an entry of another log, {}", seen.log));
    }
    let has_this_index = i64::try_from(index).is_ok_and(|index| seen.seq - 1 == index);
    if !has_this_index || !leaf_is_in(head, index, leaf(body), &proof) {
        return Err(format!(
            "entry {}: the signed head does not cover these bytes with this proof",
            seen.seq
        ));
    }
    Ok((seen.seq, head))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Action, Actor, Edge, Entry, Keys, spell};

    /// A log of two entries, signed.
    fn log() -> (Keys, [Vec<u8>; 2], String) {
        let keys = Keys::new("example.com/log", [7; 32]).unwrap();
        let body = |seq| {
            let entry = Entry::new(Timestamp::UNIX_EPOCH, Action::Approved, Actor::Countersign);
            spell(&entry, seq, &keys.sealer(), || [0; 32]).body
        };
        let bodies = [body(1), body(2)];
        let mut edge = Edge::default();
        for body in &bodies {
            edge.push(leaf(body), |_| {});
        }
        let head = keys.sign_head(edge.size(), edge.root()).unwrap();
        (keys, bodies, head)
    }

    #[test]
    fn a_proof_is_read_back_and_every_change_is_found() {
        let (keys, [first, second], head) = log();
        let trusted = PublicKeys::new(keys.publics()).unwrap();
        let text = tlog_proof(0, &[leaf(&second)], &head);
        let (seq, signed) = check_proof(&text, &first, &trusted).unwrap();
        assert_eq!((seq, signed.size), (1, 2));
        assert!(check_proof(&text, &second, &trusted).is_err());
        for wrong in [
            tlog_proof(1, &[leaf(&second)], &head),
            tlog_proof(0, &[leaf(&first)], &head),
            tlog_proof(0, &[], &head),
            text.replace("index 0", "index x"),
            text.replace(FORMAT, "c2sp.org/tlog-proof@v2"),
            text.replace("\n\n", "\n"),
            text.replace("example.com/log\n2\n", "example.com/log\n1\n"),
            String::new(),
        ] {
            assert!(check_proof(&wrong, &first, &trusted).is_err(), "{wrong}");
        }
        let stranger = Keys::new("example.com/log", [8; 32]).unwrap();
        let stranger = PublicKeys::new(stranger.publics()).unwrap();
        assert!(check_proof(&text, &first, &stranger).is_err());
    }
}
