//! What a file may say, rule by rule: a good file with one change, and what is then refused.

use std::fs;
use std::path::Path;

use secrecy::ExposeSecret;

use super::{GOOD, parse, problems, surroundings};
use crate::config::{Config, ExportFormat, ExportPlace, Identity, Server, Surroundings, explain};
use crate::domain::{GitHubTrigger, Trigger};

/// Replaces a piece of the good file and lists the messages, without their lines.
fn check(piece: &str, instead: &str, expect: &[&str]) {
    assert!(GOOD.contains(piece), "{piece}");
    let seen = problems(&GOOD.replace(piece, instead));
    let seen: Vec<&str> = seen
        .iter()
        .filter_map(|line| Some(line.split_once(": ")?.1))
        .collect();
    assert_eq!(seen, expect, "{instead}");
}

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
    let Trigger::GitHub(GitHubTrigger::Deployment { environment }) = &environment.trigger else {
        panic!("{environment:?}");
    };
    assert_eq!(environment.as_str(), "prod");
}

#[test]
fn no_policy_means_refusal() {
    check(
        "approvals = { deployer = 1 }",
        "",
        &["`approvals` is missing in `environment`"],
    );
    check(APPROVALS, "{}", &["`approvals` is empty"]);
    check(
        APPROVALS,
        "{ deployer = 0 }",
        &["an approval by nobody is no approval"],
    );
    check(
        APPROVALS,
        "{ deployer = -1 }",
        &["`deployer` must be a whole number, zero or more"],
    );
    check(
        APPROVALS,
        "{ deployer = 101 }",
        &["this is more people than anybody could gather"],
    );
    check(APPROVALS, "{ chef = 1 }", &["there is no role `chef`"]);
    check(APPROVALS, "3", &["`approvals` must be a table"]);
}

#[test]
fn roles_have_people_on_the_forge_that_needs_them() {
    let teams = "github_teams = [\"acme/sre\"]";
    check(teams, "", &["nobody has the role `deployer`"]);
    check(
        teams,
        "github_teams = []",
        &["nobody has the role `deployer`"],
    );
    check(
        teams,
        "github_teams = [\"sre\"]",
        &["the organization is missing"],
    );
    check(
        teams,
        "gitlab_groups = [\"acme\"]",
        &["nobody on GitHub has the role `deployer`"],
    );
    check(
        teams,
        "github_users = [\"@a\", \"b[bot]\"]",
        &["a login is written without `@`", "an app cannot approve"],
    );
    check(
        teams,
        "github_roles = [\"read\"]",
        &["everybody who can see the repository has this role"],
    );
    check(
        teams,
        "gitlab_access_level = \"guest\"",
        &["`gitlab_access_level` does not know `guest`"],
    );
    let two = GOOD
        .replace(teams, "github_users = [\"a\"]")
        .replace(APPROVALS, "{ deployer = 2 }");
    assert_eq!(
        problems(&two),
        ["21: 2 people must approve, but only 1 can have the role `deployer`"]
    );
}

#[test]
fn stages_wait_for_gates_of_their_forge() {
    check(GATES, "[]", &["`gates` is empty"]);
    check(GATES, "\"check:build\"", &["`gates` must be a list"]);
    check(
        GATES,
        "[5]",
        &["an entry of `gates` must be text in quotes or a table"],
    );
    check(
        GATES,
        "[\"check:a\", \"check:a\"]",
        &["`check:a` stands here twice"],
    );
    check(
        GATES,
        "[\"check:a\", { check = \"a\", app = 1 }]",
        &["`check:a (only from app 1)` stands here twice"],
    );
    check(
        GATES,
        "[{ app = 1 }]",
        &["this gate does not say what it waits for"],
    );
    check(
        GATES,
        "[{ check = \"a\", status = \"a\" }]",
        &["a gate is one fact, and this is a check and a status"],
    );
    check(
        GATES,
        "[{ check = \"a\", app = 0 }]",
        &["no app has the id 0"],
    );
    check(
        GATES,
        "[{ workflow = \"a.yml\", app = 1 }]",
        &["`app` says nothing about a workflow of GitHub"],
    );
    check(GATES, "[{ job = \"a\" }]", &["GitHub has no gate `job`"]);
    check(
        "gates = [\"check:build\"]",
        "gates = [\"check:a\"]\nsoak = \"0m\"",
        &["this duration is zero"],
    );
    let stage = "[[service.stage]]\nname = \"build\"\ngates = [\"check:build\"]\n";
    check(stage, "", &["`stage` is missing in `service`"]);
    check(stage, &stage.repeat(2), &["`build` stands here twice"]);
}

