//! A commit on its way to bytes: the records of each noun, with the keys of the indexes that follow from them.

use serde::Serialize;

use super::{CommitError, DeliveryChange, ErrorChange, Forgotten, LaneCommit};
use crate::domain::{ConversationId, OrgId};
use crate::ledger::audit::PAGES;
use crate::ledger::{Quarantined, actions, key, record};
use crate::store::{Batch, LARGEST_VALUE};

/// A commit on its way to bytes.
pub(super) struct Encoding<'a> {
    org: &'a OrgId,
    batch: Batch,
    /// The conversation that the next records belong to.
    of: Option<&'a ConversationId>,
}

impl<'a> Encoding<'a> {
    pub(super) fn new(org: &'a OrgId) -> Self {
        Self { org, batch: Batch::default(), of: None }
    }

    pub(super) fn encode(mut self, commit: &'a LaneCommit) -> Result<Batch, CommitError> {
        // First: what stands in the place of a record that is set aside has its key.
        for quarantined in &commit.quarantined {
            let quarantined = Quarantined { at: commit.at, ..quarantined.clone() };
            quarantined.put(&mut self.batch);
            self.batch.delete(quarantined.key);
        }
        for conversation in &commit.conversations {
            self.of = Some(&conversation.id);
            self.put(key::conversation(self.org, &conversation.id), conversation)?;
        }
        for change in &commit.customers {
            change.gone.iter().for_each(|key| self.batch.delete(key.clone()));
            change.new.iter().for_each(|key| self.batch.put(key.clone(), ""));
        }
        for change in &commit.deliveries {
            self.of = Some(&change.id);
            self.delivery(change)?;
        }
        for change in &commit.errors {
            self.of = Some(&change.after.conversation);
            self.error(change)?;
        }
        for (id, number, page) in &commit.pages {
            self.of = Some(id);
            self.put(key::audit_page(self.org, id, *number), page)?;
            if let Some(old) = number.checked_sub(PAGES) {
                self.batch.delete(key::audit_page(self.org, id, old));
            }
        }
        self.of = None;
        for (message, id) in &commit.messages {
            self.batch.put(key::message(message, self.org, id), "");
        }
        for (message, id) in &commit.gone {
            self.batch.delete(key::message(message, self.org, id));
        }
        for number in &commit.taken {
            self.batch.delete(key::arrival(self.org, *number));
        }
        self.organization(commit)?;
        for forgotten in &commit.forgotten {
            self.forget(forgotten);
        }
        Ok(self.batch)
    }

    /// What belongs to no single conversation.
    fn organization(&mut self, commit: &LaneCommit) -> Result<(), CommitError> {
        for group in &commit.groups {
            match group.is_empty() {
                true => self.batch.delete(key::group(self.org, &group.id)),
                false => self.put(key::group(self.org, &group.id), group)?,
            }
        }
        for (team, id) in &commit.teams {
            self.put(key::team(self.org, team), id)?;
        }
        for (source, id) in &commit.gaps {
            self.batch.put(key::gap(source, id, commit.at), "");
        }
        for (source, id, records) in &commit.links {
            self.put(key::link(source, id, commit.at), records)?;
        }
        for (number, operation) in &commit.operations {
            let (open, over) = (key::operation(self.org, *number), key::operation_over(self.org, *number));
            let auto = key::operation_auto(self.org, *number);
            if operation.ended_at.is_some() {
                self.batch.delete(open);
                self.batch.delete(auto);
                self.put(over, operation)?;
            } else if operation.stands() {
                self.put(auto, operation)?;
            } else {
                self.put(open, operation)?;
            }
            self.put(key::operation_id(&operation.id, self.org), number)?;
        }
        for action in commit.actions.iter().chain(&commit.reworded) {
            actions::put(&mut self.batch, action);
        }
        if let Some(state) = &commit.state {
            self.put(key::lane(self.org), state)?;
        }
        Ok(())
    }

    fn delivery(&mut self, change: &DeliveryChange) -> Result<(), CommitError> {
        let DeliveryChange { id, before, after } = change;
        let leads = |delivery| key::of_delivery(self.org, id, delivery);
        let (before, now) = (before.as_ref().map(leads), leads(after));
        if let Some(before) = before.filter(|before| *before != now) {
            self.batch.delete(before);
        }
        self.batch.put(now, "");
        self.put(key::delivery(self.org, id), after)
    }

    fn error(&mut self, change: &ErrorChange) -> Result<(), CommitError> {
        let summary = change.after.summary();
        let (before, now) = (change.before.as_ref().map(key::of_error), key::of_error(&summary));
        if let Some(before) = before.filter(|before| *before != now) {
            self.batch.delete(before);
        }
        self.put(now, &summary)?;
        let before = change.before.as_ref().map(key::indexes_of_error).unwrap_or_default();
        let now = key::indexes_of_error(&summary);
        before.iter().filter(|key| !now.contains(key)).for_each(|key| self.batch.delete(key.clone()));
        now.into_iter().filter(|key| !before.contains(key)).for_each(|key| self.batch.put(key, ""));
        let value = record::encode(&change.after);
        let key = key::error(&summary.id);
        if value.len() <= LARGEST_VALUE {
            self.batch.put(key, value);
            return Ok(());
        }
        // What was sent, came back or was found is evidence: without it the sync error can still be retried and ignored.
        let mut without = change.after.clone();
        let of = &mut without.refusal;
        (of.request, of.answer, of.choice) = (None, None, None);
        self.put(key, &without)
    }

    fn forget(&mut self, forgotten: &Forgotten) {
        match forgotten {
            Forgotten::Conversation { id, delivery, messages } => {
                self.batch.delete(key::conversation(self.org, id));
                self.batch.delete(key::delivery(self.org, id));
                self.batch.delete(key::of_delivery(self.org, id, delivery));
                for message in messages {
                    self.batch.delete(key::message(message, self.org, id));
                }
                for page in delivery.page.saturating_sub(PAGES)..=delivery.page {
                    self.batch.delete(key::audit_page(self.org, id, page));
                }
            }
            Forgotten::Operation { number, id } => {
                self.batch.delete(key::operation_over(self.org, *number));
                self.batch.delete(key::operation_id(id, self.org));
            }
            Forgotten::Quarantined(entry) => entry.forget(&mut self.batch),
            Forgotten::Answer(id) => self.batch.delete(key::idempotency_answer(id)),
            Forgotten::Aged(day, id) => self.batch.delete(key::aged_on(self.org, *day, id)),
            Forgotten::Error(summary) => {
                self.batch.delete(key::error(&summary.id));
                self.batch.delete(key::of_error(summary));
                key::indexes_of_error(summary).into_iter().for_each(|key| self.batch.delete(key));
            }
        }
    }

    fn put<T: Serialize>(&mut self, key: String, record: &T) -> Result<(), CommitError> {
        let value = record::encode(record);
        if value.len() > LARGEST_VALUE {
            return Err(CommitError::TooLarge { conversation: self.of.cloned(), key, bytes: value.len() });
        }
        self.batch.put(key, value);
        Ok(())
    }
}
