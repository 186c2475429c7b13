//! What of a sync error is kept: its evidence takes little, and goes where the record would be too large.

use std::sync::Arc;

use serde_json::json;

use crate::domain::{AnswerReceived, Change, RequestSent, SyncError, Timestamp};
use crate::ledger::{ErrorChange, LaneCommit, Ledger, record};
use crate::store::{LARGEST_VALUE, MemoryStore};

fn frozen() -> SyncError {
    record::decode(b"frozen", include_bytes!("../testdata/format-2/sync-error-with-answer.json")).unwrap()
}

#[tokio::test]
async fn evidence_that_is_too_large_for_a_record_is_left_out_and_the_sync_error_is_kept() {
    let mut after = frozen();
    let body = json!({ "alcmeon__url__c": "x".repeat(LARGEST_VALUE) });
    after.refusal.request = Some(RequestSent { method: "PATCH".into(), path: "/services".into(), body });
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let errors = vec![ErrorChange { before: None, after: after.clone() }];
    ledger.lane_writer(&after.org).commit(&LaneCommit { errors, ..LaneCommit::default() }).await.unwrap();
    let kept = ledger.sync_error(&after.id).await.unwrap().unwrap();
    assert!(kept.refusal.request.is_none() && kept.refusal.answer.is_none());
    assert_eq!((kept.refusal.code, kept.state), (after.refusal.code, after.state));
}

#[test]
fn the_answer_of_a_record_that_was_refused_does_not_double_its_sync_error() {
    let mut error = frozen();
    let answer = error.refusal.answer.take().unwrap();
    let without = record::encode(&error).len();
    let body = json!({
        "success": false,
        "errors": [{ "statusCode": error.refusal.code, "message": error.refusal.text, "fields": error.refusal.fields }],
    });
    error.refusal.answer = Some(Box::new(AnswerReceived::of_part(&body).with(200, answer.headers)));
    let with = record::encode(&error).len();
    assert!(with < without * 3 / 2, "{without} bytes without the answer, and {with} with it");
}

#[test]
fn an_erased_sync_error_has_no_answer_any_more() {
    let mut error = frozen();
    error.apply(Change::Reopen { by: "ann".into() }, Timestamp::default());
    error.erase();
    assert!(error.refusal.answer.is_none() && error.refusal.request.is_none());
}