#[test]
fn environments_are_told_apart_and_can_be_fulfilled() {
    let environment =
        "[[service.environment]]\nname = \"prod\"\napprovals = { deployer = 1 }\nexclude = []\n";
    let with = |more: &str| problems(&format!("{GOOD}{more}"));
    assert_eq!(with(environment), ["24: `prod` stands here twice"]);
    let alias = environment
        .replace("exclude", "aliases = [\"prod\"]\nexclude")
        .replacen("prod", "eu", 1);
    assert_eq!(with(&alias), ["26: `prod` stands here twice"]);
    assert_eq!(
        with("after = \"biuld\""),
        ["23: this service has no stage `biuld`"]
    );
    assert_eq!(
        with("expires = \"2 months\""),
        ["23: months and years differ in length"]
    );
    assert_eq!(
        with("freeze = \" \""),
        ["23: a freeze without a reason explains nothing"]
    );
    assert_eq!(
        with("allow = [\"forks\"]"),
        ["23: this allows nothing without `open-heads`"]
    );
    assert_eq!(
        with("allow = [\"open-heads\", \"open-heads\"]"),
        ["23: `open-heads` stands here twice"]
    );
    assert_eq!(
        with("soak = \"1m\""),
        ["23: the key `soak` is not known here"]
    );
    check(
        EXCLUDE,
        "exclude = [\"autor\"]",
        &["an entry of `exclude` does not know `autor`"],
    );
}

#[test]
fn triggers_need_what_they_use_and_refuse_the_rest() {
    let trigger = |trigger: &str, expect: &[&str]| {
        check(
            EXCLUDE,
            &format!("exclude = []\ntrigger = {trigger}\n"),
            expect,
        );
    };
    trigger("{ github = \"deployment\" }", &[]);
    trigger(
        "{ github = \"deploymnt\" }",
        &["`github` does not know `deploymnt`"],
    );
    trigger(
        "{ github = \"deployment\", ref = \"x\" }",
        &["`ref` says nothing to a deployment"],
    );
    trigger(
        "{ github = \"workflow_dispatch\" }",
        &["a workflow needs `workflow`", "a workflow needs `inputs`"],
    );
    trigger(
        "{ github = \"workflow_dispatch\", workflow = \"Deploy\", inputs = { a = \"b\" } }",
        &[
            "this is not a workflow's file name",
            "nothing here says which commit is released",
        ],
    );
    trigger(
        "{ github = \"workflow_dispatch\", workflow = \"d.yml\", inputs = { a = \"{commit}\" } }",
        &["this placeholder is not known"],
    );
    trigger(
        "{ github = \"workflow_dispatch\", workflow = \"d.yml\", inputs = { a = \"{sha}\" } }",
        &[],
    );
    trigger(
        "{ github = \"repository_dispatch\" }",
        &["a repository dispatch needs `event_type`"],
    );
    trigger("{ github = \"protection_rule\" }", &[]);
    trigger("{}", &["this trigger starts nothing"]);
    trigger(
        "{ gitlab = \"play_job\", job = \"d\" }",
        &["this service is on GitHub, and this trigger is for GitLab"],
    );
    trigger(
        "{ webhook = \"http://example.com\", secret = { env = \"HOOK\" } }",
        &[
            "a trigger by webhook is not available yet",
            "tokens cannot travel over plain HTTP",
        ],
    );
    trigger("3", &["`trigger` must be a table"]);
}

