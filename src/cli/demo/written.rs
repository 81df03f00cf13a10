//! Written: the configuration of a demo, put together from the sections of its forge and its chat, and the secrets that
//! it names.

use anyhow::Context as _;
use countersign_ground::{chance, digest};

use super::chat::Chat;
use super::forge::Forge;

/// What the audit log is called.
pub(super) const LOG: &str = "demo.example/log";

/// What every demo has.
const HEAD: &str = include_str!("bot.toml");

/// The section of one platform, and the files with its secrets.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) text: String,
    pub(super) secrets: Vec<Secret>,
}

/// A file that only its owner may read.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) file: &'static str,
    pub(super) text: String,
}

impl Secret {
    pub(super) fn new(file: &'static str, text: String) -> Self {
        Self { file, text }
    }
}

/// The whole configuration, and every secret.
pub(super) fn configuration(forge: &Forge, chat: &Chat) -> Section {
    let (on_forge, in_chat) = (forge.section(), chat.section());
    let head = filled(
        HEAD,
        &[
            ("<forge>", forge.words().forge.to_owned()),
            ("<chat>", chat.words().chat.to_owned()),
            ("<setting>", forge.words().imitation.to_owned()),
            ("<log>", LOG.to_owned()),
        ],
    );
    let rest = filled(
        &on_forge.text,
        &[
            ("<chat>", in_chat.text.trim_end().to_owned()),
            ("<channel>", chat.words().channel.to_owned()),
        ],
    );
    let secrets = on_forge.secrets.into_iter().chain(in_chat.secrets);
    Section {
        text: head + &rest,
        secrets: secrets.collect(),
    }
}

/// A text with its gaps filled.
pub(super) fn filled(text: &str, gaps: &[(&str, String)]) -> String {
    gaps.iter().fold(text.to_owned(), |text, (gap, value)| {
        text.replace(gap, value)
    })
}

/// A text that cannot be guessed.
pub(super) fn secret() -> anyhow::Result<String> {
    let bytes: [u8; 24] = chance::secret().context("the machine gives no random bytes")?;
    Ok(digest::hex(&bytes))
}

/// The branch on which somebody works on a change with this title.
pub(super) fn branch_of(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::chat::ChatWish;
    use super::super::forge::ForgeWish;
    use super::*;

    #[derive(Parser)]
    struct Wishes {
        #[command(flatten)]
        forge: ForgeWish,
        #[command(flatten)]
        chat: ChatWish,
    }

    #[tokio::test]
    async fn the_configuration_has_no_gap_left() {
        let mut lines = vec![vec!["demo"]];
        if cfg!(feature = "demo-gitlab") {
            lines.push(vec!["demo", "--gitlab"]);
        }
        if cfg!(all(feature = "demo-gitlab", feature = "demo-slack")) {
            lines.push(vec!["demo", "--gitlab", "--slack"]);
        }
        for line in lines {
            let wishes = Wishes::parse_from(&line);
            let forge = wishes.forge.start().await.unwrap();
            let chat = wishes.chat.start().await.unwrap();
            let written = configuration(&forge, &chat);
            assert!(!written.text.contains('<'), "{}", written.text);
            for name in [forge.words().forge, chat.words().chat] {
                let section = format!("\n[{}]\n", name.to_lowercase());
                assert_eq!(written.text.matches(&section).count(), 1, "{section}");
            }
            for secret in &written.secrets {
                assert!(written.text.contains(secret.file), "{}", secret.file);
            }
        }
    }
}
