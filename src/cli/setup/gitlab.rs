//! `setup gitlab`: sets the webhook of every project of the configuration, or makes the token that signs it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use secrecy::ExposeSecret;

use crate::cli::{
    ConfigFile, EXIT_INVALID, colour_of_errors, complain, complain_painted, parts, say,
};
use crate::config::Config;
use crate::domain::{Forge, Repository};
use crate::forges::gitlab::client::{Client, Hook, HookSecret};
use countersign_ground::chance;
use countersign_ledger::base64;

use super::refuse;

#[derive(Debug, Args)]
pub(in crate::cli) struct GitLab {
    #[command(flatten)]
    file: ConfigFile,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print a new signing token for `webhook_secret`, and do nothing else
    #[arg(long, conflicts_with = "dry_run")]
    new_secret: bool,
}

/// What is needed to set one project's webhook.
struct Setter<'s> {
    gitlab: &'s Client,
    address: String,
    secret: HookSecret<'s>,
    dry_run: bool,
}

pub(super) async fn run(asked: GitLab) -> ExitCode {
    if asked.new_secret {
        return new_secret();
    }
    let path = &asked.file.path;
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(report) => {
            complain_painted(&report.render(colour_of_errors()));
            return ExitCode::from(EXIT_INVALID);
        }
    };
    let refuse = |why: &str| refuse(&format!("{}: {why}", path.display()));
    let gitlab = match parts::of_forges(&config) {
        Ok(parts) => parts.gitlab,
        Err(why) => return refuse(&why),
    };
    let secrets = config.gitlab.iter().flat_map(|one| &one.webhook_secrets);
    let (Some(gitlab), Some(secret)) = (gitlab, secrets.map(ExposeSecret::expose_secret).next())
    else {
        return refuse(
            "[gitlab] is missing: its `token` sets the webhooks, and its `webhook_secret` secures them",
        );
    };
    let Some(address) = config.server.gitlab_hook() else {
        return refuse(
            "server.public_url is missing: the webhooks must lead to an address that GitLab reaches, such as \
             `https://deploys.example.com`",
        );
    };
    let setter = Setter {
        gitlab: &gitlab,
        address,
        secret: HookSecret::of(secret),
        dry_run: asked.dry_run,
    };
    let projects = projects(&config);
    if projects.is_empty() {
        return refuse("no service is on GitLab: write one with `repo = \"gitlab:group/project\"`");
    }
    let mut code = ExitCode::SUCCESS;
    for (name, path) in projects {
        match setter.project(&path).await {
            Ok(done) => say(&format!("{name}: {done}")),
            Err(why) => {
                complain(&format!("error: {name}: {why}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// The projects of the services, each once: how they are shown, and their paths.
fn projects(config: &Config) -> BTreeMap<String, String> {
    let services = config.catalog.services.iter();
    let here = services.filter(|service| service.repo.forge() == Forge::GitLab);
    here.map(|service| (service.repo.remembered(), service.repo.path().to_owned()))
        .collect()
}

impl Setter<'_> {
    /// Sets the webhook of one project; what was done, or why it could not be.
    async fn project(&self, path: &str) -> Result<String, String> {
        let repository = match self.gitlab.repository(path).await {
            Ok(Some(repository)) => repository,
            Ok(None) => {
                return Err("GitLab shows no such project to our token's account".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        };
        let found = self.gitlab.hooks_at(&repository, &self.address).await;
        let found = found.map_err(|error| not_allowed(&error.to_string()))?;
        let Some(hook) = found.first() else {
            if self.dry_run {
                return Ok(format!("would create a webhook to {}", self.address));
            }
            let made = self
                .gitlab
                .make_hook(&repository, &self.address, self.secret);
            let made = made
                .await
                .map_err(|error| not_allowed(&error.to_string()))?;
            if !made.is_secured(self.secret) {
                return Err(match self.gitlab.remove_hook(&repository, made.id).await {
                    Ok(()) => self.unsecured("the webhook was taken away again"),
                    Err(error) => self.unsecured(&format!(
                        "the webhook could not be taken away again ({error}): delete it"
                    )),
                });
            }
            return Ok(format!("created the webhook to {}", self.address));
        };
        let more = match found.len() {
            1 => String::new(),
            count => format!(
                "; GitLab sends every event to {} more webhooks: delete them",
                count - 1
            ),
        };
        Ok(format!("{}{more}", self.update(&repository, hook).await?))
    }

    async fn update(&self, repository: &Repository, hook: &Hook) -> Result<String, String> {
        let address = &self.address;
        if let (HookSecret::Signing(_), None) = (self.secret, hook.signing_token_present) {
            return Err(self.unsecured("the webhook is as it was"));
        }
        let was_right = hook.is_right(self.secret);
        if self.dry_run {
            return Ok(if was_right {
                format!("the webhook to {address} is right; would write its secret again")
            } else {
                format!("would update the webhook to {address}")
            });
        }
        let set = self
            .gitlab
            .set_hook(repository, hook.id, (address, self.secret));
        let set = set.await.map_err(|error| not_allowed(&error.to_string()))?;
        if !set.is_secured(self.secret) {
            return Err(self.unsecured("the webhook keeps the secret that it had"));
        }
        Ok(if was_right {
            // GitLab shows no secrets, so it cannot be seen whether it was ours.
            format!("the webhook to {address} was right already; wrote its secret again")
        } else {
            format!("updated the webhook to {address}")
        })
    }

    fn unsecured(&self, now: &str) -> String {
        match self.secret {
            HookSecret::Signing(_) => format!(
                "this GitLab is older than 19.0 and ignored our signing token; {now}. \
                 Use a plain secret of at least 16 bytes as `gitlab.webhook_secret`, for example from \
                 `openssl rand -hex 32`, and run this again"
            ),
            HookSecret::Plain(_) => format!("GitLab ignored the webhook's secret; {now}"),
        }
    }
}

fn not_allowed(error: &str) -> String {
    let is_about_us = ["answered 401", "answered 403"]
        .iter()
        .any(|answer| error.contains(answer));
    if is_about_us {
        return format!(
            "{error}: the token needs the scope `api`, and its account the role Maintainer in the project"
        );
    }
    error.to_owned()
}

/// With which GitLab 19.0 and newer sign; nothing when the machine has no randomness to give.
pub(super) fn signing_token() -> Option<String> {
    let key: [u8; 32] = chance::secret()?;
    Some(format!("whsec_{}", base64(&key)))
}

fn new_secret() -> ExitCode {
    let Some(token) = signing_token() else {
        complain("error: the machine has no random bytes to give");
        return ExitCode::FAILURE;
    };
    say(&token);
    complain(
        "Keep it where `gitlab.webhook_secret` in bot.toml says, for example webhook_secret = { file = \
         \"gitlab-webhook\" } with a file that only Countersign can read. Then let `countersign setup gitlab` \
         give it to the webhooks. GitLab before 19.0 does not know signing tokens.",
    );
    ExitCode::SUCCESS
}
