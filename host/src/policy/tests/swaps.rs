//! Policies that are replaced while they decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{NOW, add, apply_script, component, name, of_team, patient, queue, revision};
use crate::domain::PolicySource;
use crate::policy::PolicyHost;

const SWAPS: u32 = 1_000;
/// Fewer, since each configures a script and tries it.
const SCRIPT_SWAPS: u32 = 10;

/// Asks until it is told to stop; gives back how many decisions it checked.
async fn decide(host: PolicyHost, policy: &str, in_force: Arc<AtomicU32>, stop: Arc<AtomicBool>) -> u32 {
    let (of, policy) = (of_team("orders"), name(policy));
    let mut decisions = 0;
    // On a busy machine the swaps may be over before this task had its turn.
    while decisions == 0 || !stop.load(Ordering::SeqCst) {
        let at_least = in_force.load(Ordering::SeqCst);
        let decision = host.route(&policy, &of, NOW).await;
        let made_by = decision.policy.revision;
        assert!(made_by >= at_least, "revision {made_by} decided after {at_least} was in force");
        // Every odd revision says Odd: the answer and the revision that is named with it belong together.
        assert_eq!(decision.answer, queue(["Even", "Odd!"][made_by as usize % 2]));
        decisions += 1;
    }
    decisions
}

/// Alternates between two policies while four tasks decide.
async fn swap(host: &PolicyHost, policy: &'static str, swaps: u32, apply: impl AsyncFn(u32) -> u32) {
    let (in_force, stop) = (Arc::new(AtomicU32::new(apply(1).await)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> =
        (0..4).map(|_| tokio::spawn(decide(host.clone(), policy, in_force.clone(), stop.clone()))).collect();
    for number in 2..=swaps {
        let revision = apply(number).await;
        assert_eq!(revision, number);
        in_force.store(revision, Ordering::SeqCst);
    }
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_swaps_fail_no_decision_and_none_is_made_by_a_revision_that_was_replaced() {
    let host = PolicyHost::start(patient()).unwrap();
    for (plugin, answer) in [("even", "Even"), ("odd", "Odd!")] {
        let route = format!("(call $queue (i32.const {}) (i32.const 4))", component::text(answer));
        add(&host, plugin, &component::router("", &route)).await;
    }
    swap(&host, "swapped", SWAPS, async |number| {
        // Each is a text of its own: the same text would be the same revision.
        let toml = format!("plugin = \"{}\"\n# {number}\n", ["even", "odd"][number as usize % 2]);
        let source = PolicySource { toml, ..super::source("", &[]) };
        revision(&host.apply(name("swapped"), source).await.unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_are_swapped_under_decisions_too() {
    let host = super::host().await;
    swap(host, "swapped-script", SCRIPT_SWAPS, async |number| {
        let answer = ["Even", "Odd!"][number as usize % 2];
        let script = format!("fn route(conversation) {{ queue(\"{answer}\") }} // {number}");
        revision(&apply_script(host, "swapped-script", &script).await.unwrap())
    })
    .await;
}
