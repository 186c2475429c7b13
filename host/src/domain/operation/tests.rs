//! Every way an operation can go, told by a model.

use proptest::prelude::*;

use super::*;
use crate::domain::{Cause, Class, ErrorPlace, OrgId, Refusal, SyncErrorId};

fn group(number: usize) -> Fingerprint {
    let refusal = Refusal::new(Class::Record, ["CODE_A", "CODE_B", "CODE_C"][number], "");
    Cause::new(&OrgId::new("acme").unwrap(), &refusal).identify().id
}

fn place(at: u64, number: usize) -> ErrorPlace {
    (Timestamp::from_millis(at), format!("se-{number:05}").parse::<SyncErrorId>().unwrap())
}

fn retry(matched: u64) -> Operation {
    let parts = (0..3).map(|number| Part::new(group(number))).collect();
    let id = OperationId::new("op-1").unwrap();
    Operation::new(
        id,
        Task::Retry,
        ErrorQuery::default(),
        "ann".to_owned(),
        Timestamp::from_millis(20),
        Some(matched),
        parts,
    )
}

/// The sync errors of each cause, by when they failed first, and how each comes out.
type World = Vec<Vec<(u64, Retried)>>;

fn worlds() -> impl Strategy<Value = World> {
    let how = prop_oneof![
        3 => Just(Retried::Passed),
        3 => Just(Retried::FailedAlike),
        1 => Just(Retried::FailedOtherwise),
        1 => Just(Retried::Changed),
    ];
    prop::collection::vec(prop::collection::vec((0..40_u64, how), 0..30), 3).prop_map(|mut world| {
        world.iter_mut().for_each(|list| list.sort());
        world
    })
}

proptest! {
    #[test]
    fn a_retry_meets_what_was_open_once_and_leaves_a_cause_alone_only_where_its_first_ones_fail_alike(
        world in worlds(),
        most in 1..9_usize,
        hold in 0..4_usize,
    ) {
        let in_time = |list: &[(u64, Retried)]| list.iter().filter(|(at, _)| *at <= 20).count() as u64;
        let mut operation = retry(world.iter().map(|list| in_time(list)).sum());
        let (mut met, mut waiting, mut turns) = (vec![0_u64; 3], Vec::new(), 0);
        while !operation.settle(Timestamp::from_millis(99)) {
            turns += 1;
            prop_assert!(turns < 2_000, "it ends");
            for next in operation.next(most) {
                let number = (0..3).find(|number| group(*number) == next.group).unwrap();
                let list: Vec<_> = world[number].iter().enumerate().map(|(n, (at, how))| (place(*at, n), *how)).collect();
                let rest: Vec<_> = list.into_iter().filter(|(place, _)| next.after.as_ref().is_none_or(|after| place > after)).collect();
                let page: Vec<_> = rest.iter().take(next.limit).cloned().collect();
                let as_of = operation.as_of;
                for (_, how) in page.iter().filter(|(place, _)| place.0 <= as_of) {
                    operation.acted(&next.group);
                    met[number] += 1;
                    waiting.push((next.group.clone(), *how));
                }
                operation.walked(&next.group, page.last().map(|(place, _)| place.clone()), rest.len() > page.len());
            }
            // Some stay on their way for a while.
            let ends = waiting.len().saturating_sub(if turns % 7 == 0 { 0 } else { hold });
            for (group, how) in waiting.drain(..ends) {
                let failed = matches!(how, Retried::FailedAlike | Retried::FailedOtherwise);
                operation.came_out(&group, how, failed.then_some(&group));
            }
        }
        prop_assert_eq!(operation.under_way(), 0);
        prop_assert_eq!(operation.done, met.iter().sum::<u64>());
        prop_assert_eq!(operation.retried.values().sum::<u64>(), operation.done);
        for (number, list) in world.iter().enumerate() {
            let (stopped, all) = (operation.stopped.contains(&group(number)), in_time(list));
            prop_assert!(met[number] == all || (stopped && met[number] < all), "{} of {}", met[number], all);
            let alike = list.iter().take(met[number] as usize).filter(|(_, how)| *how == Retried::FailedAlike).count();
            prop_assert!(!stopped || alike >= 3);
        }
    }
}

#[test]
fn it_begins_with_three_of_each_cause_and_takes_more_as_they_pass() {
    let mut operation = retry(300);
    let limits = |operation: &Operation| operation.next(64).iter().map(|next| next.limit).collect::<Vec<_>>();
    assert_eq!(limits(&operation), [3, 3, 3]);
    for _ in 0..3 {
        operation.acted(&group(0));
    }
    operation.walked(&group(0), Some(place(1, 1)), true);
    assert_eq!(limits(&operation), [3, 3], "it waits for what comes of them");
    operation.came_out(&group(0), Retried::Passed, None);
    assert_eq!(limits(&operation), [3, 3, 3]);
    operation.came_out(&group(0), Retried::Passed, None);
    assert_eq!(limits(&operation)[0], 6);
}

