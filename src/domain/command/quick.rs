//! Quick actions: where a forge takes a command of ours for one of its own, the command is written behind our name,
//! which is good everywhere.

use crate::domain::Forge;

/// What a command may be written behind.
const NAME: &str = "/countersign ";

/// `/countersign approve #42` means `/approve #42`.
pub(super) fn behind_our_name(line: &str) -> Option<String> {
    let (name, rest) = line.split_at_checked(NAME.len())?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    name.eq_ignore_ascii_case(NAME).then(|| format!("/{rest}"))
}

/// A command as it is written in a comment on a forge.
pub fn written_on(forge: Forge, line: &str) -> String {
    let name = line.strip_prefix('/').map(|rest| {
        let end = rest.find(' ').unwrap_or(rest.len());
        rest.split_at(end)
    });
    match name {
        Some((name, rest)) if forge.quick_actions().contains(&name) => {
            format!("{NAME}{name}{rest}")
        }
        Some(_) | None => line.to_owned(),
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
        for (line, on_gitlab) in [
            ("/approve #1", "/countersign approve #1"),
            ("/unlock ENV", "/countersign unlock ENV"),
            ("/status", "/countersign status"),
            ("/deploy prod", "/deploy prod"),
            ("/retry", "/retry"),
            ("--service", "--service"),
        ] {
            assert_eq!(written_on(Forge::GitHub, line), line);
            assert_eq!(written_on(Forge::GitLab, line), on_gitlab);
        }
    }
}
