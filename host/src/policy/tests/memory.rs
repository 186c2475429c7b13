//! What one decision leaves in memory.

use super::{add, component, name, patient, queue, route, source};
use crate::policy::{Config, PolicyHost, sample};

/// Answers with the first digit of 0123456789, and moves the place where it begins to read by one each time.
fn counter() -> Vec<u8> {
    let digits = component::text("0123456789");
    component::router(
        "",
        &format!(
            "(local.set $i (i32.load (i32.const 512)))
             (i32.store (i32.const 512) (i32.add (local.get $i) (i32.const 1)))
             (call $queue (i32.add (i32.const {digits}) (local.get $i)) (i32.const 1))"
        ),
    )
}

#[tokio::test]
async fn nothing_that_a_decision_leaves_in_memory_reaches_the_next() {
    for freeze in [true, false] {
        let host = PolicyHost::start(Config { freeze, ..patient() }).unwrap();
        add(&host, "counter", &counter()).await;
        host.apply(name("counting"), source("plugin = \"counter\"\n", &[])).await.unwrap();
        let status = host.settled(&name("counting")).await.unwrap();
        let by = &status.in_force.unwrap().answered_by[0];
        assert_eq!(by.frozen, freeze, "{:?}", by.not_frozen_because);
        let of = sample::conversation(super::NOW);
        for _ in 0..3 {
            assert_eq!(route(&host, "counting", &of).await, queue("0"), "frozen: {freeze}");
        }
    }
}

#[tokio::test]
async fn an_instance_that_is_kept_warm_does_remember() {
    let host = PolicyHost::start(patient()).unwrap();
    add(&host, "counter", &counter()).await;
    host.apply(name("counting"), source("plugin = \"counter\"\n", &[])).await.unwrap();
    host.settled(&name("counting")).await;
    let mut warm = host.warm(&name("counting")).await.unwrap();
    let of = sample::conversation(super::NOW);
    for answer in ["0", "1", "2"] {
        assert_eq!(warm.route(&of).await, queue(answer));
    }
}
