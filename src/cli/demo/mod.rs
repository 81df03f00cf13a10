//! `demo`: the life of a commit for a person who has nothing but this program. The real service runs in this process,
//! with a forge and a chat as small imitations on the loopback address; people are played by the person at the
//! terminal, or by the guide alone. Nothing is left behind.

mod ask;
mod chat;
mod folder;
mod forge;
mod guide;
mod home;
mod input;
mod life;
mod look;
mod operator;
mod people;
mod release;
mod screen;
mod session;
mod typed;
mod wait;
mod wish;
mod written;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::chat::ChatWish;
use self::folder::Folder;
use self::forge::ForgeWish;
use self::home::Home;
use self::input::Input;
use self::screen::Screen;
use self::session::Session;
use super::running::Farewell;
use super::{EXIT_INVALID, complain, say};
use countersign_ground::clock::Clock;

/// Between two lines, so that people can follow.
const REST: Duration = Duration::from_millis(200);
/// A service that is not used any more ends at once.
const FAREWELL: Farewell = Farewell {
    drain: Duration::ZERO,
    timeout: Duration::from_secs(5),
};
/// Lines of the service's log that are shown when something did not happen.
const LAST_LINES: usize = 15;

#[derive(Debug, Args)]
pub(super) struct DemoLine {
    /// Play everything without asking, and fail if a step does not happen. This is also what happens
    /// without a terminal
    #[arg(long)]
    scripted: bool,
    /// Keep the folder with the configuration, the database and the service's log
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    forge: ForgeWish,
    #[command(flatten)]
    chat: ChatWish,
}

/// Who says what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leader {
    /// The person at the terminal.
    Person,
    Guide,
}

impl Leader {
    fn of(line: &DemoLine) -> Self {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if is_terminal && !line.scripted {
            Self::Person
        } else {
            Self::Guide
        }
    }
}

pub(super) async fn run(line: DemoLine) -> anyhow::Result<ExitCode> {
    if let Some(refusal) = wish::refusal(&[line.forge.wish(), line.chat.wish()]) {
        complain(&refusal);
        return Ok(ExitCode::from(EXIT_INVALID));
    }
    let mut signals = Signals::listen()?;
    let mut folder = Folder::make()?;
    if line.keep {
        folder.keep();
    }
    let leader = Leader::of(&line);
    let ended = tokio::select! {
        played = play(folder.path(), &line) => played.map(|()| ExitCode::SUCCESS),
        number = signals.next() => {
            say("");
            Ok(ExitCode::from(128_u8.saturating_add(number)))
        }
    };
    let ended = ended.or_else(|error| {
        complain(&format!("error: {error:#}"));
        show_log(folder.path());
        Ok(ExitCode::FAILURE)
    });
    if folder.is_kept() {
        say(&format!("Kept: {}", folder.path().display()));
    } else {
        drop(folder);
        if leader == Leader::Person {
            say("Everything was removed.");
        }
    }
    ended
}

async fn play(folder: &Path, line: &DemoLine) -> anyhow::Result<()> {
    let leader = Leader::of(line);
    let screen = Screen::of_output();
    let watch = Clock::system().stopwatch();
    let (forge, chat) = (line.forge.name(), line.chat.name());
    screen.tell(&format!(
        "Countersign with a small {forge} and a small {chat}, all of it on this machine."
    ));
    let (home, mut running) = Home::start(folder, line.forge, line.chat).await?;
    screen.tell(&format!(
        "The service is at http://{}, its files are in {}.",
        home.address,
        folder.display()
    ));
    screen.tell("quit or Ctrl-C ends it and leaves nothing behind.");
    let rest = match leader {
        Leader::Person => REST,
        Leader::Guide => Duration::ZERO,
    };
    let mut session = Session::new(&home, screen, rest);
    let played = async {
        session.life().await?;
        match leader {
            Leader::Person => session.lead(&mut Input::of_terminal()?).await,
            Leader::Guide => session.play().await,
        }
    };
    tokio::select! {
        played = played => played?,
        () = running.broken() => anyhow::bail!("a part of the service ended by itself"),
    }
    let is_in_order = running.stop(FAREWELL, std::future::pending()).await;
    if leader == Leader::Guide {
        anyhow::ensure!(is_in_order, "the service did not end in good order");
        screen.gap();
        screen.tell(&format!(
            "Everything happened: {} steps in {:.1} s.",
            session.ticks(),
            watch.elapsed().as_secs_f64()
        ));
    }
    Ok(())
}

/// The end of the service's log, for a person who wants to know why.
fn show_log(folder: &Path) {
    let path = home::service_log(folder);
    let Ok(text) = std::fs::read_to_string(&path) else {
        return;
    };
    let lines: Vec<&str> = text.lines().collect();
    complain(&format!("The last lines of {}:", path.display()));
    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
        complain(&format!("  {line}"));
    }
}

/// What ends the demo from outside.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the signal, by which a shell knows how a program ended.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
            _ = self.hangup.recv() => 1,
        }
    }
}
