//! What the audit log costs when it is long. Each part prints a Markdown table. Run it with `script/bench`.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that meets the unexpected stops, and its result is what it prints"
)]

mod long;
mod pages;
mod work;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.iter().any(|word| word == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(measure());
    }
}

async fn measure() {
    for database in ["SQLite", "PostgreSQL"] {
        work::measure(database).await;
        match long::Log::of(database, long::ENTRIES).await {
            Some(log) => pages::measure(&log).await,
            None => println!("{database}: not measured\n"),
        }
    }
}
