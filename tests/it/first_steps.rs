//! The first steps of an operator: a configuration from a few answers, a GitHub App from a page in the browser, and
//! then everything is as it should be.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use countersign::config::{Config, Surroundings};
use countersign_sandbox::github::{APP_ID, APP_KEY, GitHub};
use rustix::process::{Pid, Signal, kill_process};

use crate::contract;
use crate::support::pinned::Page;
use crate::support::service::{self, Service, TOKEN};

/// A folder in which an operator begins.
struct Folder(tempfile::TempDir);

/// A process, with the lines that it has said so far.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    said: String,
}

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        let metadata = std::fs::metadata(self.path(name)).unwrap();
        metadata.permissions().mode() & 0o777
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Writes the secrets that only the outside world can give.
    fn keep(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn change(&self, from: &str, to: &str) {
        let text = self.read("bot.toml");
        assert!(text.contains(from), "{text}");
        std::fs::write(self.path("bot.toml"), text.replace(from, to)).unwrap();
    }

    fn run(&self, words: &[&str], input: &str) -> Output {
        let mut command = service::command(&self.path("bot.toml"), words);
        let command = command
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        tokio::task::block_in_place(|| {
            let mut child = command.spawn().unwrap();
            // A command that asks nothing does not read it.
            let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
            child.wait_with_output().unwrap()
        })
    }

    fn init(&self, words: &[&str], input: &str) -> Output {
        self.run(&[&["init"], words].concat(), input)
    }

    fn config(&self) -> Config {
        let text = self.read("bot.toml");
        let surroundings = Surroundings::of_process(self.0.path());
        Config::parse(&text, "bot.toml", &surroundings).unwrap_or_else(|report| {
            panic!("{}", report.render(countersign::config::Colour::Never))
        })
    }

    fn setup_github(&self, words: &[&str]) -> Running {
        let words = [&["setup", "github"], words].concat();
        let mut child = service::command(&self.path("bot.toml"), &words)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running {
            child,
            lines,
            said: String::new(),
        }
    }
}

