//! The ordered steps of a service. A stage is passed when all its gates are green, and its
//! soak time has gone by since.

use serde::Serialize;

use super::{Gate, StageName, TimeSpan};

/// One step; its gates run in parallel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The name, unique within the service.
    pub name: StageName,
    /// The facts it waits for; at least one.
    pub gates: Vec<Gate>,
    /// How long it stays green before it counts as passed.
    pub soak: Option<TimeSpan>,
}
