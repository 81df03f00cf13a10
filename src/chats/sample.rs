//! Notices for the tests of both chats: every state, a hostile one, and any at all. And the files in `docs/`
//! that show what a notice looks like.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::domain::text::{Message, Text, code, named, strong, text};
use crate::domain::{
    Ended, Forge, GateShown, News, Notice, Repository, RepositoryId, Sha, Shipped, Ships,
    StageShown,
};

/// What an attacker would write to be seen by the whole server.
pub(super) const HOSTILE: &[&str] = &[
    "@everyone @here <@1> <@&2> <#3> <!channel> <!here> <!subteam^S1> <@U1>",
    "**bold** _it_ *b* ~~s~~ `c` ||spoiler|| > quote\n# Heading\n- item",
    "[click](https://evil.example) <https://evil.example|click> https://evil.example",
    "\u{202e}gnp.exe\u{202c} \u{2067}x\u{2069} a\u{200b}b\u{feff} :white_check_mark: :x:",
    "</deploy:1> <t:0:R> <:a:1> <id:browse> \\` \\* &lt;!channel&gt; &amp;",
];

pub(super) fn sha(digit: char) -> Sha {
    digit.to_string().repeat(40).parse().unwrap()
}

/// One text as a whole message.
pub(super) fn said(words: &str) -> Message {
    Text::from(words).into()
}

/// So many lines of a list.
pub(super) fn lines(many: usize) -> Message {
    let mut message = Message::default();
    for _ in 0..many {
        message.item(0, "a line of text");
    }
    message
}

fn maintainers(people: &[&str]) -> Text {
    let people = Text::joined(people.iter().map(|one| named(one)), ", ");
    text!["1 × ", code("maintainers"), ": ", people]
}

fn locked() -> Message {
    let prod = strong("prod");
    let mut message = Message::default();
    message.item(0, text!["❌ ", prod.clone(), " is closed"]);
    let by = text![" is locked by ", named("ann"), ": ", code("a sale")];
    message.item(1, text!["❌ ", prod, by]);
    message
}

/// Every state, by its word.
pub(super) fn every_news() -> Vec<(&'static str, News)> {
    let url = "https://github.com/acme/shop/actions/runs/77".to_owned();
    let over = |how| News::Over {
        request: 42,
        how,
        why: text![named("ann"), " said no: ", code("too late")],
    };
    vec![
        ("ready", News::Ready),
        (
            "waiting",
            News::Waiting {
                request: 42,
                filled: 1,
                needed: 2,
                missing: maintainers(&["bob", "cyd"]),
                expires_at: "2026-01-31T18:30:00Z".parse().unwrap(),
                obstacles: Message::default(),
            },
        ),
        (
            "blocked",
            News::Waiting {
                request: 42,
                filled: 2,
                needed: 2,
                missing: Text::default(),
                expires_at: "2026-01-31T18:30:00Z".parse().unwrap(),
                obstacles: locked(),
            },
        ),
        (
            "deploying",
            News::Deploying {
                request: 42,
                url: url.clone(),
            },
        ),
        ("unclear", News::Unclear { request: 42 }),
        (
            "live",
            News::Live {
                request: 42,
                url: url.clone(),
                since: "2026-01-31T14:34:12Z".parse().unwrap(),
                took_seconds: Some(252),
            },
        ),
        (
            "failed",
            News::Failed {
                request: 42,
                url,
                why: text!["the run ended with ", code("failure")],
            },
        ),
        ("cancelled", over(Ended::Cancelled)),
        ("rejected", over(Ended::Rejected)),
        ("expired", over(Ended::Expired)),
        ("superseded", over(Ended::Superseded)),
        ("voided", over(Ended::Voided)),
        ("overtaken", News::Overtaken { by: sha('d') }),
        (
            "withdrawn",
            News::Withdrawn {
                why: "One of its stages is no longer green.".into(),
            },
        ),
        (
            "dismissed",
            News::Dismissed {
                why: text![named("ann"), " said no: ", code("not on a Friday")],
            },
        ),
    ]
}

