//! What would change if other texts of a policy were in force.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::policy::{Difference, PolicyRef};
use crate::domain::{Fingerprint, OrgId};
use crate::engine;

/// A page of a preview.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// The organizations that the policy decides for.
    orgs: Vec<OrgId>,
    /// What the candidate is compared with; absent where nothing is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<PolicyRef>,
    /// Sync errors of these organizations that are not over, or ignored: all pages together look at these.
    open: u64,
    /// Over the sync errors of this page.
    errors: Compared,
    /// The same by cause.
    groups: Vec<PreviewedGroup>,
    /// Over the newest conversations that got through; the first page looks at them.
    good: Compared,
    /// Asks for the next page, with the same texts; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The answers of two revisions, compared.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Compared {
    looked_at: u64,
    /// Conversations with another answer to at least one question.
    different: u64,
    /// Refused now, and answered by the candidate.
    answered: u64,
    /// Answered now, and refused by the candidate.
    refused: u64,
    /// Other answers by question.
    by_question: BTreeMap<String, u64>,
    examples: Vec<Difference>,
}

/// A cause, and what the candidate would do about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedGroup {
    id: Fingerprint,
    org: OrgId,
    title: String,
    looked_at: u64,
    /// So many are refused by the policy in force, and the candidate has all answers.
    would_pass: u64,
    /// So many the candidate refuses, or sends the way on which they failed.
    would_fail_again: u64,
    /// So many get another answer to at least one question.
    changed: u64,
}

impl Preview {
    pub(crate) fn of(preview: engine::Preview, next_cursor: Option<String>) -> Self {
        let engine::Preview { orgs, in_force, open, errors, groups, good, next: _ } = preview;
        let groups = groups.into_iter().map(PreviewedGroup::from).collect();
        let in_force = in_force.map(PolicyRef::from);
        Self { orgs, in_force, open, errors: errors.into(), groups, good: good.into(), next_cursor }
    }
}

impl From<engine::Compared> for Compared {
    fn from(compared: engine::Compared) -> Self {
        let engine::Compared { looked_at, different, answered, refused, by_question, examples } = compared;
        let examples = examples.into_iter().map(Difference::from).collect();
        Self { looked_at, different, answered, refused, by_question, examples }
    }
}

impl From<engine::PreviewedCause> for PreviewedGroup {
    fn from(cause: engine::PreviewedCause) -> Self {
        let engine::PreviewedCause { id, org, title, looked_at, would_pass, would_fail_again, changed } = cause;
        Self { id, org, title, looked_at, would_pass, would_fail_again, changed }
    }
}
