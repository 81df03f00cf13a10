//! How many signed deliveries a second become durable, beside the same server answering without storing.
//!
//! Every figure is taken with the real binary in a process of its own, a fresh database, and clients
//! that keep their connections. Prints a Markdown table. Run it with `script/bench`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that meets the unexpected stops, and its result is what it prints"
)]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::post;
use countersign::forges::github::edge::{WebhookSecrets, receive};
use countersign::http::{Limits, Listener};
use countersign::metrics::Metrics;
use countersign_ground::clock::Clock;
use countersign_ground::digest;
use http::{Request, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "a secret for the measurement";
const REPOSITORIES: u64 = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(6);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if words.iter().any(|word| word == "--bare-server") {
        runtime.block_on(bare_server());
    } else if words.iter().any(|word| word == "--bench") {
        runtime.block_on(measure_all());
    }
}

/// The same server and the same check, and nothing is stored.
async fn bare_server() {
    let secrets = Arc::new(WebhookSecrets::new([SECRET.as_bytes().to_vec()]));
    let answer = move |request: Request<Body>| {
        let secrets = secrets.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 25 << 20).await.unwrap();
            match receive(&secrets, &parts.headers, &body) {
                Ok(_) => StatusCode::ACCEPTED,
                Err(_) => StatusCode::UNAUTHORIZED,
            }
        }
    };
    let router = Router::new().route("/hooks/github", post(answer));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(address, Limits::default(), Metrics::default()).unwrap();
    let address = listener.address().unwrap().to_string();
    println!("{}", json!({ "message": "listening", "address": address }));
    listener.serve(router, CancellationToken::new()).await;
}

async fn measure_all() {
    let requests = Arc::new(requests());
    let size = requests[0].body;
    println!("Body: {size} bytes. {MEASURED:?} each, after {WARM_UP:?} to warm up.\n");
    println!("| server | connections | deliveries/s | p50 | p99 |");
    println!("|---|---:|---:|---:|---:|");
    for connections in [1, 32, 256] {
        for kind in ["without storing", "SQLite", "PostgreSQL"] {
            let folder = tempfile::tempdir().unwrap();
            let Some(server) = start(kind, folder.path()) else {
                println!("| {kind} | {connections} | not measured | | |");
                continue;
            };
            let mut taken = drive(server.address, connections, &requests).await;
            let rate = taken.len() as f64 / MEASURED.as_secs_f64();
            taken.sort_unstable();
            let at = |share: f64| {
                let index = ((taken.len() - 1) as f64 * share) as usize;
                format!("{:.1} ms", taken[index].as_secs_f64() * 1e3)
            };
            println!(
                "| {kind} | {connections} | {rate:.0} | {} | {} |",
                at(0.5),
                at(0.99)
            );
        }
    }
}

struct Server {
    address: SocketAddr,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts the server in a process of its own; nothing when its database is not there.
fn start(kind: &str, folder: &std::path::Path) -> Option<Server> {
    let mut command = match kind {
        "without storing" => {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.arg("--bare-server").stdout(Stdio::piped());
            command
        }
        _ => {
            let url = if kind == "SQLite" {
                "sqlite:bench.db".to_owned()
            } else {
                fresh_database(&std::env::var("COUNTERSIGN_BENCH_POSTGRES").ok()?)
            };
            let config = folder.join("bot.toml");
            let text = format!(
                "[server]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"{url}\"\n\
                 [github]\ntoken = {{ env = \"BENCH_TOKEN\" }}\nwebhook_secret = {{ env = \"BENCH_SECRET\" }}\n\
                 [roles.deployer]\ngithub_users = [\"ann\"]\n\
                 [[service]]\nname = \"shop\"\nrepo = \"github:acme/shop\"\nbranch = \"main\"\n\
                 [[service.stage]]\nname = \"build\"\ngates = [\"check:build\"]\n\
                 [[service.environment]]\nname = \"prod\"\napprovals = {{ deployer = 1 }}\n"
            );
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
            command
                .args(["serve", "--config"])
                .arg(config)
                .env("BENCH_SECRET", SECRET)
                .env("BENCH_TOKEN", "no-call-is-made")
                .stderr(Stdio::piped());
            command
        }
    };
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let lines: Box<dyn std::io::Read + Send> = match child.stdout.take() {
        Some(stdout) => Box::new(stdout),
        None => Box::new(child.stderr.take().unwrap()),
    };
    let mut lines = BufReader::new(lines).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .inspect(|line| {
            if !line.starts_with('{') {
                println!("{line}");
            }
        })
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok())
        .find(|line| line["message"] == "listening")
        .and_then(|line| line["address"].as_str()?.parse().ok())
        .unwrap();
    // Somebody must read the log, or its pipe fills.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Server { address, child })
}

/// A database of its own on the cluster, made with the cluster's own client.
fn fresh_database(cluster: &str) -> String {
    let name = format!("bench_{}", countersign_ground::chance::id());
    let created = Command::new("psql")
        .args(["--quiet", cluster, "--command"])
        .arg(format!("CREATE DATABASE {name}"))
        .status()
        .unwrap();
    assert!(created.success());
    format!("{}/{name}", cluster.rsplit_once('/').unwrap().0)
}

/// A request cut in two where the delivery's id goes.
struct Prepared {
    before: Vec<u8>,
    after: Vec<u8>,
    body: usize,
}

/// A status event of the usual size, for each of many repositories.
fn requests() -> Vec<Prepared> {
    (1..=REPOSITORIES).map(prepare).collect()
}

