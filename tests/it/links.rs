//! Links between accounts in chats and on forges: one code links one account, whoever is fastest, and the log says when
//! each link ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::domain::{Account, Change, Chat, Forge, Handle, Look, Offer, Seen, Speaker, Spot};
use countersign::store::{Store, state};
use jiff::SignedDuration;
use tokio::sync::Barrier;

use crate::leases::now;
use crate::support::talk::{code_in, on_discord};
use crate::support::world::PLAIN;
use crate::support::{Database, Engine, World, on_both};

on_both!(
    of_two_who_claim_one_code_one_wins,
    the_second_to_use_a_code_is_refused,
    linking_again_records_the_end_of_the_link_before,
);

const CODE: &str = "ABCD1234";

fn offer() -> Offer {
    Offer {
        number: 1,
        spot: Spot {
            speaker: Speaker {
                chat: Chat::Discord,
                tenant: "90".to_owned(),
                user: "5".to_owned(),
                name: "ann".to_owned(),
            },
            channel: "2".to_owned(),
            id: "7".to_owned(),
            handle: Handle::Discord {
                token: "token".to_owned(),
            },
            said_at: now(),
        },
        expires_at: now().checked_add(SignedDuration::from_mins(10)).unwrap(),
        claimed_by: None,
    }
}

/// Claims the code as the desk does: looks, and writes if nobody has it. Whether it was ours.
async fn claim(store: &Store, id: u64, looked: Option<Arc<Barrier>>) -> bool {
    let tries = Arc::new(AtomicUsize::new(0));
    let claimed = store.unit(move |tx| {
        let (tries, looked) = (tries.clone(), looked.clone());
        Box::pin(async move {
            let code = CODE.to_owned();
            let seen = state::look(tx, &Look::Code { code }).await?;
            let Seen::Offer(Some(offer)) = seen else {
                panic!("{seen:?}");
            };
            // Both have looked before either writes.
            if let (0, Some(looked)) = (tries.fetch_add(1, Ordering::SeqCst), looked) {
                looked.wait().await;
            }
            if offer.claimed_by.is_some() {
                return Ok(false);
            }
            let account = Account {
                forge: Forge::GitHub,
                id,
                login: format!("login{id}"),
            };
            let claim = Change::ClaimLink { offer: 1, account };
            state::apply(tx, &claim, now()).await?;
            Ok(true)
        })
    });
    claimed.await.unwrap()
}

async fn of_two_who_claim_one_code_one_wins(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    store
        .unit(|tx| {
            Box::pin(async move {
                let change = Change::OfferLink {
                    offer: Box::new(offer()),
                    code: CODE.to_owned(),
                };
                state::apply(tx, &change, now()).await
            })
        })
        .await
        .unwrap();
    // SQLite has one writer, who holds up the other from its first look on.
    let looked = match engine {
        Engine::Postgres => Some(Arc::new(Barrier::new(2))),
        Engine::Sqlite => None,
    };
    let both = tokio::join!(
        claim(&store, 5, looked.clone()),
        claim(&store, 6, looked.clone())
    );
    let winner = match both {
        (true, false) => 5,
        (false, true) => 6,
        both => panic!("{both:?}"),
    };
    let claimed = "SELECT account FROM link_offer WHERE number = 1";
    assert_eq!(database.number(claimed).await, winner);
}

/// The button with this label on the newest question on Discord is pressed; what the person reads then.
async fn press(world: &World, person: &str, label: &str) -> String {
    let discord = &world.talk().discord;
    let question = discord.ephemeral_for(on_discord(person)).pop().unwrap();
    let mut buttons = question.buttons();
    let button = buttons.find(|button| button["label"] == label).unwrap();
    let id = button["custom_id"].as_str().unwrap().to_owned();
    discord.click(on_discord(person), question.id, &id).await;
    world.settle().await;
    let read = discord.ephemeral_for(on_discord(person)).pop();
    read.unwrap().content
}

async fn the_second_to_use_a_code_is_refused(engine: Engine) {
    let world = World::talking(engine, PLAIN).await;
    let offered = world.discord("ann", "/link").await;
    let code = code_in(&offered);
    world.hold();
    world.comment("bob", 3, &code).await;
    world.comment("ann", 3, &code).await;
    world.release(&countersign_sandbox::github::Order::AsTheyCame);
    world.settle().await;
    assert_eq!(world.recorded("link.claimed").await, 1);
    assert_eq!(world.recorded("refused").await, 1);
    assert!(
        press(&world, "ann", "No")
            .await
            .contains("Nothing was linked")
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM identity").await, 0);
}

async fn linking_again_records_the_end_of_the_link_before(engine: Engine) {
    let world = World::talking(engine, PLAIN).await;
    for account in ["bob", "ann"] {
        let offered = world.discord("ann", "/link").await;
        world.say(account, 3, &code_in(&offered)).await;
        let read = press(&world, "ann", "Yes, that is me").await;
        assert!(read.contains(account), "{read}");
    }
    assert_eq!(world.recorded("identity.linked").await, 2);
    assert_eq!(world.recorded("identity.unlinked").await, 1);
    assert_eq!(world.number("SELECT account FROM identity").await, 5);
}
