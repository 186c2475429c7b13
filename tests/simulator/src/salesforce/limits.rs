//! What an org may use, and how much of it is left.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;

/// Limits that nothing here uses up, with what a developer org has.
const UNTOUCHED: [(&str, u64); 14] = [
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentSyncReportRuns", 20),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryFileStorageMB", 976_562),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyGenericStreamingApiEvents", 10_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DailyWorkflowEmails", 75),
    ("DataStorageMB", 5_120),
    ("FileStorageMB", 5_120),
    ("HourlyPublishedPlatformEvents", 50_000),
    ("MassEmail", 10),
    ("SingleEmail", 15),
];

/// GET /limits
pub(crate) fn all(org: &mut Org, now_ms: i64) -> Answer {
    let limit = org.config.api_limit;
    let entry = |most: u64, left: u64| json!({"Max": most, "Remaining": left});
    let mut body = Map::new();
    body.insert("DailyApiRequests".to_owned(), entry(limit, limit.saturating_sub(org.usage.used(now_ms))));
    for (name, most) in UNTOUCHED {
        body.insert(name.to_owned(), entry(most, most));
    }
    Answer::json(200, Value::Object(body))
}

/// GET /limits/recordCount?sObjects=A,B; objects that have no records are left out.
pub(crate) fn record_count(org: &Org, call: &Call) -> Answer {
    let wanted: Option<Vec<&str>> = call.param("sObjects").map(|names| names.split(',').map(str::trim).collect());
    let counts: Vec<Value> = org
        .tables
        .iter()
        .filter(|table| table.live() > 0 && !table.object.hidden)
        .filter(|table| wanted.as_ref().is_none_or(|names| names.iter().any(|name| table.object.name == **name)))
        .map(|table| json!({"count": table.live(), "name": table.object.name}))
        .collect();
    Answer::json(200, json!({"sObjects": counts}))
}
