//! The program `countersign-verify`, on a log that is made here with nothing but this crate: what is whole is accepted,
//! and whatever was changed in a file is found.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_ledger::export::{Line, PRIVATE, entries_path, hash_path};
use countersign_ledger::{
    Action, Actor, Aside, Detail, Edge, Entry, Keys, Proved, PublicKeys, Receipt, Revealed,
    TILE_WIDTH, Wanted, base64, encode_bundle, leaf, proof, spell, tlog_proof,
};
use jiff::Timestamp;

/// Enough for a full tile and a part of another.
const SIZE: i64 = 300;
/// The entries of the release.
const APPROVED_TOO: i64 = 289;
const APPROVED: i64 = 290;
const TRIGGERED: i64 = 291;

/// A log of a few entries, with everything that an auditor is given.
struct Log {
    folder: tempfile::TempDir,
    keys: Keys,
}

fn ann() -> Actor {
    Actor::Person {
        forge: "github",
        id: 7,
        login: "ann".to_owned(),
    }
}

fn dora() -> Actor {
    Actor::Person {
        forge: "github",
        id: 8,
        login: "dora".to_owned(),
    }
}

/// The approvals that a start names.
fn both() -> Detail {
    let by = |number| {
        let forge = Detail::Text("github".to_owned());
        Detail::Record([("forge", forge), ("number", Detail::Number(number))].into())
    };
    Detail::List(vec![by(7), by(8)])
}

fn entry(seq: i64, key: &str) -> Entry {
    let (action, actor) = match seq {
        1 => (Action::LogOpened, Actor::Countersign),
        APPROVED => (Action::Approved, ann()),
        APPROVED_TOO => (Action::Approved, dora()),
        TRIGGERED => (Action::Triggered, Actor::Countersign),
        _ => (Action::CommandReceived, ann()),
    };
    let entry = Entry::new(Timestamp::UNIX_EPOCH, action, actor);
    match seq {
        1 => entry.with("key", key),
        APPROVED | APPROVED_TOO | TRIGGERED => {
            let entry = entry.with("request", 42).with("sha", "a".repeat(40));
            if seq == TRIGGERED {
                return entry.with("approvals", both());
            }
            entry
        }
        _ => entry.with_private("command", "/help"),
    }
}

impl Log {
    fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::new("example.com/log", [7; 32]).unwrap();
        let log = Self { folder, keys };
        let (mut edge, mut bodies, mut tiles) = (Edge::default(), Vec::new(), Vec::new());
        let mut asides: Vec<(i64, Aside)> = Vec::new();
        for seq in 1..=SIZE {
            let entry = entry(seq, &log.keys.public());
            let mut drawn = 0;
            let spelled = spell(&entry, seq, &log.keys.sealer(), || {
                drawn += 1;
                [drawn; 32]
            });
            edge.push(leaf(&spelled.body), |tile| tiles.push(tile));
            asides.extend(spelled.asides.into_iter().map(|aside| (seq, aside)));
            bodies.push(spelled.body);
        }
        let head = log.keys.sign_head(edge.size(), edge.root()).unwrap();
        log.write("log/checkpoint", head.as_bytes());
        for (n, bundle) in (0..).zip(bodies.chunks(TILE_WIDTH)) {
            let width = u64::try_from(bundle.len()).unwrap();
            let bytes = encode_bundle(bundle.iter().map(Vec::as_slice)).unwrap();
            log.write(&format!("log/{}", entries_path(n, width)), &bytes);
        }
        let mut known = std::collections::BTreeMap::new();
        for tile in tiles {
            let level = u64::try_from(tile.level).unwrap();
            log.write(
                &format!("log/{}", hash_path(level, tile.n, 256)),
                &tile.hashes,
            );
            let hashes = tile.hashes.chunks(32).map(|hash| hash.try_into().unwrap());
            known.insert((level, tile.n), hashes.collect::<Vec<[u8; 32]>>());
        }
        for (level, n) in [(0, 1), (1, 0)] {
            let hashes = edge.partial(usize::try_from(level).unwrap());
            let width = u64::try_from(hashes.len()).unwrap();
            log.write(
                &format!("log/{}", hash_path(level, n, width)),
                &hashes.concat(),
            );
            known.insert((level, n), hashes.to_vec());
        }
        let mut lines = Vec::new();
        for (seq, aside) in &asides {
            serde_json::to_writer(&mut lines, &Line::new(*seq, aside)).unwrap();
            lines.push(b'\n');
        }
        log.write(&format!("log/{PRIVATE}"), &lines);

