//! The real binary, started as a user starts it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use countersign_sandbox::github::GitHub;
use reqwest::{Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::deliveries::{self, SECRET};
use super::{Database, eventually};

pub(crate) const TOKEN: &str = "ghp_a_token_of_the_tests";

/// How a test wants its service.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Lines for `[server]`.
    pub(crate) server: String,
    /// Variables for the process.
    pub(crate) variables: Vec<(&'static str, String)>,
}

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) config: PathBuf,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    http: reqwest::Client,
}

/// Writes a configuration for this database and this GitHub.
pub(crate) fn write_config(
    database: &Database,
    github: Option<&GitHub>,
    wishes: &Wishes,
) -> PathBuf {
    let path = database.folder.path().join("bot.toml");
    let mut text = String::from("[server]\nlisten = \"127.0.0.1:0\"\n");
    writeln!(text, "{}", wishes.server).unwrap();
    writeln!(text, "[database]\nurl = \"{}\"\n", database.url).unwrap();
    let api = github.map_or_else(|| "http://127.0.0.1:9".to_owned(), GitHub::url);
    writeln!(text, "[github]\napi_url = \"{api}\"").unwrap();
    text.push_str("token = { env = \"TEST_TOKEN\" }\nwebhook_secret = { env = \"TEST_SECRET\" }\n");
    text.push_str(
        "[roles.deployer]\ngithub_users = [\"ann\"]\n\
         [[service]]\nname = \"shop\"\nrepo = \"github:acme/shop\"\nbranch = \"main\"\n\
         [[service.stage]]\nname = \"build\"\ngates = [\"check:build\"]\n\
         [[service.environment]]\nname = \"prod\"\napprovals = { deployer = 1 }\nexclude = []\n",
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// The binary with everything in its environment that the configuration names.
pub(crate) fn command(config: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command
        .args(words)
        .env("COUNTERSIGN_CONFIG", config)
        .env("TEST_TOKEN", TOKEN)
        .env("TEST_SECRET", SECRET)
        // What is shown must not depend on who runs the tests, and in which terminal.
        .env("USER", "olga")
        .env_remove("SUDO_USER")
        .env_remove("COLUMNS");
    command
}

impl Service {
    pub(crate) async fn start(database: &Database, github: Option<&GitHub>) -> Self {
        Self::start_with(database, github, &Wishes::default()).await
    }

    pub(crate) async fn start_with(
        database: &Database,
        github: Option<&GitHub>,
        wishes: &Wishes,
    ) -> Self {
        Self::run(write_config(database, github, wishes), &wishes.variables).await
    }

    /// Starts with the configuration as it stands.
    pub(crate) async fn run(config: PathBuf, variables: &[(&'static str, String)]) -> Self {
        let mut child = command(&config, &["serve"])
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().unwrap();
        let written = lines.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        let mut service = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            config,
            child,
            lines,
            reader: Some(reader),
            http: reqwest::Client::new(),
        };
        service.address = eventually("the service listens", async || {
            if let Some(status) = service.child.try_wait().unwrap() {
                panic!("the service ended with {status}: {:#?}", service.log());
            }
            let line = service.logged("listening").into_iter().next()?;
            line["address"].as_str()?.parse().ok()
        })
        .await;
        eventually("the audit log has been looked at", async || {
            let answer = service.get("/readyz").await.text().await.ok()?;
            let condition: Value = serde_json::from_str(&answer).ok()?;
            (condition["ledger"] != "checking").then_some(())
        })
        .await;
        service
    }

    /// Kilobytes of memory in use.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    /// Sends a delivery, signed; the error is the connection's.
    pub(crate) async fn deliver(
        &self,
        event: &str,
        id: &str,
        body: Vec<u8>,
    ) -> reqwest::Result<StatusCode> {
        let mut request = self.http.post(self.url("/hooks/github"));
        for (name, value) in deliveries::headers(event, id, &body) {
            request = request.header(name, value);
        }
        request
            .body(body)
            .send()
            .await
            .map(|response| response.status())
    }

    /// One sample of `/metrics`, by its whole name with labels; nothing counted is zero.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or(0.0)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// The log's lines with this message.
    pub(crate) fn logged(&self, message: &str) -> Vec<Value> {
        self.log()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"] == message)
            .collect()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// kill -9, and gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the last line that a dead process wrote.
    pub(crate) async fn read_to_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            tokio::task::spawn_blocking(|| reader.join().unwrap())
                .await
                .unwrap();
        }
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(&mut self) -> i32 {
        let child = &mut self.child;
        eventually("the service ends", async || child.try_wait().unwrap())
            .await
            .code()
            .unwrap_or(-1)
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) -> i32 {
        self.signal(Signal::TERM);
        self.ended().await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}
