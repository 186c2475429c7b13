//! A source forgot a message: so does this host, in every record that has words of it, and the audit says so.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::turn::Turn;
use crate::domain::{
    Action, Arrival, Conversation, ConversationId, Delivery, Fact, MessageId, Operation, OrgId, Person, SyncError,
    SyncErrorId, Timestamp, names,
};
use crate::ledger::{ActionFilter, AuditPage, Forgotten, LaneCommit, Ledger, QuarantineKey, error_ids};
use crate::store;

/// An operation begins so long after somebody asked for it, at most, in milliseconds; and by a clock that may have gone back.
const ASKED_WITHIN_MS: u64 = 600_000;

/// Everything on record of a conversation beside its newest state.
#[derive(Default)]
pub(super) struct History {
    pages: Vec<(u32, AuditPage)>,
    errors: Vec<SyncError>,
    /// The ids of all that it had.
    ids: Vec<SyncErrorId>,
    /// Entries of the quarantine that are about it.
    quarantined: Vec<QuarantineKey>,
    /// What people asked about it, with why.
    actions: Vec<Action>,
    /// Requests with an idempotency key that were answered with something of it.
    answers: Vec<String>,
    /// Operations that name its customer.
    pub(super) naming: Naming,
}

/// Operations of an organization that name a customer, with their numbers, and what the customer is found by.
#[derive(Default)]
pub(super) struct Naming {
    terms: BTreeSet<String>,
    operations: Vec<(u64, Operation)>,
    /// Why people began them.
    actions: Vec<Action>,
}

impl Naming {
    async fn read(ledger: &Ledger, org: &OrgId, terms: BTreeSet<String>) -> Result<Self, store::Error> {
        let operations = match terms.is_empty() {
            true => Vec::new(),
            false => ledger.operations_naming(org, &terms).await?,
        };
        let mut actions = Vec::new();
        for (_, operation) in &operations {
            // It was asked for before the lane came to it.
            let asked = operation.as_of.as_millis();
            let filter = ActionFilter {
                subject: Some(operation.id.to_string()),
                since: Some(Timestamp::from_millis(asked.saturating_sub(ASKED_WITHIN_MS))),
                before: Some(Timestamp::from_millis(asked + ASKED_WITHIN_MS)),
                looked_at: Some(usize::MAX),
                ..ActionFilter::default()
            };
            let found = ledger.actions(&filter, None, usize::MAX).await?.actions.into_iter().map(|(_, action)| action);
            actions.extend(found.filter(|it| it.reason.as_ref().is_some_and(|reason| names(reason, &terms))));
        }
        Ok(Self { terms, operations, actions })
    }

    /// Forgets the words; `running` are those that are not over. Answers which of these changed.
    pub(super) fn erase(
        self,
        running: &mut BTreeMap<u64, Operation>,
        commit: &mut LaneCommit,
    ) -> impl Iterator<Item = u64> {
        let mut changed = Vec::new();
        for (number, mut operation) in self.operations {
            if let Some(running) = running.get_mut(&number) {
                running.erase(&self.terms);
                changed.push(number);
            } else if operation.ended_at.is_some() {
                operation.erase(&self.terms);
                commit.operations.push((number, operation));
            }
        }
        for mut action in self.actions {
            action.erase();
            commit.reworded.push(action);
        }
        changed.into_iter()
    }
}

impl History {
    /// Reads it.
    pub(super) async fn of(ledger: &Ledger, org: &OrgId, id: &ConversationId) -> Result<Self, store::Error> {
        let delivery = match ledger.delivery(org, id).await {
            // It is set aside by the turn that reads it; how many sync errors there were, nobody knows then.
            Err(store::Error::Unreadable { .. }) => Delivery::default(),
            delivery => delivery?,
        };
        let pages = ledger.audit_pages(org, id).await?;
        let ids = error_ids(org, id, &delivery);
        let errors = ledger.sync_errors_of(&ids).await?;
        Ok(Self { pages, errors, ids, ..Self::default() })
    }