pub(super) fn notice(news: News) -> Notice {
    let commit = |digit: char, title: &str, by: &[&str], number: Option<u64>| Shipped {
        sha: sha(digit),
        title: title.to_owned(),
        by: by.iter().map(|name| (*name).to_owned()).collect(),
        pull_request: number.map(|number| {
            (
                number,
                format!("https://github.com/acme/shop/pull/{number}"),
            )
        }),
    };
    Notice {
        number: 7,
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        repository: Repository {
            id: RepositoryId::on(Forge::GitHub, 1),
            path: "acme/shop".to_owned(),
            installation: Some(5),
        },
        sha: sha('a'),
        title: "Sell more (#12)".to_owned(),
        url: format!("https://github.com/acme/shop/commit/{}", sha('a')),
        seen_at: "2026-01-31T14:00:00Z".parse().unwrap(),
        ships: Ships {
            since: Some(sha('b')),
            commits: vec![
                commit('c', "Count what is sold", &["cyd", "bob"], None),
                commit('a', "Sell more (#12)", &["ann"], Some(12)),
            ],
            more: 3,
            is_partial: false,
            compare: Some("https://github.com/acme/shop/compare/b...a".to_owned()),
            unclear: None,
        },
        stages: vec![StageShown {
            name: "staging".to_owned(),
            soak: Some("30m".to_owned()),
            since: Some("2026-01-31T13:30:00Z".parse().unwrap()),
            gates: vec![GateShown {
                name: "check:build".to_owned(),
                at: Some("2026-01-31T13:20:00Z".parse().unwrap()),
                url: "https://github.com/acme/shop/runs/9".to_owned(),
            }],
        }],
        who: maintainers(&["ann", "bob", "cyd"]),
        news,
    }
}

/// A notice in which everything that comes from outside is hostile.
pub(super) fn hostile(text: &str, news: News) -> Notice {
    let mut notice = notice(news);
    notice.title = text.to_owned();
    notice.url = text.to_owned();
    for commit in &mut notice.ships.commits {
        commit.title = text.to_owned();
        commit.by = vec![text.to_owned(); 4];
        commit.pull_request = Some((12, text.to_owned()));
    }
    notice.ships.compare = Some(text.to_owned());
    for stage in &mut notice.stages {
        stage.name = text.to_owned();
        stage.soak = Some(text.to_owned());
        for gate in &mut stage.gates {
            gate.name = text.to_owned();
            gate.url = text.to_owned();
        }
    }
    notice.who = text!["1 × ", code(text)];
    notice
}

/// A text of any kind and length.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned);
    let piece = prop_oneof![
        "\\PC{0,40}",
        hostile,
        Just("`".repeat(9)),
        Just("&<>*_".repeat(9)),
        Just("🚀".repeat(9)),
        Just("x\n- ".repeat(9)),
    ];
    (piece, prop::sample::select(vec![1_usize, 1, 3, 300]))
        .prop_map(|(piece, times)| piece.repeat(times).chars().take(10_000).collect::<String>())
}

/// A notice with any texts and any number of everything.
pub(super) fn any_notice() -> impl Strategy<Value = Notice> {
    let texts = prop::collection::vec(any_text(), 8);
    let news = prop::sample::select(every_news());
    (texts, news, 0..40_usize, 0..30_usize).prop_map(|(texts, (_, news), commits, gates)| {
        let mut notice = hostile(&texts[0], news);
        notice.who = texts[1].as_str().into();
        notice.ships.unclear = (commits % 3 == 0).then(|| texts[2].as_str().into());
        if commits % 2 == 0 {
            notice.url = format!("https://h.example/{}", "u".repeat(470));
        }
        let one = notice.ships.commits[0].clone();
        notice.ships.commits = vec![one; commits];
        let gate = notice.stages[0].gates[0].clone();
        notice.stages[0].gates = vec![gate; gates];
        let stage = notice.stages[0].clone();
        notice.stages = vec![stage; gates];
        let (text, other) = (texts[3].clone(), texts[4].clone());
        match &mut notice.news {
            News::Waiting {
                missing, obstacles, ..
            } => (*missing, *obstacles) = (text.into(), said(&other)),
            News::Failed { url, why, .. } => (*url, *why) = (text, other.into()),
            News::Deploying { url, .. } | News::Live { url, .. } => *url = text,
            News::Over { why, .. } | News::Withdrawn { why } | News::Dismissed { why } => {
                *why = text.into();
            }
            News::Ready | News::Unclear { .. } | News::Overtaken { .. } => {}
        }
        notice
    })
}

/// All texts of a message, wherever they stand.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Holds a file of `docs/notices/` against what is rendered.
pub(super) fn hold(file: &str, render: impl Fn(&Notice) -> Value) {
    let messages: Vec<Value> = every_news()
        .into_iter()
        .map(|(state, news)| json!({ "state": state, "message": render(&notice(news)) }))
        .collect();
    let current = format!("{}\n", serde_json::to_string_pretty(&messages).unwrap());
    let path = format!("{}/docs/notices/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("COUNTERSIGN_RENEW").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/notices")).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == current,
        "docs/notices/{file} shows what notices looked like before; `COUNTERSIGN_RENEW=1 cargo test --lib chats` writes it anew"
    );
}
