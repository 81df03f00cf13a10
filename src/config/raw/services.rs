//! Roles, services, stages, gates, environments and triggers, as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Secret, TextOr};
use crate::config::at::At;

/// A group of people who may approve: everybody who is named in one of the lists.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    /// Logins on GitHub.
    #[schemars(example = ["octocat"])]
    pub(crate) github_users: Option<Vec<At<String>>>,
    /// Teams on GitHub, with their organization.
    #[schemars(example = ["acme/sre"])]
    pub(crate) github_teams: Option<Vec<At<String>>>,
    /// Roles in the service's repository, such as `maintain` or `admin`; each stands for itself alone.
    #[schemars(example = ["maintain", "admin"])]
    pub(crate) github_roles: Option<Vec<At<String>>>,
    /// User names on GitLab.
    #[schemars(example = ["tanuki"])]
    pub(crate) gitlab_users: Option<Vec<At<String>>>,
    /// Groups on GitLab.
    #[schemars(example = ["acme/sre"])]
    pub(crate) gitlab_groups: Option<Vec<At<String>>>,
    /// The least access to the service's project that counts.
    #[schemars(example = &"maintainer")]
    pub(crate) gitlab_access_level: Option<At<Level>>,
}

/// An access level of GitLab.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Developer,
    Maintainer,
    Owner,
}

/// What is deployed: one repository, or some paths of one, with a release branch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// The name that commands use: lower-case letters, digits and dashes.
    #[schemars(required, example = &"shop")]
    pub(crate) name: Option<At<String>>,
    /// What it was called before, so that what is live, what was released and what is locked stays its own.
    #[schemars(example = &"store")]
    pub(crate) formerly: Option<At<String>>,
    /// The repository: `github:OWNER/NAME` or `gitlab:GROUP/PROJECT`.
    #[schemars(required, example = &"github:acme/shop")]
    pub(crate) repo: Option<At<String>>,
    /// The release branch. Only commits on it are released.
    #[schemars(required, example = &"main")]
    pub(crate) branch: Option<At<String>>,
    /// The paths that belong to the service; without it, the whole repository does.
    #[schemars(length(min = 1), example = ["billing/**"])]
    pub(crate) paths: Option<Vec<At<String>>>,
    /// The channels that are told about the service, and where it can be commanded: by id, or a table that
    /// says more.
    #[schemars(example = ["discord:1000000000000000002", "slack:C0123456789"])]
    pub(crate) notify: Option<Vec<At<TextOr<Subscription>>>>,
    /// The steps that a commit passes, in order.
    #[schemars(required, length(min = 1))]
    #[schemars(extend("x-missing" = "a commit is ready when its stages have passed, so there must be one: add a `[[service.stage]]`"))]
    pub(crate) stage: Option<Vec<At<Stage>>>,
    /// Where the service can be released.
    #[schemars(required, length(min = 1))]
    #[schemars(extend("x-missing" = "there is nowhere to release to: add a `[[service.environment]]`"))]
    pub(crate) environment: Option<Vec<At<Environment>>>,
}

/// A channel that is told about a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscription {
    /// The channel: `discord:ID` or `slack:ID`.
    #[schemars(required, example = &"slack:C0123456789")]
    pub(crate) channel: Option<At<String>>,
    /// Only these environments: notices are about them, and commands there can be about no other.
    #[schemars(length(min = 1), example = ["prod"])]
    pub(crate) environments: Option<Vec<At<String>>>,
    /// For what a new message is posted; everything, if it is absent. A message that is there is kept current
    /// in any case.
    #[schemars(length(min = 1), example = ["ready", "failed"])]
    pub(crate) on: Option<Vec<At<Happening>>>,
    /// Whom to call when a commit is ready and when a release failed: the id of a role on Discord, of a user
    /// group on Slack.
    #[schemars(example = &"1000000000000000004")]
    pub(crate) call: Option<At<String>>,
    /// When nobody wants to hear that something is ready or that a stage failed.
    #[schemars(example = &"22:00-07:00 Europe/Berlin")]
    pub(crate) quiet: Option<At<String>>,
}

/// What a channel can be told.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Happening {
    Ready,
    Requested,
    Deploying,
    Live,
    Failed,
    Ended,
    StageFailed,
    Unexplained,
    Parked,
}