        let proof_of = |seq: i64| {
            let (size, index) = (edge.size(), u64::try_from(seq - 1).unwrap());
            proof(Wanted::Leaf { size, index }, &known).unwrap()
        };
        let body = |seq: i64| &bodies[usize::try_from(seq - 1).unwrap()];
        let proved = |seq: i64| Proved {
            seq,
            body: String::from_utf8(body(seq).clone()).unwrap(),
            private: asides
                .iter()
                .filter(|(of, _)| *of == seq)
                .map(|(_, aside)| Revealed::from(aside))
                .collect(),
            proof: proof_of(seq).iter().map(|hash| base64(hash)).collect(),
        };
        let public = PublicKeys::new(log.keys.publics()).unwrap();
        let receipt = |name: &str, seqs: &[i64]| {
            let entries = seqs.iter().copied().map(proved).collect();
            let receipt = Receipt::new(42, &public, head.clone(), entries);
            log.write(name, &serde_json::to_vec(&receipt).unwrap());
        };
        receipt("receipt.json", &[APPROVED_TOO, APPROVED, TRIGGERED]);
        receipt("cut.json", &[APPROVED, TRIGGERED]);
        receipt("twice.json", &[APPROVED, APPROVED, TRIGGERED]);
        log.write("entry.json", body(APPROVED));
        let index = u64::try_from(APPROVED - 1).unwrap();
        let text = tlog_proof(index, &proof_of(APPROVED), &head);
        log.write("proof.txt", text.as_bytes());
        log.write("key.txt", log.keys.public().as_bytes());
        log
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Runs the program in the folder; its exit code and all that it said.
    fn says(&self, arguments: &str) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }
}

#[test]
fn what_is_whole_is_accepted() {
    let log = Log::made();
    let head = {
        let (code, said) = log.says("export log --key key.txt");
        assert_eq!(code, 0, "{said}");
        let head = said.split(['(', ')']).nth(1).unwrap().to_owned();
        assert_eq!(
            said,
            format!("ok: example.com/log: 300 entries ({head}), 594 private values, 0 erased\n")
        );
        head
    };
    let key = log.keys.public();
    assert_eq!(
        log.says(&format!("receipt receipt.json --key {key}")),
        (
            0,
            format!("ok: request #42 in example.com/log: 3 entries under the signed head {head}\n")
        )
    );
    assert_eq!(
        log.says("proof proof.txt --entry entry.json --key key.txt"),
        (
            0,
            format!("ok: entry 290 of example.com/log is under the signed head {head}\n")
        )
    );
    fs::remove_file(log.path(&format!("log/{PRIVATE}"))).unwrap();
    let (code, said) = log.says("export log --key key.txt");
    assert!(
        code == 0 && said.contains("without its private values"),
        "{said}"
    );
}

