//! Who is told what, and when: a pure planner of the mails about an organization.

mod known;
mod notice;
mod plan;
mod situation;
mod state;
mod stillness;
#[cfg(test)]
mod tests;

pub use self::notice::{IncidentEnd, News, Notice};
pub use self::plan::{Planned, plan};
pub use self::situation::{
    AlertSettings, BrakedCause, Checks, OngoingIncident, PendingCause, Rollback, Situation, SourceHealth,
};
pub use self::state::AlertState;
