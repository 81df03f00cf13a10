//! `setup gitlab`, as an operator types it, with a GitLab to do it at.

use std::cell::RefCell;
use std::process::Output;

use countersign_sandbox::gitlab::{GitLab, Trouble};
use serde_json::Value;

use crate::contract;
use crate::support::deliveries::SECRET;
use crate::support::pinned::Page;
use crate::support::service::{self, TOKEN};
use crate::support::terminal;

const SIGNING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ADDRESS: &str = "https://deploys.example.com/hooks/gitlab";

/// A machine with a configuration, and the GitLab that it names.
struct Machine {
    folder: tempfile::TempDir,
    gitlab: GitLab,
    page: RefCell<Page>,
}

/// What was said, and how it ended.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let done = Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        for secret in [TOKEN, SECRET, SIGNING] {
            assert!(!done.out.contains(secret) && !done.err.contains(secret));
        }
        done
    }
}

impl Machine {
    /// With a page for all that the commands will say.
    async fn with(page: &str) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
            gitlab: GitLab::start(TOKEN).await.unwrap(),
            page: RefCell::new(Page::of_terminal(&format!("setup-gitlab-{page}"))),
        };
        machine.configure(|text| text);
        machine
    }

    fn configure(&self, change: impl Fn(String) -> String) {
        let text = format!(
            "[server]\npublic_url = \"https://deploys.example.com\"\n[database]\nurl = \"sqlite:unused.db\"\n\
             [gitlab]\nurl = \"{}\"\ntoken = {{ env = \"TEST_TOKEN\" }}\nwebhook_secret = {{ env = \"TEST_SECRET\" }}\n\
             [roles.deployer]\ngitlab_users = [\"ann\"]\n\
             [[service]]\nname = \"shop\"\nrepo = \"gitlab:acme/shop\"\nbranch = \"main\"\n\
             [[service.stage]]\nname = \"build\"\ngates = [\"job:build\"]\n\
             [[service.environment]]\nname = \"prod\"\napprovals = {{ deployer = 1 }}\nexclude = []\n\
             trigger = {{ gitlab = \"play_job\", job = \"deploy-prod\" }}\n",
            self.gitlab.url(),
        );
        std::fs::write(self.folder.path().join("bot.toml"), change(text)).unwrap();
    }

    fn run(&self, words: &[&str], secret: &str) -> Done {
        let config = self.folder.path().join("bot.toml");
        let words = [&["setup", "gitlab"], words].concat();
        let mut command = service::command(&config, &words);
        // The sandbox must go on while the command runs.
        let output = tokio::task::block_in_place(|| command.env("TEST_SECRET", secret).output());
        let output = output.unwrap();
        let kind = if secret == SECRET {
            "a plain secret"
        } else {
            "a signing token"
        };
        let title = format!("{}, with {kind}", terminal::line(&words));
        self.page.borrow_mut().ran_so(&title, &output);
        output.into()
    }

    fn pin(self) {
        self.page.into_inner().pin();
    }

    async fn hooks(&self) -> Vec<Value> {
        let url = format!("{}/api/v4/projects/acme%2Fshop/hooks", self.gitlab.url());
        let asked = reqwest::Client::new().get(url);
        let answer = asked.header("private-token", TOKEN).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_created_once_and_then_kept_right() {
    let machine = Machine::with("made").await;
    let dry = machine.run(&["--dry-run"], SIGNING);
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    assert!(machine.hooks().await.is_empty());

    let made = machine.run(&[], SIGNING);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let [hook] = machine.hooks().await.try_into().unwrap();
    assert_eq!(hook["url"], ADDRESS);
    assert_eq!(hook["signing_token_present"], true);
    assert_eq!(hook["enable_ssl_verification"], true);
    let heard = hook.as_object().unwrap().iter();
    let heard: Vec<&str> = heard
        .filter(|(name, value)| name.ends_with("_events") && **value == true)
        .map(|(name, _)| name.as_str())
        .collect();
    let expect = [
        "deployment_events",
        "job_events",
        "merge_requests_events",
        "note_events",
        "pipeline_events",
        "push_events",
    ];
    assert_eq!(heard, expect);

    machine.run(&[], SIGNING);
    machine.run(&["--dry-run"], SECRET);
    machine.run(&[], SECRET);
    let hooks = machine.hooks().await;
    assert_eq!((hooks.len(), &hooks[0]["token_present"]), (1, &true.into()));
    machine.gitlab.project_hook("acme/shop", ADDRESS, SECRET);
    machine.run(&[], SECRET);
    contract::gitlab::check(&machine.gitlab);
    machine.pin();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_gitlab_is_left_without_an_unprotected_webhook() {
    let machine = Machine::with("older").await;
    machine.gitlab.set_version("18.4.0-ee");
    let refused = machine.run(&[], SIGNING);
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert!(machine.hooks().await.is_empty());
    let plain = machine.run(&[], SECRET);
    assert_eq!(plain.code, Some(0), "{}", plain.err);
    let kept = machine.run(&[], SIGNING);
    assert_eq!(kept.code, Some(1));
    assert_eq!(machine.hooks().await.len(), 1);
    machine.run(&[], SECRET);
    machine.pin();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named() {
    let machine = Machine::with("missing").await;
    let check = |code: i32| {
        let done = machine.run(&[], SECRET);
        assert_eq!(done.code, Some(code), "{}", done.err);
    };
    machine.configure(|text| text.replace("public_url", "#public_url"));
    check(2);
    machine.configure(|text| text.replace("gitlab:acme/shop", "nowhere:acme/shop"));
    check(2);
    machine.configure(|text| text.replace("acme/shop", "acme/nothing"));
    check(1);
    machine.configure(|text| text.replace("webhook_secret", "#webhook_secret"));
    check(2);
    machine.configure(|text| text);
    machine.gitlab.expect_trouble_at(
        "GET",
        "/hooks",
        Trouble::Refuse {
            status: 403,
            headers: Vec::new(),
            message: "403 Forbidden",
        },
    );
    check(1);
    machine.pin();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gitlab_does_not_do_is_said_and_done_the_next_time() {
    let machine = Machine::with("refused").await;
    for trouble in [Trouble::status(500), Trouble::Reset] {
        let meet = |method: &str| {
            let gitlab = &machine.gitlab;
            gitlab.expect_trouble_at(method, "/hooks", trouble.clone());
            let done = machine.run(&[], if method == "PUT" { SIGNING } else { SECRET });
            assert_eq!(done.code, Some(1), "{method} {trouble:?}: {}", done.out);
            assert!(done.err.contains("gitlab:acme/shop"), "{}", done.err);
            assert_eq!(machine.gitlab.trouble_left(), 0);
        };
        meet("GET");
        meet("POST");
        assert!(machine.hooks().await.is_empty());
        assert_eq!(machine.run(&[], SECRET).code, Some(0));
        meet("PUT");
        let hooks = machine.hooks().await;
        assert_eq!(hooks.len(), 1);
        assert_eq!(hooks[0]["signing_token_present"], false);
        let hook = hooks[0]["id"].as_u64().unwrap();
        machine.gitlab.remove_hook(hook);
    }
    // A webhook that an older server cannot protect, and that could not be taken away again, is named.
    machine.gitlab.set_version("18.4.0-ee");
    let gitlab = &machine.gitlab;
    gitlab.expect_trouble_at("DELETE", "/hooks", Trouble::status(500));
    let done = machine.run(&[], SIGNING);
    assert_eq!(done.code, Some(1));
    assert_eq!(machine.hooks().await.len(), 1);
    machine.pin();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_a_signing_token() {
    let machine = Machine::with("new-secret").await;
    let tokens: Vec<String> = (0..2)
        .map(|_| {
            let done = machine.run(&["--new-secret"], SECRET);
            assert_eq!(done.code, Some(0));
            done.out.trim().to_owned()
        })
        .collect();
    assert_ne!(tokens[0], tokens[1]);
    assert!(!tokens[0].contains(char::is_whitespace));
    let made = machine.run(&[], &tokens[0]);
    assert_eq!(made.code, Some(0), "{}", made.err);
    let hooks = machine.hooks().await;
    assert_eq!(hooks[0]["signing_token_present"], true);
    machine.pin();
}
