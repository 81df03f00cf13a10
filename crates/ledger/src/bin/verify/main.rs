//! `countersign-verify`: checks an export, a receipt or a proof of Countersign's audit log with nothing but the files
//! and the public keys that an auditor trusts. It reads these files, writes nothing and calls nobody.

use std::path::Path;
use std::process::ExitCode;

use countersign_ledger::export::{Listed, check_export};
use countersign_ledger::{PublicKeys, Receipt, check_proof, clean, short};

const USAGE: &str = "\
Checks a part of Countersign's audit log, using nothing else of Countersign.

    countersign-verify export FOLDER --key KEY [--key KEY ...]
    countersign-verify receipt FILE --key KEY [--key KEY ...]
    countersign-verify proof FILE --entry FILE --key KEY [--key KEY ...]

A KEY is a public key of the log as `countersign audit key` prints it, or a file with one on each line.
Get it from the operator, not from the files that you check.

Ends with 0 and `ok: ...` where everything holds, with 1 and `bad: ...` at the first thing that does not,
and with 2 for wrong use.
";

/// What is to be checked.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Export(String),
    Receipt(String),
    Proof { proof: String, entry: String },
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|one| matches!(one.as_str(), "--help" | "-h" | "help"))
    {
        return told(&mut std::io::stdout(), USAGE, 0);
    }
    let asked = asked(&arguments).and_then(|(what, keys)| Ok((what, trusted(&keys)?)));
    match asked {
        Err(wrong) => told(
            &mut std::io::stderr(),
            &format!("error: {wrong}\n\n{USAGE}"),
            2,
        ),
        Ok((what, keys)) => match check(&what, &keys) {
            Ok(said) => told(
                &mut std::io::stdout(),
                &format!("ok: {}\n", clean(&said)),
                0,
            ),
            Err(problem) => told(
                &mut std::io::stderr(),
                &format!("bad: {}\n", clean(&problem)),
                1,
            ),
        },
    }
}

/// Who closed the other end does not want to know.
fn told(to: &mut impl std::io::Write, text: &str, code: u8) -> ExitCode {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
    ExitCode::from(code)
}

/// What the arguments ask for, and the keys as they were given.
fn asked(arguments: &[String]) -> Result<(What, Vec<String>), String> {
    let (mut words, mut keys, mut entry) = (Vec::new(), Vec::new(), None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .cloned()
                .ok_or_else(|| format!("{argument} wants a value after it"))
        };
        match argument.as_str() {
            "--key" => keys.push(value()?),
            "--entry" => entry = Some(value()?),
            option if option.starts_with('-') => {
                return Err(format!("there is no option {option}"));
            }
            word => words.push(word),
        }
    }
    let what = match (words.as_slice(), entry) {
        (["export", folder], None) => What::Export((*folder).to_owned()),
        (["receipt", file], None) => What::Receipt((*file).to_owned()),
        (["proof", file], Some(entry)) => What::Proof {
            proof: (*file).to_owned(),
            entry,
        },
        (["proof", _], None) => {
            return Err(
                "a proof is about the bytes of an entry: give them with --entry".to_owned(),
            );
        }
        _ => return Err("say what to check: export, receipt or proof, and where it is".to_owned()),
    };
    if keys.is_empty() {
        return Err("nothing is trusted: give a public key of the log with --key".to_owned());
    }
    Ok((what, keys))
}

/// The keys themselves; where a file has this name, those that are in it.
fn trusted(given: &[String]) -> Result<PublicKeys, String> {
    let mut keys = Vec::new();
    for one in given {
        let text = std::fs::read_to_string(one).unwrap_or_else(|_| one.clone());
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        keys.extend(lines.map(str::to_owned));
    }
    PublicKeys::new(keys).map_err(|error| format!("--key: {error}"))
}

fn check(what: &What, keys: &PublicKeys) -> Result<String, String> {
    match what {
        What::Export(folder) => {
            let read = {
                let folder = Path::new(folder);
                let file = |name: &str| file_of(&folder.join(name));
                check_export(file, |name| list_of(&folder.join(name)), keys)?
            };
            let private = if read.has_private {
                format!(
                    "{} private values, {} erased",
                    read.verified.asides, read.verified.erased
                )
            } else {
                "without its private values".to_owned()
            };
            Ok(format!(
                "{}: {} entries ({}), {private}",
                read.log,
                read.head.size,
                short(read.head)
            ))
        }
        What::Receipt(file) => {
            let receipt: Receipt = serde_json::from_slice(&bytes_of(file)?)
                .map_err(|error| format!("{file} is not a receipt: {error}"))?;
            let head = receipt.check(keys)?;
            Ok(format!(
                "request #{} in {}: {} entries under the signed head {}",
                receipt.request,
                receipt.log,
                receipt.entries.len(),
                short(head)
            ))
        }
        What::Proof { proof, entry } => {
            let text =
                String::from_utf8(bytes_of(proof)?).map_err(|_| format!("{proof} is not text"))?;
            let (seq, head) = check_proof(&text, &bytes_of(entry)?, keys)?;
            Ok(format!(
                "entry {seq} of {} is under the signed head {}",
                keys.log(),
                short(head)
            ))
        }
    }
}

/// A file of an export, if it is there.
fn file_of(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// What lies in a folder of an export, in order.
fn list_of(path: &Path) -> Result<Listed, String> {
    let entries = std::fs::read_dir(path).map_err(|error| error.to_string())?;
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        listed.push((entry.file_name().to_string_lossy().into_owned(), is_folder));
    }
    listed.sort();
    Ok(listed)
}

fn bytes_of(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{file} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(line: &str) -> Result<(What, Vec<String>), String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        asked(&words)
    }

    #[test]
    fn arguments_are_understood_in_any_order() {
        let keys = vec!["k".to_owned()];
        assert_eq!(
            asked_for("--key k export f"),
            Ok((What::Export("f".to_owned()), keys.clone()))
        );
        assert_eq!(
            asked_for("receipt r --key k"),
            Ok((What::Receipt("r".to_owned()), keys.clone()))
        );
        let proof = What::Proof {
            proof: "p".to_owned(),
            entry: "e".to_owned(),
        };
        assert_eq!(asked_for("proof --entry e p --key k"), Ok((proof, keys)));
    }

    #[test]
    fn wrong_use_says_what_is_missing() {
        for (line, says) in [
            ("", "say what to check"),
            ("export f", "nothing is trusted"),
            ("export f --key", "--key wants a value"),
            ("export f g --key k", "say what to check"),
            ("proof p --key k", "give them with --entry"),
            ("receipt r --entry e --key k", "say what to check"),
            ("receipt r --keys k", "there is no option --keys"),
        ] {
            let why = asked_for(line).unwrap_err();
            assert!(why.contains(says), "{line}: {why}");
        }
        assert!(trusted(&["no key".to_owned()]).is_err());
    }
}
