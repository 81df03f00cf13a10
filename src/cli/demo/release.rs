//! The release: what becomes of it: the message in the channel as it changes, the forge's machines that carry it out,
//! and what is written down meanwhile.

use std::time::Duration;

use super::chat::Posted;
use super::guide::Fact;
use super::look::Seen;
use super::session::Session;
use super::wait::{PATIENCE, until};
use crate::domain::Action;
use crate::store::ledger;
use countersign_ground::clock::later;
use countersign_ledger::Shown;

/// Between two looks at the world.
const LOOK: Duration = Duration::from_millis(20);
/// When nothing has changed for so long, nothing more is expected.
const QUIET: Duration = Duration::from_millis(700);
/// The same where something is expected.
const LONG_QUIET: Duration = Duration::from_secs(5);

impl Session<'_> {
    /// Shows what changes, and lets the forge's machines do their part, until what is expected was seen; or, if
    /// nothing is, until nothing more happens.
    pub(super) async fn follow(&mut self, expected: Option<Fact>) -> anyhow::Result<()> {
        let clock = &self.home.clock;
        let quiet = match (expected, self.rest.is_zero()) {
            (None, _) => QUIET,
            // A person who did something else than was meant is not to wait for long.
            (Some(_), false) => LONG_QUIET,
            (Some(_), true) => PATIENCE,
        };
        let end = later(clock.now(), PATIENCE);
        let mut quiet_after = later(clock.now(), quiet);
        while clock.now() < end {
            if self.notice_changed() {
                self.tell_entries().await?;
                quiet_after = later(clock.now(), quiet);
            }
            let is_under_way = self.machines().await? || self.is_leaving();
            let is_seen = expected.is_some_and(|fact| self.guide.has_seen(fact));
            if !is_under_way && (is_seen || clock.now() > quiet_after) {
                break;
            }
            clock.sleep(LOOK).await;
        }
        self.tell_entries().await
    }

    /// Draws the notice if it says something else by now.
    fn notice_changed(&mut self) -> bool {
        let Some(posted) = self.home.chat.notice() else {
            return false;
        };
        let now = self.home.clock.now();
        let notice = posted.look(now);
        let before = self
            .drawn
            .as_ref()
            .filter(|drawn| drawn.id() == posted.id());
        let before = before.map(|drawn| drawn.look(now));
        if before
            .as_ref()
            .is_some_and(|before| before.news() == notice.news())
        {
            return false;
        }
        let shown = match &before {
            Some(before) => notice.since(before),
            None => notice.clone(),
        };
        self.frame(posted, &shown);
        self.observe(&notice);
        true
    }

    /// What the notice proves.
    fn observe(&mut self, notice: &Seen) {
        let (title, is_again) = (notice.title(), self.guide.has_seen(Fact::ReadyAgain));
        if title.contains("Waiting for approval") {
            self.saw(if is_again {
                Fact::AskedAgain
            } else {
                Fact::Asked
            });
        } else if title.contains("Live") {
            self.saw(Fact::Live);
        } else if title.contains("Failed")
            && notice.says("until an operator has looked")
            && self.home.forge.releases_asked() == self.asked_before
        {
            self.saw(Fact::Held);
        }
    }

    /// Whether the notice says that the release is on its way.
    fn is_leaving(&self) -> bool {
        let notice = self.notice();
        notice.is_some_and(|notice| {
            let title = notice.title();
            title.contains("Deploying") || title.contains("Approved")
        })
    }

    /// The forge's machines take a release up, and it ends well. `true` while they are at work.
    async fn machines(&mut self) -> anyhow::Result<bool> {
        let sha = self.commit()?.sha.clone();
        let forge = &self.home.forge;
        let Some(release) = forge.waiting_release(&sha) else {
            return Ok(false);
        };
        let known = self.words().known;
        until(&self.home.clock, known, async || {
            let entries = self.home.entries(Action::TriggerFound, Some(&sha)).await;
            (!entries.is_empty()).then_some(())
        })
        .await?;
        forge.begin(release).await;
        until(
            &self.home.clock,
            "the channel hears that it deploys",
            async || {
                let entries = self.home.entries(Action::Started, Some(&sha)).await;
                let is_told = self.notice()?.title().contains("Deploying");
                (is_told && !entries.is_empty()).then_some(())
            },
        )
        .await?;
        // A release takes a while.
        for _ in 0..5 {
            if self.notice_changed() {
                self.tell_entries().await?;
            }
            self.pause().await;
        }
        self.home.forge.finish(release).await;
        Ok(true)
    }

    /// What the channel shows about the newest commit.
    pub(super) fn notice(&self) -> Option<Seen> {
        let posted = self.home.chat.notice()?;
        Some(posted.look(self.home.clock.now()))
    }

    /// Shows the whole notice.
    pub(super) fn draw(&mut self) {
        if let Some(posted) = self.home.chat.notice() {
            let notice = posted.look(self.home.clock.now());
            self.frame(posted, &notice);
        }
    }

    /// Shows what is to be seen of a message in the channel, and remembers the message.
    fn frame(&mut self, posted: Posted, shown: &Seen) {
        let title = format!("#releases on {}", self.home.chat.words().chat);
        self.screen.frame(&title, shown);
        self.drawn = Some(posted);
    }

    /// What was written down since the last time, in one line.
    async fn tell_entries(&mut self) -> anyhow::Result<()> {
        let entries = self.new_entries().await?;
        let told: Vec<String> = entries
            .iter()
            .map(|entry| format!("{} {} by {}", entry.seq, entry.frame("action"), entry.who()))
            .collect();
        if !told.is_empty() {
            let text = format!("  written down: {}", told.join(", "));
            self.screen.aside(&text);
        }
        Ok(())
    }

    /// What was written down since the last time.
    pub(super) async fn new_entries(&mut self) -> anyhow::Result<Vec<Shown>> {
        let store = self.home.store();
        let rows = ledger::entries(store, self.told, 100).await?;
        let entries = ledger::shown(store, &rows).await?;
        if let Some(last) = entries.last() {
            self.told = last.seq;
        }
        let requests = entries.iter().filter_map(Shown::request);
        self.request = requests.max().unwrap_or(self.request);
        Ok(entries)
    }
}
