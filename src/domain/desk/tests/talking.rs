//! Talking to the desk from chats: who is who, and what a button still means.

use jiff::Timestamp;

use super::any_order::{at, catalog, repository, sha};
use super::memory::Memory;
use super::under::{in_force, sealed};
use crate::domain::desk::{Change, Outcome};
use crate::domain::text::Text;
use crate::domain::{
    Account, Act, Action, Bound, Button, Catalog, Chat, Claimant, Comment, Effect, Forge, Handle,
    InChat, Incoming, Internal, News, Notice, OnForge, Place, Request, RequestKind, Said, Ships,
    Speaker, Spot, State, Subscription, Surface,
};

const LOT: &str = "ABCD1234";

fn ours() -> Catalog {
    let mut catalog = catalog();
    catalog.tenants = vec![
        (Chat::Discord, "100".to_owned()),
        (Chat::Slack, "T1".to_owned()),
    ];
    for service in &mut catalog.services {
        service.notify = vec![Subscription::to("discord:200".parse().unwrap())];
    }
    catalog
}

fn memory() -> Memory {
    let mut memory = Memory::default();
    memory.bound.insert(
        "acme/shop".to_owned(),
        Bound {
            name: "acme/shop".to_owned(),
            repository: repository(),
        },
    );
    memory
}

fn speaker(tenant: &str, user: &str) -> Speaker {
    let chat = if tenant.starts_with('T') {
        Chat::Slack
    } else {
        Chat::Discord
    };
    Speaker {
        chat,
        tenant: tenant.to_owned(),
        user: user.to_owned(),
        name: format!("name of {user}"),
    }
}

/// A speaker does something in the channel; each time is another one.
fn does(memory: &mut Memory, (tenant, user): (&str, &str), act: Act, now: Timestamp) -> Outcome {
    let said = Said {
        spot: Spot {
            speaker: speaker(tenant, user),
            channel: "200".to_owned(),
            id: format!("{}/{}", memory.remembered.len(), now.as_second()),
            handle: Handle::Discord {
                token: "t".to_owned(),
            },
            said_at: now,
        },
        home: None,
        act,
        lot: LOT.to_owned(),
    };
    let mut outcomes = memory.hear(&Incoming::Said(said), &ours(), now);
    outcomes.remove(0)
}

fn says(memory: &mut Memory, who: (&str, &str), line: &str, now: Timestamp) -> Outcome {
    does(memory, who, Act::Command(line.to_owned()), now)
}

fn presses(memory: &mut Memory, who: (&str, &str), button: Button, now: Timestamp) -> Outcome {
    let act = Act::Press {
        button,
        reason: None,
    };
    does(memory, who, act, now)
}

fn comments(memory: &mut Memory, account: u64, body: &str, now: Timestamp) -> Outcome {
    let comment = Comment {
        place: Place {
            repository: repository(),
            pull_request: 3,
            comment: 1_000 + memory.remembered.len() as u64,
            written_at: now,
        },
        author: Account {
            forge: Forge::GitHub,
            id: account,
            login: format!("login{account}"),
        },
        body: body.to_owned(),
    };
    let mut outcomes = memory.hear(&Incoming::Comment(comment), &ours(), now);
    outcomes.remove(0)
}

/// The speaker says that this account is theirs.
fn that_is(id: u64) -> Button {
    Button::Link {
        offer: 1,
        claimant: Some(Claimant {
            forge: Forge::GitHub,
            id,
        }),
    }
}

/// What the speaker reads, wherever it is said.
fn read(outcome: &Outcome) -> String {
    outcome
        .effects
        .iter()
        .find_map(|planned| {
            let (Effect::Chat(InChat::Reply { text, .. })
            | Effect::Forge(OnForge::Say { text, .. })) = &planned.effect
            else {
                return None;
            };
            Some(text.plain())
        })
        .unwrap_or_else(|| format!("nothing: {outcome:?}"))
}

fn actions(outcome: &Outcome) -> Vec<Action> {
    outcome.entries.iter().map(|entry| entry.action).collect()
}

