//! Meaning: what a file may say, rule by rule. A good file gets one change, and the report about it stands in the
//! page of its rule, whole.

use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;

use super::pinned::Page;
use super::{GOOD, parse, surroundings};
use crate::config::{Config, ExportFormat, ExportPlace, Identity, Server, Surroundings, explain};
use crate::domain::Trigger;
use crate::domain::trigger::deployment::Deployment;

const EXCLUDE: &str = "exclude = [\"author\"]\n";
const GATES: &str = "[\"check:build\"]";
const APPROVALS: &str = "{ deployer = 1 }";
const HOOK: &str = "{ env = \"HOOK\" }";

#[test]
fn the_good_file_is_good_and_has_defaults() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.server, Server::default());
    assert_eq!(
        config.database.url.expose_secret(),
        "sqlite:/etc/countersign/countersign.db"
    );
    assert_eq!(config.database.keep_handled.to_string(), "7d");
    assert_eq!(config.warnings, Vec::<String>::new());
    let service = &config.catalog.services[0];
    let environment = &service.environments[0];
    assert_eq!(environment.expires.to_string(), "4h");
    assert_eq!(environment.after.as_str(), "build");
    assert_eq!(service.stages_before(environment).len(), 1);
    let Trigger::Deployment(Deployment { environment, .. }) = &environment.trigger else {
        panic!("{environment:?}");
    };
    assert_eq!(environment.as_str(), "prod");
}

#[test]
fn no_policy_means_refusal() {
    let page = Page::new("approvals");
    page.instead("approvals = { deployer = 1 }", "");
    page.instead(APPROVALS, "{}");
    page.instead(APPROVALS, "{ deployer = 0 }");
    page.instead(APPROVALS, "{ deployer = -1 }");
    page.instead(APPROVALS, "{ deployer = 101 }");
    page.instead(APPROVALS, "{ chef = 1 }");
    page.instead(APPROVALS, "3");
    page.pin();
}

#[test]
fn roles_have_people_on_the_forge_that_needs_them() {
    let page = Page::new("roles");
    let teams = "github_teams = [\"acme/sre\"]";
    page.instead(teams, "");
    page.instead(teams, "github_teams = []");
    page.instead(teams, "github_teams = [\"sre\"]");
    page.instead(teams, "gitlab_groups = [\"acme\"]");
    page.instead(teams, "github_users = [\"@a\", \"b[bot]\"]");
    page.instead(teams, "github_roles = [\"read\"]");
    page.instead(teams, "gitlab_access_level = \"guest\"");
    let two = GOOD
        .replace(teams, "github_users = [\"a\"]")
        .replace(APPROVALS, "{ deployer = 2 }");
    page.file("two people of one", &two);
    page.pin();
}

#[test]
fn stages_wait_for_gates_of_their_forge() {
    let page = Page::new("stages");
    page.instead(GATES, "[]");
    page.instead(GATES, "\"check:build\"");
    page.instead(GATES, "[5]");
    page.instead(GATES, "[\"check:a\", \"check:a\"]");
    page.instead(GATES, "[\"check:a\", { check = \"a\", app = 1 }]");
    page.instead(GATES, "[{ app = 1 }]");
    page.instead(GATES, "[{ check = \"a\", status = \"a\" }]");
    page.instead(GATES, "[{ check = \"a\", app = 0 }]");
    page.instead(GATES, "[{ workflow = \"a.yml\", app = 1 }]");
    page.instead(GATES, "[{ job = \"a\" }]");
    page.instead(
        "gates = [\"check:build\"]",
        "gates = [\"check:a\"]\nsoak = \"0m\"",
    );
    let stage = "[[service.stage]]\nname = \"build\"\ngates = [\"check:build\"]\n";
    page.instead(stage, "");
    page.instead(stage, &stage.repeat(2));
    page.pin();
}

