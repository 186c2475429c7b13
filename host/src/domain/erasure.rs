//! Forgetting what a customer wrote and who that was, while what happened stays on record.

use super::{
    AccountId, Action, Arrival, Conversation, ConversationId, Customer, Direction, Fact, Fault, Link, Message,
    MessageId, ReachedBy, Refusal, SourceId, SyncError, Timestamp,
};

/// Stands where words were.
pub(crate) const ERASED: &str = "(erased)";

impl Conversation {
    /// Forgets a message, the answers to it and everything before it; and the customer, when nothing newer of theirs is
    /// left. What arrives of those again is not kept, nor what an event before this one says of the customer. Answers the
    /// messages that are known.
    pub fn erase(&mut self, event: u64, message: &MessageId, sent_at: Timestamp) -> Vec<MessageId> {
        self.state_as_of = self.state_as_of.max(event);
        let sent_at = self.messages.iter().find(|known| known.id == *message).map_or(sent_at, |known| known.sent_at);
        let newer =
            self.messages.iter().filter(|known| known.direction == Direction::Inbound && known.sent_at > sent_at);
        let next = newer.map(|known| known.sent_at).min();
        let answers = self.messages.iter().map(|known| known.sent_at).filter(|at| next.is_none_or(|next| *at < next));
        let until = answers.max().unwrap_or_default().max(sent_at);
        if next.is_none() {
            self.customer.erase();
            self.attributes.clear();
        }
        self.erase_until(until)
    }

    /// Forgets everything that was sent until now, and the customer. Answers the messages that are known.
    pub fn erase_all(&mut self, now: Timestamp) -> Vec<MessageId> {
        self.customer.erase();
        self.attributes.clear();
        // A clock of the source may be a little ahead.
        let newest = self.messages.iter().map(|message| message.sent_at).max();
        self.erase_until(newest.unwrap_or_default().max(now))
    }

    fn erase_until(&mut self, until: Timestamp) -> Vec<MessageId> {
        self.erased_until = self.erased_until.max(Some(until));
        let mut erased = Vec::new();
        for message in self.messages.iter_mut().filter(|known| known.sent_at <= until) {
            message.erase();
            erased.push(message.id.clone());
        }
        erased
    }

    /// Whether what arrives belongs to what was forgotten.
    pub(super) fn forgot(&self, message: &Message) -> bool {
        self.erased_until.is_some_and(|until| message.sent_at <= until)
    }

    /// Whether nothing that the customer wrote is left, nor is told anew.
    fn forgot_customer(&self, told: &[Message]) -> bool {
        let wrote = |message: &Message| message.direction == Direction::Inbound && !self.forgot(message);
        self.erased_until.is_some() && !self.messages.iter().chain(told).any(wrote)
    }
}

impl Customer {
    /// Forgets who it is; the source's id of them and the record in Salesforce stay.
    fn erase(&mut self) {
        (self.name, self.email, self.phone) = (None, None, None);
        self.attributes.clear();
    }
}

impl Message {
    /// Forgets the text, and a customer's name.
    pub(super) fn erase(&mut self) {
        self.body.clear();
        if self.direction == Direction::Inbound {
            self.author.clear();
        }
    }
}

impl Arrival {
    /// What a person asks for who wants a conversation forgotten.
    #[must_use]
    pub fn erasing(
        conversation: ConversationId,
        (source, account, message): (SourceId, AccountId, MessageId),
        by: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            source,
            account,
            account_name: String::new(),
            conversation,
            message,
            event: 0,
            numbered: false,
            kind: "erase".to_owned(),
            at,
            by: ReachedBy::Intake,
            channel: String::new(),
            url: None,
            team: None,
            agent: None,
            closed: None,
            tags: Vec::new(),
            attributes: Vec::new(),
            customer: Customer::default(),
            messages: Vec::new(),
            extra: None,
            follows: false,
            erase: true,
            erased_by: Some(by.to_owned()),
            trace: None,
        }
    }

    /// Forgets what it carries of messages that a conversation forgot; and of the customer, where nothing newer of theirs is
    /// known: a platform that says again all that it knows does not bring back who that was.
    pub(super) fn forget_with(&mut self, known: Option<&Conversation>) {
        let Some(known) = known else { return };
        let mut forgot = known.forgot_customer(&self.messages);
        if forgot {
            self.customer.erase();
            self.attributes.clear();
        }
        for message in self.messages.iter_mut().filter(|message| known.forgot(message)) {
            message.erase();
            forgot = true;
        }
        if forgot {
            self.extra = None;
        }
    }
}

