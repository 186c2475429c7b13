//! API versions: which there are, what they are called, and how a path names one.

use serde_json::{Value, json};

use super::refusal::Refusal;

/// Versions the server speaks, as on a current instance.
const VERSIONS: std::ops::RangeInclusive<u32> = 31..=66;

/// The version a part of a path names, such as `v59.0`.
pub(crate) fn version_of(segment: &str) -> Result<u32, Refusal> {
    let version = segment
        .strip_prefix('v')
        .and_then(|text| text.strip_suffix(".0"))
        .and_then(|text| text.parse().ok())
        .ok_or_else(Refusal::not_found)?;
    if version < *VERSIONS.start() {
        let message = format!("The API version {segment} is not supported.");
        return Err(Refusal::with_status(410, "UNSUPPORTED_API_VERSION", message));
    }
    if VERSIONS.contains(&version) { Ok(version) } else { Err(Refusal::not_found()) }
}

/// GET /services/data
pub(crate) fn all() -> Value {
    let seasons = ["Spring", "Summer", "Winter"];
    VERSIONS
        .map(|version| {
            // v31 is Summer '14; three releases a year, and Winter carries the next year's number.
            let (since, season) = ((version - 30) / 3, seasons[(version as usize - 30) % 3]);
            let year = 14 + since + u32::from(season == "Winter");
            json!({
                "label": format!("{season} '{year}"),
                "url": format!("/services/data/v{version}.0"),
                "version": format!("{version}.0"),
            })
        })
        .collect()
}
