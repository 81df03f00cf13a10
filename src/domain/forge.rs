//! Forges: where code lives, and in what they differ: how they name and show things, and what they do by themselves.
//! What is stored for one of them, and what is said to it, stands elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where code lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forge {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// gitlab.com or a GitLab of one's own.
    GitLab,
}

impl Forge {
    pub const ALL: [Self; 2] = [Self::GitHub, Self::GitLab];

    /// The only one of the first version, which kept things without it.
    pub fn first() -> Self {
        Self::GitHub
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    pub(super) fn is_first(&self) -> bool {
        *self == Self::first()
    }

    /// What it calls groups of people.
    pub fn crowds(self) -> &'static str {
        match self {
            Self::GitHub => "teams",
            Self::GitLab => "groups",
        }
    }

    /// The word in front of a repository: `github` or `gitlab`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }

    pub fn of_prefix(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|forge| forge.prefix() == text)
    }

    /// How a name of this forge is remembered, whether of a repository or of people. Forges compare names
    /// without regard to case, and two may use the same one.
    pub fn remembers(self, name: &str) -> String {
        let name = name.to_ascii_lowercase();
        match self {
            Self::GitHub => name,
            Self::GitLab => format!("gitlab:{name}"),
        }
    }

    /// Whether the path of a repository has so many parts. GitLab's groups have groups.
    pub(super) fn has_paths_of(self, parts: usize) -> bool {
        match self {
            Self::GitHub => parts == 2,
            Self::GitLab => parts >= 2,
        }
    }

    /// Where people see what belongs to a repository, without a slash at the end.
    pub(super) fn page(self, web_url: &str, path: &str) -> String {
        let page = format!("{web_url}/{path}");
        match self {
            Self::GitHub => page,
            // It keeps its own pages apart from those of groups below.
            Self::GitLab => format!("{page}/-"),
        }
    }

    /// Where people see a pull request, below the repository's page.
    pub(super) fn pull_request_page(self, page: &str, number: u64) -> String {
        match self {
            Self::GitHub => format!("{page}/pull/{number}"),
            Self::GitLab => format!("{page}/merge_requests/{number}"),
        }
    }

    /// What stands before the number of a pull request. On GitLab `#` is for issues.
    pub fn mark_of_pull_request(self) -> char {
        match self {
            Self::GitHub => '#',
            Self::GitLab => '!',
        }
    }

    /// The pull request that a commit's title names, as the forge writes it when it merges.
    pub(super) fn pull_request_in(self, title: &str) -> Option<u64> {
        let digits = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| is_number)
        };
        let merged = match self {
            Self::GitHub => title.strip_prefix("Merge pull request #"),
            Self::GitLab => None,
        };
        if let Some(rest) = merged {
            return digits(rest.split(' ').next()?);
        }
        let (_, last) = title.trim_end().strip_suffix(')')?.rsplit_once('(')?;
        digits(last.strip_prefix(self.mark_of_pull_request())?)
    }

    /// Commands of ours that it takes for its own: it carries out a line of a comment that begins with one, takes the
    /// line away and does not tell us of it.
    pub(super) fn quick_actions(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &[],
            Self::GitLab => &["approve", "lock", "unlock", "status", "unlink"],
        }
    }

    /// Whether its deliveries are signed with what they say. A bare token signs nothing: whoever learns it can write
    /// everybody's comments.
    pub fn signs_what_it_says(self) -> bool {
        match self {
            Self::GitHub => true,
            Self::GitLab => false,
        }
    }

    /// The account in whose name the forge's own machines report about deployments, where others may, too.
    pub fn machines(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("github-actions[bot]"),
            Self::GitLab => None,
        }
    }

    /// Whether a status that we give a commit is no gate of it. On GitLab it would be a job of the very pipeline that
    /// gates wait for.
    pub(super) fn keeps_statuses_apart(self) -> bool {
        match self {
            Self::GitHub => true,
            Self::GitLab => false,
        }
    }

    /// Whether an account of this name is an app's, or a token's that acts by itself.
    pub(super) fn is_app(self, login: &str) -> bool {
        match self {
            Self::GitHub => login.ends_with("[bot]"),
            Self::GitLab => {
                let rest = ["project_", "group_"]
                    .iter()
                    .find_map(|kind| login.strip_prefix(kind));
                let parts = rest.and_then(|rest| rest.split_once("_bot"));
                parts.is_some_and(|(id, rest)| {
                    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
                    is_number && (rest.is_empty() || rest.starts_with('_'))
                })
            }
        }
    }
}

impl fmt::Display for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_known_by_its_name() {
        for (forge, login, expect) in [
            (Forge::GitHub, "dependabot[bot]", true),
            (Forge::GitHub, "dependabot", false),
            (Forge::GitLab, "project_9_bot_0123abcd", true),
            (Forge::GitLab, "group_9_bot", true),
            (Forge::GitLab, "project_x_bot", false),
            (Forge::GitLab, "project_9_bots", false),
            (Forge::GitLab, "ann", false),
        ] {
            assert_eq!(forge.is_app(login), expect, "{forge} {login}");
        }
    }

    #[test]
    fn a_title_names_its_pull_request_as_the_forge_writes_it() {
        for (forge, title, expect) in [
            (Forge::GitHub, "Sell more (#12)", Some(12)),
            (
                Forge::GitHub,
                "Merge pull request #7 from ann/more",
                Some(7),
            ),
            (Forge::GitHub, "Fix #7", None),
            (Forge::GitHub, "Sell (#x)", None),
            (Forge::GitHub, "Sell (#)", None),
            (Forge::GitHub, "(#3)", Some(3)),
            (Forge::GitHub, "Sell more (#12) now", None),
            (Forge::GitHub, "Sell more (!12)", None),
            (Forge::GitLab, "Sell more (!12)", Some(12)),
            // An issue, which has another page.
            (Forge::GitLab, "Sell more (#12)", None),
            (Forge::GitLab, "Merge pull request #7 from ann/more", None),
        ] {
            assert_eq!(forge.pull_request_in(title), expect, "{forge} {title}");
        }
    }
}
