//! The way back to a person who spoke: the path of Slack's address for answers. No address out of a request is
//! ever called; the path is put behind the address that we know.

use http::Uri;

/// What no path of Slack's comes near.
const LONGEST: usize = 500;

/// The path of an address for answers, if it is Slack's own or that of a Slack on this machine.
pub(super) fn path(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let authority = url.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let scheme = url.scheme_str()?;
    let is_slack = scheme == "https" && authority.as_str() == "hooks.slack.com";
    let host = authority.host();
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if !(is_slack || is_here && matches!(scheme, "http" | "https")) {
        return None;
    }
    let path = url.path_and_query()?.as_str();
    is_plain(path).then(|| path.to_owned())
}

/// Whether a path stays where it is put.
pub(super) fn is_plain(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'@' | b'\\' | b'#' | b'"');
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= LONGEST
        && !path.contains("..")
        && path.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_slacks_own_address_are_kept() {
        for (url, expect) in [
            (
                "https://hooks.slack.com/actions/T1/2/x3?a=b",
                Some("/actions/T1/2/x3?a=b"),
            ),
            ("http://127.0.0.1:4000/actions/1", Some("/actions/1")),
            ("http://[::1]:4000/actions/1", Some("/actions/1")),
            ("http://localhost/actions/1", Some("/actions/1")),
            ("http://hooks.slack.com/actions/1", None),
            ("https://hooks.slack.com:8443/actions/1", None),
            ("https://hooks.slack.com.evil.example/1", None),
            ("https://hooks.slack.com@evil.example/1", None),
            ("https://evil@hooks.slack.com/1", None),
            ("https://evil.example/hooks.slack.com/1", None),
            ("https://10.0.0.1/1", None),
            ("https://169.254.169.254/latest", None),
            ("https://hooks.slack.com/../1", None),
            ("https://hooks.slack.com//evil.example", None),
            ("https://hooks.slack.com/a@b", None),
            ("file:///etc/passwd", None),
            ("/actions/1", None),
            ("https://hooks.slack.com/a b", None),
            ("", None),
        ] {
            assert_eq!(path(url).as_deref(), expect, "{url}");
        }
        let long = format!("https://hooks.slack.com/{}", "x".repeat(500));
        assert_eq!(path(&long), None);
    }
}