#[test]
fn three_that_fail_alike_stop_their_cause_and_no_other() {
    let mut operation = retry(300);
    for _ in 0..3 {
        operation.acted(&group(1));
        operation.came_out(&group(1), Retried::FailedAlike, Some(&group(1)));
    }
    assert_eq!(operation.stopped, [group(1)]);
    assert_eq!(operation.next(64).len(), 2);
    assert_eq!(operation.failed_as, [(group(1), 3)].into());
}

#[test]
fn a_cancelled_one_waits_for_what_is_on_its_way_and_a_paused_one_for_a_person() {
    let mut operation = retry(300);
    operation.acted(&group(0));
    operation.becomes(OperationStatus::Paused, Timestamp::default()).unwrap();
    assert!(operation.next(64).is_empty() && !operation.settle(Timestamp::from_millis(30)));
    operation.becomes(OperationStatus::Cancelled, Timestamp::default()).unwrap();
    assert!(!operation.settle(Timestamp::from_millis(30)));
    operation.came_out(&group(0), Retried::Passed, None);
    assert!(operation.settle(Timestamp::from_millis(31)));
    assert_eq!((operation.status, operation.ended_at), (OperationStatus::Cancelled, Some(Timestamp::from_millis(31))));
    assert_eq!(operation.becomes(OperationStatus::Running, Timestamp::default()).unwrap_err().asked, "resumed");
}

#[test]
fn what_matched_and_is_not_met_has_changed_unless_its_cause_was_stopped() {
    let ends = |operation: &mut Operation| {
        for number in 0..3 {
            operation.walked(&group(number), None, false);
        }
        assert!(operation.settle(Timestamp::from_millis(10)));
        (operation.skipped, operation.ended_at)
    };
    assert_eq!(ends(&mut retry(4)), (4, Some(Timestamp::from_millis(20))), "it ends no earlier than it began");
    let mut stopped = retry(9);
    for _ in 0..3 {
        stopped.acted(&group(1));
        stopped.came_out(&group(1), Retried::FailedAlike, Some(&group(1)));
    }
    assert_eq!(ends(&mut stopped).0, 0, "nobody knows what became of the rest of a cause");
}

#[test]
fn what_was_lost_on_its_way_does_not_keep_it_from_ending() {
    let mut operation = retry(1);
    for number in 0..3 {
        operation.walked(&group(number), None, false);
    }
    operation.acted(&group(0));
    assert!(!operation.settle(Timestamp::from_millis(30)));
    operation.nothing_is_under_way();
    assert!(operation.settle(Timestamp::from_millis(30)));
    assert_eq!(operation.retried, [(Retried::Changed, 1)].into());
}

#[test]
fn what_is_kept_of_an_operation_names_no_customer() {
    let mut operation = retry(0);
    (operation.query.customer, operation.query.q) = (Some("jane".to_owned()), Some("doe".to_owned()));
    operation.parts.clear();
    assert!(operation.settle(Timestamp::from_millis(30)));
    let kept = serde_json::to_string(&operation).unwrap();
    assert!(!kept.contains("jane") && !kept.contains("doe"), "{kept}");
    assert_eq!(operation.query.without_forgotten(), ErrorQuery::default());
}

#[test]
fn a_resync_goes_on_where_it_was_until_nothing_is_left_and_waits_while_it_is_paused() {
    let id = OperationId::new("op-1").unwrap();
    let task = Task::Resync { query: crate::domain::ResyncQuery::default() };
    let as_of = Timestamp::from_millis(20);
    let mut operation = Operation::new(
        id,
        task,
        ErrorQuery::default(),
        "ann".to_owned(),
        as_of,
        None,
        vec![Part::new(Fingerprint::unnamed())],
    );
    assert_eq!(operation.next_sweep(), Some(&Sweep::default()));
    let place = |day: u32| Some((day, "main:1".parse().unwrap()));
    operation.swept(256, place(7), true);
    assert_eq!(operation.next_sweep(), Some(&Sweep { after: place(7), is_over: false, looked_at: 256 }));
    operation.becomes(OperationStatus::Paused, as_of).unwrap();
    assert_eq!(operation.next_sweep(), None);
    operation.becomes(OperationStatus::Running, as_of).unwrap();
    operation.swept(3, None, false);
    assert_eq!(operation.next_sweep(), None, "nothing is left");
    assert_eq!(operation.sweep, Some(Sweep { after: place(7), is_over: true, looked_at: 259 }));
    let mut other = retry(1);
    assert_eq!(other.next_sweep(), None);
    other.swept(1, None, true);
    assert_eq!(other.sweep, None);
}