#[test]
fn environments_are_told_apart_and_can_be_fulfilled() {
    let page = Page::new("environments");
    let environment =
        "[[service.environment]]\nname = \"prod\"\napprovals = { deployer = 1 }\nexclude = []\n";
    let with = |more: &str| page.more(more);
    with(environment);
    let alias = environment
        .replace("exclude", "aliases = [\"prod\"]\nexclude")
        .replacen("prod", "eu", 1);
    with(&alias);
    with("after = \"biuld\"");
    with("expires = \"2 months\"");
    with("freeze = \" \"");
    with("allow = [\"forks\"]");
    with("allow = [\"open-heads\", \"open-heads\"]");
    with("soak = \"1m\"");
    page.instead(EXCLUDE, "exclude = [\"autor\"]");
    page.pin();
}

#[test]
fn triggers_need_what_they_use_and_refuse_the_rest() {
    let page = Page::new("triggers");
    let trigger = |trigger: &str| {
        page.instead(EXCLUDE, &format!("exclude = []\ntrigger = {trigger}\n"));
    };
    trigger("{ github = \"deployment\" }");
    trigger("{ github = \"deploymnt\" }");
    trigger("{ github = \"deployment\", ref = \"x\" }");
    trigger("{ github = \"workflow_dispatch\" }");
    trigger("{ github = \"workflow_dispatch\", workflow = \"Deploy\", inputs = { a = \"b\" } }");
    trigger(
        "{ github = \"workflow_dispatch\", workflow = \"d.yml\", inputs = { a = \"{commit}\" } }",
    );
    trigger("{ github = \"workflow_dispatch\", workflow = \"d.yml\", inputs = { a = \"{sha}\" } }");
    trigger("{ github = \"repository_dispatch\" }");
    trigger("{ github = \"protection_rule\" }");
    trigger("{}");
    trigger("{ gitlab = \"play_job\", job = \"d\" }");
    trigger("{ webhook = \"http://example.com\", secret = { env = \"HOOK\" } }");
    trigger("3");
    page.pin();
}

#[test]
fn services_do_not_overlap() {
    let page = Page::new("services");
    let service = GOOD.split_once("[[service]]").unwrap().1;
    let twice = |other: String| page.more(&format!("[[service]]{other}"));
    twice(service.to_owned());
    let other = service.replace("shop\"\nrepo", "other\"\nrepo");
    twice(other.replace("acme/shop", "ACME/shop"));
    twice(other.replace("main", "v1"));
    twice(other.replace("branch", "paths = [\"a/**\"]\nbranch"));
    page.instead("branch = \"main\"", "branch = \"refs/heads/main\"");
    page.instead("branch = \"main\"", "branch = \"main\"\npaths = [\"a[\"]");
    page.instead("github:acme/shop", "acme/shop");
    page.instead("github:acme/shop", "gitlab:acme/shop");
    page.pin();
}

#[test]
fn github_needs_an_identity_and_a_secret() {
    let page = Page::new("github");
    let (github, rest) = GOOD.split_once("[roles").unwrap();
    page.file("no [github]", &format!("[roles{rest}"));
    let id = "app_id = 1\n";
    let key = "private_key = { env = \"KEY\" }\n";
    assert!(github.contains(id) && github.contains(key));
    page.instead(id, "");
    page.instead(key, "");
    page.instead(id, "app_id = 0\n");
    page.instead(id, "token = { env = \"TOKEN\" }\n");
    page.instead(&format!("{id}{key}"), "");
    page.instead(key, "private_key = { env = \"HOOK\" }\n");
    page.instead(&format!("{id}{key}"), "token = { env = \"KEY\" }\n");
    page.instead("webhook_secret = { env = \"HOOK\" }", "");
    page.instead(id, "app_id = 1\napi_url = \"http://github.example.com\"\n");
    page.instead(id, "app_id = 1\napi_url = \"https://github.com\"\n");
    page.instead("[github]", "[[github]]");
    let by_token = GOOD.replace(&format!("{id}{key}"), "token = { env = \"TOKEN\" }\n");
    let identity = parse(&by_token).unwrap().github.unwrap().identity;
    assert!(matches!(identity, Identity::Token(_)));
    page.pin();
}

