//! Arrivals become durable in the inboxes of lanes, together with the place of the poll that found them.

use super::{Ledger, key, record};
use crate::domain::{Arrival, OrgId, SourceId};
use crate::store::{Batch, Error};

/// The place of a poll: the newest action of a source that it has seen.
pub type Place<'a> = (&'a SourceId, u64);

impl Ledger {
    /// Keeps arrivals, each with the organization and the number of its inbox. When it answers `Ok`, all survive a power cut.
    ///
    /// # Errors
    /// When the store cannot be written: then nothing of it is acknowledged.
    pub async fn accept(&self, arrivals: &[(OrgId, u64, Arrival)], place: Option<Place<'_>>) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (org, number, arrival) in arrivals {
            batch.put(key::arrival(org, *number), record::encode(arrival));
        }
        if let Some((source, action)) = place {
            batch.put(key::cursor(source), record::encode(&action));
        }
        if batch.is_empty() { Ok(()) } else { self.store.commit(batch).await }
    }
}
