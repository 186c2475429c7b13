//! That a group's counts are those of its sync errors, and when it is new, grows, comes back or is quiet.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::histogram::HOUR_MS;
use super::*;
use crate::domain::Refusal;

fn id(number: usize) -> SyncErrorId {
    SyncErrorId::new(format!("se-{number}")).unwrap()
}

/// Hours since some day.
fn at(hours: u64) -> Timestamp {
    Timestamp::from_millis((500_000 + hours) * HOUR_MS)
}

fn group(now: Timestamp) -> Group {
    let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", "words"));
    Group::new(&Cause::new(&org, &refusal), now)
}

/// So many sync errors come and are pending.
fn fail(group: &mut Group, numbers: std::ops::Range<usize>, now: Timestamp) {
    for number in numbers {
        let after = Some(State::Pending);
        group.apply(GroupChange { sync_error: id(number), before: None, after, failed: true, at: now });
    }
}

/// So many go from pending to resolved.
fn resolve(group: &mut Group, numbers: std::ops::Range<usize>, now: Timestamp) {
    for number in numbers {
        let (before, after) = (Some(State::Pending), Some(State::Resolved));
        group.apply(GroupChange { sync_error: id(number), before, after, failed: false, at: now });
    }
}

#[test]
fn a_group_is_new_for_a_day_then_ongoing_and_quiet_when_nothing_of_it_waits() {
    let mut group = group(at(0));
    assert_eq!(group.condition(at(0)), Condition::Quiet);
    fail(&mut group, 0..20, at(0));
    assert_eq!(group.condition(at(0)), Condition::New, "in its first hour there is nothing to compare with");
    assert_eq!(group.condition(at(24)), Condition::Ongoing);
    resolve(&mut group, 0..20, at(25));
    assert_eq!(group.condition(at(25)), Condition::Quiet);
}

#[test]
fn it_escalates_above_ten_and_above_three_times_the_highest_hour_of_seven_days() {
    let mut group = group(at(0));
    fail(&mut group, 0..4, at(0));
    fail(&mut group, 10..22, at(30));
    assert_eq!(group.condition(at(30)), Condition::Ongoing, "12 are three times 4, not more");
    fail(&mut group, 22..23, at(30));
    assert_eq!(group.condition(at(30)), Condition::Escalating);
    assert_eq!(group.condition(at(31)), Condition::Ongoing, "the next hour has none");
    fail(&mut group, 100..111, at(31 + 7 * 24));
    assert_eq!(group.condition(at(31 + 7 * 24)), Condition::Escalating, "the high hour was more than seven days ago");
    let mut few = self::group(at(0));
    fail(&mut few, 0..1, at(0));
    fail(&mut few, 1..11, at(2));
    assert_eq!(few.condition(at(2)), Condition::New, "ten are no escalation");
}

#[test]
fn it_regresses_when_one_is_pending_again_after_a_day_without() {
    let mut group = group(at(0));
    fail(&mut group, 0..1, at(0));
    resolve(&mut group, 0..1, at(1));
    fail(&mut group, 1..2, at(24));
    assert_eq!(group.condition(at(24)), Condition::Ongoing, "23 hours are not a day");
    resolve(&mut group, 1..2, at(25));
    fail(&mut group, 2..3, at(49));
    assert_eq!((group.condition(at(49)), group.pending_since), (Condition::Regressed, Some(at(49))));
    assert_eq!(group.condition(at(72)), Condition::Regressed);
    assert_eq!(group.condition(at(73)), Condition::Ongoing);
}

#[test]
fn a_clock_that_was_years_ahead_for_a_moment_hides_no_hour() {
    let mut group = group(at(0));
    fail(&mut group, 0..1, at(100_000));
    fail(&mut group, 1..3, at(1));
    assert_eq!(group.failures.hours().collect::<Vec<_>>(), [(at(1), 2)]);
}

#[test]
fn failures_are_counted_by_the_hour_for_fourteen_days() {
    let mut failures = Histogram::default();
    assert!(failures.is_empty());
    failures.add(at(0));
    failures.add(at(0));
    failures.add(at(1));
    assert!(!failures.is_empty());
    assert_eq!([0, 1, 2].map(|hours| failures.since(at(hours))), [3, 1, 0]);
    // One of the 336 hours lies ahead.
    failures.add(at(334));
    assert_eq!(failures.since(at(0)), 4);
    failures.add(at(335));
    assert_eq!(failures.since(at(0)), 3, "the first hour is too old");
    // The clock goes back: what lies one hour ahead is kept, what lies further ahead is not.
    failures.add(at(334));
    assert_eq!(failures.hours().map(|(_, count)| count).collect::<Vec<_>>(), [1, 2, 1]);
    failures.add(at(333));
    assert_eq!(failures.hours().last(), Some((at(334), 2)));
}

