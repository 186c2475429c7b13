//! A source forgot a message: so does this host, in every record that has words of it, and the audit says so.

use super::turn::Turn;
use crate::domain::{Arrival, ConversationId, Fact, SyncErrorId};
use crate::store;

impl Turn<'_> {
    /// Whether this turn has changed something of a conversation already, so that the store does not tell all of it.
    pub(super) fn touches(&self, id: &ConversationId) -> bool {
        self.conversations.contains_key(id) || self.deliveries.contains_key(id)
    }

    /// Forgets what an arrival tells to forget. Nothing is sent to Salesforce for it: what is there is its owner's to
    /// forget. A conversation that is not known stays so.
    pub(super) fn erase(&mut self, number: u64, arrival: &Arrival) -> Result<(), store::Error> {
        let id = &arrival.conversation;
        self.write.merged(self.org, number);
        let Some(mut conversation) = self.conversation(id)? else { return Ok(()) };
        let sent_at = arrival.messages.iter().find(|message| message.id == arrival.message);
        let erased =
            conversation.erase(arrival.event, &arrival.message, sent_at.map_or(arrival.at, |message| message.sent_at));
        let mut delivery = self.delivery(id)?;
        delivery.erased = conversation.version;
        self.deliveries.insert(id.clone(), delivery);
        self.conversations.insert(id.clone(), conversation);
        for message in erased {
            for mut entry in self.records.audit(&message)? {
                entry.fact.erase();
                self.write.audit(&entry);
            }
            if let Some(mut error) = self.sync_error(&SyncErrorId::of(self.org, &message))? {
                error.erase();
                self.change(error);
            }
            self.audit(id, message, Fact::Erased { event: arrival.event })?;
        }
        Ok(())
    }
}
