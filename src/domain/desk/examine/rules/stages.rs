//! Stages: each before the environment has passed, its soak included.

use crate::domain::Colour;
use crate::domain::desk::examine::Looked;
use crate::domain::desk::sitting::Sitting;
use crate::domain::gates::{GateView, StageVerdict, StageView};
use crate::domain::reason::{Reason, Rule, Verdict};
use crate::domain::text::{Text, code, link, strong, text};

/// Reports of one gate that are named.
const NAMED: usize = 3;

pub(super) fn look(_: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(looked))
}

fn says(looked: &Looked<'_>) -> Reason {
    let name = looked.subject.place.name();
    // The reports about what was live long ago may be more than can be read.
    if looked.was_live {
        return Reason::holds(
            Rule::STAGES,
            text!["the commit was live in ", name, " before"],
        );
    }
    let stages = match &looked.stages {
        Ok(stages) => stages,
        Err(why) => {
            let says = format!("the reports about the commit could not be read again: {why}");
            return Reason::unknown(Rule::STAGES, says);
        }
    };
    Reason::of(
        Rule::STAGES,
        text!["stages before ", name],
        stages.iter().map(stage).collect(),
    )
}

fn stage(view: &StageView) -> Reason {
    let mut gates: Vec<Reason> = view.gates.iter().map(gate).collect();
    let name = text!["stage ", strong(&view.name)];
    let (verdict, says) = match view.verdict {
        StageVerdict::Passed { .. } => (Verdict::Holds, text![name, " passed"]),
        StageVerdict::Soaking { until } => {
            let must = text!["it must stay green until ", until];
            gates.push(Reason::later(Rule::SOAK, until, must));
            let says = text![name, " is green and soaks until ", until];
            (Verdict::Later(until), says)
        }
        StageVerdict::Pending => (Verdict::Refuses, text![name, " has not passed yet"]),
        StageVerdict::Failed => (Verdict::Refuses, text![name, " failed"]),
    };
    Reason::new(Rule::STAGE, verdict, says)
        .fact("stage", view.name.as_str())
        .resting_on(gates)
}

fn gate(view: &GateView) -> Reason {
    let label = code(&view.label);
    let reports = view.reports.iter();
    let said = reports
        .filter(|report| report.colour == view.colour)
        .map(|report| link(&report.word, &report.url))
        .take(NAMED);
    let said = Text::joined(said, ", ");
    let reason = match view.colour {
        Colour::Green => Reason::holds(Rule::GATE, text![label, ": ", said]),
        Colour::Red => Reason::refuses(Rule::GATE, text![label, ": ", said])
            .help("Run it again; once it is green, this clears by itself."),
        Colour::Pending if view.reports.is_empty() => match view.unclear.first() {
            Some(why) => Reason::unknown(
                Rule::GATE,
                text![label, format!(": who reported it is not known: {why}")],
            ),
            None => {
                let by = view.app.map(|app| format!(" by app {app}"));
                let by = by.unwrap_or_default();
                let says = match &view.aside {
                    Some(why) => format!(": what was reported does not count: {why}"),
                    None => format!(": no report{by} yet"),
                };
                Reason::refuses(Rule::GATE, text![label, says])
            }
        },
        Colour::Pending => Reason::refuses(Rule::GATE, text![label, ": ", said, ", not finished"]),
    };
    reason.fact("gate", view.label.as_str())
}
