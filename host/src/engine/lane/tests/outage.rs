//! What an organization's bad day costs: nothing for each conversation that waits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bench::{Bench, Mood, alone, ann, conversation, lock};
use crate::domain::{Fact, MessageId, State};
use crate::engine::command::{Ask, Command};

async fn audit(bench: &Bench, message: &str) -> Vec<Fact> {
    let entries = bench.ledger.audit(&message.parse::<MessageId>().unwrap(), |_| true).await.unwrap();
    entries.into_iter().map(|entry| entry.fact).collect()
}

#[test]
fn an_hour_of_outage_costs_one_write_and_one_line_for_each_conversation_and_then_all_get_through() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Outage);
        for number in 1..=500 {
            bench.arrive(super::bench::arrival(number, 1)).await;
        }
        // Time passes until five calls in a row have told that nothing gets through.
        while bench.health.borrow().parked < 500 {
            bench.pass(Duration::from_secs(5)).await;
        }
        let (attempts, commits) = (bench.attempts(), bench.store.commits());
        for _ in 0..360 {
            bench.pass(Duration::from_secs(10)).await;
        }
        let probes = bench.attempts() - attempts;
        assert!((20..=40).contains(&probes), "an hour has {probes} probes");
        let written = bench.store.commits() - commits;
        assert!(written <= 3 * probes, "{written} commits for {probes} probes");
        let facts = audit(&bench, "main:400-1").await;
        assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Parked { .. })).count(), 1, "{facts:?}");
        bench.mood(Mood::Good);
        let health = bench.settled().await;
        assert_eq!((health.sync_errors.pending, health.parked), (0, 0));
        assert_eq!(lock(&bench.world.written).len(), 500);
        bench.verify().await;
    });
}

#[test]
fn an_incident_is_probed_by_a_call_while_no_conversation_waits_for_it() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Dead);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        let ignored = |reply| Command::IgnoreParked {
            conversation: conversation(1),
            by: ann(),
            reason: "a test".to_owned(),
            reply,
        };
        assert_eq!(bench.ask(ignored).await.unwrap().unwrap().state, State::Ignored);
        bench.until("nothing waits", |health| health.parked == 0).await;
        let next = bench.health.borrow().incident.as_ref().unwrap().next_probe_at.unwrap();
        assert!(next.as_millis() > super::bench::START, "the next probe lies ahead");
        bench.pass(Duration::from_secs(121)).await;
        bench
            .until("it was probed", |health| health.incident.as_ref().is_some_and(|it| it.next_probe_at > Some(next)))
            .await;
        assert_eq!(bench.world.probes.load(Ordering::SeqCst), 1);
        bench.mood(Mood::Good);
        bench.pass(Duration::from_secs(241)).await;
        bench.until("it is over", |health| health.incident.is_none()).await;
    });
}

#[test]
fn a_parked_conversation_that_is_ignored_names_every_message_that_did_not_get_through() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Dead);
        for message in 1..=2 {
            bench.arrive(super::bench::arrival(1, message)).await;
        }
        bench.until("it is parked", |health| health.parked == 1 && health.unmerged == 0).await;
        let (conversation, reason) = (conversation(1), "a test".to_owned());
        let ignored = |reply| Command::IgnoreParked { conversation, by: ann(), reason, reply };
        let error = bench.ask(ignored).await.unwrap().unwrap();
        let affected: Vec<_> = error.affected.iter().map(ToString::to_string).collect();
        assert_eq!((affected.join(" "), error.affected_count), ("main:1-1 main:1-2".to_owned(), 2));
    });
}

