//! Names that the configuration uses, looked up once: the numbers behind them are what counts.

use serde::Deserialize;

use super::Client;
use crate::call::CallError;
use crate::domain::{Forge, PinKind, Repository, RepositoryId};
use crate::web::escaped;

impl Client {
    /// The project with this path.
    pub async fn repository(&self, path: &str) -> Result<Option<Repository>, CallError> {
        #[derive(Deserialize)]
        struct Found {
            id: u64,
            path_with_namespace: String,
        }
        let path = format!("/projects/{}", escaped(path));
        let found: Option<Found> = self.read_maybe(&path).await?;
        Ok(found.map(|found| Repository {
            id: RepositoryId::on(Forge::GitLab, found.id),
            path: found.path_with_namespace,
            installation: None,
        }))
    }

    /// The number behind a user's name, or behind a group's path.
    pub async fn number_of(&self, kind: PinKind, name: &str) -> Result<Option<u64>, CallError> {
        match kind {
            PinKind::User => self.user_id(name).await,
            PinKind::Team => self.group_id(name).await,
        }
    }
}