#[test]
fn a_link_needs_both_sides() {
    let mut memory = memory();
    let ann = ("100", "1");
    let offered = says(&mut memory, ann, "/link", at(0));
    assert_eq!(actions(&offered), [Action::LinkOffered]);
    assert!(read(&offered).contains("/link ABCD1234"));
    // Confirming a code before the forge has seen it does nothing.
    let early = presses(&mut memory, ann, that_is(5), at(1));
    assert_eq!(actions(&early), [Action::Refused]);

    let claimed = comments(&mut memory, 5, "/link abcd-1234", at(2));
    assert!(actions(&claimed).contains(&Action::LinkClaimed));
    assert!(memory.links.is_empty(), "the chat has not said yes");
    let again = comments(&mut memory, 6, "/link ABCD1234", at(3));
    assert!(read(&again).contains("was used before"), "{}", read(&again));

    // Only its speaker confirms: not another user, not the same number elsewhere.
    for stranger in [("100", "2"), ("T1", "1")] {
        let no = presses(&mut memory, stranger, that_is(5), at(4));
        assert!(read(&no).contains("not open any more"), "{}", read(&no));
    }
    let linked = presses(&mut memory, ann, that_is(5), at(5));
    assert_eq!(actions(&linked), [Action::IdentityLinked]);
    assert_eq!(memory.links.len(), 1);
    assert_eq!(memory.links[0].1.id, 5);
    assert!(memory.offers.is_empty());
    let twice = presses(&mut memory, ann, that_is(5), at(6));
    assert_eq!(actions(&twice), [Action::Refused]);

    let gone = comments(&mut memory, 5, "/unlink", at(7));
    assert!(actions(&gone).contains(&Action::IdentityUnlinked));
    assert!(memory.links.is_empty());
}

#[test]
fn a_button_links_the_account_that_it_names_and_no_other() {
    let mut memory = memory();
    let ann = ("100", "1");
    says(&mut memory, ann, "/link", at(0));
    comments(&mut memory, 6, "/link ABCD1234", at(1));
    let of_before = Button::Link {
        offer: 1,
        claimant: None,
    };
    let on_gitlab = Button::Link {
        offer: 1,
        claimant: Some(Claimant {
            forge: Forge::GitLab,
            id: 6,
        }),
    };
    for button in [that_is(5), of_before, on_gitlab] {
        let no = presses(&mut memory, ann, button, at(2));
        assert!(read(&no).contains("not open any more"), "{}", read(&no));
        assert_eq!(actions(&no), [Action::Refused]);
    }
    assert!(memory.links.is_empty());
    presses(&mut memory, ann, that_is(6), at(3));
    assert_eq!(memory.links[0].1.id, 6);
}

#[test]
fn linking_again_ends_the_link_before() {
    let mut memory = memory();
    let ann = ("100", "1");
    let mut link = |account, second| {
        says(&mut memory, ann, "/link", at(second));
        comments(&mut memory, account, "/link ABCD1234", at(second + 1));
        let (offer, _) = memory.offers.values().next().unwrap();
        let offer = offer.number;
        let button = Button::Link {
            offer,
            claimant: Some(Claimant {
                forge: Forge::GitHub,
                id: account,
            }),
        };
        actions(&presses(&mut memory, ann, button, at(second + 2)))
    };
    assert_eq!(link(5, 0), [Action::IdentityLinked]);
    let again = link(6, 10);
    assert_eq!(again, [Action::IdentityUnlinked, Action::IdentityLinked]);
    assert_eq!(link(6, 20), [Action::IdentityLinked]);
    assert_eq!(memory.links.len(), 1);
    assert_eq!(memory.links[0].1.id, 6);
}

#[test]
fn a_code_is_good_for_ten_minutes() {
    for (second, expect) in [(599, true), (600, false)] {
        let mut memory = memory();
        says(&mut memory, ("100", "1"), "/link", at(0));
        let claimed = comments(&mut memory, 5, "/link ABCD1234", at(second));
        let is_claimed = actions(&claimed).contains(&Action::LinkClaimed);
        assert_eq!(is_claimed, expect, "{second}");
    }
    let mut memory = memory();
    says(&mut memory, ("100", "1"), "/link", at(0));
    comments(&mut memory, 5, "/link ABCD1234", at(500));
    let late = presses(&mut memory, ("100", "1"), that_is(5), at(600));
    assert_eq!(actions(&late), [Action::Refused]);
    assert!(memory.links.is_empty());
}

#[test]
fn whoever_is_not_linked_gets_a_hint_and_is_recorded() {
    let mut memory = memory();
    let refused = says(&mut memory, ("100", "1"), "/deploy prod", at(0));
    assert_eq!(actions(&refused), [Action::Refused]);
    assert!(read(&refused).contains("not linked"), "{}", read(&refused));
    assert!(read(&refused).contains("/link"));
    assert!(memory.told.is_empty());
}