impl Fact {
    /// Forgets words that may be a customer's; what happened, when and by whom stays.
    pub fn erase(&mut self) {
        match self {
            Self::Arrived { extra, .. } => *extra = None,
            Self::Routed { logs, rule, .. } | Self::PolicySaid { logs, rule, .. } => {
                logs.clear();
                *rule = None;
            }
            Self::Linked { link, .. } => {
                if let Link::Create(fields) = link {
                    *fields = Default::default();
                }
            }
            Self::NotEligible { reason } => *reason = ERASED.to_owned(),
            Self::CrmSynchroError { text, .. } | Self::Parked { text, .. } => *text = ERASED.to_owned(),
            Self::PolicyFailed { fault, .. } => *fault = ERASED.to_owned(),
            Self::Ignored { reason, .. } => *reason = ERASED.to_owned(),
            Self::Delivered { .. }
            | Self::Quarantined { .. }
            | Self::RetryAsked { .. }
            | Self::ResyncAsked { .. }
            | Self::Reopened { .. }
            | Self::ContactChosen { .. }
            | Self::Resolved { .. }
            | Self::Erased { .. } => {}
        }
    }
}

impl Action {
    /// Forgets why it was done, which may name a customer; that it was, when and by whom stays.
    pub fn erase(&mut self) {
        if self.reason.is_some() {
            self.reason = Some(ERASED.to_owned());
        }
    }
}

impl SyncError {
    /// Forgets words that may be a customer's; class, code and records stay.
    pub fn erase(&mut self) {
        self.refusal.erase();
        self.person = None;
        if self.reason.is_some() {
            self.reason = Some(ERASED.to_owned());
        }
        if self.held.is_some() {
            self.held = Some(ERASED.to_owned());
        }
        for moment in self.history.iter_mut().filter(|moment| moment.reason.is_some()) {
            moment.reason = Some(ERASED.to_owned());
        }
    }
}

impl Refusal {
    /// Whether its words were forgotten.
    pub(crate) fn is_erased(&self) -> bool {
        self.text == ERASED
    }

