//! What an org may use, and how much of it is left.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::calls::Call;
use super::org::Org;

/// Limits that nothing here uses up: the names and numbers that a developer org answered in May 2026, with v60.0
/// (`get-limits` among the recordings of NangoHQ/integration-templates). There `DataStorageMB` and `FileStorageMB` are what such
/// an org has; nothing here fills either. `DailyApiRequests` is counted.
const UNTOUCHED: [(&str, u64); 70] = [
    ("AnalyticsExternalDataSizeMB", 40_960),
    ("CdpAiInferenceApiMonthlyLimit", 500_000_000),
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentEinsteinDataInsightsStoryCreation", 5),
    ("ConcurrentEinsteinDiscoveryStoryCreation", 2),
    ("ConcurrentSyncReportRuns", 20),
    ("ContentDistBandwidthLimitMB", 51_200),
    ("ContentDistViewLimit", 50_000),
    ("ContentPublicationLimit", 2500),
    ("DailyAnalyticsDataflowJobExecutions", 60),
    ("DailyAnalyticsUploadedFilesSizeMB", 51_200),
    ("DailyApexCursorLimit", 10_000),
    ("DailyApexCursorRowsLimit", 100_000_000),
    ("DailyApexPCursorLimit", 200_000),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyAsyncApexTests", 500),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryFileStorageMB", 976_562),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyDeliveredPlatformEvents", 10_000),
    ("DailyDurableGenericStreamingApiEvents", 10_000),
    ("DailyDurableStreamingApiEvents", 10_000),
    ("DailyEinsteinDataInsightsStoryCreation", 1000),
    ("DailyEinsteinDiscoveryOptimizationJobRuns", 25),
    ("DailyEinsteinDiscoveryPredictAPICalls", 50_000),
    ("DailyEinsteinDiscoveryPredictionsByCDC", 500_000),
    ("DailyEinsteinDiscoveryStoryCreation", 100),
    ("DailyFunctionsApiCallLimit", 50_000),
    ("DailyGenericStreamingApiEvents", 10_000),
    ("DailyMetadataRetrievesWithDependencies", 25),
    ("DailyServiceEmailAgentforceCalls", 5000),
    ("DailyStandardVolumePlatformEvents", 10_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DailyWorkflowEmails", 8040),
    ("DataStorageMB", 5),
    ("DurableStreamingApiConcurrentClients", 20),
    ("ExternalServicesActiveObjects", 3000),
    ("ExternalServicesActiveOperations", 3000),
    ("ExternalServicesObjectProperties", 400_000),
    ("ExternalServicesObjects", 10_000),
    ("ExternalServicesOperations", 10_000),
    ("ExternalServicesRegistrations", 700),
    ("FileStorageMB", 20),
    ("HourlyAsyncReportRuns", 1200),
    ("HourlyDashboardRefreshes", 200),
    ("HourlyDashboardResults", 5000),
    ("HourlyDashboardStatuses", 999_999_999),
    ("HourlyElevateAsyncReportRuns", 1200),
    ("HourlyElevateSyncReportRuns", 500),
    ("HourlyLongTermIdMapping", 100_000),
    ("HourlyManagedContentPublicRequests", 50_000),
    ("HourlyODataCallout", 1000),
    ("HourlyPublishedPlatformEvents", 50_000),
    ("HourlyPublishedStandardVolumePlatformEvents", 1000),
    ("HourlyShortTermIdMapping", 100_000),
    ("HourlySyncReportRuns", 500),
    ("HourlyTimeBasedWorkflow", 1000),
    ("MassEmail", 10),
    ("MaxContentDocumentsLimit", 30_000_000),
    ("MonthlyEinsteinDiscoveryStoryCreation", 500),
    ("Package2VersionCreates", 6),
    ("Package2VersionCreatesWithoutValidation", 500),
    ("PermissionSets", 1500),
    ("PlatformEventTriggersWithParallelProcessing", 5),
    ("PrivateConnectOutboundCalloutHourlyLimitMB", 0),
    ("PublishCallbackUsageInApex", 5_242_880),
    ("ScheduledFlowRunLimit", 250_000),
    ("ScheduledPathRunLimit", 250_000),
    ("SingleEmail", 15),
    ("StreamingApiConcurrentClients", 20),
];
/// Of the permission sets, those that are made by the org itself.
const CUSTOM_PERMISSION_SETS: u64 = 1000;

/// GET /limits
pub(crate) fn all(org: &mut Org, now_ms: i64) -> Answer {
    let limit = org.config.api_limit;
    let entry = |most: u64, left: u64| json!({"Max": most, "Remaining": left});
    let mut body: Map<String, Value> =
        UNTOUCHED.iter().map(|(name, most)| ((*name).to_owned(), entry(*most, *most))).collect();
    body.insert("DailyApiRequests".to_owned(), entry(limit, limit.saturating_sub(org.usage.used(now_ms))));
    body["PermissionSets"]["CreateCustom"] = entry(CUSTOM_PERMISSION_SETS, CUSTOM_PERMISSION_SETS);
    body.sort_keys();
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
