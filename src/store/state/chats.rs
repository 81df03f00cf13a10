//! Chats: what they were told, and whose account there is whose on the forge.

use jiff::Timestamp;

use super::commits::bodies;
use super::{signed, spell};
use crate::domain::{
    Account, Chat, EnvironmentName, Forge, News, Notice, Offer, Seen, ServiceName, Sha, Speaker,
};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{Store, StoreError, Tx};
use countersign_ground::digest;

statements! {
    NOTICE = ["SELECT number, body FROM notice WHERE service = $1 AND environment = $2 AND sha = $3
        ORDER BY number DESC LIMIT 1"];
    NOTICE_OF = ["SELECT number, body FROM notice WHERE number = $1"];
    OFFERED = ["SELECT number, body FROM notice WHERE service = $1 AND environment = $2 AND is_offer = 1 ORDER BY number"];
    PUT_NOTICE = ["INSERT INTO notice (number, service, environment, sha, is_offer, body) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (number) DO UPDATE SET is_offer = excluded.is_offer, body = excluded.body"];
    NEXT_NOTICE = ["UPDATE counter SET value = value + 1 WHERE name = 'notice' RETURNING name, value"];
    IDENTITY = ["SELECT forge, account, login FROM identity WHERE chat = $1 AND tenant = $2 AND chat_user = $3 AND forge = $4"];
    LINKED = ["SELECT chat, tenant, chat_user, name FROM identity WHERE forge = $1 AND account = $2
        ORDER BY chat, tenant, chat_user"];
    LINK = ["INSERT INTO identity (chat, tenant, chat_user, name, forge, account, login, linked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (chat, tenant, chat_user, forge) DO UPDATE SET name = excluded.name,
            account = excluded.account, login = excluded.login, linked_at = excluded.linked_at"];
    UNLINK = ["DELETE FROM identity WHERE chat = $1 AND tenant = $2 AND chat_user = $3 AND forge = $4"];
    LINKS = ["SELECT chat, tenant, chat_user, name, forge, account, login, linked_at FROM identity
        ORDER BY login, forge, chat, tenant, chat_user"];
    CODE = ["SELECT number, spot, expires_at, forge, account, login FROM link_offer WHERE code = $1"];
    OFFER = ["SELECT number, spot, expires_at, forge, account, login FROM link_offer WHERE number = $1"];
    PUT_OFFER = ["INSERT INTO link_offer (number, code, spot, expires_at) VALUES ($1, $2, $3, $4)"];
    CLAIM_OFFER = ["UPDATE link_offer SET account = $2, login = $3, forge = $4 WHERE number = $1 AND account IS NULL"];
    END_OFFER = ["DELETE FROM link_offer WHERE number = $1"];
    FORGET_OFFERS = ["DELETE FROM link_offer WHERE expires_at < $1"];
}

/// A link as operators see it.
#[derive(Clone, Debug)]
pub struct Linked {
    pub speaker: Speaker,
    pub account: Account,
    pub since: Timestamp,
}

pub(super) async fn notice(
    tx: &mut Tx,
    service: &ServiceName,
    environment: &EnvironmentName,
    sha: &Sha,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&NOTICE))
        .bind(service.as_str())
        .bind(environment.as_str())
        .bind(sha.as_str())
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "notice", "number").map(Seen::Notices)
}

pub(super) async fn notice_of(tx: &mut Tx, number: u64) -> Result<Seen, StoreError> {
    let Ok(number) = i64::try_from(number) else {
        return Ok(Seen::Notices(Vec::new()));
    };
    let rows = sqlx::query(tx.sql(&NOTICE_OF))
        .bind(number)
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "notice", "number").map(Seen::Notices)
}

pub(super) async fn offered(
    tx: &mut Tx,
    service: &ServiceName,
    environment: &EnvironmentName,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&OFFERED))
        .bind(service.as_str())
        .bind(environment.as_str())
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "notice", "number").map(Seen::Notices)
}

pub(super) async fn put_notice(tx: &mut Tx, notice: &Notice) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&PUT_NOTICE))
        .bind(signed(notice.number)?)
        .bind(notice.service.as_str())
        .bind(notice.environment.as_str())
        .bind(notice.sha.as_str())
        .bind(i64::from(notice.news == News::Ready))
        .bind(spell(notice)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn next_notice(tx: &mut Tx) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&NEXT_NOTICE))
        .fetch_one(tx.connection())
        .await?;
    Row::of(&row, "counter", "name")
        .count("value")
        .map(Seen::Number)
}

pub(super) async fn identity(
    tx: &mut Tx,
    speaker: &Speaker,
    forge: Forge,
) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&IDENTITY))
        .bind(speaker.chat.as_str())
        .bind(speaker.tenant.as_str())
        .bind(speaker.user.as_str())
        .bind(forge.prefix())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| account(&Row::of(&row, "identity", "login")))
        .transpose()
        .map(Seen::Identity)
}

fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        forge: super::forge(row, "forge")?,
        id: row.count("account")?,
        login: row.text("login")?,
    })
}

pub(super) async fn linked(
    tx: &mut Tx,
    (forge, account): (Forge, u64),
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&LINKED))
        .bind(forge.prefix())
        .bind(signed(account)?)
        .fetch_all(tx.connection())
        .await?;
    let speakers = rows
        .iter()
        .map(|row| speaker(&Row::of(row, "identity", "chat_user")));
    speakers.collect::<Result<_, _>>().map(Seen::Speakers)
}

fn speaker(row: &Row<'_>) -> Result<Speaker, StoreError> {
    let chat = row.text("chat")?;
    Ok(Speaker {
        chat: Chat::parse(&chat)
            .ok_or_else(|| row.unreadable("chat", format!("{chat:?} is no chat")))?,
        tenant: row.text("tenant")?,
        user: row.text("chat_user")?,
        name: row.text("name")?,
    })
}

pub(super) async fn link(
    tx: &mut Tx,
    speaker: &Speaker,
    account: &Account,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&LINK))
        .bind(speaker.chat.as_str())
        .bind(speaker.tenant.as_str())
        .bind(speaker.user.as_str())
        .bind(speaker.name.as_str())
        .bind(account.forge.prefix())
        .bind(signed(account.id)?)
        .bind(account.login.as_str())
        .bind(now.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Ends a link; `false` when there was none.
pub async fn unlink(tx: &mut Tx, speaker: &Speaker, forge: Forge) -> Result<bool, StoreError> {
    let gone = sqlx::query(tx.sql(&UNLINK))
        .bind(speaker.chat.as_str())
        .bind(speaker.tenant.as_str())
        .bind(speaker.user.as_str())
        .bind(forge.prefix())
        .execute(tx.connection())
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// Every link, by the account's login.
pub async fn links(store: &Store) -> Result<Vec<Linked>, StoreError> {
    let rows = sqlx::query(LINKS.text(store.dialect()))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "identity", "chat_user");
            Ok(Linked {
                speaker: speaker(&row)?,
                account: account(&row)?,
                since: row.time("linked_at")?,
            })
        })
        .collect()
}

pub(super) async fn offer_by_code(tx: &mut Tx, code: &str) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&CODE))
        .bind(digest::sha256_hex(code.as_bytes()))
        .fetch_optional(tx.connection())
        .await?;
    offer_in(row.as_ref())
}

pub(super) async fn offer(tx: &mut Tx, number: u64) -> Result<Seen, StoreError> {
    let Ok(number) = i64::try_from(number) else {
        return Ok(Seen::Offer(None));
    };
    let row = sqlx::query(tx.sql(&OFFER))
        .bind(number)
        .fetch_optional(tx.connection())
        .await?;
    offer_in(row.as_ref())
}

fn offer_in(row: Option<&sqlx::any::AnyRow>) -> Result<Seen, StoreError> {
    let Some(row) = row else {
        return Ok(Seen::Offer(None));
    };
    let row = Row::of(row, "link_offer", "number");
    let spot = serde_json::from_str(&row.text("spot")?)
        .map_err(|error| row.unreadable("spot", error.to_string()))?;
    let login = row.maybe_text("login")?;
    let claimed_by = match (row.maybe_count("account")?, login) {
        (Some(id), Some(login)) => Some(Account {
            forge: super::forge(&row, "forge")?,
            id,
            login,
        }),
        _ => None,
    };
    Ok(Seen::Offer(Some(Box::new(Offer {
        number: row.count("number")?,
        spot,
        expires_at: row.time("expires_at")?,
        claimed_by,
    }))))
}

pub(super) async fn put_offer(tx: &mut Tx, offer: &Offer, code: &str) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&PUT_OFFER))
        .bind(signed(offer.number)?)
        .bind(digest::sha256_hex(code.as_bytes()))
        .bind(spell(&offer.spot)?)
        .bind(offer.expires_at.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Claims an offer that nobody has claimed. Who finds that another was faster decides again.
pub(super) async fn claim_offer(
    tx: &mut Tx,
    number: u64,
    account: &Account,
) -> Result<(), StoreError> {
    let claimed = sqlx::query(tx.sql(&CLAIM_OFFER))
        .bind(signed(number)?)
        .bind(signed(account.id)?)
        .bind(account.login.as_str())
        .bind(account.forge.prefix())
        .execute(tx.connection())
        .await?;
    won(claimed.rows_affected())
}

pub(super) async fn end_offer(tx: &mut Tx, number: u64) -> Result<(), StoreError> {
    let ended = sqlx::query(tx.sql(&END_OFFER))
        .bind(signed(number)?)
        .execute(tx.connection())
        .await?;
    won(ended.rows_affected())
}

/// Whether a write found the row as it was looked at.
fn won(rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::overtaken()),
        _ => Ok(()),
    }
}

pub(super) async fn forget_offers(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&FORGET_OFFERS))
        .bind(before.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}