#[test]
fn services_do_not_overlap() {
    let service = GOOD.split_once("[[service]]").unwrap().1;
    let twice = |other: String| problems(&format!("{GOOD}[[service]]{other}"));
    assert_eq!(
        twice(service.to_owned()),
        [
            "24: `shop` stands here twice",
            "25: two services are the same repository, branch and paths"
        ]
    );
    let other = service.replace("shop\"\nrepo", "other\"\nrepo");
    assert_eq!(twice(other.replace("acme/shop", "ACME/shop")).len(), 1);
    assert_eq!(twice(other.replace("main", "v1")), Vec::<String>::new());
    assert_eq!(
        twice(other.replace("branch", "paths = [\"a/**\"]\nbranch")),
        Vec::<String>::new()
    );
    check(
        "branch = \"main\"",
        "branch = \"refs/heads/main\"",
        &["a branch is written without `refs/heads/`"],
    );
    check(
        "branch = \"main\"",
        "branch = \"main\"\npaths = [\"a[\"]",
        &["unclosed character class; missing ']'"],
    );
    check("github:acme/shop", "acme/shop", &["the forge is missing"]);
    check(
        "github:acme/shop",
        "gitlab:acme/shop",
        &[
            "this service is on GitLab, but there is no `[gitlab]`",
            "GitLab has no gate `check`",
            "nothing says how the release starts",
            "nobody on GitLab has the role `deployer`",
        ],
    );
}

#[test]
fn github_needs_an_identity_and_a_secret() {
    let (github, rest) = GOOD.split_once("[roles").unwrap();
    assert_eq!(
        problems(&format!("[roles{rest}")),
        ["6: this service is on GitHub, but there is no `[github]`"]
    );
    let id = "app_id = 1\n";
    let key = "private_key = { env = \"KEY\" }\n";
    assert!(github.contains(id) && github.contains(key));
    check(id, "", &["`app_id` is missing beside `private_key`"]);
    check(key, "", &["`private_key` is missing beside `app_id`"]);
    check(id, "app_id = 0\n", &["no app has the id 0"]);
    check(
        id,
        "token = { env = \"TOKEN\" }\n",
        &["Countersign acts either as an app or by a token"],
    );
    check(
        &format!("{id}{key}"),
        "",
        &["nothing says as whom Countersign acts on GitHub"],
    );
    check(
        key,
        "private_key = { env = \"HOOK\" }\n",
        &["this is not a private key in PEM"],
    );
    check(
        &format!("{id}{key}"),
        "token = { env = \"KEY\" }\n",
        &["this token has blanks, line breaks or strange letters in it"],
    );
    check(
        "webhook_secret = { env = \"HOOK\" }",
        "",
        &["`webhook_secret` is missing in `github`"],
    );
    check(
        id,
        "app_id = 1\napi_url = \"http://github.example.com\"\n",
        &["tokens cannot travel over plain HTTP"],
    );
    check(
        id,
        "app_id = 1\napi_url = \"https://github.com\"\n",
        &["this is where people go; the API is elsewhere"],
    );
    check("[github]", "[[github]]", &["`github` must be a table"]);
    let by_token = GOOD.replace(&format!("{id}{key}"), "token = { env = \"TOKEN\" }\n");
    let identity = parse(&by_token).unwrap().github.unwrap().identity;
    assert!(matches!(identity, Identity::Token(_)));
    let warnings = parse(&by_token).unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("protection rules")),
        "{warnings:?}"
    );
}

