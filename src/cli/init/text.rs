//! The first `bot.toml`, and what is to be done next.

use std::path::Path;

use super::{Answers, Approvers};
use crate::domain::{ChannelRef, Chat, Forge};

/// The file with what GitLab signs its webhooks with.
pub(super) const GITLAB_SECRET: &str = "gitlab-webhook";

/// What the audit log is called.
pub(super) fn log_name(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("{host}/log")
}

pub(super) fn config(answers: &Answers) -> String {
    let forge = match answers.repo.forge() {
        Forge::GitHub => GITHUB.to_owned(),
        Forge::GitLab => GITLAB.to_owned(),
    };
    let chat = answers
        .channel
        .as_ref()
        .map_or("", |channel| match channel.chat() {
            Chat::Discord => DISCORD,
            Chat::Slack => SLACK,
        });
    let name = answers.repo.path().rsplit('/').next().unwrap_or_default();
    let name = service_name(name);
    let notify = answers.channel.as_ref().map_or(String::new(), |channel| {
        format!("# The channel that is told about it, and where it can be commanded.\nnotify = [\"{channel}\"]\n")
    });
    format!(
        "# The configuration of Countersign. `countersign check` explains it, or every mistake in it;\n\
         # `countersign doctor` looks at the forges and chats as well. docs/configuration.md has every key.\n\n\
         [server]\n\
         # Where to listen. Leave it on this machine, and put a proxy that speaks TLS in front.\n\
         listen = \"127.0.0.1:7878\"\n\
         # The address of the proxy.\n\
         public_url = \"{url}\"\n\n\
         [database]\n\
         # A file beside this one, or a PostgreSQL server.\n\
         url = \"sqlite:countersign.db\"\n\n\
         [ledger]\n\
         # The audit log is signed with this key. Keep a copy of it in a safe place.\n\
         key = \"countersign-log.key\"\n\n\
         {forge}\n{chat}\
         # Who may approve.\n\
         [roles.deployer]\n{approvers}\n\n\
         # What is deployed.\n\
         [[service]]\n\
         name = \"{name}\"\n\
         repo = \"{repo}\"\n\
         # Only commits on this branch are released.\n\
         branch = \"{branch}\"\n{notify}\n\
         # A commit passes the stages in this order. Add staging, tests there, and whatever else must be green.\n\
         [[service.stage]]\n\
         name = \"build\"\n\
         gates = [\"{gate}\"]\n\n\
         # /deploy {environment}\n\
         [[service.environment]]\n\
         name = \"{environment}\"\n\
         # How many different people of each role must approve.\n\
         approvals = {{ deployer = 1 }}\n\
         # Nobody approves what they wrote themselves. A team of one writes [] here.\n\
         exclude = [\"author\"]\n\
         {trigger}\n",
        url = answers.url,
        approvers = approvers(answers),
        repo = answers.repo,
        branch = answers.branch,
        gate = format_args!("{}{}", answers.gate.kind(), gate_name(answers)),
        environment = answers.environment,
        trigger = trigger(answers.repo.forge()),
    )
}

const GITHUB: &str = "# A GitHub App. `countersign setup github` makes it, and puts its number here.\n\
    [github]\n\
    app_id = 1\n\
    private_key = { file = \"github-app.pem\" }\n\
    webhook_secret = { file = \"github-webhook-secret\" }\n";

const GITLAB: &str = "# The access token of an account of Countersign's own, with the scope `api` and the role Maintainer.\n\
    # `countersign setup gitlab` makes the webhooks.\n\
    [gitlab]\n\
    # Where GitLab shows its pages; leave it out for gitlab.com.\n\
    #url = \"https://gitlab.example.com\"\n\
    token = { file = \"gitlab-token\" }\n\
    webhook_secret = { file = \"gitlab-webhook\" }\n";

const DISCORD: &str = "# A Discord application: docs/discord.md. `countersign setup discord` prints what it must be told.\n\
    [discord]\n\
    application_id = \"1000000000000000001\"\n\
    public_key = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n\
    token = { file = \"discord-token\" }\n\
    # The servers that are yours, by id. Nobody elsewhere is obeyed.\n\
    guilds = [\"1000000000000000003\"]\n\n";

