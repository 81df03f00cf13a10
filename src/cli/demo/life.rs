//! A commit's life up to the moment when it is ready, and the machines that carry it there: what people and
//! machines do happens on the small forge, and each step counts when the service has written it down.

use anyhow::{Context as _, anyhow, bail};

use super::chat::Heard;
use super::forge::Stage;
use super::home::Home;
use super::people::{ANN, BOB};
use super::session::Session;
use super::wait::until;
use crate::domain::Action;

/// What bob works on, one after the other.
const CHANGES: [&str; 4] = [
    "Sell twice as fast",
    "Show the price with its tax",
    "Remember the basket",
    "Greet people by their name",
];

impl Session<'_> {
    /// A commit begins its life, and is ready at the end.
    pub(super) async fn life(&mut self) -> anyhow::Result<()> {
        let home = self.home;
        let is_first = self.commits.is_empty();
        self.screen.heading("A commit's life");
        self.push().await?;
        let change = self.commit()?.change;
        if is_first {
            let (linked, passed) = tokio::join!(link_ann(home, change), self.stages());
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

    /// Bob writes a change and merges it.
    async fn push(&mut self) -> anyhow::Result<()> {
        let (forge, words) = (&self.home.forge, self.words());
        let number = self.commits.len();
        let title = match CHANGES.get(number) {
            Some(title) => (*title).to_owned(),
            None => format!("Change {}", number + 1),
        };
        let commit = forge.merge(&BOB, &title).await;
        let commit = commit.context("main has a commit")?;
        until(&self.home.clock, "the push was delivered", async || {
            forge.has_told_of(&commit).then_some(())
        })
        .await?;
        let what = format!(
            "pushed: bob merged {}{}, \"{title}\": {}",
            words.in_brief,
            commit.change,
            commit.short()
        );
        self.commits.push(commit);
        self.tick(&what, "on disk, and answered");
        self.pause().await;
        Ok(())
    }

    async fn stages(&mut self) -> anyhow::Result<()> {
        let sha = self.commit()?.sha.clone();
        for stage in Stage::ALL {
            let what = self.home.forge.pass(stage, &sha).await;
            self.passed(stage.name(), what).await?;
        }
        Ok(())
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

/// Ann shows on the forge, and says in the chat, that she is one person.
async fn link_ann(home: &Home, change: u64) -> anyhow::Result<i64> {
    let Home {
        clock, forge, chat, ..
    } = home;
    let words = chat.words();
    until(clock, words.connected, async || {
        chat.is_connected().then_some(())
    })
    .await?;
    let Heard::Yes(answer) = chat.say(&ANN, words.link).await else {
        bail!("{} shows no answer to {}", words.chat, words.link);
    };
    let code = until(clock, "a code to link ann's accounts", async || {
        let answer = chat.answer(&ANN, answer)?;
        code_in(&answer.look(clock.now()).lines.join("\n"))
    })
    .await?;
    let shown = forge.comment(&ANN, change, &format!("/link {code}")).await;
    shown.map_err(|problem| anyhow!(problem))?;
    let what = format!("{} asks whether that was ann", words.chat);
    until(clock, &what, async || chat.agree(&ANN).await).await?;
    until(clock, "ann's accounts are linked", async || {
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