/// An ordered step of a service; passed when all its gates are green.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    /// The name, unique within the service.
    #[schemars(required, example = &"build")]
    pub(crate) name: Option<At<String>>,
    /// What the stage waits for, all of it: `check:NAME`, `status:CONTEXT`, `workflow:FILE` and
    /// `deployment:ENVIRONMENT` on GitHub; `job:NAME`, `pipeline`, `status:NAME` and
    /// `deployment:ENVIRONMENT` on GitLab. `*` stands for any text.
    #[schemars(required, length(min = 1), example = ["check:build", "check:lint"])]
    pub(crate) gates: Option<Vec<At<TextOr<Gate>>>>,
    /// How long the stage must stay green before it counts as passed.
    #[schemars(example = &"10m")]
    pub(crate) soak: Option<At<String>>,
}

/// A gate that says more: its kind with its name, and the only source that counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    /// A check run on GitHub, by its name.
    #[schemars(example = &"build")]
    pub(crate) check: Option<At<String>>,
    /// A commit status, by its context.
    #[schemars(example = &"load-test")]
    pub(crate) status: Option<At<String>>,
    /// A workflow on GitHub, by its file.
    #[schemars(example = &"ci.yml")]
    pub(crate) workflow: Option<At<String>>,
    /// A deployment to an environment of the forge.
    #[schemars(example = &"staging")]
    pub(crate) deployment: Option<At<String>>,
    /// A pipeline's job on GitLab.
    #[schemars(example = &"build")]
    pub(crate) job: Option<At<String>>,
    /// A pipeline on GitLab, by its name.
    #[schemars(example = &"nightly")]
    pub(crate) pipeline: Option<At<String>>,
    /// The numeric id of the only GitHub app whose reports count; GitHub Actions has 15368.
    #[schemars(example = 15368)]
    pub(crate) app: Option<At<u64>>,
    /// Whether a check counts that some workflow posted with its token. Without it, only jobs do, of runs that GitHub
    /// started for the release branch: any workflow of any branch can post a check of any name.
    #[schemars(example = true)]
    pub(crate) posted: Option<At<bool>>,
    /// Events whose runs count besides `push`, `merge_group` and `schedule`.
    #[schemars(example = ["pull_request"])]
    pub(crate) events: Option<Vec<At<String>>>,
}

/// Where a candidate can be released, with its own policy and trigger.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Environment {
    /// The name that commands use: `/deploy prod`.
    #[schemars(required, example = &"prod")]
    pub(crate) name: Option<At<String>>,
    /// Other names that commands may use.
    #[schemars(example = ["production"])]
    pub(crate) aliases: Option<Vec<At<String>>>,
    /// What it was called before, so that what is live, what was released and what is locked stays its own.
    #[schemars(example = &"production")]
    pub(crate) formerly: Option<At<String>>,
    /// The stage that must have passed, with every stage before it. The default is the last one.
    #[schemars(example = &"staging")]
    pub(crate) after: Option<At<String>>,
    /// How many different people of each role must approve.
    #[schemars(required, extend("minProperties" = 1), extend("examples" = [{ "deployer": 1, "qa": 1 }]))]
    #[schemars(extend("x-missing" = "no policy means refusal: say who must approve, for example: approvals = { deployer = 1 }"))]
    pub(crate) approvals: Option<BTreeMap<At<String>, At<u64>>>,
    /// Who cannot approve, although a role would let them. `author` is short for `commit-author`, `opener`,
    /// `pusher` and `co-author`; docs/security.md says what each means.
    #[schemars(example = ["author", "requester"])]
    pub(crate) exclude: Option<Vec<At<Excluded>>>,
    /// How long a request waits for its approvals. The default is `4h`.
    #[schemars(example = &"4h")]
    pub(crate) expires: Option<At<String>>,
    /// After how long without news the forge is asked how a release goes. The default is `10m`.
    #[schemars(example = &"10m")]
    pub(crate) follow: Option<At<String>>,
    /// What is released although it is refused by default.
    #[schemars(example = ["open-heads"])]
    pub(crate) allow: Option<Vec<At<Allowed>>>,
    /// Refuses every release, with this reason. What waits goes on waiting, and keeps its approvals.
    #[schemars(example = &"stock-taking until Monday")]
    pub(crate) freeze: Option<At<String>>,
    /// How the release starts. The default on GitHub is a deployment to the environment of the same name.
    #[schemars(extend("examples" = [{ "github": "deployment", "environment": "production" }]))]
    pub(crate) trigger: Option<At<Trigger>>,
}

