//! One turn of a lane: what several events change together, so that one commit makes all of it durable.

use std::collections::{HashMap, HashSet};

use super::org::Org;
use crate::domain::{
    Arrival, AuditEntry, Change, Conversation, ConversationId, Delivery, Effect, ErrorCounts, Event, Fact, MessageId,
    OrgId, Records as SalesforceRecords, SourceId, State, SyncError, SyncErrorId, Timestamp, merge, step,
};
use crate::store::{self, Records, Write};

/// Entries of the host come after those of the source within one millisecond.
const OWN_ENTRIES: u64 = 1 << 63;

/// Changes that are not written yet, over what the store holds.
pub(super) struct Turn<'a> {
    pub(super) org: &'a OrgId,
    /// Sources that are told the ids of Salesforce's records.
    linking: &'a [SourceId],
    pub(super) records: &'a Records,
    pub(super) now: Timestamp,
    pub(super) counts: ErrorCounts,
    pub(super) newest_pending: Option<SyncErrorId>,
    pub(super) conversations: HashMap<ConversationId, Conversation>,
    pub(super) deliveries: HashMap<ConversationId, Delivery>,
    /// Conversations that are as if they had never been.
    pub(super) forgotten: HashSet<ConversationId>,
    forgotten_errors: HashSet<SyncErrorId>,
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
    pub(super) fn new(org: &'a Org, records: &'a Records, counts: ErrorCounts, now: Timestamp) -> Self {
        Self {
            org: &org.id,
            linking: &org.linking,
            records,
            now,
            counts,
            newest_pending: None,
            conversations: HashMap::new(),
            deliveries: HashMap::new(),
            forgotten: HashSet::new(),
            forgotten_errors: HashSet::new(),
            errors: HashMap::new(),
            write: Write::default(),
            todo: Vec::new(),
        }
    }

    /// Merges an arrival, and moves the delivery when that changed something.
    pub(super) fn arrive(&mut self, number: u64, arrival: Arrival) -> Result<Option<String>, store::Error> {
        let id = arrival.conversation.clone();
        let known = self.conversation(&id)?;
        if arrival.shows_a_gap(known.as_ref()) {
            self.write.gap(&arrival.source, &id);
        }
        let kept: Vec<_> = known.iter().flat_map(|known| &known.messages).map(|message| message.id.clone()).collect();
        let merged = merge(known, arrival);
        self.write.merged(self.org, number);
        self.write.audit(&merged.audit);
        let (version, team) = (merged.conversation.version, merged.conversation.team.clone());
        // An audit is kept as long as its message.
        for gone in kept.iter().filter(|id| merged.conversation.messages.iter().all(|message| message.id != **id)) {
            self.write.forget_audit(&self.records.audit(gone)?);
        }
        self.conversations.insert(id.clone(), merged.conversation);
        if !merged.changed {
            return Ok(None);
        }
        let mut delivery = self.delivery(&id)?;
        let today = self.now.day();
        if delivery.day != today {
            self.write.age(self.org, &id, delivery.day, today);
            delivery.day = today;
            self.deliveries.insert(id.clone(), delivery);
        }
        self.step(&id, Event::Arrived { version })?;
        Ok(team)
    }

    /// Moves a delivery and carries out what concerns the records; answers the version to send, if one is to be.
    pub(super) fn step(&mut self, id: &ConversationId, event: Event) -> Result<Option<u64>, store::Error> {
        let delivery = self.delivery(id)?;
        let retried = matches!(event, Event::Due);
        let erased = delivery.is_erased();
        self.link(id, &delivery, &event);
        let (delivery, effects) = step(delivery, event, self.now);
        self.deliveries.insert(id.clone(), delivery);
        let mut send = None;
        for effect in effects {
            match effect {
                Effect::Queue if retried => self.todo.push(Todo::QueueRetry(id.clone())),
                Effect::Queue => self.todo.push(Todo::Queue(id.clone())),
                Effect::WakeAt(until) => self.todo.push(Todo::WakeAt(until, id.clone())),
                Effect::Send { version } => send = Some(version),
                Effect::Audit { message, mut fact } => {
                    if erased {
                        fact.erase();
                    }
                    self.audit(id, message, fact)?;
                }
                Effect::Registry { error, message, change } => self.register(id, error, message, change, erased)?,
            }
        }
        Ok(send)
    }

    /// When the records of a conversation are others than before, its source is told, if that is wanted.
    fn link(&mut self, id: &ConversationId, before: &Delivery, event: &Event) {
        let Event::Delivered { records, .. } = event else { return };
        let told =
            |records: &SalesforceRecords| (records.conversation.clone(), records.case.clone(), records.contact.clone());
        if told(&before.records) != told(records)
            && let Some(source) = self.linking.iter().find(|source| id.within(source).is_some())
        {
            self.write.link(source, id, records);
        }
    }

    /// Writes a line of a message's audit.
    pub(super) fn audit(
        &mut self,
        id: &ConversationId,
        message: MessageId,
        mut fact: Fact,
    ) -> Result<(), store::Error> {
        let mut delivery = self.delivery(id)?;
        if delivery.is_erased() {
            fact.erase();
        }
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
        erased: bool,
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
        if erased {
            error.erase();
        }
        if error.state == State::Pending && before != Some(State::Pending) {
            self.newest_pending = Some(id.clone());
        }
        self.counts.moved(before, error.state);
        let stored = self.errors.get(&id).map_or(before, |touched| touched.stored);
        self.errors.insert(id, Touched { error, stored });
        Ok(())
    }

    /// Changes words of a sync error, and nothing else.
    pub(super) fn change(&mut self, error: SyncError) {
        let stored = self.errors.get(&error.id).map_or(Some(error.state), |touched| touched.stored);
        self.errors.insert(error.id.clone(), Touched { error, stored });
    }

    /// Forgets a sync error that is over or ignored, unless this turn did something with it.
    pub(super) fn forget_error(&mut self, error: &SyncError) {
        let over = matches!(error.state, State::Resolved | State::Ignored);
        if over && !self.errors.contains_key(&error.id) && self.forgotten_errors.insert(error.id.clone()) {
            self.write.forget_sync_error(error);
            self.counts.forgotten(error.state);
        }
    }

    pub(super) fn sync_error(&self, id: &SyncErrorId) -> Result<Option<SyncError>, store::Error> {
        match self.errors.get(id) {
            Some(touched) => Ok(Some(touched.error.clone())),
            None if self.forgotten_errors.contains(id) => Ok(None),
            None => self.records.sync_error(id),
        }
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Result<Option<Conversation>, store::Error> {
        match self.conversations.get(id) {
            Some(conversation) => Ok(Some(conversation.clone())),
            None if self.forgotten.contains(id) => Ok(None),
            None => self.records.conversation(self.org, id),
        }
    }

    pub(super) fn delivery(&self, id: &ConversationId) -> Result<Delivery, store::Error> {
        match self.deliveries.get(id) {
            Some(delivery) => Ok(delivery.clone()),
            None if self.forgotten.contains(id) => Ok(Delivery::default()),
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
        if !self.errors.is_empty() || !self.forgotten_errors.is_empty() {
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
