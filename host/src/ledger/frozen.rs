//! Records of format 2 as they were written when it was released: every later release reads them. They never change.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{AuditPage, LaneState, Quarantined, record};
use crate::domain::{
    Action, ApiToken, Arrival, ConsoleSession, Conversation, ConversationId, Delivery, ErrorSummary, Group, HostEvent,
    Operation, PolicyRevision, Records, SentMail, SettingChanges, SyncError, SyncErrorId, Timestamp,
};

/// Asserts that all of a frozen record is in what is written of it today: no field is passed over.
fn assert_reads<T: Serialize + DeserializeOwned>(frozen: &str) {
    let record: T = record::decode(b"frozen", frozen.as_bytes()).unwrap();
    let written: Value = serde_json::from_slice(&record::encode(&record)).unwrap();
    assert_within(&serde_json::from_str(frozen).unwrap(), &written, "");
}

fn assert_within(frozen: &Value, written: &Value, place: &str) {
    match (frozen, written) {
        (Value::Object(frozen), Value::Object(written)) => {
            for (name, value) in frozen {
                let place = format!("{place}/{name}");
                assert_within(value, written.get(name).unwrap_or(&Value::Null), &place);
            }
        }
        (Value::Array(frozen), Value::Array(written)) if frozen.len() == written.len() => {
            for (number, (value, now)) in frozen.iter().zip(written).enumerate() {
                assert_within(value, now, &format!("{place}/{number}"));
            }
        }
        _ => assert_eq!(frozen, written, "{place}"),
    }
}

#[test]
fn every_record_of_format_2_is_read_whole() {
    assert_reads::<LaneState>(include_str!("testdata/format-2/lane-state.json"));
    assert_reads::<Conversation>(include_str!("testdata/format-2/conversation.json"));
    assert_reads::<Delivery>(include_str!("testdata/format-2/delivery.json"));
    assert_reads::<Delivery>(include_str!("testdata/format-2/delivery-sending.json"));
    assert_reads::<Arrival>(include_str!("testdata/format-2/arrival.json"));
    assert_reads::<SyncError>(include_str!("testdata/format-2/sync-error.json"));
    assert_reads::<SyncError>(include_str!("testdata/format-2/sync-error-with-answer.json"));
    assert_reads::<ErrorSummary>(include_str!("testdata/format-2/error-summary.json"));
    assert_reads::<SyncErrorId>(include_str!("testdata/format-2/error-alias.json"));
    assert_reads::<Group>(include_str!("testdata/format-2/group.json"));
    assert_reads::<AuditPage>(include_str!("testdata/format-2/audit-page.json"));
    assert_reads::<AuditPage>(include_str!("testdata/format-2/audit-page-asked.json"));
    assert_reads::<Operation>(include_str!("testdata/format-2/operation.json"));
    assert_reads::<Action>(include_str!("testdata/format-2/action.json"));
    assert_reads::<HostEvent>(include_str!("testdata/format-2/event.json"));
    assert_reads::<ApiToken>(include_str!("testdata/format-2/api-token.json"));
    assert_reads::<ConsoleSession>(include_str!("testdata/format-2/console-session.json"));
    assert_reads::<Quarantined>(include_str!("testdata/format-2/quarantined.json"));
    assert_reads::<u64>(include_str!("testdata/format-2/cursor.json"));
    assert_reads::<Records>(include_str!("testdata/format-2/link.json"));
    assert_reads::<Timestamp>(include_str!("testdata/format-2/arrived.json"));
    assert_reads::<ConversationId>(include_str!("testdata/format-2/team.json"));
    assert_reads::<SettingChanges>(include_str!("testdata/format-2/org-settings.json"));
    assert_reads::<SentMail>(include_str!("testdata/format-2/mail.json"));
    assert_reads::<PolicyRevision>(include_str!("testdata/format-2/policy-revision.json"));
}
