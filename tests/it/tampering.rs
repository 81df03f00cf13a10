//! Tampering with the database and the head file is found out: by the next start, which names the first entry
//! that is wrong, and by a signer that was at work already.

use std::collections::BTreeSet;

use countersign::engine::signer::Standing;
use countersign_ledger::Keys;

use crate::support::database::keys;
use crate::support::log::{Hands, Running, append, entry};
use crate::support::pinned::Page;
use crate::support::{Engine, Log, neutral, on_both};

on_both!(
    a_column_of_an_entry_says_something_else,
    a_bit_is_another,
    an_entry_is_written_anew,
    entries_leave,
    entries_come,
    entries_stand_in_each_others_place,
    what_lies_beside_an_entry_is_changed,
    tiles_are_changed,
    signed_heads_are_changed,
    the_count_is_changed,
    an_old_copy_is_restored,
    the_head_file_is_changed,
    what_does_no_harm_raises_no_alarm,
    nobody_is_accused_while_others_work,
);

/// An entry with all columns, in the middle of the second tile.
const FULL: i64 = 404;
/// One with reasons that can be looked for.
const REFUSED: i64 = 402;
/// One of a person who is not there any more.
const ERASED: i64 = 314;

/// A log that can be changed and put back, and a signer that was there before.
struct Battery {
    log: Log,
    hands: Hands,
    running: Running,
    page: Page,
    /// What the page says already.
    said: BTreeSet<String>,
}

impl Battery {
    /// With a page for everything that is found.
    async fn start(engine: Engine, page: &str) -> Self {
        let log = Log::of_a_thousand(engine).await;
        let mut hands = log.hands().await;
        hands.unlock().await;
        let running = log.start().await;
        running.is_sound(1_000).await;
        Self {
            log,
            hands,
            running,
            page: Page::of_terminal(&format!("audit-broken-{page}")),
            said: BTreeSet::new(),
        }
    }

    /// A start finds it and says where, and so does the signer at its next signing.
    async fn finds(&mut self, says: &str, mischief: impl AsyncFnOnce(&mut Hands)) {
        mischief(&mut self.hands).await;
        self.is_found(says, says).await;
    }

    async fn finds_sql(&mut self, says: &str, sql: &str) {
        self.hands.run(sql).await;
        self.is_found(says, sql).await;
    }

    async fn is_found(&mut self, says: &str, what: &str) {
        match self.log.found().await {
            Standing::Broken { why } => {
                let is_there = match says.starts_with("entry") {
                    true => why.starts_with(says),
                    false => why.contains(says),
                };
                assert!(is_there, "{what}: {why}");
                if self.said.insert(why.clone()) {
                    let deed = what.lines().next().unwrap_or_default();
                    self.page.add(deed, &neutral::terminal(&why));
                }
            }
            found @ (Standing::Checking | Standing::Sound(_)) => panic!("{what}: {found:?}"),
        }
        // An append can fail: it would write where something lies already.
        let _appended = append(&self.running.shared.store, vec![entry(1_000)]).await;
        self.running.is_broken(what).await;
        self.put_back().await;
    }

    /// Pins what was found so far, and goes on with another page.
    fn turn_page(mut self, page: &str) -> Self {
        let next = Page::of_terminal(&format!("audit-broken-{page}"));
        std::mem::replace(&mut self.page, next).pin();
        self
    }

    async fn put_back(&mut self) {
        self.hands.undo().await;
        self.running.is_sound(1_000).await;
    }
}

async fn a_column_of_an_entry_says_something_else(engine: Engine) {
    let mut battery = Battery::start(engine, "columns").await;
    for change in [
        "at = at + 1",
        "action = 'refused'",
        "outcome = 'refused'",
        "service = 'other'",
        "service = NULL",
        "environment = 'staging'",
        "environment = NULL",
        "person = 'github:1'",
        "person = NULL",
        "sha = 'abc'",
        "sha = NULL",
        "request = request + 1",
        "request = NULL",
        "seq = 5000",
        "seq = 1001",
    ] {
        let says = format!("entry {FULL}:");
        let sql = format!("UPDATE ledger_entry SET {change} WHERE seq = {FULL}");
        battery.finds_sql(&says, &sql).await;
    }
    for (seq, change) in [
        (1, "service = 'shop'"),
        (1, "person = 'operator'"),
        (1, "action = 'key.rotated'"),
        (1_000, "at = 0"),
        (256, "request = 7"),
        (257, "sha = ''"),
    ] {
        let sql = format!("UPDATE ledger_entry SET {change} WHERE seq = {seq}");
        battery.finds_sql(&format!("entry {seq}:"), &sql).await;
    }
    battery.page.pin();
}

