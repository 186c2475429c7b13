//! Which changes are told, and that their types read back as they are written.

use super::*;
use crate::domain::{Cause, GroupChange, IncidentEvent, Refusal};

const HOUR_MS: u64 = 3_600_000;

fn at(hours: u64) -> Timestamp {
    Timestamp::from_millis((500_000 + hours) * HOUR_MS)
}

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn refusal() -> Refusal {
    Refusal::new(Class::Record, "CODE", "words")
}

fn error(state: State, group: &str) -> SyncError {
    let (id, conversation, message) = ("se-1".parse().unwrap(), "main:1".parse().unwrap(), "main:2".parse().unwrap());
    let group = Cause::new(&org(), &Refusal::new(Class::Record, group, "words")).identify().id;
    SyncError { state, ..SyncError::blank(id, org(), conversation, message, group, refusal(), at(0)) }
}

#[test]
fn of_a_sync_error_is_told_that_its_state_or_its_cause_changed_and_nothing_else() {
    use EventType as T;
    use State::{Ignored, Pending, Resolved, Retrying};
    let told = |before: Option<State>, now| {
        let before = before.map(|state| error(state, "A"));
        HostEvent::of_error(before.as_ref(), &error(now, "A"), at(0)).map(|event| event.what)
    };
    for now in [Pending, Retrying, Ignored] {
        assert_eq!(told(None, now), Some(T::ErrorOpened));
    }
    for (before, now, what) in [
        (Pending, Retrying, T::ErrorRetrying),
        (Retrying, Pending, T::ErrorFailed),
        (Pending, Ignored, T::ErrorIgnored),
        (Ignored, Pending, T::ErrorReopened),
        (Ignored, Retrying, T::ErrorReopened),
        (Retrying, Resolved, T::ErrorResolved),
        (Ignored, Resolved, T::ErrorResolved),
    ] {
        assert_eq!(told(Some(before), now), Some(what), "{before} {now}");
    }
    for state in State::ALL {
        assert_eq!(told(Some(state), state), None, "{state}");
    }
    let other = HostEvent::of_error(Some(&error(Retrying, "A")), &error(Retrying, "B"), at(0)).unwrap();
    assert_eq!(other.what, T::ErrorFailed, "by another cause");
}

#[test]
fn of_a_cause_is_told_once_that_it_is_new_escalates_and_is_back() {
    let mut group = Group::new(&Cause::new(&org(), &refusal()), at(0));
    let mut change = |times: usize, before, after, now| {
        let known = (group.counts != crate::domain::ErrorCounts::default()).then(|| GroupStood::of(&group, now));
        for _ in 0..times {
            let sync_error = "se-1".parse().unwrap();
            group.apply(GroupChange { sync_error, before, after: Some(after), failed: before.is_none(), at: now });
        }
        HostEvent::of_group(known, &group, now).map(|event| event.what)
    };
    use State::{Ignored, Pending};
    assert_eq!(change(1, None, Pending, at(0)), Some(EventType::GroupNew));
    assert_eq!(change(10, None, Pending, at(5)), None);
    assert_eq!(change(40, None, Pending, at(6)), Some(EventType::GroupEscalating));
    assert_eq!(change(1, None, Pending, at(6)), None, "it was told");
    assert_eq!(change(52, Some(Pending), Ignored, at(7)), None);
    assert_eq!(change(1, None, Pending, at(40)), Some(EventType::GroupRegressed));
    assert_eq!(change(1, None, Pending, at(40)), None);
}

#[test]
fn of_an_incident_is_told_that_it_began_and_that_it_is_over_and_not_how_it_goes() {
    let mut incident = Incident::default();
    let mut step = |event: IncidentEvent<'_>, hours| {
        let before = incident.clone();
        incident.step(event, at(hours));
        HostEvent::of_incident(&before, &incident, &org(), at(hours)).map(|event| event.what).collect::<Vec<_>>()
    };
    let dead = Refusal::new(Class::Auth, "invalid_grant", "").of_org();
    assert_eq!(step(IncidentEvent::Refused(&dead), 0), [EventType::IncidentBegan]);
    assert_eq!(step(IncidentEvent::ProbeBegan, 1), []);
    assert_eq!(step(IncidentEvent::Refused(&dead), 1), []);
    assert_eq!(step(IncidentEvent::GotThrough, 2), [], "what is parked follows by and by");
    assert_eq!(step(IncidentEvent::Drained, 3), [EventType::IncidentEnded]);
}

#[test]
fn every_type_reads_back_as_it_is_written() {
    for what in EventType::ALL {
        assert_eq!(what.as_str().parse(), Ok(*what));
        assert_eq!(serde_json::to_string(what).unwrap(), format!("\"{}\"", what.as_str()));
    }
    assert!("sync_error".parse::<EventType>().unwrap_err().contains("sync_error.opened, sync_error.retrying"));
}

#[test]
fn an_event_has_ids_and_no_words_of_anybody() {
    let mut failed = error(State::Pending, "A");
    failed.person = Some(Box::default());
    failed.team = Some("a team".to_owned());
    let event = serde_json::to_value(HostEvent::of_error(None, &failed, at(0)).unwrap()).unwrap();
    let members: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["type", "at", "org", "sync_error", "state", "group", "class"]);
}
