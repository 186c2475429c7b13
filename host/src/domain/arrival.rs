//! What a source tells of a conversation.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AccountId, Attribute, Conversation, ConversationId, Customer, Message, MessageId, SourceId, Timestamp};

/// What a source says happened so much later than now did not: its clock is wrong, or no clock at all.
const AHEAD: Duration = Duration::from_secs(3_600);

/// The way by which an arrival reached this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReachedBy {
    /// The source notified us.
    Webhook,
    /// We asked the source.
    Poll,
    /// We asked the source for everything of a conversation of which something was missed.
    Completion,
    /// Somebody posted it to the generic intake.
    Intake,
}

/// One event of a source: what it says of a conversation's state, and the messages it carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// Where it comes from.
    pub source: SourceId,
    /// The connected page or number.
    pub account: AccountId,
    /// The name of the page or number.
    pub account_name: String,
    /// The conversation that it is about.
    pub conversation: ConversationId,
    /// The message that it is about.
    pub message: MessageId,
    /// The source's number of the event: Alcmeon's id of the action, or what a platform gave at the intake as `sequence`.
    pub event: u64,
    /// Whether a platform at the intake gave that number. Where it did not, what counts is the order of arrival.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub numbered: bool,
    /// The source's word for what happened (Alcmeon: the action's type).
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// How it reached us.
    pub by: ReachedBy,
    /// The platform's word for the channel, in lower case.
    pub channel: String,
    /// The address of the message on the platform.
    pub url: Option<String>,
    /// The team, where the event tells.
    pub team: Option<String>,
    /// `Some(None)`: nobody has it any more; `None`: the event says nothing of it.
    pub agent: Option<Option<String>>,
    /// Whether the conversation is closed, where the event tells.
    pub closed: Option<bool>,
    /// All tags of the conversation.
    pub tags: Vec<String>,
    /// Custom fields of the conversation.
    pub attributes: Vec<Attribute>,
    /// Who writes to us.
    pub customer: Customer,
    /// Messages that the event carries, perhaps known already.
    pub messages: Vec<Message>,
    /// What the event carried beyond all this, kept for the audit.
    pub extra: Option<serde_json::Value>,
    /// Whether another event should have told of the message before.
    #[serde(default)]
    pub follows: bool,
    /// Whether the source forgot the message, and wants everybody to.
    #[serde(default)]
    pub erase: bool,
}

impl Arrival {
    /// The number that grows with time within the source, where it gives one: an older event never overwrites a newer one's
    /// state. (What earlier releases kept of an intake without numbers has a time in its place, which is none.)
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        (self.numbered || self.by != ReachedBy::Intake).then_some(self.event)
    }

    /// The messages whose time is too far ahead to be true.
    pub fn ahead(&self, now: Timestamp) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.sent_at > now.after(AHEAD))
    }

    /// The same, where what is said to be far ahead happens now: it would be the newest for as long as it is ahead.
    #[must_use]
    pub fn dated(mut self, now: Timestamp) -> Self {
        for time in self.messages.iter_mut().map(|message| &mut message.sent_at).chain([&mut self.at]) {
            if *time > now.after(AHEAD) {
                *time = now;
            }
        }
        self
    }

    /// Whether something was missed: the event follows another one, and its message is not known. (Of a message that is
    /// older than those that are kept nothing can be said.)
    #[must_use]
    pub fn shows_a_gap(&self, known: Option<&Conversation>) -> bool {
        let unknown = |known: &Conversation| {
            let sent_at =
                self.messages.iter().find(|message| message.id == self.message).map(|message| message.sent_at);
            known.messages.iter().all(|message| message.id != self.message)
                && known.messages.first().is_none_or(|oldest| sent_at.is_none_or(|at| oldest.sent_at <= at))
        };
        self.by == ReachedBy::Webhook && self.follows && known.is_none_or(unknown)
    }
}