    fn erase(&mut self) {
        self.text = ERASED.to_owned();
        (self.request, self.answer, self.choice) = (None, None, None);
        if let Some(blame) = &mut self.blame {
            match &mut blame.fault {
                Fault::Trapped { message } | Fault::Refused { message, .. } | Fault::Senseless { message } => {
                    *message = ERASED.to_owned();
                }
                Fault::TooSlow { .. } | Fault::TooLarge { .. } => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Attribute, Cause, Change, Class, ConversationId, Customer, OrgId, State, SyncErrorId, merge};

    const SECRET: &str = "my secret";
    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn arrival(event: u64, messages: Vec<Message>) -> Arrival {
        let arrival = serde_json::json!({
            "source": "main", "account": "12", "account_name": "", "conversation": "main:1", "message": messages[0].id,
            "event": event, "kind": "task-create", "at": "2026-01-05T09:30:00Z", "by": "poll", "channel": "whatsapp",
            "url": null, "team": null, "agent": null, "closed": null, "tags": [], "attributes": [],
            "customer": { "id": "99" }, "messages": messages, "extra": null,
        });
        serde_json::from_value(arrival).unwrap()
    }

    fn message(id: &str, direction: Direction, at: u64) -> Message {
        let sent_at = Timestamp::from_millis(at);
        Message { id: MessageId::new(id).unwrap(), direction, author: "Jane".into(), body: SECRET.into(), sent_at }
    }

    fn conversation() -> Conversation {
        let customer =
            Customer { name: Some("Jane".into()), email: Some("jane@example.com".into()), ..Customer::default() };
        let messages = vec![
            message("m:1", Direction::Inbound, 10),
            message("m:a1", Direction::Outbound, 20),
            message("m:2", Direction::Inbound, 30),
            message("m:a2", Direction::Outbound, 40),
        ];
        let attributes = vec![Attribute { name: "1".into(), value: SECRET.into() }];
        Conversation { customer, attributes, ..merge(None, arrival(1, messages), NOW).conversation }
    }

    fn bodies(of: &Conversation) -> Vec<&str> {
        of.messages.iter().map(|message| message.body.as_str()).collect()
    }

    #[test]
    fn a_message_goes_with_its_answers_and_the_customer_with_the_last_message() {
        let mut conversation = conversation();
        let erased = conversation.erase(2, &MessageId::new("m:1").unwrap(), Timestamp::default());
        assert_eq!(erased.len(), 2);
        assert_eq!(bodies(&conversation), ["", "", SECRET, SECRET]);
        assert_eq!((conversation.messages[0].author.as_str(), conversation.messages[1].author.as_str()), ("", "Jane"));
        assert!(conversation.customer.email.is_some());
        conversation.erase(2, &MessageId::new("m:2").unwrap(), Timestamp::default());
        assert_eq!(bodies(&conversation), ["", "", "", ""]);
        assert!(conversation.customer.email.is_none() && conversation.attributes.is_empty());
        assert!(!serde_json::to_string(&conversation).unwrap().contains(SECRET));
    }

    #[test]
    fn what_was_forgotten_is_not_learned_again_and_a_new_message_is() {
        let mut conversation = conversation();
        conversation.erase(2, &MessageId::new("m:2").unwrap(), Timestamp::default());
        let again = vec![message("m:1", Direction::Inbound, 10), message("m:0", Direction::Inbound, 5)];
        let mut late = arrival(1, again);
        late.customer.email = Some(SECRET.into());
        late.extra = Some(SECRET.into());
        let merged = merge(Some(conversation), late, NOW);
        let told = serde_json::to_string(&(&merged.conversation, &merged.audit)).unwrap();
        assert!(!told.contains(SECRET), "{told}");
        let new = arrival(9, vec![message("m:3", Direction::Inbound, 50)]);
        assert_eq!(bodies(&merge(Some(merged.conversation), new, NOW).conversation).last(), Some(&SECRET));
    }

    #[test]
    fn a_sync_error_keeps_its_code_and_loses_its_words() {
        let refusal = Refusal::new(Class::Record, "DUPLICATES_DETECTED", SECRET);
        let (org, message) = (OrgId::new("acme").unwrap(), MessageId::new("m:1").unwrap());
        let conversation: ConversationId = "main:1".parse().unwrap();
        let id = SyncErrorId::of(&org, &conversation, 1);
        let group = Cause::new(&org, &refusal).identify().id;
        let mut error = SyncError::blank(id, org, conversation, message, group, refusal, Timestamp::default());
        error.apply(Change::Ignore { by: "ann".into(), reason: SECRET.into(), operation: None }, Timestamp::default());
        assert!(!error.refusal.is_erased());
        error.erase();
        assert!(error.refusal.is_erased());
        let told = serde_json::to_string(&error).unwrap();
        assert!(!told.contains(SECRET) && told.contains("DUPLICATES_DETECTED") && told.contains("ann"), "{told}");
        assert_eq!(error.state, State::Ignored);
        let mut fact =
            Fact::Ignored { sync_error: SyncErrorId::new("se-1").unwrap(), by: "ann".into(), reason: SECRET.into() };
        fact.erase();
        assert!(!format!("{fact:?}").contains(SECRET));
    }
}