#[test]
fn secrets_are_found_where_the_file_says() {
    check(HOOK, "{}", &["`webhook_secret` is empty"]);
    check(HOOK, "[]", &["`webhook_secret` is empty"]);
    check(
        HOOK,
        "{ env = \"NONE\" }",
        &["the environment variable `NONE` is not set"],
    );
    check(
        HOOK,
        "{ env = \"EMPTY\" }",
        &["the environment variable `EMPTY` is empty"],
    );
    check(
        HOOK,
        "{ env = \"a b\" }",
        &["this is not the name of an environment variable"],
    );
    check(
        HOOK,
        "{ env = \"SHORT\" }",
        &["this secret has 15 bytes; 16 is the least"],
    );
    check(
        HOOK,
        "{ env = \"HOOK\", file = \"x\" }",
        &["a secret is found in one place only"],
    );
    check(
        HOOK,
        "{ file = \"none\" }",
        &["the file `/etc/countersign/none` does not exist"],
    );
    check(
        HOOK,
        "{ credential = \"none\" }",
        &["the file `/nowhere/at/all/none` does not exist"],
    );
    check(
        HOOK,
        "{ credential = \"../x\" }",
        &["this is not the name of a credential"],
    );
    check(
        HOOK,
        "[{ env = \"HOOK\" }, { env = \"HOOK\" }]",
        &["both secrets are the same"],
    );
    check(
        HOOK,
        "[{ env = \"HOOK\" }, { env = \"OTHER\" }, { env = \"TOKEN\" }]",
        &["there are more than two secrets"],
    );
    let two = GOOD.replace(HOOK, "[{ env = \"HOOK\" }, { env = \"OTHER\" }]");
    assert_eq!(
        parse(&two).unwrap().github.unwrap().webhook_secrets.len(),
        2
    );
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
    let server = |lines: &str| problems(&format!("{GOOD}[server]\n{lines}"));
    assert_eq!(
        server("max_waiting = \"1MiB\""),
        ["24: one body of the largest size would not fit in memory"]
    );
    assert_eq!(
        server("max_body = \"25MB\""),
        ["24: this is not a unit of memory"]
    );
    assert_eq!(
        server("max_connections = 0"),
        ["24: this is not a number of connections"]
    );
    assert_eq!(
        server("public_url = \"https://h/path\""),
        ["24: the public address cannot have a path"]
    );
    assert_eq!(
        server("header_timeout = \"5\""),
        ["24: the unit is missing"]
    );
    assert_eq!(
        server("listen = \"[::]:80\"\npublic_url = \"https://H:1/\""),
        Vec::<String>::new()
    );
    let database = |lines: &str| problems(&format!("{GOOD}[database]\n{lines}"));
    assert_eq!(
        database("url = \"mysql://h\""),
        ["24: this is not the address of a database"]
    );
    assert_eq!(
        database("url = { env = \"NONE\" }"),
        ["24: the environment variable `NONE` is not set"]
    );
    assert_eq!(
        database("url = true"),
        ["24: `url` must be text in quotes or a table"]
    );
}

#[test]
fn the_log_is_sent_to_places_that_can_be_told_apart() {
    let export = |lines: &str| format!("{GOOD}[[ledger.export]]\n{lines}");
    let check = |lines: &str, expect: &[&str]| {
        assert_eq!(problems(&export(lines)), expect, "{lines}");
    };
    const FILE: &str = "name = \"siem\"\nto = \"file:log.ndjson\"\n";
    check(FILE, &[]);
    check("to = \"file:x\"", &["23: `name` is missing in `export`"]);
    check("name = \"siem\"", &["23: `to` is missing in `export`"]);
    check(
        "name = \"my siem\"\nto = \"file:x\"",
        &["24: this cannot be the name of an export"],
    );
    let to = |to: &str, expect: &[&str]| check(&format!("name = \"a\"\nto = \"{to}\""), expect);
    to("https://siem.example.com/in/", &[]);
    to("http://127.0.0.1:9000", &[]);
    to("siem.log", &["25: this is neither a file nor a URL"]);
    to("file:", &["25: this is not the path of a file"]);
    to("file:logs/", &["25: this is not the path of a file"]);
    let plain = "25: the audit log cannot travel over plain HTTP";
    to("http://siem.example.com", &[plain]);
    to("ftp://h", &["25: a URL here begins with `https://`"]);
    let hidden = "25: a URL here cannot hold a name or a password";
    to("https://me:pw@h", &[hidden]);
    check(
        &format!("{FILE}format = \"xml\""),
        &["26: `format` does not know `xml`"],
    );
    check(
        &format!("{FILE}token = {{ env = \"TOKEN\" }}"),
        &["26: a file takes no token"],
    );
    check(
        "name = \"a\"\nto = \"https://h\"\ntoken = { env = \"NONE\" }",
        &["26: the environment variable `NONE` is not set"],
    );
    let other = "[[ledger.export]]\nname = \"other\"\nto = \"file:log.ndjson\"";
    check(
        &format!("{FILE}[[ledger.export]]\nname = \"siem\"\nto = \"https://h\""),
        &["27: `siem` stands here twice"],
    );
    check(
        &format!("{FILE}{other}"),
        &["28: `/etc/countersign/log.ndjson` stands here twice"],
    );
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
}

