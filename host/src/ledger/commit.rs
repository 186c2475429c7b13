//! What a lane changes in one turn, as nouns; the keys and the indexes follow from them here and nowhere else.

mod encoding;

use std::sync::atomic::{AtomicBool, Ordering};

use self::encoding::Encoding;
use super::quarantine::NOT_WRITTEN;
use super::{AuditPage, CustomerChange, LaneState, Ledger, QuarantineKey, Quarantined, actions, events, key, record};
use crate::domain::{
    Action, Conversation, ConversationId, Delivery, ErrorSummary, Group, HostEvent, MessageId, Operation, OperationId,
    OrgId, Records, SourceId, SyncError, SyncErrorId, Timestamp,
};
use crate::store::{self, Batch, Error, Fence};

/// The right to write the records of one organization; taking it makes every older one stale.
pub struct LaneWriter {
    pub(super) ledger: Ledger,
    pub(super) org: OrgId,
    pub(super) fence: Fence,
    /// Whether the last commit may be kept although it failed.
    pub(super) uncertain: AtomicBool,
}

/// What a lane changes in one turn.
#[derive(Debug, Default)]
pub struct LaneCommit {
    /// Conversations as they are now.
    pub conversations: Vec<Conversation>,
    /// What leads to conversations by their customers, where that changes.
    pub customers: Vec<CustomerChange>,
    /// Deliveries.
    pub deliveries: Vec<DeliveryChange>,
    /// Sync errors.
    pub errors: Vec<ErrorChange>,
    /// Causes as they are now.
    pub groups: Vec<Group>,
    /// Pages of the audit as they are now.
    pub pages: Vec<(ConversationId, u32, AuditPage)>,
    /// Messages that their conversation has now, and those that it has no more.
    pub messages: Vec<(MessageId, ConversationId)>,
    /// Messages that left their conversation.
    pub gone: Vec<(MessageId, ConversationId)>,
    /// Arrivals that are merged, by their numbers.
    pub taken: Vec<u64>,
    /// Teams that were seen for the first time, each in a conversation.
    pub teams: Vec<(String, ConversationId)>,
    /// Conversations of which something was missed.
    pub gaps: Vec<(SourceId, ConversationId)>,
    /// Conversations whose source is to keep the ids of these records.
    pub links: Vec<(SourceId, ConversationId, Records)>,
    /// Operations as they are now, by their numbers.
    pub operations: Vec<(u64, Operation)>,
    /// Who asked for what of this. They are in the commit of their effect.
    pub actions: Vec<Action>,
    /// Actions that are on record, with other words.
    pub reworded: Vec<Action>,
    /// What clients are told of this.
    pub events: Vec<HostEvent>,
    /// What is set aside.
    pub quarantined: Vec<Quarantined>,
    /// What is forgotten.
    pub forgotten: Vec<Forgotten>,
    /// How the organization stands.
    pub state: Option<LaneState>,
    /// When the turn was.
    pub at: Timestamp,
}

impl LaneCommit {
    /// Whether nothing but the organization's own record would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            conversations, deliveries, errors, groups, pages, messages, gone, taken, teams, gaps, links, ..
        } = self;
        conversations.is_empty()
            && deliveries.is_empty()
            && errors.is_empty()
            && groups.is_empty()
            && pages.is_empty()
            && messages.is_empty()
            && gone.is_empty()
            && taken.is_empty()
            && teams.is_empty()
            && gaps.is_empty()
            && links.is_empty()
            && self.customers.is_empty()
            && self.operations.is_empty()
            && self.actions.is_empty()
            && self.reworded.is_empty()
            && self.events.is_empty()
            && self.quarantined.is_empty()
            && self.forgotten.is_empty()
    }

    /// About how many bytes its records take: most of them are texts of messages, and lines of audits.
    fn bytes(&self) -> usize {
        let messages: usize = self.conversations.iter().map(|conversation| conversation.messages.len()).sum();
        1_024 * (messages + self.deliveries.len() + self.errors.len() + self.pages.len())
    }

    /// As writes, with the indexes that follow.
    pub(super) fn encode(&self, org: &OrgId) -> Result<Batch, CommitError> {
        Encoding::new(org).encode(self)
    }

    /// Leaves a conversation out that cannot be written, and says so in the quarantine; what else the turn changed is kept.
    pub fn set_aside(&mut self, org: &OrgId, id: &ConversationId, reason: &str) {
        let mut state = self.state.take().unwrap_or_default();
        for change in self.deliveries.extract_if(.., |change| change.id == *id) {
            state.phases.moved(Some(&change.after), change.before.as_ref());
        }
        for change in self.errors.extract_if(.., |change| change.after.conversation == *id) {
            state.errors.moved(Some(change.after.state), change.before.map(|before| before.state));
            self.events.retain(|event| event.sync_error.as_ref() != Some(&change.after.id));
        }
        self.conversations.retain(|conversation| conversation.id != *id);
        self.customers.retain(|change| change.id != *id);
        self.pages.retain(|(of, _, _)| of != id);
        self.messages.retain(|(_, of)| of != id);
        self.gone.retain(|(_, of)| of != id);
        self.state = Some(state);
        let entry = Quarantined::because(org, key::conversation(org, id), Vec::new(), reason.to_owned());
        self.quarantined.push(Quarantined { key: format!("{}{NOT_WRITTEN}", entry.key), ..entry });
    }
}

