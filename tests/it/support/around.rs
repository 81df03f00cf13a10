//! Events around a release on the forge where a world's services live, with the same words for both: people and
//! groups change, branches go back, forks appear, and the forge is in trouble.

use countersign::domain::Forge;
use countersign_sandbox::github::{NewCommit, Trouble};
use serde_json::Value;

use super::World;
use super::acts::said_on_gitlab;
use super::deliveries::{self, SECRET};
use super::world::SHOP;

/// The project that is a fork of the shop.
const FORK: &str = "mallory/shop";

/// What a call asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Membership,
    Role,
    PullRequest,
    Reports,
    /// Where the release branch stands.
    Head,
    Merges,
    Moves,
}

impl About {
    /// The part of its path that shows it.
    fn path(self, forge: Forge) -> &'static str {
        let (on_github, on_gitlab) = match self {
            Self::Membership => ("/memberships/", "/groups/"),
            Self::Role => ("/permission", "/projects/9/members/all/"),
            Self::PullRequest => ("/pulls/", "/merge_requests/"),
            Self::Reports => ("/check-runs", "/jobs$"),
            Self::Head => ("/branches/main", "/repository/branches/main"),
            Self::Merges => ("/pulls$", "/merge_requests$"),
            Self::Moves => ("/activity", "/events$"),
        };
        match forge {
            Forge::GitHub => on_github,
            Forge::GitLab => on_gitlab,
        }
    }
}

impl World {
    /// An account appears, which may see the repository.
    pub(crate) fn add_person(&self, id: u64, login: &str) {
        match self.forge {
            Forge::GitHub => self.github.add_person(id, login),
            Forge::GitLab => self.gitlab.add_person(id, login),
        }
    }

    pub(crate) fn rename_person(&self, id: u64, login: &str) {
        match self.forge {
            Forge::GitHub => self.github.rename_person(id, login),
            Forge::GitLab => self.gitlab.rename_person(id, login),
        }
    }

    /// A person is no member any more. Everybody may see a public repository, so it is a private one.
    pub(crate) fn leave(&self, person: &str) {
        match self.forge {
            Forge::GitHub => {
                self.github.set_private(SHOP, true);
                self.github.set_role(SHOP, person, None);
            }
            Forge::GitLab => self.gitlab.set_access(SHOP, person, None),
        }
    }

    /// The forge does not let a person in any more, who stays where they are a member.
    pub(crate) fn suspend(&self, person: &str) {
        match self.forge {
            Forge::GitHub => self.github.suspend_person(person),
            Forge::GitLab => self.gitlab.block_person(person, true),
        }
    }

    /// A team called `acme/qa`.
    pub(crate) fn add_team(&self, id: u64) {
        match self.forge {
            Forge::GitHub => self.github.add_team(id, "acme", "qa"),
            Forge::GitLab => self.gitlab.add_group(id, "acme/qa"),
        }
    }

    pub(crate) fn delete_team(&self, id: u64) {
        match self.forge {
            Forge::GitHub => self.github.delete_team(id),
            Forge::GitLab => self.gitlab.delete_group(id),
        }
    }

    /// The person owns the repository that is called so.
    pub(crate) fn make_owner(&self, person: &str) {
        match self.forge {
            Forge::GitHub => self.github.set_role(SHOP, person, Some("admin")),
            Forge::GitLab => self.gitlab.set_access(SHOP, person, Some(50)),
        }
    }

    /// The repository has another name, and another one has its name.
    pub(crate) async fn rename_repository(&self, name: &str, newcomer: u64) {
        match self.forge {
            Forge::GitHub => {
                self.github.rename_repository(SHOP, name, "ann").await;
                self.settle().await;
                self.github.add_repository(newcomer, SHOP);
            }
            Forge::GitLab => {
                self.gitlab.rename_project(SHOP, name);
                self.gitlab.add_project(newcomer, SHOP);
            }
        }
    }

