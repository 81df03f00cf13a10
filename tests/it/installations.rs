//! Tokens of installations: one for all calls, until it nears its end.

use std::sync::Arc;
use std::time::Duration;

use countersign::domain::{Branch, Forge, Repository, RepositoryId};
use countersign::forges::github::client::{Client, DEADLINE, Identity};
use countersign_sandbox::github::{APP_ID, APP_KEY, GitHub, INSTALLATION_ID};

use crate::support::service::TOKEN;
use crate::support::world::SHOP;
use crate::support::{Engine, World};

fn app(github: &GitHub) -> Arc<Client> {
    let identity = Identity::App {
        id: APP_ID,
        private_key: APP_KEY.as_bytes().to_vec(),
    };
    Arc::new(Client::new(&github.url(), identity, DEADLINE).unwrap())
}

fn minted(github: &GitHub) -> usize {
    let calls = github.calls();
    calls
        .iter()
        .filter(|call| call.contains("/access_tokens"))
        .count()
}

fn repository(id: u64, path: &str) -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitHub, id),
        path: path.to_owned(),
        installation: Some(INSTALLATION_ID),
    }
}

/// So many questions at the same time, about two repositories in turn.
async fn ask(client: &Arc<Client>, times: usize) {
    let repositories = [repository(9, SHOP), repository(10, "acme/billing")];
    let main: Branch = "main".parse().unwrap();
    let asked: Vec<_> = (0..times)
        .map(|turn| {
            let (client, main) = (Arc::clone(client), main.clone());
            let repository = repositories[turn % 2].clone();
            tokio::spawn(async move { client.has_branch(&repository, &main).await })
        })
        .collect();
    for answer in asked {
        assert!(answer.await.unwrap().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_repositories_of_an_installation_share_its_token() {
    let github = GitHub::start(TOKEN).await.unwrap();
    github.add_repository(10, "acme/billing");
    let client = app(&github);
    for _ in 0..4 {
        ask(&client, 25).await;
    }
    assert_eq!(minted(&github), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nears_its_end_is_renewed_once() {
    let github = GitHub::start(TOKEN).await.unwrap();
    github.add_repository(10, "acme/billing");
    github.tokens_last(Duration::from_secs(60));
    let client = app(&github);
    ask(&client, 1).await;
    assert_eq!(minted(&github), 1);
    github.tokens_last(Duration::from_secs(3_600));
    ask(&client, 40).await;
    ask(&client, 2).await;
    assert_eq!(minted(&github), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_calls_of_a_story_mint_one_token() {
    let world = World::plain(Engine::Sqlite).await;
    let mut release = 0;
    while world.calls().len() < 200 {
        release += 1;
        let (pull_request, _) = world.ready(&format!("feature-{release}")).await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        world.finish("success").await;
    }
    assert_eq!(minted(&world.github), 1);
}
