//! Messages: how they look, for every state, for hostile texts and for any at all.

use proptest::prelude::*;

use super::*;
use crate::chats::outside::units;
use crate::chats::sample;
use crate::domain::text::{code, text};
use crate::domain::{Happening, News};

const SHOWN: Shown<'_> = Shown {
    token: "notice/discord:2/7",
    call: Some("1000000000000000004"),
    anchor: Some("1024:Zm9v"),
};

fn posted(notice: &Notice) -> Value {
    super::notice(notice, SHOWN)
}

/// Every limit of Discord's, counted in whichever way gives more.
fn hold_limits(message: &Value) {
    let text = |value: &Value| units(value.as_str().unwrap_or_default());
    assert!(text(&message["content"]) <= CONTENT);
    assert!(text(&message["nonce"]) <= NONCE);
    let embeds = message["embeds"].as_array().cloned().unwrap_or_default();
    assert!(embeds.len() <= 1);
    for embed in &embeds {
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        assert!(fields.len() <= 25);
        let mut all = 0;
        for (part, most) in [
            (&embed["title"], 256),
            (&embed["description"], 4_096),
            (&embed["footer"]["text"], 2_048),
        ] {
            assert!(text(part) <= most, "{part}");
            all += text(part);
        }
        for field in &fields {
            assert!((1..=256).contains(&text(&field["name"])));
            assert!((1..=1_024).contains(&text(&field["value"])));
            all += text(&field["name"]) + text(&field["value"]);
        }
        assert!(all <= 6_000, "{all}");
    }
    for row in message["components"].as_array().into_iter().flatten() {
        let buttons = row["components"].as_array().unwrap();
        assert!((1..=5).contains(&buttons.len()));
        for button in buttons {
            assert!((1..=80).contains(&text(&button["label"])));
            assert!((1..=100).contains(&text(&button["custom_id"])));
        }
    }
}

