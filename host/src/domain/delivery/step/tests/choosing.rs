//! A person's word on which contact the customer is.

use super::*;
use crate::domain::{Pick, RecordId};

fn contact(number: u32) -> RecordId {
    RecordId::new(format!("003{number:012}AAA")).unwrap()
}

fn picked(number: u32) -> Pick {
    Pick::Contact(contact(number))
}

fn choose(pick: Pick) -> Event {
    Event::ContactChosen { by: "ann".into(), pick, sync_error: error(1), message: message(1) }
}

/// It got through, linked to this contact.
fn linked(number: Option<u32>) -> Event {
    Event::Delivered { message: message(1), records: Records { contact: number.map(contact), ..Records::default() } }
}

fn ambiguous() -> Vec<Event> {
    vec![arrived(1), Event::Started, failed(1, Class::Contact, Verdict::AsUsual)]
}

fn after(events: Vec<Event>) -> Delivery {
    walk([ambiguous(), events].concat()).0
}

#[test]
fn a_choice_is_tried_at_once_and_stays_when_that_got_through() {
    let (state, effects) = walk([ambiguous(), vec![choose(picked(2))]].concat());
    assert!(matches!(state.phase, Phase::Ready { work: Work::Due, .. }), "{state:?}");
    assert_eq!(changes(&effects), ["pending", "retry"]);
    let told = |effect: &Effect| matches!(effect, Effect::Audit { fact: Fact::ContactChosen { .. }, .. });
    assert_eq!(effects.iter().filter(|effect| told(effect)).count(), 1);
    let state = after(vec![choose(picked(2)), Event::Started, linked(Some(2))]);
    assert_eq!((state.phase, state.open), (Phase::Idle, None));
    assert_eq!(state.chosen.unwrap().pick, picked(2));
}

#[test]
fn an_attempt_on_its_way_does_not_undo_a_choice() {
    for (pick, then) in [(picked(2), Some(2)), (Pick::NoContact, None)] {
        let on_its_way = vec![retry(), Event::Started, choose(pick), linked(Some(1))];
        let state = after(on_its_way.clone());
        assert!(matches!(state.phase, Phase::Ready { work: Work::Due, .. }), "it is written again: {state:?}");
        let state = after([on_its_way, vec![Event::Started, linked(then)]].concat());
        assert_eq!(state.phase, Phase::Idle);
    }
}

#[test]
fn what_got_through_is_written_again_with_another_choice() {
    let state = after(vec![choose(picked(1)), Event::Started, linked(Some(1)), choose(picked(2))]);
    assert!(matches!(state.phase, Phase::Ready { work: Work::Due, .. }), "{state:?}");
    assert_eq!(state.chosen.unwrap().pick, picked(2));
}

#[test]
fn a_choice_that_is_taken_back_leaves_the_policy_to_decide_also_during_an_attempt() {
    let back = || choose(Pick::Policy);
    let before = || vec![choose(picked(1)), Event::Started, linked(Some(1))];
    let state = after([before(), vec![back()]].concat());
    assert_eq!((state.chosen, state.records.contact), (None, None));
    for ends in [linked(Some(1)), failed(1, Class::Record, Verdict::AsUsual)] {
        let state = after([before(), vec![choose(picked(2)), Event::Started, back(), ends]].concat());
        assert!(matches!(state.phase, Phase::Ready { .. }), "it is sent again: {state:?}");
        assert_eq!((state.chosen, state.records.contact), (None, None));
    }
    let killed = vec![choose(picked(1)), Event::Started, back(), Event::Restarted, Event::Started];
    assert_eq!(after(killed).chosen, None, "the attempt after the start asks the policy");
}

#[test]
fn a_contact_that_was_gone_can_be_chosen_again() {
    let records = Records { gone: Some(contact(1)), ..Records::default() };
    let gone = Failure { records, ..failure(1, "GONE", Class::Contact, Verdict::AsUsual, 1) };
    let before = || vec![choose(picked(1)), Event::Started, Event::Failed(Box::new(gone.clone()))];
    assert_eq!(after(before()).records.gone, Some(contact(1)));
    assert_eq!(after([before(), vec![choose(picked(2))]].concat()).records.gone, Some(contact(1)));
    assert_eq!(after([before(), vec![choose(picked(1))]].concat()).records.gone, None, "it was restored");
}

#[test]
fn a_choice_reads_back_as_it_was_written() {
    for (pick, text) in [(Pick::NoContact, "none"), (Pick::Policy, "policy"), (picked(1), "003000000000001AAA")] {
        assert_eq!(serde_json::to_value(&pick).unwrap(), text);
        assert_eq!(serde_json::from_value::<Pick>(text.into()).unwrap(), pick);
    }
    assert!(picked(1).is_same(&"003000000000001".parse().unwrap()) && !picked(1).is_same(&picked(2)));
    assert!("' OR Name LIKE '%".parse::<Pick>().is_err());
}