#[test]
fn secrets_are_found_where_the_file_says() {
    let page = Page::new("secrets");
    page.instead(HOOK, "{}");
    page.instead(HOOK, "[]");
    page.instead(HOOK, "{ env = \"NONE\" }");
    page.instead(HOOK, "{ env = \"EMPTY\" }");
    page.instead(HOOK, "{ env = \"a b\" }");
    page.instead(HOOK, "{ env = \"SHORT\" }");
    page.instead(HOOK, "{ env = \"HOOK\", file = \"x\" }");
    page.instead(HOOK, "{ file = \"none\" }");
    page.instead(HOOK, "{ credential = \"none\" }");
    page.instead(HOOK, "{ credential = \"../x\" }");
    page.instead(HOOK, "[{ env = \"HOOK\" }, { env = \"HOOK\" }]");
    page.instead(
        HOOK,
        "[{ env = \"HOOK\" }, { env = \"OTHER\" }, { env = \"TOKEN\" }]",
    );
    let two = GOOD.replace(HOOK, "[{ env = \"HOOK\" }, { env = \"OTHER\" }]");
    assert_eq!(
        parse(&two).unwrap().github.unwrap().webhook_secrets.len(),
        2
    );
    page.pin();
}

#[cfg(unix)]
#[test]
fn a_file_loses_one_line_break_and_should_not_be_open_to_all() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hook");
    let variables = [("KEY", "-----BEGIN RSA PRIVATE KEY-----")];
    let surroundings = Surroundings::fixed(folder.path(), variables);
    let text = GOOD.replace(HOOK, "{ file = \"hook\" }");
    let read = |content: &str, mode: u32| {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let config = Config::parse(&text, "bot.toml", &surroundings).unwrap();
        let secret = config.github.unwrap().webhook_secrets.remove(0);
        (secret.expose_secret().to_owned(), config.warnings)
    };
    let (secret, warnings) = read("0123456789abcdef\n", 0o600);
    assert_eq!((secret.as_str(), warnings.len()), ("0123456789abcdef", 0));
    let (secret, warnings) = read("0123456789abcdef\r\n", 0o644);
    assert_eq!((secret.as_str(), warnings.len()), ("0123456789abcdef", 1));
    assert!(
        warnings[0].starts_with("bot.toml:5: every user of this machine can read"),
        "{}",
        warnings[0]
    );
}

#[test]
fn limits_of_the_server_fit_together() {
    let page = Page::new("server-and-database");
    let server = |lines: &str| page.more(&format!("[server]\n{lines}"));
    server("max_waiting = \"1MiB\"");
    server("max_body = \"25MB\"");
    server("max_connections = 0");
    server("public_url = \"https://h/path\"");
    server("header_timeout = \"5\"");
    server("listen = \"[::]:80\"\npublic_url = \"https://H:1/\"");
    let database = |lines: &str| page.more(&format!("[database]\n{lines}"));
    database("url = \"mysql://h\"");
    database("url = { env = \"NONE\" }");
    database("url = true");
    page.pin();
}

#[test]
fn the_log_is_sent_to_places_that_can_be_told_apart() {
    let page = Page::new("exports");
    let export = |lines: &str| format!("{GOOD}[[ledger.export]]\n{lines}");
    let check = |lines: &str| {
        page.file(lines, &export(lines));
    };
    const FILE: &str = "name = \"siem\"\nto = \"file:log.ndjson\"\n";
    check(FILE);
    check("to = \"file:x\"");
    check("name = \"siem\"");
    check("name = \"my siem\"\nto = \"file:x\"");
    let to = |to: &str| check(&format!("name = \"a\"\nto = \"{to}\""));
    to("https://siem.example.com/in/");
    to("http://127.0.0.1:9000");
    to("siem.log");
    to("file:");
    to("file:logs/");
    to("http://siem.example.com");
    to("ftp://h");
    to("https://me:pw@h");
    check(&format!("{FILE}format = \"xml\""));
    check(&format!("{FILE}token = {{ env = \"TOKEN\" }}"));
    check("name = \"a\"\nto = \"https://h\"\ntoken = { env = \"NONE\" }");
    let other = "[[ledger.export]]\nname = \"other\"\nto = \"file:log.ndjson\"";
    check(&format!(
        "{FILE}[[ledger.export]]\nname = \"siem\"\nto = \"https://h\""
    ));
    check(&format!("{FILE}{other}"));
    let lines = "name = \"a\"\nto = \"https://H.example.com/in/\"\nformat = \"ecs\"\ntoken = { env = \"TOKEN\" }";
    let config = parse(&export(lines)).unwrap();
    let [export] = config.ledger.exports.as_slice() else {
        panic!("{:?}", config.ledger);
    };
    assert_eq!(
        export.to,
        ExportPlace::Url("https://h.example.com/in/".to_owned())
    );
    assert_eq!(export.format, ExportFormat::Ecs);
    let token = export.token.as_ref().map(ExposeSecret::expose_secret);
    assert_eq!(token, Some("token-of-a-machine"));
    let explained = explain(&config);
    assert!(
        explained.contains("sends its audit log to https://h.example.com/in/ in ECS (export a)")
    );
    assert!(!explained.contains("token-of-a-machine"));
    page.pin();
}

