//! Accidents: what must never happen, whatever the file says: a secret is shown, or the program panics.

use proptest::prelude::*;

use super::pinned::Page;
use super::{GOOD, parse, surroundings};
use crate::config::{Colour, Config, explain, mask};

const CANARY: &str = "canary-7f3a9c";

#[test]
fn a_secret_in_the_file_is_never_shown() {
    let page = Page::new("secrets-in-the-file");
    let check = |text: &str| {
        let report = parse(text).unwrap_err();
        let line = text.lines().find(|line| line.contains(CANARY));
        page.text(line.unwrap_or_default(), &report.render(Colour::Never));
        let shown = [
            report.render(Colour::Never),
            report.render(Colour::Always),
            format!("{report:?}"),
        ];
        for shown in shown {
            assert!(!shown.contains(CANARY), "{text}\n{shown}");
        }
    };
    let hook = "webhook_secret = { env = \"HOOK\" }";
    let instead = |line: String| check(&GOOD.replace(hook, &line));
    instead(format!("webhook_secret = \"{CANARY}\""));
    instead(format!("webhook_secret = '{CANARY}' x"));
    instead(format!("webhook_secret = {CANARY}"));
    instead(format!("webhook_secret = \"{CANARY}"));
    instead(format!("webhook_secret = [\"{CANARY}\", \"{CANARY}-2\"]"));
    instead(format!("webhook_secret = [\"{CANARY}\","));
    instead(format!("webhook_secret = \"\"\"\n{CANARY}\n\"\"\""));
    instead(format!("webhook_secret = \"\"\"\n{CANARY}\n"));
    instead(format!("webhook_secret = {{ value = \"{CANARY}\" }}"));
    instead(format!("webhook_secret = {{ env = \"ghp_{CANARY}\" }}"));
    instead(format!("webhook_secret = {{ file = \"xoxb-{CANARY}\" }}"));
    instead(format!(
        "webhook_secret = {{ credential = \"whsec_{CANARY}\" }}"
    ));
    instead(format!("webhok_secret = \"{CANARY}\""));
    instead(format!("hook = [\"{CANARY}\"]"));
    instead(format!("webhook_secret.env.x = \"{CANARY}\""));
    instead(format!(
        "private_key = \"-----BEGIN X-----\n{CANARY}\n-----END X-----\""
    ));
    check(&format!(
        "{GOOD}\n[database]\nurl = \"mysql://u:{CANARY}@h/d\""
    ));
    check(&format!(
        "{GOOD}\n[database]\nurl = \"postgres://u:{CANARY}@h /d\""
    ));
    check(&format!(
        "{GOOD}\n[database]\nurl = \"postgres://u:{CANARY}@h/d"
    ));
    check(&format!(
        "{GOOD}\n[database]\nurl = 3 # postgres://u:{CANARY}@h/d"
    ));
    check(&format!(
        "{GOOD}\n[server]\npublic_url = \"https://u:{CANARY}@h\""
    ));
    check(&format!(
        "{GOOD}\n[database]\nurl = \"sqlite:x\" # postgres://u:{CANARY}@h\nkeep_handled = \"0d\""
    ));
    check(&format!(
        "{GOOD}\ntrigger = {{ webhook = \"https://h\", secret = \"{CANARY}\" }}"
    ));
    page.pin();
}

#[test]
fn a_secret_from_elsewhere_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----");
    let variables = [("KEY", key.as_str()), ("HOOK", "canary-7f3a9c-and-more")];
    let surroundings = super::Surroundings::fixed(folder.path(), variables);
    let url = format!("\n[database]\nurl = \"postgres://u:{CANARY}@h/d\"");
    let text = format!("{GOOD}{url}");
    let config = Config::parse(&text, "bot.toml", &surroundings).unwrap();
    let shown = [
        format!("{config:?}"),
        format!("{surroundings:?}"),
        explain(&config),
    ];
    for shown in shown {
        assert!(!shown.contains(CANARY), "{shown}");
    }
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);

    let wrong = text.replace("KEY", "HOOK");
    let report = Config::parse(&wrong, "bot.toml", &surroundings).unwrap_err();
    assert!(!report.to_string().contains(CANARY));
}

fn never_panics(text: &str) {
    if let Err(report) = Config::parse(text, "bot.toml", &surroundings()) {
        assert!(!report.problems().is_empty());
        assert!(!report.render(Colour::Never).is_empty());
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*|(?s).*") {
        never_panics(&text);
    }

    #[test]
    fn no_pieces_of_toml_make_it_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        never_panics(&pieces.concat());
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        at in 0..include_str!("../../../bot.toml.example").len(),
        cut in 0usize..40,
        new in "[\\PC\n]{0,12}",
    ) {
        let mut text = include_str!("../../../bot.toml.example").replace("\n#", "\n");
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.ceil_char_boundary((start + cut).min(text.len()));
        text.replace_range(start..end, &new);
        never_panics(&text);
    }

    #[test]
    fn masking_keeps_the_length(text in "(?s).*", start in 0usize..50, length in 0usize..50) {
        let start = text.floor_char_boundary(start);
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        let hidden = [start..end.max(start), 0..0];
        prop_assert_eq!(mask::mask(&text, &hidden).len(), text.len());
        prop_assert_eq!(mask::mask_unparsed(&text).len(), text.len());
    }
}

fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "[github]\n",
        "[[service]]\n",
        "[[service.stage]]\n",
        "[[service.environment]]\n",
        "[roles.a]\n",
        "[service]\n",
        "[[github]]\n",
        "name = ",
        "repo = ",
        "branch = ",
        "gates = ",
        "approvals = ",
        "trigger = ",
        "webhook_secret = ",
        "inputs = ",
        "github = ",
        "soak = ",
        "expires = ",
        "exclude = ",
        "{ ",
        " }",
        "[",
        "]",
        ", ",
        "\n",
        "\"\"\"",
        "'",
        "\"",
        "=",
        ".",
        "\"a\"",
        "\"ü\"",
        "1",
        "-1",
        "99999999999999999999",
        "0x_f",
        "1.5",
        "true",
        "1979-05-27",
        "\"check:a\"",
        "\"github:a/b\"",
        "\"{sha}\"",
        "env = \"HOOK\"",
        "-----BEGIN",
        "://",
        "@",
        "#",
    ];
    prop::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}
