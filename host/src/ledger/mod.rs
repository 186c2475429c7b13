//! The one place that knows the records: nouns, their keys, their indexes and their versions, over a store of bytes.
//!
//! Whoever reads asks by noun and in bulk. The records of an organization are written by its lane alone: only a
//! [`LaneWriter`] commits a [`LaneCommit`], and taking a lane's writer makes every older one stale.

mod accept;
mod actions;
mod api_tokens;
mod audit;
mod background;
mod commit;
mod customers;
mod events;
#[cfg(test)]
mod frozen;
mod groups;
mod idempotency;
mod inbox;
mod indexing;
mod key;
mod lane_state;
mod load;
mod mails;
mod operations;
mod org_settings;
mod put_back;
mod quarantine;
mod query;
mod reading;
mod record;
mod refresh_tokens;
mod revisions;
mod sealing;
mod story;
mod told_once;
mod unsynced;
mod upgrade;
mod verify;

use std::sync::Arc;

pub use self::accept::Delivered;
pub use self::actions::{ActionFilter, ActionPage, action_order, is_action_id};
pub use self::audit::AuditPage;
pub use self::commit::{CommitError, DeliveryChange, ErrorChange, Forgotten, LaneCommit, LaneWriter, error_ids};
pub use self::customers::{CustomerChange, FoundCustomers, OfCustomer};
pub use self::events::EventPage;
pub use self::groups::{GroupPage, group_cursor};
pub use self::idempotency::{KeptAnswer, Repeated};
pub use self::inbox::Inbox;
pub use self::lane_state::{LaneState, PhaseCounts};
pub use self::load::{Load, Loaded};
pub use self::mails::{MailPage, MailPlace};
pub use self::put_back::NotPutBack;
pub use self::quarantine::{QuarantineKey, QuarantinePage, Quarantined, is_quarantine_cursor};
use self::query::Heads;
pub use self::query::{Counted, Cursor, ErrorPage, Paging, Walk};
pub use self::reading::Queued;
pub use self::sealing::{Keys, NotAKey};
pub use self::story::Story;
pub use self::unsynced::Oldest;
pub use self::upgrade::Upgrade;
#[cfg(test)]
pub(crate) use self::upgrade::tests as testing;
pub use self::verify::Verified;
use crate::store::{Error, Store};

/// The records of a store.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    /// What lists read of causes.
    heads: Arc<Heads>,
    /// What refresh tokens are sealed with.
    keys: Keys,
}

impl Ledger {
    /// The records of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, heads: Arc::default(), keys: Keys::default() }
    }

    /// The same, with keys to seal refresh tokens with.
    #[must_use]
    pub fn with_keys(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    /// The store below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

fn unreadable(key: &str, reason: &str) -> Error {
    Error::Unreadable { key: key.to_owned(), reason: reason.to_owned() }
}