/// A delivery before (`None`: it is new) and after a turn.
#[derive(Debug)]
pub struct DeliveryChange {
    /// The conversation.
    pub id: ConversationId,
    /// As the ledger has it.
    pub before: Option<Delivery>,
    /// As it is now.
    pub after: Delivery,
}

/// A sync error before (`None`: it is new) and after a turn.
#[derive(Debug)]
pub struct ErrorChange {
    /// As the ledger has it.
    pub before: Option<ErrorSummary>,
    /// As it is now.
    pub after: SyncError,
}

/// Something that is forgotten with all that belongs to it.
#[derive(Debug)]
pub enum Forgotten {
    /// A conversation with its delivery, its messages and so many pages of audit.
    Conversation {
        /// The conversation.
        id: ConversationId,
        /// Where it stood.
        delivery: Box<Delivery>,
        /// Its messages.
        messages: Vec<MessageId>,
    },
    /// A sync error.
    Error(Box<ErrorSummary>),
    /// An operation that is over.
    Operation {
        /// Its number.
        number: u64,
        /// Its id.
        id: OperationId,
    },
    /// That a conversation has nothing to do since this day, where its record, set aside or written since, says otherwise.
    Aged(u32, ConversationId),
    /// An entry of the quarantine.
    Quarantined(QuarantineKey),
    /// What a request with this idempotency key was answered with; not that it was carried out.
    Answer(String),
}

/// Why a lane's commit was not made, by what the lane can do.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else writes the organization's records now: stop.
    #[error("the organization has another writer")]
    Fenced,
    /// A record is too large: set the conversation aside, and go on.
    #[error("the record {key} of {bytes} bytes is too large")]
    TooLarge {
        /// The conversation that it belongs to, where it belongs to one.
        conversation: Option<ConversationId>,
        /// Its key.
        key: String,
        /// Its size.
        bytes: usize,
    },
    /// It is not known whether it is kept: wait, and commit the same again.
    #[error(transparent)]
    Unavailable(store::Error),
}

impl Ledger {
    /// The right to write the records of an organization; every older one of it is stale from now on.
    #[must_use]
    pub fn lane_writer(&self, org: &OrgId) -> LaneWriter {
        LaneWriter {
            ledger: self.clone(),
            org: org.clone(),
            fence: self.store.acquire(&key::lane(org)),
            uncertain: AtomicBool::new(false),
        }
    }
}

impl LaneWriter {
    /// Makes a commit; the same one twice does no harm.
    ///
    /// # Errors
    /// By what the lane can do.
    pub async fn commit(&self, commit: &LaneCommit) -> Result<(), CommitError> {
        let mut batch = record::off_thread(commit.bytes(), || commit.encode(&self.org))?;
        if !self.has_told(commit).await? {
            events::append(&mut batch, &commit.events);
        }
        if batch.is_empty() {
            return Ok(());
        }
        // Also after a failure, or where nobody waits for the end: it may be kept.
        let _forgets = (!commit.groups.is_empty()).then(|| self.ledger.heads.changing(&self.org));
        match self.ledger.store.commit(batch.fenced(self.fence.clone())).await {
            Ok(()) => {
                self.uncertain.store(false, Ordering::Relaxed);
                commit.actions.iter().for_each(actions::tell);
                Ok(())
            }
            Err(Error::Fenced { .. }) => Err(CommitError::Fenced),
            Err(error) => {
                self.uncertain.store(true, Ordering::Relaxed);
                Err(CommitError::Unavailable(error))
            }
        }
    }
}

/// The ids of all sync errors that a conversation has had.
#[must_use]
pub fn error_ids(org: &OrgId, id: &ConversationId, delivery: &Delivery) -> Vec<SyncErrorId> {
    (1..=delivery.errors).map(|number| SyncErrorId::of(org, id, number)).collect()
}

#[cfg(test)]
mod tests;