    /// The person comments where the repository is now.
    pub(crate) async fn comment_at(&self, repository: &str, (person, on): (&str, u64)) -> u64 {
        let text = "/deploy prod";
        let comment = match self.forge {
            Forge::GitHub => self.github.comment(person, repository, on, text).await,
            Forge::GitLab => self.gitlab.comment(person, repository, on, text).await,
        };
        self.settle().await;
        comment
    }

    pub(crate) async fn edit_comment(&self, person: &str, comment: u64, text: &str) {
        match self.forge {
            Forge::GitHub => {
                self.github.edit_comment(person, SHOP, comment, text).await;
            }
            Forge::GitLab => {
                let text = said_on_gitlab(text);
                self.gitlab.edit_comment(person, SHOP, comment, &text).await;
            }
        }
        self.settle().await;
    }

    /// A person deletes a comment of theirs. GitHub tells of it, GitLab does not.
    pub(crate) async fn delete_comment(&self, person: &str, comment: u64) {
        match self.forge {
            Forge::GitHub => self.github.delete_comment(person, SHOP, comment).await,
            Forge::GitLab => self.gitlab.delete_comment(SHOP, comment).await,
        }
    }

    /// The number of the newest comment that we wrote.
    pub(crate) fn newest_answer(&self) -> u64 {
        let newest = match self.forge {
            Forge::GitHub => self.github.comments().pop().map(|one| one.id),
            Forge::GitLab => self.gitlab.comments().pop().map(|one| one.id),
        };
        newest.unwrap()
    }

    /// The next reaction fails, and is tried again later.
    pub(crate) fn expect_trouble_reacting(&self) {
        let trouble = Trouble::Refuse {
            status: 502,
            headers: Vec::new(),
            message: "Bad Gateway",
        };
        match self.forge {
            Forge::GitHub => self.github.expect_trouble_at("POST", "/reactions", trouble),
            Forge::GitLab => self
                .gitlab
                .expect_trouble_at("POST", "/award_emoji", trouble),
        }
    }

    /// A person points a branch at another commit, whatever was there.
    pub(crate) async fn force_push(&self, branch: &str, sha: &str) {
        match self.forge {
            Forge::GitHub => self.github.force_push(SHOP, branch, sha).await,
            Forge::GitLab => self.gitlab.force_push(SHOP, branch, sha).await,
        }
        self.settle().await;
    }

    pub(crate) async fn delete_branch(&self, branch: &str) {
        match self.forge {
            Forge::GitHub => self.github.delete_branch(SHOP, branch).await,
            Forge::GitLab => self.gitlab.delete_branch(SHOP, branch).await,
        }
        self.settle().await;
    }

    /// A pull request of bob's is closed and not merged.
    pub(crate) async fn close(&self, number: u64) {
        match self.forge {
            Forge::GitHub => self.github.close(SHOP, number, "bob").await,
            Forge::GitLab => self.gitlab.close(SHOP, number, "bob").await,
        }
        self.settle().await;
    }

    /// A pull request of bob's out of a fork; its number and its commit. On GitLab a member of the project lets
    /// a pipeline run for it there, because its own run in the fork.
    pub(crate) async fn open_from_fork(&self) -> (u64, String) {
        let gift = vec![NewCommit::by("bob", "generous")];
        let sha = match self.forge {
            Forge::GitHub => {
                self.github.add_fork(900, FORK, SHOP);
                self.github.push(FORK, "gift", gift).await
            }
            Forge::GitLab => {
                self.gitlab.add_fork(900, FORK, SHOP);
                self.gitlab.push(FORK, "gift", gift).await
            }
        };
        let branch = match self.forge {
            Forge::GitHub => "mallory:gift",
            Forge::GitLab => "mallory/shop:gift",
        };
        let number = self.open_pull_request(branch).await;
        if self.forge == Forge::GitLab {
            let runs = self.gitlab.run_merge_request_pipeline(SHOP, number).await;
            assert!(runs.is_some());
            self.settle().await;
        }
        (number, sha)
    }

