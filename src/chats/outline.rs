//! Outlines: what a notice says, in the order in which people want to know it; the words are the same in every chat.
//! Everything from outside is already one visible line, and is escaped by the chat that writes it.

use super::outside::{one_line, shortened};
use super::text::{Line, Span, Spelling, lines, spans};
use crate::domain::text::Text;
use crate::domain::{Button, Forge, GateShown, Mood, News, Notice, Shipped, StageShown};

/// How much of a commit's title is shown.
const TITLE: usize = 120;
/// How much of a name is shown.
const NAME: usize = 60;
/// How many commits are listed.
const COMMITS: usize = 10;
/// How many people a commit names.
const PEOPLE: usize = 3;

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) mood: Mood,
    /// With the symbol of its mood.
    pub(super) title: String,
    /// How far it is, and which commit it is about.
    pub(super) state: Vec<Line>,
    pub(super) sections: Vec<Section>,
    pub(super) footer: Option<String>,
    pub(super) buttons: Vec<Button>,
}

/// A part with a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) lines: Vec<Line>,
}

impl Outline {
    /// In words, with commands as they are written in a chat.
    pub(super) fn of(notice: &Notice, anchor: Option<&str>, command: Spelling) -> Self {
        let mood = notice.news.mood();
        let mut state = standing(notice, command);
        state.push(commit(notice));
        let sections = [
            Section {
                name: "In the way",
                lines: obstacles(&notice.news, command),
            },
            Section {
                name: "What ships",
                lines: ships(notice, command),
            },
            Section {
                name: "Passed",
                lines: notice.stages.iter().flat_map(stage).collect(),
            },
            Section {
                name: "Who can approve",
                lines: who(notice, command),
            },
        ];
        Self {
            mood,
            title: format!(
                "{} {}: {} → {}",
                mood.symbol, mood.word, notice.service, notice.environment
            ),
            state,
            sections: sections
                .into_iter()
                .filter(|section| section.lines.iter().any(|line| !line.is_blank()))
                .collect(),
            footer: anchor.map(|anchor| format!("log {}", shortened(&one_line(anchor), 120))),
            buttons: notice.buttons(),
        }
    }
}

/// How far it is.
fn standing(notice: &Notice, command: Spelling) -> Vec<Line> {
    let numbered = |request: u64| Span::bold(format!("#{request}"));
    match &notice.news {
        News::Ready => vec![Line::plain(vec![Span::plain(
            "Everything before it is green. Nobody has asked for it yet.",
        )])],
        News::Waiting {
            request,
            filled,
            needed,
            missing,
            expires_at,
            ..
        } => {
            let mut first = vec![
                numbered(*request),
                Span::plain(format!(" has {filled} of {needed} approvals.")),
            ];
            if filled < needed {
                first.push(Span::plain(" It expires "));
                first.push(Span::Away(*expires_at));
                first.push(Span::plain("."));
            }
            let mut lines = vec![Line::plain(first)];
            lines.extend(led("Missing: ", missing, command));
            lines
        }
        News::Deploying { request, url } => vec![Line::plain(vec![
            numbered(*request),
            Span::plain(" is under way"),
            Span::plain(if url.is_empty() { "." } else { ": " }),
            run(url),
        ])],
        News::Unclear { request } => vec![Line::plain(vec![
            numbered(*request),
            Span::plain(
                " may have started: the answer to its trigger was lost. Countersign is looking for it.",
            ),
        ])],
        News::Live {
            request,
            url,
            since,
            took_seconds,
        } => {
            let mut spans = vec![
                numbered(*request),
                Span::plain(" went live "),
                Span::Away(*since),
            ];
            if let Some(seconds) = took_seconds {
                spans.push(Span::plain(format!(", after {}", lasted(*seconds))));
            }
            spans.push(Span::plain(if url.is_empty() { "." } else { ": " }));
            spans.push(run(url));
            vec![Line::plain(spans)]
        }
        News::Failed { request, url, why } => {
            let mut lines: Vec<Line> = led(&format!("#{request} failed: "), why, command)
                .into_iter()
                .collect();
            if lines.is_empty() {
                lines.push(Line::plain(vec![Span::plain(format!(
                    "#{request} failed."
                ))]));
            }
            if !url.is_empty() {
                lines.push(Line::plain(vec![run(url)]));
            }
            lines
        }
        News::Over { request, how, why } => {
            let said = led(
                &format!("#{request} is over, {}: ", how.word()),
                why,
                command,
            );
            let bare = || {
                let text = format!("#{request} is over: {}.", how.word());
                Line::plain(vec![Span::plain(text)])
            };
            vec![said.unwrap_or_else(bare)]
        }
        News::Overtaken { by } => vec![Line::plain(vec![
            Span::code(by.short()),
            Span::plain(" is newer, and ready."),
        ])],
        News::Withdrawn { why } | News::Dismissed { why } => vec![Line::plain(spans(why, command))],
    }
}