/// Who cannot approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Excluded {
    /// Whoever had a hand in what would ship: short for `commit-author`, `opener`, `pusher` and `co-author`.
    Author,
    /// Whoever wrote a commit, as the commit says.
    CommitAuthor,
    /// Whoever opened the pull or merge request that brought a commit.
    Opener,
    /// Whoever pushed a commit to the release branch without a pull or merge request.
    Pusher,
    /// Whoever is named in a `Co-authored-by` line of a commit, which anybody can write.
    CoAuthor,
    /// Whoever committed a commit, as the commit says.
    Committer,
    /// Whoever merged the pull or merge request that brought a commit.
    Merger,
    /// Whoever asked for the release.
    Requester,
    /// Everybody, where an app wrote, opened or pushed something: nobody knows who is behind it.
    App,
}

/// What is released although it is refused by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Allowed {
    /// The head of an open pull request, which is not on the release branch.
    OpenHeads,
    /// An open head that comes from a fork.
    Forks,
    /// An open head whose pull request is a draft.
    Drafts,
}

/// How the release starts: exactly one of `github`, `gitlab` and `webhook`, with what it needs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trigger {
    /// Starts through GitHub.
    #[schemars(example = &"deployment")]
    pub(crate) github: Option<At<GitHubTriggerKind>>,
    /// Starts through GitLab.
    #[schemars(example = &"play_job")]
    pub(crate) gitlab: Option<At<GitLabTriggerKind>>,
    /// Starts by a signed request to this URL. Not available yet.
    #[schemars(example = &"https://deploy.example.com/start")]
    pub(crate) webhook: Option<At<String>>,
    /// The environment's name on the forge. The default is the environment's own name.
    #[schemars(example = &"production")]
    pub(crate) environment: Option<At<String>>,
    /// Who else reports how a `deployment` goes, by the login of the account or of the app's bot. The runs that the
    /// deployment starts, GitHub Actions and Countersign itself are believed anyway, and nobody else.
    #[schemars(example = &"argocd[bot]")]
    pub(crate) reporter: Option<At<String>>,
    /// The file of the workflow: the one that `workflow_dispatch` starts, or the only one whose runs pass a
    /// `protection_rule`.
    #[schemars(example = &"deploy.yml")]
    pub(crate) workflow: Option<At<String>>,
    /// The branch whose workflow or pipeline runs, or a tag as `refs/tags/NAME`. The default is the release branch.
    #[serde(rename = "ref")]
    #[schemars(example = &"main")]
    pub(crate) reference: Option<At<String>>,
    /// The inputs of a workflow; one must hold `{sha}`. Also known are `{service}`,
    /// `{environment}`, `{request}` and `{correlation}`.
    #[schemars(extend("minProperties" = 1), extend("examples" = [{ "sha": "{sha}" }]))]
    pub(crate) inputs: Option<At<BTreeMap<At<String>, At<String>>>>,
    /// The event type, for `repository_dispatch`.
    #[schemars(example = &"deploy")]
    pub(crate) event_type: Option<At<String>>,
    /// The job's name, for `play_job`.
    #[schemars(example = &"deploy-prod")]
    pub(crate) job: Option<At<String>>,
    /// The variables of a pipeline; one must hold `{sha}`.
    #[schemars(extend("minProperties" = 1), extend("examples" = [{ "SHA": "{sha}" }]))]
    pub(crate) variables: Option<At<BTreeMap<At<String>, At<String>>>>,
    /// The pipeline trigger token, for `trigger_token`.
    pub(crate) token: Option<At<Secret>>,
    /// The secret that signs the request to `webhook`. Not available yet.
    pub(crate) secret: Option<At<Secret>>,
}

/// What starts a release on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GitHubTriggerKind {
    /// A deployment of the exact commit; workflows start `on: deployment`.
    Deployment,
    /// A workflow that starts `on: workflow_dispatch`, at a branch or tag.
    WorkflowDispatch,
    /// Workflows that start `on: repository_dispatch`, on the default branch.
    RepositoryDispatch,
    /// A workflow that waits at the environment's custom protection rule.
    ProtectionRule,
}

/// What starts a release on GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GitLabTriggerKind {
    /// A manual job of the commit's own pipeline is played.
    PlayJob,
    /// A pipeline is created, at a branch or tag.
    CreatePipeline,
    /// A pipeline is created with a trigger token.
    TriggerToken,
    /// A deployment that waits for approval is approved, then its job is played.
    ApproveThenPlay,
}
