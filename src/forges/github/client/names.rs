//! Names that the configuration uses, looked up once: the numbers behind them are what counts.

use serde::Deserialize;

use super::{As, Client};
use crate::call::CallError;
use crate::domain::{Forge, PinKind, Repository, RepositoryId, TeamRef};

impl Client {
    /// The repository with this name, and the installation through which it is reached.
    pub async fn repository(&self, path: &str) -> Result<Option<Repository>, CallError> {
        #[derive(Deserialize)]
        struct Found {
            id: u64,
            full_name: String,
        }
        #[derive(Deserialize)]
        struct Installation {
            id: u64,
        }
        let mut repository = Repository {
            id: RepositoryId::on(Forge::GitHub, 0),
            path: path.to_owned(),
            installation: None,
        };
        if self.is_app() {
            let path = format!("/repos/{path}/installation");
            match self
                .read_maybe::<Installation>(As::Ourselves, &path)
                .await?
            {
                None => return Ok(None),
                Some(found) => repository.installation = Some(found.id),
            }
        }
        let asked = format!("/repos/{path}");
        let found: Option<Found> = self.read_maybe(As::In(&repository), &asked).await?;
        Ok(found.map(|found| Repository {
            id: RepositoryId::on(Forge::GitHub, found.id),
            path: found.full_name,
            installation: repository.installation,
        }))
    }

    /// The number behind a login, or behind a team's name.
    pub async fn number_of(
        &self,
        via: &Repository,
        kind: PinKind,
        name: &str,
    ) -> Result<Option<u64>, CallError> {
        match kind {
            PinKind::User => self.user_id(As::In(via), name).await,
            PinKind::Team => match name.parse::<TeamRef>() {
                Ok(team) => self.team_id(As::In(via), &team).await,
                Err(_) => Ok(None),
            },
        }
    }
}
