//! What would change if other texts of a policy were in force.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::{Difference, PolicyRef};
use crate::domain::{self, Fingerprint, OrgId};
use crate::engine;
use crate::policy as host;

/// A page of a preview.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
    /// Queues that the candidate names and that the organization does not have: what goes there would fail. 20 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing_queues: Vec<MissingQueue>,
    /// Organizations whose queues Salesforce did not tell, so that theirs may be missing too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    untold_queues: BTreeSet<OrgId>,
    /// Asks for the next page, with the same texts; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// A queue that is not there, by the name that the policy gives it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct MissingQueue {
    org: OrgId,
    queue: String,
}

/// The answers of two revisions, compared.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
#[derive(Debug, Deserialize, Serialize, ToSchema)]
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
        let engine::Preview { orgs, in_force, open, errors, groups, good, missing_queues, untold_queues, next: _ } =
            preview;
        let groups = groups.into_iter().map(PreviewedGroup::from).collect();
        let in_force = in_force.map(PolicyRef::from);
        let missing = |engine::MissingQueue { org, queue }| MissingQueue { org, queue };
        let missing_queues = missing_queues.into_iter().map(missing).collect();
        let (errors, good) = (errors.into(), good.into());
        Self { orgs, in_force, open, errors, groups, good, missing_queues, untold_queues, next_cursor }
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

impl From<Preview> for engine::Preview {
    fn from(page: Preview) -> Self {
        let Preview { orgs, in_force, open, errors, groups, good, missing_queues, untold_queues, next_cursor: _ } =
            page;
        let in_force = in_force.map(|PolicyRef { name, revision }| domain::PolicyRef { name, revision });
        let groups = groups.into_iter().map(engine::PreviewedCause::from).collect();
        let missing = |MissingQueue { org, queue }| engine::MissingQueue { org, queue };
        let missing_queues = missing_queues.into_iter().map(missing).collect();
        let (errors, good) = (errors.into(), good.into());
        Self { orgs, in_force, open, errors, groups, good, missing_queues, untold_queues, next: None }
    }
}

impl From<Compared> for engine::Compared {
    fn from(compared: Compared) -> Self {
        let Compared { looked_at, different, answered, refused, by_question, examples } = compared;
        let example = |Difference { conversation, question, now, then }: Difference| host::Difference {
            conversation,
            question,
            now,
            then,
        };
        let examples = examples.into_iter().map(example).collect();
        Self { looked_at, different, answered, refused, by_question, examples }
    }
}

impl From<PreviewedGroup> for engine::PreviewedCause {
    fn from(group: PreviewedGroup) -> Self {
        let PreviewedGroup { id, org, title, looked_at, would_pass, would_fail_again, changed } = group;
        Self { id, org, title, looked_at, would_pass, would_fail_again, changed }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_that_is_read_again_is_counted_as_it_was() {
        let difference = json!({ "conversation": "m:1", "question": "route", "now": { "fault": "X" }, "then": {} });
        let compared = json!({ "looked_at": 3, "different": 2, "answered": 1, "refused": 1,
            "by_question": { "route": 2 }, "examples": [difference] });
        let group = json!({ "id": Fingerprint::unnamed(), "org": "acme", "title": "No queue", "looked_at": 3,
            "would_pass": 1, "would_fail_again": 2, "changed": 1 });
        let page = json!({ "orgs": ["acme"], "in_force": { "name": "p", "revision": 3 }, "open": 30,
            "errors": compared, "groups": [group], "good": compared,
            "missing_queues": [{ "org": "acme", "queue": "Odrers" }], "untold_queues": ["acme"], "next_cursor": "c" });
        let read: Preview = serde_json::from_value(page.clone()).unwrap();
        let cursor = read.next_cursor.clone();
        assert_eq!(json!(Preview::of(read.into(), cursor)), page);
    }
}
