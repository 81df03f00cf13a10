//! Addresses of the web, as a configuration may name them. Refuses passwords, queries and
//! fragments in them, and plain HTTP to any other machine where it is asked to.

use http::Uri;
use http::uri::Scheme;

use crate::domain::Invalid;

/// An address with a host, such as `https://github.example.com/api/v3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebAddress {
    pub(super) https: bool,
    pub(super) host: String,
    /// The host with its port.
    pub(super) authority: String,
    /// Empty, or beginning with a slash and not ending with one.
    pub(super) path: String,
}

impl WebAddress {
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem: &str| Invalid {
            problem: problem.to_owned(),
            way_out: "write it like `https://deploys.example.com`".to_owned(),
        };
        let uri: Uri = text.parse().map_err(|_| refuse("this is not a URL"))?;
        let https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) => return Err(refuse("a URL here begins with `https://`")),
            None => return Err(refuse("the `https://` of this URL is missing")),
        };
        let Some(authority) = uri.authority() else {
            return Err(refuse("this URL names no host"));
        };
        if authority.as_str().contains('@') {
            return Err(refuse("a URL here cannot hold a name or a password"));
        }
        if authority.host().is_empty() {
            return Err(refuse("this URL names no host"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(refuse("a URL here ends before any `?` or `#`"));
        }
        Ok(Self {
            https,
            host: authority.host().to_ascii_lowercase(),
            authority: authority.as_str().to_ascii_lowercase(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The same, but only over TLS or to this machine.
    pub(super) fn parse_private(text: &str) -> Result<Self, Invalid> {
        let address = Self::parse(text)?;
        if address.https || address.is_loopback() {
            return Ok(address);
        }
        Err(Invalid {
            problem: "tokens cannot travel over plain HTTP".to_owned(),
            way_out: "use `https://`; only this machine itself is reached by `http://`".to_owned(),
        })
    }

    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The address as text, without a slash at its end.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.root(), self.path)
    }

    /// The address without its path.
    pub(super) fn root(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cleaned_or_refused() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let seen = WebAddress::parse(text);
            let seen = seen
                .map(|address| address.text())
                .map_err(|invalid| invalid.problem);
            assert_eq!(
                seen,
                expect.map(str::to_owned).map_err(str::to_owned),
                "{text}"
            );
        };
        check(
            "https://Deploys.Example.com/",
            Ok("https://deploys.example.com"),
        );
        check("http://h:80/api/v3/", Ok("http://h:80/api/v3"));
        check(
            "deploys.example.com",
            Err("the `https://` of this URL is missing"),
        );
        check("ftp://h", Err("a URL here begins with `https://`"));
        check(
            "https://u:p@h",
            Err("a URL here cannot hold a name or a password"),
        );
        check(
            "https://h/?a=b",
            Err("a URL here ends before any `?` or `#`"),
        );
        check("https://h/#a", Err("a URL here ends before any `?` or `#`"));
        check("https://", Err("this is not a URL"));
        check("", Err("this is not a URL"));
    }

    #[test]
    fn plain_http_reaches_only_this_machine() {
        let check = |text: &str, expect: bool| {
            assert_eq!(WebAddress::parse_private(text).is_ok(), expect, "{text}");
        };
        check("https://api.github.com", true);
        check("http://127.0.0.1:9000", true);
        check("http://localhost:9000/x", true);
        check("http://[::1]:9000", true);
        check("http://127.0.0.1.example.com", false);
        check("http://192.168.0.1", false);
    }
}