/// Every file under a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    let log = Log::made();
    let mut found = Vec::new();
    files(&log.path("log"), &mut found);
    assert_eq!(found.len(), 7, "{found:?}");
    let checks = found
        .into_iter()
        .map(|file| (file, "export log --key key.txt"))
        .chain([
            (
                log.path("receipt.json"),
                "receipt receipt.json --key key.txt",
            ),
            (
                log.path("proof.txt"),
                "proof proof.txt --entry entry.json --key key.txt",
            ),
            (
                log.path("entry.json"),
                "proof proof.txt --entry entry.json --key key.txt",
            ),
        ]);
    for (file, check) in checks {
        let whole = fs::read(&file).unwrap();
        for at in [whole.len() / 3, whole.len() / 2, whole.len() - 2] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&file, &changed).unwrap();
            let (code, said) = log.says(check);
            assert!(
                code == 1 && said.starts_with("bad: "),
                "{file:?} at {at}: {said}"
            );
        }
        fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        let (code, said) = log.says(check);
        assert_eq!(code, 1, "{file:?} cut short: {said}");
        fs::write(&file, whole).unwrap();
        assert_eq!(log.says(check).0, 0);
    }
}

#[test]
fn a_receipt_has_every_approval_that_the_start_names() {
    let log = Log::made();
    for (receipt, why) in [
        (
            "cut.json",
            "bad: entry 291 names an approval by github:8, and the receipt does not have it\n",
        ),
        ("twice.json", "bad: entry 290: it is there twice\n"),
    ] {
        let (code, said) = log.says(&format!("receipt {receipt} --key key.txt"));
        assert_eq!((code, said.as_str()), (1, why));
    }
}

#[test]
fn a_foreign_tile_is_found() {
    let log = Log::made();
    for name in ["tile/0/007", "tile/entries/x/x001/000", "tile/note.txt"] {
        let path = log.path(&format!("log/{name}"));
        log.write(&format!("log/{name}"), b"foreign");
        let (code, said) = log.says("export log --key key.txt");
        let why = format!("bad: the file {name} does not belong to a log of 300 entries\n");
        assert_eq!((code, said), (1, why));
        fs::remove_file(path).unwrap();
    }
    assert_eq!(log.says("export log --key key.txt").0, 0);
}

#[test]
fn a_key_of_somebody_else_proves_nothing() {
    let log = Log::made();
    let other = Keys::new("example.com/log", [8; 32]).unwrap().public();
    for check in ["export log", "receipt receipt.json"] {
        let (code, said) = log.says(&format!("{check} --key {other}"));
        assert_eq!(code, 1, "{said}");
    }
}

#[test]
fn wrong_use_says_how_it_is_used() {
    let log = Log::made();
    let (code, said) = log.says("export log");
    assert_eq!(code, 2);
    assert!(
        said.starts_with(
            "error: nothing is trusted: give a public key of the log with --key\n\nChecks a part"
        ),
        "{said}"
    );
    let (code, said) = log.says("--help");
    assert!(code == 0 && said.starts_with("Checks a part"), "{said}");
    let (code, said) = log.says("receipt nowhere.json --key key.txt");
    assert!(
        code == 1 && said.starts_with("bad: nowhere.json cannot be read"),
        "{said}"
    );
}

#[test]
fn what_a_file_says_cannot_move_the_cursor() {
    let log = Log::made();
    // A clear screen, a forged verdict, and a sign that turns the direction of text.
    let hostile = "\u{1b}[2J\nok: all is well\u{202e}\u{9b}1m";
    let escaped = serde_json::to_string(&serde_json::json!({ hostile: 1 })).unwrap();
    log.write("receipt.json", escaped.as_bytes());
    let entry = fs::read_to_string(log.path("entry.json")).unwrap();
    let foreign = serde_json::to_string(&format!("else{hostile}")).unwrap();
    let entry = entry.replace("\"log\":\"example.com/log\"", &format!("\"log\":{foreign}"));
    log.write("entry.json", entry.as_bytes());
    for check in [
        "receipt receipt.json --key key.txt",
        "proof proof.txt --entry entry.json --key key.txt",
    ] {
        let (code, said) = log.says(check);
        assert_eq!(code, 1, "{said}");
        let line = said.strip_suffix('\n').unwrap();
        assert!(line.starts_with("bad: "), "{line:?}");
        assert!(line.contains("ok: all is well"), "{line:?}");
        let moves = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!line.contains(moves), "{line:?}");
    }
}
