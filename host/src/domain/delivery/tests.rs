//! What a delivery knows of itself: what is forgotten, which id is next, and what is written of it.

use super::*;
use crate::domain::{Cause, Class, Refusal};

fn sending(version: u64) -> Phase {
    Phase::Sending { version, work: Work::New, since: Timestamp::default(), again: false }
}

#[test]
fn what_is_about_a_version_that_was_forgotten_is_forgotten() {
    let delivery = |wanted, phase, erased| Delivery { wanted, phase, erased, ..Delivery::default() };
    for (wanted, phase, erased, is_erased) in [
        (3, Phase::Idle, 0, false),
        (0, Phase::Idle, 0, false),
        (3, Phase::Idle, 2, false),
        (3, Phase::Idle, 3, true),
        (3, Phase::Held, 4, true),
        (3, sending(2), 2, true),
        (2, sending(3), 2, false),
    ] {
        assert_eq!(delivery(wanted, phase, erased).is_erased(), is_erased, "{wanted} {phase:?} {erased}");
    }
}

#[test]
fn a_sync_error_keeps_its_id_while_it_is_open_and_the_next_one_has_the_next_number() {
    let (org, conversation) = (OrgId::new("acme").unwrap(), "main:1".parse().unwrap());
    let number = |number| SyncErrorId::of(&org, &conversation, number);
    let mut delivery = Delivery { errors: 3, ..Delivery::default() };
    assert_eq!(delivery.error_id(&org, &conversation), number(4));
    delivery.open = Some(OpenError {
        id: number(2),
        state: State::Pending,
        group: Cause::new(&org, &Refusal::new(Class::Record, "CODE", "")).identify().id,
        message: "main:1".parse().unwrap(),
        version: 1,
        ignored_at: 0,
    });
    assert_eq!(delivery.error_id(&org, &conversation), number(2));
}

#[test]
fn a_delivery_reads_back_as_it_was_written_and_counts_of_nothing_are_left_out() {
    let counted = Delivery { attempts: 1, errors: 2, page: 3, ..Delivery::default() };
    let json = serde_json::to_value(&counted).unwrap();
    assert_eq!(serde_json::from_value::<Delivery>(json).unwrap(), counted);
    let json = serde_json::to_value(Delivery::default()).unwrap();
    assert!(["attempts", "errors", "page"].iter().all(|field| json.get(field).is_none()), "{json}");
}
