//! What follows for a delivery from a person's word on which contact the customer is.

use crate::domain::delivery::{Chosen, Delivery, Phase, Pick};

/// Keeps what was chosen, from the next attempt on.
pub(super) fn keep(state: &mut Delivery, chosen: Chosen) {
    match &chosen.pick {
        // It may have been restored.
        Pick::Contact(contact) => drop(state.records.gone.take_if(|gone| gone.is_same(contact.as_str()))),
        Pick::NoContact => {}
        // The policy is asked as if nothing had been linked.
        Pick::Policy => state.records.contact = None,
    }
    let stands = chosen.pick != Pick::Policy || matches!(state.phase, Phase::Sending { .. });
    state.chosen = stands.then(|| Box::new(chosen));
}

/// An attempt begins: it heeds what was chosen, or taken back, by now.
pub(super) fn begins(state: &mut Delivery) {
    state.chosen.take_if(|chosen| chosen.pick == Pick::Policy);
}

/// An attempt has ended: whether a person said meanwhile that the customer is somebody else than it took them for.
pub(super) fn overtook(state: &mut Delivery) -> bool {
    let linked = state.records.contact.as_ref();
    match state.chosen.as_ref().map(|chosen| &chosen.pick) {
        None => false,
        Some(Pick::Contact(contact)) => {
            linked.is_none_or(|linked| linked != contact && !linked.is_same(contact.as_str()))
        }
        Some(Pick::NoContact) => linked.is_some(),
        Some(Pick::Policy) => {
            (state.chosen, state.records.contact) = (None, None);
            true
        }
    }
}
