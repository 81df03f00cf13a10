//! Links between an account in a chat and one on the forge. A code is given in the chat, used in a comment by the owner of
//! the account, and confirmed in the chat: so both sides have said yes. A link is an identity, never a right.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::domain::command::Link;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer, reply, via};
use crate::domain::desk::{Change, Outcome};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Message, Text, code, command, list, named, person, text};
use crate::domain::{
    Account, Action, Actor, Asked, Button, Claimant, Forge, Look, Offer, Said, Seen, Spot, Surface,
};

/// How long a code is good.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// A speaker wants to be known on a forge.
pub(crate) fn offer_link(sitting: &Sitting<'_>, said: &Said, outcome: &mut Outcome) {
    let spot = &said.spot;
    if said.lot.is_empty() {
        let reason = Reason::unknown(Rule::LINK, "no code could be drawn; try again later");
        return answers::turn_away(sitting, spot, "/link", &reason, outcome);
    }
    let number = sitting.next_notice();
    let expires_at = sitting
        .now
        .checked_add(LIFETIME)
        .unwrap_or(jiff::Timestamp::MAX);
    outcome.changes.push(Change::OfferLink {
        offer: Box::new(Offer {
            number,
            spot: spot.clone(),
            expires_at,
            claimed_by: None,
        }),
        code: said.lot.clone(),
    });
    outcome
        .entries
        .push(answers::stranger(sitting, Action::LinkOffered, spot).with("offer", number));
    let services = sitting
        .catalog
        .services_of(spot.speaker.chat, &spot.channel);
    let repositories: BTreeSet<&str> = services.iter().map(|one| one.repo.path()).collect();
    let mut message = Message::from(text![
        "Write this as a comment on any pull request of ",
        list(repositories.into_iter()),
        ", with the account that is yours:"
    ]);
    // It is written on the forge, whatever this chat calls its commands.
    message.say(code(&format!("/link {}", said.lot)));
    message.say(
        "Then confirm here. The code is good once, for ten minutes; do not give it to anybody.",
    );
    reply(spot, message, Vec::new(), outcome);
}

/// A commenter used a code.
pub(crate) fn claim(
    sitting: &Sitting<'_>,
    asked: &Asked,
    link: &Link,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let Some(code_said) = &link.code else {
        return Err(Reason::refuses(Rule::LINK, "a code is missing").help(text![
            "Say ",
            command("/link"),
            " in the chat first; it gives you one."
        ]));
    };
    let look = Look::Code {
        code: code_said.clone(),
    };
    let offer = match sitting.seen(look) {
        Some(Seen::Offer(Some(offer))) if offer.expires_at > sitting.now => offer,
        _ => {
            return Err(new_code("this code is unknown, used or too old"));
        }
    };
    if offer.claimed_by.is_some() {
        return Err(new_code("this code was used before"));
    }
    let speaker = &offer.spot.speaker;
    outcome.changes.push(Change::ClaimLink {
        offer: offer.number,
        account: asked.author.clone(),
    });
    let claimed = sitting
        .entry(Action::LinkClaimed, Actor::from(&asked.author))
        .with("offer", offer.number);
    outcome.entries.push(speaker.noted_in(claimed));
    let text = text![
        named(&speaker.name),
        format!(" on {} asked to be known as ", speaker.chat.called()),
        person(&asked.author),
        ", and must confirm it there now. If that is not you, tell whoever runs Countersign; ",
        command("/unlink"),
        " ends every link of your account."
    ];
    answers::answer(asked, Answer::said(text), outcome);
    let question = text![
        person(&asked.author),
        format!(
            " on {} used your code. Is that your account?",
            asked.author.forge
        )
    ];
    let offer_number = offer.number;
    let buttons = vec![
        Button::Link {
            offer: offer_number,
            claimant: Some(Claimant::from(&asked.author)),
        },
        Button::NoLink {
            offer: offer_number,
        },
    ];
    reply(&offer.spot, question, buttons, outcome);
    Ok(())
}

/// The speaker who got the code says that the account that used it is theirs: the one that the button names.
pub(crate) fn confirm_link(
    sitting: &Sitting<'_>,
    spot: &Spot,
    (number, claimant): (u64, Option<Claimant>),
    outcome: &mut Outcome,
) {
    let claimed = claimed(sitting, spot, number);
    let meant = claimed.filter(|account| claimant == Some(Claimant::from(account)));
    let Some(account) = meant else {
        return not_open(sitting, spot, outcome);
    };
    outcome.changes.push(Change::EndOffer { offer: number });
    if let Some(before) = known_as(sitting, spot, account.forge)
        && before.id != account.id
    {
        let ended = sitting.entry(Action::IdentityUnlinked, Actor::from(&before));
        outcome.entries.push(via(ended, spot));
    }
    outcome.changes.push(Change::Link {
        speaker: spot.speaker.clone(),
        account: account.clone(),
    });
    outcome.entries.push(via(
        sitting.entry(Action::IdentityLinked, Actor::from(&account)),
        spot,
    ));
    let text = text![
        "You are ",
        person(&account),
        format!(
            " here from now on. Countersign asks {} each time what you may do; ",
            account.forge
        ),
        command("/unlink"),
        " ends the link."
    ];
    reply(spot, text, Vec::new(), outcome);
}