#[test]
fn all_causes_share_what_one_turn_takes_up() {
    let ignore = Task::Ignore { reason: "a test".to_owned() };
    let operation = Operation { task: ignore, ..retry(100) };
    let limits = |most| operation.next(most).iter().map(|next| next.limit).collect::<Vec<_>>();
    assert_eq!(limits(64), [64], "the first takes all, since nothing is tried first");
    let operation = retry(100);
    let limits = |most| operation.next(most).iter().map(|next| next.limit).collect::<Vec<_>>();
    assert_eq!((limits(64), limits(4), limits(0)), (vec![3, 3, 3], vec![3, 1], vec![]));
}

#[test]
fn tasks_and_statuses_have_words_and_only_two_tasks_send() {
    let resync = Task::Resync { query: crate::domain::ResyncQuery::default() };
    let all = [
        (Task::Retry, "retry", true),
        (Task::Ignore { reason: String::new() }, "ignore", false),
        (Task::Reopen { undoes: None, since: None }, "reopen", false),
        (resync, "resync", true),
        (Task::Assign { assignee: None }, "assign", false),
    ];
    for (task, word, sends) in all {
        assert_eq!((task.as_str(), task.sends()), (word, sends));
        assert!(!Operation { task, ..retry(0) }.stands());
    }
    let statuses =
        [OperationStatus::Running, OperationStatus::Paused, OperationStatus::Cancelled, OperationStatus::Done];
    assert_eq!(statuses.map(|status| status.to_string()), ["running", "paused", "cancelled", "done"]);
}

#[test]
fn progress_is_what_came_out_and_what_was_left_alone_of_what_matched() {
    let mut operation = retry(4);
    assert_eq!(operation.progress(), Some(0.0));
    operation.acted(&group(0));
    assert_eq!(operation.progress(), Some(0.0), "it is on its way");
    operation.came_out(&group(0), Retried::Passed, None);
    assert_eq!(operation.progress(), Some(0.25));
    operation.skipped();
    assert_eq!((operation.progress(), operation.skipped), (Some(0.5), 1));
    assert_eq!(Operation { matched: None, ..retry(0) }.progress(), None);
    assert_eq!(retry(0).progress(), None);
    assert_eq!(Operation { ended_at: Some(Timestamp::default()), ..retry(4) }.progress(), Some(1.0));
}

#[test]
fn what_came_while_the_matches_were_counted_is_counted_too() {
    let mut operation = retry(1);
    operation.acted(&group(0));
    assert_eq!(operation.matched, Some(1));
    operation.acted(&group(1));
    operation.skipped();
    assert_eq!((operation.matched, operation.done, operation.skipped), (Some(3), 2, 1));
}

#[test]
fn a_cancelled_retry_waits_for_what_is_on_its_way_and_a_cancelled_ignore_for_nothing() {
    let cancelled = |mut operation: Operation| {
        operation.acted(&group(0));
        operation.becomes(OperationStatus::Cancelled, Timestamp::default()).unwrap();
        operation
    };
    let now = Timestamp::from_millis(99);
    let mut retries = cancelled(retry(9));
    assert!(!retries.settle(now));
    retries.came_out(&group(0), Retried::Passed, None);
    assert!(retries.settle(now));
    let ignore = Task::Ignore { reason: "a test".to_owned() };
    let mut ignores = cancelled(Operation { task: ignore, ..retry(9) });
    assert!(ignores.settle(now) && ignores.parts.is_empty());
    assert_eq!((ignores.status, ignores.skipped), (OperationStatus::Cancelled, 0));
}

#[test]
fn causes_beyond_those_that_are_named_are_counted_as_one() {
    let mut operation = retry(200);
    let org = OrgId::new("acme").unwrap();
    let of = |number: usize| {
        Cause::new(&org, &Refusal::new(Class::Record, &format!("CODE_{}", "X".repeat(number)), "")).identify().id
    };
    for number in 0..NAMED + 2 {
        operation.came_out(&group(0), Retried::FailedOtherwise, Some(&of(number)));
    }
    operation.came_out(&group(0), Retried::FailedOtherwise, Some(&of(0)));
    assert_eq!((operation.failed_as.len(), operation.failed_as[&of(0)]), (NAMED + 1, 2));
    assert_eq!(operation.failed_as[&Fingerprint::unnamed()], 2);
}
