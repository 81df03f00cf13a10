//! Tools that the tests share: fresh databases, the real binary, signed deliveries, patience.

pub(crate) mod acts;
mod agrees;
pub(crate) mod around;
pub(crate) mod caller;
pub(crate) mod crew;
pub(crate) mod database;
pub(crate) mod deliveries;
pub(crate) mod doorway;
pub(crate) mod fixture;
pub(crate) mod laid;
pub(crate) mod log;
pub(crate) mod neutral;
pub(crate) mod on_gitlab;
pub(crate) mod patience;
pub(crate) mod pinned;
pub(crate) mod service;
pub(crate) mod talk;
pub(crate) mod terminal;
pub(crate) mod world;

pub(crate) use database::{Database, Engine};
pub(crate) use log::Log;
pub(crate) use patience::eventually;
pub(crate) use service::Service;
pub(crate) use world::{Setting, World};

/// Runs each test on both engines.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::Engine::Sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::Engine::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both;

/// Runs each test on GitHub with both engines, and on GitLab, where the engine makes no difference.
macro_rules! on_both_forges {
    ($($name:ident),* $(,)?) => {
        mod on_github_and_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::Engine::Sqlite.into()).await;
            })*
        }
        mod on_github_and_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::Engine::Postgres.into()).await;
            })*
        }
        mod on_gitlab {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::support::Setting {
                    engine: $crate::support::Engine::Sqlite,
                    forge: countersign::domain::Forge::GitLab,
                })
                .await;
            })*
        }
    };
}
pub(crate) use on_both_forges;
