//! The signed head of the audit log, in short, on what leaves: so it stands outside the database, where it cannot be
//! taken back.

use std::borrow::Cow;

use crate::domain::{Effect, OnForge};

/// GitHub refuses longer ones.
const LONGEST_DESCRIPTION: usize = 140;

/// Statuses of deployments, and of the commits that they bring, carry the head.
pub(super) fn anchored<'e>(effect: &'e Effect, anchor: Option<&str>) -> Cow<'e, Effect> {
    let mut anchored = Cow::Borrowed(effect);
    let Some(anchor) = anchor else {
        return anchored;
    };
    if let Effect::Forge(OnForge::DeploymentStatus { .. } | OnForge::CommitStatus { .. }) = effect
        && let Effect::Forge(
            OnForge::DeploymentStatus { description, .. }
            | OnForge::CommitStatus { description, .. },
        ) = anchored.to_mut()
    {
        let anchor = format!(" · log {anchor}");
        let room = LONGEST_DESCRIPTION.saturating_sub(anchor.chars().count());
        *description = description.chars().take(room).collect();
        description.push_str(&anchor);
    }
    anchored
}
