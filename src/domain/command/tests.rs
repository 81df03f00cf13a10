//! The grammar as people meet it: what they write, what is understood, and what they read when it is not.

use proptest::prelude::*;

use super::grammar::RULES;
use super::*;

const FULL: &str = "0123456789abcdef0123456789abcdef01234567";

#[track_caller]
fn understood(line: &str) -> Command {
    Command::parse(line)
        .unwrap_or_else(|| panic!("{line:?} was ignored"))
        .unwrap_or_else(|no| panic!("{line:?}: {}", no.says))
}

#[track_caller]
fn misunderstood(line: &str) -> Misunderstood {
    match Command::parse(line) {
        Some(Err(misunderstood)) => misunderstood,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[test]
fn every_command_has_one_canonical_spelling() {
    #[track_caller]
    fn check(line: &str, expect: &str) {
        let command = understood(line);
        assert_eq!(command.to_string(), expect, "{line:?}");
        assert_eq!(understood(expect), command, "{expect:?}");
        assert!(expect.starts_with(&format!("/{}", command.name())));
    }
    check("/deploy prod", "/deploy prod");
    check("  /Deploy   prod  ", "/deploy prod");
    check(
        &format!("/deploy prod {FULL} --service=shop"),
        &format!("/deploy prod {FULL} --service shop"),
    );
    check("/deploy prod ABC1234", "/deploy prod abc1234");
    check("/deploy prod 12", "/deploy prod #12");
    check("/deploy prod #12", "/deploy prod #12");
    check("/deploy prod !12", "/deploy prod #12");
    check("/deploy --dry-run prod", "/deploy prod --dry-run");
    check(
        "/deploy --at 14:30 prod-eu --reason 'the \"big\" one' --service shop #7 --dry-run",
        r#"/deploy prod-eu #7 --service shop --reason "the \"big\" one" --at 14:30 --dry-run"#,
    );
    check(
        "/deploy prod --reason=\"-1 from me\"",
        "/deploy prod --reason=\"-1 from me\"",
    );
    check("/deploy Prod --reason #42", "/deploy Prod --reason=#42");
    check("/approve", "/approve");
    check("/approve 42", "/approve #42");
    check("/approve #42 --service shop", "/approve #42 --service shop");
    check("/reject", "/reject");
    check(
        "/reject #42 --reason \"not on a Friday\"",
        "/reject #42 --reason \"not on a Friday\"",
    );
    check("/cancel", "/cancel");
    check("/cancel --reason wrong 42", "/cancel #42 --reason wrong");
    check("/rollback prod", "/rollback prod");
    check(
        "/rollback prod abc1234 --dry-run --reason slow --service shop",
        "/rollback prod abc1234 --service shop --reason slow --dry-run",
    );
    check("/retry", "/retry");
    check("/retry #42 --dry-run", "/retry #42 --dry-run");
    check(
        "/lock prod --reason \"a migration runs\" --for \"1h 30m\" --service shop",
        "/lock prod --service shop --for 1h30m --reason \"a migration runs\"",
    );
    check("/lock prod --reason sale", "/lock prod --reason sale");
    check("/unlock prod", "/unlock prod");
    check("/unlock prod --service shop", "/unlock prod --service shop");
    check("/status", "/status");
    check("/status prod --service shop", "/status prod --service shop");
    check("/why prod", "/why prod");
    check(
        "/why prod 12 --service shop",
        "/why prod #12 --service shop",
    );
    check("/who prod --service shop", "/who prod --service shop");
    check("/audit", "/audit");
    check(
        "/audit --service shop 'since monday' -x",
        "/audit --service shop \"since monday\" -x",
    );
    check("/link", "/link");
    check("/link abc-def", "/link ABCDEF");
    check("/unlink", "/unlink");
    check("/help", "/help");
    check("/help Deploy", "/help deploy");
    check("/help /deploy", "/help deploy");
    check("/deploy --help", "/help deploy");
    check("/lock prod -h", "/help lock");
}

#[test]
fn every_part_reaches_its_place() {
    assert_eq!(
        understood(&format!(
            "/deploy prod {FULL} --service shop --reason \"it's #42\" --at 09:05 --dry-run"
        )),
        Command::Deploy(Deploy {
            environment: "prod".to_owned(),
            target: Some(Target::Sha(FULL.parse().unwrap())),
            service: Some("shop".to_owned()),
            reason: Some("it's #42".parse().unwrap()),
            at: Some("09:05".to_owned()),
            dry_run: true,
        })
    );
    assert_eq!(
        understood("/lock prod --for 2h --reason sale"),
        Command::Lock(Lock {
            environment: "prod".to_owned(),
            service: None,
            lasts: TimeSpan::from_seconds(7_200),
            reason: "sale".parse().unwrap(),
        })
    );
    assert_eq!(
        understood("/approve #42"),
        Command::Approve(Approve {
            request: Some(42),
            service: None
        })
    );
}

#[test]
fn what_chat_clients_make_of_a_command_is_the_command() {
    let check = |line: &str, expect: &str| assert_eq!(understood(line).to_string(), expect);
    check(
        "/deploy prod —reason “it’s fixed” –dry-run",
        "/deploy prod --reason \"it's fixed\" --dry-run",
    );
    check(
        "\u{200b}/deploy\u{a0}prod\u{202f}#12\u{feff}",
        "/deploy prod #12",
    );
    check(
        "/reject #42 —reason ‘too late – wait’",
        "/reject #42 --reason \"too late – wait\"",
    );
}

#[test]
fn mistakes_are_answered_with_a_way_out() {
    #[track_caller]
    fn check(line: &str, expect: &str) {
        assert_eq!(misunderstood(line).says, expect, "{line:?}");
    }
    let no_target = "write a commit id, of at least 7 digits, or a pull request such as `#12`";
    // Something is missing.
    check(
        "/deploy",
        "`/deploy` needs an environment: `/deploy ENV [SHA|PR]`",
    );
    check(
        "/rollback --dry-run",
        "`/rollback` needs an environment: `/rollback ENV [SHA]`",
    );
    check(
        "/lock",
        "`/lock` needs an environment and a reason: `/lock ENV --reason \"...\"`",
    );
    check(
        "/lock prod --for 2h",
        "`/lock` needs a reason: `/lock ENV --reason \"...\"`",
    );
    check("/unlock", "`/unlock` needs an environment: `/unlock ENV`");
    check("/why", "`/why` needs an environment: `/why ENV [SHA|PR]`");
    check("/who", "`/who` needs an environment: `/who ENV`");
    check("/deploy \"\"", "the name of an environment is empty");
    check(
        "/deploy prod --service",
        "`--service` needs a value, such as `--service S`",
    );
    check(
        "/deploy prod --reason --dry-run",
        "`--reason` needs a value, such as `--reason \"...\"`",
    );
    check(
        "/deploy prod --at",
        "`--at` needs a value, such as `--at 14:30`",
    );
    check(
        "/lock prod --for --reason x",
        "`--for` needs a value, such as `--for 2h`",
    );
    check("/status --service=", "the name of a service is empty");
    check(
        "/reject --reason \" \"",
        "the reason is empty; write it in quotes, such as `--reason \"fixes the login\"`",
    );
    // Options.
    check(
        "/deploy prod --servce shop",
        "`--servce` is not an option of `/deploy`; did you mean `--service`?",
    );
    check(
        "/deploy prod --dry",
        "`--dry` is not an option of `/deploy`; did you mean `--dry-run`?",
    );
    check(
        "/deploy prod -dry-run",
        "`-dry-run` is not an option of `/deploy`; did you mean `--dry-run`?",
    );
    check(
        "/deploy prod --dry–run",
        "`--dry–run` is not an option of `/deploy`; did you mean `--dry-run`?",
    );
    check(
        "/deploy prod --force=yes",
        "`--force` is not an option of `/deploy`; `/help deploy` shows those it has",
    );
    check(
        "/approve -f",
        "`-f` is not an option of `/approve`; `/help approve` shows those it has",
    );
    check("/retry --dry-run=yes", "`--dry-run` takes no value");
    check(
        "/deploy prod --service a --service b",
        "`--service` is written twice",
    );
    check(
        "/deploy prod --dry-run --dry-run",
        "`--dry-run` is written twice",
    );
    // Words.
    check(
        "/status prod now",
        "`now` is one word too many for `/status`",
    );
    check(
        "/approve #42 #43",
        "`#43` is one word too many for `/approve`",
    );
    check("/unlink me", "`me` is one word too many for `/unlink`");
    check(
        "/deploy prod main",
        &format!("`main` is neither a commit nor a pull request; {no_target}"),
    );
    check(
        "/deploy prod abc12",
        &format!("`abc12` is too short for a commit id; {no_target}"),
    );
    check(
        "/why prod `@team`",
        &format!("`'@team'` is neither a commit nor a pull request; {no_target}"),
    );
    check(
        "/rollback prod 12",
        "`#12` is a pull request; a rollback goes to a commit, so write at least 7 digits of its id",
    );
    check(
        "/approve thanks",
        "`thanks` is not the number of a request; write it like `#42`",
    );
    check("/approve # 42", "`42` is one word too many for `/approve`");
    check(
        "/retry #0",
        "`#0` is not the number of a request; write it like `#42`",
    );
    check(
        "/deploy -- -prod",
        "`-prod` cannot be the name of an environment",
    );
    // Values.
    check(
        "/deploy prod --at 9:30",
        "`9:30` is not a time of day; write it like `09:05` or `14:30`",
    );
    check(
        "/deploy prod --at 24:00",
        "`24:00` is not a time of day; write it like `09:05` or `14:30`",
    );
    check(
        "/lock prod --for soon --reason x",
        "`--for soon`: this is not a duration; write it like `30s`, `10m`, `4h`, `2d` or `1h 30m`",
    );
    check(
        "/deploy prod --reason \"\u{7}\"",
        "the reason holds characters that cannot be seen; write it as plain text on one line",
    );
    check(
        &format!("/reject --reason {}", "x".repeat(501)),
        "the reason is 501 characters long; at most 500 are kept; put the rest elsewhere and link to it",
    );
    // Quotes.
    check(
        "/deploy prod --reason don't",
        "a quotation mark is opened and never closed; put texts in double quotes, such as `--reason \"it's fixed\"`",
    );
    for line in [
        "/deploy prod #12 --reason not tested --dry-run",
        "/deploy prod --reason not tested",
        "/reject --reason not tested",
        "/lock prod --for 2h --reason not tested",
    ] {
        check(
            line,
            "a reason of several words needs quotes: `--reason \"not tested\"`",
        );
    }
    // Names.
    check(
        "/deplyo prod",
        "`/deplyo` is not a command; did you mean `/deploy`?",
    );
    check(
        "/aprove",
        "`/aprove` is not a command; did you mean `/approve`?",
    );
}

#[test]
fn a_mistake_comes_with_the_whole_usage() {
    let check = |line: &str, expect: &str| assert_eq!(misunderstood(line).usage, expect);
    check(
        "/deplyo prod",
        r#"/deploy ENV [SHA|PR] [--service S] [--reason "..."] [--at 14:30] [--dry-run]"#,
    );
    check(
        "/lock 'prod",
        r#"/lock ENV [--service S] [--for 2h] --reason "...""#,
    );
    check("/approve x", "/approve [#N] [--service S]");
    check("/help a b", "/help [COMMAND]");
}

#[test]
fn the_words_of_others_are_passed_over() {
    for line in [
        "/lgtm",
        "/retest",
        "/assign @ann",
        "/merge",
        "/etc/hosts",
        "/usr is full",
        "/",
        "//deploy prod",
        "/ deploy prod",
        "/deploy/prod",
        "\\/deploy prod",
        "deploy prod",
        "please /deploy prod",
        "> /deploy prod",
        "`/deploy prod`",
        "/approved by ann",
        "/deployed an hour ago",
        "",
    ] {
        assert_eq!(Command::parse(line), None, "{line:?}");
    }
}

#[test]
fn help_names_every_command_and_every_part() {
    let all = help().plain();
    for rule in RULES {
        assert!(all.contains(&format!("\n/{}", rule.name)), "{}", rule.name);
        let explained = help_for(rule.name).plain();
        assert!(explained.starts_with(&format!("/{}", rule.name)));
        // What it takes at least is understood, as the command of the same name.
        let line = help::short_usage(rule)
            .replace(" [SHA|PR]", "")
            .replace(" [SHA]", "")
            .replace(" [#N]", "");
        assert_eq!(understood(&line).name(), rule.name);
    }
    assert_eq!(all.matches("not available yet").count(), 0);
    assert!(
        all.contains("/deploy ENV [SHA|PR] | release a commit to an environment\n"),
        "{all}"
    );
    assert_eq!(
        help_for("/Lock").plain(),
        r#"/lock ENV [--service S] [--for 2h] --reason "...": stop all releases to an environment.

part | meaning
ENV | an environment: its name or an alias
--service S | the service, if there are several
--for 2h | how long, such as 30m, 2h or 1d; without it, until /unlock
--reason "..." | why; kept with the decision"#
    );
    assert!(help_for("deploy").plain().contains("not available yet"));
    let unknown = help_for("`x`").plain();
    assert!(unknown.starts_with("There is no command /'x'.\n\nCountersign"));
}

#[test]
fn what_is_not_available_yet_says_so() {
    let check = |line: &str, expect: Option<&str>| {
        let command = understood(line);
        assert_eq!(command.not_available_yet(), expect);
    };
    check("/audit", None);
    check("/deploy prod --at 14:30", Some("--at"));
    check("/deploy prod --at 14:30", Some("--at"));
    check("/deploy prod", None);
    // The help marks the same commands.
    for rule in RULES {
        let line = format!("/{} prod --reason x", rule.name);
        let short = format!("/{} prod", rule.name);
        let bare = format!("/{}", rule.name);
        let command = [line, short, bare]
            .iter()
            .find_map(|line| Command::parse(line)?.ok())
            .unwrap();
        let is_marked = rule.about.contains("not available yet");
        assert_eq!(command.not_available_yet().is_some(), is_marked);
    }
}

/// Words of commands, right and wrong, in any order.
fn any_words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => prop::sample::select(vec![
            "prod", "#12", "12", "abc1234", FULL, "--service", "--reason", "--at", "--for", "--dry-run",
            "shop", "14:30", "2h", "1h30m", "--", "-x", "--help", "—dry-run", "–reason", "“two words”",
            "\"a \\\" b\"", "'c'", "--reason=—x", "--reason=-x", "--service=a=b", "\\", "\"", "—", "#", "''",
            "--service=shop", "--reason=\"a b\"", "--for=\"1h 5m\"", "$`", "\u{200b}", "`",
        ])
        .prop_map(str::to_owned),
        1 => ".{0,8}",
        1 => "[—–'\"\\\\# =a-c-]{0,8}",
    ];
    prop::collection::vec(word, 0..7).prop_map(|words| words.join(" "))
}

