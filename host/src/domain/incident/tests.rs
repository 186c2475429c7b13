//! What opens an incident, what keeps it open, and what ends it.

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + seconds * 1000)
}

fn dead() -> Refusal {
    Refusal::new(Class::Auth, "invalid_grant", "expired access/refresh token").of_org()
}

fn outage(call: u64) -> Refusal {
    Refusal { call: Some(call), ..Refusal::new(Class::Transient, "TIMEOUT", "").of_org() }
}

fn opened(refusal: &Refusal) -> Incident {
    let mut incident = Incident::default();
    incident.step(IncidentEvent::Refused(refusal), at(0));
    incident
}

fn next_probe(incident: &Incident) -> Timestamp {
    match incident.passage(at(0)) {
        Passage::Barred(Some(next)) => next,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dead_connection_opens_it_at_once_and_is_probed_one_at_a_time() {
    let mut incident = opened(&dead());
    assert_eq!(next_probe(&incident), at(120));
    assert_eq!(incident.passage(at(120)), Passage::Probe);
    incident.step(IncidentEvent::ProbeBegan, at(120));
    assert_eq!(incident.passage(at(500)), Passage::Barred(None), "one probe at a time");
    incident.step(IncidentEvent::Refused(&dead()), at(121));
    assert_eq!(incident.passage(at(122)), Passage::Barred(Some(at(361))), "each wait is longer");
    assert_eq!(incident.cause().map(|(since, _)| since), Some(at(0)), "it is one incident from its beginning on");
}

#[test]
fn a_limit_is_looked_at_every_quarter_of_an_hour() {
    let limit = Refusal::new(Class::Limit, "REQUEST_LIMIT_EXCEEDED", "").of_org();
    let mut incident = opened(&limit);
    assert!(incident.is_open());
    for round in 1..=3 {
        assert_eq!(incident.passage(at(0)), Passage::Barred(Some(at(900 * round))));
        incident.step(IncidentEvent::ProbeBegan, at(900 * round));
        incident.step(IncidentEvent::Refused(&limit), at(900 * round));
    }
}

#[test]
fn a_dead_token_is_asked_about_some_thirty_times_a_day_and_not_seven_hundred() {
    let (mut incident, mut now, mut probes) = (opened(&dead()), at(0), 0);
    while now < at(24 * 3600) {
        let Passage::Barred(Some(next)) = incident.passage(now) else { panic!("it is open") };
        now = next;
        incident.step(IncidentEvent::ProbeBegan, now);
        incident.step(IncidentEvent::Refused(&dead()), now);
        probes += 1;
    }
    assert!((24..32).contains(&probes), "{probes}");
}

#[test]
fn one_record_that_is_refused_never_opens_it() {
    let mut incident = Incident::default();
    for _ in 0..100 {
        incident.step(IncidentEvent::Refused(&Refusal::new(Class::Transient, "UNABLE_TO_LOCK_ROW", "")), at(0));
    }
    assert_eq!(incident.passage(at(0)), Passage::Free);
}

#[test]
fn an_outage_opens_it_after_five_calls_in_a_row_and_a_call_with_two_hundred_records_counts_once() {
    let mut incident = Incident::default();
    for call in 1..=4 {
        (0..200).for_each(|_| incident.step(IncidentEvent::Refused(&outage(call)), at(0)));
        assert_eq!(incident.status, IncidentStatus::Suspected { in_a_row: u32::try_from(call).unwrap() });
        assert!(!incident.is_open(), "what arrives is still sent");
        assert_eq!(incident.passage(at(0)), Passage::Free);
    }
    incident.step(IncidentEvent::Refused(&outage(5)), at(0));
    assert_eq!(next_probe(&incident), at(10));
}

#[test]
fn probes_of_an_outage_grow_apart_up_to_two_minutes() {
    let mut incident = Incident::default();
    (1..=5).for_each(|call| incident.step(IncidentEvent::Refused(&outage(call)), at(0)));
    let mut waits = Vec::new();
    let mut now = at(0);
    for call in 6..12 {
        let Passage::Barred(Some(next)) = incident.passage(now) else { panic!("it is open") };
        waits.push(next.since(now).as_secs());
        now = next;
        incident.step(IncidentEvent::ProbeBegan, now);
        incident.step(IncidentEvent::Refused(&outage(call)), now);
    }
    assert_eq!(waits, [10, 20, 40, 80, 120, 120]);
}

#[test]
fn what_was_on_its_way_when_it_opened_does_not_put_the_next_probe_off() {
    let mut incident = opened(&dead());
    incident.step(IncidentEvent::Refused(&dead()), at(60));
    assert_eq!(incident.passage(at(61)), Passage::Barred(Some(at(120))));
}

#[test]
fn its_end_is_a_ramp_and_a_refusal_on_the_way_opens_the_same_one_again() {
    let mut incident = opened(&dead());
    incident.step(IncidentEvent::ProbeBegan, at(120));
    incident.step(IncidentEvent::GotThrough, at(121));
    assert_eq!(incident.passage(at(121)), Passage::Ramp(4));
    incident.step(IncidentEvent::GotThrough, at(121));
    assert_eq!(incident.passage(at(121)), Passage::Ramp(8));
    incident.step(IncidentEvent::Refused(&dead()), at(122));
    assert!(incident.is_open());
    assert_eq!(incident.cause().map(|(since, _)| since), Some(at(0)));
    incident.step(IncidentEvent::LiftAsked, at(130));
    assert_eq!(incident.passage(at(130)), Passage::Probe, "a person's word brings the probe forward, and ends nothing");
    (0..9).for_each(|_| incident.step(IncidentEvent::GotThrough, at(131)));
    assert_eq!((incident.passage(at(131)), incident.cause()), (Passage::Free, None));
}

#[test]
fn a_call_that_is_answered_ends_it_only_where_nothing_waits() {
    let mut incident = opened(&dead());
    incident.step(IncidentEvent::ProbeBegan, at(120));
    incident.step(IncidentEvent::ProbeAnswered, at(121));
    assert_eq!(incident.status, IncidentStatus::Closed);
}

#[test]
fn a_probe_that_asked_nothing_leaves_the_place_to_another() {
    let mut incident = opened(&dead());
    incident.step(IncidentEvent::ProbeBegan, at(120));
    incident.step(IncidentEvent::Unasked, at(121));
    assert_eq!(incident.passage(at(121)), Passage::Probe);
}

proptest! {
    /// However events come, an open incident is always probed again within its longest pause.
    #[test]
    fn an_open_incident_is_always_probed_again(events in prop::collection::vec(0..8_u8, 1..60)) {
        let (mut incident, mut now) = (Incident::default(), at(0));
        let limit = Refusal::new(Class::Limit, "REQUEST_LIMIT_EXCEEDED", "").of_org();
        for (number, event) in events.into_iter().enumerate() {
            now = now.after(Duration::from_secs(7));
            let refusal = outage(number as u64);
            let event = match event {
                0 => IncidentEvent::GotThrough,
                1 | 2 => IncidentEvent::Refused(&refusal),
                3 => IncidentEvent::Refused(&limit),
                4 => IncidentEvent::Unasked,
                5 if incident.passage(now) == Passage::Probe => IncidentEvent::ProbeBegan,
                6 => IncidentEvent::LiftAsked,
                _ => IncidentEvent::Drained,
            };
            incident.step(event, now);
            match incident.passage(now) {
                Passage::Barred(Some(next)) => prop_assert!(next.since(now) <= PAUSE_LIMIT),
                Passage::Barred(None) => prop_assert!(incident.probing),
                Passage::Ramp(places) => prop_assert!((RAMP_FIRST..RAMP_LAST).contains(&places)),
                Passage::Free | Passage::Probe => {}
            }
        }
    }
}