/// The message calls neither a person nor the whole server, and nothing in it hides or turns.
fn hold_peace(message: &Value) {
    for text in sample::texts(message) {
        assert!(
            !text.contains("@everyone") && !text.contains("@here"),
            "{text}"
        );
        assert!(!text.contains("<@1") || text.contains("\\<@"), "{text}");
        for hidden in ['\u{202e}', '\u{202c}', '\u{2067}', '\u{2069}', '\u{feff}'] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
    assert_eq!(message["allowed_mentions"]["parse"], json!([]));
    assert_eq!(message["allowed_mentions"]["users"], json!([]));
}

#[test]
fn every_state_is_shown_as_the_document_shows_it() {
    sample::hold("discord.json", posted);
}

#[test]
fn a_ready_commit_says_what_people_want_to_know() {
    let message = posted(&sample::notice(News::Ready));
    let embed = &message["embeds"][0];
    assert_eq!(embed["title"], "🟦 Ready: shop → prod");
    assert_eq!(
        embed["description"].as_str().unwrap(),
        "Everything before it is green. Nobody has asked for it yet.\n\
         [aaaaaaaaaaaa](https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Sell more \\(#12\\) · seen <t:1769868000:R>\n\n\
         **What ships**\n\
         - `cccccccccccc` Count what is sold by cyd, bob\n\
         - `aaaaaaaaaaaa` Sell more [#12](https://github.com/acme/shop/pull/12) by ann\n\
         - and 3 more\n\
         since `bbbbbbbbbbbb` · [compare](https://github.com/acme/shop/compare/b...a)"
    );
    assert_eq!(
        embed["fields"],
        json!([
            {
                "inline": false,
                "name": "Passed",
                "value": "- **staging** turned green <t:1769866200:R> and stayed so for 30m\n  - ✅ [check:build](https://github.com/acme/shop/runs/9) <t:1769865600:R>",
            },
            {
                "inline": false,
                "name": "Who can approve",
                "value": "1 × `maintainers`: `ann`, `bob`, `cyd`",
            },
        ])
    );
    assert_eq!(embed["footer"]["text"], "log 1024:Zm9v");
    assert_eq!(message["content"], "<@&1000000000000000004>");
    assert_eq!(
        message["allowed_mentions"],
        json!({ "parse": [], "users": [], "roles": ["1000000000000000004"] })
    );
    let labels: Vec<&Value> = message["components"][0]["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|button| &button["label"])
        .collect();
    assert_eq!(labels, ["Deploy", "Reject", "Details"]);
}

#[test]
fn a_change_takes_away_what_is_over() {
    for (state, news) in sample::every_news() {
        let notice = sample::notice(news);
        let message = change(
            &notice,
            Shown {
                call: None,
                ..SHOWN
            },
        );
        assert_eq!(message["content"], "", "{state}");
        assert_eq!(message["allowed_mentions"]["parse"], json!([]), "{state}");
        assert_eq!(
            message["components"].as_array().unwrap().is_empty(),
            notice.buttons().is_empty(),
            "{state}"
        );
        hold_limits(&message);
    }
}

#[test]
fn only_a_roles_id_is_called() {
    let notice = sample::notice(News::Ready);
    for call in [
        "",
        "0",
        "everyone",
        "+7",
        "1>@everyone",
        "99999999999999999999",
    ] {
        let shown = Shown {
            call: Some(call),
            ..SHOWN
        };
        let message = super::notice(&notice, shown);
        assert_eq!(message["allowed_mentions"]["roles"], json!([]), "{call}");
        assert!(message.get("content").is_none(), "{call}");
    }
}

#[test]
fn hostile_text_calls_links_and_hides_nothing() {
    for text in sample::HOSTILE {
        for (_, news) in sample::every_news() {
            let message = posted(&sample::hostile(text, news));
            hold_peace(&message);
            hold_limits(&message);
            let description = message["embeds"][0]["description"].as_str().unwrap();
            assert!(!description.contains("](https://evil"), "{description}");
        }
        let said = text!["x ", code(text)].into();
        hold_peace(&reply(&said, &[]));
        hold_peace(&reply(&sample::said(text), &[]));
    }
    let title = sample::HOSTILE[2];
    let message = posted(&sample::hostile(title, News::Unclear { request: 1 }));
    let description = message["embeds"][0]["description"].as_str().unwrap();
    assert!(
        description.contains(
            "\\[click\\]\\(https\\://evil.example\\) \\<https\\://evil.example\\|click\\> https\\://evil.example"
        ),
        "{description}"
    );
}

#[test]
fn long_titles_end_in_an_ellipsis() {
    let message = posted(&sample::hostile(&"x".repeat(10_000), News::Ready));
    hold_limits(&message);
    let description = message["embeds"][0]["description"].as_str().unwrap();
    assert!(description.contains(&format!("{}…", "x".repeat(119))));
}

#[test]
fn a_message_is_posted_once_for_each_token() {
    let notice = sample::notice(News::Ready);
    let nonce = |token| super::notice(&notice, Shown { token, ..SHOWN })["nonce"].clone();
    assert_eq!(nonce("a"), nonce("a"));
    assert_ne!(nonce("a"), nonce("b"));
    assert_eq!(nonce("a").as_str().unwrap().len(), 25);
    assert_eq!(posted(&notice)["enforce_nonce"], true);
}

#[test]
fn answers_are_for_one_person() {
    let help = crate::domain::command::help();
    let message = reply(
        &help,
        &[
            Button::Link {
                offer: 1,
                claimant: None,
            },
            Button::NoLink { offer: 1 },
        ],
    );
    assert_eq!(message["flags"], 68);
    let content = message["content"].as_str().unwrap();
    assert!(
        content.contains("- `/deploy ENV [SHA|PR]` · release a commit"),
        "{content}"
    );
    assert!(!content.contains("|---"), "{content}");
    assert_eq!(message["components"][0]["components"][0]["style"], 3);
    let long = reply(&sample::lines(500), &[]);
    let content = long["content"].as_str().unwrap();
    assert!(content.ends_with("\n… (shortened)"), "{content}");
    hold_limits(&long);
}

#[test]
fn remarks_say_what_kind_of_thing_happened() {
    let remark = Remark {
        under: None,
        kind: Some(Happening::Failed),
        text: &text!["#42: the run ended with ", code("failure")].into(),
        call: Some("1000000000000000004"),
        title: "shop",
        token: "failed/1",
    };
    let message = super::remark(&remark);
    assert_eq!(message["embeds"][0]["title"], "❌ Failed");
    assert_eq!(message["content"], "<@&1000000000000000004>");
    let plain = Remark {
        kind: None,
        call: None,
        ..remark
    };
    let message = super::remark(&plain);
    assert_eq!(message["content"], "\\#42: the run ended with `failure`");
    assert_eq!(message["embeds"], json!([]));
}

#[test]
fn a_thread_has_a_name() {
    for (title, expect) in [
        ("shop → prod", "shop → prod"),
        ("\u{202e}\n", "Release"),
        (&"x".repeat(200), &format!("{}…", "x".repeat(99))),
    ] {
        assert_eq!(thread(title)["name"], expect);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn limits_hold_for_any_notice(notice in sample::any_notice(), anchor in sample::any_text()) {
        let message = super::notice(&notice, Shown { anchor: Some(&anchor), ..SHOWN });
        hold_limits(&message);
        hold_peace(&message);
    }

    #[test]
    fn limits_hold_for_any_words(text in sample::any_text(), is_kind in any::<bool>()) {
        let message = reply(&sample::said(&text), &[]);
        hold_limits(&message);
        hold_peace(&message);
        let remark = Remark {
            under: None,
            kind: is_kind.then_some(Happening::Parked),
            text: &sample::said(&text),
            call: Some("1000000000000000004"),
            title: &text,
            token: &text,
        };
        let message = super::remark(&remark);
        hold_limits(&message);
        hold_peace(&message);
        prop_assert!(units(thread(&text)["name"].as_str().unwrap()) <= 100);
    }
}

#[test]
fn no_message_is_empty() {
    for text in ["", "\n\n", "**", "```"] {
        let message = reply(&sample::said(text), &[]);
        assert!(!message["content"].as_str().unwrap().is_empty(), "{text:?}");
    }
}
