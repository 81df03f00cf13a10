//! What the audit log costs when it is long. Each part prints a Markdown table. Run it with `script/bench`;
//! words after `--` choose parts: `append`, `check`, `pages`, `SQLite`, `PostgreSQL`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that meets the unexpected stops, and its result is what it prints"
)]

mod long;
mod pages;
mod work;

use std::collections::BTreeSet;

const DATABASES: [&str; 2] = ["SQLite", "PostgreSQL"];
const PARTS: [&str; 3] = ["append", "check", "pages"];

fn main() {
    let words: BTreeSet<String> = std::env::args().skip(1).collect();
    if words.contains("--bench") {
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(measure(&words));
    }
}

async fn measure(words: &BTreeSet<String>) {
    let chosen = |of: &[&'static str]| -> Vec<&'static str> {
        let named: Vec<_> = of
            .iter()
            .copied()
            .filter(|name| words.contains(*name))
            .collect();
        if named.is_empty() { of.to_vec() } else { named }
    };
    sqlx::any::install_default_drivers();
    let parts = chosen(&PARTS);
    for database in chosen(&DATABASES) {
        if parts.contains(&"append") {
            work::append(database).await;
        }
        if parts.contains(&"check") {
            work::check(database).await;
        }
        if parts.contains(&"pages") {
            match long::Log::of(database, long::ENTRIES).await {
                Some(log) => pages::measure(&log).await,
                None => println!("{database}: not measured\n"),
            }
        }
    }
}
