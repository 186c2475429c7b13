//! What one decision leaves in memory, globals, tables and handles of WASI.

use super::worlds::with_wasi;
use super::{add, closed, component, name, patient, queue, route, source};
use crate::domain::{Destination, Fault};
use crate::policy::{Config, Isolation, PolicyHost, revision::sample};

/// Answers with a digit for each thing that it could remember by, and counts each up for the next time: a place in memory,
/// a global, the handles that it has open, and the size of a table, if it has one: what changes a table cannot be frozen.
fn hoarder(configure: &str, table: bool) -> Vec<u8> {
    let digit =
        |at: u32, value: &str| format!("(i32.store8 (i32.const {}) (i32.add (i32.const 48) {value}))", 2048 + at);
    let route = [
        digit(0, "(i32.load (i32.const 512))"),
        "(i32.store (i32.const 512) (i32.add (i32.const 1) (i32.load (i32.const 512))))".into(),
        digit(1, "(global.get $count)"),
        "(global.set $count (i32.add (i32.const 1) (global.get $count)))".into(),
        // Handles are numbered from 1, and this one is never given back.
        digit(2, "(i32.sub (call $stdout) (i32.const 1))"),
        digit(3, if table { "(table.grow $table (ref.null func) (i32.const 1))" } else { "(local.get $i)" }),
        "(call $queue (i32.const 2048) (i32.const 4))".into(),
    ];
    let core = "(table $table 0 funcref) (global $count (mut i32) (i32.const 0))".into();
    component::Plugin { core, configure: configure.into(), ..with_wasi(&route.concat()) }.bytes()
}

/// What three decisions answer, one after another, and why they are not made from a frozen copy, if they are not.
async fn decide(freeze: bool, plugin: &[u8]) -> (Vec<Result<Destination, Fault>>, Option<String>) {
    let host = PolicyHost::start(Config { freeze, ..patient() }).unwrap();
    add(&host, "hoarder", plugin).await;
    host.apply(name("counting"), source("plugin = \"hoarder\"\n", &[])).await.unwrap();
    let status = host.settled(&name("counting")).await.unwrap();
    let why = status.in_force.unwrap().answered_by[0].not_frozen_because.clone();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(route(&host, "counting", &sample::conversation(super::NOW)).await);
    }
    (answers, why)
}

#[tokio::test]
async fn nothing_that_a_decision_leaves_in_memory_reaches_the_next() {
    let frozen = decide(true, &hoarder("", false)).await;
    assert_eq!(frozen, (vec![queue("0000"); 3], None));
    let (configured, why) = decide(false, &hoarder("", true)).await;
    assert_eq!(configured, vec![queue("0000"); 3]);
    assert!(why.is_some());
}

#[tokio::test]
async fn a_plugin_that_changes_tables_or_keeps_handles_is_configured_each_time_and_remembers_nothing_either() {
    let (answers, why) = decide(true, &hoarder("", true)).await;
    assert_eq!(answers, vec![queue("0000"); 3]);
    assert!(why.as_ref().is_some_and(|why| why.contains("table.grow")), "{why:?}");
    let (answers, why) = decide(true, &hoarder("(drop (call $stdout))", false)).await;
    assert_eq!(answers, vec![queue("0010"); 3]);
    assert!(why.as_ref().is_some_and(|why| why.contains("WASI resources")), "{why:?}");
}

/// Answers with the first digit of 0123456789, and moves the place where it begins to read by one each time.
fn counter() -> Vec<u8> {
    component::router("", &remembering())
}

fn remembering() -> String {
    let digits = component::text("0123456789");
    format!(
        "(local.set $i (i32.load (i32.const 512)))
         (i32.store (i32.const 512) (i32.add (local.get $i) (i32.const 1)))
         (call $queue (i32.add (i32.const {digits}) (local.get $i)) (i32.const 1))"
    )
}