fn any_name() -> impl Strategy<Value = &'static str> {
    let names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    prop::sample::select(names)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "(?s).{0,80}", words in any_words()) {
        Command::all_in(&text);
        Command::all_in(&format!("/{text}"));
        Command::all_in(&format!("/{words}"));
        help_for(&text);
    }

    #[test]
    fn the_canonical_spelling_means_the_same(name in any_name(), words in any_words()) {
        let line = format!("/{name} {words}");
        if let Some(Ok(command)) = Command::parse(&line) {
            let written = command.to_string();
            prop_assert_eq!(Command::parse(&written), Some(Ok(command)), "{}", written);
        }
    }

    #[test]
    fn a_reason_with_any_characters_is_spelled_and_read_again(
        text in "\\PC{0,40}|[“”„‟«»‘’‚‛'\"\\\\ —–#`$a-c\u{200b}\u{e000}-]{0,12}"
    ) {
        if let Ok(reason) = text.parse::<Reason>() {
            let rejected = Command::Reject(Reject {
                request: Some(7),
                reason: Some(reason.clone()),
            });
            let locked = Command::Lock(Lock {
                environment: "prod".to_owned(),
                service: None,
                lasts: None,
                reason,
            });
            for command in [rejected, locked] {
                let written = command.to_string();
                prop_assert_eq!(Command::parse(&written), Some(Ok(command)), "{}", written);
            }
        }
    }

    #[test]
    fn a_sentence_stays_on_its_line_and_in_its_code(name in any_name(), words in any_words()) {
        if let Some(Err(no)) = Command::parse(&format!("/{name} {words}")) {
            prop_assert!(!no.says.chars().any(char::is_control), "{:?}", no.says);
            prop_assert!(no.says.matches('`').count() % 2 == 0, "{:?}", no.says);
            prop_assert!(!no.says.is_empty() && !no.usage.is_empty());
            // Sentences for the case that the parser has a reason we do not know.
            prop_assert!(!no.says.contains("cannot be written like this"), "{name} {words}");
            prop_assert!(!no.says.contains("something more"), "{name} {words}");
        }
    }
}
