//! Shipping sends the audit log on, in order and without a gap, once or more: the cursor moves after the place outside
//! has what was sent. Only entries that a signed head covers are sent, and of several processes one sends at a time.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::backoff::pause;
use super::{FALLBACK, Shared};
use crate::evidence::siem::{self, Format};
use crate::metrics::ExportLabels;
use crate::outposts::file;
use crate::outposts::siem::{Collector, NotTaken};
use crate::store::ledger::export::{self, Claim};
use crate::store::{StoreError, ledger};
use countersign_ground::chance;
use countersign_ledger::Whole;

/// Longer than any call takes.
const LEASE: Duration = Duration::from_secs(60);
/// Lines sent in one go, and their bytes.
const MOST_LINES: u32 = 500;
const MOST_BYTES: usize = 1 << 20;

/// Where lines go.
#[derive(Debug)]
pub enum Target {
    File(PathBuf),
    Collector(Box<Collector>),
}

/// One place that gets the log.
#[derive(Debug)]
pub struct Shipping {
    pub shared: Shared,
    /// What the cursor is called.
    pub name: String,
    pub format: Format,
    pub target: Target,
}

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was sent, and there may be more.
    Sent,
    /// There is nothing to send, or another process sends it.
    Idle,
    /// The place outside did not take it; tried again after this time.
    Failed(Duration),
}

/// Lines, and the last entry in them.
struct Batch {
    lines: Vec<u8>,
    last: i64,
}

/// Who looks, and how often it failed in a row.
#[derive(Debug)]
pub struct Sender {
    holder: String,
    failures: u64,
    claim: Option<Claim>,
}

impl Default for Sender {
    fn default() -> Self {
        Self {
            holder: chance::id(),
            failures: 0,
            claim: None,
        }
    }
}

impl Shipping {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut sender = Sender::default();
        while !stop.is_cancelled() {
            // What was under way is sent again by the next sender.
            let step = tokio::select! {
                step = self.step(&mut sender) => step,
                () = stop.cancelled() => break,
            };
            let rest = match step {
                Ok(Step::Sent) => continue,
                Ok(Step::Idle) => FALLBACK,
                Ok(Step::Failed(wait)) => wait,
                Err(error) => {
                    tracing::error!(export = self.name, error = %error, "an export could not work and will try again");
                    FALLBACK
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = stop.cancelled() => {}
            }
        }
        if let Some(claim) = &sender.claim
            && let Err(error) = export::keep(&self.shared.store, claim, Duration::ZERO).await
        {
            tracing::debug!(error = %error, "an export was not given back; its lease runs out");
        }
    }

    /// Sends a little, if there is something to send.
    pub async fn step(&self, sender: &mut Sender) -> Result<Step, StoreError> {
        let store = &self.shared.store;
        let head = ledger::last_checkpoint(store).await?;
        let signed = head.map_or(0, |head| head.size);
        let sent = export::sent(store, &self.name).await?;
        self.measure(sent).await?;
        if sent >= signed {
            return Ok(Step::Idle);
        }
        let Some(claim) = export::claim(store, &self.name, &sender.holder, LEASE).await? else {
            return Ok(Step::Idle);
        };
        sender.claim = Some(claim.clone());
        let Some(batch) = self.batch(claim.sent, signed).await? else {
            return Ok(Step::Idle);
        };
        let last = batch.last;
        if let Err(not_taken) = self.send(batch.lines).await {
            sender.failures += 1;
            let wait = pause(sender.failures, not_taken.wait, chance::fraction());
            tracing::warn!(
                export = self.name,
                error = %not_taken,
                seconds = wait.as_secs(),
                "an export was not taken and will be sent again"
            );
            export::keep(store, &claim, wait + LEASE).await?;
            return Ok(Step::Failed(wait));
        }
        sender.failures = 0;
        let at = self.shared.clock.now();
        if !export::advance(store, &claim, last, at, LEASE).await? {
            return Ok(Step::Idle);
        }
        self.measure(last).await?;
        Ok(Step::Sent)
    }

    async fn send(&self, lines: Vec<u8>) -> Result<(), NotTaken> {
        match &self.target {
            Target::Collector(collector) => collector.post(lines).await,
            Target::File(path) => {
                let appended = file::append(path.clone(), lines).await;
                appended.map_err(|error| NotTaken {
                    why: format!("{} cannot be written: {error}", path.display()),
                    wait: None,
                })
            }
        }
    }

    /// The next lines, none of them left out.
    async fn batch(&self, sent: i64, signed: i64) -> Result<Option<Batch>, StoreError> {
        let store = &self.shared.store;
        let entries = ledger::entries(store, sent, MOST_LINES).await?;
        let Some(newest) = entries.last() else {
            return Ok(None);
        };
        let asides = ledger::asides(store, sent + 1, newest.seq).await?;
        let mut batch = Batch {
            lines: Vec::new(),
            last: sent,
        };
        for entry in entries.iter().take_while(|entry| entry.seq <= signed) {
            let unusable = |why: String| {
                StoreError::Unusable(format!("entry {} of the audit log: {why}", batch.last + 1))
            };
            if entry.seq != batch.last + 1 {
                return Err(unusable("it is missing".to_owned()));
            }
            let start = asides.partition_point(|aside| aside.seq < entry.seq);
            let own = asides.iter().skip(start);
            let own: Vec<_> = own
                .take_while(|aside| aside.seq == entry.seq)
                .map(|aside| aside.aside.clone())
                .collect();
            let whole = Whole::join(&entry.body, &own).map_err(unusable)?;
            let line = siem::line(self.format, &whole, &entry.body, &own);
            let is_full = batch.lines.len() + line.len() >= MOST_BYTES;
            if is_full && !batch.lines.is_empty() {
                break;
            }
            batch.lines.extend_from_slice(line.as_bytes());
            batch.lines.push(b'\n');
            batch.last = entry.seq;
        }
        Ok((batch.last > sent).then_some(batch))
    }

    async fn measure(&self, sent: i64) -> Result<(), StoreError> {
        let size = ledger::size(&self.shared.store).await?;
        let labels = ExportLabels {
            export: self.name.clone(),
        };
        let gauge = self
            .shared
            .metrics
            .export_behind
            .get_or_create_owned(&labels);
        gauge.set(size - sent);
        Ok(())
    }
}
