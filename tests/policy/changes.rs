//! Changes of the file, and which of them change the policy's digest: an example for every key of the file, and
//! texts that differ without a difference in meaning.

use std::collections::BTreeSet;

use countersign::config;
use countersign::domain::policy_text::keys::{Bearing, KEYS};
use serde_json::Value;

use super::{GITHUB, GITLAB, parse, policy};

/// How a key is changed.
enum Example {
    /// In this file, as this environment sees it, from this text to that one.
    Change(&'static str, &'static str, &'static str, &'static str),
    /// This version refuses it; the example is written when it does not.
    NotYet(&'static str),
}

use Example::{Change, NotYet};

const WEBHOOK: &str =
    "trigger = { webhook = \"https://deploy.example.com\", secret = { env = \"TOKEN\" } }";

fn example(table: &str, name: &str) -> Example {
    match (table, name) {
        ("Service", "name") => Change(GITHUB, "prod", "name = \"shop\"", "name = \"store\""),
        ("Service", "formerly") => Change(
            GITHUB,
            "prod",
            "name = \"shop\"",
            "name = \"shop\"\nformerly = \"store\"",
        ),
        ("Service", "repo") => Change(GITHUB, "prod", "github:Acme/shop", "github:acme/store"),
        ("Service", "branch") => Change(GITHUB, "prod", "release/2.x", "release/3.x"),
        ("Service", "paths") => Change(GITHUB, "prod", "\"shop/**\", ", ""),
        ("Service", "notify") => Change(GITHUB, "prod", "[\"slack:C0123456789\", ", "["),
        ("Service", "stage") => Change(
            GITHUB,
            "prod",
            "[[service.stage]]\nname = \"regression\"",
            "[[service.stage]]\nname = \"more\"\ngates = [\"check:more\"]\n\
             [[service.stage]]\nname = \"regression\"",
        ),
        ("Service", "environment") => Change(
            GITHUB,
            "prod",
            "[[service.environment]]\nname = \"edge\"",
            "[[service.environment]]\nname = \"more\"\napprovals = { qa = 1 }\nexclude = []\n\
             [[service.environment]]\nname = \"edge\"",
        ),
        ("Stage", "name") => Change(GITHUB, "prod", "\"regression\"", "\"tests\""),
        ("Stage", "gates") => Change(GITHUB, "prod", "\"check:lint\", ", ""),
        ("Stage", "soak") => Change(GITHUB, "prod", "1h 30m", "91m"),
        ("Gate", "check") => Change(GITHUB, "prod", "check = \"visual\"", "check = \"seen\""),
        ("Gate", "status") => Change(
            GITHUB,
            "prod",
            "status = \"load-test\"",
            "status = \"load\"",
        ),
        ("Gate", "workflow") => Change(
            GITHUB,
            "prod",
            "\"workflow:security.yml\"",
            "{ workflow = \"safety.yml\" }",
        ),
        ("Gate", "deployment") => Change(
            GITHUB,
            "prod",
            "deployment = \"preview\"",
            "deployment = \"qa\"",
        ),
        ("Gate", "job") => Change(GITLAB, "prod", "\"job:build\"", "{ job = \"compile\" }"),
        ("Gate", "pipeline") => Change(
            GITLAB,
            "prod",
            "pipeline = \"nightly\"",
            "pipeline = \"daily\"",
        ),
        ("Gate", "posted") => Change(GITHUB, "prod", "app = 7 ", "app = 7, posted = true "),
        ("Gate", "events") => Change(
            GITHUB,
            "prod",
            "app = 7 ",
            "app = 7, events = [\"pull_request\"] ",
        ),
        ("Gate", "app") => Change(GITHUB, "prod", "app = 7 ", "app = 8 "),
        // By its alias: the trigger names the environment on the forge itself.
        ("Environment", "name") => {
            Change(GITHUB, "production", "name = \"prod\"", "name = \"live\"")
        }
        ("Environment", "formerly") => Change(
            GITHUB,
            "prod",
            "aliases = [\"production\"]",
            "aliases = [\"production\"]\nformerly = \"live\"",
        ),
        ("Environment", "aliases") => Change(
            GITHUB,
            "prod",
            "aliases = [\"production\"]",
            "aliases = [\"live\"]",
        ),
        ("Environment", "after") => {
            Change(GITHUB, "canary", "after = \"staging\"", "after = \"build\"")
        }
        ("Environment", "approvals") => Change(GITHUB, "prod", "deployer = 2", "deployer = 3"),
        ("Environment", "exclude") => Change(GITHUB, "prod", "\"requester\", ", ""),
        ("Environment", "expires") => Change(GITHUB, "prod", "26h", "27h"),
        ("Environment", "follow") => Change(GITHUB, "prod", "\"5m\"", "\"6m\""),
        ("Environment", "allow") => Change(GITHUB, "canary", ", \"forks\"", ""),
        ("Environment", "freeze") => Change(
            GITHUB,
            "prod",
            "follow = \"5m\"",
            "follow = \"5m\"\nfreeze = \"until Monday\"",
        ),
        ("Environment", "trigger") => Change(
            GITHUB,
            "prod",
            "{ github = \"deployment\", environment = \"Production (EU)\" }",
            "{ github = \"repository_dispatch\", event_type = \"deploy\" }",
        ),
        ("Trigger", "github") => Change(
            GITHUB,
            "prod",
            "github = \"deployment\"",
            "github = \"protection_rule\"",
        ),
        ("Trigger", "gitlab") => Change(
            GITLAB,
            "prod-us",
            "gitlab = \"trigger_token\", token = { env = \"TOKEN\" }",
            "gitlab = \"create_pipeline\"",
        ),
        ("Trigger", "webhook" | "secret") => NotYet(WEBHOOK),
        ("Trigger", "environment") => Change(GITHUB, "prod", "Production (EU)", "Production"),
        ("Trigger", "reporter") => Change(
            GITHUB,
            "prod",
            "\"Production (EU)\" ",
            "\"Production (EU)\", reporter = \"argo\" ",
        ),
        ("Trigger", "workflow") => Change(GITHUB, "canary", "deploy.yml", "release.yml"),
        ("Trigger", "ref") => Change(GITHUB, "canary", "ref = \"main\"", "ref = \"trunk\""),
        // An input without a value is one all the same.
        ("Trigger", "inputs") => Change(GITHUB, "canary", ", note = \"\"", ""),
        ("Trigger", "event_type") => Change(GITHUB, "edge", "deploy-edge", "deploy"),
        ("Trigger", "job") => Change(GITLAB, "prod", "deploy-prod", "deploy"),
        ("Trigger", "variables") => Change(GITLAB, "prod-eu", "WHERE =", "PLACE ="),
        ("Trigger", "token") => Change(
            GITLAB,
            "prod-us",
            "token = { env = \"TOKEN\" }, ",
            "token = { env = \"OTHER\" }, ",
        ),
        ("Role", "github_users") => Change(GITHUB, "prod", "\"hubot\"", "\"ann\""),
        ("Role", "github_teams") => Change(GITHUB, "prod", "acme/Oncall", "acme/night"),
        ("Role", "github_roles") => Change(GITHUB, "prod", "\"maintain\"", "\"admin\""),
        ("Role", "gitlab_users") => Change(GITLAB, "prod", "\"quinn\"", "\"ann\""),
        ("Role", "gitlab_groups") => Change(GITLAB, "prod", "acme/Night/shift", "acme/night"),
        ("Role", "gitlab_access_level") => Change(GITLAB, "prod", "\"maintainer\"", "\"owner\""),
        ("Subscription", "channel") => Change(
            GITHUB,
            "prod",
            "discord:1000000000000000002",
            "slack:C0000000009",
        ),
        ("Subscription", "environments") => Change(
            GITHUB,
            "prod",
            "on = [\"ready\"]",
            "on = [\"ready\"], environments = [\"prod\"]",
        ),
        ("Subscription", "on") => Change(GITHUB, "prod", "on = [\"ready\"]", "on = [\"live\"]"),
        ("Subscription", "call") => Change(
            GITHUB,
            "prod",
            "on = [\"ready\"]",
            "on = [\"ready\"], call = \"1000000000000000004\"",
        ),
        ("Subscription", "quiet") => Change(GITHUB, "prod", "22:00-07:00", "23:00-07:00"),
        (table, name) => panic!("`{name}` of {table} needs an example of how it changes"),
    }
}

fn changed(file: &str, from: &str, to: &str) -> String {
    assert_eq!(file.matches(from).count(), 1, "{from}");
    file.replace(from, to)
}

#[test]
fn each_key_changes_the_digest_as_the_list_says() {
    for key in KEYS {
        let name = format!("{} of {}", key.name, key.table);
        let (file, environment, from, to) = match example(key.table, key.name) {
            Change(file, environment, from, to) => (file, environment, from, to),
            NotYet(trigger) => {
                let trigger_of_edge =
                    "trigger = { github = \"repository_dispatch\", event_type = \"deploy-edge\" }";
                let report = parse(&changed(GITHUB, trigger_of_edge, trigger)).unwrap_err();
                let says = report.problems().first().unwrap().message.clone();
                assert!(says.ends_with("is not available yet"), "{name}: {says}");
                continue;
            }
        };
        let before = policy(file, environment);
        let after = policy(&changed(file, from, to), environment);
        let is_another = before.digest != after.digest;
        assert_eq!(is_another, before.text != after.text, "{name}");
        assert_eq!(is_another, key.bearing == Bearing::In, "{name}");
    }
}

/// The tables that a definition of the schema leads to.
fn led_to(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) => {
            if let Some(Value::String(path)) = table.get("$ref") {
                found.insert(path.trim_start_matches("#/$defs/").to_owned());
            }
            table.values().for_each(|inner| led_to(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| led_to(inner, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every key of services and roles, by the table in which it is written.
fn keys_of_the_file() -> Vec<(String, String)> {
    let schema = config::schema();
    let mut waiting = BTreeSet::new();
    for root in ["roles", "service"] {
        led_to(&schema["properties"][root], &mut waiting);
    }
    let mut seen = BTreeSet::new();
    let mut keys = Vec::new();
    while let Some(table) = waiting.pop_first() {
        // Where a secret is found says nothing about a policy.
        if table == "Secret" || !seen.insert(table.clone()) {
            continue;
        }
        let definition = &schema["$defs"][&table];
        led_to(definition, &mut waiting);
        let names = definition["properties"].as_object().into_iter().flatten();
        keys.extend(names.map(|(name, _)| (table.clone(), name.clone())));
    }
    keys.sort();
    keys
}

#[test]
fn every_key_of_services_and_people_is_listed_once() {
    let file = keys_of_the_file();
    assert!(file.len() > 40, "{file:?}");
    let mut listed: Vec<(String, String)> = KEYS
        .iter()
        .map(|key| (key.table.to_owned(), key.name.to_owned()))
        .collect();
    listed.sort();
    assert_eq!(
        listed, file,
        "src/domain/policy_text/keys.rs (left) and the schema of bot.toml (right) differ"
    );
}

fn same(file: &str, environment: &str, changes: &[(&str, &str)]) {
    let mut other = file.to_owned();
    for (from, to) in changes {
        assert!(other.contains(from), "{from}");
        other = other.replace(from, to);
    }
    let (before, after) = (policy(file, environment), policy(&other, environment));
    assert_eq!(before.text, after.text, "{changes:?}");
    assert_eq!(before.digest, after.digest, "{changes:?}");
}

#[test]
fn the_order_of_lists_that_have_none_means_nothing() {
    same(
        GITHUB,
        "prod",
        &[
            (
                "[\"acme/sre\", \"acme/Oncall\"]",
                "[\"acme/Oncall\", \"acme/sre\"]",
            ),
            ("[\"Octocat\", \"hubot\"]", "[\"hubot\", \"Octocat\"]"),
            (
                "[\"shop/**\", \"shared/{a,b}/*.rs\"]",
                "[\"shared/{a,b}/*.rs\", \"shop/**\"]",
            ),
            (
                "[\"check:lint\", \"check:build \\\"fast\\\"\"",
                "[\"check:build \\\"fast\\\"\", \"check:lint\"",
            ),
            ("[\"requester\", \"author\"]", "[\"author\", \"requester\"]"),
            ("{ qa = 1, deployer = 2 }", "{ deployer = 2, qa = 1 }"),
        ],
    );
    same(
        GITHUB,
        "canary",
        &[("\"drafts\", \"forks\"", "\"forks\", \"drafts\"")],
    );
}

#[test]
fn the_same_said_in_other_words_is_the_same() {
    // Names of ours, and how forges write theirs.
    same(
        GITHUB,
        "prod",
        &[
            ("deployer", "releaser"),
            ("\"staging\"", "\"stage-two\""),
            ("Octocat", "octocat"),
            ("acme/Oncall", "ACME/oncall"),
            ("Acme/shop", "acme/Shop"),
            ("1h 30m", "90m"),
        ],
    );
    // Who has the role elsewhere does not matter here.
    same(GITHUB, "prod", &[("\"tanuki\"", "\"dora\"")]);
    same(GITLAB, "prod", &[("github_teams = [\"acme/sre\"]", "")]);
    // What goes without saying may be said.
    same(
        GITHUB,
        "prod-eu",
        &[(
            "trigger = { github = \"protection_rule\" }",
            "trigger = { github = \"protection_rule\", environment = \"prod-eu\" }\n\
             after = \"regression\"\nallow = []\naliases = []\nexpires = \"4h\"",
        )],
    );
    same(
        GITHUB,
        "prod",
        &[("\"check:lint\"", "{ check = \"lint\" }")],
    );
}

#[test]
fn the_order_of_stages_means_something() {
    let first = "gates = [\"pipeline\", \"job:build\", \"job:unit 1/3\"]";
    let second = "gates = [\"deployment:staging\", \"status:license-check\", { pipeline = \"nightly\" }]\nsoak = \"10m\"";
    let swapped = changed(GITLAB, first, "FIRST");
    let swapped = changed(&changed(&swapped, second, first), "FIRST", second);
    let (before, after) = (policy(GITLAB, "prod"), policy(&swapped, "prod"));
    assert_ne!(before.digest, after.digest);
}

#[test]
fn two_roles_of_the_same_people_are_two_approvals() {
    let twins = |approvals: &str| {
        let two = "[roles.deployer]\ngitlab_users = [\"ann\", \"bob\"]\n\
                   [roles.qa]\ngitlab_users = [\"ann\", \"bob\"]\n";
        let (before, rest) = GITLAB.split_once("[roles.deployer]").unwrap();
        let (_, rest) = rest.split_once("[[service]]").unwrap();
        let file = format!("{before}{two}[[service]]{rest}");
        let file = file.replace("qa = 2", "qa = 1");
        policy(&file.replace("{ deployer = 1, qa = 1 }", approvals), "prod")
    };
    let one = twins("{ deployer = 1 }");
    let both = twins("{ deployer = 1, qa = 1 }");
    assert_ne!(one.digest, both.digest);
    assert_eq!(twins("{ qa = 1 }").digest, one.digest);
}

#[test]
fn a_word_that_stands_for_others_means_them() {
    same(
        GITHUB,
        "edge",
        &[(
            "exclude = [\"author\"]",
            "exclude = [\"pusher\", \"opener\", \"co-author\", \"commit-author\"]",
        )],
    );
}
