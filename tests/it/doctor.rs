//! `doctor`, as an operator types it: silent about a good set-up, and for each mistake a word about what to do.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign_ground::clock::Clock;
use countersign_sandbox::discord::{self, CHANNEL, Discord};
use countersign_sandbox::github::{APP_ID, APP_KEY, APP_SLUG, Fate, GitHub};
use countersign_sandbox::gitlab::{GitLab, JobPlan, Trouble};
use countersign_sandbox::slack::{self, Slack};
use serde_json::Value;

use crate::contract;
use crate::support::deliveries::SECRET;
use crate::support::pinned::Page;
use crate::support::service::{self, Service, TOKEN};

const PUBLIC: &str = "https://deploys.example.com";
const SHOP: &str = "acme/shop";
/// A key that no application here has.
const OTHER_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const BOT_TOKEN: &str = "bot.token.of.tests";

const SERVICES: &str = r#"
[roles.deployer]
github_teams = ["acme/sre"]
gitlab_groups = ["acme"]
[roles.qa]
github_users = ["ann"]
gitlab_users = ["ann"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"
notify = ["discord:CHANNEL"]
[[service.stage]]
name = "build"
gates = ["check:build", "workflow:ci.yml"]
[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "production" }
[[service.environment]]
name = "prod-eu"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "workflow_dispatch", workflow = "deploy.yml", inputs = { sha = "{sha}" } }
[[service.environment]]
name = "prod-us"
approvals = { deployer = 1, qa = 1 }
exclude = []
trigger = { github = "protection_rule", environment = "production-us" }

[[service]]
name = "warehouse"
repo = "gitlab:acme/shop"
branch = "main"
notify = ["slack:C0123456789"]
[[service.stage]]
name = "build"
gates = ["job:build"]
[[service.environment]]
name = "prod"
approvals = { deployer = 1, qa = 1 }
exclude = []
trigger = { gitlab = "play_job", job = "deploy-prod" }
[[service.environment]]
name = "prod-eu"
approvals = { deployer = 1 }
exclude = []
trigger = { gitlab = "approve_then_play", environment = "production" }
"#;

/// A machine with a configuration in which nothing is wrong, and all outside whom it names.
struct Machine {
    folder: tempfile::TempDir,
    github: GitHub,
    hook: u64,
    gitlab: GitLab,
    discord: Discord,
    slack: Slack,
}

/// What the doctor said.
struct Said {
    code: Option<i32>,
    findings: Vec<Value>,
}

impl Machine {
    async fn new() -> Self {
        Self::at(Clock::system()).await
    }