impl Running {
    /// The page that it wants to be opened.
    fn page(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it ended");
            self.said.push_str(&line);
            if let Some(page) = line.trim().strip_prefix("http://") {
                return format!("http://{page}");
            }
        }
    }

    /// How it ends, pinned with all that it has said.
    fn end(mut self, name: &str) -> (Option<i32>, String) {
        std::io::Read::read_to_string(&mut self.lines, &mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code();
        let mut page = Page::of_terminal(&format!("setup-github-{name}"));
        page.said("countersign setup github", (&self.said, &errors), code);
        page.pin();
        (code, self.said + &errors)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A form of a page: where it goes, and its only field.
fn form(html: &str) -> (String, String) {
    let between = |from: &str| {
        let rest = html.split_once(from).unwrap_or_else(|| panic!("{html}")).1;
        let inner = rest.split_once('"').unwrap().0;
        inner
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    (between("action=\""), between("name=\"manifest\" value=\""))
}

/// As a browser sends a form.
async fn submit(action: &str, manifest: &str) -> reqwest::Response {
    let mut body = String::from("manifest=");
    for byte in manifest.bytes() {
        body.push_str(&format!("%{byte:02X}"));
    }
    let request = reqwest::Client::new().post(action);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap()
}

/// A folder with a first configuration, whose GitHub is this.
fn begun(github: &GitHub) -> Folder {
    let folder = Folder::new();
    let done = folder.init(&["--yes", "--repo", "github:acme/shop"], "");
    assert!(done.status.success(), "{}", text(&done.stderr));
    let url = github.url();
    folder.change(
        "[github]\n",
        &format!("[github]\napi_url = \"{url}\"\nweb_url = \"{url}\"\n"),
    );
    folder.change("127.0.0.1:7878", "127.0.0.1:0");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_service_that_runs() {
    let github = GitHub::start(TOKEN).await.unwrap();
    github.add_environment("acme/shop", "production");
    let folder = begun(&github);
    let mut running = folder.setup_github(&["--organization", "acme"]);
    let page = running.page();
    let html = reqwest::get(&page).await.unwrap().text().await.unwrap();
    let (action, manifest) = form(&html);
    assert!(action.starts_with(&format!(
        "{}/organizations/acme/settings/apps/new?state=",
        github.url()
    )));
    let shown = submit(&action, &manifest).await;
    assert!(shown.text().await.unwrap().contains("That is it"));
    let (code, said) = running.end("made");
    assert_eq!(code, Some(0), "{said}");

    let secret = folder.read("github-webhook-secret");
    assert_eq!(folder.read("github-app.pem"), APP_KEY);
    for name in [
        "github-app.pem",
        "github-webhook-secret",
        "github-app.toml",
        "countersign-log.key",
    ] {
        assert_eq!(folder.mode(name), 0o600, "{name}");
    }
    assert!(
        !said.contains(secret.trim()) && !said.contains("PRIVATE KEY"),
        "{said}"
    );
    assert!(
        folder
            .read("bot.toml")
            .contains(&format!("app_id = {APP_ID}\n"))
    );
    assert!(
        folder
            .read("github-app.toml")
            .contains(&format!("app_id = {APP_ID}\n"))
    );

    let doctor = folder.run(&["doctor"], "");
    let said = text(&doctor.stdout);
    assert!(said.ends_with("Everything is as it should be.\n"), "{said}");
    contract::check(&github);
    let service = Service::run(folder.path("bot.toml"), &[]).await;
    assert_eq!(service.get("/livez").await.status(), 200);
    assert_eq!(service.stop().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_taken_over_once_and_by_nobody_else() {
    let github = GitHub::start(TOKEN).await.unwrap();
    let folder = begun(&github);
    let mut running = folder.setup_github(&["--organization", "acme", "--repository-dispatch"]);
    let page = running.page();
    let back = {
        let (host, _) = page
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        format!("http://{host}/made")
    };
    let client = reqwest::Client::new();
    let status =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    // An attacker who guesses, and a page elsewhere that uses a name for this machine.
    assert_eq!(
        status(client.get(format!("{back}?code=x&state=y"))).await,
        400
    );
    assert_eq!(status(client.get(&back)).await, 400);
    assert_eq!(
        status(client.get(&page).header("host", "evil.example")).await,
        404
    );
    let answer = client.get(&page).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains(&format!("form-action {}", github.url())),
        "{policy}"
    );
    let (action, manifest) = form(&answer.text().await.unwrap());
    assert!(manifest.contains("\"contents\":\"write\""), "{manifest}");
    assert!(manifest.contains("/hooks/github"), "{manifest}");

    // A code that GitHub does not know, with the right state.
    let (_, state) = action.split_once("state=").unwrap();
    let shown = client.get(format!("{back}?code=unknown&state={state}"));
    assert!(
        shown
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("did not work")
    );
    let (code, said) = running.end("unknown_code");
    assert_eq!(code, Some(1), "{said}");
    // Nothing is left that would keep the next attempt from its place.
    assert_eq!(folder.names(), ["bot.toml", "countersign-log.key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_nothing_of_an_app() {
    let github = GitHub::start(TOKEN).await.unwrap();
    let folder = begun(&github);
    let mut running = folder.setup_github(&[]);
    running.page();
    let pid = Pid::from_raw(i32::try_from(running.child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let (code, said) = running.end("interrupted");
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(folder.names(), ["bot.toml", "countersign-log.key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_there_is_not_replaced() {
    let github = GitHub::start(TOKEN).await.unwrap();
    let folder = begun(&github);
    folder.keep("github-app.pem", "precious");
    let (code, said) = folder.setup_github(&[]).end("there_already");
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(folder.read("github-app.pem"), "precious");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_make_a_configuration() {
    let folder = Folder::new();
    let answers = "nowhere:acme/shop\ngitlab:acme/shop\n\nhttps://d.example.com\njob:test\nlive\nacme/sre\nslack:C0123456789\n";
    let done = folder.init(&[], answers);
    let mut page = Page::of_terminal("init-questions");
    page.ran_so("countersign init", &done);
    page.add("bot.toml", &folder.read("bot.toml"));
    page.pin();
    folder.keep("gitlab-token", TOKEN);
    folder.keep("slack-token", "xoxb-0123456789012345");
    folder.keep("slack-signing-secret", "0123456789012345");
    let config = folder.config();
    let service = &config.catalog.services[0];
    assert_eq!(
        (service.name.as_str(), service.branch.as_str()),
        ("shop", "main")
    );
    assert_eq!(service.environments[0].name.as_str(), "live");
    assert_eq!(service.stages[0].gates[0].to_string(), "job:test");
    assert_eq!(service.notify[0].channel.to_string(), "slack:C0123456789");
    assert!(config.warnings.is_empty(), "{:#?}", config.warnings);
    assert!(folder.read("gitlab-webhook").starts_with("whsec_"));
    for name in ["gitlab-webhook", "countersign-log.key"] {
        assert_eq!(folder.mode(name), 0o600, "{name}");
    }
    assert!(
        folder
            .read("countersign-log.key")
            .contains("d.example.com/log")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_answers_what_it_can() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        let path = folder.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let config = "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.com:acme/Shop_Front.git\n[branch \"main\"]\n";
    write(".git/config", config);
    write(".github/workflows/release.yml", "");
    write(".github/workflows/ci.yml", "");
    let mut page = Page::of_terminal("init-in-a-repository");
    page.ran_so("countersign init, and no answers", &folder.init(&[], ""));
    page.ran(&["init", "--yes"], &folder.init(&["--yes"], ""));
    page.add("bot.toml", &folder.read("bot.toml"));
    page.pin();
    folder.keep("github-app.pem", APP_KEY);
    folder.keep("github-webhook-secret", "0123456789012345");
    let config = folder.config();
    let service = &config.catalog.services[0];
    assert_eq!(service.name.as_str(), "shop-front");
    assert_eq!(service.repo.to_string(), "github:acme/Shop_Front");
    assert_eq!(service.stages[0].gates[0].to_string(), "workflow:ci.yml");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_and_what_is_missing_is_said() {
    let folder = Folder::new();
    let mut page = Page::of_terminal("init-refused");
    page.ran(&["init", "--yes"], &folder.init(&["--yes"], ""));
    let done = folder.init(&[], "github:acme/shop\n");
    page.ran_so("countersign init, and one answer", &done);
    let answers = "acme/shop\nhub:acme/shop\ngithub:acme\ngithub:acme/shop\na b\nmain\nshop.example.com\n\njob:x\n\n\
                   Prod\n\na b\nacme/sre/x\n\nirc:x\n";
    page.ran_so(
        "countersign init, and wrong answers",
        &folder.init(&[], answers),
    );
    for words in [
        &["--repo", "github:acme"][..],
        &["--repo", "github:acme/shop", "--gate", "job:test"],
        &[
            "--repo",
            "github:acme/shop",
            "--url",
            "http://d.example.com",
        ],
    ] {
        let words = [&["init", "--yes"], words].concat();
        page.ran(&words, &folder.run(&words, ""));
    }
    let written = folder.names();
    std::fs::write(folder.path("bot.toml"), "mine").unwrap();
    let words = ["init", "--yes", "--repo", "github:acme/shop"];
    page.ran_so(
        "countersign init, and bot.toml is there",
        &folder.run(&words, ""),
    );
    page.pin();
    assert!(written.is_empty(), "{written:?}");
    assert_eq!(folder.read("bot.toml"), "mine");
    assert_eq!(folder.names(), ["bot.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_configuration_waits_for_its_app_only() {
    let folder = Folder::new();
    let words = ["init", "--yes", "--repo", "github:acme/shop"];
    let done = folder.run(&words, "");
    let mut page = Page::of_terminal("init");
    page.ran(&words, &done);
    let said = text(&done.stdout);
    let at = |words: &str| {
        said.find(words)
            .unwrap_or_else(|| panic!("{words}: {said}"))
    };
    assert!(at("setup github") < at("countersign doctor"));
    assert!(at("countersign doctor") < at("countersign serve"));
    let checked = folder.run(&["check"], "");
    page.ran(&["check"], &checked);
    page.pin();
    assert!(Path::new(&folder.path("countersign-log.key")).exists());
}
