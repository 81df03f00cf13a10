//! Messages: how they look, for every state, for hostile texts and for any at all.

use proptest::prelude::*;

use super::*;
use crate::chats::sample;
use crate::domain::text::{Message, code, text};
use crate::domain::{Happening, News};

const SHOWN: Shown<'_> = Shown {
    token: "notice/slack:C0123456789/7",
    call: Some("S0123456789"),
    anchor: Some("1024:Zm9v"),
};

fn posted(notice: &Notice) -> Value {
    super::notice(notice, SHOWN)
}

/// Every limit of Slack's, counted in whichever way gives more.
fn hold_limits(message: &Value) {
    let text = |value: &Value| units(value.as_str().unwrap_or_default());
    assert!((1..=4_000).contains(&text(&message["text"])));
    let blocks = message["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()), "{}", blocks.len());
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "section" => assert!(
                (1..=3_000).contains(&text(&block["text"]["text"])),
                "{block}"
            ),
            "header" => assert!((1..=150).contains(&text(&block["text"]["text"])), "{block}"),
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
            }
            "actions" => {
                let buttons = block["elements"].as_array().unwrap();
                assert!((1..=25).contains(&buttons.len()));
                for button in buttons {
                    assert!((1..=75).contains(&text(&button["text"]["text"])));
                    assert!((1..=255).contains(&text(&button["action_id"])));
                    assert!(text(&button["value"]) <= 2_000);
                }
            }
            kind => panic!("{kind}"),
        }
    }
}

/// Only the configured group is called, and nothing hides or turns.
fn hold_peace(message: &Value, called: Option<&str>) {
    for text in sample::texts(message) {
        // Everything in angle brackets is ours: dates, links, and whom the configuration calls.
        for (at, _) in text.match_indices('<') {
            let rest = &text[at + 1..];
            let is_ours = rest.starts_with("!date^")
                || rest.starts_with("https://github.com/")
                || rest.starts_with("https://h.example/")
                || called.is_some_and(|called| rest.starts_with(&format!("!subteam^{called}>")));
            assert!(is_ours, "{text}");
        }
        for hidden in ['\u{202e}', '\u{202c}', '\u{2067}', '\u{200b}', '\u{feff}'] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
}

#[test]
fn every_state_is_shown_as_the_document_shows_it() {
    sample::hold("slack.json", posted);
}

#[test]
fn a_ready_commit_says_what_people_want_to_know() {
    let message = posted(&sample::notice(News::Ready));
    assert_eq!(
        message["text"],
        "🟦 Ready: shop → prod, aaaaaaaaaaaa Sell more (#12)"
    );
    let blocks = message["blocks"].as_array().unwrap();
    let shown: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block["text"]["text"].as_str())
        .collect();
    let date = |seconds, text| format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{text}>");
    assert_eq!(
        shown,
        [
            "<!subteam^S0123456789>",
            "🟦 Ready: shop → prod",
            &format!(
                "Everything before it is green. Nobody has asked for it yet.\n\
                 <https://github.com/acme/shop/commit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|aaaaaaaaaaaa> Sell more (#12) · seen {}",
                date(1_769_868_000, "2026-01-31 14:00 UTC")
            ),
            "*What ships*\n\
             • `cccccccccccc` Count what is sold by cyd, bob\n\
             • `aaaaaaaaaaaa` Sell more <https://github.com/acme/shop/pull/12|#12> by ann\n\
             • and 3 more\n\
             since `bbbbbbbbbbbb` · <https://github.com/acme/shop/compare/b...a|compare>",
            &format!(
                "*Passed*\n• *staging* turned green {} and stayed so for 30m\n    \
                 ◦ ✅ <https://github.com/acme/shop/runs/9|check:build> {}",
                date(1_769_866_200, "2026-01-31 13:30 UTC"),
                date(1_769_865_600, "2026-01-31 13:20 UTC")
            ),
            "*Who can approve*\n1 × `maintainers`: `ann`, `bob`, `cyd`",
        ]
    );
    let buttons = blocks[6]["elements"].as_array().unwrap();
    assert_eq!(buttons[0]["action_id"], "cs/deploy/7");
    assert_eq!(buttons[0]["style"], "primary");
    assert_eq!(buttons[1]["style"], "danger");
    assert_eq!(buttons[2].get("style"), None);
    assert_eq!(blocks[7]["elements"][0]["text"], "log 1024:Zm9v");
}

