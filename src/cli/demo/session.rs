//! The person at the terminal: who they are just now, where, and what comes of what they type. Whatever is shown
//! was read from the chat, the forge, the audit log or the service; nothing is written beforehand.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::chat::{Heard, Posted};
use super::forge::{Commit, Words};
use super::guide::{Fact, Guide};
use super::home::Home;
use super::input::Input;
use super::look::{self, Seen};
use super::people::{ANN, EVE, Person, Place, Speaker};
use super::screen::Screen;
use super::typed::{self, Typed};
use super::wait::until;
use crate::cli::say;

pub(super) struct Session<'h> {
    pub(super) home: &'h Home,
    pub(super) screen: Screen,
    /// Between two lines, for people to follow.
    pub(super) rest: Duration,
    pub(super) guide: Guide,
    /// The step whose hint was given last.
    hinted: Option<Fact>,
    speaker: Speaker,
    pub(super) commits: Vec<Commit>,
    /// The notice as it was drawn last.
    pub(super) drawn: Option<Posted>,
    /// The newest request.
    pub(super) request: u64,
    /// The newest entry of the audit log that was told about.
    pub(super) told: i64,
    ticks: usize,
    /// Releases that were asked of the forge before the database was changed.
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
            speaker: ANN.at_home(),
            commits: Vec::new(),
            drawn: None,
            request: 0,
            told: 0,
            ticks: 0,
            asked_before: 0,
        }
    }

    /// What people call things on the forge.
    pub(super) fn words(&self) -> &'static Words {
        self.home.forge.words()
    }

    /// The person in the words of this forge and this chat.
    pub(super) fn about(&self, person: &Person) -> String {
        let chat = self.home.chat.words().chat;
        person.part.about(self.words().forge, chat)
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
            let words = self.words();
            self.screen.tell(&format!("Next: {}", step.why(words)));
            // First who does it, then where, then what: never more than three lines.
            for _ in 0..3 {
                let line = step.typed(words, self.speaker, self.request);
                say(&format!("{}{line}", self.prompt()));
                let typed = typed::read(&line, self.words().place);
                let is_last = !matches!(typed, Typed::As(_) | Typed::At(_));
                self.take(typed).await?;
                if is_last {
                    break;
                }
            }
            if !self.guide.has_seen(step.fact) {
                bail!("this did not happen: {}", step.done(words));
            }
        }
        Ok(())
    }

    /// The person types, until they have enough.
    pub(super) async fn lead(&mut self, input: &mut Input) -> anyhow::Result<()> {
        loop {
            let words = self.words();
            let hint = self.guide.next().map(|step| {
                let line = step.typed(words, self.speaker, self.request);
                // What for is said once.
                if self.hinted == Some(step.fact) {
                    self.screen.hint_again(&line);
                } else {
                    self.screen.hint(&step.why(words), &line);
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
            let typed = match (typed::read(&line, self.words().place), hint) {
                (Typed::Nothing, Some(hint)) => {
                    self.screen.fill_in(&self.prompt(), &hint);
                    typed::read(&hint, self.words().place)
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
        let change = self.commits.last().map_or(0, |commit| commit.change);
        let place = self.speaker.place.called(self.words(), change);
        self.screen.prompt(self.speaker.who.name, &place)
    }

    async fn take(&mut self, typed: Typed) -> anyhow::Result<()> {
        match typed {
            Typed::Nothing | Typed::Quit => {}
            Typed::As(person) => {
                self.speaker = person.at_home();
                let text = format!("You are {}, {}.", person.name, self.about(person));
                self.screen.aside(&text);
            }
            Typed::At(place) => self.speaker.place = place,
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
        let answer = match self.speaker.place {
            Place::Chat => self.say_in_chat(line).await?,
            Place::Change => self.say_on_forge(line).await?,
        };
        let is_refused = answer.is_some_and(|answer| answer.says("Refused"));
        let expected = self
            .guide
            .next()
            .filter(|step| step.is_meant(line, self.speaker));
        self.follow(expected.map(|step| step.fact).filter(|_| !is_refused))
            .await?;
        if is_refused && self.speaker == EVE.at_home() {
            self.saw(Fact::Refused);
        }
        Ok(())
    }

    async fn say_in_chat(&mut self, line: &str) -> anyhow::Result<Option<Seen>> {
        let (chat, who) = (&self.home.chat, self.speaker.who);
        let words = chat.words();
        let problem = match chat.say(who, line).await {
            Heard::Yes(number) => {
                let clock = &self.home.clock;
                let answer = until(clock, "an answer in the chat", async || {
                    chat.answer(who, number)
                })
                .await?;
                let answer = answer.look(clock.now());
                let title = format!("Countersign answers {}, who alone sees it", who.name);
                self.screen.frame(&title, &answer);
                return Ok(Some(answer));
            }
            Heard::Unknown => {
                let Words { place, change, .. } = self.words();
                format!(
                    "{}; at {place} goes to the {change}.",
                    words.no_such_command
                )
            }
            Heard::Refused(why) => format!("{} does not take that: {why}.", words.chat),
            Heard::Unanswered => format!("{} shows no answer.", words.chat),
        };
        self.screen.tell(&problem);
        Ok(None)
    }

    async fn say_on_forge(&mut self, line: &str) -> anyhow::Result<Option<Seen>> {
        let change = self.commit()?.change;
        let (forge, who) = (&self.home.forge, self.speaker.who);
        let comment = match forge.comment(who, change, line).await {
            Ok(comment) => comment,
            Err(problem) => {
                self.screen.tell(&problem);
                return Ok(None);
            }
        };
        let clock = &self.home.clock;
        let what = format!("an answer on the {}", self.words().change);
        let answer = until(clock, &what, async || forge.answer(comment)).await?;
        let answer = look::comment(&answer, clock.now());
        let place = Place::Change.called(self.words(), change);
        let title = format!("Countersign answers {} {place}", who.name);
        self.screen.frame(&title, &answer);
        Ok(Some(answer))
    }

    /// Something of the guide was seen.
    pub(super) fn saw(&mut self, fact: Fact) {
        let step = self.guide.next().filter(|step| step.fact == fact);
        if self.guide.saw(fact)
            && let Some(step) = step
        {
            self.tick(&step.done(self.words()), "");
        }
    }
}
