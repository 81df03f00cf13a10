//! `[database]`: where everything is stored. Makes the path of a file absolute, so that the
//! folder a process is started in does not choose the database.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::config::at::At;
use crate::config::raw::{self, TextOr};
use crate::config::review::Review;
use crate::config::settings::Database;
use crate::domain::{Invalid, TimeSpan};

const DEFAULT_URL: &str = "sqlite:countersign.db";
const SEVEN_DAYS: u64 = 7 * 24 * 60 * 60;

pub(super) fn database(raw: Option<&raw::Database>, review: &mut Review<'_>) -> Option<Database> {
    let url = match raw.and_then(|raw| raw.url.as_ref()) {
        Some(written) => written_url(written, review),
        None => review.keep(&(0..0), complete(DEFAULT_URL, review.surroundings.folder())),
    };
    let keep = raw.and_then(|raw| raw.keep_handled.as_ref());
    let keep_handled = match keep {
        Some(written) => review.parse(Some(written)).map(|span| span.value),
        None => TimeSpan::from_seconds(SEVEN_DAYS),
    };
    Some(Database {
        url: url?,
        keep_handled: keep_handled?,
    })
}

fn written_url(written: &At<TextOr<raw::Secret>>, review: &mut Review<'_>) -> Option<SecretString> {
    let place = &written.place;
    let text = match &written.value {
        TextOr::Text(text) => {
            if holds_password(text) {
                review.hide(place);
                review.warn(place, "the password of the database stands in this file; `url = { env = \"NAME\" }` keeps it out");
            }
            text.clone()
        }
        TextOr::Table(secret) => {
            let secret = At {
                place: place.clone(),
                value: secret.clone(),
            };
            review.secret(&secret)?.expose_secret().trim().to_owned()
        }
    };
    let folder = review.surroundings.folder();
    review.keep(place, complete(&text, folder))
}

fn holds_password(url: &str) -> bool {
    let person = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'));
    person.is_some_and(|(person, _)| person.contains(':')) || url.contains("password=")
}

/// The URL as the store opens it. Its errors never repeat the text, which may hold a password.
fn complete(url: &str, folder: &Path) -> Result<SecretString, Invalid> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        if rest.is_empty() || rest.contains(char::is_whitespace) {
            return Err(invalid("this address of a database names no host"));
        }
        return Ok(SecretString::from(url));
    }
    let Some(path) = url.strip_prefix("sqlite:") else {
        return Err(invalid("this is not the address of a database"));
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.contains(":memory:") {
        return Err(invalid(
            "a database in memory forgets every approval when it stops",
        ));
    }
    if path.is_empty() || path.ends_with('/') {
        return Err(invalid("the file of the database has no name"));
    }
    if path.contains(['?', '#', '%']) {
        return Err(invalid(
            "the file of a database cannot have `?`, `#` or `%` in its path",
        ));
    }
    let whole = std::path::absolute(folder.join(path))
        .map_err(|_| invalid("the folder of the database cannot be made out"))?;
    let Some(whole) = whole.to_str() else {
        return Err(invalid("the path of the database is not text"));
    };
    Ok(SecretString::from(format!("sqlite:{}", encoded(whole))))
}

/// The folder that the file stands in may have any name; in a URL some letters are special.
fn encoded(path: &str) -> String {
    path.replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23")
}

fn invalid(problem: &str) -> Invalid {
    Invalid {
        problem: problem.to_owned(),
        way_out: "write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_absolute_and_servers_stay() {
        let check = |url: &str, expect: Option<&str>| {
            let seen = complete(url, Path::new("/etc/counter sign?"));
            let seen = seen.ok().map(|url| url.expose_secret().to_owned());
            assert_eq!(seen.as_deref(), expect, "{url}");
        };
        check("sqlite:c.db", Some("sqlite:/etc/counter sign%3F/c.db"));
        check("sqlite://c.db", Some("sqlite:/etc/counter sign%3F/c.db"));
        check("sqlite:/var/lib/c.db", Some("sqlite:/var/lib/c.db"));
        check("sqlite:///var/lib/c.db", Some("sqlite:/var/lib/c.db"));
        check("postgres://u:p@h/d", Some("postgres://u:p@h/d"));
        check("postgresql://h/d", Some("postgresql://h/d"));
        check("postgres://", None);
        check("sqlite::memory:", None);
        check("sqlite:", None);
        check("sqlite:c.db?mode=ro", None);
        check("mysql://h/d", None);
        check("", None);
    }

    #[test]
    fn a_password_in_a_url_is_noticed() {
        assert!(holds_password("postgres://u:p@h/d"));
        assert!(holds_password("postgres://h/d?password=p"));
        assert!(!holds_password("postgres://u@h:5432/d"));
    }
}