#[test]
fn a_parked_message_is_ignored_whatever_stands_with_an_earlier_one_of_its_conversation() {
    alone(async {
        for was_ignored in [false, true] {
            let mut bench = Bench::start();
            lock(&bench.world.refused).insert(conversation(1));
            bench.arrive(super::bench::arrival(1, 1)).await;
            bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
            if was_ignored {
                bench.about(1, Ask::Ignore("the first".to_owned())).await.unwrap().unwrap();
            }
            bench.mood(Mood::Dead);
            bench.arrive(super::bench::arrival(1, 2)).await;
            bench.until("it is parked", |health| health.parked == 1 && health.unmerged == 0).await;
            let (conversation, reason) = (conversation(1), "the second".to_owned());
            let ignored = |reply| Command::IgnoreParked { conversation, by: ann(), reason, reply };
            let error = bench.ask(ignored).await.unwrap().unwrap();
            assert_eq!((error.state, error.reason.as_deref()), (State::Ignored, Some("the second")), "{error:?}");
            bench.until("nothing waits", |health| health.parked == 0 && health.sync_errors.ignored == 1).await;
            // It is not sent when the incident is over.
            lock(&bench.world.refused).clear();
            bench.mood(Mood::Good);
            bench.settled().await;
            assert!(lock(&bench.world.written).is_empty());
            bench.verify().await;
        }
    });
}

#[test]
fn a_call_that_is_answered_ends_no_incident_while_conversations_are_refused() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Dead);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        let attempts = bench.attempts();
        bench.pass(Duration::from_secs(121)).await;
        assert_eq!((bench.attempts() - attempts, bench.world.probes.load(Ordering::SeqCst)), (1, 0));
        assert!(bench.health.borrow().incident.is_some());
    });
}

#[test]
fn an_attempt_that_panics_is_a_failed_one_and_a_probe_that_panics_is_followed_by_another() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Panics);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.until("it is on record", |health| health.sync_errors.pending == 1 && health.idle()).await;
        let list = bench.ledger.error_list(&super::bench::org(), State::Pending, None, 10).await.unwrap();
        assert_eq!(list[0].code, "ATTEMPT_BROKE_OFF");
        bench.mood(Mood::Dead);
        bench.arrive(super::bench::arrival(2, 1)).await;
        bench.until("it is parked", |health| health.parked == 1).await;
        bench.mood(Mood::Panics);
        bench.pass(Duration::from_secs(121)).await;
        bench.until("the probe broke off", |health| health.sync_errors.pending == 2).await;
        bench.mood(Mood::Good);
        bench.pass(Duration::from_secs(121)).await;
        bench.until("the next probe goes", |health| health.incident.is_none()).await;
        bench.about(2, Ask::Retry).await.unwrap().unwrap();
        bench.settled().await;
        bench.verify().await;
    });
}

#[test]
fn a_host_that_stops_leaves_what_hangs_to_the_next_start() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Hangs);
        for number in 1..=30 {
            bench.arrive(super::bench::arrival(number, 1)).await;
        }
        bench.until("all places are taken", |health| health.sending == 20).await;
        let began = tokio::time::Instant::now();
        let mut bench = bench.restart().await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        bench.mood(Mood::Good);
        bench.settled().await;
        assert_eq!(lock(&bench.world.written).len(), 30);
        bench.verify().await;
    });
}

#[test]
fn a_start_probes_at_once_because_the_configuration_may_have_been_mended() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Dead);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.until("it is parked", |health| health.parked == 1 && health.idle()).await;
        bench.mood(Mood::Good);
        let mut bench = bench.restart().await;
        bench.until("it is in", |health| health.parked == 0 && health.idle() && health.incident.is_none()).await;
        assert_eq!(lock(&bench.world.written).len(), 1);
        bench.verify().await;
    });
}

#[test]
fn a_clock_that_goes_back_by_a_day_delays_no_retry() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Outage);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.until("it is tried again later", |health| health.scheduled == 1).await;
        bench.mood(Mood::Good);
        bench.clock.turn_back(Duration::from_secs(86_400));
        bench.arrive(super::bench::arrival(2, 1)).await;
        bench.until("both are in", |health| health.idle() && health.sync_errors.resolved == 1).await;
        assert_eq!(lock(&bench.world.written).len(), 2);
        bench.verify().await;
    });
}

