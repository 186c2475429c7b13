//! Writes the indexes of sync errors anew, where another release wrote other ones.

use super::lane_state::INDEXES;
use super::{LaneState, LaneWriter, key, record};
use crate::domain::{ErrorSummary, State};
use crate::store::{Batch, Error, Range};

/// Sync errors of one commit.
const CHUNK: usize = 500;

impl LaneWriter {
    /// Writes the indexes of every sync error, unless they are those of this release. What is broken off begins anew.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn index(&self, state: &mut LaneState) -> Result<(), Error> {
        if state.indexes == INDEXES {
            return Ok(());
        }
        let mut written = 0;
        for of in State::ALL {
            let mut after = None;
            loop {
                let range = Range::of(key::error_list(&self.org, of), CHUNK).after(after.take());
                let pairs = self.ledger.store.range(range).await?;
                let Some((last, _)) = pairs.last() else { break };
                after = Some(last.clone());
                let mut batch = Batch::default();
                for (name, value) in &pairs {
                    // `store verify` names what cannot be read.
                    let Ok(summary) = record::decode::<ErrorSummary>(name, value) else { continue };
                    key::indexes_of_error(&summary).into_iter().for_each(|key| batch.put(key, ""));
                    written += 1;
                }
                self.ledger.store.commit(batch.fenced(self.fence.clone())).await?;
            }
        }
        if written > 0 {
            tracing::info!(org = %self.org, sync_errors = written, "the indexes of sync errors are written anew");
        }
        state.indexes = INDEXES;
        Ok(())
    }
}
