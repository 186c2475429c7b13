//! The only place that reads the machine's clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock of one server: the machine's, moved by as much as the control API said.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicI64,
}

impl Clock {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        machine_ms() + self.ahead_ms.load(Ordering::Relaxed)
    }

    /// Moves the clock, ahead or back.
    pub(crate) fn advance(&self, by_ms: i64) {
        self.ahead_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the simulator's clock")]
fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// `2026-01-15T09:30:12.000+0000`, the way Salesforce writes an instant.
pub(crate) fn salesforce_text(ms: i64) -> String {
    utc(ms).strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// `2026-01-15` and `09:30:12`, the way Alcmeon writes one (UTC).
pub(crate) fn alcmeon_text(ms: i64) -> (String, String) {
    let at = utc(ms);
    (at.strftime("%Y-%m-%d").to_string(), at.strftime("%H:%M:%S").to_string())
}

/// The instant in UTC; one outside the calendar becomes the epoch.
pub(crate) fn utc(ms: i64) -> jiff::Zoned {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(jiff::tz::TimeZone::UTC)
}
