//! One sync error with its evidence: what was sent, what came back, and who decided what.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::access::Caller;
use super::api::{self, Decided, Evidence, Fact};
use super::extract::{Asked, Id};
use super::problem::Problem;
use super::sync_errors::find;
use crate::domain::{AuditEntry, ConversationId, Question, SyncError, SyncErrorId};
use crate::policy::case::{Conversation, Mask};

/// Decisions that are shown, the newest.
const DECISIONS: usize = 100;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Whether personal data is left out.
    #[serde(default)]
    mask: bool,
}

/// Look at a sync error
///
/// With what explains it: the request as it was sent, the answer as it was received, who decided what, and advice.
#[utoipa::path(get, path = "/v1/sync-errors/{id}", operation_id = "get_sync_error", tag = "sync errors",
    params(("id" = SyncErrorId, Path), Query),
    responses((status = 200, description = "The sync error.", body = Evidence)))]
pub(super) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id<SyncErrorId>,
    Asked(Query { mask }): Asked<Query>,
) -> Result<Json<Evidence>, Problem> {
    let mut error = find(&app, &caller, &id).await?;
    let ledger = app.parts.engine.ledger();
    let audit = ledger.conversation_audit(&error.org, &error.conversation).await?;
    let mut decisions = decisions(&error, audit);
    error.refusal.choice = None;
    if mask {
        let of = ledger.conversation(&error.org, &error.conversation).await?;
        let mask = mask_of(of.as_ref(), &error.conversation).and_names_in(error.refusal.request.as_ref());
        decisions.iter_mut().filter_map(|decided| decided.fact.as_mut()).for_each(|Fact(fact)| mask.fact(fact));
        mask.sync_error(&mut error);
    }
    Ok(Json(Evidence { error: api::SyncError::whole(error), masked: mask, decisions }))
}

/// What takes the personal data of a conversation out of what is kept about it.
pub(super) fn mask_of(of: Option<&crate::domain::Conversation>, id: &ConversationId) -> Mask {
    of.map_or_else(|| Mask::blind(id.clone()), |of| Mask::of(&Conversation::from(of)))
}

/// What policies decided while it was open: by the audit, and where they said nothing beside their answer, by the sync error.
fn decisions(error: &SyncError, audit: Vec<AuditEntry>) -> Vec<Decided> {
    let last = error.history.last().map_or(error.last_seen, |moment| moment.at.max(error.last_seen));
    let during = audit.into_iter().filter(|entry| (error.first_seen..=last).contains(&entry.at));
    let mut decisions: Vec<_> = during
        .filter_map(|AuditEntry { at, fact, .. }| {
            let (policy, question) = fact.decided_by().map(|(policy, question)| (policy.clone().into(), question))?;
            Some(Decided { at, question, policy, fact: Some(Fact(fact)) })
        })
        .collect();
    let blamed = error.refusal.blame.iter().map(|blame| (blame.question, &blame.policy));
    let chose = error.refusal.choice.iter().map(|choice| (Question::Choose, &choice.policy));
    let judged = error.judged_by.iter().map(|policy| (Question::Judge, policy));
    for (question, policy) in blamed.chain(chose).chain(judged) {
        let at = error.last_seen;
        let policy = policy.clone().into();
        if decisions.iter().all(|known| (known.at, known.question, &known.policy) != (at, question, &policy)) {
            decisions.push(Decided { at, question, policy, fact: None });
        }
    }
    decisions.sort_by_key(|decided| decided.at);
    decisions.split_off(decisions.len().saturating_sub(DECISIONS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decisions_are_those_of_its_time_and_the_judgement_is_always_there() {
        let record: serde_json::Value =
            serde_json::from_str(include_str!("../ledger/testdata/format-2/sync-error.json")).unwrap();
        let error: SyncError = serde_json::from_value(record["2"].clone()).unwrap();
        let routed = |at: &str, revision: u32| -> AuditEntry {
            let policy = json!({ "name": "routing", "revision": revision });
            let fact = json!({ "what": "ROUTED", "policy": policy, "destination": { "queue": "Care" }, "cost": 1 });
            serde_json::from_value(json!({ "message": "main:1-1", "at": at, "order": 1, "fact": fact })).unwrap()
        };
        let audit = vec![routed("2026-09-21T09:00:00.000Z", 1), routed("2026-09-21T10:02:00.000Z", 3)];
        let found = decisions(&error, audit);
        let told: Vec<_> = found.iter().map(|it| (it.question, it.policy.revision, it.fact.is_some())).collect();
        let at_the_end = [(Question::Route, 3, false), (Question::Choose, 3, false), (Question::Judge, 3, false)];
        assert_eq!(told, [&[(Question::Route, 3, true)][..], &at_the_end].concat());
    }
}
