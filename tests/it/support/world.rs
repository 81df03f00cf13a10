//! A whole world in one process: a GitHub and a GitLab, a service with its door, and a clock that is moved by
//! hand. Its services live on one of the forges, and what is written for GitHub is meant for the other, too.
//! Tests speak like people: a person pushes, reports, comments; then the world settles.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use countersign::config::{Config, Surroundings};
use countersign::domain::{Catalog, Forge, SealedPolicy};
use countersign::engine::Shared;
use countersign::forges::clients::Clients;
use countersign::forges::door::Guard;
use countersign::forges::github::client::{Client, Identity};
use countersign::forges::github::edge::WebhookSecrets;
use countersign::forges::gitlab;
use countersign::http::{Doorway, Limits, Listener, Readiness, router};
use countersign::metrics::Metrics;
use countersign::store::{Door, Store, inbox, timer};
use countersign_ground::clock::{Clock, Hand};
use countersign_sandbox::github::{APP_ID, APP_KEY, GitHub, Order};
use countersign_sandbox::gitlab::{GitLab, JobPlan};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::crew::{self, Crew, Desk};
use super::deliveries::SECRET;
use super::service::TOKEN;
use super::talk::Talk;
use super::{Database, Engine, eventually};

pub(crate) const SHOP: &str = "acme/shop";
/// When every world begins, so that people read the same times in each run.
const BEGIN: &str = "2026-03-02T09:00:00Z";
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A service that is released by one deployer; tests change it by replacing text.
pub(crate) const PLAIN: &str = r#"
[roles.deployer]
github_users = ["ann", "dora"]
[roles.qa]
github_teams = ["acme/qa"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"

[[service.stage]]
name = "build"
gates = ["check:build", "status:lint"]

[[service.stage]]
name = "staging"
gates = ["deployment:staging"]

[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = []
trigger = { github = "deployment", environment = "production" }
"#;

/// The plain configuration with texts replaced; each must be there.
pub(crate) fn plain_with(changes: &[(&str, &str)]) -> String {
    let mut text = PLAIN.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "no {from:?} in\n{text}");
        text = text.replace(from, to);
    }
    text
}

/// Two deployers must say yes.
pub(crate) const TWO: (&str, &str) = ("deployer = 1", "deployer = 2");

/// Where a world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) engine: Engine,
    pub(crate) forge: Forge,
}

impl From<Engine> for Setting {
    fn from(engine: Engine) -> Self {
        Self {
            engine,
            forge: Forge::GitHub,
        }
    }
}

/// What a world begins with.
pub(super) struct Beginning<'b> {
    pub(super) forge: Forge,
    pub(super) database: Database,
    pub(super) at: Timestamp,
    pub(super) services: &'b str,
    pub(super) talks: bool,
    /// How long it waits for the forge's answers.
    pub(super) deadline: Duration,
}

pub(crate) struct World {
    pub(crate) github: GitHub,
    pub(crate) gitlab: GitLab,
    /// Where its services live.
    pub(crate) forge: Forge,
    pub(crate) database: Database,
    pub(crate) store: Store,
    pub(crate) shared: Shared,
    hand: Hand,
    catalog: watch::Sender<Arc<Catalog>>,
    client: watch::Sender<Option<Arc<Client>>>,
    pub(super) gitlab_client: watch::Sender<Option<Arc<gitlab::client::Client>>>,
    /// Where GitLab's webhooks should lead; they are not watched until it is known.
    address: watch::Sender<Option<String>>,
    pub(super) desk: Desk,
    pub(super) crews: Mutex<Vec<Crew>>,
    /// A connection for questions, which are many.
    looking: tokio::sync::Mutex<sqlx::AnyConnection>,
    stop: CancellationToken,
    door: OnceLock<String>,
    group_hook: OnceLock<u64>,
    /// The chats, if it has any.
    pub(super) talk: Option<Talk>,
    /// The state was found to follow from the log as far as this entry.
    pub(super) agreed: AtomicI64,
}

/// Behind the `@` of private commit addresses on GitLab.
pub(crate) const PRIVATE_ON_GITLAB: &str = "users.noreply.gitlab.example";

