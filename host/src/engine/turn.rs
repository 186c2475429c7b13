//! One turn of a lane: what several events change together, over what was loaded, so that one commit makes all of it durable.

mod arriving;
mod finished;

use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) use self::finished::Finished;
use super::org::Links;
use crate::domain::{
    AuditEntry, Conversation, ConversationId, Delivery, Effect, Event, Fact, Fingerprint, Group, GroupStood,
    InOperation, MessageId, OrgId, Records, Refusal, RequestOrigin, Retried, SyncError, SyncErrorId, Timestamp, Work,
    step,
};
use crate::ledger::{AuditPage, CustomerChange, Forgotten, LaneCommit, LaneState, Loaded, Quarantined};

/// Entries of the host come after those of the source within one millisecond.
const OWN_ENTRIES: u64 = 1 << 63;

/// Changes that are not written yet, over what the ledger holds.
pub(super) struct Turn<'a> {
    pub(super) org: &'a OrgId,
    /// Sources that are told the ids of Salesforce's records.
    links: &'a Links,
    pub(super) now: Timestamp,
    /// While the organization has an incident: what arrives and what comes due is parked because of this.
    pub(super) incident: Option<Refusal>,
    /// How the request came that is being carried out: what the audit is told meanwhile follows from it.
    pub(super) request: Option<Box<RequestOrigin>>,
    pub(super) loaded: Loaded,
    pub(super) state: LaneState,
    pub(super) newest_pending: Option<SyncErrorId>,
    conversations: HashMap<ConversationId, Conversation>,
    deliveries: HashMap<ConversationId, Delivery>,
    /// Conversations that are as if they had never been.
    forgotten: HashSet<ConversationId>,
    pub(super) errors: HashMap<SyncErrorId, SyncError>,
    pub(super) forgotten_errors: HashSet<SyncErrorId>,
    pages: HashMap<(ConversationId, u32), AuditPage>,
    pub(super) groups: HashMap<Fingerprint, Group>,
    /// How those stood before that were known.
    pub(super) groups_stood: HashMap<Fingerprint, GroupStood>,
    pub(super) commit: LaneCommit,
    /// What operations waited for.
    pub(super) came_out: Vec<CameOut>,
    /// The trace of the attempt whose outcome is being written.
    pub(super) trace_id: Option<String>,
    /// Operations that it changed, by their numbers.
    pub(super) operations: BTreeSet<u64>,
    /// What the lane has to do once the turn is written.
    pub(super) todo: Vec<Todo>,
}

/// What follows from a turn in the memory of the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Todo {
    /// It waits for a place.
    Queue(Work, ConversationId),
    /// It waits for the end of the incident.
    Park(ConversationId),
    /// It waits for its time.
    WakeAt(Timestamp, ConversationId),
}

impl<'a> Turn<'a> {
    pub(super) fn new(org: &'a OrgId, links: &'a Links, loaded: Loaded, state: LaneState, now: Timestamp) -> Self {
        Self {
            org,
            links,
            now,
            incident: None,
            request: None,
            loaded,
            state,
            newest_pending: None,
            conversations: HashMap::new(),
            deliveries: HashMap::new(),
            forgotten: HashSet::new(),
            errors: HashMap::new(),
            forgotten_errors: HashSet::new(),
            pages: HashMap::new(),
            groups: HashMap::new(),
            groups_stood: HashMap::new(),
            commit: LaneCommit { at: now, ..LaneCommit::default() },
            todo: Vec::new(),
            came_out: Vec::new(),
            trace_id: None,
            operations: BTreeSet::new(),
        }
    }

    /// While the organization has an incident, what waits for a place is parked; the first time, the audit says why.
    pub(super) fn park(&mut self, id: &ConversationId) {
        let Some(refusal) = self.incident.clone() else { return };
        let before = self.delivery(id).phase;
        self.step(id, Event::Parked);
        if self.delivery(id).phase == before {
            return;
        }
        self.todo.retain(|todo| !matches!(todo, Todo::Queue(_, queued) if queued == id));
        self.todo.push(Todo::Park(id.clone()));
        self.say_parked(id, &refusal);
    }

    /// Writes into the audit of the newest message that it waits for the end of an incident.
    pub(super) fn say_parked(&mut self, id: &ConversationId, refusal: &Refusal) {
        let Some(message) = self.conversation(id).and_then(Conversation::newest).map(|newest| newest.id.clone()) else {
            return;
        };
        let (code, text) = (refusal.code.clone(), refusal.text.clone());
        self.audit(id, message, Vec::new(), Fact::Parked { class: refusal.class, code, text });
    }

    /// Moves a delivery and carries out what concerns the records; answers the version to send, if one is to be.
    pub(super) fn step(&mut self, id: &ConversationId, event: Event) -> Option<u64> {
        let delivery = self.delivery(id);
        let erased = delivery.is_erased();
        self.link(id, &delivery, &event);
        let (delivery, effects) = step(delivery, event, self.now);
        self.deliveries.insert(id.clone(), delivery);
        let mut send = None;
        // The registry first: it knows which messages the audit's lines are about.
        let mut new = Vec::new();
        for effect in &effects {
            if let Effect::Registry { error, change } = effect {
                new = self.register(id, error, change.clone(), erased);
            }
        }
        for effect in effects {
            match effect {
                Effect::Queue(work) => self.todo.push(Todo::Queue(work, id.clone())),
                Effect::WakeAt(until) => self.todo.push(Todo::WakeAt(until, id.clone())),
                Effect::Send { version } => send = Some(version),
                Effect::CameOut { of, how, group } => self.came_out.push((of, how, group)),
                Effect::Audit { message, fact } => {
                    let about = match &fact {
                        // Messages that failed with an earlier attempt have their line already.
                        Fact::CrmSynchroError { .. } => new.clone(),
                        Fact::Resolved { sync_error, .. }
                        | Fact::Ignored { sync_error, .. }
                        | Fact::RetryAsked { sync_error, .. }
                        | Fact::Reopened { sync_error, .. }
                        | Fact::ContactChosen { sync_error, .. } => self.affected(sync_error),
                        _ => Vec::new(),
                    };
                    self.audit(id, message, about, fact);
                }
                Effect::Registry { .. } => {}
            }
        }
        send
    }

