//! A person says which contact the customer of a conversation is: kept with its action, and sent anew.

use super::Error;
use super::turn::Turn;
use crate::domain::{Asker, Change, Chosen, Deed, Event, Pick, State, SyncError, TransitionError};

/// What a person asks.
pub(super) struct Choosing {
    /// The sync error, as it was when they asked: that of the conversation may be another one by now.
    pub(super) error: SyncError,
    pub(super) pick: Pick,
    /// What they saw chosen before.
    pub(super) instead_of: Option<Pick>,
}

impl Turn<'_> {
    /// Keeps what was chosen, if nobody has chosen otherwise meanwhile; answers how the sync error stands then.
    pub(super) fn choose(
        &mut self,
        asked: &Choosing,
        asker: &Asker,
        trace: Option<String>,
    ) -> Result<SyncError, Error> {
        let (id, conversation) = (&asked.error.id, &asked.error.conversation);
        if self.conversation(conversation).is_none() {
            return Err(Error::NoSuchError(id.clone()));
        }
        let delivery = self.delivery(conversation);
        let open = self.sync_error(id).cloned();
        let chosen = delivery.chosen.filter(|chosen| chosen.pick != Pick::Policy);
        if let (Some(chosen), Some(error)) = (&chosen, &open)
            && chosen.pick.is_same(&asked.pick)
            && error.state != State::Pending
        {
            return Ok(error.clone());
        }
        stands(chosen.as_deref(), asked)?;
        let by = asker.name.clone();
        match &open {
            Some(error) => error.allows(&Change::Retry { by: by.clone() }).map_err(|no| refused(no.state))?,
            // What got through with what was chosen is corrected; another sync error has to be over first.
            None if chosen.is_some() && delivery.open.is_none() => {}
            None => return Err(refused(State::Resolved).into()),
        }
        let pick = named(open.as_ref().unwrap_or(&asked.error), &asked.pick, chosen.is_some())?;
        let action = self.action(asker, Deed::Choose).about(id).because(&pick.to_string());
        let message = open.as_ref().unwrap_or(&asked.error).message.clone();
        let event = Event::ContactChosen { by, pick, sync_error: id.clone(), message };
        self.step_as_asked(conversation, event, asker.request.known());
        self.traced(conversation, trace);
        self.commit.actions.push(action);
        let over = || SyncError { state: State::Resolved, ..asked.error.clone() };
        Ok(self.sync_error(id).cloned().unwrap_or_else(over))
    }
}

const fn refused(state: State) -> TransitionError {
    TransitionError { state, asked: "given a contact" }
}

/// Whether what stands is what the asker saw.
fn stands(chosen: Option<&Chosen>, asked: &Choosing) -> Result<(), Error> {
    let Some(chosen) = chosen else {
        let changes = asked.instead_of.is_some() || asked.pick == Pick::Policy;
        return if changes { Err(Error::NothingChosen) } else { Ok(()) };
    };
    let seen = asked.instead_of.as_ref().is_some_and(|before| before.is_same(&chosen.pick));
    if seen || chosen.pick.is_same(&asked.pick) { Ok(()) } else { Err(Error::Chosen(Box::new(chosen.clone()))) }
}

/// What was chosen, as the sync error names it: no other contact is linked by a person's word.
fn named(error: &SyncError, pick: &Pick, was_chosen: bool) -> Result<Pick, Error> {
    let candidates = error.refusal.candidates();
    match pick {
        Pick::Contact(_) => {
            let mut named = candidates.into_iter().map(Pick::Contact);
            named.find(|named| named.is_same(pick)).ok_or_else(|| Error::NotACandidate(pick.clone()))
        }
        Pick::NoContact if candidates.is_empty() && !was_chosen => Err(Error::NotACandidate(pick.clone())),
        Pick::NoContact | Pick::Policy => Ok(pick.clone()),
    }
}