    pub(crate) fn delete_fork(&self) {
        match self.forge {
            Forge::GitHub => self.github.delete_repository(FORK),
            Forge::GitLab => self.gitlab.delete_project(FORK),
        }
    }

    /// Every delivery is sent so often.
    pub(crate) fn repeat_each(&self, times: usize) {
        match self.forge {
            Forge::GitHub => self.github.repeat_each(times),
            Forge::GitLab => self.gitlab.repeat_each(times),
        }
    }

    /// How many deliveries are kept back.
    pub(crate) fn held(&self) -> usize {
        match self.forge {
            Forge::GitHub => self.github.held(),
            Forge::GitLab => self.gitlab.held(),
        }
    }

    /// Method and path of every call.
    pub(crate) fn calls(&self) -> Vec<String> {
        match self.forge {
            Forge::GitHub => self.github.calls(),
            Forge::GitLab => self.gitlab.calls(),
        }
    }

    /// The forge lets so many calls come until an hour is over.
    pub(crate) fn leave_calls(&self, calls: u64) {
        let reset = self.shared.clock.now().as_second() + 3_600;
        match self.forge {
            Forge::GitHub => self.github.limit(calls, reset),
            Forge::GitLab => self.gitlab.limit(calls, reset),
        }
    }

    /// How often we changed something on the forge.
    pub(crate) fn changes(&self) -> usize {
        let calls = self.calls().into_iter();
        calls
            .filter(|call| !call.starts_with("GET") && !call.contains("access_tokens"))
            .count()
    }

    /// The next call that starts a release has to wait so long.
    pub(crate) fn hold_start(&self, seconds: u64) {
        self.expect_trouble_at_start(match self.forge {
            Forge::GitHub => Trouble::secondary_limit(Some(seconds)),
            Forge::GitLab => Trouble::too_many(seconds),
        });
    }

    /// The next call that asks about this meets this trouble.
    pub(crate) fn expect_trouble_asking(&self, about: About, trouble: Trouble) {
        let path = about.path(self.forge);
        match self.forge {
            Forge::GitHub => self.github.expect_trouble_at("GET", path, trouble),
            Forge::GitLab => self.gitlab.expect_trouble_at("GET", path, trouble),
        }
    }

    /// What is left of it is over.
    pub(crate) fn forget_trouble(&self) {
        match self.forge {
            Forge::GitHub => self.github.forget_trouble(),
            Forge::GitLab => self.gitlab.forget_trouble(),
        }
    }

    pub(crate) fn trouble_left(&self) -> usize {
        match self.forge {
            Forge::GitHub => self.github.trouble_left(),
            Forge::GitLab => self.gitlab.trouble_left(),
        }
    }

    /// The kind and body of everything that the forge told, oldest first.
    pub(crate) fn told(&self) -> Vec<(String, Value)> {
        match self.forge {
            Forge::GitHub => {
                let sent = self.github.sent().into_iter();
                sent.map(|sent| (sent.event.clone(), sent.body.clone()))
                    .collect()
            }
            Forge::GitLab => {
                let sent = self.gitlab.sent().into_iter();
                sent.map(|sent| (sent.event.clone(), sent.body.clone()))
                    .collect()
            }
        }
    }

    /// A delivery by hand that shows our secret; the status of the answer.
    pub(crate) async fn deliver(&self, event: &str, id: &str, body: &Value) -> u16 {
        let body = body.to_string().into_bytes();
        let headers = match self.forge {
            Forge::GitHub => deliveries::headers(event, id, &body),
            Forge::GitLab => vec![
                ("x-gitlab-event", event.to_owned()),
                ("idempotency-key", id.to_owned()),
                ("x-gitlab-token", SECRET.to_owned()),
                ("content-type", "application/json".to_owned()),
            ],
        };
        let door = match self.forge {
            Forge::GitHub => self.github_door(),
            Forge::GitLab => self.gitlab_door(),
        };
        let mut request = reqwest::Client::new().post(door);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.unwrap();
        self.settle().await;
        answer.status().as_u16()
    }
}