/// A text behind some words.
fn led(words: &str, text: &Text, command: Spelling) -> Option<Line> {
    let mut line = Line::plain(spans(text, command));
    line.spans.insert(0, Span::plain(words));
    (!text.is_empty()).then_some(line)
}

fn run(url: &str) -> Span {
    if url.is_empty() {
        return Span::plain("");
    }
    Span::link("the run", url)
}

/// The commit itself.
fn commit(notice: &Notice) -> Line {
    let mut spans = vec![
        Span::link(notice.sha.short(), &notice.url),
        Span::plain(" "),
        Span::plain(title(&notice.title)),
    ];
    if notice.news == News::Ready {
        spans.push(Span::plain(" · seen "));
        spans.push(Span::Away(notice.seen_at));
    }
    Line::plain(spans)
}

fn obstacles(news: &News, command: Spelling) -> Vec<Line> {
    match news {
        News::Waiting { obstacles, .. } => lines(obstacles, command),
        News::Ready
        | News::Deploying { .. }
        | News::Unclear { .. }
        | News::Live { .. }
        | News::Failed { .. }
        | News::Over { .. }
        | News::Overtaken { .. }
        | News::Withdrawn { .. }
        | News::Dismissed { .. } => Vec::new(),
    }
}

/// What would reach the environment, or did.
fn ships(notice: &Notice, command: Spelling) -> Vec<Line> {
    let ships = &notice.ships;
    let Some(since) = &ships.since else {
        let text = "Nothing is live yet, so there is nothing to compare with.";
        return vec![Line::plain(vec![Span::plain(text)])];
    };
    let mut lines = Vec::new();
    if let Some(why) = &ships.unclear {
        lines.extend(led("What ships could not be found out: ", why, command));
    } else if ships.commits.is_empty() {
        lines.push(Line::plain(vec![Span::plain("No commit of this service.")]));
    }
    // The newest are last, and are what people look for.
    let hidden = ships.commits.len().saturating_sub(COMMITS);
    let forge = notice.repository.forge();
    let shown = ships.commits.iter().skip(hidden);
    lines.extend(shown.map(|commit| shipped(forge, commit)));
    let more = ships
        .more
        .saturating_add(u64::try_from(hidden).unwrap_or(u64::MAX));
    if more > 0 || ships.is_partial {
        let text = match (more, ships.is_partial) {
            (0, _) => "and perhaps more".to_owned(),
            (more, false) => format!("and {more} more"),
            (more, true) => format!("and at least {more} more"),
        };
        lines.push(Line::item(0, vec![Span::plain(text)]));
    }
    let mut compare = vec![Span::plain("since "), Span::code(since.short())];
    if let Some(url) = &ships.compare {
        compare.push(Span::plain(" · "));
        compare.push(Span::link("compare", url));
    }
    lines.push(Line::plain(compare));
    lines
}

