//! The person at the terminal: who they are just now, where, and what comes of what they type. Whatever is shown
//! was read from the chat, the pull request, the audit log or the service; nothing is written beforehand.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::guide::{Fact, Guide};
use super::home::{CHANNEL, Home, SHOP};
use super::input::Input;
use super::life::Commit;
use super::look::{self, Seen};
use super::people::{ANN, EVE, Person, Place};
use super::screen::Screen;
use super::slash;
use super::typed::{self, Typed};
use super::wait::until;
use crate::cli::say;
use countersign_sandbox::discord::{self, Message};

pub(super) struct Session<'h> {
    pub(super) home: &'h Home,
    pub(super) screen: Screen,
    /// Between two lines, for people to follow.
    pub(super) rest: Duration,
    pub(super) guide: Guide,
    /// The step whose hint was given last.
    hinted: Option<Fact>,
    who: &'static Person,
    place: Place,
    pub(super) commits: Vec<Commit>,
    /// Runs of the workflow that releases which are over.
    pub(super) runs: Vec<u64>,
    /// The notice as it was drawn last.
    pub(super) drawn: Option<Message>,
    /// The newest request.
    pub(super) request: u64,
    /// The newest entry of the audit log that was told about.
    pub(super) told: i64,
    ticks: usize,
    /// Deployments that were asked of GitHub before the database was changed.
    pub(super) asked_before: usize,
}

impl<'h> Session<'h> {
    pub(super) fn new(home: &'h Home, screen: Screen, rest: Duration) -> Self {
        Self {
            home,
            screen,
            rest,
            guide: Guide::default(),
            hinted: None,
            who: &ANN,
            place: ANN.usual,
            commits: Vec::new(),
            runs: Vec::new(),
            drawn: None,
            request: 0,
            told: 0,
            ticks: 0,
            asked_before: 0,
        }
    }

    /// How many things were seen to happen.
    pub(super) fn ticks(&self) -> usize {
        self.ticks
    }

    pub(super) fn tick(&mut self, what: &str, seen: &str) {
        self.ticks += 1;
        self.screen.tick(what, seen);
    }

    pub(super) async fn pause(&self) {
        if !self.rest.is_zero() {
            self.home.clock.sleep(self.rest).await;
        }
    }

    pub(super) fn commit(&self) -> anyhow::Result<&Commit> {
        self.commits.last().context("no commit has been pushed yet")
    }

