//! Each rule as a scenario.

use super::world::{DAY, HOUR, MINUTE, SECOND, World};
use crate::domain::alerting::{BrakedCause, News, PendingCause, Rollback};
use crate::domain::{Cause, Class, Group, OrgId, PolicyName, PolicyRef, Refusal};

#[test]
fn one_bad_deploy_is_one_mail() {
    let mut world = World::new();
    for number in 0..5 {
        world.come(number, 100);
        world.pass(10 * SECOND);
    }
    assert!(world.mails.is_empty(), "causes are gathered for a minute");
    world.come(0, 900);
    world.pass(10 * SECOND);
    assert_eq!(world.said(), ["causes 5 0"]);
    let News::Causes { new, .. } = &world.mails[0].1.news else { panic!("{:?}", world.mails) };
    assert_eq!(new[0].pending, 1000, "most conversations first");
    world.pass(HOUR);
    world.come(6, 1);
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 5 0", "causes 1 5"], "another cause is told although others are pending");
}

#[test]
fn a_cause_that_went_before_it_was_told_is_gathered_anew_when_it_comes_back() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(30 * SECOND);
    world.resolve(0);
    world.pass(5 * MINUTE);
    world.come(0, 1);
    world.pass(59 * SECOND);
    assert!(world.mails.is_empty());
    world.pass(SECOND);
    assert_eq!(world.said(), ["causes 1 0"]);
}

#[test]
fn a_retry_of_everything_before_the_cause_is_mended_sends_no_mail_at_all() {
    let mut world = World::new();
    world.come(0, 148);
    world.pass(MINUTE);
    for _ in 0..3 {
        world.retry_all();
        world.pass(10 * MINUTE);
        world.retries_end(false);
        world.pass(10 * MINUTE);
    }
    assert_eq!(world.said(), ["causes 1 0"]);
    world.retry_all();
    world.retries_end(true);
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["causes 1 0", "all clear 148 0"]);
    assert_eq!(world.mails[1].1.replies_to, Some(world.mails[0].1.id));
}

#[test]
fn a_dead_token_and_a_used_up_limit_are_told_at_once_although_an_old_error_is_pending() {
    for class in [Class::Auth, Class::Limit, Class::Config] {
        let mut world = World::new();
        world.come(0, 1);
        world.pass(2 * HOUR);
        world.incident(class);
        assert_eq!(world.said(), ["causes 1 0".to_owned(), format!("began {class}")]);
    }
}

#[test]
fn an_outage_is_told_after_three_minutes_and_its_end_once_it_lasted_a_minute() {
    let mut world = World::new();
    world.incident(Class::Transient);
    world.pass(179 * SECOND);
    world.incident_ends();
    world.pass(HOUR);
    assert!(world.mails.is_empty(), "a short one is not told");
    world.incident(Class::Transient);
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["began transient"]);
    world.incident_ends();
    world.pass(59 * SECOND);
    world.incident(Class::Transient);
    world.pass(MINUTE);
    assert_eq!(world.said().len(), 1, "it is the same one still");
    world.incident(Class::Auth);
    world.incident_ends();
    world.pass(MINUTE);
    assert_eq!(world.said(), ["began transient", "began auth", "ended"]);
    let first = Some(world.mails[0].1.id);
    assert!(world.mails[1..].iter().all(|(_, notice)| notice.replies_to == first), "one thread");
}

#[test]
fn an_incident_that_comes_and_goes_is_told_less_and_less_often() {
    let mut world = World::new();
    for _ in 0..(4 * 20) {
        world.incident(Class::Auth);
        world.pass(2 * MINUTE);
        world.incident_ends();
        world.pass(MINUTE);
    }
    assert_eq!(world.said(), ["began auth", "ended"]);
    world.incident(Class::Auth);
    world.pass(12 * MINUTE);
    assert_eq!(world.said().len(), 3, "but one that stays is told");
}

#[test]
fn a_cause_is_quiet_for_four_hours_and_told_again_when_it_is_back_after_the_all_clear() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(10 * MINUTE);
    world.come(0, 1);
    world.pass(3 * HOUR);
    assert_eq!(world.said(), ["causes 1 0", "all clear 1 0"]);
    world.pass(HOUR);
    assert_eq!(world.said(), ["causes 1 0", "all clear 1 0", "causes 1 0"]);
    assert_eq!(world.mails[2].1.replies_to, Some(world.mails[0].1.id));
}

