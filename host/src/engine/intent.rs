//! What an attempt is about to do that has to be on record first, because doing it twice would do harm.

use tokio::sync::oneshot;

use crate::domain::{ConversationId, Creation};

/// An attempt is about to make a contact.
#[derive(Debug)]
pub(super) struct Intent {
    pub(super) conversation: ConversationId,
    pub(super) creation: Box<Creation>,
    /// Told when it is durable.
    pub(super) reply: oneshot::Sender<()>,
}
