//! Views as answers: what `/status`, `/why` and `/who` say.

use crate::domain::desk::known::destination::between;
use crate::domain::gates::StageVerdict;
use crate::domain::text::{Message, Text, code, commit, person, strong, text};
use crate::domain::view::{
    CandidateView, EnvironmentView, ExaminedView, OpenView, PeopleView, ServiceView, StatusView,
    Step,
};

pub(crate) fn status(view: &StatusView) -> Message {
    let mut message = Message::default();
    for service in &view.services {
        message.append(of_service(service));
    }
    message
}

fn of_service(view: &ServiceView) -> Message {
    let mut message = Message::from(text![strong(&view.name)]);
    for environment in &view.environments {
        of_environment(environment, &mut message);
    }
    message.say("Newest commits:");
    if view.newest.is_empty() {
        message.item(0, "none has been pushed since Countersign started watching");
    }
    for candidate in &view.newest {
        message.item(0, of_candidate(candidate));
    }
    message
}

fn of_environment(view: &EnvironmentView, message: &mut Message) {
    let live = match &view.live {
        None => "nothing is live yet, as far as Countersign knows".into(),
        Some(live) => {
            let by = match live.request {
                Some(number) => format!(" by #{number}"),
                None => ", released without Countersign".to_owned(),
            };
            text![commit(live.sha.as_str()), " since ", live.since, by]
        }
    };
    message.item(0, text![strong(&view.name), ": ", live]);
    for reason in &view.closed {
        message.item(1, &reason.says);
    }
    for request in &view.open {
        message.item(1, of_request(request));
    }
}

fn of_request(view: &OpenView) -> Text {
    let word = match view.step {
        Step::Waiting => "waits for approval",
        Step::Starting => "is starting",
        Step::Unclear => "may have started",
        Step::Started => "was started",
        Step::Deploying => "is deploying",
    };
    text![
        format!("#{} {word}: ", view.number),
        commit(view.sha.short()),
        " by ",
        person(&view.by)
    ]
}

fn of_candidate(view: &CandidateView) -> Text {
    let stages = view.stages.iter().map(|(name, verdict)| {
        let sign = match verdict {
            StageVerdict::Passed { .. } => "✅",
            StageVerdict::Soaking { .. } | StageVerdict::Pending => "⏳",
            StageVerdict::Failed => "❌",
        };
        format!("{sign} {name}")
    });
    text![
        commit(view.sha.as_str()),
        " ",
        code(&view.title),
        ": ",
        Text::joined(stages, ", ")
    ]
}

/// The tree of reasons that a release would be measured by.
pub(crate) fn examined(view: &ExaminedView) -> Message {
    let mut about = text![
        between(&view.service, &view.environment),
        " at ",
        commit(view.sha.as_str())
    ];
    if let Some(number) = view.request {
        about.push(format!(", asked for by #{number}"));
    }
    let mut message = Message::from(about);
    message.append(view.tree.parts());
    message
}

pub(crate) fn people(view: &PeopleView) -> Message {
    let mut message = Message::from(text![
        between(&view.service, &view.environment),
        " needs these approvals, each by another person:"
    ]);
    for role in &view.roles {
        message.item(0, text![format!("{} × ", role.count), &role.who]);
    }
    let excluded = view.excludes.people();
    if !excluded.is_empty() {
        message.say("These cannot approve:");
    }
    for people in excluded {
        message.item(0, people);
    }
    message
}