async fn a_bit_is_another(engine: Engine) {
    let mut battery = Battery::start(engine, "bits").await;
    let places = [
        ("ledger_entry", "body", "seq = 1", 77, 1),
        ("ledger_entry", "body", "seq = 2", 1, 2),
        ("ledger_entry", "body", "seq = 402", 900, 402),
        ("ledger_entry", "body", "seq = 404", 2_003, 404),
        ("ledger_entry", "body", "seq = 768", 333, 768),
        ("ledger_entry", "body", "seq = 1000", 1_204, 1_000),
        ("ledger_entry", "leaf", "seq = 1", 0, 1),
        ("ledger_entry", "leaf", "seq = 256", 255, 256),
        ("ledger_entry", "leaf", "seq = 1000", 130, 1_000),
        (
            "ledger_private",
            "salt",
            "seq = 402 AND name = 'why'",
            3,
            402,
        ),
        (
            "ledger_private",
            "salt",
            "seq = 993 AND name = 'command'",
            250,
            993,
        ),
        ("ledger_tile", "hashes", "level = 0 AND n = 0", 5, 1),
        (
            "ledger_tile",
            "hashes",
            "level = 0 AND n = 1",
            32 * 8 * 7,
            264,
        ),
        ("ledger_tile", "hashes", "level = 0 AND n = 2", 65_535, 768),
        ("ledger_tile", "root", "level = 0 AND n = 1", 9, 257),
        ("ledger_checkpoint", "root", "size = 300", 17, 300),
        ("ledger_checkpoint", "root", "size = 1000", 200, 1_000),
    ];
    for (table, column, which, bit, seq) in places {
        battery
            .finds(&format!("entry {seq}:"), async |hands| {
                hands.flip(table, column, which, bit).await;
            })
            .await;
    }
    battery.page.pin();
}

