//! Tiles under `/log/`, by which anybody can check the audit log: they belong to the signed head, and nothing
//! beyond it is shown.

use std::collections::HashMap;

use countersign::domain::Scope;
use countersign_ledger::{Edge, PublicKeys};
use reqwest::{Method, StatusCode};
use tlog_tiles::{Hash, HashReader as _, Tile, TileHashReader, TileReader, stored_hash_index};

use crate::support::database::keys;
use crate::support::doorway::Opened;
use crate::support::laid::{body, lay};
use crate::support::{Database, Engine, on_both};

on_both!(
    tiles_lead_to_the_signed_root,
    seventy_thousand_entries_have_the_tiles_of_the_specification,
    nothing_beyond_the_signed_head_is_served,
    entries_are_for_bearers_of_a_token,
    strange_paths_are_turned_away,
);

/// Tiles that were fetched, for a reader that cannot wait.
struct Fetched(HashMap<Tile, Vec<u8>>);

impl TileReader for Fetched {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| self.0[tile].clone()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Every tile of a log of this size, and its path.
fn tiles_of(size: u64) -> Vec<(Tile, String)> {
    let named = |tile: Tile| {
        let path = tile.path();
        (tile, path.replacen("tile/8/", "/log/tile/", 1))
    };
    Tile::new_tiles(8, 0, size).into_iter().map(named).collect()
}

/// Fetches the head and all tiles as a stranger, and checks all leaves against the head.
async fn check(opened: &Opened, size: u64) {
    let answer = opened.get("/log/checkpoint", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(answer.headers()["cache-control"], "public, max-age=2");
    let public = PublicKeys::new(keys().publics()).unwrap();
    let head = public.check(&answer.text().await.unwrap()).unwrap();
    assert_eq!(head.size, size);

    let mut fetched = Fetched(HashMap::new());
    for (tile, path) in tiles_of(size) {
        let answer = opened.get(&path, "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/octet-stream");
        let cache = answer.headers()["cache-control"].to_str().unwrap();
        assert!(cache.contains("immutable"), "{path}: {cache}");
        fetched
            .0
            .insert(tile, answer.bytes().await.unwrap().to_vec());
    }
    let reader = TileHashReader::new(size, Hash(head.root), &fetched);
    let leaves: Vec<u64> = (0..size).map(|n| stored_hash_index(0, n)).collect();
    let hashes = reader.read_hashes(&leaves).unwrap();
    for (seq, hash) in (1..).zip(&hashes) {
        assert_eq!(*hash, tlog_tiles::record_hash(&body(seq)), "{seq}");
    }
    assert_eq!(tlog_tiles::tree_hash(size, &reader).unwrap().0, head.root);
}

async fn tiles_lead_to_the_signed_root(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    let first = opened.get("/log/checkpoint", "").await;
    assert_eq!(first.status(), StatusCode::NOT_FOUND);
    let sentence = first.text().await.unwrap();
    assert_eq!(sentence, "no head of the log has been signed yet\n");
    let mut edge = Edge::default();
    for size in [1, 255, 256, 257, 511, 512, 700] {
        lay(&database, &store, &mut edge, size).await;
        check(&opened, size).await;
    }
}

async fn seventy_thousand_entries_have_the_tiles_of_the_specification(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    lay(&database, &store, &mut Edge::default(), 70_000).await;
    assert_eq!(tiles_of(70_000).len(), 273 + 1 + 1 + 1 + 1);
    check(&opened, 70_000).await;
    for (path, length) in [
        ("/log/tile/0/273.p/112", 112 * 32),
        ("/log/tile/1/000", 8_192),
        ("/log/tile/1/001.p/17", 17 * 32),
        ("/log/tile/2/000.p/1", 32),
    ] {
        let bytes = opened.get(path, "").await.bytes().await.unwrap();
        assert_eq!(bytes.len(), length, "{path}");
    }
}

async fn nothing_beyond_the_signed_head_is_served(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    let mut edge = Edge::default();
    lay(&database, &store, &mut edge, 600).await;
    let token = opened.token(&[Scope::Log], None).await;
    // Entries that no signed head covers yet.
    let mut ahead = edge.clone();
    lay(&database, &store, &mut ahead, 800).await;
    sqlx_forget_head(&database, 800).await;
    for (path, there) in [
        ("0/000", true),
        ("0/001", true),
        ("0/002", false),
        ("0/002.p/88", true),
        ("0/002.p/1", true),
        ("0/002.p/89", false),
        ("0/003.p/1", false),
        ("0/000.p/255", true),
        ("1/000.p/2", true),
        ("1/000.p/3", false),
        ("1/000", false),
        ("2/000.p/1", false),
        ("entries/001", true),
        ("entries/002.p/88", true),
        ("entries/002.p/89", false),
        ("entries/003.p/1", false),
    ] {
        let path = format!("/log/tile/{path}");
        let answer = opened.get(&path, &token).await;
        let expect = if there {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(answer.status(), expect, "{path}");
        if !there {
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
    }
}

/// The signed head of this size was never made.
async fn sqlx_forget_head(database: &Database, size: u64) {
    use sqlx::{AssertSqlSafe, Executor as _};

    let trigger = if database.url.starts_with("postgres") {
        "DROP TRIGGER ledger_checkpoint_never_leaves ON ledger_checkpoint"
    } else {
        "DROP TRIGGER ledger_checkpoint_never_leaves"
    };
    let mut connection = database.direct().await;
    for sql in [
        trigger.to_owned(),
        format!("DELETE FROM ledger_checkpoint WHERE size = {size}"),
    ] {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

async fn entries_are_for_bearers_of_a_token(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    lay(&database, &store, &mut Edge::default(), 300).await;
    let log = opened.token(&[Scope::Log], None).await;
    let audit = opened.token(&[Scope::Audit], None).await;
    let path = "/log/tile/entries/001.p/44";
    let expect: Vec<u8> = (257..=300)
        .flat_map(|seq| {
            let body = body(seq);
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            [length.to_vec(), body].concat()
        })
        .collect();
    let answer = opened.get(path, &log).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cache = answer.headers()["cache-control"].to_str().unwrap();
    assert!(cache.starts_with("private"), "{cache}");
    assert_eq!(answer.bytes().await.unwrap(), expect);
    let head = opened.ask(Method::HEAD, path, &log).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["content-length"], expect.len().to_string());

    let answer = opened.get(path, &audit).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.unwrap().contains("`log`"));
    for token in ["", "nonsense", &"cst_".repeat(17), &format!("{log}x")] {
        let answer = opened.get(path, token).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
        let scheme = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(scheme.starts_with("Bearer"), "{scheme}");
    }
    // Hashes say nothing about people, so they need no token.
    let answer = opened.get("/log/tile/0/001.p/44", "nonsense").await;
    assert_eq!(answer.status(), StatusCode::OK);
}

async fn strange_paths_are_turned_away(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    lay(&database, &store, &mut Edge::default(), 2).await;
    let long = format!("/log/tile/0/{}000", "x001/".repeat(1_000));
    let strange: Vec<&[u8]> = vec![
        b"/log",
        b"/log/",
        b"/log/tile",
        b"/log/tile/",
        b"/log/tile/0",
        b"/log/tile/0/",
        b"/log/tile/0/0",
        b"/log/tile/0/000.p/0",
        b"/log/tile/0/000.p/256",
        b"/log/tile/0/000.p/257",
        b"/log/tile/0/000.p/99999999999999999999",
        b"/log/tile/64/000.p/1",
        b"/log/tile/200/000.p/1",
        b"/log/tile/8/000.p/1",
        b"/log/tile/63/x999/x999/x999/x999/x999/x999.p/1",
        b"/log/tile/0/x018/x446/x744/x073/x709/x551/615.p/255",
        b"/log/tile/0/x018/x446/x744/x073/x709/x551/616.p/255",
        b"/log/tile/0/x009/x223/x372/x036/x854/x775/807",
        b"/log/tile/data/000.p/1",
        b"/log/tile/0/%30%30%30.p/2",
        b"/log/tile/0/%00",
        b"/log/tile/0/%ff%fe",
        b"/log/tile/%2e%2e/checkpoint",
        b"/log/tile/../checkpoint",
        b"/log/tile/0/\xff\xfe",
        b"//log/checkpoint",
        b"/log/checkpoint/",
        b"/log/checkpoint/x",
        b"/LOG/checkpoint",
        long.as_bytes(),
    ];
    for path in strange {
        let status = opened.raw(path).await;
        let shown = String::from_utf8_lossy(path);
        assert!(status == 404 || status == 400, "{shown:.80}: {status}");
    }
    assert_eq!(opened.raw(b"/log/tile/0/000.p/2?x=%00").await, 200);
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = opened.ask(method, "/log/checkpoint", "").await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()["allow"], "GET,HEAD");
    }
}