    /// The guide takes its own hints, and everything it promises must happen.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        while let Some(step) = self.guide.next() {
            self.screen.gap();
            self.screen.tell(&format!("Next: {}", step.why));
            // First who does it, then where, then what: never more than three lines.
            for _ in 0..3 {
                let line = step.typed(self.who, self.place, self.request);
                say(&format!("{}{line}", self.prompt()));
                let typed = typed::read(&line);
                let is_last = !matches!(typed, Typed::As(_) | Typed::At(_));
                self.take(typed).await?;
                if is_last {
                    break;
                }
            }
            if !self.guide.has_seen(step.fact) {
                bail!("this did not happen: {}", step.done);
            }
        }
        Ok(())
    }

    /// The person types, until they have enough.
    pub(super) async fn lead(&mut self, input: &mut Input) -> anyhow::Result<()> {
        loop {
            let hint = self.guide.next().map(|step| {
                let line = step.typed(self.who, self.place, self.request);
                // What for is said once.
                if self.hinted == Some(step.fact) {
                    self.screen.hint_again(&line);
                } else {
                    self.screen.hint(step.why, &line);
                }
                self.hinted = Some(step.fact);
                line
            });
            if hint.is_none() {
                self.screen.gap();
                self.screen.tell(
                    "That was everything. help shows what else can be typed; quit ends the demo.",
                );
            }
            self.screen.ask(&self.prompt());
            let Some(line) = input.next().await else {
                self.screen.gap();
                return Ok(());
            };
            let typed = match (typed::read(&line), hint) {
                (Typed::Nothing, Some(hint)) => {
                    self.screen.fill_in(&self.prompt(), &hint);
                    typed::read(&hint)
                }
                (typed, _) => typed,
            };
            if typed == Typed::Quit {
                return Ok(());
            }
            // What did not happen is said, and the person goes on.
            if let Err(error) = self.take(typed).await {
                self.screen.warn(&format!("{error:#}"));
            }
        }
    }

    fn prompt(&self) -> String {
        let pull_request = self.commits.last().map_or(0, |commit| commit.pull_request);
        self.screen
            .prompt(self.who.name, &self.place.called(pull_request))
    }

    async fn take(&mut self, typed: Typed) -> anyhow::Result<()> {
        match typed {
            Typed::Nothing | Typed::Quit => {}
            Typed::As(person) => {
                self.who = person;
                self.place = person.usual;
                let text = format!("You are {}, {}.", person.name, person.about);
                self.screen.aside(&text);
            }
            Typed::At(place) => self.place = place,
            Typed::Command(line) => self.command(&line).await?,
            Typed::Audit(words) => {
                self.screen.gap();
                if self.audit(&words).await? == ExitCode::SUCCESS {
                    self.saw(Fact::Listed);
                }
            }
            Typed::Verify => self.verify().await?,
            Typed::Tamper => self.tamper().await?,
            Typed::Ready => self.ready().await?,
            Typed::Notice => self.draw(),
            Typed::Again => {
                self.life().await?;
                if self.guide.has_seen(Fact::Tampered) {
                    self.saw(Fact::ReadyAgain);
                }
            }
            Typed::Help => self.help(),
            Typed::Unknown(hint) => self.screen.tell(&hint),
        }
        Ok(())
    }

    /// A command of the product, said where the person is, and whatever comes of it.
    async fn command(&mut self, line: &str) -> anyhow::Result<()> {
        let answer = match self.place {
            Place::Chat => self.say_in_chat(line).await?,
            Place::PullRequest => self.say_on_github(line).await?,
        };
        let is_refused = answer.is_some_and(|answer| answer.says("Refused"));
        let expected = self
            .guide
            .next()
            .filter(|step| step.is_meant(line, self.who, self.place));
        self.follow(expected.map(|step| step.fact).filter(|_| !is_refused))
            .await?;
        if is_refused && self.who == &EVE && self.place == Place::PullRequest {
            self.saw(Fact::Refused);
        }
        Ok(())
    }

    async fn say_in_chat(&mut self, line: &str) -> anyhow::Result<Option<Seen>> {
        let Some((name, options)) = slash::filled(line) else {
            self.screen.tell(
                "Discord offers no such command. /help shows what there is; at pr goes to the pull request.",
            );
            return Ok(None);
        };
        let options: Vec<_> = options
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let world = &self.home.discord;
        let seen = world
            .slash(self.who.on_discord, CHANNEL, &name, &options)
            .await;
        let message = match seen {
            discord::Seen::Message(message) => message,
            discord::Seen::Failed(why) | discord::Seen::Impossible(why) => {
                self.screen
                    .tell(&format!("Discord does not take that: {why}."));
                return Ok(None);
            }
            discord::Seen::Nothing | discord::Seen::Choices(_) | discord::Seen::Form(_) => {
                self.screen.tell("Discord shows no answer.");
                return Ok(None);
            }
        };
        let answer = until(&self.home.clock, "an answer in the chat", async || {
            let message = world.message(message.id)?;
            (!message.content.is_empty()).then_some(message)
        })
        .await?;
        let answer = look::message(&answer, self.home.clock.now());
        let title = format!("Countersign answers {}, who alone sees it", self.who.name);
        self.screen.frame(&title, &answer);
        Ok(Some(answer))
    }

    async fn say_on_github(&mut self, line: &str) -> anyhow::Result<Option<Seen>> {
        let pull_request = self.commit()?.pull_request;
        let github = &self.home.github;
        let comment = github
            .comment(self.who.name, SHOP, pull_request, line)
            .await;
        let mark = format!("/comment/{comment}/");
        let answer = until(
            &self.home.clock,
            "an answer on the pull request",
            async || {
                let answers = github.comments().into_iter();
                answers
                    .map(|written| written.body)
                    .find(|body| body.contains(&mark))
            },
        )
        .await?;
        let answer = look::comment(&answer, self.home.clock.now());
        let title = format!(
            "Countersign answers {} on pull request {pull_request}",
            self.who.name
        );
        self.screen.frame(&title, &answer);
        Ok(Some(answer))
    }

    /// Something of the guide was seen.
    pub(super) fn saw(&mut self, fact: Fact) {
        let step = self.guide.next().filter(|step| step.fact == fact);
        if self.guide.saw(fact)
            && let Some(step) = step
        {
            self.tick(step.done, "");
        }
    }
}