/// The speaker who got the code says that the account that used it is not theirs.
pub(crate) fn decline_link(sitting: &Sitting<'_>, spot: &Spot, number: u64, outcome: &mut Outcome) {
    if claimed(sitting, spot, number).is_none() {
        return not_open(sitting, spot, outcome);
    }
    outcome.changes.push(Change::EndOffer { offer: number });
    let entry = answers::stranger(sitting, Action::LinkDeclined, spot);
    outcome.entries.push(entry.with("offer", number));
    reply(spot, text!["Nothing was linked."], Vec::new(), outcome);
}

/// The account that used the code of a speaker's own offer, while it is open.
fn claimed(sitting: &Sitting<'_>, spot: &Spot, number: u64) -> Option<Account> {
    match sitting.seen(Look::Offer { number }) {
        Some(Seen::Offer(Some(offer)))
            if offer.expires_at > sitting.now && offer.spot.speaker.is(&spot.speaker) =>
        {
            offer.claimed_by.clone()
        }
        _ => None,
    }
}

fn not_open(sitting: &Sitting<'_>, spot: &Spot, outcome: &mut Outcome) {
    let reason = Reason::refuses(Rule::LINK, "this link is not open any more").help(text![
        "Say ",
        command("/link"),
        "; it gives you a new code."
    ]);
    answers::turn_away(sitting, spot, "/link", &reason, outcome);
}

/// The speaker's account on a forge.
pub(crate) fn known_as(sitting: &Sitting<'_>, spot: &Spot, forge: Forge) -> Option<Account> {
    let look = Look::Identity {
        speaker: spot.speaker.clone(),
        forge,
    };
    match sitting.seen(look) {
        Some(Seen::Identity(account)) => account.clone(),
        _ => None,
    }
}

/// A speaker without an account on any of the channel's forges is told no more than that.
pub(crate) fn is_known(sitting: &Sitting<'_>, spot: &Spot) -> Result<(), Reason> {
    let services = sitting
        .catalog
        .services_of(spot.speaker.chat, &spot.channel);
    let forges: BTreeSet<Forge> = services.iter().map(|one| one.repo.forge()).collect();
    let mut unknown = Ok(());
    for forge in forges {
        match linked(sitting, spot, forge) {
            Ok(_) => return Ok(()),
            Err(reason) => unknown = Err(reason),
        }
    }
    unknown
}

/// The speaker's account on the forge, or why there is none.
pub(crate) fn linked(sitting: &Sitting<'_>, spot: &Spot, forge: Forge) -> Result<Account, Reason> {
    known_as(sitting, spot, forge).ok_or_else(|| {
        let chat = spot.speaker.chat.called();
        let says = format!("your account on {chat} is not linked with one on {forge}");
        Reason::refuses(Rule::LINK, says).help(text![
            "Say ",
            command("/link"),
            " and follow what it says; it takes a minute."
        ])
    })
}

/// A speaker does not want to be known any more.
pub(crate) fn unlink_speaker(sitting: &Sitting<'_>, spot: &Spot, outcome: &mut Outcome) {
    let accounts = Forge::ALL.map(|forge| known_as(sitting, spot, forge));
    let accounts: Vec<Account> = accounts.into_iter().flatten().collect();
    if accounts.is_empty() {
        let reason = Reason::refuses(Rule::LINK, "your account here is not linked");
        return answers::turn_away(sitting, spot, "/unlink", &reason, outcome);
    }
    for account in &accounts {
        outcome.changes.push(Change::Unlink {
            speaker: spot.speaker.clone(),
            forge: account.forge,
        });
        outcome.entries.push(via(
            sitting.entry(Action::IdentityUnlinked, Actor::from(account)),
            spot,
        ));
    }
    let names = Text::joined(accounts.iter().map(person), " and ");
    let text = text!["You are no longer ", names, " here."];
    reply(spot, text, Vec::new(), outcome);
}

/// The owner of an account ends every link of it.
pub(crate) fn unlink_account(sitting: &Sitting<'_>, asked: &Asked, outcome: &mut Outcome) {
    if let Surface::Chat(spot) = &asked.origin {
        return unlink_speaker(sitting, spot, outcome);
    }
    let look = Look::Linked {
        forge: asked.author.forge,
        account: asked.author.id,
    };
    let speakers = match sitting.seen(look) {
        Some(Seen::Speakers(speakers)) => speakers.clone(),
        _ => Vec::new(),
    };
    if speakers.is_empty() {
        let reason = Reason::refuses(Rule::LINK, "no account of a chat is linked with yours");
        return answers::refuse(sitting, asked, &reason, outcome);
    }
    let text = text![
        match speakers.len() {
            1 => "One account in a chat is no longer ".to_owned(),
            many => format!("{many} accounts in chats are no longer "),
        },
        person(&asked.author),
        "."
    ];
    for speaker in speakers {
        let actor = Actor::from(&asked.author);
        let entry = sitting.entry(Action::IdentityUnlinked, actor);
        outcome.entries.push(speaker.noted_in(entry));
        outcome.changes.push(Change::Unlink {
            speaker,
            forge: asked.author.forge,
        });
    }
    answers::answer(asked, Answer::said(text), outcome);
}

/// The way out where a code is worth nothing.
fn new_code(says: &str) -> Reason {
    Reason::refuses(Rule::LINK, says).help(text![
        "Say ",
        command("/link"),
        " in the chat; it gives you a new one."
    ])
}