#[test]
fn witnesses_are_told_apart_and_reached_in_private() {
    let witness = |lines: &str| format!("{GOOD}[[ledger.witness]]\n{lines}");
    let check = |lines: &str, expect: &[&str]| {
        assert_eq!(problems(&witness(lines)), expect, "{lines}");
    };
    const KEY: &str = "w.example/1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    let url =
        |url: &str, expect: &[&str]| check(&format!("url = \"{url}\"\nkey = \"{KEY}\""), expect);
    url("https://w.example/submit/", &[]);
    url("http://127.0.0.1:9000", &[]);
    let plain = "24: a witness is not reached over plain HTTP";
    url("http://w.example", &[plain]);
    url("w.example", &["24: the `https://` of this URL is missing"]);
    let key = |key: &str, expect: &[&str]| {
        check(&format!("url = \"https://h\"\nkey = \"{key}\""), expect);
    };
    let strange = "25: this is not the key of a witness";
    key("w.example/1", &[strange]);
    key(&KEY.replace("+BN", "+AN"), &[strange]);
    key(&KEY.replace("eb76", "xb76"), &[strange]);
    key(&KEY.replace("w.example/1", "export:siem"), &[strange]);
    key(&KEY.replace("w.example/1", ""), &[strange]);
    key("PRIVATE+KEY+w+1+A", &["25: this is a private key"]);
    check(
        &format!("key = \"{KEY}\""),
        &["23: `url` is missing in `witness`"],
    );
    check(
        "url = \"https://h\"",
        &["23: `key` is missing in `witness`"],
    );
    let again = |address: &str| {
        format!(
            "url = \"https://h\"\nkey = \"{KEY}\"\n[[ledger.witness]]\nurl = \"{address}\"\nkey = \"{KEY}\""
        )
    };
    check(
        &again("https://i"),
        &["28: `w.example/1` stands here twice"],
    );
    check(
        &again("https://h/"),
        &[
            "27: `https://h` stands here twice",
            "28: `w.example/1` stands here twice",
        ],
    );
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
}

#[test]
fn what_deserves_a_second_look_is_a_warning() {
    let warnings =
        |piece: &str, instead: &str| parse(&GOOD.replace(piece, instead)).unwrap().warnings;
    assert_eq!(warnings(EXCLUDE, "exclude = []"), Vec::<String>::new());
    assert_eq!(
        warnings(EXCLUDE, ""),
        [
            "bot.toml:20: whoever wrote a change may approve it; `exclude = [\"author\"]` prevents it, `exclude = []` says that it is meant"
        ]
    );
    assert_eq!(
        warnings(GATES, "[\"status:ci\"]"),
        [
            "bot.toml:17: whoever can write to github:acme/shop can report the status `ci`; name its source with `app`"
        ]
    );
    assert_eq!(
        warnings(
            "[roles.deployer]",
            "[roles.qa]\ngithub_users = [\"a\"]\n[roles.deployer]"
        ),
        ["bot.toml:7: no environment asks for the role `qa`"]
    );
}

#[test]
fn a_key_in_the_wrong_place_is_told_where_it_belongs() {
    let help = |text: String| {
        parse(&text).unwrap_err().problems()[0]
            .help
            .clone()
            .unwrap()
    };
    assert_eq!(
        help(format!("{GOOD}soak = \"1m\"")),
        "`soak` belongs in `[[service.stage]]`"
    );
    assert_eq!(
        help(format!("{GOOD}github_teams = [\"a/b\"]")),
        "`github_teams` belongs in `[roles.NAME]`"
    );
    assert_eq!(
        help(format!("{GOOD}app_id = 2")),
        "`app_id` belongs in `[github]`"
    );
    assert_eq!(
        help(GOOD.replace("[[service.stage]]", "[service.stage]")),
        "there can be several of these; write double brackets"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_report_too() {
    let folder = tempfile::tempdir().unwrap();
    let report = Config::load(&folder.path().join("bot.toml")).unwrap_err();
    assert!(
        report.problems()[0]
            .message
            .starts_with("this file cannot be read: ")
    );
    let path = folder.path().join("latin1.toml");
    fs::write(&path, b"a = 1\nb = \"\xe9\"").unwrap();
    let report = Config::load(&path).unwrap_err();
    assert_eq!(report.problems()[0].message, "line 2 is not text in UTF-8");
    fs::write(&path, GOOD).unwrap();
    let report = Config::load(&path).unwrap_err();
    assert_eq!(
        report.problems()[0].message,
        "the environment variable `KEY` is not set"
    );
    assert_eq!(surroundings().folder(), Path::new("/etc/countersign"));
}
