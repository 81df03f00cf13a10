//! `[[ledger.export]]`: places that get every entry of the audit log. Two never share a name, because it
//! remembers how far each has come, nor a place; a token never travels over plain HTTP.

use crate::config::at::At;
use crate::config::raw::{self, ExportFormat as Written};
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::{Export, ExportFormat, ExportPlace};
use crate::config::web_address::WebAddress;
use crate::domain::Invalid;

use super::ledger::file;

const FILE: &str = "file:";
const LONGEST_NAME: usize = 40;

pub(super) fn exports(raw: Option<&Vec<At<raw::Export>>>, review: &mut Review<'_>) -> Vec<Export> {
    let mut names: Vec<At<String>> = Vec::new();
    let mut places: Vec<At<String>> = Vec::new();
    let mut exports = Vec::new();
    for raw in raw.into_iter().flatten() {
        let raw = &raw.value;
        let named = raw.name.as_ref().and_then(|written| name(written, review));
        let to = raw.to.as_ref().and_then(|written| place(written, review));
        let token = raw.token.as_ref().and_then(|token| review.token(token));
        if let (Some(ExportPlace::File(_)), Some(written)) = (&to, &raw.token) {
            let problem = Problem::new(&written.place, "a file takes no token");
            review.refuse(problem.help("take it out, or name a collector in `to`"));
        }
        if let Some(name) = &named {
            review.add_new(&mut names, name.clone());
        }
        if let (Some(to), Some(written)) = (&to, &raw.to) {
            let value = match to {
                ExportPlace::File(path) => path.display().to_string(),
                ExportPlace::Url(url) => url.clone(),
            };
            let place = written.place.clone();
            review.add_new(&mut places, At { place, value });
        }
        if let (Some(name), Some(to)) = (named, to) {
            exports.push(Export {
                name: name.value,
                to,
                format: raw
                    .format
                    .as_ref()
                    .map_or(ExportFormat::Ndjson, |format| meant(format.value)),
                token,
            });
        }
    }
    exports
}

fn meant(format: Written) -> ExportFormat {
    match format {
        Written::Ndjson => ExportFormat::Ndjson,
        Written::Ocsf => ExportFormat::Ocsf,
        Written::Ecs => ExportFormat::Ecs,
    }
}

fn name(written: &At<String>, review: &mut Review<'_>) -> Option<At<String>> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = &written.value;
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        let problem = Problem::new(&written.place, "this cannot be the name of an export");
        review.refuse(problem.help("use lower-case letters, digits and dashes, like `siem`"));
        return None;
    }
    Some(written.clone())
}

fn place(written: &At<String>, review: &mut Review<'_>) -> Option<ExportPlace> {
    let Some(path) = written.value.strip_prefix(FILE) else {
        let address = address(&written.value);
        return review.keep(&written.place, address).map(ExportPlace::Url);
    };
    let path = At {
        place: written.place.clone(),
        value: path.to_owned(),
    };
    file(&path, review).map(ExportPlace::File)
}

/// An address that keeps its slashes, because collectors tell them apart.
fn address(text: &str) -> Result<String, Invalid> {
    if !text.contains("://") {
        return Err(Invalid {
            problem: "this is neither a file nor a URL".to_owned(),
            way_out: "write `file:PATH` or `https://...`".to_owned(),
        });
    }
    let address = WebAddress::parse(text)?;
    if !address.https && !address.is_loopback() {
        return Err(Invalid {
            problem: "the audit log cannot travel over plain HTTP".to_owned(),
            way_out: "use `https://`; only this machine itself is reached by `http://`".to_owned(),
        });
    }
    let slash = if text.ends_with('/') { "/" } else { "" };
    Ok(format!("{}{slash}", address.text()))
}
