//! Judgements in any order, with clocks that jump and hosts that are started again.

use proptest::prelude::*;

use super::*;
use crate::domain::{Fingerprint, PolicyName, PolicyRef, Task};

const SETTINGS: BrakeSettings =
    BrakeSettings { most_per_hour: 3, known_for_minutes: 60, holds_for_hours: 2, expires_after_days: 30 };
const START: u64 = 1_790_000_000_000;

fn at(minutes: u64) -> Timestamp {
    Timestamp::from_millis(START + minutes * MINUTE_MS)
}

/// A judgement about a cause that is known for long.
fn judge(brake: &mut Brake, minutes: u64) -> Judged {
    brake.judge(&SETTINGS, Some(Timestamp::default()), at(minutes))
}

#[test]
fn so_many_are_ignored_within_an_hour_and_one_more_brings_them_back() {
    let mut brake = Brake::new(at(0));
    for minutes in [0, 10, 59] {
        assert_eq!(judge(&mut brake, minutes), Judged::Ignored);
    }
    let Judged::Bites { since, ignored } = judge(&mut brake, 60) else { panic!("it bites") };
    assert_eq!((since <= at(0), ignored), (true, 3));
    assert_eq!(judge(&mut brake, 61), Judged::Held(Why::TooMany));
    assert_eq!(judge(&mut brake, 60 + 119), Judged::Held(Why::TooMany));
    assert_eq!(judge(&mut brake, 60 + 120), Judged::Ignored, "it goes on by itself");
    assert_eq!(brake.held, 3);
}

#[test]
fn what_is_ignored_slowly_goes_on() {
    let mut brake = Brake::new(at(0));
    assert!((0..100).all(|n| judge(&mut brake, n * 25) == Judged::Ignored));
}

#[test]
fn a_new_cause_waits_for_a_person_and_so_does_one_that_was_ignored_for_long() {
    let mut brake = Brake::new(at(0));
    for (first_seen, judged) in
        [(None, Judged::Held(Why::New)), (Some(at(1)), Judged::Held(Why::New)), (Some(at(0)), Judged::Ignored)]
    {
        assert_eq!(brake.judge(&SETTINGS, first_seen, at(60)), judged);
    }
    let day = 24 * 60;
    assert_eq!(judge(&mut brake, 30 * day), Judged::Held(Why::Expired));
    assert_eq!(judge(&mut brake, 40 * day), Judged::Held(Why::Expired), "no time releases it");
    brake.release(at(40 * day));
    assert_eq!(judge(&mut brake, 40 * day + 1), Judged::Ignored);
    let none = BrakeSettings { most_per_hour: 0, ..SETTINGS };
    let bitten = Brake::new(at(0)).judge(&none, Some(Timestamp::default()), at(0));
    assert!(matches!(bitten, Judged::Bites { ignored: 0, .. }));
}

#[test]
fn a_brake_without_an_end_waits_for_a_person_and_nought_days_never_expire() {
    let settings = BrakeSettings { most_per_hour: 1, known_for_minutes: 0, holds_for_hours: 0, expires_after_days: 0 };
    let mut brake = Brake::new(at(0));
    let year = 365 * 24 * 60;
    assert_eq!(brake.judge(&settings, None, at(year)), Judged::Ignored, "nought minutes need nobody to know the cause");
    let Judged::Bites { since, ignored } = brake.judge(&settings, None, at(year)) else { panic!("it bites") };
    assert_eq!((since, ignored), (Timestamp::from_millis((START / MINUTE_MS + year - COUNTED) * MINUTE_MS), 1));
    assert_eq!(brake.hold, Some(Hold { at: at(year), until: None, why: Why::TooMany }));
    assert_eq!(brake.judge(&settings, None, at(2 * year)), Judged::Held(Why::TooMany));
    // The clock goes back behind the bite: it holds from then on, and still without an end.
    assert_eq!(brake.judge(&settings, None, at(1)), Judged::Held(Why::TooMany));
    assert_eq!(brake.hold, Some(Hold { at: at(1), until: None, why: Why::TooMany }));
}