#[test]
fn another_tenant_is_not_obeyed_whoever_it_says_it_is() {
    let mut memory = memory();
    memory.links.push((
        speaker("100", "1"),
        Account {
            forge: Forge::GitHub,
            id: 5,
            login: "ann".to_owned(),
        },
    ));
    let ours = says(&mut memory, ("100", "1"), "/deploy prod", at(0));
    assert!(matches!(ours.changes.last(), Some(Change::Note { .. })));
    // The same user number in another guild, and in a workspace of ours.
    let foreign = says(&mut memory, ("666", "1"), "/deploy prod", at(1));
    assert!(read(&foreign).contains("does not work for this server"));
    let other = says(&mut memory, ("T1", "1"), "/deploy prod", at(2));
    assert!(read(&other).contains("not linked"));
    assert_eq!(memory.told.len(), 1);
    for outcome in [foreign, other] {
        assert_eq!(actions(&outcome), [Action::Refused]);
    }
}

#[test]
fn a_link_that_ended_while_a_command_waited_ends_the_command() {
    let mut memory = memory();
    let account = Account {
        forge: Forge::GitHub,
        id: 5,
        login: "ann".to_owned(),
    };
    memory.links.push((speaker("100", "1"), account));
    says(&mut memory, ("100", "1"), "/deploy prod", at(0));
    let waiting = memory.told.remove(0);
    assert!(matches!(&waiting, Internal::Heard { line, .. } if line == "/deploy prod"));
    memory.links.clear();
    let outcome = memory
        .hear(&Incoming::Internal(waiting), &ours(), at(1))
        .remove(0);
    assert_eq!(actions(&outcome), [Action::Refused]);
    assert!(read(&outcome).contains("no longer linked"));
}

#[test]
fn a_yes_from_before_the_request_is_not_meant_for_it() {
    let mut memory = memory();
    let account = Account {
        forge: Forge::GitHub,
        id: 5,
        login: "ann".to_owned(),
    };
    memory.links.push((speaker("100", "1"), account.clone()));
    let place = Place {
        repository: repository(),
        pull_request: 3,
        comment: 1,
        written_at: at(30),
    };
    let ours = sealed(ours());
    let request = Request {
        number: 1,
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        repository: repository(),
        sha: sha(1),
        kind: RequestKind::Deploy,
        by: account,
        reason: None,
        origin: Surface::Comment(place),
        thread: "asked".to_owned(),
        open_head: None,
        policy: in_force(&ours),
        opened_at: at(31),
        expires_at: at(3_600),
        given: Vec::new(),
        state: State::Waiting,
    };
    memory.requests.insert(1, request);
    // Said at the tenth second, and heard when the request was there.
    says(&mut memory, ("100", "1"), "/approve #1", at(10));
    let waiting = memory.told.remove(0);
    let outcome = memory
        .hear(&Incoming::Internal(waiting), &ours, at(40))
        .remove(0);
    assert_eq!(actions(&outcome).last(), Some(&Action::Refused));
    assert!(
        read(&outcome).contains("written before"),
        "{}",
        read(&outcome)
    );
    assert!(memory.requests[&1].given.is_empty());
}

#[test]
fn a_button_of_an_older_state_explains_itself() {
    let mut memory = memory();
    let account = Account {
        forge: Forge::GitHub,
        id: 5,
        login: "ann".to_owned(),
    };
    memory.links.push((speaker("100", "1"), account));
    let mut notice = Notice {
        number: 7,
        service: "shop".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        repository: repository(),
        sha: sha(1),
        title: "More".to_owned(),
        url: String::new(),
        seen_at: at(0),
        ships: Ships::default(),
        stages: Vec::new(),
        who: Text::default(),
        news: News::Ready,
    };
    memory.notices.insert(7, notice.clone());
    let button = Button::Deploy { notice: 7 };
    presses(&mut memory, ("100", "1"), button, at(1));
    let line = format!("/deploy prod {} --service shop", sha(1));
    assert!(
        matches!(memory.told.as_slice(), [Internal::Heard { line: told, .. }] if *told == line)
    );

    notice.news = News::Deploying {
        request: 42,
        url: String::new(),
    };
    memory.notices.insert(7, notice);
    let stale = presses(&mut memory, ("100", "1"), button, at(2));
    assert_eq!(actions(&stale), [Action::Refused]);
    assert!(
        read(&stale).contains("#42 is under way"),
        "{}",
        read(&stale)
    );
    let unknown = presses(
        &mut memory,
        ("100", "1"),
        Button::Deploy { notice: 8 },
        at(3),
    );
    assert!(read(&unknown).contains("not known any more"));
    assert_eq!(memory.told.len(), 1);
}
