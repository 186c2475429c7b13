//! Writes the indexes of sync errors and of customers anew, where another release wrote other ones.

use serde::de::DeserializeOwned;

use super::lane_state::INDEXES;
use super::{LaneState, LaneWriter, key, record};
use crate::domain::{Conversation, State};
use crate::store::{Batch, Error, Range};

/// Records, or keys that go, of one commit.
const CHUNK: usize = 500;

impl LaneWriter {
    /// Writes what finds every sync error and conversation, unless it is that of this release: what another one wrote goes, as an erasure
    /// would not know of it. What is broken off begins anew.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn index(&self, state: &mut LaneState) -> Result<(), Error> {
        if state.indexes == INDEXES {
            return Ok(());
        }
        for terms in [key::error_terms(&self.org, ""), key::customers(&self.org, "")] {
            self.clear(&terms).await?;
        }
        let mut written = 0;
        for of in State::ALL {
            written += self.index_each(key::error_list(&self.org, of), key::indexes_of_error).await?;
        }
        let keys = |of: &Conversation| key::indexes_of_conversation(&self.org, of).into_iter().collect();
        written += self.index_each(key::conversations(&self.org), keys).await?;
        if written > 0 {
            tracing::info!(org = %self.org, records = written, "the indexes of sync errors and customers are written anew");
        }
        state.indexes = INDEXES;
        Ok(())
    }

    async fn clear(&self, prefix: &str) -> Result<(), Error> {
        loop {
            let pairs = self.ledger.store.range(Range::of(prefix, CHUNK).keys_only()).await?;
            if pairs.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::default();
            pairs.into_iter().for_each(|(name, _)| batch.delete(name));
            self.ledger.store.commit(batch.fenced(self.fence.clone())).await?;
        }
    }

    /// Writes what leads to each record of a prefix; answers how many there are.
    async fn index_each<T: DeserializeOwned>(
        &self,
        prefix: String,
        keys: impl Fn(&T) -> Vec<String> + Send,
    ) -> Result<usize, Error> {
        let (mut written, mut after) = (0, None);
        loop {
            let pairs = self.ledger.store.range(Range::of(prefix.clone(), CHUNK).after(after.take())).await?;
            let Some((last, _)) = pairs.last() else { return Ok(written) };
            after = Some(last.clone());
            let mut batch = Batch::default();
            for (name, value) in &pairs {
                // `store verify` names what cannot be read.
                let Ok(record) = record::decode::<T>(name, value) else { continue };
                keys(&record).into_iter().for_each(|key| batch.put(key, ""));
                written += 1;
            }
            self.ledger.store.commit(batch.fenced(self.fence.clone())).await?;
        }
    }
}
