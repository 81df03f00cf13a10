//! GitLab has commands of its own, carries out a line of a comment that begins with one, takes the line away
//! and tells nobody. There such a command of ours is written behind our name, which is good everywhere.

use crate::domain::Forge;

/// What a command may be written behind.
const NAME: &str = "/countersign ";
/// Commands of ours that GitLab takes for its own.
const TAKEN: [&str; 5] = ["approve", "lock", "unlock", "status", "unlink"];

/// `/countersign approve #42` means `/approve #42`.
pub(super) fn behind_our_name(line: &str) -> Option<String> {
    let (name, rest) = line.split_at_checked(NAME.len())?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    name.eq_ignore_ascii_case(NAME).then(|| format!("/{rest}"))
}

/// A text of ours with its commands as they are written on a forge.
pub fn as_written_on(forge: Forge, text: String) -> String {
    match forge {
        Forge::GitHub => text,
        Forge::GitLab => TAKEN.iter().fold(text, |text, taken| {
            let behind = text.replace(&format!("`/{taken}"), &format!("`{NAME}{taken}"));
            behind.replace(&format!("\n/{taken}"), &format!("\n{NAME}{taken}"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Command;

    #[test]
    fn a_command_behind_our_name_is_the_same_command() {
        for (written, meant) in [
            ("/countersign approve #42", "/approve #42"),
            ("/Countersign /approve #42", "/approve #42"),
            ("/countersign  deploy prod", "/deploy prod"),
            ("/countersign aprove #42", "/aprove #42"),
        ] {
            assert_eq!(Command::parse(written), Command::parse(meant), "{written}");
            assert!(Command::parse(written).is_some(), "{written}");
        }
        assert_eq!(Command::parse("/countersigned approve"), None);
        assert_eq!(Command::parse("/countersign tea"), None);
    }

    #[test]
    fn what_gitlab_would_take_is_written_behind_our_name() {
        let text = "Say `/approve #1`, or `/deploy prod`.\n/unlock ENV\n/retry";
        assert_eq!(as_written_on(Forge::GitHub, text.to_owned()), text);
        assert_eq!(
            as_written_on(Forge::GitLab, text.to_owned()),
            "Say `/countersign approve #1`, or `/deploy prod`.\n/countersign unlock ENV\n/retry"
        );
    }
}