async fn an_entry_is_written_anew(engine: Engine) {
    let mut battery = Battery::start(engine, "rewritten").await;
    let rewrite = |body: Vec<u8>| {
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains(r#""environment":"prod""#), "{text}");
        text.replace(r#""environment":"prod""#, r#""environment":"test""#)
            .into_bytes()
    };
    for seq in [3, 256, FULL, 1_000] {
        let body = format!("SELECT body FROM ledger_entry WHERE seq = {seq}");
        let says = format!("entry {seq}:");
        // Only the bytes.
        battery
            .finds(&says, async |hands| {
                let new = rewrite(hands.bytes(body.as_str()).await);
                let new = hands.literal(&new);
                let sql = format!("UPDATE ledger_entry SET body = {new} WHERE seq = {seq}");
                hands.run(sql).await;
            })
            .await;
        // The bytes, the leaf and the columns, with the old seal.
        battery
            .finds(&says, async |hands| {
                let new = rewrite(hands.bytes(body.as_str()).await);
                hands
                    .run(format!("DELETE FROM ledger_entry WHERE seq = {seq}"))
                    .await;
                hands.put(seq, &new).await;
            })
            .await;
        // All of that, and the tile.
        battery
            .finds(&says, async |hands| {
                let new = rewrite(hands.bytes(body.as_str()).await);
                hands
                    .run(format!("DELETE FROM ledger_entry WHERE seq = {seq}"))
                    .await;
                hands.put(seq, &new).await;
                hands.retile().await;
            })
            .await;
    }
    // An attacker who could seal, and not sign: where the first head after it does not fit, it begins after the
    // head before.
    for (seq, first) in [(300, 257), (301, 301), (1_000, 991)] {
        battery
            .finds(&format!("entry {first}:"), async |hands| {
                hands
                    .run(format!("DELETE FROM ledger_entry WHERE seq = {seq}"))
                    .await;
                for table in ["ledger_private", "ledger_word"] {
                    hands
                        .run(format!("DELETE FROM {table} WHERE seq = {seq}"))
                        .await;
                }
                hands.forge(seq, &entry(11), &keys()).await;
                hands.retile().await;
            })
            .await;
    }
    battery.page.pin();
}

async fn entries_leave(engine: Engine) {
    let mut battery = Battery::start(engine, "missing").await;
    for seq in [1, 2, 256, 257, 500, 768, 999, 1_000] {
        let sql = format!("DELETE FROM ledger_entry WHERE seq = {seq}");
        battery.finds_sql(&format!("entry {seq}:"), &sql).await;
    }
    battery
        .finds("entry 1000:", async |hands| {
            hands.cut("ledger_entry", "seq > 999").await;
            hands.run("UPDATE ledger_head SET size = 999").await;
        })
        .await;
    battery
        .finds("entry 901:", async |hands| {
            hands.cut("ledger_entry", "seq > 900").await;
        })
        .await;
    battery
        .finds("entry 1:", async |hands| {
            hands.cut("ledger_entry", "seq > 0").await;
        })
        .await;
    battery.page.pin();
}

async fn entries_come(engine: Engine) {
    let mut battery = Battery::start(engine, "forged").await;
    // Forged ones, with a seal of other keys.
    let others = Keys::new("deploys.example.com/log", [8; 32]).unwrap();
    battery
        .finds("entry 1001:", async |hands| {
            hands.forge(1_001, &entry(3), &others).await;
        })
        .await;
    battery
        .finds("entry 1001:", async |hands| {
            hands.forge(1_001, &entry(3), &others).await;
            hands.run("UPDATE ledger_head SET size = 1001").await;
        })
        .await;
    battery
        .finds("entry 1001:", async |hands| {
            hands.forge(1_002, &entry(3), &keys()).await;
        })
        .await;
    battery
        .finds("entry 1001:", async |hands| {
            hands.forge(1_002, &entry(3), &keys()).await;
            hands.run("UPDATE ledger_head SET size = 1002").await;
        })
        .await;
    for seq in [0, -5] {
        battery
            .finds(&format!("entry {seq}:"), async |hands| {
                let sql = format!(
                    "INSERT INTO ledger_private (seq, name, salt, value) VALUES ({seq}, 'x', {}, 'y')",
                    hands.literal(&[1; 32])
                );
                hands.run(sql).await;
            })
            .await;
    }
    battery.page.pin();
}

async fn entries_stand_in_each_others_place(engine: Engine) {
    let mut battery = Battery::start(engine, "swapped").await;
    for (from, to) in [(999, 1_001), (403, FULL)] {
        battery
            .finds(&format!("entry {to}:"), async |hands| {
                hands.cut("ledger_entry", &format!("seq = {to}")).await;
                hands.run(format!(
                    "INSERT INTO ledger_entry SELECT {to}, at, action, outcome, service, environment, person, sha, request, about, body, leaf
                     FROM kept_ledger_entry WHERE seq = {from}"
                )).await;
                hands.run(format!("UPDATE ledger_head SET size = {}", to.max(1_000))).await;
            })
            .await;
    }
    for columns in ["body", "leaf", "body, leaf"] {
        battery
            .finds("entry 403:", async |hands| {
                for (one, other) in [(403, FULL), (FULL, 403)] {
                    for column in columns.split(", ") {
                        hands.run(format!(
                            "UPDATE ledger_entry SET {column} = (SELECT {column} FROM kept_ledger_entry WHERE seq = {other}) WHERE seq = {one}"
                        )).await;
                    }
                }
            })
            .await;
    }
    battery.page.pin();
}

async fn what_lies_beside_an_entry_is_changed(engine: Engine) {
    let mut battery = Battery::start(engine, "beside").await;
    let refused = format!("entry {REFUSED}:");
    for sql in [
        format!(
            "UPDATE ledger_private SET value = '\"no\"' WHERE seq = {REFUSED} AND name = 'why'"
        ),
        format!("UPDATE ledger_private SET name = 'who' WHERE seq = {REFUSED} AND name = 'why'"),
        format!("UPDATE ledger_private SET seq = 403 WHERE seq = {REFUSED} AND name = 'why'"),
        format!("DELETE FROM ledger_private WHERE seq = {REFUSED} AND name = 'why'"),
        format!("DELETE FROM ledger_private WHERE seq = {REFUSED}"),
        format!("UPDATE ledger_word SET word = 'late' WHERE seq = {REFUSED} AND word = 'early'"),
        format!("UPDATE ledger_word SET seq = 500 WHERE seq = {REFUSED} AND word = 'early'"),
        format!("DELETE FROM ledger_word WHERE seq = {REFUSED} AND word = 'red'"),
        format!("DELETE FROM ledger_word WHERE seq = {REFUSED}"),
        format!("INSERT INTO ledger_word (word, seq) VALUES ('mallory', {REFUSED})"),
    ] {
        battery.finds_sql(&refused, &sql).await;
    }
    for seq in [REFUSED, FULL, 1_000, 1_001, 5_000] {
        battery
            .finds(&format!("entry {seq}:"), async |hands| {
                let salt = hands.literal(&[1; 32]);
                hands.run(format!("INSERT INTO ledger_private (seq, name, salt, value) VALUES ({seq}, 'more', {salt}, '1')")).await;
            })
            .await;
        let sql = format!("INSERT INTO ledger_word (word, seq) VALUES ('mallory', {seq})");
        battery.finds_sql(&format!("entry {seq}:"), &sql).await;
    }
    // What was erased comes back.
    battery
        .finds(&format!("entry {ERASED}:"), async |hands| {
            let salt = hands.literal(&[1; 32]);
            hands.run(format!("INSERT INTO ledger_private (seq, name, salt, value) VALUES ({ERASED}, 'why', {salt}, '1')")).await;
        })
        .await;
    // The same, out of a copy of the database from before.
    let value = "SELECT value FROM ledger_private WHERE seq = 994 AND name = 'why'";
    let value = battery.hands.text(value).await;
    let salt = "SELECT salt FROM ledger_private WHERE seq = 994 AND name = 'why'";
    let salt = battery.hands.bytes(salt).await;
    let salt = battery.hands.literal(&salt);
    battery.hands.erase(&[(994, Some("why"))]).await;
    battery.running.is_sound(1_001).await;
    battery
        .finds("entry 994:", async |hands| {
            hands.run(format!("INSERT INTO ledger_private (seq, name, salt, value) VALUES (994, 'why', {salt}, '{value}')")).await;
            let words = "SELECT word, seq FROM kept_ledger_word WHERE seq = 994";
            hands.cut("ledger_word", "seq = 994").await;
            hands.run(format!("INSERT INTO ledger_word (word, seq) {words}")).await;
        })
        .await;
    battery.page.pin();
}

async fn tiles_are_changed(engine: Engine) {
    let mut battery = Battery::start(engine, "tiles").await;
    for (says, sql) in [
        ("entry 1:", "UPDATE ledger_tile SET n = 7 WHERE n = 0"),
        ("entry 257:", "UPDATE ledger_tile SET level = 1 WHERE n = 1"),
        ("entry 513:", "DELETE FROM ledger_tile WHERE n = 2"),
        ("entry 1:", "DELETE FROM ledger_tile"),
        (
            "entry 257:",
            "UPDATE ledger_tile SET hashes = (SELECT hashes FROM kept_ledger_tile WHERE n = 0) WHERE n = 1",
        ),
        (
            "entry 257:",
            "UPDATE ledger_tile SET root = (SELECT root FROM kept_ledger_tile WHERE n = 0) WHERE n = 1",
        ),
        (
            "entry 257:",
            "UPDATE ledger_tile SET hashes = (SELECT hashes FROM kept_ledger_tile WHERE n = 0), root = (SELECT root FROM kept_ledger_tile WHERE n = 0) WHERE n = 1",
        ),
        (
            "tile 3 of level 0",
            "INSERT INTO ledger_tile SELECT 0, 3, hashes, root FROM kept_ledger_tile WHERE n = 0",
        ),
        (
            "tile 0 of level 1",
            "INSERT INTO ledger_tile SELECT 1, 0, hashes, root FROM kept_ledger_tile WHERE n = 0",
        ),
        (
            "tile 900 of level 30",
            "INSERT INTO ledger_tile SELECT 30, 900, hashes, root FROM kept_ledger_tile WHERE n = 0",
        ),
    ] {
        battery.finds_sql(says, sql).await;
    }
    battery.page.pin();
}

async fn signed_heads_are_changed(engine: Engine) {
    let mut battery = Battery::start(engine, "heads").await;
    for (says, sql) in [
        (
            "entry 256:",
            "UPDATE ledger_checkpoint SET note = (SELECT note FROM kept_ledger_checkpoint WHERE size = 300) WHERE size = 256",
        ),
        (
            "entry 301:",
            "UPDATE ledger_checkpoint SET size = 301 WHERE size = 300",
        ),
        (
            "entry 300:",
            "UPDATE ledger_checkpoint SET root = (SELECT root FROM kept_ledger_checkpoint WHERE size = 256) WHERE size = 300",
        ),
        (
            "entry 300:",
            "UPDATE ledger_checkpoint SET note = 'hello' WHERE size = 300",
        ),
        (
            "entry 300:",
            "UPDATE ledger_checkpoint SET note = REPLACE(note, '300', '301') WHERE size = 300",
        ),
        (
            "entry 1000:",
            "UPDATE ledger_checkpoint SET note = (SELECT note FROM kept_ledger_checkpoint WHERE size = 990), root = (SELECT root FROM kept_ledger_checkpoint WHERE size = 990) WHERE size = 1000",
        ),
        (
            "entry 1001:",
            "INSERT INTO ledger_checkpoint SELECT 2000, root, note FROM kept_ledger_checkpoint WHERE size = 1000",
        ),
        (
            "entry 1001:",
            "UPDATE ledger_checkpoint SET size = 1003 WHERE size = 1000",
        ),
        (
            "entry 699:",
            "INSERT INTO ledger_checkpoint SELECT 699, root, note FROM kept_ledger_checkpoint WHERE size = 768",
        ),
        (
            "signed heads are gone",
            "DELETE FROM ledger_checkpoint WHERE size = 1000",
        ),
        (
            "signed heads are gone",
            "DELETE FROM ledger_checkpoint WHERE size > 700",
        ),
        ("signed heads are gone", "DELETE FROM ledger_checkpoint"),
    ] {
        battery.finds_sql(says, sql).await;
    }
    // The signature, bit by bit. What is said of it differs from run to run.
    let mut battery = battery.turn_page("unpinned");
    let note = "SELECT note FROM ledger_checkpoint WHERE size = 513";
    let note = battery.hands.text(note).await;
    let signature = note.rfind(' ').unwrap() + 1;
    for at in [0, 3, 6, 20, 60, 85, 90] {
        let mut changed = note.clone().into_bytes();
        let letter = &mut changed[signature + at];
        *letter = if *letter == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let sql = format!("UPDATE ledger_checkpoint SET note = '{changed}' WHERE size = 513");
        battery.finds_sql("entry 513:", &sql).await;
    }
}

async fn the_count_is_changed(engine: Engine) {
    let mut battery = Battery::start(engine, "count").await;
    for (says, size) in [
        ("entry 1001:", 1_001),
        ("entry 1001:", 70_000),
        ("entry 1000:", 999),
        ("entry 701:", 700),
    ] {
        let sql = format!("UPDATE ledger_head SET size = {size}");
        battery.finds_sql(says, &sql).await;
    }
    battery
        .finds_sql("is empty", "UPDATE ledger_head SET size = 0")
        .await;
    let larger = "UPDATE ledger_anchor SET size = 1001 WHERE kind = 'head'";
    battery.hands.run(larger).await;
    let found = battery.log.found().await;
    assert!(matches!(found, Standing::Broken { .. }), "{found:?}");
    battery.put_back().await;
    battery.page.pin();
}

async fn an_old_copy_is_restored(engine: Engine) {
    let mut battery = Battery::start(engine, "restored").await;
    let cut = async |hands: &mut Hands, tables: &[&str], size: i64| {
        for table in tables {
            let key = match *table {
                "ledger_tile" => format!("(n + 1) * 256 > {size}"),
                "ledger_checkpoint" => format!("size > {size}"),
                _ => format!("seq > {size}"),
            };
            hands.cut(table, &key).await;
        }
        hands
            .run(format!("UPDATE ledger_head SET size = {size}"))
            .await;
    };
    let entries = ["ledger_entry", "ledger_private", "ledger_word"];
    let all = [
        "ledger_entry",
        "ledger_private",
        "ledger_word",
        "ledger_tile",
        "ledger_checkpoint",
    ];
    for size in [990, 700, 256, 1] {
        for tables in [&entries[..], &all[..]] {
            battery
                .finds(&format!("entry {}:", size + 1), async |hands| {
                    cut(hands, tables, size).await;
                })
                .await;
        }
        // As it was then: the database remembers of the head file what it knew.
        battery
            .finds(&format!("entry {}:", size + 1), async |hands| {
                cut(hands, &all, size).await;
                hands
                    .run(format!("UPDATE ledger_anchor SET size = {size}"))
                    .await;
            })
            .await;
    }
    battery
        .finds("is empty", async |hands| {
            cut(hands, &all, 0).await;
            hands.cut("ledger_anchor", "1 = 1").await;
        })
        .await;
    battery.page.pin();
}

async fn the_head_file_is_changed(engine: Engine) {
    let mut battery = Battery::start(engine, "file").await;
    let file = std::fs::read(&battery.log.head).unwrap();
    let text = String::from_utf8(file.clone()).unwrap();
    let note = text.find("\n\n").unwrap() + 2;
    let lines: Vec<usize> = (0..text.len())
        .filter(|at| *at < 30 || *at > note)
        .collect();
    for at in lines.iter().step_by(23) {
        battery
            .finds("the file", async |hands| {
                let mut changed = file.clone();
                changed[*at] ^= 1 << (at % 6);
                std::fs::write(&hands.head, changed).unwrap();
            })
            .await;
    }
    // What such a bit makes of a file differs from run to run.
    battery.page = Page::of_terminal("audit-broken-file");
    battery.said.clear();
    for broken in [
        "",
        "hello",
        &text[..text.len() / 2],
        &text[..text.len() - 9],
    ] {
        battery
            .finds("the file", async |hands| {
                std::fs::write(&hands.head, broken).unwrap();
            })
            .await;
    }
    // It says that it is another file, or knows of more than the database.
    battery
        .finds("signed heads are gone", async |hands| {
            let changed = text.replace("recorded 9", "recorded 19");
            assert_ne!(changed, text);
            std::fs::write(&hands.head, changed).unwrap();
        })
        .await;
    // An old copy.
    let older = "SELECT note FROM ledger_checkpoint WHERE size = 768";
    let older = battery.hands.text(older).await;
    let older = format!("{}{older}", &text[..note]);
    battery
        .finds("is an old copy", async |hands| {
            std::fs::write(&hands.head, &older).unwrap();
        })
        .await;
    // Another log's.
    let others = Keys::new("elsewhere.example.com/log", [7; 32]).unwrap();
    let same = Keys::new("deploys.example.com/log", [8; 32]).unwrap();
    for (says, keys) in [("checkpoint of elsewhere", others), ("no key", same)] {
        let other = keys.sign_head(1_000, [7; 32]).unwrap();
        battery
            .finds(says, async |hands| {
                std::fs::write(&hands.head, format!("{}{other}", &text[..note])).unwrap();
            })
            .await;
    }
    // One of this log's name and keys, with another history.
    for size in [1_000, 995] {
        let other = keys().sign_head(size, [7; 32]).unwrap();
        battery
            .finds("entry 1:", async |hands| {
                std::fs::write(&hands.head, format!("{}{other}", &text[..note])).unwrap();
            })
            .await;
    }
    let mut battery = battery.turn_page("file-alone");
    match engine {
        Engine::Sqlite => {
            battery
                .finds("is gone", async |hands| {
                    std::fs::remove_file(&hands.head).unwrap();
                })
                .await;
            battery
                .finds("is not the one", async |hands| {
                    let id = text.find("file ").unwrap() + 5;
                    let changed = format!("{}x{}", &text[..id], &text[id..]);
                    std::fs::write(&hands.head, changed).unwrap();
                })
                .await;
            battery.page.pin();
        }
        Engine::Postgres => {
            let Battery { log, running, .. } = battery;
            running.end().await;
            // A file that the database does not know is another replica's first one, and that is recorded.
            for round in 1..=2 {
                if round == 1 {
                    std::fs::remove_file(&log.head).unwrap();
                } else {
                    let text = std::fs::read_to_string(&log.head).unwrap();
                    std::fs::write(&log.head, text.replace("\nfile ", "\nfile x")).unwrap();
                }
                let running = log.start().await;
                running.is_sound(1_000 + round).await;
                running.end().await;
                let adopted = "SELECT COUNT(*) FROM ledger_entry WHERE action = 'head.adopted'";
                assert_eq!(log.database.number(adopted).await, round);
            }
        }
    }
}

/// What is not found, and why it need not be.
async fn what_does_no_harm_raises_no_alarm(engine: Engine) {
    let mut battery = Battery::start(engine, "unpinned").await;
    for sql in [
        // The next head covers the same entries, and nothing is proved less.
        "DELETE FROM ledger_checkpoint WHERE size = 300",
        // It only remembers how far the head file was, and the file is as far as it ever was. The next
        // signing writes it anew.
        "UPDATE ledger_anchor SET size = 300 WHERE kind = 'head'",
        "UPDATE ledger_anchor SET at = 0, note = 'x'",
        "UPDATE ledger_anchor SET kind = 'export'",
        // As after a crash between the file and the database: the file holds the head, and all that it
        // covers is there.
        "UPDATE ledger_anchor SET size = 990 WHERE kind = 'head'",
    ] {
        battery.hands.run(sql).await;
        if sql.contains("= 990") {
            let newest = "DELETE FROM ledger_checkpoint WHERE size = 1000";
            battery.hands.run(newest).await;
        }
        let found = battery.log.found().await;
        assert!(matches!(found, Standing::Sound(_)), "{sql}: {found:?}");
        assert!(append(&battery.running.shared.store, vec![entry(1_000)]).await);
        battery.running.is_sound(1_001).await;
        battery.put_back().await;
    }
    // What the file says about the database is less than what the database says itself.
    let text = std::fs::read_to_string(&battery.log.head).unwrap();
    let at = text.find("recorded ").unwrap();
    let end = at + text[at..].find('\n').unwrap();
    let changed = format!("{}recorded 5{}", &text[..at], &text[end..]);
    std::fs::write(&battery.log.head, changed).unwrap();
    let found = battery.log.found().await;
    assert!(matches!(found, Standing::Sound(_)), "{found:?}");
    battery.put_back().await;
}

async fn nobody_is_accused_while_others_work(engine: Engine) {
    let log = Log::signed_at(engine, &[256, 500]).await;
    let beside = match engine {
        Engine::Sqlite => log.head.clone(),
        Engine::Postgres => log.head.with_extension("other"),
    };
    let mut signers = vec![log.start().await, log.start().await];
    signers.push(Running::start(log.database.open().await, beside));
    let mut hands = log.hands().await;
    for round in 0_u64..60 {
        let number = usize::try_from(round % 3).unwrap();
        let entries = (0..7).map(|n| entry(n + round)).collect();
        assert!(append(&signers[number].shared.store, entries).await);
        if round % 4 == 0 {
            let seq = i64::try_from(round).unwrap() * 8 + 2;
            hands.erase(&[(seq, None)]).await;
        }
        for signer in &signers {
            signer.shared.sign.notify_one();
            let standing = signer.standing();
            assert!(!matches!(standing, Standing::Broken { .. }), "{standing:?}");
        }
        if round % 10 == 9 {
            // One more comes, as another replica starts.
            let fresh = log.found().await;
            assert!(matches!(fresh, Standing::Sound(_)), "{fresh:?}");
        }
    }
    let size = log.database.number("SELECT size FROM ledger_head").await;
    for signer in &signers {
        signer.is_sound(size).await;
    }
    for signer in signers {
        signer.end().await;
    }
}
