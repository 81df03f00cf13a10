//! Progress: what is being done, said when it takes longer than people like to wait in silence. Only a terminal sees
//! it.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So long people wait without wondering.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits for work, and says so from the second second on: `checking the audit log: 3 s`.
pub(super) async fn shown<T>(what: &'static str, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let has_written = Arc::new(AtomicBool::new(false));
    // Beside the work, which may think for long without waiting.
    let ticker = tokio::spawn(tick(what, has_written.clone()));
    let done = work.await;
    ticker.abort();
    let _ended = ticker.await;
    if has_written.load(Ordering::Relaxed) {
        write("\r\x1b[K");
    }
    done
}

async fn tick(what: &str, has_written: Arc<AtomicBool>) {
    for seconds in 1_u64.. {
        tokio::time::sleep(PATIENCE).await;
        has_written.store(true, Ordering::Relaxed);
        write(&format!("\r\x1b[K{what}: {seconds} s"));
    }
}

fn write(text: &str) {
    let mut output = std::io::stderr();
    // A terminal that is gone needs no progress.
    let _gone = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}
