//! `setup github`: makes the GitHub App from a page on this machine, takes its key over, and keeps everything in
//! files that only their owner can read. Nothing is written before GitHub has made the app, and the files are there
//! before GitHub is asked for the key, so that it cannot be lost for want of a place.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{address, refuse};
use crate::cli::{ConfigFile, complain, github_app, say};
use crate::config::{Draft, pages_of_github};
use crate::forges::github::manifest::{NewApp, take_over};
use crate::http::{Came, Handshake};

const API: &str = "https://api.github.com";
const KEY: &str = "github-app.pem";
const SECRET: &str = "github-webhook-secret";
const SECTION: &str = "github-app.toml";
/// After that GitHub gives nothing for its code.
const PATIENCE: Duration = Duration::from_secs(55 * 60);
/// GitHub takes no longer names.
const LONGEST_NAME: usize = 34;

#[derive(Debug, Args)]
pub(in crate::cli) struct GitHub {
    #[command(flatten)]
    file: ConfigFile,
    /// The organization that is to own the app; without it, your own account does
    #[arg(long, value_name = "LOGIN")]
    organization: Option<String>,
    /// The address under which GitHub reaches Countersign; `server.public_url` unless it is given
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The app's name, which nobody else on GitHub has; you can change it on GitHub's page
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask for the right to write contents, which `repository_dispatch` needs
    #[arg(long)]
    repository_dispatch: bool,
    /// The port of the page on this machine; any free one unless it is given
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

/// Everything that is known before GitHub is asked.
struct Plan {
    public_url: String,
    api_url: String,
    /// GitHub's page for new apps.
    target: String,
    name: String,
    writes_contents: bool,
}

/// Files that are there, empty, until there is something to keep in them.
struct Places {
    made: Vec<PathBuf>,
}

pub(super) async fn run(asked: GitHub) -> ExitCode {
    let path = asked.file.path.clone();
    let draft = std::fs::read_to_string(&path).ok().map(Draft::new);
    let plan = match Plan::of(&asked, draft.as_ref()) {
        Ok(plan) => plan,
        Err(why) => return refuse(&why),
    };
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    // From here on no signal ends us before what we made is taken away.
    let ended = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupted), Ok(mut terminated)) = ended else {
        return refuse("this machine gives no signals");
    };
    let places = match Places::make(&folder) {
        Ok(places) => places,
        Err(why) => return refuse(&why),
    };
    let (app, came) = tokio::select! {
        made = make(&plan, asked.port) => match made {
            Ok(made) => made,
            Err(why) => {
                complain(&format!("error: {why}"));
                return ExitCode::FAILURE;
            }
        },
        _ = interrupted.recv() => {
            complain("Stopped. Nothing was written.");
            return ExitCode::from(130);
        }
        _ = terminated.recv() => {
            complain("Stopped. Nothing was written.");
            return ExitCode::from(143);
        }
    };
    let install = format!("{}/installations/new", app.html_url);
    if let Err(why) = keep(places, &app) {
        complain(&format!(
            "error: {why}\nThe app {} is there, and its key is lost: delete the app at {}, and try again.",
            app.slug, app.html_url
        ));
        came.answer("It did not work", "The terminal says why.")
            .await;
        return ExitCode::FAILURE;
    }
    let entered = enter(&path, draft.as_ref(), app.id).unwrap_or_else(|why| {
        complain(&format!("warning: {why}"));
        false
    });
    let text = format!("The app {} was made. Go on in the terminal.", app.slug);
    came.answer("That is it", &text).await;
    say(&told(&app, &folder, entered));
    say(&format!(
        "Now install it on the repositories of your services:\n  {install}"
    ));
    ExitCode::SUCCESS
}

impl Plan {
    fn of(asked: &GitHub, draft: Option<&Draft>) -> Result<Self, String> {
        let written = |table: &str, key: &str| draft.and_then(|draft| draft.text(table, key));
        let url = asked
            .url
            .clone()
            .or_else(|| written("server", "public_url"));
        let url = url.ok_or(
            "the address where GitHub reaches Countersign is missing: give --url, or write `public_url` into bot.toml",
        )?;
        let public_url = address(&url)?;
        let api_url = written("github", "api_url").unwrap_or_else(|| API.to_owned());
        let pages = written("github", "web_url").or_else(|| pages_of_github(&api_url));
        let pages = pages
            .ok_or_else(|| format!("github.api_url: {api_url} is not the address of an API"))?;
        let place = match &asked.organization {
            Some(organization) if is_login(organization) => {
                format!("organizations/{organization}/settings/apps/new")
            }
            Some(organization) => {
                return Err(format!("{organization:?} is not an organization's login"));
            }
            None => "settings/apps/new".to_owned(),
        };
        let named = asked.organization.as_deref().unwrap_or("deploys");
        let name = asked.name.clone();
        let name = name.unwrap_or_else(|| format!("countersign-{named}"));
        Ok(Self {
            public_url,
            target: format!("{}/{place}", pages.trim_end_matches('/')),
            api_url,
            name: name.chars().take(LONGEST_NAME).collect(),
            writes_contents: asked.repository_dispatch,
        })
    }