#[test]
fn what_is_over_has_no_buttons() {
    for (state, news) in sample::every_news() {
        let notice = sample::notice(news);
        let message = posted(&notice);
        let blocks = message["blocks"].as_array().unwrap();
        let has_buttons = blocks.iter().any(|block| block["type"] == "actions");
        assert_eq!(has_buttons, !notice.buttons().is_empty(), "{state}");
        hold_limits(&message);
        hold_peace(&message, SHOWN.call);
    }
}

#[test]
fn only_a_groups_id_is_called() {
    let notice = sample::notice(News::Ready);
    for call in ["", "channel", "S1>", "S1|x", "s1", "!here"] {
        let shown = Shown {
            call: Some(call),
            ..SHOWN
        };
        hold_peace(&super::notice(&notice, shown), None);
    }
}

#[test]
fn hostile_text_calls_links_and_hides_nothing() {
    for text in sample::HOSTILE {
        for (_, news) in sample::every_news() {
            let message = posted(&sample::hostile(text, news));
            hold_peace(&message, SHOWN.call);
            hold_limits(&message);
        }
        let said = text!["x ", code(text)].into();
        hold_peace(&reply(&said, &[]), None);
    }
    let title = sample::HOSTILE[0];
    let message = posted(&sample::hostile(title, News::Unclear { request: 1 }));
    let commit = message["blocks"][2]["text"]["text"].as_str().unwrap();
    assert!(
        commit.ends_with(
            "aaaaaaaaaaaa @everyone @here &lt;@1&gt; &lt;@&amp;2&gt; &lt;#3&gt; &lt;!channel&gt; &lt;!here&gt; &lt;!subteam^S1&gt; &lt;@U1&gt;"
        ),
        "{commit}"
    );
    // Slack would look for addresses and names by itself.
    for block in message["blocks"].as_array().unwrap() {
        assert!(block["text"]["type"] != "mrkdwn" || block["text"]["verbatim"] == true);
    }
}

#[test]
fn answers_use_as_many_sections_as_they_need() {
    let help = crate::domain::command::help();
    let message = reply(
        &help,
        &[Button::Link {
            offer: 1,
            claimant: None,
        }],
    );
    hold_limits(&message);
    let text = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(text.starts_with("*Countersign* follows commits"), "{text}");
    assert!(
        text.contains("• `/deploy ENV [SHA|PR]` · release a commit"),
        "{text}"
    );
    let many = reply(&sample::lines(500), &[]);
    assert_eq!(many["blocks"].as_array().unwrap().len(), 3);
    let most = reply(&sample::lines(50_000), &[]);
    hold_limits(&most);
    let last = most["blocks"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"]["text"], "… (shortened)");
    hold_limits(&reply(&Message::default(), &[]));
}

#[test]
fn remarks_say_what_kind_of_thing_happened() {
    let remark = Remark {
        under: None,
        kind: Some(Happening::Failed),
        text: &text!["#42: the run ended with ", code("failure")].into(),
        call: Some("S0123456789"),
        title: "shop",
        token: "failed/1",
    };
    let message = super::remark(&remark);
    assert_eq!(
        message["text"],
        "❌ Failed: #42: the run ended with failure"
    );
    assert_eq!(
        message["blocks"][0]["text"]["text"],
        "<!subteam^S0123456789> ❌ *Failed*"
    );
    assert_eq!(
        message["blocks"][1]["text"]["text"],
        "#42: the run ended with `failure`"
    );
}

#[test]
fn a_button_that_asks_has_a_form() {
    let carried = Carried {
        channel: "C1".to_owned(),
        response: Some("/actions/1".to_owned()),
    };
    let form = form(Button::RollBack { notice: 7 }, &carried).unwrap();
    assert_eq!(form["callback_id"], "cs/rollback/7");
    assert_eq!(
        form["private_metadata"],
        r#"{"channel":"C1","response":"/actions/1"}"#
    );
    for words in ["title", "submit", "close"] {
        assert!(units(form[words]["text"].as_str().unwrap()) <= 24);
    }
    assert!(super::form(Button::Deploy { notice: 7 }, &carried).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn limits_hold_for_any_notice(notice in sample::any_notice(), anchor in sample::any_text()) {
        let message = super::notice(&notice, Shown { anchor: Some(&anchor), ..SHOWN });
        hold_limits(&message);
    }

    #[test]
    fn limits_hold_for_any_words(text in sample::any_text(), is_kind in any::<bool>()) {
        hold_limits(&reply(&sample::said(&text), &[]));
        let remark = Remark {
            under: None,
            kind: is_kind.then_some(Happening::Parked),
            text: &sample::said(&text),
            call: Some("S1"),
            title: &text,
            token: &text,
        };
        hold_limits(&super::remark(&remark));
    }
}