#[test]
fn a_cause_that_regresses_or_escalates_is_told_again() {
    let mut world = World::new();
    world.come(0, 1);
    world.come(1, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(25 * HOUR);
    world.come(0, 1);
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 2 0", "reminder 1 false", "causes 1 1"]);
    world.pass(4 * HOUR);
    world.escalates_until.insert(1, world.at.after(HOUR));
    world.look();
    assert_eq!(world.said().last().unwrap(), "causes 1 1");
    world.pass(HOUR);
    assert_eq!(world.said().len(), 4);
}

#[test]
fn one_reminder_a_day_goes_out_while_something_waits_for_a_person() {
    let mut world = World::new();
    world.come(0, 1);
    world.incident(Class::Auth);
    world.pass(3 * DAY - HOUR);
    let said = ["began auth", "causes 1 0", "reminder 1 true", "reminder 1 true"];
    assert_eq!(world.said(), said);
    world.resolve(0);
    world.pass(DAY);
    assert_eq!(world.said().last().unwrap(), "reminder 0 true");
    world.incident_ends();
    world.pass(7 * DAY);
    assert_eq!(world.said()[5..], ["ended", "all clear 1 0"]);
}

#[test]
fn a_reminder_that_falls_into_the_moment_between_two_incidents_is_the_only_one_of_its_day() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(MINUTE);
    world.pass(MINUTE);
    world.incident(Class::Auth);
    world.pass(DAY - MINUTE - 10 * SECOND);
    world.incident_ends();
    world.pass(20 * SECOND);
    world.incident(Class::Auth);
    world.pass(DAY - HOUR);
    assert_eq!(world.said(), ["causes 1 0", "began auth", "reminder 1 false"]);
    world.pass(2 * HOUR);
    assert_eq!(world.said().last().unwrap(), "reminder 1 true");
}

#[test]
fn a_standstill_of_an_hour_is_told_once_and_one_at_an_incident_never() {
    let mut world = World::new();
    world.now.could_move = true;
    world.now.oldest_unsynced = world.unsynced();
    world.pass(59 * MINUTE);
    world.now.moved_at = Some(world.at);
    world.pass(59 * MINUTE);
    assert!(world.mails.is_empty());
    world.pass(9 * HOUR);
    assert_eq!(world.said(), ["standstill"]);
    world.now.could_move = false;
    world.pass(9 * HOUR);
    world.now.could_move = true;
    world.pass(59 * MINUTE);
    assert_eq!(world.said(), ["standstill"], "what waited because it had to did not stand still");
}

#[test]
fn what_is_pending_without_a_known_cause_is_told_too() {
    let mut world = World::new();
    world.now.counts.pending = 3;
    world.look();
    world.pass(MINUTE);
    assert_eq!(world.said(), ["causes 1 0"]);
    world.now.counts.pending = 0;
    world.now.counts.ignored = 3;
    world.look();
    world.pass(3 * MINUTE);
    assert_eq!(world.said(), ["causes 1 0", "all clear 0 3"]);
}

#[test]
fn a_rollback_is_told_once() {
    let mut world = World::new();
    let policy = PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 2 };
    world.now.rollback = Some(Rollback { policy, back_to: 1, reason: "worse".to_owned(), at: world.at });
    world.look();
    world.restart();
    world.pass(30 * DAY);
    assert_eq!(world.said(), ["rolled back"]);
}

#[test]
fn a_brake_that_bit_is_told_once_and_the_next_one_anew() {
    let mut world = World::new();
    let policy = PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 2 };
    let held = |at| BrakedCause { title: "Spam".to_owned(), policy: policy.clone(), at, until: None, pending: 3 };
    world.now.braked = vec![held(world.at)];
    world.look();
    world.restart();
    world.pass(30 * DAY);
    assert_eq!(world.said(), ["braked"]);
    world.now.braked.push(held(world.at));
    world.look();
    world.pass(DAY);
    assert_eq!(world.said(), ["braked", "braked"]);
}

#[test]
fn a_cause_that_was_quiet_for_fourteen_days_is_forgotten() {
    let mut world = World::new();
    world.come(0, 1);
    world.pass(MINUTE);
    world.resolve(0);
    world.pass(13 * DAY);
    assert_eq!(world.state.causes.len(), 1);
    world.pass(DAY);
    assert!(world.state.causes.is_empty());
    assert!(serde_json::to_string(&world.state).unwrap().len() < 60);
}

#[test]
fn a_clock_that_was_years_ahead_for_a_moment_keeps_nobody_uninformed() {
    let mut world = World::new();
    let before = world.at;
    world.at = before.after(1000 * DAY);
    world.come(0, 1);
    world.incident(Class::Auth);
    world.pass(MINUTE);
    world.incident_ends();
    world.at = before;
    world.look();
    world.resolve(0);
    world.pass(5 * MINUTE);
    world.come(0, 1);
    world.pass(4 * HOUR);
    world.incident(Class::Auth);
    world.pass(4 * HOUR);
    assert_eq!(world.said(), ["began auth", "causes 1 0", "ended", "all clear 1 0", "causes 1 0", "began auth"]);
}

#[test]
fn what_a_recipient_knows_is_bounded() {
    let mut world = World::new();
    let org = OrgId::new("acme").unwrap();
    for number in 0..3_u32 {
        let causes = (0..600).map(|own| {
            let refusal = Refusal::new(Class::Record, &format!("CODE_{number}_{own}"), "words");
            let mut group = Group::new(&Cause::new(&org, &refusal), world.at);
            group.pending_since = Some(world.at);
            group.counts.pending = 1;
            PendingCause::of(&group, world.at).unwrap()
        });
        world.now.causes = causes.collect();
        world.now.counts.pending = 600;
        world.look();
        world.pass(MINUTE);
    }
    assert_eq!((world.said().len(), world.state.causes.len()), (3, 1000));
    assert!(serde_json::to_string(&world.state).unwrap().len() < 120_000);
}