const SLACK: &str = "# A Slack app: docs/slack.md. `countersign setup slack` prints the manifest from which Slack makes it.\n\
    [slack]\n\
    token = { file = \"slack-token\" }\n\
    signing_secret = { file = \"slack-signing-secret\" }\n\
    # The workspaces that are yours, by id. Nobody elsewhere is obeyed.\n\
    teams = [\"T0123456789\"]\n\n";

fn gate_name(answers: &Answers) -> String {
    match answers.gate.name().as_str() {
        "*" if answers.gate.kind() == "pipeline" => String::new(),
        name => format!(":{name}"),
    }
}

fn trigger(forge: Forge) -> &'static str {
    match forge {
        Forge::GitHub => {
            "# Starts a workflow `on: deployment`: docs/github.md has one to copy.\n\
             trigger = { github = \"deployment\", environment = \"production\" }"
        }
        Forge::GitLab => {
            "# Plays a manual job of the commit's own pipeline: docs/gitlab.md has one to copy.\n\
             trigger = { gitlab = \"play_job\", job = \"deploy-prod\" }"
        }
    }
}

fn approvers(answers: &Answers) -> String {
    match (answers.repo.forge(), &answers.approvers) {
        (Forge::GitHub, Approvers::Maintainers) => {
            "github_roles = [\"maintain\", \"admin\"]".to_owned()
        }
        (Forge::GitHub, Approvers::Person(login)) => format!("github_users = [\"{login}\"]"),
        (Forge::GitHub, Approvers::Group(team)) => format!("github_teams = [\"{team}\"]"),
        (Forge::GitLab, Approvers::Maintainers) => {
            "gitlab_access_level = \"maintainer\"".to_owned()
        }
        (Forge::GitLab, Approvers::Person(login)) => format!("gitlab_users = [\"{login}\"]"),
        (Forge::GitLab, Approvers::Group(group)) => format!("gitlab_groups = [\"{group}\"]"),
    }
}

/// A name that commands can use, made of a repository's.
fn service_name(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_matches(|c: char| c == '-' || c.is_ascii_digit());
    if name.is_empty() {
        "service".to_owned()
    } else {
        name.to_owned()
    }
}

/// What is left to do, in order.
pub(super) fn next(answers: &Answers, config: &Path) -> String {
    let with = match config.to_str() {
        Some("./bot.toml" | "bot.toml") | None => String::new(),
        Some(path) => format!(" --config {path}"),
    };
    let mut steps = Vec::new();
    match answers.repo.forge() {
        Forge::GitHub => {
            let owner = answers.repo.path().split('/').next().unwrap_or_default();
            steps.push(format!(
                "countersign setup github{with} --organization {owner}\n     makes the GitHub App; leave `--organization` out if {owner} is your own account"
            ));
        }
        Forge::GitLab => steps.push(format!(
            "put an access token into the file gitlab-token beside bot.toml, `chmod 600` it, then\n     countersign setup gitlab{with}\n     makes the webhook"
        )),
    }
    match answers.channel {
        Some(ChannelRef::Discord(_)) => {
            steps.push(
                "make the Discord application: docs/discord.md, `countersign setup discord`"
                    .to_owned(),
            );
        }
        Some(ChannelRef::Slack(_)) => {
            steps.push("make the Slack app: docs/slack.md, `countersign setup slack`".to_owned());
        }
        None => {}
    }
    steps.push(format!(
        "countersign doctor{with}\n     says what is still missing"
    ));
    steps.push(format!("countersign serve{with}"));
    let steps: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(index, step)| format!("  {}. {step}", index + 1))
        .collect();
    format!("\nNext:\n{}", steps.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_repository_has_a_service_name() {
        for (text, expect) in [
            ("shop", "shop"),
            ("Shop_Front.js", "shop-front-js"),
            ("2048", "service"),
            ("-x-", "x"),
        ] {
            assert_eq!(service_name(text), expect);
            assert!(
                service_name(text)
                    .parse::<crate::domain::ServiceName>()
                    .is_ok()
            );
        }
    }
}
