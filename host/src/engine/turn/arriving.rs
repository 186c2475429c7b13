//! An arrival is merged into its conversation.

use std::collections::HashSet;

use super::Turn;
use crate::domain::{Arrival, Conversation, Event, MessageId, merge};

impl Turn<'_> {
    /// Merges an arrival, and moves the delivery when that changed something. Answers the conversation's team.
    pub(in crate::engine) fn arrive(&mut self, number: u64, arrival: Arrival) -> Option<String> {
        let id = arrival.conversation.clone();
        self.commit.taken.push(number);
        let known = self.conversation(&id).cloned();
        if arrival.shows_a_gap(known.as_ref()) {
            self.commit.gaps.push((arrival.source.clone(), id.clone()));
        }
        let mut merged = merge(known.clone(), arrival.clone(), self.now);
        if known.is_none() {
            // Its record may have been set aside: what it is now is newer than what was sent of it.
            merged.conversation.version += self.delivery(&id).wanted;
        }
        if let Some(bytes) = merged.conversation.too_large() {
            self.refuse_as_too_large(number, &arrival, known, bytes);
            return None;
        }
        self.messages_of(known.as_ref(), &merged.conversation);
        self.keep(&id, merged.audit);
        let (version, team) = (merged.conversation.version, merged.conversation.team.clone());
        self.conversations.insert(id.clone(), merged.conversation);
        let mut delivery = self.delivery(&id);
        let today = self.now.day();
        if delivery.day != today {
            delivery.day = today;
            self.deliveries.insert(id.clone(), delivery);
        }
        if !merged.changed {
            return None;
        }
        self.step(&id, Event::Arrived { version });
        self.traced(&id, arrival.trace);
        self.park(&id);
        team
    }

    /// Which messages of a conversation can be asked about by their ids: those that it keeps.
    fn messages_of(&mut self, before: Option<&Conversation>, now: &Conversation) {
        let known: HashSet<_> = before.iter().flat_map(|it| &it.messages).map(|message| &message.id).collect();
        let kept: HashSet<_> = now.messages.iter().map(|message| &message.id).collect();
        let place = |message: &&MessageId| ((*message).clone(), now.id.clone());
        self.commit.messages.extend(kept.difference(&known).map(place));
        self.commit.gone.extend(known.difference(&kept).map(place));
    }
}
