//! A commit's life up to the moment when it is ready, and the machines that carry it there: what people and
//! machines do happens on the small GitHub, and each step counts when the service has written it down.

use anyhow::Context as _;

use super::home::{CHANNEL, Home, SHOP};
use super::people::{ANN, BOB};
use super::session::Session;
use super::wait::until;
use crate::domain::Action;
use crate::domain::command::definitions;
use countersign_sandbox::discord::GUILD;
use countersign_sandbox::github::NewCommit;

/// What bob works on, one after the other.
const CHANGES: [&str; 4] = [
    "Sell twice as fast",
    "Show the price with its tax",
    "Remember the basket",
    "Greet people by their name",
];

/// A commit that is under way.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) pull_request: u64,
}

impl Commit {
    pub(super) fn short(&self) -> &str {
        self.sha.get(..7).unwrap_or(&self.sha)
    }
}

impl Session<'_> {
    /// A commit begins its life, and is ready at the end.
    pub(super) async fn life(&mut self) -> anyhow::Result<()> {
        let home = self.home;
        let is_first = self.commits.is_empty();
        self.screen.heading("A commit's life");
        self.push().await?;
        let pull_request = self.commit()?.pull_request;
        if is_first {
            let (linked, passed) = tokio::join!(link_ann(home, pull_request), self.stages());
            passed?;
            let entry = linked?;
            let what = "linked: ann showed that both her accounts are hers";
            self.tick(what, &noted(entry, Action::IdentityLinked));
        } else {
            self.stages().await?;
        }
        let sha = self.commit()?.sha.clone();
        let seq = self.recorded(Action::CandidateReady, None).await?;
        until(&home.clock, "a notice says that it is ready", async || {
            let notice = self.notice()?;
            let is_about = notice.says(sha.get(..7)?) && notice.title().contains("Ready");
            is_about.then_some(())
        })
        .await?;
        self.tick(
            "ready, and the channel was told",
            &noted(seq, Action::CandidateReady),
        );
        self.draw();
        // Each step has said where it is written down.
        self.new_entries().await?;
        Ok(())
    }

    /// Bob opens a pull request and merges it.
    async fn push(&mut self) -> anyhow::Result<()> {
        let github = &self.home.github;
        let number = self.commits.len();
        let title = match CHANGES.get(number) {
            Some(title) => (*title).to_owned(),
            None => format!("Change {}", number + 1),
        };
        let branch = title.to_lowercase().replace(' ', "-");
        let head = github.head(SHOP, "main").context("main has a commit")?;
        github.set_branch(SHOP, &branch, &head);
        let commit = NewCommit::by(BOB.name, &title).touching(["src/shop.rs"]);
        github.push(SHOP, &branch, vec![commit]).await;
        let pull_request = github
            .open_pull_request(SHOP, BOB.name, &branch, "main")
            .await;
        let sha = github.merge(SHOP, pull_request, BOB.name).await;
        until(&self.home.clock, "the push was delivered", async || {
            let pushed = |sent: &std::sync::Arc<countersign_sandbox::github::Sent>| {
                sent.event == "push" && sent.body["after"] == sha.as_str()
            };
            let sent = github.sent().into_iter().rev().find(pushed)?;
            let mut answered = github.deliveries().into_iter();
            answered.find(|(guid, status)| *guid == sent.delivery && status == "OK")
        })
        .await?;
        let commit = Commit { sha, pull_request };
        let what = format!(
            "pushed: bob merged pull request {pull_request}, \"{title}\": {}",
            commit.short()
        );
        self.commits.push(commit);
        self.tick(&what, "on disk, and answered");
        self.pause().await;
        Ok(())
    }

    async fn stages(&mut self) -> anyhow::Result<()> {
        let github = &self.home.github;
        let sha = self.commit()?.sha.clone();
        let done = ("completed", Some("success"));
        for (name, what) in [("build", "built"), ("test", "tested")] {
            github
                .check_run(SHOP, &sha, (name, "github-actions"), done)
                .await;
            self.passed(name, &format!("{what}: the check `{name}` is green"))
                .await?;
        }
        let staging = github.deploy(SHOP, &sha, "staging", BOB.name).await;
        let runs = github.runs_of(&sha, "deployment");
        for run in &runs {
            github.run_moves(*run, "completed", Some("success")).await;
        }
        self.runs.extend(runs);
        github.deployment_status(staging, "success").await;
        self.passed("staging", "staged: it was deployed to staging")
            .await?;
        let regression = github.run(SHOP, "regression.yml", &sha, "push").await;
        github
            .run_moves(regression, "completed", Some("success"))
            .await;
        self.passed("regression", "regression: the workflow is green")
            .await
    }

    /// A stage counts when the service has written it down.
    async fn passed(&mut self, stage: &str, what: &str) -> anyhow::Result<()> {
        let seq = self.recorded(Action::StagePassed, Some(stage)).await?;
        self.tick(what, &noted(seq, Action::StagePassed));
        self.pause().await;
        Ok(())
    }

    /// The number of the entry about the commit, once it is there.
    async fn recorded(&self, action: Action, stage: Option<&str>) -> anyhow::Result<i64> {
        let home = self.home;
        let sha = self.commit()?.sha.clone();
        let what = match stage {
            Some(stage) => format!("{} {stage}", action.as_str()),
            None => action.as_str().to_owned(),
        };
        until(&home.clock, &what, async || {
            let entries = home.entries(action, Some(&sha)).await;
            let found = entries
                .iter()
                .find(|entry| stage.is_none() || entry.text("stage") == stage);
            found.map(|entry| entry.seq)
        })
        .await
    }
}

/// Ann shows on GitHub, and says on Discord, that she is one person.
async fn link_ann(home: &Home, pull_request: u64) -> anyhow::Result<i64> {
    let discord = &home.discord;
    until(&home.clock, "Discord knows the commands", async || {
        let known = discord.commands(Some(GUILD)).len();
        (known == definitions().len()).then_some(())
    })
    .await?;
    let seen = discord.slash(ANN.on_discord, CHANNEL, "link", &[]).await;
    let asked = seen.message().context("Discord shows no answer to /link")?;
    let code = until(&home.clock, "a code to link ann's accounts", async || {
        code_in(&discord.message(asked.id)?.content)
    })
    .await?;
    let github = &home.github;
    github
        .comment(ANN.name, SHOP, pull_request, &format!("/link {code}"))
        .await;
    let (message, button) = until(
        &home.clock,
        "Discord asks whether that was ann",
        async || {
            let question = discord.ephemeral_for(ANN.on_discord).pop()?;
            let id = question.buttons().next()?["custom_id"].as_str()?.to_owned();
            Some((question.id, id))
        },
    )
    .await?;
    discord.click(ANN.on_discord, message, &button).await;
    until(&home.clock, "ann's accounts are linked", async || {
        let entries = home.entries(Action::IdentityLinked, None).await;
        entries.first().map(|entry| entry.seq)
    })
    .await
}

/// The code behind `/link` in an answer.
fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/link ")?;
    let code: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    (!code.is_empty()).then_some(code)
}

/// Where something is written down.
fn noted(seq: i64, action: Action) -> String {
    format!("entry {seq}: {}", action.as_str())
}
