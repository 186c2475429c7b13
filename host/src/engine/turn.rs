//! One turn of a lane: what several events change together, so that one commit makes all of it durable.

use std::collections::HashMap;

use crate::domain::{
    Arrival, AuditEntry, Change, Conversation, ConversationId, Delivery, Effect, ErrorCounts, Event, Fact, MessageId,
    OrgId, State, SyncError, SyncErrorId, Timestamp, merge, step,
};
use crate::store::{self, Records, Write};

/// Entries of the host come after those of the source within one millisecond.
const OWN_ENTRIES: u64 = 1 << 63;

/// Changes that are not written yet, over what the store holds.
pub(super) struct Turn<'a> {
    pub(super) org: &'a OrgId,
    pub(super) records: &'a Records,
    now: Timestamp,
    pub(super) counts: ErrorCounts,
    pub(super) newest_pending: Option<SyncErrorId>,
    conversations: HashMap<ConversationId, Conversation>,
    deliveries: HashMap<ConversationId, Delivery>,
    errors: HashMap<SyncErrorId, Touched>,
    pub(super) write: Write,
    /// What the lane has to do once the turn is written.
    pub(super) todo: Vec<Todo>,
}

/// What follows from a turn in the memory of the lane.
pub(super) enum Todo {
    Queue(ConversationId),
    /// It was tried before.
    QueueRetry(ConversationId),
    WakeAt(Timestamp, ConversationId),
}

struct Touched {
    error: SyncError,
    /// The state that the store has; `None` where it has none.
    stored: Option<State>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(org: &'a OrgId, records: &'a Records, counts: ErrorCounts, now: Timestamp) -> Self {
        Self {
            org,
            records,
            now,
            counts,
            newest_pending: None,
            conversations: HashMap::new(),
            deliveries: HashMap::new(),
            errors: HashMap::new(),
            write: Write::default(),
            todo: Vec::new(),
        }
    }

    /// Merges an arrival, and moves the delivery when that changed something.
    pub(super) fn arrive(&mut self, number: u64, arrival: Arrival) -> Result<Option<String>, store::Error> {
        let id = arrival.conversation.clone();
        let merged = merge(self.conversation(&id)?, arrival);
        self.write.merged(self.org, number);
        self.write.audit(&merged.audit);
        let (version, team) = (merged.conversation.version, merged.conversation.team.clone());
        self.conversations.insert(id.clone(), merged.conversation);
        if !merged.changed {
            return Ok(None);
        }
        self.step(&id, Event::Arrived { version })?;
        Ok(team)
    }

    /// Moves a delivery and carries out what concerns the records; answers the version to send, if one is to be.
    pub(super) fn step(&mut self, id: &ConversationId, event: Event) -> Result<Option<u64>, store::Error> {
        let delivery = self.delivery(id)?;
        let retried = matches!(event, Event::Due);
        let (delivery, effects) = step(delivery, event, self.now);
        self.deliveries.insert(id.clone(), delivery);
        let mut send = None;
        for effect in effects {
            match effect {
                Effect::Queue if retried => self.todo.push(Todo::QueueRetry(id.clone())),
                Effect::Queue => self.todo.push(Todo::Queue(id.clone())),
                Effect::WakeAt(until) => self.todo.push(Todo::WakeAt(until, id.clone())),
                Effect::Send { version } => send = Some(version),
                Effect::Audit { message, fact } => self.audit(id, message, fact)?,
                Effect::Registry { error, message, change } => self.register(id, error, message, change)?,
            }
        }
        Ok(send)
    }

    /// Writes a line of a message's audit.
    pub(super) fn audit(&mut self, id: &ConversationId, message: MessageId, fact: Fact) -> Result<(), store::Error> {
        let mut delivery = self.delivery(id)?;
        delivery.entries += 1;
        let order = OWN_ENTRIES | delivery.entries;
        self.deliveries.insert(id.clone(), delivery);
        self.write.audit(&AuditEntry { message, at: self.now, order, fact });
        Ok(())
    }

    fn register(
        &mut self,
        conversation: &ConversationId,
        id: SyncErrorId,
        message: MessageId,
        change: Change,
    ) -> Result<(), store::Error> {
        let known = self.sync_error(&id)?;
        let before = known.as_ref().map(|error| error.state);
        let error = match (known, &change) {
            (Some(known), _) => Some(known),
            (None, Change::Failed { refusal, .. }) => {
                let (org, refusal) = (self.org.clone(), (**refusal).clone());
                Some(SyncError::blank(org, conversation.clone(), message, refusal, self.now))
            }
            // A change of what was never registered: nothing to change.
            (None, _) => None,
        };
        let Some(mut error) = error else { return Ok(()) };
        error.apply(change, self.now);
        if error.state == State::Pending && before != Some(State::Pending) {
            self.newest_pending = Some(id.clone());
        }
        self.counts.moved(before, error.state);
        let stored = self.errors.get(&id).map_or(before, |touched| touched.stored);
        self.errors.insert(id, Touched { error, stored });
        Ok(())
    }

    pub(super) fn sync_error(&self, id: &SyncErrorId) -> Result<Option<SyncError>, store::Error> {
        match self.errors.get(id) {
            Some(touched) => Ok(Some(touched.error.clone())),
            None => self.records.sync_error(id),
        }
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Result<Option<Conversation>, store::Error> {
        match self.conversations.get(id) {
            Some(conversation) => Ok(Some(conversation.clone())),
            None => self.records.conversation(self.org, id),
        }
    }

    pub(super) fn delivery(&self, id: &ConversationId) -> Result<Delivery, store::Error> {
        match self.deliveries.get(id) {
            Some(delivery) => Ok(delivery.clone()),
            None => self.records.delivery(self.org, id),
        }
    }

    /// Everything as one batch.
    pub(super) fn finish(mut self) -> (store::Batch, Finished) {
        for conversation in self.conversations.values() {
            self.write.conversation(self.org, conversation);
        }
        for (id, delivery) in &self.deliveries {
            self.write.delivery(self.org, id, delivery);
        }
        for touched in self.errors.values() {
            self.write.sync_error(&touched.error, touched.stored);
        }
        if !self.errors.is_empty() {
            self.write.counts(self.org, &self.counts);
        }
        (
            self.write.into_batch(),
            Finished { counts: self.counts, newest_pending: self.newest_pending, todo: self.todo },
        )
    }
}

/// What a lane takes over when a turn is written.
pub(super) struct Finished {
    pub(super) counts: ErrorCounts,
    pub(super) newest_pending: Option<SyncErrorId>,
    pub(super) todo: Vec<Todo>,
}
