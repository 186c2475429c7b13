//! Knows a commit again that seemed to fail and is kept, so that its events are told once.

use std::sync::atomic::Ordering;

use super::{CommitError, LaneCommit, LaneWriter};
use crate::store::Error;

impl LaneWriter {
    /// Whether a commit is kept that seemed to fail. Records may be written twice; each event is told once.
    pub(super) async fn has_told(&self, commit: &LaneCommit) -> Result<bool, CommitError> {
        if commit.events.is_empty() || !self.uncertain.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let told = commit.state.as_ref().map(|state| state.events);
        match self.ledger.lane_state(&self.org).await {
            Ok(kept) => Ok(kept.is_some_and(|kept| Some(kept.events) == told)),
            Err(Error::Unreadable { .. }) => Ok(false),
            Err(error) => Err(CommitError::Unavailable(error)),
        }
    }
}