/// A connection without tokens and without anything remembered.
fn new_client(github: &GitHub, deadline: Duration) -> Arc<Client> {
    let identity = Identity::App {
        id: APP_ID,
        private_key: APP_KEY.as_bytes().to_vec(),
    };
    let client = Client::new(&github.url(), identity, deadline).unwrap();
    Arc::new(client.with_private_emails("users.noreply.github.com"))
}

/// The same words for GitLab.
const ON_GITLAB: &[(&str, &str)] = &[
    ("github:acme/shop", "gitlab:acme/shop"),
    ("github_users", "gitlab_users"),
    ("github_teams", "gitlab_groups"),
    (
        "github_roles = [\"maintain\"]",
        "gitlab_access_level = \"maintainer\"",
    ),
    ("check:build", "job:build"),
    (
        "trigger = { github = \"deployment\", environment = \"production\" }",
        "aliases = [\"production\"]\ntrigger = { gitlab = \"play_job\", job = \"deploy-prod\" }",
    ),
    (
        "trigger = { github = \"deployment\", environment = \"elsewhere\" }",
        "trigger = { gitlab = \"play_job\", job = \"deploy-elsewhere\" }",
    ),
    ("check:billing", "job:billing"),
    (
        "trigger = { github = \"deployment\", environment = \"billing\" }",
        "trigger = { gitlab = \"play_job\", job = \"deploy-billing\" }",
    ),
];

/// A configuration as it is written for a forge.
pub(crate) fn meant_for(forge: Forge, services: &str) -> String {
    let mut text = services.to_owned();
    if forge == Forge::GitLab {
        for (from, to) in ON_GITLAB {
            text = text.replace(from, to);
        }
    }
    text
}

/// What is read on GitLab where GitHub's words are other ones.
const READ_ON_GITLAB: &[(&str, &str)] = &[
    ("github:", "gitlab:"),
    ("check:build", "job:build"),
    ("[failure](", "[failed]("),
    ("GitHub", "GitLab"),
    ("team acme/qa", "group acme/qa"),
    ("team `acme/qa`", "group `acme/qa`"),
    ("`/approve", "`/countersign approve"),
    ("`/unlock", "`/countersign unlock"),
    (
        "anyone with `maintain` in the repository",
        "anyone with `maintainer` or more in the project",
    ),
];

fn said_on(forge: Forge, text: &str) -> String {
    let mut text = text.to_owned();
    if forge == Forge::GitLab {
        for (from, to) in READ_ON_GITLAB {
            text = text.replace(from, to);
        }
    }
    text
}

fn gitlab_client(gitlab: &GitLab, deadline: Duration) -> Arc<gitlab::client::Client> {
    let client = gitlab::client::Client::new(&gitlab.url(), TOKEN, deadline).unwrap();
    Arc::new(client.with_private_emails(PRIVATE_ON_GITLAB))
}

/// The chats of every configuration; most worlds have no one there.
const CHATS: &str = "[discord]\napplication_id = \"1\"\nguilds = [\"90\"]\ntoken = { env = \"TOKEN\" }\n\
    public_key = \"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c\"\n\
    [slack]\ntoken = { env = \"TOKEN\" }\nsigning_secret = { env = \"SECRET\" }\nteams = [\"T0ACMECORP\"]\n";

/// The catalog that a configuration describes.
pub(crate) fn catalog(services: &str) -> Catalog {
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:unused.db\"\n\
         [github]\ntoken = {{ env = \"TOKEN\" }}\nwebhook_secret = {{ env = \"SECRET\" }}\n\
         [gitlab]\ntoken = {{ env = \"TOKEN\" }}\nwebhook_secret = {{ env = \"SECRET\" }}\n{CHATS}{services}"
    );
    let variables = [("TOKEN", TOKEN), ("SECRET", SECRET)];
    let config = Config::parse(
        &text,
        "bot.toml",
        &Surroundings::fixed(Path::new("/"), variables),
    )
    .unwrap_or_else(|report| panic!("{}", report.render(countersign::config::Colour::Never)));
    config.catalog.sealed()
}

