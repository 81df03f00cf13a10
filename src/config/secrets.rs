//! Secrets, found where the file says they are: in the environment, in a file, in a systemd credential. Refuses what is
//! missing, empty, too short or written into the file by mistake, and never says what a secret is.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::at::{At, Place};
use super::raw::{OneOrMany, Secret};
use super::report::Problem;
use super::review::Review;

/// Shorter secrets can be guessed.
const SHORTEST: usize = 16;
/// No secret is longer.
const LONGEST: u64 = 64 * 1024;

impl Review<'_> {
    /// The secret that a table names.
    pub(super) fn secret(&mut self, at: &At<Secret>) -> Option<SecretString> {
        let found = match &at.value {
            Secret {
                env: Some(name),
                file: None,
                credential: None,
            } => self.in_variable(name),
            Secret {
                env: None,
                file: Some(path),
                credential: None,
            } => self.in_file(path),
            Secret {
                env: None,
                file: None,
                credential: Some(name),
            } => self.in_credential(name),
            Secret {
                env: None,
                file: None,
                credential: None,
            } => return None,
            Secret {
                env: _,
                file: _,
                credential: _,
            } => {
                let problem = Problem::new(&at.place, "a secret is found in one place only");
                self.refuse(problem.help("keep one of `env`, `file` and `credential`"));
                return None;
            }
        };
        found.map(SecretString::from)
    }

    /// A secret that goes into an HTTP header.
    pub(super) fn token(&mut self, at: &At<Secret>) -> Option<SecretString> {
        let token = self.secret(at)?;
        if token.expose_secret().bytes().all(|b| b.is_ascii_graphic()) {
            return Some(token);
        }
        let problem = Problem::new(
            &at.place,
            "this token has blanks, line breaks or strange letters in it",
        );
        self.refuse(problem.help("store the token alone, as it was given to you"));
        None
    }

    /// One secret, or two of them while they are changed; none of them short.
    pub(super) fn secrets(&mut self, at: &At<OneOrMany<Secret>>) -> Vec<SecretString> {
        let list = match &at.value {
            OneOrMany::One(one) => vec![At {
                place: at.place.clone(),
                value: one.clone(),
            }],
            OneOrMany::Many(many) => many.clone(),
        };
        if list.len() > 2 {
            let problem = Problem::new(&at.place, "there are more than two secrets");
            self.refuse(problem.help("two are enough to change from one to the next"));
        }
        let mut found: Vec<SecretString> = Vec::new();
        for one in &list {
            let Some(secret) = self.secret(one) else {
                continue;
            };
            let length = secret.expose_secret().len();
            let known = |other: &SecretString| other.expose_secret() == secret.expose_secret();
            if length < SHORTEST {
                let message = format!("this secret has {length} bytes; {SHORTEST} is the least");
                self.refuse(
                    Problem::new(&one.place, message).help("make one with `openssl rand -hex 32`"),
                );
            } else if found.iter().any(known) {
                let problem = Problem::new(&one.place, "both secrets are the same");
                self.refuse(problem.help("leave the second one out"));
            } else {
                found.push(secret);
            }
        }
        found
    }

    fn in_variable(&mut self, name: &At<String>) -> Option<String> {
        let place = &name.place;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = !name.value.is_empty() && name.value.chars().all(allowed);
        if !named || looks_like_secret(&name.value) {
            return self.not_a_name(place, "the name of an environment variable");
        }
        let shown = &name.value;
        let Some(value) = self.surroundings.variable(shown) else {
            let problem = Problem::new(
                place,
                format!("the environment variable `{shown}` is not set"),
            );
            self.refuse(problem.help("set it where Countersign is started"));
            return None;
        };
        let Ok(value) = value.into_string() else {
            self.refuse(Problem::new(
                place,
                format!("the environment variable `{shown}` is not text"),
            ));
            return None;
        };
        self.not_empty(place, value, || {
            format!("the environment variable `{shown}`")
        })
    }

    fn in_file(&mut self, path: &At<String>) -> Option<String> {
        if path.value.trim().is_empty() || looks_like_secret(&path.value) {
            return self.not_a_name(&path.place, "the path of a file");
        }
        let whole = self.surroundings.folder().join(&path.value);
        self.read(&path.place, &whole)
    }

    fn in_credential(&mut self, name: &At<String>) -> Option<String> {
        let place = &name.place;
        let strange = |c: char| c == '/' || c.is_control() || c.is_whitespace();
        let dots = matches!(name.value.as_str(), "" | "." | "..");
        if dots || name.value.contains(strange) || looks_like_secret(&name.value) {
            return self.not_a_name(place, "the name of a credential");
        }
        let Some(folder) = self.surroundings.variable("CREDENTIALS_DIRECTORY") else {
            let problem = Problem::new(place, "systemd handed over no credentials");
            self.refuse(problem.help(format!(
                "`CREDENTIALS_DIRECTORY` is not set; add `LoadCredential={}:PATH` to the unit and start it with systemd",
                name.value
            )));
            return None;
        };
        self.read(place, &PathBuf::from(folder).join(&name.value))
    }

    fn read(&mut self, place: &Place, path: &Path) -> Option<String> {
        let shown = path.display();
        match read_text(path) {
            Ok(found) => {
                if let Some(mode) = found.open_mode {
                    self.warn(place, format!("every user of this machine can read `{shown}` (mode {mode:o}); `chmod 600` it"));
                }
                self.not_empty(place, found.text, || format!("the file `{shown}`"))
            }
            Err(error) => {
                let message = if error.kind() == io::ErrorKind::NotFound {
                    format!("the file `{shown}` does not exist")
                } else if error.kind() == io::ErrorKind::PermissionDenied {
                    format!("the file `{shown}` may not be read by this user")
                } else {
                    format!("the file `{shown}` cannot be read: {error}")
                };
                let problem = Problem::new(place, message);
                self.refuse(problem.help("a relative path starts from this file's folder"));
                None
            }
        }
    }

    fn not_empty(
        &mut self,
        place: &Place,
        text: String,
        what: impl Fn() -> String,
    ) -> Option<String> {
        if !text.trim().is_empty() {
            return Some(text);
        }
        let problem = Problem::new(place, format!("{} is empty", what()));
        self.refuse(problem.help("an empty secret protects nothing"));
        None
    }

    fn not_a_name(&mut self, place: &Place, what: &str) -> Option<String> {
        self.hide(place);
        let problem = Problem::new(place, format!("this is not {what}"));
        self.refuse(problem.help(
            "name the place where the secret is; the secret itself must not stand in this file",
        ));
        None
    }
}

/// The text of a file, and its mode where every user can read it.
struct Found {
    text: String,
    open_mode: Option<u32>,
}

fn read_text(path: &Path) -> io::Result<Found> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LONGEST) {
        return Err(io::Error::other("it is too long for a secret"));
    }
    let kept = text
        .strip_suffix('\n')
        .map(|rest| rest.strip_suffix('\r').unwrap_or(rest));
    let text = kept.map_or_else(|| text.clone(), str::to_owned);
    Ok(Found {
        text,
        open_mode: open_mode(&metadata),
    })
}

#[cfg(unix)]
fn open_mode(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = metadata.permissions().mode() & 0o777;
    (metadata.is_file() && mode & 0o004 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}

/// Whether the secret itself was written where its name belongs.
fn looks_like_secret(text: &str) -> bool {
    let beginnings = [
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xapp-",
        "whsec_",
    ];
    text.contains("-----BEGIN")
        || text.contains('\n')
        || text.len() > 255
        || beginnings
            .iter()
            .any(|beginning| text.starts_with(beginning))
}
