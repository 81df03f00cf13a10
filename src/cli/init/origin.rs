//! The origin: what the folder tells about its repository: where its git remote leads, and which workflow looks like
//! the tests.

use std::path::Path;

/// Names that workflows of tests have, best first.
const LIKELY: [&str; 6] = ["ci", "build", "test", "tests", "main", "checks"];

/// The repository of the remote `origin`, such as `github:acme/shop`.
pub(super) fn of(folder: &Path) -> Option<String> {
    let config = std::fs::read_to_string(folder.join(".git/config")).ok()?;
    let mut lines = config.lines().map(str::trim);
    lines.find(|line| *line == "[remote \"origin\"]")?;
    let url = lines
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("url")?.trim_start().strip_prefix('='))?;
    repository(url.trim())
}

/// `git@github.com:acme/shop.git`, `https://gitlab.com/acme/shop`, `ssh://git@host/acme/shop.git`.
fn repository(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let (host, path) = rest.split_once(['/', ':'])?;
    let host = host.split(':').next().unwrap_or(host);
    let forge = if host.contains("github") {
        "github"
    } else if host.contains("gitlab") {
        "gitlab"
    } else {
        return None;
    };
    let path = path.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/');
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    Some(format!("{forge}:{path}"))
}

/// The file of the workflow that most likely runs the tests.
pub(super) fn workflow(folder: &Path) -> Option<String> {
    let files = std::fs::read_dir(folder.join(".github/workflows")).ok()?;
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
        .collect();
    names.sort();
    let rank = |name: &String| {
        let stem = name.split('.').next().unwrap_or_default();
        LIKELY
            .iter()
            .position(|likely| *likely == stem)
            .unwrap_or(LIKELY.len())
    };
    names.into_iter().min_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_every_form_are_known() {
        for (url, expect) in [
            ("git@github.com:acme/shop.git", Some("github:acme/shop")),
            ("https://github.com/acme/shop", Some("github:acme/shop")),
            (
                "https://ann:x@gitlab.com/acme/a/shop.git/",
                Some("gitlab:acme/a/shop"),
            ),
            (
                "ssh://git@gitlab.example.com:2222/acme/shop.git",
                Some("gitlab:acme/shop"),
            ),
            ("https://git.example.com/acme/shop", None),
            ("/srv/git/shop", None),
        ] {
            assert_eq!(repository(url).as_deref(), expect, "{url}");
        }
    }
}