    /// With a GitHub whose clock is this.
    async fn at(clock: Clock) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
            github: GitHub::start_at(TOKEN, clock).await.unwrap(),
            hook: 0,
            gitlab: GitLab::start(TOKEN).await.unwrap(),
            discord: Discord::start(BOT_TOKEN).await.unwrap(),
            slack: Slack::start().await.unwrap(),
        };
        let machine = machine.set_up_github();
        machine
            .discord
            .believe_endpoint(&format!("{PUBLIC}/hooks/discord"));
        let gitlab = &machine.gitlab;
        let jobs = vec![
            JobPlan::new("build", "build"),
            JobPlan::new("deploy-prod", "deploy")
                .manual()
                .to("production"),
        ];
        gitlab.set_jobs(SHOP, jobs);
        gitlab.protect_environment(
            SHOP,
            "production",
            &[countersign_sandbox::gitlab::Access::Level(40)],
            1,
        );
        let head = gitlab.head(SHOP, "main").unwrap();
        gitlab.run_pipeline(SHOP, "main", "ann").await;
        assert!(gitlab.pipeline_of(SHOP, &head).is_some());
        machine.write("app.pem", APP_KEY);
        machine.configure(|text| text);
        let set = machine.run(&["setup", "gitlab"]);
        assert!(set.status.success(), "{set:?}");
        machine
    }

    fn set_up_github(mut self) -> Self {
        let github = &self.github;
        github.add_workflow(SHOP, "ci.yml", &["push"]);
        github.add_workflow(SHOP, "deploy.yml", &["workflow_dispatch"]);
        github.add_environment(SHOP, "production");
        github.add_environment(SHOP, "production-us");
        github.protect(SHOP, "production-us", APP_SLUG);
        github.add_team(70, "acme", "sre");
        self.hook = github.hook(&format!("{PUBLIC}/hooks/github"), SECRET);
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        chmod(&self.path(name), 0o600);
    }

    fn configure(&self, change: impl Fn(String) -> String) {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"{PUBLIC}\"\n\
             [github]\napi_url = \"{}\"\napp_id = {APP_ID}\nprivate_key = {{ file = \"app.pem\" }}\n\
             webhook_secret = {{ env = \"TEST_SECRET\" }}\n\
             [gitlab]\nurl = \"{}\"\ntoken = {{ env = \"TEST_TOKEN\" }}\nwebhook_secret = {{ env = \"TEST_SECRET\" }}\n\
             [discord]\napplication_id = \"{}\"\npublic_key = \"{}\"\ntoken = {{ env = \"DISCORD_TOKEN\" }}\n\
             guilds = [\"{}\"]\napi_url = \"{}/api/v10\"\n\
             [slack]\ntoken = {{ env = \"SLACK_TOKEN\" }}\nsigning_secret = {{ env = \"SLACK_SECRET\" }}\n\
             app_token = {{ env = \"SLACK_APP_TOKEN\" }}\nteams = [\"{}\"]\n\
             api_url = \"{slack}/api\"\nhooks_url = \"{slack}\"\n{}",
            self.github.url(),
            self.gitlab.url(),
            discord::APPLICATION_ID,
            self.discord.public_key_hex(),
            discord::GUILD,
            self.discord.url(),
            slack::TEAM,
            SERVICES.replace("CHANNEL", &CHANNEL.to_string()),
            slack = self.slack.url(),
        );
        let changed = change(text);
        self.write("bot.toml", &changed);
    }

    fn run(&self, words: &[&str]) -> std::process::Output {
        let mut command = service::command(&self.path("bot.toml"), words);
        for (name, value) in variables() {
            command.env(name, value);
        }
        // The sandboxes must go on while the command runs.
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let shown = [output.stdout.clone(), output.stderr.clone()].concat();
        let shown = String::from_utf8(shown).unwrap();
        for secret in [
            TOKEN,
            SECRET,
            BOT_TOKEN,
            slack::BOT_TOKEN,
            slack::SIGNING_SECRET,
        ] {
            assert!(!shown.contains(secret), "{shown}");
        }
        output
    }

    fn examine(&self) -> Said {
        let output = self.run(&["doctor", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = told["findings"].as_array().unwrap().clone();
        let count = |level: &str| findings.iter().filter(|one| one["level"] == level).count();
        assert_eq!(told["errors"], count("error"));
        assert_eq!(told["warnings"], count("warning"));
        Said {
            code: output.status.code(),
            findings,
        }
    }

    /// What the doctor complains about, pinned under this name. What is in order is pinned where all is.
    fn finds(&self, name: &str) {
        self.finds_with(name, &["doctor"]);
    }

    fn finds_with(&self, name: &str, words: &[&str]) {
        let mut output = self.run(words);
        let said = String::from_utf8(output.stdout).unwrap();
        let complaints = said.lines().filter(|line| !line.starts_with("ok "));
        let complaints: Vec<&str> = complaints.flat_map(|line| [line, "\n"]).collect();
        output.stdout = complaints.concat().into_bytes();
        let mut page = Page::of_terminal(&format!("doctor-{name}"));
        page.ran(words, &output);
        page.pin();
    }
}

impl Said {
    fn complaints(&self) -> Vec<&Value> {
        let all = self.findings.iter();
        all.filter(|one| one["level"] != "ok").collect()
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn variables() -> Vec<(&'static str, String)> {
    let variables = [
        ("DISCORD_TOKEN", BOT_TOKEN),
        ("SLACK_TOKEN", slack::BOT_TOKEN),
        ("SLACK_APP_TOKEN", slack::APP_TOKEN),
        ("SLACK_SECRET", slack::SIGNING_SECRET),
    ];
    variables
        .map(|(name, value)| (name, value.to_owned()))
        .into()
}

/// One test for each mistake: how it is made. What is said about it stands in the page of its name.
macro_rules! mistakes {
    ($($name:ident: $make:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let machine = Machine::new().await;
            let make: fn(&Machine) = $make;
            make(&machine);
            machine.finds(stringify!($name));
        })*
    };
}

fn rewrite(machine: &Machine, from: &str, to: &str) {
    machine.configure(|text| {
        assert!(text.contains(from), "{text}");
        text.replace(from, to)
    });
}

mistakes! {
    a_secret_that_everybody_can_read: |machine| chmod(&machine.path("app.pem"), 0o644);
    an_address_without_tls: |machine| {
        rewrite(machine, PUBLIC, "http://deploys.example.com");
        machine.discord.believe_endpoint("http://deploys.example.com/hooks/discord");
        machine.github.move_hook(machine.hook, "http://deploys.example.com/hooks/github", SECRET);
        assert!(machine.run(&["setup", "gitlab"]).status.success());
    };
    an_address_that_is_not_this_machines: |machine| rewrite(machine, "127.0.0.1:0", "192.0.2.1:7878");
    a_folder_that_is_not_there: |machine| rewrite(machine, "[github]", "[database]\nurl = \"sqlite:nowhere/c.db\"\n[github]");
    a_database_that_is_none: |machine| machine.write("countersign.db", &"no database ".repeat(100));
    a_log_key_that_others_can_use: |machine| {
        machine.write("countersign-log.key", "whatever");
        chmod(&machine.path("countersign-log.key"), 0o640);
    };
    a_key_that_is_not_the_apps: |machine| rewrite(machine, &format!("app_id = {APP_ID}"), "app_id = 77");
    a_github_that_is_not_reached: |machine| rewrite(machine, &machine.github.url(), "http://127.0.0.1:9");
    an_app_that_asks_for_too_little: |machine| machine.github.ask_for("deployments", Some("read"));
    an_installation_that_grants_too_little: |machine| machine.github.set_permission(77, "members", None);
    an_app_that_is_not_told_everything: |machine| machine.github.unsubscribe("workflow_run");
    a_webhook_that_leads_elsewhere: |machine| machine.github.move_hook(machine.hook, "https://old.example.com/hooks/github", SECRET);
    a_webhook_without_a_secret: |machine| machine.github.move_hook(machine.hook, &format!("{PUBLIC}/hooks/github"), "");
    a_webhook_that_sends_forms: |machine| machine.github.set_hook(machine.hook, "form", true);
    a_branch_that_is_not_there: |machine| rewrite(machine, "repo = \"github:acme/shop\"\nbranch = \"main\"", "repo = \"github:acme/shop\"\nbranch = \"trunk\"");
    a_workflow_that_is_not_there: |machine| rewrite(machine, "workflow:ci.yml", "workflow:cl.yml");
    a_workflow_that_is_switched_off: |machine| machine.github.switch_off(SHOP, "deploy.yml");
    an_environment_that_waits_for_nobody: |machine| rewrite(machine, "\"production-us\"", "\"production\"");
    an_environment_that_is_misspelt: |machine| rewrite(machine, "\"deployment\", environment = \"production\"", "\"deployment\", environment = \"prodution\"");
    a_team_that_is_not_there: |machine| rewrite(machine, "acme/sre", "acme/ser");
    a_person_who_is_not_there: |machine| rewrite(machine, "github_users = [\"ann\"]", "github_users = [\"anne\"]");
    a_gitlab_token_that_ended: |machine| machine.gitlab.expire_tokens();
    an_account_that_is_no_maintainer: |machine| machine.gitlab.set_access(SHOP, "countersign", Some(20));
    a_job_that_is_not_there: |machine| rewrite(machine, "job = \"deploy-prod\"", "job = \"deploy-prd\"");
    an_environment_that_is_not_protected: |machine| {
        machine.gitlab.set_premium(false);
    };
    a_group_that_is_not_there: |machine| rewrite(machine, "gitlab_groups = [\"acme\"]", "gitlab_groups = [\"acne\"]");
    a_discord_token_that_is_wrong: |machine| rewrite(machine, "DISCORD_TOKEN", "TEST_TOKEN");
    a_discord_key_that_is_wrong: |machine| rewrite(machine, &machine.discord.public_key_hex(), OTHER_KEY);
    a_discord_that_sends_elsewhere: |machine| machine.discord.believe_endpoint("https://old.example.com/hooks/discord");
    a_channel_that_the_bot_does_not_see: |machine| machine.discord.set_bot_access(CHANNEL, false, false);
    a_channel_where_the_bot_may_not_write: |machine| machine.discord.set_bot_access(CHANNEL, true, false);
    a_slack_token_that_is_wrong: |machine| rewrite(machine, "SLACK_TOKEN", "TEST_TOKEN");
    a_slack_of_somebody_else: |machine| rewrite(machine, slack::TEAM, "T0ELSEWHERE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_set_up_is_not_complained_about() {
    let machine = Machine::new().await;
    let before = machine.examine();
    assert!(before.complaints().is_empty(), "{:#?}", before.complaints());
    assert_eq!(before.code, Some(0));
    assert!(before.findings.len() > 15, "{:#?}", before.findings);
    contract::check(&machine.github);
    contract::gitlab::check(&machine.gitlab);
    // What it looked at is as it was.
    assert!(!machine.path("countersign.db").exists());

    let service = Service::run(machine.path("bot.toml"), &variables()).await;
    assert_eq!(service.stop().await, 0);
    let after = machine.examine();
    assert!(after.complaints().is_empty(), "{:#?}", after.complaints());

    let mut page = Page::of_terminal("doctor");
    for words in [&["doctor"][..], &["doctor", "--offline"], &["check"]] {
        let output = machine.run(words);
        assert!(!output.stdout.contains(&b'\x1b'), "{output:?}");
        page.ran(words, &output);
    }
    page.pin();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_mistakes_is_shown_with_them() {
    let machine = Machine::new().await;
    rewrite(
        &machine,
        "approvals = { deployer = 1, qa = 1 }",
        "approvals = { deplyer = 1 }",
    );
    machine.finds("a_configuration_with_mistakes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let (clock, hand) = Clock::by_hand("2026-01-01T00:00:00Z".parse().unwrap());
    let now = Clock::system().now().as_second();
    let then = clock.now().as_second();
    let ahead = u64::try_from(now - then - 300).unwrap();
    hand.advance(std::time::Duration::from_secs(ahead));
    let machine = Machine::at(clock).await;
    machine.finds("a_clock_that_is_wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_installation() {
    let machine = Machine::new().await;
    machine
        .github
        .installation(77, "acme", Fate::Suspended)
        .await;
    machine.finds("a_suspended_installation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_not_there_and_a_tag_that_is() {
    let machine = Machine::new().await;
    let head = machine.gitlab.head(SHOP, "main").unwrap();
    machine.gitlab.never_disable_hooks();
    machine.gitlab.tag(SHOP, "v1", &head, "ann").await;
    let played = "gitlab = \"play_job\", job = \"deploy-prod\"";
    let created = |reference: &str| {
        format!(
            "gitlab = \"create_pipeline\", ref = \"{reference}\", variables = {{ RELEASE_SHA = \"{{sha}}\" }}"
        )
    };
    rewrite(&machine, played, &created("refs/tags/v1"));
    let said = machine.examine();
    assert!(said.complaints().is_empty(), "{:#?}", said.complaints());
    rewrite(&machine, played, &created("refs/tags/v2"));
    machine.finds("a_reference_that_is_not_there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_gitlab_put_aside() {
    let machine = Machine::new().await;
    machine.gitlab.drop_next(4);
    for title in ["one", "two", "three", "four"] {
        let change = countersign_sandbox::gitlab::NewCommit::by("ann", title);
        machine.gitlab.push(SHOP, "aside", vec![change]).await;
    }
    machine.gitlab.delivered().await;
    machine.finds("a_webhook_that_gitlab_put_aside");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_gitlab_that_is_small_or_ends_soon() {
    let machine = Machine::new().await;
    let end = Clock::system().now() + jiff_days(3);
    machine
        .gitlab
        .add_token_with(TOKEN, "countersign", &["read_api"], Some(end));
    machine.finds("a_token_of_gitlab_that_is_small_or_ends_soon");
}

fn jiff_days(days: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * days)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_token_and_its_webhook() {
    let machine = Machine::new().await;
    let as_person = |text: String| {
        let app = format!("app_id = {APP_ID}\nprivate_key = {{ file = \"app.pem\" }}\n");
        assert!(text.contains(&app));
        text.replace(&app, "token = { env = \"TEST_TOKEN\" }\n")
            .replace(
                "trigger = { github = \"protection_rule\", environment = \"production-us\" }",
                "",
            )
    };
    machine.configure(as_person);
    machine.github.add_environment(SHOP, "prod-us");
    machine.github.set_scopes(TOKEN, "public_repo, read:org");
    machine.finds("a_personal_token_without_its_scope_and_webhook");
    machine.github.set_scopes(TOKEN, "repo");
    machine
        .github
        .repository_hook(SHOP, &format!("{PUBLIC}/hooks/github"), SECRET);
    machine.finds("a_personal_token");
    contract::check(&machine.github);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_short() {
    let machine = Machine::new().await;
    for _ in 0..2 {
        let service = Service::run(machine.path("bot.toml"), &variables()).await;
        assert_eq!(service.stop().await, 0);
        if !machine.path("kept.db").exists() {
            std::fs::copy(machine.path("countersign.db"), machine.path("kept.db")).unwrap();
            // Something more is recorded at the next start.
            rewrite(&machine, "exclude = []", "exclude = [\"author\"]");
        }
    }
    std::fs::rename(machine.path("kept.db"), machine.path("countersign.db")).unwrap();
    machine.finds("a_log_that_was_cut_short");

    // Offline, no server is asked, and the log is looked at all the same.
    let calls = machine.github.calls().len();
    machine.finds_with("a_log_that_was_cut_short_offline", &["doctor", "--offline"]);
    assert_eq!(machine.github.calls().len(), calls);
}

/// In a terminal there are colours, unless the operator does not want them, and what takes long says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_colours_and_that_something_takes_long() {
    let machine = Machine::new().await;
    let shown = |no_color: &str| {
        let line = format!("{} doctor", env!("CARGO_BIN_EXE_countersign"));
        let mut command = std::process::Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .env("COUNTERSIGN_CONFIG", machine.path("bot.toml"))
            .env("TEST_TOKEN", TOKEN)
            .env("TEST_SECRET", SECRET)
            .env("NO_COLOR", no_color)
            .envs(variables())
            .stdin(std::process::Stdio::null());
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let slow = Trouble::Slow(std::time::Duration::from_millis(2_200));
    machine.github.expect_trouble_at("GET", "/app", slow);
    let colourful = shown("");
    assert!(colourful.contains("asking GitHub: 1 s"), "{colourful:?}");
    assert!(colourful.contains("\x1b[32mok"), "{colourful:?}");
    let plain = shown("1");
    assert!(
        !plain.contains('\x1b') && plain.contains("ok "),
        "{plain:?}"
    );
}

/// Whatever goes wrong with a question is said, and the other questions are asked all the same.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_with_a_question_is_a_finding() {
    let machine = Machine::new().await;
    let troubles = || {
        [
            Trouble::Reset,
            Trouble::Garbage,
            Trouble::Refuse {
                status: 502,
                headers: Vec::new(),
                message: "Bad Gateway",
            },
        ]
    };
    for path in [
        "/user$",
        "/personal_access_tokens/self",
        "/members/all/",
        "/hooks",
        "/repository/branches/",
        "/pipelines/latest",
        "/jobs",
        "/protected_environments/",
        "/groups/",
        "/users$",
    ] {
        for trouble in troubles() {
            let name = format!("{path} meets {trouble:?}");
            machine.gitlab.expect_trouble_at("GET", path, trouble);
            let said = machine.examine();
            assert_eq!(machine.gitlab.trouble_left(), 0, "{name}");
            let complaints = said.complaints();
            let about_it = |one: &&Value| one["about"] == "gitlab";
            assert!(complaints.iter().any(about_it), "{name}: {complaints:#?}");
            let others = |one: &&Value| one["about"] == "slack";
            assert!(said.findings.iter().any(|one| others(&one)), "{name}");
        }
    }
}
