//! `[github]` and `[gitlab]`: where the forges are, and as whom Countersign acts there.

use secrecy::{ExposeSecret, SecretString};

use crate::config::at::{At, Place};
use crate::config::raw;
use crate::config::report::Problem;
use crate::config::review::Review;
use crate::config::settings::{GitHub, GitLab, Identity};
use crate::config::web_address::WebAddress;
use crate::domain::Invalid;

pub(super) fn github(at: &At<raw::GitHub>, review: &mut Review<'_>) -> Option<GitHub> {
    let raw = &at.value;
    let api = match &raw.api_url {
        Some(written) => review.keep(&written.place, api_address(&written.value)),
        None => WebAddress::parse("https://api.github.com").ok(),
    };
    let web_url = match &raw.web_url {
        Some(written) => {
            let address = review.keep(&written.place, WebAddress::parse_private(&written.value));
            address.map(|address| address.text())
        }
        None => api.as_ref().map(pages_beside),
    };
    let private_emails = private_emails(raw.private_emails.as_ref(), web_url.as_deref(), review);
    let identity = identity(raw, &at.place, review);
    let webhook_secrets = raw
        .webhook_secret
        .as_ref()
        .map(|secrets| review.secrets(secrets));
    Some(GitHub {
        api_url: api?.text(),
        web_url: web_url?,
        private_emails: private_emails?,
        identity: identity?,
        webhook_secrets: webhook_secrets?,
    })
}

fn api_address(text: &str) -> Result<WebAddress, Invalid> {
    let address = WebAddress::parse_private(text)?;
    if address.host == "github.com" || address.host == "www.github.com" {
        return Err(Invalid {
            problem: "this is where people go; the API is elsewhere".to_owned(),
            way_out: "write `https://api.github.com`, or leave it out".to_owned(),
        });
    }
    Ok(address)
}

/// Where GitHub shows its pages, by the address of its API.
pub(in crate::config) fn pages_beside_api(text: &str) -> Option<String> {
    api_address(text).ok().map(|api| pages_beside(&api))
}

/// `api.github.com` belongs to `github.com`; an enterprise server has both on one host.
fn pages_beside(api: &WebAddress) -> String {
    match api.authority.strip_prefix("api.") {
        Some(host) if api.https && api.path.is_empty() => format!("https://{host}"),
        Some(_) | None => api.root(),
    }
}

/// The host of private commit addresses, as it is written, or as forges name it by themselves.
fn private_emails(
    written: Option<&At<String>>,
    pages: Option<&str>,
    review: &mut Review<'_>,
) -> Option<String> {
    match written {
        Some(written) => review.keep(&written.place, mail_host(&written.value)),
        None => {
            let pages = WebAddress::parse(pages?).ok()?;
            Some(format!("users.noreply.{}", pages.host))
        }
    }
}

fn mail_host(text: &str) -> Result<String, Invalid> {
    let is_part = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(is_letter)
    };
    if text.split('.').all(is_part) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Invalid {
        problem: "this is not the host of an address".to_owned(),
        way_out: "write what stands behind the `@`, like `users.noreply.git.example.com`"
            .to_owned(),
    })
}

fn identity(raw: &raw::GitHub, place: &Place, review: &mut Review<'_>) -> Option<Identity> {
    let as_app = raw.app_id.is_some() || raw.private_key.is_some();
    match &raw.token {
        Some(token) if as_app => {
            let problem = Problem::new(
                &token.place,
                "Countersign acts either as an app or by a token",
            );
            review.refuse(problem.help("keep `app_id` with `private_key`, or keep `token`"));
            None
        }
        Some(token) => {
            review.warn(
                &token.place,
                "a personal token is for trying out: it acts as its owner, cannot ask GitHub for deliveries that failed, and cannot answer protection rules; an app can",
            );
            review.token(token).map(Identity::Token)
        }
        None => app(raw, place, review),
    }
}

fn app(raw: &raw::GitHub, place: &Place, review: &mut Review<'_>) -> Option<Identity> {
    let keys = ["app_id", "private_key", "token"];
    let reported = keys.iter().any(|key| review.refused(place, key));
    let key = raw
        .private_key
        .as_ref()
        .and_then(|key| private_key(key, review));
    let (Some(app_id), Some(_)) = (&raw.app_id, &raw.private_key) else {
        if !reported {
            let message = match (&raw.app_id, &raw.private_key) {
                (Some(_), _) => "`private_key` is missing beside `app_id`",
                (None, Some(_)) => "`app_id` is missing beside `private_key`",
                (None, None) => "nothing says as whom Countersign acts on GitHub",
            };
            let problem = Problem::new(place, message);
            review.refuse(
                problem.help("write `app_id` with `private_key`; or `token` to try it out"),
            );
        }
        return None;
    };
    if app_id.value == 0 {
        let problem = Problem::new(&app_id.place, "no app has the id 0");
        review.refuse(problem.help("the app's settings on GitHub show its id"));
        return None;
    }
    Some(Identity::App {
        app_id: app_id.value,
        private_key: key?,
    })
}

fn private_key(at: &At<raw::Secret>, review: &mut Review<'_>) -> Option<SecretString> {
    let key = review.secret(at)?;
    let text = key.expose_secret();
    let problem = if text.contains("-----BEGIN ENCRYPTED") {
        Problem::new(&at.place, "this private key is locked by a passphrase")
            .help("use the file that GitHub gave you when the key was made")
    } else if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        return Some(key);
    } else {
        Problem::new(&at.place, "this is not a private key in PEM")
            .help("the file that GitHub gives begins with `-----BEGIN RSA PRIVATE KEY-----`")
    };
    review.refuse(problem);
    None
}

pub(super) fn gitlab(at: &At<raw::GitLab>, review: &mut Review<'_>) -> Option<GitLab> {
    let raw = &at.value;
    let url = match &raw.url {
        Some(written) => {
            let address = review.keep(&written.place, WebAddress::parse_private(&written.value));
            address.map(|address| address.text())
        }
        None => Some("https://gitlab.com".to_owned()),
    };
    let private_emails = private_emails(raw.private_emails.as_ref(), url.as_deref(), review);
    let token = raw.token.as_ref().and_then(|token| review.token(token));
    let webhook_secrets = raw
        .webhook_secret
        .as_ref()
        .map(|secrets| review.secrets(secrets));
    Some(GitLab {
        url: url?,
        private_emails: private_emails?,
        token: token?,
        webhook_secrets: webhook_secrets?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_beside_the_api() {
        let check = |api: &str, expect: &str| {
            assert_eq!(pages_beside(&api_address(api).unwrap()), expect);
        };
        check("https://api.github.com", "https://github.com");
        check("https://api.acme.ghe.com", "https://acme.ghe.com");
        check(
            "https://git.acme.example/api/v3",
            "https://git.acme.example",
        );
        check("http://127.0.0.1:9000/api/v3", "http://127.0.0.1:9000");
        assert!(api_address("https://github.com").is_err());
    }

    #[test]
    fn the_host_of_addresses_is_a_host() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(mail_host(text).ok().as_deref(), expect, "{text:?}");
        };
        check(
            "Users.NoReply.git.Example",
            Some("users.noreply.git.example"),
        );
        for text in [
            "",
            "@users.example",
            "a b",
            "https://x",
            "users..example",
            "x/y",
        ] {
            check(text, None);
        }
    }
}
