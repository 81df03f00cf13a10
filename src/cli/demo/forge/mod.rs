//! The forge of a demo: the front of the small ones. What a story needs of a forge is asked here, and the room of the one
//! that is played knows how it is done there.

pub(super) mod github;
#[cfg(feature = "demo-gitlab")]
mod gitlab;

use std::net::SocketAddr;

use clap::Args;

use super::people::Person;
use super::wish::Wish;
use super::written::Section;

/// The one repository.
pub(super) const SHOP: &str = "acme/shop";

/// Which forge the person wants.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ForgeWish {
    /// Play a small GitLab instead of a small GitHub
    #[arg(long, hide = cfg!(not(feature = "demo-gitlab")))]
    gitlab: bool,
}

/// The forge that is played.
#[derive(Debug)]
pub(super) enum Forge {
    GitHub(github::Played),
    #[cfg(feature = "demo-gitlab")]
    GitLab(gitlab::Played),
}

/// What people call things there.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) forge: &'static str,
    /// What stands before a person's number in the audit log.
    pub(super) prefix: &'static str,
    pub(super) repository: &'static str,
    pub(super) change: &'static str,
    /// What the place of a change is called at the prompt.
    pub(super) place: &'static str,
    /// What stands before the number of a change, in full and in brief.
    pub(super) in_full: &'static str,
    pub(super) in_brief: &'static str,
    /// How an approval begins that is written there.
    pub(super) approve: &'static str,
    /// What happens once in each release, and what does not when none leaves.
    pub(super) started: &'static str,
    pub(super) not_asked: &'static str,
    /// When the service has found what it started.
    pub(super) known: &'static str,
    /// How the configuration tells the small one from the real one.
    pub(super) imitation: &'static str,
}

/// A stage that a commit passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Build,
    Test,
    Staging,
    Regression,
}

/// A commit that is under way.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) sha: String,
    /// The number of the change that brought it.
    pub(super) change: u64,
}

impl ForgeWish {
    pub(super) fn wish(self) -> Wish {
        Wish {
            is_asked: self.gitlab,
            is_held: cfg!(feature = "demo-gitlab"),
            option: "--gitlab",
            name: "GitLab",
        }
    }

    /// What will be played.
    pub(super) fn name(self) -> &'static str {
        #[cfg(feature = "demo-gitlab")]
        if self.gitlab {
            return gitlab::WORDS.forge;
        }
        github::WORDS.forge
    }

    /// Starts what is wished for, with its people in it.
    pub(super) async fn start(self) -> anyhow::Result<Forge> {
        #[cfg(feature = "demo-gitlab")]
        if self.gitlab {
            return Ok(Forge::GitLab(gitlab::Played::start().await?));
        }
        Ok(Forge::GitHub(github::Played::start().await?))
    }
}

impl Words {
    /// The change with this number.
    pub(super) fn numbered(&self, change: u64) -> String {
        format!("{}{change}", self.in_full)
    }
}

impl Stage {
    pub(super) const ALL: [Self; 4] = [Self::Build, Self::Test, Self::Staging, Self::Regression];

    /// As the configuration names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Test => "test",
            Self::Staging => "staging",
            Self::Regression => "regression",
        }
    }
}

impl Commit {
    pub(super) fn short(&self) -> &str {
        self.sha.get(..7).unwrap_or(&self.sha)
    }
}

impl Forge {
    pub(super) fn words(&self) -> &'static Words {
        match self {
            Self::GitHub(_) => &github::WORDS,
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(_) => &gitlab::WORDS,
        }
    }

    /// Its part of the configuration, with the service that lives there.
    pub(super) fn section(&self) -> Section {
        match self {
            Self::GitHub(played) => played.section(),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.section(),
        }
    }

    /// From now on the service hears of what happens.
    pub(super) fn tell(&self, service: SocketAddr) {
        match self {
            Self::GitHub(played) => played.tell(service),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.tell(service),
        }
    }

    /// The person writes one commit with this title, and merges it.
    pub(super) async fn merge(&self, author: &Person, title: &str) -> Option<Commit> {
        match self {
            Self::GitHub(played) => played.merge(author, title).await,
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.merge(author, title).await,
        }
    }

    /// Whether the service took the push of this commit.
    pub(super) fn has_told_of(&self, commit: &Commit) -> bool {
        match self {
            Self::GitHub(played) => played.has_told_of(commit),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.has_told_of(commit),
        }
    }

    /// Machines bring the commit through a stage; what people say of it.
    pub(super) async fn pass(&self, stage: Stage, sha: &str) -> &'static str {
        match self {
            Self::GitHub(played) => played.pass(stage, sha).await,
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.pass(stage, sha).await,
        }
    }

    /// The person writes below a change: the comment's number, or why nobody will hear of it.
    pub(super) async fn comment(
        &self,
        who: &Person,
        change: u64,
        line: &str,
    ) -> Result<u64, String> {
        match self {
            Self::GitHub(played) => Ok(played.comment(who, change, line).await),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.comment(who, change, line).await,
        }
    }

    /// The service's answer to a comment.
    pub(super) fn answer(&self, comment: u64) -> Option<String> {
        match self {
            Self::GitHub(played) => played.answer(comment),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.answer(comment),
        }
    }

    /// The run or the job that was started to release a commit, and has not begun.
    pub(super) fn waiting_release(&self, sha: &str) -> Option<u64> {
        match self {
            Self::GitHub(played) => played.waiting_release(sha),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.waiting_release(sha),
        }
    }

    pub(super) async fn begin(&self, release: u64) {
        match self {
            Self::GitHub(played) => played.begin(release).await,
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.begin(release).await,
        }
    }

    /// It ends well.
    pub(super) async fn finish(&self, release: u64) {
        match self {
            Self::GitHub(played) => played.finish(release).await,
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.finish(release).await,
        }
    }

    /// How many releases the service asked for.
    pub(super) fn releases_asked(&self) -> usize {
        match self {
            Self::GitHub(played) => played.releases_asked(),
            #[cfg(feature = "demo-gitlab")]
            Self::GitLab(played) => played.releases_asked(),
        }
    }
}