#[test]
fn everything_is_retried_in_parts_behind_new_traffic_and_a_restart_goes_on_with_it() {
    alone(async {
        let mut bench = Bench::start();
        bench.mood(Mood::Refuses);
        for number in 1..=400 {
            bench.arrive(super::bench::arrival(number, 1)).await;
        }
        bench.until("all are on record", |health| health.sync_errors.pending == 400 && health.idle()).await;
        bench.mood(Mood::Hangs);
        let count = bench.retry_all().await.unwrap();
        assert_eq!(count, 400);
        bench.until("the first of the cause are on their way", |health| health.sending == 3).await;
        let mut bench = bench.kill().await;
        bench.mood(Mood::Good);
        let health = bench.settled().await;
        assert_eq!((health.sync_errors.resolved, health.sync_errors.pending, health.retrying_all), (400, 0, 0));
        let facts = audit(&bench, "main:7-1").await;
        assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::RetryAsked { .. })).count(), 1, "{facts:?}");
        bench.verify().await;
    });
}

#[test]
fn a_retry_that_comes_during_an_attempt_is_made_and_an_ignore_is_answered_as_ignored() {
    alone(async {
        let mut bench = Bench::start();
        lock(&bench.world.refused).extend([conversation(1), conversation(2)]);
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.arrive(super::bench::arrival(2, 1)).await;
        bench.until("both are on record", |health| health.sync_errors.pending == 2).await;
        let ignored = bench.about(2, Ask::Ignore("spam".to_owned())).await.unwrap().unwrap();
        assert_eq!((ignored.state, ignored.reason.as_deref()), (State::Ignored, Some("spam")));
        let (first, attempts) = (bench.about(1, Ask::Retry), bench.attempts());
        assert_eq!(first.await.unwrap().unwrap().state, State::Retrying);
        // The next one comes while the first is on its way or already refused: each is an attempt.
        bench.about(1, Ask::Retry).await.unwrap().unwrap();
        bench.until("both were made", |health| health.sync_errors.pending == 1 && health.idle()).await;
        assert_eq!(bench.attempts() - attempts, 2);
        assert_eq!(bench.state(2).await, Some(State::Ignored));
    });
}

#[test]
fn a_first_start_by_a_clock_that_is_years_ahead_forgets_nothing() {
    alone(async {
        let mut bench = Bench::start();
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.settled().await;
        bench.clock.advance(Duration::from_secs(800 * 86_400));
        let mut bench = bench.kill().await;
        bench.settled().await;
        let keep = Duration::from_secs(30 * 86_400);
        let forgotten = bench.ask(|reply| Command::Forget { keep, first: true, reply }).await;
        assert_eq!(forgotten.unwrap().unwrap(), 0);
        assert!(bench.ledger.conversation(&super::bench::org(), &conversation(1)).await.unwrap().is_some());
    });
}

#[test]
fn what_leads_by_its_age_to_a_record_that_was_set_aside_is_forgotten_and_ends_the_round() {
    alone(async {
        let mut bench = Bench::start();
        bench.arrive(super::bench::arrival(1, 1)).await;
        bench.settled().await;
        let mut batch = crate::store::Batch::default();
        batch.put("delivery/acme/main:1", "{\"9\":{\"of\":\"a later release\"}}");
        crate::store::Store::commit(bench.store.as_ref(), batch).await.unwrap();
        bench.pass(Duration::from_secs(3 * 86_400)).await;
        let (keep, mut looked_at) = (Duration::ZERO, Vec::new());
        for first in [true, false, false, false] {
            let forgotten = bench.ask(|reply| Command::Forget { keep, first, reply }).await;
            looked_at.push(forgotten.unwrap().unwrap());
        }
        assert_eq!(looked_at, [1, 0, 0, 0]);
        bench.verify().await;
    });
}
