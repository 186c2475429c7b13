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
    /// Who wants the whole conversation forgotten, where that is a person and not the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_by: Option<String>,
    /// The span that put it into the inbox, as a W3C `traceparent`, where traces are on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
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
#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merge;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    /// About the message that is told first; messages by number, with the seconds after [`NOW`] at which they were sent.
    fn arrival(messages: &[(u64, u64)]) -> Arrival {
        let at = |seconds: u64| NOW.after(Duration::from_secs(seconds));
        let message = |(number, sent): &(u64, u64)| {
            serde_json::json!({ "id": format!("main:{number}"), "direction": "inbound", "author": "", "body": "x",
                "sent_at": at(*sent) })
        };
        let told: Vec<_> = messages.iter().map(message).collect();
        serde_json::from_value(serde_json::json!({
            "source": "main", "account": "12", "account_name": "", "conversation": "main:1", "message": told[0]["id"],
            "event": 7, "kind": "task-create", "at": told[0]["sent_at"], "by": "webhook", "channel": "chat", "url": null,
            "team": null, "agent": null, "closed": null, "tags": [], "attributes": [], "customer": { "id": "99" },
            "messages": told, "extra": null, "follows": true,
        }))
        .unwrap()
    }

    #[test]
    fn a_number_orders_events_where_the_source_gives_one() {
        for (by, numbered, sequence) in [
            (ReachedBy::Webhook, false, Some(7)),
            (ReachedBy::Poll, false, Some(7)),
            (ReachedBy::Intake, true, Some(7)),
            (ReachedBy::Intake, false, None),
        ] {
            assert_eq!(Arrival { by, numbered, ..arrival(&[(1, 0)]) }.sequence(), sequence, "{by:?} {numbered}");
        }
    }

    #[test]
    fn up_to_an_hour_ahead_is_believed_and_what_is_further_ahead_happens_now() {
        let told = arrival(&[(1, 3_600), (2, 3_601), (3, 0)]);
        let ahead: Vec<_> = told.ahead(NOW).map(|message| message.id.as_str()).collect();
        assert_eq!(ahead, ["main:2"]);
        let hour = NOW.after(Duration::from_secs(3_600));
        let dated = told.dated(NOW);
        assert_eq!(dated.at, hour);
        let times: Vec<_> = dated.messages.iter().map(|message| message.sent_at).collect();
        assert_eq!(times, [hour, NOW, NOW]);
        assert_eq!(arrival(&[(1, 3_601)]).dated(NOW).at, NOW);
    }

    #[test]
    fn a_gap_shows_where_an_event_follows_another_that_nobody_told_of() {
        let known = merge(None, arrival(&[(10, 10), (20, 20)]), NOW).conversation;
        let gap = |of: &Arrival| of.shows_a_gap(Some(&known));
        assert!(arrival(&[(1, 0)]).shows_a_gap(None), "nothing is known of the conversation");
        assert!(gap(&arrival(&[(15, 15)])));
        assert!(gap(&arrival(&[(11, 10)])), "it may have come at the same moment as the oldest");
        assert!(!gap(&arrival(&[(20, 20)])), "it is known");
        assert!(!gap(&arrival(&[(5, 5)])), "it may have been known once");
        let mut beside = arrival(&[(5, 5), (15, 15)]);
        beside.message = beside.messages[1].id.clone();
        assert!(gap(&beside), "what else is told says nothing of it");
        beside.messages.clear();
        assert!(gap(&beside), "when it was sent is not told");
        let empty = Conversation { messages: Vec::new(), ..known.clone() };
        assert!(arrival(&[(5, 5)]).shows_a_gap(Some(&empty)));
        for other in [
            Arrival { by: ReachedBy::Poll, ..arrival(&[(15, 15)]) },
            Arrival { follows: false, ..arrival(&[(15, 15)]) },
        ] {
            assert!(!gap(&other) && !other.shows_a_gap(None), "{:?} {}", other.by, other.follows);
        }
    }
}
