//! The lines that a person types. A thread reads them, because a terminal cannot be waited for otherwise; it ends
//! with the program.

use std::io::BufRead as _;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[derive(Debug)]
pub(super) struct Input(UnboundedReceiver<String>);

impl Input {
    pub(super) fn of_terminal() -> anyhow::Result<Self> {
        let (sender, receiver) = unbounded_channel();
        std::thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                let mut input = std::io::stdin().lock();
                let mut line = Vec::new();
                // Until the end of input, or until the demo does not listen any more.
                while input
                    .read_until(b'\n', &mut line)
                    .is_ok_and(|read| read > 0)
                {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if sender.send(text).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self(receiver))
    }

    /// Nothing at the end of input.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }
}