#[test]
fn an_hour_that_stands_twice_in_a_record_is_one() {
    let histogram = Histogram::from(vec![5, 1, 0, 2, 3, 4]);
    assert_eq!(histogram.hours().map(|(_, count)| count).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(Vec::from(histogram), [5, 2, 3, 4]);
}

#[test]
fn a_condition_is_read_by_the_word_that_is_written() {
    let words = Condition::ALL.map(|condition| condition.to_string());
    assert_eq!(words, ["new", "ongoing", "escalating", "regressed", "quiet"]);
    assert_eq!(words.map(|word| word.parse::<Condition>().unwrap()), Condition::ALL);
    assert!("old".parse::<Condition>().unwrap_err().contains("none of new, ongoing"));
}

#[test]
fn what_is_beyond_the_most_causes_is_one_that_says_so_and_has_no_words_of_a_refusal() {
    let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", "the words of a customer"));
    let rest = Group::of_the_rest(&Cause::new(&org, &refusal), at(0));
    assert_eq!(
        (rest.id, rest.title.as_str(), rest.text.as_str()),
        (Fingerprint::unnamed(), "More causes than are kept apart", "")
    );
    assert_eq!((GROUPS_KEPT, rest.org), (2_000, org));
}

#[test]
fn what_people_put_to_it_is_bounded_and_a_blank_takes_it_away() {
    let mut group = group(at(0));
    group.annotate(Annotation::Note(Some("ä".repeat(5000))));
    assert_eq!(group.note.as_ref().map(String::len), Some(2000));
    group.annotate(Annotation::Assignee(Some("ann".to_owned())));
    group.annotate(Annotation::Ticket(Some("https://tickets.example/1".to_owned())));
    group.annotate(Annotation::Note(Some(" ".to_owned())));
    assert_eq!((group.note.as_deref(), group.assignee.as_deref()), (None, Some("ann")));
    assert!(group.ticket.is_some());
}

#[derive(Debug, Clone)]
struct Step {
    number: usize,
    after: Option<State>,
    failed: bool,
    /// Milliseconds since the step before, perhaps backwards.
    passed: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let after = prop::option::weighted(0.9, prop::sample::select(State::ALL.to_vec()));
    let passed = prop_oneof![8 => 0..20_000_000_i64, 1 => -20_000_000..0_i64, 1 => 0..2_000_000_000_i64];
    let step = (0..12_usize, after, any::<bool>(), passed);
    let step = step.prop_map(|(number, after, failed, passed)| Step { number, after, failed, passed });
    prop::collection::vec(step, 0..400)
}

proptest! {
    #[test]
    fn the_counts_equal_a_recount_and_everything_is_bounded(steps in steps()) {
        let mut now = at(0);
        let mut group = group(now);
        let mut states = BTreeMap::<usize, State>::new();
        for Step { number, after, failed, passed } in steps {
            now = Timestamp::from_millis(now.as_millis().saturating_add_signed(passed));
            let before = states.get(&number).copied();
            group.apply(GroupChange { sync_error: id(number), before, after, failed, at: now });
            match after {
                Some(after) => states.insert(number, after),
                None => states.remove(&number),
            };
            let count = |state| states.values().filter(|own| **own == state).count() as u64;
            let counts = ErrorCounts {
                pending: count(State::Pending),
                retrying: count(State::Retrying),
                ignored: count(State::Ignored),
                resolved: count(State::Resolved),
            };
            prop_assert_eq!(group.counts, counts);
            prop_assert_eq!(group.is_empty(), states.is_empty());
            prop_assert_eq!(group.pending_since.is_some(), counts.pending > 0);
            prop_assert_eq!(group.condition(now) == Condition::Quiet, counts.pending + counts.retrying == 0);
            prop_assert!(group.failures.hours().count() <= 336);
            prop_assert!(group.samples.len() <= 5 && group.samples.iter().all(|sample| states.keys().any(|own| id(*own) == *sample)));
        }
        let json = serde_json::to_string(&group).unwrap();
        prop_assert!(json.len() < 6_000, "{} bytes", json.len());
        prop_assert_eq!(serde_json::from_str::<Group>(&json).unwrap(), group);
    }
}