fn shipped(forge: Forge, commit: &Shipped) -> Line {
    let mark = forge.mark_of_pull_request();
    let named = commit.pull_request.as_ref();
    let mut words = commit.title.as_str();
    if let Some((number, _)) = named {
        // The link says it already.
        let tail = format!("({mark}{number})");
        words = words.trim_end().strip_suffix(&tail).unwrap_or(words);
    }
    let mut spans = vec![
        Span::code(commit.sha.short()),
        Span::plain(" "),
        Span::plain(title(words)),
    ];
    if let Some((number, url)) = named {
        spans.push(Span::plain(" "));
        spans.push(Span::link(format!("{mark}{number}"), url));
    }
    if !commit.by.is_empty() {
        let named = commit.by.iter().take(PEOPLE);
        let mut people: Vec<String> = named.map(|name| shortened(&one_line(name), NAME)).collect();
        if commit.by.len() > PEOPLE {
            people.push("…".to_owned());
        }
        spans.push(Span::plain(format!(" by {}", people.join(", "))));
    }
    Line::item(0, spans)
}

/// A stage that the commit passed, and by which gates.
fn stage(stage: &StageShown) -> Vec<Line> {
    let mut first = vec![Span::bold(shortened(&one_line(&stage.name), NAME))];
    if let Some(since) = stage.since {
        first.push(Span::plain(" turned green "));
        first.push(Span::Away(since));
    }
    if let Some(soak) = &stage.soak {
        let soak = shortened(&one_line(soak), NAME);
        first.push(Span::plain(format!(" and stayed so for {soak}")));
    }
    let mut lines = vec![Line::item(0, first)];
    lines.extend(stage.gates.iter().map(gate));
    lines
}

fn gate(gate: &GateShown) -> Line {
    let name = shortened(&one_line(&gate.name), NAME);
    let mut spans = vec![Span::plain("✅ "), Span::link(name, &gate.url)];
    if let Some(at) = gate.at {
        spans.push(Span::plain(" "));
        spans.push(Span::Away(at));
    }
    Line::item(1, spans)
}

/// Who can approve, while an approval is still needed.
fn who(notice: &Notice, command: Spelling) -> Vec<Line> {
    match &notice.news {
        News::Ready | News::Waiting { .. } => vec![Line::plain(spans(&notice.who, command))],
        News::Deploying { .. }
        | News::Unclear { .. }
        | News::Live { .. }
        | News::Failed { .. }
        | News::Over { .. }
        | News::Overtaken { .. }
        | News::Withdrawn { .. }
        | News::Dismissed { .. } => Vec::new(),
    }
}

pub(super) fn title(text: &str) -> String {
    shortened(&one_line(text), TITLE)
}

/// A length of time, as people say it.
fn lasted(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chats::sample;
    use crate::domain::text::text;

    #[test]
    fn a_part_that_says_nothing_is_left_out() {
        let mut notice = sample::notice(News::Ready);
        notice.who = text!["\u{200b}"];
        let outline = Outline::of(&notice, None, str::to_owned);
        let names: Vec<_> = outline.sections.iter().map(|s| s.name).collect();
        assert!(!names.contains(&"Who can approve"), "{names:?}");
    }

    #[test]
    fn a_pull_request_is_written_as_on_its_forge() {
        for (forge, mark) in [(Forge::GitHub, '#'), (Forge::GitLab, '!')] {
            let commit = Shipped {
                sha: sample::sha('a'),
                title: format!("Sell more ({mark}12)"),
                by: Vec::new(),
                pull_request: Some((12, "https://forge.example/12".to_owned())),
            };
            let line = shipped(forge, &commit);
            assert_eq!(line.spans[2], Span::plain("Sell more"));
            let link = Span::link(format!("{mark}12"), "https://forge.example/12");
            assert_eq!(line.spans.last(), Some(&link));
        }
    }

    #[test]
    fn lengths_of_time_read_well() {
        for (seconds, expect) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (252, "4 min 12 s"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"),
        ] {
            assert_eq!(lasted(seconds), expect);
        }
    }
}
