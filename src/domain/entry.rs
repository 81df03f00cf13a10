//! People as the log names them: the words of entries are the ledger's own.

use countersign_ledger::{Actor, Entry};

use super::{Account, Speaker};

impl From<&Account> for Actor {
    fn from(account: &Account) -> Self {
        Self::Person {
            forge: account.forge.prefix(),
            id: account.id,
            login: account.login.clone(),
        }
    }
}

impl From<&Speaker> for Actor {
    fn from(speaker: &Speaker) -> Self {
        Self::Stranger {
            chat: speaker.chat.as_str(),
            tenant: speaker.tenant.clone(),
            user: speaker.user.clone(),
            name: speaker.name.clone(),
        }
    }
}

impl Speaker {
    /// The entry, about this speaker's account in a chat.
    #[must_use]
    pub fn noted_in(&self, entry: Entry) -> Entry {
        entry
            .with("chat", self.chat.as_str())
            .with("tenant", self.tenant.as_str())
            .with("user", self.user.as_str())
            .with_private("called", self.name.as_str())
    }
}
