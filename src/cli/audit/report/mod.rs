//! `audit report`: reads a period out of the log in pieces, folds it, and writes the evidence down.

mod csv;
mod html;
mod table;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::cli::{ConfigFile, EXIT_INVALID, complain, open, progress, say};
use crate::domain::Action;
use crate::evidence::report::{Report, Scope};
use crate::store::Store;
use crate::store::ledger::{self, Checkpoint, Stored, StoredAside};
use countersign_ground::clock::Clock;
use countersign_ledger::Whole;

/// Entries read in one go.
const PIECE: u32 = 500;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportLine {
    #[command(flatten)]
    file: ConfigFile,
    /// The first day, like 2026-01-01, or a time, like 2026-01-01T09:00:00Z; days are of UTC
    #[arg(long, value_name = "DATE", value_parser = first)]
    from: Timestamp,
    /// The last day, which belongs to the period, or the time before which it ends
    #[arg(long, value_name = "DATE", value_parser = end)]
    to: Timestamp,
    /// Only this service
    #[arg(long)]
    service: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// Where to write it, instead of here
    #[arg(long = "file", short = 'f', value_name = "FILE")]
    target: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Table,
    Csv,
    Html,
}

/// A report with what only the store and the clock know.
struct Evidence {
    report: Report,
    /// The name of the log, if it has entries in the period.
    log: Option<String>,
    /// The first signed head that covers everything in the report.
    head: Option<Checkpoint>,
    made_at: Timestamp,
}