    /// The same with what is in the quarantine of it, and what people gave as reasons.
    pub(super) async fn with_words(ledger: &Ledger, org: &OrgId, id: &ConversationId) -> Result<Self, store::Error> {
        let mut history = Self::of(ledger, org, id).await?;
        history.quarantined = ledger.quarantined_of(org, id, &history.ids).await?;
        let conversation = ledger.readable_conversation(org, id).await?;
        let person = conversation.and_then(|conversation| Person::of(&conversation.customer));
        let people = person.iter().chain(history.errors.iter().filter_map(|error| error.person.as_ref()));
        history.naming = Naming::read(ledger, org, people.flat_map(|person| person.terms()).collect()).await?;
        let operations = history.naming.operations.iter().map(|(_, operation)| operation.id.as_str());
        let names = history.ids.iter().map(SyncErrorId::as_str).chain([id.as_str()]).chain(operations);
        history.answers = ledger.answers_about(&names.collect::<Vec<_>>()).await?;
        // An action has the time of the line of the audit that was written with it.
        let entries = history.pages.iter().flat_map(|(_, page)| &page.entries);
        let ignored = entries.filter(|entry| matches!(entry.fact, Fact::Ignored { .. }));
        let about = history.ids.iter().map(ToString::to_string).chain([id.to_string()]).collect();
        for at in ignored.map(|entry| entry.at).collect::<BTreeSet<_>>() {
            history.actions.extend(ledger.actions_because(at, &about).await?);
        }
        Ok(history)
    }

    /// The sync errors.
    pub(super) fn errors(&self) -> &[SyncError] {
        &self.errors
    }
}

impl Turn<'_> {
    /// Forgets what an arrival tells to forget. Nothing is sent to Salesforce for it: what is there is its owner's to
    /// forget. Of a conversation whose own record cannot be read everything goes; one that is not known stays so.
    pub(super) fn erase(&mut self, number: u64, arrival: &Arrival, history: History) {
        let id = &arrival.conversation;
        self.commit.taken.push(number);
        self.loaded.unreadable.iter_mut().for_each(|entry| entry.erase(id));
        self.commit.forgotten.extend(history.quarantined.into_iter().map(Forgotten::Quarantined));
        self.commit.forgotten.extend(history.answers.into_iter().map(Forgotten::Answer));
        let mut delivery = self.delivery(id);
        let (erased, kept): (_, HashSet<_>) = match self.conversation(id).cloned() {
            Some(mut conversation) => {
                let erased = forget(&mut conversation, arrival, self.now);
                let kept = conversation.messages.iter().map(|message| message.id.clone()).collect();
                delivery.erased = conversation.version;
                if let Some(creation) = &mut delivery.records.creation {
                    creation.fields.clear();
                }
                self.rewrite(conversation, delivery);
                (erased, kept)
            }
            None if history.pages.is_empty() && history.errors.is_empty() => return,
            None => {
                delivery.erased = delivery.wanted;
                self.set_delivery(id, delivery);
                (vec![arrival.message.clone()], HashSet::new())
            }
        };
        // What has left the conversation is older than all that it keeps, and goes with it.
        let goes = |message: &MessageId| erased.contains(message) || !kept.contains(message);
        for (number, mut page) in history.pages {
            for entry in page.entries.iter_mut().filter(|entry| goes(&entry.message)) {
                entry.fact.erase();
            }
            self.rewrite_page(id, number, page);
        }
        let mut about = HashSet::from([id.to_string()]);
        for mut error in history.errors {
            if error.affected.iter().any(goes) || goes(&error.message) {
                about.insert(error.id.to_string());
                // As it was before: one that is over is not loaded, and what it was found by is to go.
                self.loaded.errors.entry(error.id.clone()).or_insert_with(|| error.clone());
                error.erase();
                self.change(error);
            }
        }
        for mut action in history.actions {
            if action.subject.as_ref().is_some_and(|subject| about.contains(subject)) {
                action.erase();
                self.commit.reworded.push(action);
            }
        }
        let fact = Fact::Erased { event: arrival.event, by: arrival.erased_by.clone() };
        if arrival.erased_by.is_none() {
            erased.into_iter().for_each(|message| self.audit(id, message, Vec::new(), fact.clone()));
        } else if let Some(newest) = erased.last().cloned() {
            self.audit(id, newest, erased, fact);
        }
    }
}

/// Forgets in a conversation itself what an arrival tells to forget; answers the messages that are known.
fn forget(conversation: &mut Conversation, arrival: &Arrival, now: Timestamp) -> Vec<MessageId> {
    if arrival.erased_by.is_some() {
        return conversation.erase_all(now);
    }
    let sent_at = arrival.messages.iter().find(|message| message.id == arrival.message);
    conversation.erase(arrival.event, &arrival.message, sent_at.map_or(arrival.at, |message| message.sent_at))
}
