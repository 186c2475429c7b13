//! A conversation that is larger than a record can be: what arrived is set aside, and a sync error says so.

use super::turn::Turn;
use crate::domain::{
    Arrival, CONVERSATION_BYTES, Class, Conversation, Event, Fact, Failure, MessageId, Records, Refusal, Verdict,
};
use crate::domain::{Cause, Phase};
use crate::ledger::Quarantined;

/// The refusal of a conversation that would take so many bytes. Its cause is one, however many those are.
pub(super) fn of_a_large_conversation(bytes: usize) -> Refusal {
    let text = format!(
        "The conversation would take {bytes} bytes, and a conversation may take {CONVERSATION_BYTES}. What arrived is in the \
         quarantine; what is known of the conversation stays as it was."
    );
    Refusal::new(Class::Record, "CONVERSATION_TOO_LARGE", text)
}

impl Turn<'_> {
    /// Sets an arrival aside that would make its conversation too large. The conversation stays as it was known; one that was
    /// not known is kept by its ids alone, so that its sync error has something to lead to.
    pub(super) fn refuse_as_too_large(
        &mut self,
        number: u64,
        arrival: &Arrival,
        known: Option<Conversation>,
        bytes: usize,
    ) {
        let id = arrival.conversation.clone();
        let refusal = of_a_large_conversation(bytes);
        let text = refusal.text.clone();
        self.quarantine(Quarantined::arrival(self.org, number, arrival, text.clone()));
        let conversation = known.unwrap_or_else(|| arrival.by_its_ids());
        let (version, message) = (conversation.version + 1, arrival.message.clone());
        let mut delivery = self.delivery(&id);
        delivery.day = self.now.day();
        self.rewrite(Conversation { version, ..conversation }, delivery);
        self.commit.messages.push((message.clone(), id.clone()));
        self.audit(&id, message.clone(), Vec::new(), Fact::Quarantined { reason: text.clone() });
        if matches!(self.delivery(&id).phase, Phase::Sending { .. }) {
            // What is on its way is the conversation as it was known; the quarantine has what is missing.
            return;
        }
        self.step(&id, Event::Arrived { version });
        self.step(&id, Event::Started);
        let failure = self.too_large(&id, message, refusal);
        self.step(&id, Event::Failed(Box::new(failure)));
        self.todo.retain(|todo| !matches!(todo, super::turn::Todo::Queue(_, queued) if *queued == id));
    }

    fn too_large(&self, id: &crate::domain::ConversationId, message: MessageId, refusal: Refusal) -> Failure {
        let delivery = self.delivery(id);
        Failure {
            error: delivery.error_id(self.org, id),
            group: Cause::new(self.org, &refusal).identify().id,
            affected: vec![message.clone()],
            message,
            records: Records { ..delivery.records },
            refusal,
            verdict: Verdict::Hold,
            judged_by: None,
            ignored_by: None,
            held: None,
            parks: false,
            jitter: 0,
        }
    }
}
