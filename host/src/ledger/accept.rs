//! Arrivals become durable in the inboxes of lanes, together with the place of the poll that found them.

use super::{Ledger, QuarantineKey, Quarantined, actions, key, record};
use crate::domain::{Action, Arrival, OrgId, SourceId, Timestamp};
use crate::store::{Batch, Error};

/// What came together from a source, and becomes durable together.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Arrivals, each with the organization and the number of its inbox.
    pub arrivals: Vec<(OrgId, u64, Arrival)>,
    /// What beside them cannot be used. Where there is no room for it, it is only counted.
    pub set_aside: Vec<Quarantined>,
    /// Entries of the quarantine about what is to be forgotten.
    pub forgotten: Vec<QuarantineKey>,
    /// The newest action of a source that a poll has seen.
    pub place: Option<(SourceId, u64)>,
    /// Who asked for what of this.
    pub actions: Vec<Action>,
    /// When something last came of a source for an organization.
    pub arrived: Vec<(OrgId, SourceId, Timestamp)>,
}

impl Ledger {
    /// Keeps what came. When it answers `Ok`, all survives a power cut.
    ///
    /// # Errors
    /// When the store cannot be written: then nothing of it is acknowledged.
    pub async fn accept(&self, delivered: &Delivered) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (org, number, arrival) in &delivered.arrivals {
            batch.put(key::arrival(org, *number), record::encode(arrival));
        }
        for unusable in &delivered.set_aside {
            match &unusable.source {
                Some(source) if !self.has_room_for(source).await? => {
                    tracing::error!(%source, reason = %unusable.reason, "the quarantine has no room for more from this source");
                }
                _ => unusable.put(&mut batch),
            }
        }
        delivered.forgotten.iter().for_each(|entry| entry.forget(&mut batch));
        if let Some((source, action)) = &delivered.place {
            batch.put(key::cursor(source), record::encode(action));
        }
        for (org, source, at) in &delivered.arrived {
            batch.put(key::arrived(org, source), record::encode(at));
        }
        delivered.actions.iter().for_each(|action| actions::put(&mut batch, action));
        if batch.is_empty() {
            return Ok(());
        }
        self.store.commit(batch).await?;
        delivered.actions.iter().for_each(actions::tell);
        Ok(())
    }
}
