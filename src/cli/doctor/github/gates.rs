//! Gates: whether what GitHub reports counts for them. A gate that waits for what never counts looks pending for ever.

use super::Place;
use crate::cli::doctor::finding::Findings;
use crate::domain::{Fact, Question, Report, Service, gates};

const ABOUT: &str = super::ABOUT;

impl Place<'_> {
    /// Whether what was reported about the newest commit counts for the gates that wait for it.
    pub(super) async fn gates(&self, service: &Service, findings: &mut Findings) {
        let (path, repository) = (&self.repository().path, self.repository().clone());
        let branch = service.branch.as_str();
        let question = Question::Head {
            repository: repository.clone(),
            branch: branch.to_owned(),
        };
        let Ok(Fact::Head(Some(sha))) = self.client.find(&question).await else {
            return;
        };
        let question = Question::Reports {
            repository,
            sha,
            aside: Vec::new(),
        };
        let Ok(Fact::Reports(reports)) = self.client.find(&question).await else {
            return;
        };
        for gate in service.stages.iter().flat_map(|stage| &stage.gates) {
            let of_gate = reports.iter().filter(|one| gates::concerns(gate, one));
            let (counts, rest): (Vec<&Report>, Vec<&Report>) =
                of_gate.partition(|one| one.counts_for(gate, branch, false));
            let Some(other) = rest.first().filter(|_| counts.is_empty()) else {
                continue;
            };
            let label = format!("{}:{}", gate.kind(), gate.name());
            let (why, advice) = match other.event() {
                Some(event) => (
                    format!("its newest run was started by `{event}`"),
                    format!("run it on `push`, or say so: events = [\"{event}\"]"),
                ),
                None if other.is_posted() => (
                    "it was posted by a workflow, as any workflow of any branch can".to_owned(),
                    "make it a job of a workflow that runs on `push`, or say: posted = true"
                        .to_owned(),
                ),
                None => (
                    format!("its newest run was not for {branch}"),
                    format!("run it on pushes to {branch}"),
                ),
            };
            let says = format!(
                "{path}: the gate {label} of {} does not count: {why}",
                service.name
            );
            findings.warn(ABOUT, says, &advice);
        }
    }
}