fn people_of(github: &GitHub, gitlab: &GitLab) {
    for (id, login) in [(6, "bob"), (7, "dora"), (8, "quinn")] {
        github.add_person(id, login);
        github.set_role(SHOP, login, Some("write"));
        gitlab.add_person(id, login);
        gitlab.set_access(SHOP, login, Some(30));
    }
    gitlab.add_group(40, "acme/qa");
    gitlab.set_member(40, "quinn", Some(30));
    let release = JobPlan::new("deploy-prod", "deploy");
    gitlab.set_jobs(SHOP, vec![release.manual().to("production")]);
    github.add_team(40, "acme", "qa");
    let member = countersign_sandbox::github::Membership::Active;
    github.set_member(40, "quinn", Some(member));
}

fn begin() -> Timestamp {
    BEGIN.parse().unwrap()
}

impl World {
    /// The plain service.
    pub(crate) async fn plain(setting: impl Into<Setting>) -> Self {
        Self::start(setting, PLAIN).await
    }

    /// The plain service at the time of the machine, by which an operator's commands go.
    pub(crate) async fn today(setting: impl Into<Setting>) -> Self {
        let now = Clock::system().now();
        Self::with(setting.into(), PLAIN, (false, ANSWERS_WITHIN), now).await
    }

    pub(crate) async fn start(setting: impl Into<Setting>, services: &str) -> Self {
        Self::patient(setting, services, ANSWERS_WITHIN).await
    }

    /// A service that waits so long for the forge's answers.
    pub(crate) async fn patient(
        setting: impl Into<Setting>,
        services: &str,
        deadline: Duration,
    ) -> Self {
        Self::with(setting.into(), services, (false, deadline), begin()).await
    }

    /// The same, with both chats.
    pub(crate) async fn talking(setting: impl Into<Setting>, services: &str) -> Self {
        Self::with(setting.into(), services, (true, ANSWERS_WITHIN), begin()).await
    }

    async fn with(
        Setting { engine, forge }: Setting,
        services: &str,
        (talks, deadline): (bool, Duration),
        at: Timestamp,
    ) -> Self {
        let beginning = Beginning {
            forge,
            database: Database::migrated(engine).await,
            at,
            services,
            talks,
            deadline,
        };
        let world = Self::still(beginning).await;
        world.work(&crew::ALL).await;
        world.open_door().await;
        world.names_are_known().await;
        world.settle().await;
        world
    }

    /// A world in which no crew works yet, and no door listens.
    pub(super) async fn still(beginning: Beginning<'_>) -> Self {
        let Beginning {
            forge,
            database,
            at,
            services,
            talks,
            deadline,
        } = beginning;
        let (clock, hand) = Clock::by_hand(at);
        let github = GitHub::start_at(TOKEN, clock.clone()).await.unwrap();
        // The library that makes and keeps them knows only the machine's clock.
        github.judge_tokens_by(Clock::system());
        let gitlab = GitLab::start_at(TOKEN, clock.clone()).await.unwrap();
        people_of(&github, &gitlab);
        let store = database.open().await;
        let shared = Shared::new(store.clone(), clock.clone(), Metrics::default());
        let (client, client_part) = watch::channel(Some(new_client(&github, deadline)));
        let (gitlab_client, gitlab_part) = watch::channel(Some(gitlab_client(&gitlab, deadline)));
        let (address, address_part) = watch::channel(None);
        let services = meant_for(forge, services);
        let (catalog, catalog_part) = watch::channel(Arc::new(catalog(&services)));
        let stop = CancellationToken::new();
        let talk = if talks {
            Some(Talk::start(&clock).await)
        } else {
            None
        };
        let chats = talk.as_ref().map(|talk| talk.clients.clone());
        let desk = Desk {
            shared: shared.clone(),
            catalog: catalog_part,
            forges: Clients {
                github: client_part,
                gitlab: gitlab_part,
            },
            chats: chats.unwrap_or_default(),
            address: address_part,
            stop: stop.clone(),
            head: database.folder.path().join("countersign-log.head"),
        };
        let crews = Mutex::new(Vec::new());
        let looking = tokio::sync::Mutex::new(database.direct().await);
        Self {
            github,
            gitlab,
            forge,
            database,
            store,
            shared,
            hand,
            catalog,
            client,
            gitlab_client,
            address,
            desk,
            crews,
            looking,
            stop,
            door: OnceLock::new(),
            group_hook: OnceLock::new(),
            talk,
            agreed: AtomicI64::new(0),
        }
    }