#[test]
fn witnesses_are_told_apart_and_reached_in_private() {
    let page = Page::new("witnesses");
    let witness = |lines: &str| format!("{GOOD}[[ledger.witness]]\n{lines}");
    let check = |lines: &str| {
        page.file(lines, &witness(lines));
    };
    const KEY: &str = "w.example/1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    let url = |url: &str| check(&format!("url = \"{url}\"\nkey = \"{KEY}\""));
    url("https://w.example/submit/");
    url("http://127.0.0.1:9000");
    url("http://w.example");
    url("w.example");
    let key = |key: &str| {
        check(&format!("url = \"https://h\"\nkey = \"{key}\""));
    };
    key("w.example/1");
    key(&KEY.replace("+BN", "+AN"));
    key(&KEY.replace("eb76", "xb76"));
    key(&KEY.replace("w.example/1", "export:siem"));
    key(&KEY.replace("w.example/1", ""));
    key("PRIVATE+KEY+w+1+A");
    check(&format!("key = \"{KEY}\""));
    check("url = \"https://h\"");
    let again = |address: &str| {
        format!(
            "url = \"https://h\"\nkey = \"{KEY}\"\n[[ledger.witness]]\nurl = \"{address}\"\nkey = \"{KEY}\""
        )
    };
    check(&again("https://i"));
    check(&again("https://h/"));
    let config = parse(&witness(&format!(
        "url = \"https://H/s/\"\nkey = \"{KEY}\""
    )))
    .unwrap();
    let [witness] = config.ledger.witnesses.as_slice() else {
        panic!("{:?}", config.ledger);
    };
    assert_eq!(
        (witness.url.as_str(), witness.key.as_str()),
        ("https://h/s", KEY)
    );
    let explained = explain(&config);
    let line = "has its signed heads cosigned by w.example/1 at https://h/s";
    assert!(explained.contains(line), "{explained}");
    page.pin();
}

#[test]
fn what_deserves_a_second_look_is_a_warning() {
    let page = Page::new("warnings");
    page.instead(EXCLUDE, "exclude = []");
    page.instead(EXCLUDE, "");
    page.instead(GATES, "[\"status:ci\"]");
    page.instead(
        "[roles.deployer]",
        "[roles.qa]\ngithub_users = [\"a\"]\n[roles.deployer]",
    );
    let by_token = (
        "app_id = 1\nprivate_key = { env = \"KEY\" }\n",
        "token = { env = \"TOKEN\" }\n",
    );
    page.instead(by_token.0, by_token.1);
    page.pin();
}

#[test]
fn a_key_in_the_wrong_place_is_told_where_it_belongs() {
    let page = Page::new("keys-in-the-wrong-place");
    for line in ["soak = \"1m\"", "github_teams = [\"a/b\"]", "app_id = 2"] {
        page.more(line);
    }
    page.instead("[[service.stage]]", "[service.stage]");
    page.pin();
}

#[test]
fn a_file_that_cannot_be_read_is_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.toml");
    let page = Page::new("files");
    let load = |title: &str| {
        let report = Config::load(&path).unwrap_err().to_string();
        page.text(
            title,
            &report.replace(&folder.path().display().to_string(), "/folder"),
        );
    };
    load("no file");
    fs::write(&path, b"a = 1\nb = \"\xe9\"").unwrap();
    load("not UTF-8");
    fs::write(&path, "").unwrap();
    load("an empty file");
    fs::write(&path, GOOD).unwrap();
    load("secrets in an environment that has none");
    page.pin();
    assert_eq!(surroundings().folder(), Path::new("/etc/countersign"));
}