    /// Moves a delivery as somebody asked for it.
    pub(super) fn step_as_asked(&mut self, id: &ConversationId, event: Event, request: Option<Box<RequestOrigin>>) {
        self.request = request;
        self.step(id, event);
        self.request = None;
    }

    /// When the records of a conversation are others than before, its source is told, if that is wanted.
    fn link(&mut self, id: &ConversationId, before: &Delivery, event: &Event) {
        let Event::Delivered { records, .. } = event else { return };
        let told = |records: &Records| (records.conversation.clone(), records.case.clone(), records.contact.clone());
        if told(&before.records) != told(records)
            && let Some(source) = self.links.iter().find(|source| id.within(source).is_some())
        {
            self.commit.links.push((source.clone(), id.clone(), records.clone()));
        }
    }

    /// Writes an entry of the host into the audit of a message, and of others that it is about as well.
    pub(super) fn audit(&mut self, id: &ConversationId, message: MessageId, about: Vec<MessageId>, mut fact: Fact) {
        let mut delivery = self.delivery(id);
        if delivery.is_erased() {
            fact.erase();
        }
        delivery.entries += 1;
        let order = OWN_ENTRIES | delivery.entries;
        self.deliveries.insert(id.clone(), delivery);
        let also = about.into_iter().filter(|other| *other != message).collect();
        let (trace_id, request) = (self.trace_id.clone(), self.request.clone());
        self.keep(id, AuditEntry { message, also, at: self.now, order, fact, trace_id, request });
    }

    /// Keeps an entry of the audit in the page that is being filled.
    fn keep(&mut self, id: &ConversationId, entry: AuditEntry) {
        let mut delivery = self.delivery(id);
        let place = (id.clone(), delivery.page);
        let page = self.pages.entry(place).or_insert_with(|| self.loaded.pages.remove(id).unwrap_or_default());
        if page.add(entry) {
            delivery.page += 1;
        }
        self.deliveries.insert(id.clone(), delivery);
    }

    /// Forgets a conversation with all that belongs to it.
    pub(super) fn forget(&mut self, id: &ConversationId) {
        let delivery = self.delivery(id);
        let messages = self.conversation(id).into_iter().flat_map(|it| &it.messages).map(|it| it.id.clone()).collect();
        self.state.phases.moved(self.loaded.deliveries.get(id), None);
        if let Some(of) = delivery.operation.clone().filter(|of| of.waits) {
            self.came_out.push((of, Retried::Changed, None));
        }
        self.deliveries.remove(id);
        self.commit.customers.extend(CustomerChange::between(self.org, self.loaded.conversations.get(id), None));
        self.commit.forgotten.push(Forgotten::Conversation { id: id.clone(), delivery: Box::new(delivery), messages });
        self.forgotten.insert(id.clone());
    }

    /// Sets a record aside, with its reason.
    pub(super) fn quarantine(&mut self, entry: Quarantined) {
        tracing::error!(org = %self.org, key = %entry.key, reason = %entry.reason, "a record is set aside");
        self.commit.quarantined.push(entry);
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        let loaded = || self.loaded.conversations.get(id).filter(|_| !self.forgotten.contains(id));
        self.conversations.get(id).or_else(loaded)
    }

    pub(super) fn delivery(&self, id: &ConversationId) -> Delivery {
        self.known_delivery(id).cloned().unwrap_or_default()
    }

    fn known_delivery(&self, id: &ConversationId) -> Option<&Delivery> {
        let loaded = || self.loaded.deliveries.get(id).filter(|_| !self.forgotten.contains(id));
        self.deliveries.get(id).or_else(loaded)
    }

    /// Whether this turn has changed something of a conversation already.
    pub(super) fn changed(&self, id: &ConversationId) -> bool {
        self.conversations.contains_key(id) || self.deliveries.contains_key(id)
    }

    /// Sets where a conversation stands, without anything that follows from it.
    pub(super) fn set_delivery(&mut self, id: &ConversationId, delivery: Delivery) {
        self.deliveries.insert(id.clone(), delivery);
    }

    /// Says by which span a conversation is to be attempted next.
    pub(super) fn traced(&mut self, id: &ConversationId, trace: Option<String>) {
        // Where traces are off, nothing is copied for that.
        if self.known_delivery(id).and_then(|known| known.trace.as_ref()) != trace.as_ref() {
            self.set_delivery(id, Delivery { trace, ..self.delivery(id) });
        }
    }

    /// Sets a conversation as it is now; the caller knows that nothing is to be sent for it.
    pub(super) fn rewrite(&mut self, conversation: Conversation, delivery: Delivery) {
        self.deliveries.insert(conversation.id.clone(), delivery);
        self.conversations.insert(conversation.id.clone(), conversation);
    }

    /// A page of the audit as it is now; the page that is being filled is kept by [`Turn::audit`].
    pub(super) fn rewrite_page(&mut self, id: &ConversationId, number: u32, page: AuditPage) {
        self.pages.insert((id.clone(), number), page);
    }
}

/// A sync error that an operation retried came out: how, and by which cause it failed.
pub(super) type CameOut = (InOperation, Retried, Option<Fingerprint>);