    /// Listens, and tells GitHub where.
    pub(super) async fn open_door(&self) {
        let limits = Limits::default();
        let metrics = self.shared.metrics.clone();
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), limits, metrics).unwrap();
        let address = listener.address().unwrap();
        let limits = listener.limits();
        let (door, committer) = Door::open(
            self.store.clone(),
            self.shared.received.clone(),
            limits.waiting,
        );
        let readiness = Readiness::new(
            self.store.clone(),
            self.shared.clock.clone(),
            self.shared.metrics.clone(),
            self.stop.clone(),
            self.shared.standing.subscribe(),
        );
        let secrets = Arc::new(WebhookSecrets::new([SECRET.as_bytes().to_vec()]));
        let of_gitlab = gitlab::edge::WebhookSecrets::new([SECRET.as_bytes().to_vec()]).unwrap();
        let forges = Guard {
            github: watch::channel(secrets).1,
            gitlab: watch::channel(Arc::new(of_gitlab)).1,
        };
        let mut doorway = Doorway::new(door, readiness, limits, forges);
        if let Some(talk) = &self.talk {
            doorway = doorway.with_chats(talk.door(), self.desk.catalog.clone());
        }
        tokio::spawn(committer.run());
        tokio::spawn(listener.serve(router(doorway), self.stop.clone()));
        let url = format!("http://{address}/hooks/github");
        self.github.hook(&url, SECRET);
        let of_group = format!("http://{address}/hooks/gitlab");
        let of_group = self.gitlab.hook(&of_group, SECRET);
        self.group_hook.set(of_group).unwrap();
        self.door.set(url).unwrap();
        if let Some(talk) = &self.talk {
            talk.connect(&format!("http://{address}")).await;
        }
    }

    pub(super) fn github_door(&self) -> String {
        self.door.get().unwrap().clone()
    }

    /// Where GitLab's webhooks lead.
    pub(crate) fn gitlab_door(&self) -> String {
        let door = self.door.get().unwrap();
        door.replace("/hooks/github", "/hooks/gitlab")
    }

    /// The project has a webhook of its own instead of its group's, and the service watches it; its number.
    pub(crate) fn watch_webhook(&self) -> u64 {
        self.gitlab.remove_hook(*self.group_hook.get().unwrap());
        let address = self.gitlab_door();
        let hook = self.gitlab.project_hook(SHOP, &address, SECRET);
        self.address.send_replace(Some(address));
        hook
    }

    async fn names_are_known(&self) {
        let roles = self.catalog.borrow().roles.clone();
        let names: BTreeSet<String> = roles
            .values()
            .flat_map(|role| {
                let users = role.users(self.forge).iter().map(ToString::to_string);
                let crowds = role.crowds(self.forge).into_iter();
                users
                    .chain(crowds.map(|one| one.to_string()))
                    .collect::<Vec<_>>()
            })
            .collect();
        eventually("names are looked up", async || {
            let pins = self.number("SELECT COUNT(*) FROM pin").await;
            let bound = self.number("SELECT COUNT(*) FROM repository").await;
            (pins >= i64::try_from(names.len()).unwrap() && bound > 0).then_some(())
        })
        .await;
    }

    /// Puts another configuration in force.
    pub(crate) async fn reconfigure(&self, services: &str) {
        self.reconfigure_unheard(services);
        self.names_are_known().await;
        self.settle().await;
    }

    /// The same, without waiting for the names in it.
    pub(crate) fn reconfigure_unheard(&self, services: &str) {
        let services = meant_for(self.forge, services);
        self.catalog.send_replace(Arc::new(catalog(&services)));
    }

    /// Names the policies that are in force.
    pub(crate) fn rules(&self) -> String {
        self.catalog.borrow().rules().as_str().to_owned()
    }

    /// The policies that are in force.
    pub(crate) fn policies(&self) -> Vec<SealedPolicy> {
        self.catalog.borrow().policies.values().cloned().collect()
    }

    /// From now on policies are named as versions did that did not know their text.
    pub(crate) fn name_policies_as_before(&self) {
        self.catalog.send_modify(|catalog| {
            for policy in Arc::make_mut(catalog).policies.values_mut() {
                policy.digest = policy.first.clone().unwrap();
            }
        });
    }

    /// From now on policies are named as versions did to which `author` meant less.
    pub(crate) fn name_policies_as_narrower(&self, nth: usize) {
        self.catalog.send_modify(|catalog| {
            for policy in Arc::make_mut(catalog).policies.values_mut() {
                policy.digest = policy.narrower[nth].clone();
            }
        });
    }

    /// The forge is not configured any more.
    pub(crate) fn forget_the_forge(&self) {
        self.client.send_replace(None);
        self.gitlab_client.send_replace(None);
    }

    /// GitHub cannot be reached, or can again.
    pub(crate) fn set_client(&self, client: Option<Arc<Client>>) {
        self.client.send_replace(client);
    }

    /// GitHub is asked through a fresh connection.
    pub(crate) fn reconnect(&self, deadline: Option<Duration>) {
        let deadline = deadline.unwrap_or(ANSWERS_WITHIN);
        self.set_client(Some(new_client(&self.github, deadline)));
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        use sqlx::{Executor as _, Row as _};
        let mut connection = self.looking.lock().await;
        let asked = sqlx::AssertSqlSafe(sql.to_owned());
        connection.fetch_one(asked).await.unwrap().get(0)
    }

    /// Waits until nothing is left to do at this time.
    pub(crate) async fn settle(&self) {
        eventually("the world settles", async || {
            self.github.delivered().await;
            self.gitlab.delivered().await;
            let nothing_held = self.github.held() + self.gitlab.held() == 0;
            (self.is_quiet().await && nothing_held && self.is_quiet().await).then_some(())
        })
        .await;
        self.agrees_with_the_log().await;
    }

    /// As [`World::settle`], while GitHub holds deliveries back.
    pub(crate) async fn settle_in_silence(&self) {
        eventually("the world settles", async || {
            (self.is_quiet().await && self.is_quiet().await).then_some(())
        })
        .await;
    }

    async fn is_quiet(&self) -> bool {
        let now = self.shared.clock.now();
        let due = now.as_microsecond();
        inbox::oldest(&self.store).await.unwrap().is_none()
            && self
                .number(&format!(
                    "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND (due_at <= {due} OR lease_until <> 0)
                     AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.thread = outbox.thread
                        AND earlier.id < outbox.id AND earlier.state = 'waiting')
                     AND NOT EXISTS (SELECT 1 FROM quiet WHERE quiet.channel = outbox.channel AND quiet.until_at > {due})"
                ))
                .await
                == 0
            && timer::next_due(&self.store)
                .await
                .unwrap()
                .is_none_or(|next| next > now)
    }

    /// Time passes while no crew works.
    pub(crate) fn wait(&self, seconds: u64) {
        self.hand.advance(Duration::from_secs(seconds));
    }

    /// Time passes, and what comes due is done.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.hand.advance(Duration::from_secs(seconds));
        self.shared.timed.notify_waiters();
        self.shared.decided.notify_waiters();
        self.settle().await;
    }

    /// A pull request, merged and ready.
    pub(crate) async fn ready(&self, title: &str) -> (u64, String) {
        let (number, sha) = self.merge(title).await;
        self.make_ready(&sha).await;
        (number, sha)
    }

    /// A pull request whose commit ann brought to production.
    pub(crate) async fn live(&self, title: &str) -> (u64, String) {
        let (pull_request, sha) = self.ready(title).await;
        let said = self.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        self.finish("success").await;
        self.said(said.comment).expect("Live");
        (pull_request, sha)
    }

    /// The person comments, and gets an answer.
    pub(crate) async fn say(&self, person: &str, pull_request: u64, text: &str) -> Said {
        let comment = self.comment(person, pull_request, text).await;
        self.settle().await;
        self.said(comment)
    }

    /// The person comments, and nothing that happens because of it is delivered, ever.
    pub(crate) async fn say_unheard(&self, person: &str, pull_request: u64, text: &str) -> u64 {
        let comment = self.comment(person, pull_request, text).await;
        self.hold();
        self.github.delivered().await;
        self.gitlab.delivered().await;
        self.settle_in_silence().await;
        self.release(&Order::Chosen(Vec::new()));
        self.settle().await;
        comment
    }

    /// What came of a comment.
    pub(crate) fn said(&self, comment: u64) -> Said {
        Said {
            forge: self.forge,
            comment,
            reactions: self.reactions(comment),
            answers: self.answers(comment),
        }
    }

    fn answers(&self, comment: u64) -> Vec<String> {
        let mark = format!("/comment/{comment}/");
        let mut written = self.written();
        written.retain(|body| body.contains(&mark));
        written
    }

    /// How far a request is, by its word in the database.
    pub(crate) async fn state(&self, request: u64) -> Option<String> {
        use sqlx::{Executor as _, Row as _};
        let sql = format!("SELECT state FROM request WHERE number = {request}");
        let mut connection = self.looking.lock().await;
        let row = connection.fetch_optional(sqlx::AssertSqlSafe(sql)).await;
        row.unwrap().map(|row| row.get(0))
    }

    /// The newest request's number; zero where there is none.
    pub(crate) async fn newest(&self) -> u64 {
        let newest = self
            .number("SELECT COALESCE(MAX(number), 0) FROM request")
            .await;
        u64::try_from(newest).unwrap()
    }

    /// The run or deployment that GitHub knows a request under.
    pub(crate) async fn external(&self, request: u64) -> u64 {
        let sql = format!("SELECT COALESCE(external_id, 0) FROM request WHERE number = {request}");
        u64::try_from(self.number(&sql).await).unwrap()
    }

    /// The forge's number for the newest release.
    pub(crate) async fn deployment(&self) -> u64 {
        let number = "SELECT COALESCE(MAX(external_id), 0) FROM request WHERE number =
            (SELECT MAX(number) FROM request WHERE external_kind IN ('deployment', 'job'))";
        u64::try_from(self.number(number).await).unwrap()
    }

    /// The actions in the ledger, oldest first.
    pub(crate) async fn ledger(&self) -> Vec<String> {
        use sqlx::{Executor as _, Row as _};
        let mut connection = self.database.direct().await;
        let rows = connection
            .fetch_all("SELECT action FROM ledger_entry ORDER BY seq")
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How often something was recorded.
    pub(crate) async fn recorded(&self, action: &str) -> usize {
        let ledger = self.ledger().await;
        ledger.iter().filter(|known| *known == action).count()
    }

    /// The newest status of a commit under a context: state and description.
    pub(crate) fn shown(&self, sha: &str, context: &str) -> Option<(String, String)> {
        let newest = self.github.exchanges().into_iter().rfind(|exchange| {
            exchange.method == "POST"
                && exchange.path.ends_with(&format!("/statuses/{sha}"))
                && exchange
                    .request_body
                    .as_ref()
                    .is_some_and(|body| body["context"] == context)
        })?;
        let body = newest.request_body.as_ref()?;
        Some((
            body["state"].as_str()?.to_owned(),
            body["description"].as_str()?.to_owned(),
        ))
    }

    /// What is read on this forge where the other has this text.
    pub(crate) fn read_as(&self, text: &str) -> String {
        said_on(self.forge, text)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What came of a comment.
#[derive(Debug)]
pub(crate) struct Said {
    forge: Forge,
    pub(crate) comment: u64,
    pub(crate) reactions: Vec<String>,
    pub(crate) answers: Vec<String>,
}

impl Said {
    /// The only answer.
    pub(crate) fn answer(&self) -> &str {
        let [answer] = self.answers.as_slice() else {
            panic!("not one answer: {self:#?}");
        };
        answer
    }

    pub(crate) fn expect(&self, text: &str) {
        let (answer, text) = (self.answer(), said_on(self.forge, text));
        assert!(answer.contains(&text), "no {text:?} in\n{answer}");
    }

    /// The list of reasons in the answer.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let lines = self.answer().lines();
        lines
            .filter(|line| line.trim_start().starts_with("- "))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn never(&self, text: &str) {
        let answer = self.answer();
        assert!(!answer.contains(text), "{text:?} in\n{answer}");
    }
}
