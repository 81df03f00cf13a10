//! `[[ledger.witness]]`: who cosigns signed heads. Two never share a name, under which is kept what each has seen, nor
//! an address. Whether the key fits its own id is found out where it is used.

use crate::config::at::At;
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::Witness;
use crate::config::web_address::WebAddress;
use crate::domain::Invalid;

/// Names that the database gives to other places.
const TAKEN: &[&str] = &["export:", "file:", "head:"];
const LONGEST_NAME: usize = 200;
/// How 33 bytes look whose first one says that the key is for cosignatures.
const COSIGNATURE_KEY: (char, usize) = ('B', 44);

pub(super) fn witnesses(
    raw: Option<&Vec<At<raw::Witness>>>,
    review: &mut Review<'_>,
) -> Vec<Witness> {
    let mut names: Vec<At<String>> = Vec::new();
    let mut addresses: Vec<At<String>> = Vec::new();
    let mut witnesses = Vec::new();
    for raw in raw.into_iter().flatten() {
        let url = raw.value.url.as_ref().and_then(|written| {
            let value = review.keep(&written.place, address(&written.value))?;
            let place = written.place.clone();
            review.add_new(
                &mut addresses,
                At {
                    place,
                    value: value.clone(),
                },
            );
            Some(value)
        });
        let key = raw.value.key.as_ref().and_then(|written| {
            let value = name(written, review)?;
            let place = written.place.clone();
            review.add_new(&mut names, At { place, value });
            Some(written.value.clone())
        });
        if let (Some(url), Some(key)) = (url, key) {
            witnesses.push(Witness { url, key });
        }
    }
    witnesses
}

fn address(text: &str) -> Result<String, Invalid> {
    let address = WebAddress::parse(text)?;
    if !address.https && !address.is_loopback() {
        return Err(Invalid {
            problem: "a witness is not reached over plain HTTP".to_owned(),
            way_out: "use `https://`; only this machine itself is reached by `http://`".to_owned(),
        });
    }
    Ok(address.text())
}

/// The name in a key that looks like one.
fn name(written: &At<String>, review: &mut Review<'_>) -> Option<String> {
    if written.value.starts_with("PRIVATE+KEY+") {
        review.hide(&written.place);
        let problem = Problem::new(&written.place, "this is a private key");
        review.refuse(problem.help("write the public key of the witness"));
        return None;
    }
    let mut parts = written.value.splitn(3, '+');
    let (name, id, key) = (parts.next()?, parts.next(), parts.next());
    let strange = |c: char| c.is_whitespace() || c.is_control();
    let is_name = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.contains(strange)
        && !TAKEN.iter().any(|taken| name.starts_with(taken));
    let is_id = |id: &str| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (first, length) = COSIGNATURE_KEY;
    let is_key = |key: &str| key.len() == length && key.starts_with(first);
    if is_name && id.is_some_and(is_id) && key.is_some_and(is_key) {
        return Some(name.to_owned());
    }
    let problem = Problem::new(&written.place, "this is not the key of a witness");
    review
        .refuse(problem.help(
            "write it as its operator publishes it, like `witness.example/w1+0123abcd+B...`",
        ));
    None
}