fn prepare(repository: u64) -> Prepared {
    let account = |name: &str, id: u64| {
        let url = format!("https://api.github.com/users/{name}");
        json!({
            "login": name, "id": id, "node_id": digest::sha256_hex(name.as_bytes()),
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            "html_url": format!("https://github.com/{name}"), "url": url,
            "followers_url": format!("{url}/followers"), "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"), "type": "User", "site_admin": false
        })
    };
    let full_name = format!("acme/service-{repository}");
    let api = format!("https://api.github.com/repos/{full_name}");
    let links: serde_json::Map<String, serde_json::Value> = [
        "forks",
        "keys",
        "collaborators",
        "teams",
        "hooks",
        "issue_events",
        "events",
        "assignees",
        "branches",
        "tags",
        "blobs",
        "git_tags",
        "git_refs",
        "trees",
        "statuses",
        "languages",
        "stargazers",
        "contributors",
        "subscribers",
        "subscription",
        "commits",
        "git_commits",
        "comments",
        "issue_comment",
        "contents",
        "compare",
        "merges",
        "archive",
        "downloads",
        "issues",
        "pulls",
        "milestones",
        "notifications",
        "labels",
        "releases",
        "deployments",
    ]
    .into_iter()
    .map(|link| {
        (
            format!("{link}_url"),
            json!(format!("{api}/{link}{{/sha}}")),
        )
    })
    .collect();
    let mut body = json!({
        "id": 6_805_126_730_u64 + repository,
        "sha": digest::sha256_hex(full_name.as_bytes())[..40],
        "name": full_name, "target_url": format!("https://ci.example.com/{full_name}/builds/1"),
        "context": "ci/build", "description": "The build passed", "state": "success",
        "commit": {
            "sha": digest::sha256_hex(full_name.as_bytes())[..40],
            "commit": {
                "author": { "name": "Ann", "email": "ann@example.com", "date": "2026-01-01T00:00:00Z" },
                "committer": { "name": "Ann", "email": "ann@example.com", "date": "2026-01-01T00:00:00Z" },
                "message": "Make the shop faster\n\nThe list of goods is read once.",
                "verification": { "verified": true, "reason": "valid",
                    "signature": (0..12).map(|line| digest::sha256_hex(&[line])).collect::<Vec<_>>().join("\n") }
            },
            "author": account("ann", 5), "committer": account("web-flow", 19_864_447)
        },
        "branches": (0..3).map(|branch| json!({
            "name": format!("branch-{branch}"), "protected": false,
            "commit": { "sha": digest::sha256_hex(&[branch])[..40], "url": format!("{api}/commits/{branch}") }
        })).collect::<Vec<_>>(),
        "repository": { "id": repository, "name": format!("service-{repository}"),
            "full_name": full_name, "private": true, "owner": account("acme", 1_000) },
        "sender": account("ann", 5),
    });
    body["repository"].as_object_mut().unwrap().extend(links);
    // A merge has parents, and every one of them comes with its links: to the usual size.
    let mut parents = Vec::new();
    while body.to_string().len() + parents.len() * 290 < 10_240 {
        let sha = &digest::sha256_hex(&[parents.len() as u8])[..40];
        parents.push(json!({
            "sha": sha, "url": format!("{api}/commits/{sha}"),
            "html_url": format!("https://github.com/{full_name}/commit/{sha}"),
            "comments_url": format!("{api}/commits/{sha}/comments")
        }));
    }
    body["commit"]["parents"] = json!(parents);
    let body = body.to_string();
    let signature = digest::hmac_sha256_hex(SECRET.as_bytes(), body.as_bytes());
    Prepared {
        before: b"POST /hooks/github HTTP/1.1\r\nhost: bench\r\nx-github-delivery: ".to_vec(),
        after: format!(
            "\r\nx-github-event: status\r\nx-hub-signature-256: sha256={signature}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        body: body.len(),
    }
}

/// So many clients, each sending its next delivery when the last is answered; the times of those that
/// were answered with 202 while it was measured.
async fn drive(
    address: SocketAddr,
    connections: u64,
    requests: &Arc<Vec<Prepared>>,
) -> Vec<Duration> {
    let start = now() + WARM_UP;
    let end = start + MEASURED;
    let mut clients = JoinSet::new();
    for client in 0..connections {
        let requests = requests.clone();
        clients.spawn(async move {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.set_nodelay(true).unwrap();
            let mut taken = Vec::new();
            let mut request = Vec::new();
            for number in 0_u64.. {
                let prepared = &requests[((client + number) % REPOSITORIES) as usize];
                request.clear();
                request.extend_from_slice(&prepared.before);
                request.extend_from_slice(id(client).as_bytes());
                request.extend_from_slice(&prepared.after);
                let sent = now();
                if sent >= end {
                    break;
                }
                socket.write_all(&request).await.unwrap();
                read_answer(&mut socket).await;
                if sent >= start {
                    taken.push(now() - sent);
                }
            }
            taken
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

/// An id as GitHub makes them: a UUID of version 1, which is the time and who made it.
fn id(client: u64) -> String {
    let ticks = Clock::system().now().as_nanosecond() / 100 + 0x01b2_1dd2_1381_4000;
    let (low, mid) = (ticks & 0xffff_ffff, (ticks >> 32) & 0xffff);
    let high = (ticks >> 48) & 0x0fff;
    format!("{low:08x}-{mid:04x}-1{high:03x}-8000-{client:012x}")
}

/// Reads one answer with its body and insists that it is 202.
async fn read_answer(socket: &mut TcpStream) {
    let mut buffer = [0; 1_024];
    let mut length = 0;
    loop {
        let read = socket.read(&mut buffer[length..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        length += read;
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            assert!(head.starts_with("HTTP/1.1 202"), "{text}");
            let size: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap();
            if body.len() >= size {
                return;
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is about real time"
)]
fn now() -> Instant {
    Instant::now()
}
