//! The examination: everything that stands between a commit and an environment, as one tree of reasons. Deploy, approve,
//! the moment before the trigger, `/why` and the dry run all look at this tree. What the rules look at is found out here,
//! once for all of them; each rule stands in a file of its own below `rules`.

mod arrivals;
pub(super) mod authors;
pub(super) mod counted;
pub(super) mod evidence;
pub(super) mod rules;

use jiff::Timestamp;

use self::counted::Counted;
use crate::domain::desk::Change;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::people::Authors;
use crate::domain::desk::sitting::Sitting;
use crate::domain::gates::{self, StageView};
use crate::domain::policy::{Quorum, Shortage};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::Text;
use crate::domain::{
    Account, Comparison, Detail, Live, Reporter, Repository, Request, RequestKind, Sha,
};

/// What is examined.
pub(crate) struct Subject<'s> {
    pub(crate) place: Destination<'s>,
    pub(crate) repository: &'s Repository,
    pub(crate) sha: &'s Sha,
    pub(crate) kind: RequestKind,
    /// The open pull request whose head it is.
    pub(crate) open_head: Option<u64>,
    pub(crate) requester: Option<&'s Account>,
    /// Who said yes, and when.
    pub(crate) given: &'s [(Account, Timestamp)],
    /// The request that this is about, if it exists already.
    pub(crate) number: Option<u64>,
}

/// What the rules look at.
pub(crate) struct Looked<'x> {
    subject: &'x Subject<'x>,
    /// A rollback may go back to whatever was live by our own record.
    was_live: bool,
    /// The stages before the environment, from reports that were read again just now; or why they could not be.
    stages: Result<Vec<StageView>, String>,
    live: Option<Live>,
    /// What is live compared with the commit, where something else is live.
    comparison: Option<Result<&'x Comparison, String>>,
    counted: Counted,
}

/// What was found.
pub(crate) struct Examined {
    pub(crate) tree: Reason,
    pub(crate) quorum: Result<Quorum, Shortage>,
    /// Approvals that do not count any more, and why.
    pub(crate) void: Vec<(Account, Text)>,
    pub(crate) authors: Authors,
    pub(crate) evidence: Detail,
    /// Reports that are newer than the stored ones.
    pub(crate) changes: Vec<Change>,
}

impl Examined {
    /// Nothing stands in the way but, perhaps, missing approvals.
    pub(crate) fn is_clear(&self) -> bool {
        self.tree.is_clear()
    }
}

impl<'x> Looked<'x> {
    /// The comparison, where there is one.
    fn compared(&self) -> Option<&'x Comparison> {
        self.comparison.as_ref()?.as_ref().ok().copied()
    }
}

pub(crate) fn examine(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Examined {
    let place = subject.place;
    let (stages, changes) = stages(sitting, subject);
    let live = sitting.live(place.service, place.environment);
    let comparison = live
        .as_ref()
        .filter(|live| live.sha != *subject.sha)
        .map(|live| {
            sitting.comparison(subject.repository, live.sha.as_str(), subject.sha.as_str())
        });
    let above = live
        .as_ref()
        .map(|live| live.sha.clone())
        .zip(comparison.clone());
    let authors = authors::authors(sitting, subject, above);
    let looked = Looked {
        subject,
        was_live: was_live(sitting, subject),
        stages,
        live,
        comparison,
        counted: counted::count(sitting, subject, &authors),
    };
    let under = rules::RULES
        .iter()
        .filter_map(|rule| rule(sitting, &looked));
    let tree = Reason::of(Rule::RELEASE, place.at(subject.sha), under.collect());
    let evidence = evidence::evidence(sitting, &looked, &tree);
    let Counted { quorum, void, .. } = looked.counted;
    Examined {
        tree,
        quorum,
        void,
        authors,
        evidence,
        changes,
    }
}

/// Examines a request as it stands now.
pub(crate) fn examine_request(
    sitting: &Sitting<'_>,
    request: &Request,
    place: Destination<'_>,
) -> Examined {
    let given: Vec<_> = request
        .given
        .iter()
        .filter(|given| given.sha == request.sha && given.policy == request.policy)
        .map(|given| (given.by.clone(), given.at))
        .collect();
    examine(
        sitting,
        &Subject {
            place,
            repository: &request.repository,
            sha: &request.sha,
            kind: request.kind,
            open_head: request.open_head,
            requester: Some(&request.by),
            given: &given,
            number: Some(request.number),
        },
    )
}

/// The stages, from reports that are read again now, and how the stored reports change.
fn stages(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
) -> (Result<Vec<StageView>, String>, Vec<Change>) {
    let (service, repository) = (subject.place.service, subject.repository);
    let stages = service.stages_before(subject.place.environment);
    match evidence::fresh_reports(sitting, repository, subject.sha) {
        Ok((reports, changes)) => {
            let app_of = |source: &Reporter| evidence::app_of(sitting, repository, source);
            let views = gates::view(service, stages, &reports, &app_of, sitting.now);
            (Ok(views), changes)
        }
        Err(why) => (Err(why), Vec::new()),
    }
}

fn was_live(sitting: &Sitting<'_>, subject: &Subject<'_>) -> bool {
    let Destination {
        service,
        environment,
    } = subject.place;
    subject.kind == RequestKind::Rollback
        && sitting
            .history(service, environment)
            .iter()
            .any(|request| request.sha == *subject.sha)
}
