//! One deploy: what its trigger's own entry says, and what the rest of its request's story adds.

use jiff::Timestamp;
use serde_json::Value;

use countersign_ledger::Action;
use countersign_ledger::{Whole, person};

/// A person, by the number that stays and the name that can be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// `github:7`
    pub person: String,
    pub name: Option<String>,
}

/// A yes that counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    pub who: Who,
    pub roles: Vec<String>,
    /// By which rules the roles were held; nothing when it was erased.
    pub rules: Option<Vec<String>>,
    pub at: String,
}

/// A gate, and what was reported for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    pub name: String,
    pub conclusions: Vec<String>,
}

/// How a deploy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Succeeded,
    Failed,
    Cancelled,
    Rejected,
    Expired,
    Superseded,
    Voided,
    /// Its start was lost, and it was started once more.
    TriedAgain,
    Open,
}

/// One trigger that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deploy {
    pub seq: i64,
    pub request: i64,
    pub attempt: u64,
    pub service: String,
    pub environment: String,
    pub sha: String,
    /// `deploy`, `rollback`, `retry of #3`
    pub kind: String,
    pub requester: Option<Who>,
    pub approvers: Vec<Approver>,
    pub gates: Vec<Gate>,
    /// Full SHAs of what shipped.
    pub commits: Vec<String>,
    /// What the commits are called; nothing when it was erased.
    pub titles: Option<Vec<String>>,
    pub policy: String,
    pub trigger: String,
    pub requested: Option<Timestamp>,
    pub approved: Option<String>,
    pub triggered: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub end: End,
    pub url: String,
}

impl Deploy {
    pub fn is_self_approved(&self) -> bool {
        let requester = self.requester.as_ref();
        requester.is_some_and(|requester| {
            let people = self.approvers.iter().map(|approver| &approver.who.person);
            people.into_iter().any(|person| *person == requester.person)
        })
    }
}

impl End {
    pub const ALL: [Self; 9] = [
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
        Self::Superseded,
        Self::Voided,
        Self::TriedAgain,
        Self::Open,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Voided => "voided",
            Self::TriedAgain => "tried again",
            Self::Open => "still open",
        }
    }

    fn of(action: Action) -> Option<Self> {
        let all = Self::ALL.into_iter();
        all.take_while(|end| *end != Self::TriedAgain)
            .find(|end| end.as_str() == action.as_str())
    }
}

pub(super) fn who(entry: &Whole) -> Option<Who> {
    Some(Who {
        person: entry.person.clone()?,
        name: entry.name.clone(),
    })
}

/// What a trigger's own entry says.
pub(super) fn deploy(entry: &Whole) -> Deploy {
    let approvers: Vec<Approver> = entry.list("approvals").iter().map(approver).collect();
    // Times in this spelling are in order as text.
    let approved = approvers.iter().map(|approver| approver.at.clone()).max();
    let text = |path: &str| entry.text(path).unwrap_or_default().to_owned();
    let titles = entry.value("evidence.titles").as_array();
    Deploy {
        seq: entry.seq,
        request: entry.request.unwrap_or_default(),
        attempt: entry.value("attempt").as_u64().unwrap_or(1),
        service: entry.service.clone().unwrap_or_default(),
        environment: entry.environment.clone().unwrap_or_default(),
        sha: entry.sha.clone().unwrap_or_default(),
        kind: String::new(),
        requester: None,
        approvers,
        gates: entry.list("evidence.gates").iter().map(gate).collect(),
        commits: texts(entry.list("evidence.commits")),
        titles: titles.map(|titles| texts(titles)),
        policy: text("evidence.policy"),
        trigger: text("trigger"),
        requested: None,
        approved,
        triggered: entry.at,
        started: None,
        ended: None,
        end: End::Open,
        url: String::new(),
    }
}

fn approver(value: &Value) -> Approver {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| value.get(key).and_then(Value::as_array);
    let number = value.get("number").and_then(Value::as_u64);
    let forge = text("forge").unwrap_or("github".to_owned());
    Approver {
        who: Who {
            person: person(&forge, number.unwrap_or_default()),
            name: text("login"),
        },
        roles: list("roles").map(|roles| texts(roles)).unwrap_or_default(),
        rules: list("rules").map(|rules| texts(rules)),
        at: text("at").unwrap_or_default(),
    }
}

fn gate(value: &Value) -> Gate {
    let reports = value.get("reports").and_then(Value::as_array);
    let conclusion = |report: &Value| {
        let text = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{} {}", text("name"), text("conclusion"))
    };
    Gate {
        name: value
            .get("gate")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        conclusions: reports.into_iter().flatten().map(conclusion).collect(),
    }
}

fn texts(values: &[Value]) -> Vec<String> {
    let texts = values.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// What the rest of a request's story says about one of its triggers.
pub(super) fn follow(deploy: &mut Deploy, story: &[Whole]) {
    let requested = story.iter().find(|entry| entry.action == Action::Requested);
    if let Some(requested) = requested {
        deploy.requested = Some(requested.at);
        deploy.requester = who(requested);
        let kind = requested.text("kind").unwrap_or_default();
        kind.clone_into(&mut deploy.kind);
    }
    let after = story.iter().filter(|entry| entry.seq > deploy.seq);
    for entry in after {
        if entry.action == Action::Triggered {
            if deploy.end == End::Open {
                deploy.end = End::TriedAgain;
                deploy.ended = Some(entry.at);
            }
            return;
        }
        if entry.action == Action::Started {
            deploy.started.get_or_insert(entry.at);
            let url = entry.text("url").unwrap_or_default();
            url.clone_into(&mut deploy.url);
        }
        // What failed and was run again ends anew.
        if let Some(end) = End::of(entry.action) {
            deploy.end = end;
            deploy.ended = Some(entry.at);
        }
    }
}
