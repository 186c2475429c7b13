//! A source forgot a message: so does this host, in every record that has words of it, and the audit says so.

use std::collections::{BTreeSet, HashSet};

use super::turn::Turn;
use crate::domain::{
    Action, Arrival, Conversation, ConversationId, Delivery, Fact, MessageId, SyncError, SyncErrorId, Timestamp,
};
use crate::ledger::{AuditPage, Forgotten, Ledger, QuarantineKey, error_ids};
use crate::store;

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
}

impl History {
    /// Reads it.
    pub(super) async fn of(
        ledger: &Ledger,
        org: &crate::domain::OrgId,
        id: &ConversationId,
    ) -> Result<Self, store::Error> {
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
    pub(super) async fn with_words(
        ledger: &Ledger,
        org: &crate::domain::OrgId,
        id: &ConversationId,
    ) -> Result<Self, store::Error> {
        let mut history = Self::of(ledger, org, id).await?;
        history.quarantined = ledger.quarantined_of(org, id, &history.ids).await?;
        let names = history.ids.iter().map(SyncErrorId::as_str).chain([id.as_str()]);
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
