//! What does not move although it could: told once, and its end too.

use super::world::{DAY, HOUR, MINUTE, SECOND, World};
use crate::domain::{SourceHealth, SourceId, Unsynced, WaitsFor};

#[test]
fn a_standstill_is_told_once_however_long_and_its_end_is_told_and_a_new_one_waits_for_the_quiet_time() {
    let mut world = World::new();
    (world.now.could_move, world.now.oldest_unsynced) = (true, world.unsynced());
    world.pass(2 * HOUR);
    world.restart();
    world.pass(2 * DAY);
    assert_eq!(world.said(), ["standstill"], "a restart moves nothing");
    world.now.moved_at = Some(world.at);
    world.look();
    world.pass(59 * SECOND);
    assert_eq!(world.said().len(), 1);
    world.pass(SECOND);
    assert_eq!(world.said()[1..], ["moves again"]);
    assert_eq!(world.mails[1].1.replies_to, Some(world.mails[0].1.id));
    world.pass(2 * HOUR);
    assert_eq!(world.said().len(), 3, "the quiet time is over");
    (world.now.moved_at, world.now.oldest_unsynced) = (Some(world.at), None);
    world.look();
    world.pass(MINUTE);
    world.now.oldest_unsynced = world.unsynced();
    world.look();
    world.pass(2 * HOUR);
    assert_eq!(world.said()[2..], ["standstill", "moves again"]);
    world.pass(2 * HOUR);
    assert_eq!(world.said()[4..], ["standstill"]);
}

#[test]
fn a_next_attempt_that_is_not_made_is_a_standstill_and_one_that_is_not_due_is_none() {
    let mut world = World::new();
    world.now.could_move = true;
    world.now.oldest_unsynced = world.unsynced().map(|unsynced| Unsynced {
        since: world.at.after(5 * HOUR),
        waits_for: WaitsFor::Retry,
        ..unsynced
    });
    world.look();
    world.pass(6 * HOUR - SECOND);
    assert!(world.mails.is_empty());
    world.pass(SECOND);
    assert_eq!(world.said(), ["standstill"]);
}

#[test]
fn a_source_that_is_asked_in_vain_for_an_hour_is_told_once_and_that_it_answers_again() {
    let mut world = World::new();
    let (source, began) = (SourceId::new("main").unwrap(), world.at);
    let health = |in_vain_since, answered_at| SourceHealth {
        source: source.clone(),
        in_vain_since,
        answered_at,
        arrived_at: began,
    };
    world.now.sources = vec![health(None, Some(began))];
    world.pass(3 * DAY);
    assert!(world.mails.is_empty(), "nobody writes at night");
    world.now.sources = vec![health(Some(world.at), Some(world.at))];
    world.look();
    world.pass(59 * MINUTE);
    assert!(world.mails.is_empty());
    world.pass(MINUTE);
    world.restart();
    world.pass(2 * DAY);
    assert_eq!(world.said(), ["silent main"]);
    world.now.sources = vec![health(None, None)];
    world.pass(DAY);
    assert_eq!(world.said().len(), 1, "a host that was started again has not been answered yet");
    world.now.sources = vec![health(None, Some(world.at))];
    world.look();
    world.pass(MINUTE);
    assert_eq!(world.said(), ["silent main", "answers main"]);
    world.pass(9 * DAY);
    assert_eq!(world.said().len(), 2);
}