    /// What GitHub is asked for.
    fn manifest(&self, back: &str) -> Value {
        let mut permissions: Map<String, Value> = github_app::LEAST
            .into_iter()
            .map(|(name, access)| (name.to_owned(), access.into()))
            .collect();
        permissions.insert("actions".to_owned(), "write".into());
        permissions.insert("members".to_owned(), "read".into());
        if self.writes_contents {
            permissions.insert("contents".to_owned(), "write".into());
        }
        let events = github_app::HEARD.into_iter().chain([github_app::ASKED]);
        json!({
            "name": self.name,
            "url": self.public_url,
            "description": "Follows commits to production, and releases them when people with the right to do so have said yes.",
            "hook_attributes": { "url": format!("{}/hooks/github", self.public_url), "active": true },
            "redirect_url": back,
            "public": false,
            "default_permissions": permissions,
            "default_events": events.collect::<Vec<_>>(),
        })
    }
}

fn is_login(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !text.is_empty() && text.chars().all(allowed)
}

/// Lets the operator make the app, and takes it over.
async fn make(plan: &Plan, port: u16) -> Result<(NewApp, Came), String> {
    let handshake = Handshake::listen(port)
        .map_err(|error| format!("port {port} of this machine cannot be used: {error}"))?;
    let manifest = plan.manifest(&handshake.back()).to_string();
    let (page, port) = (handshake.page(), handshake.port());
    say(&format!(
        "Open this page in a browser on this machine, and confirm what GitHub shows:\n  {page}\n\
         From another machine, let `ssh -L {port}:127.0.0.1:{port} HOST` bring it there first. Ctrl-C ends."
    ));
    let code = tokio::time::timeout(PATIENCE, handshake.code(&plan.target, &manifest));
    let came = match code.await {
        Ok(Some(came)) => came,
        Ok(None) => return Err("the page ended before GitHub answered".to_owned()),
        Err(_) => return Err("GitHub sent no app within 55 minutes".to_owned()),
    };
    match take_over(&plan.api_url, &came.code).await {
        Ok(app) => Ok((app, came)),
        Err(why) => {
            came.answer("It did not work", "The terminal says why.")
                .await;
            Err(format!(
                "{why}, when it was asked for the app's key. If the app is among those of the account, delete it \
                 there; then try again"
            ))
        }
    }
}

impl Places {
    fn make(folder: &Path) -> Result<Self, String> {
        let mut places = Self { made: Vec::new() };
        for name in [KEY, SECRET, SECTION] {
            let path = folder.join(name);
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            match made {
                Ok(_) => places.made.push(path),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    return Err(format!(
                        "{} is there already: this app was made before. Move it away to make another",
                        path.display()
                    ));
                }
                Err(error) => return Err(format!("{} cannot be made: {error}", path.display())),
            }
        }
        Ok(places)
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        for path in &self.made {
            drop(std::fs::remove_file(path));
        }
    }
}

/// Writes everything where it belongs.
fn keep(mut places: Places, app: &NewApp) -> Result<(), String> {
    let secret = app.webhook_secret.as_deref().unwrap_or_default();
    if secret.is_empty() {
        return Err("GitHub gave the app no webhook secret".to_owned());
    }
    for path in &places.made {
        let text = match path.file_name().and_then(|name| name.to_str()) {
            Some(KEY) => app.pem.clone(),
            Some(SECRET) => format!("{secret}\n"),
            _ => format!("# The app {}\n{}\n", app.slug, section(app.id)),
        };
        let file = OpenOptions::new().write(true).truncate(true).open(path);
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    }
    places.made.clear();
    Ok(())
}

fn section(id: u64) -> String {
    format!(
        "[github]\napp_id = {id}\nprivate_key = {{ file = \"{KEY}\" }}\nwebhook_secret = {{ file = \"{SECRET}\" }}"
    )
}

/// Puts the app's number into the configuration, if it has a place for it.
fn enter(path: &Path, draft: Option<&Draft>, id: u64) -> Result<bool, String> {
    let Some(text) = draft.and_then(|draft| draft.with_number("github", "app_id", id)) else {
        return Ok(false);
    };
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    let mode = std::fs::metadata(path).map_err(failed)?.permissions();
    let new = path.with_extension("toml.new");
    std::fs::write(&new, text).map_err(failed)?;
    std::fs::set_permissions(&new, mode).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)?;
    Ok(true)
}

fn told(app: &NewApp, folder: &Path, entered: bool) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut told = format!(
        "Made the app {} with the id {}.\n  {}: its private key\n  {}: the secret of its webhook\n  {}: its part of bot.toml",
        app.slug,
        app.id,
        at(KEY),
        at(SECRET),
        at(SECTION)
    );
    told.push_str(if entered {
        "\nIts id is in bot.toml."
    } else {
        "\nPut that part into bot.toml."
    });
    told
}