pub(in crate::cli) async fn run(line: &ReportLine) -> anyhow::Result<ExitCode> {
    if line.from >= line.to {
        complain("error: the period ends before it begins: `--from` is the earlier one");
        return Ok(ExitCode::from(EXIT_INVALID));
    }
    let Some(store) = open::configured_store(&line.file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let scope = Scope {
        from: line.from,
        to: line.to,
        service: line.service.clone(),
    };
    let evidence = progress::shown("reading the audit log", read(&store, scope)).await?;
    store.close().await;
    let text = match line.output {
        Output::Table => table::render(&evidence),
        Output::Csv => csv::render(&evidence.report),
        Output::Html => html::render(&evidence),
    };
    match &line.target {
        None => say(text.trim_end_matches(['\r', '\n'])),
        Some(path) => {
            std::fs::write(path, text)
                .with_context(|| format!("{} cannot be written", path.display()))?;
            let reading = &evidence.report.reading;
            complain(&format!(
                "wrote {}: {} deploys, out of {} entries",
                path.display(),
                evidence.report.totals.deploys,
                reading.entries
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(store: &Store, scope: Scope) -> anyhow::Result<Evidence> {
    // What is appended while we read belongs to the next report.
    let size = ledger::size(store).await?;
    let mut report = Report::new(scope.clone());
    let mut log = None;
    if let Some((first, last)) = ledger::bounds(store, scope.from, scope.to).await? {
        let (mut after, last) = (first - 1, last.min(size));
        while after < last {
            let entries = ledger::entries(store, after, PIECE).await?;
            let Some(newest) = entries.last().map(|entry| entry.seq) else {
                bail!(
                    "entry {} is missing: run `countersign audit verify`",
                    after + 1
                );
            };
            let asides = ledger::asides(store, after + 1, newest).await?;
            for entry in entries.iter().filter(|entry| entry.seq <= last) {
                after += 1;
                if entry.seq != after {
                    bail!("entry {after} is missing: run `countersign audit verify`");
                }
                let whole = join(entry, &asides)?;
                log.get_or_insert_with(|| whole.log.clone());
                report.take(&whole);
            }
        }
    }
    for request in report.requests() {
        let mut story = Vec::new();
        for entry in ledger::of_request(store, request).await? {
            if entry.seq > size {
                continue;
            }
            // Only who asked lies aside; the rest of the story stands in the entries.
            let asides = if entry.action == Action::Requested.as_str() {
                ledger::asides(store, entry.seq, entry.seq).await?
            } else {
                Vec::new()
            };
            story.push(join(&entry, &asides)?);
        }
        report.tell(request, &story);
    }
    let report = report.finished();
    let head = if report.reading.newest > 0 {
        ledger::checkpoint_after(store, report.reading.newest - 1).await?
    } else {
        None
    };
    Ok(Evidence {
        report,
        log,
        head,
        made_at: Clock::system().now(),
    })
}

fn join(entry: &Stored, asides: &[StoredAside]) -> anyhow::Result<Whole> {
    let start = asides.partition_point(|aside| aside.seq < entry.seq);
    let own = asides.iter().skip(start);
    let own: Vec<_> = own
        .take_while(|aside| aside.seq == entry.seq)
        .map(|aside| aside.aside.clone())
        .collect();
    Whole::join(&entry.body, &own).map_err(|why| {
        anyhow::anyhow!(
            "entry {} cannot be used: {why}; run `countersign audit verify`",
            entry.seq
        )
    })
}

fn first(text: &str) -> Result<Timestamp, String> {
    time(text).map(|(time, _)| time)
}

/// A day is meant as a whole.
fn end(text: &str) -> Result<Timestamp, String> {
    let (time, is_day) = time(text)?;
    let length = SignedDuration::from_hours(if is_day { 24 } else { 0 });
    time.checked_add(length)
        .map_err(|_| "this is too far away".to_owned())
}

fn time(text: &str) -> Result<(Timestamp, bool), String> {
    if let Ok(time) = text.parse() {
        return Ok((time, false));
    }
    let midnight = format!("{text}T00:00:00Z").parse();
    midnight
        .map(|time| (time, true))
        .map_err(|_| "write a day like 2026-01-31 or a time like 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_belongs_to_the_period() {
        let check = |text: &str, from: &str, to: &str| {
            assert_eq!(first(text).unwrap().to_string(), from);
            assert_eq!(end(text).unwrap().to_string(), to);
        };
        check("2026-02-28", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z");
        let time = "2026-02-28T10:00:00Z";
        check(time, time, time);
        for wrong in ["", "2026-02-30", "28.02.2026", "2026-02", "yesterday"] {
            assert!(first(wrong).is_err(), "{wrong}");
        }
    }

    const EVIL: &str = "=<script>alert(\"1\"),\u{202e}</script>";

    fn evil() -> Evidence {
        use crate::evidence::report::{Approver, Deploy, End, Gate, Unexplained, Who};

        let at = Timestamp::UNIX_EPOCH;
        let who = Who {
            person: "github:7".to_owned(),
            name: Some(EVIL.to_owned()),
        };
        let erased = Who {
            name: None,
            ..who.clone()
        };
        let mut report = Report::new(Scope {
            from: at,
            to: Timestamp::MAX,
            service: None,
        });
        report.deploys.push(Deploy {
            seq: 3,
            request: 1,
            attempt: 1,
            service: EVIL.to_owned(),
            environment: EVIL.to_owned(),
            sha: "a".repeat(40),
            kind: "deploy".to_owned(),
            requester: Some(who.clone()),
            approvers: vec![Approver {
                who: erased,
                roles: vec!["deployer".to_owned()],
                rules: None,
                at: at.to_string(),
            }],
            gates: vec![Gate {
                name: EVIL.to_owned(),
                conclusions: vec![EVIL.to_owned()],
            }],
            commits: vec!["b".repeat(40)],
            titles: Some(vec![EVIL.to_owned()]),
            policy: "p".to_owned(),
            trigger: EVIL.to_owned(),
            requested: Some(at),
            approved: Some(at.to_string()),
            triggered: at,
            started: None,
            ended: None,
            end: End::Open,
            url: EVIL.to_owned(),
        });
        report.unexplained.push(Unexplained {
            seq: 4,
            at,
            service: EVIL.to_owned(),
            environment: EVIL.to_owned(),
            sha: EVIL.to_owned(),
            what: EVIL.to_owned(),
            by: Some(EVIL.to_owned()),
        });
        Evidence {
            report: report.finished(),
            log: None,
            head: None,
            made_at: at,
        }
    }

    #[test]
    fn what_came_from_outside_stays_text() {
        let evidence = evil();
        let page = html::render(&evidence);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("=&lt;script&gt;alert(&quot;1&quot;),&lt;/script&gt;"));
        assert!(page.contains("erased (github:7) as deployer (erased)"));
        let rows = csv::render(&evidence.report);
        assert!(rows.contains(",\"'=<script>alert(\"\"1\"\"),"), "{rows}");
        for cell in [",=", "\n=", ",\"="] {
            assert!(!rows.contains(cell), "{rows}");
        }
        let table = table::render(&evidence);
        assert!(!table.contains('\u{202e}'));
        assert!(table.contains("no operator dropped or retried a call"));
    }
}