#[test]
fn a_clock_that_goes_back_moves_a_hold_with_it_and_counts_what_lies_ahead_as_now() {
    let mut brake = Brake::new(at(600));
    assert!((0..3).all(|_| judge(&mut brake, 600) == Judged::Ignored));
    assert!(matches!(judge(&mut brake, 0), Judged::Bites { ignored: 3, .. }), "what lies ahead counts");
    let hold = brake.hold;
    assert_eq!(hold.map(|hold| (hold.at, hold.until)), Some((at(0), Some(at(120)))));
    assert_eq!(judge(&mut brake, 0), Judged::Held(Why::TooMany));
    assert_eq!(brake.hold, hold, "the same moment moves nothing");
    for why in [Why::New, Why::TooMany, Why::Expired, Why::Person] {
        assert!(why.to_string().len() > 20, "{why}");
    }
    let minutes = |brake: &Brake| serde_json::to_value(brake).unwrap().get("minutes").cloned();
    let mut brake = Brake::new(at(0));
    assert_eq!(minutes(&brake), None);
    judge(&mut brake, 0);
    assert_eq!(minutes(&brake), Some(serde_json::json!([[START / MINUTE_MS, 1]])));
}

#[test]
fn a_person_holds_and_releases_and_the_hour_still_counts() {
    let mut brake = Brake::new(at(0));
    assert_eq!(judge(&mut brake, 0), Judged::Ignored);
    brake.stop(at(1));
    assert_eq!(judge(&mut brake, 2_000), Judged::Held(Why::Person));
    brake.release(at(2_000));
    assert!((0..3).all(|_| judge(&mut brake, 2_000) == Judged::Ignored));
    brake.stop(at(2_001));
    brake.release(at(2_001));
    assert!(matches!(judge(&mut brake, 2_002), Judged::Bites { ignored: 3, .. }));
}

/// The same as it is read from its operation's record.
fn restarted(brake: Brake) -> Brake {
    let policy = PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 1 };
    let task = Task::AutoIgnore { policy, group: Fingerprint::unnamed(), brake };
    match serde_json::from_str(&serde_json::to_string(&task).unwrap()).unwrap() {
        Task::AutoIgnore { brake, .. } => brake,
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, Clone, Copy)]
enum Happens {
    Judged,
    Later { seconds: u64 },
    Back { seconds: u64 },
    Restart,
    Stop,
    Release,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => Just(Happens::Judged),
        3 => (0..1_200_u64).prop_map(|seconds| Happens::Later { seconds }),
        1 => (0..20_000_u64).prop_map(|seconds| Happens::Later { seconds }),
        1 => (0..20_000_u64).prop_map(|seconds| Happens::Back { seconds }),
        1 => Just(Happens::Restart),
        1 => Just(Happens::Stop),
        2 => Just(Happens::Release),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_no_more_of_an_hour_stay_ignored_than_the_brake_allows(
        all in prop::collection::vec(happens(), 0..200)
    ) {
        let (mut now, mut brake, mut ignored) = (START, Brake::new(at(0)), Vec::<u64>::new());
        for one in all {
            match one {
                Happens::Later { seconds } => now += seconds * 1_000,
                Happens::Back { seconds } => now -= seconds * 1_000,
                Happens::Restart => brake = restarted(brake),
                Happens::Stop => brake.stop(Timestamp::from_millis(now)),
                Happens::Release => brake.release(Timestamp::from_millis(now)),
                Happens::Judged => {
                    // What lies ahead of the clock was ignored now, as far as anybody knows.
                    ignored.iter_mut().for_each(|at| *at = (*at).min(now));
                    // What was older than an hour once is so for good, wherever the clock goes.
                    ignored.retain(|at| *at + 3_600_000 > now);
                    match brake.judge(&SETTINGS, Some(Timestamp::default()), Timestamp::from_millis(now)) {
                        Judged::Ignored => ignored.push(now),
                        Judged::Bites { since, .. } => ignored.retain(|at| *at < since.as_millis()),
                        Judged::Held(_) => {}
                    }
                    prop_assert!(ignored.len() <= 3, "within the hour before {now}: {ignored:?}");
                }
            }
        }
    }
}