#[tokio::test]
async fn a_policy_that_chose_so_keeps_its_instance_until_a_fault() {
    for freeze in [true, false] {
        let host = PolicyHost::start(Config { freeze, ..patient() }).unwrap();
        let closed_traps = component::router("", &component::closed_else("(unreachable)", &remembering()));
        add(&host, "counter", &closed_traps).await;
        host.apply(name("counting"), source("plugin = \"counter\"\nisolation = \"policy\"\n", &[])).await.unwrap();
        let status = host.settled(&name("counting")).await.unwrap();
        assert_eq!(status.in_force.unwrap().answered_by[0].isolation, Isolation::Policy);
        let of = sample::conversation(super::NOW);
        for answer in ["0", "1", "2"] {
            assert_eq!(route(&host, "counting", &of).await, queue(answer), "frozen: {freeze}");
        }
        assert!(matches!(route(&host, "counting", &closed()).await, Err(Fault::Trapped { .. })));
        assert_eq!(route(&host, "counting", &of).await, queue("0"), "frozen: {freeze}");
    }
}

#[tokio::test]
async fn an_instance_that_is_kept_is_recycled_after_a_thousand_decisions() {
    let host = PolicyHost::start(patient()).unwrap();
    // It answers with the empty text once it has counted beyond the digits, so it is asked for the remainder of ten.
    let digits = component::text("0123456789");
    let last_digit = format!(
        "(local.set $i (i32.load (i32.const 512)))
         (i32.store (i32.const 512) (i32.add (local.get $i) (i32.const 1)))
         (call $queue (i32.add (i32.const {digits}) (i32.rem_u (local.get $i) (i32.const 7))) (i32.const 1))"
    );
    add(&host, "counter", &component::router("", &last_digit)).await;
    host.apply(name("counting"), source("plugin = \"counter\"\nisolation = \"policy\"\n", &[])).await.unwrap();
    host.settled(&name("counting")).await;
    let of = sample::conversation(super::NOW);
    for number in 0..1_005 {
        let expected = (number % 1_000 % 7).to_string();
        assert_eq!(route(&host, "counting", &of).await, queue(&expected), "decision {number}");
    }
}

#[tokio::test]
async fn instances_are_kept_for_as_many_policies_as_there_are_places_and_the_others_decide_all_the_same() {
    let host = PolicyHost::start(Config { instances: 2, ..patient() }).unwrap();
    add(&host, "counter", &counter()).await;
    let of = sample::conversation(super::NOW);
    // Two decisions at a time leave one place for kept instances.
    for (policy, second) in [("first", "1"), ("second", "0")] {
        host.apply(name(policy), source("plugin = \"counter\"\nisolation = \"policy\"\n", &[])).await.unwrap();
        host.settled(&name(policy)).await;
        assert_eq!(route(&host, policy, &of).await, queue("0"), "{policy}");
        assert_eq!(route(&host, policy, &of).await, queue(second), "{policy}");
    }
}

#[tokio::test]
async fn a_policy_that_idles_makes_place_for_one_that_is_asked_and_both_go_on_deciding() {
    let host = PolicyHost::start(Config { frozen_policies: 1, ..patient() }).unwrap();
    add(&host, "counter", &counter()).await;
    for policy in ["first", "second"] {
        host.apply(name(policy), source("plugin = \"counter\"\n", &[])).await.unwrap();
    }
    let of = sample::conversation(super::NOW);
    let asked = async |policy: &str, now| {
        assert_eq!(host.route(&name(policy), &of, now).await.answer, queue("0"));
    };
    let why = async |policy: &str| {
        let status = host.settled(&name(policy)).await.unwrap();
        status.in_force.unwrap().answered_by[0].not_frozen_because.clone()
    };
    let later = |seconds| super::NOW.after(std::time::Duration::from_secs(seconds));
    asked("first", super::NOW).await;
    assert_eq!(why("first").await, None);
    asked("second", super::NOW).await;
    assert!(why("second").await.unwrap().contains("as many policies are frozen as may be"));
    asked("second", later(500)).await;
    assert!(why("second").await.is_some(), "the first decided not long ago");
    asked("second", later(700)).await;
    assert_eq!(why("second").await, None);
    asked("first", later(701)).await;
    assert!(why("first").await.is_some());
    asked("second", later(702)).await;
}
