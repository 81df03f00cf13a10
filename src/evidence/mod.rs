//! Evidence: what the audit log says, in the words of auditors (a report) and of collectors (lines for a SIEM). Pure: it
//! is handed entries and returns what they amount to.

pub mod report;
pub mod siem;
