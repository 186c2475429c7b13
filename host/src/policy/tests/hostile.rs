//! Plugins that mean no good: each ends in a fault of its own, within its bounds, and in nobody else's way.

use std::time::Duration;

use futures_util::future::join_all;

use super::{add, closed, component, name, queue, route, source};
use crate::clock::Stopwatch;
use crate::domain::{Decision, Destination, Fault};
use crate::policy::{Config, PolicyHost, Rejection, sample};

const LIMIT_MS: u64 = 500;
const LOOP: &str = "(loop $again (br $again)) (unreachable)";

/// A host in which the deadline comes soon.
fn host() -> PolicyHost {
    let config = Config { deadline_ms: LIMIT_MS, configure_deadline_ms: LIMIT_MS, ..Config::default() };
    PolicyHost::start(config).expect("an engine")
}

async fn apply(host: &PolicyHost, plugin: &str, bytes: &[u8]) -> Result<(), Rejection> {
    add(host, plugin, bytes).await;
    host.apply(name(plugin), source(&format!("plugin = \"{plugin}\"\n"), &[])).await.map(drop)
}

/// What comes of `body` with a closed conversation; that an open one is served afterwards is seen here.
async fn decide(body: &str) -> Decision<Destination> {
    let host = host();
    apply(&host, "hostile", &component::when_closed(body)).await.unwrap();
    let decision = host.route(&name("hostile"), &closed(), super::NOW).await;
    let open = sample::conversation(super::NOW);
    assert_eq!(route(&host, "hostile", &open).await, queue("Orders"));
    decision
}

async fn fault(body: &str) -> Fault {
    decide(body).await.answer.unwrap_err()
}

#[tokio::test]
async fn an_endless_loop_is_too_slow_and_others_are_served_meanwhile() {
    let host = host();
    apply(&host, "looping", &component::when_closed(LOOP)).await.unwrap();
    apply(&host, "calm", &component::when_closed("(unreachable)")).await.unwrap();
    let (closed, open) = (closed(), sample::conversation(super::NOW));
    let watch = Stopwatch::start();
    // More than one policy may have places for, all on the one thread of this test.
    let loops = join_all((0..12).map(|_| route(&host, "looping", &closed)));
    tokio::pin!(loops);
    tokio::select! {
        biased;
        _ = &mut loops => panic!("twelve loops ended before one calm decision"),
        calm = route(&host, "calm", &open) => assert_eq!(calm, queue("Orders")),
    }
    for answer in loops.await {
        assert_eq!(answer, Err(Fault::TooSlow { limit_ms: LIMIT_MS }));
    }
    assert!(watch.elapsed() < Duration::from_secs(20), "{:?}", watch.elapsed());
    assert_eq!(route(&host, "looping", &open).await, queue("Orders"));
    let status = host.policies().into_iter().find(|status| status.name == name("looping")).unwrap();
    assert_eq!((status.decisions, status.faults.too_slow), (13, 12));
}

#[tokio::test]
async fn a_plugin_that_loops_over_its_settings_is_rejected() {
    let bytes = component::router("(loop $again (br $again))", "(unreachable)");
    let rejection = apply(&host(), "looping", &bytes).await.unwrap_err();
    assert_eq!(rejection.fault, Some(Fault::TooSlow { limit_ms: LIMIT_MS }));
}

#[tokio::test]
async fn a_plugin_that_fails_with_the_sample_is_rejected_with_its_fault() {
    let rejection = apply(&host(), "trapping", &component::router("", "(unreachable)")).await.unwrap_err();
    assert!(matches!(rejection.fault, Some(Fault::Trapped { .. })), "{rejection:?}");
    let rejection = apply(&host(), "looping", &component::router("", LOOP)).await.unwrap_err();
    assert_eq!(rejection.fault, Some(Fault::TooSlow { limit_ms: LIMIT_MS }));
}

#[tokio::test]
async fn a_plugin_that_breaks_off_is_trapped() {
    for body in ["(unreachable)", "(i32.div_u (i32.const 1) (i32.const 0))", "(call $route (local.get $of))"] {
        let fault = fault(body).await;
        assert!(matches!(fault, Fault::Trapped { .. }), "{body}: {fault}");
    }
}

#[tokio::test]
async fn memory_without_end_is_too_large() {
    let grow = "(loop $again
        (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
    let fault = fault(grow).await;
    assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
}

#[tokio::test]
async fn an_answer_beyond_its_bound_is_too_large() {
    // The first passes the bound of answers; the second is more than may be handed over at once.
    for bytes in [100_000, 1_500_000] {
        let fault = fault(&format!("(call $queue (i32.const 500000) (i32.const {bytes}))")).await;
        assert!(matches!(fault, Fault::TooLarge { .. }), "{bytes}: {fault}");
    }
}

#[tokio::test]
async fn an_answer_that_lies_outside_the_memory_is_trapped() {
    let fault = fault("(call $queue (i32.const 1024) (i32.const 100000000))").await;
    assert!(matches!(fault, Fault::Trapped { .. }), "{fault}");
}

#[tokio::test]
async fn an_answer_that_is_not_utf_8_is_trapped() {
    let fault = fault("(i32.store (i32.const 256) (i32.const -1)) (call $queue (i32.const 256) (i32.const 4))").await;
    let Fault::Trapped { message } = fault else { panic!("{fault}") };
    assert!(message.contains("utf-8"), "{message}");
}

#[tokio::test]
async fn a_queue_without_a_name_is_senseless() {
    let fault = fault("(call $queue (i32.const 1024) (i32.const 0))").await;
    assert_eq!(fault, Fault::Senseless { message: "a queue without a name".into() });
}

#[tokio::test]
async fn a_flood_of_words_is_cut_off_and_the_answer_stands() {
    let flood = "(loop $again
          (call $log (i32.const 1) (i32.const 1072) (i32.const 10))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $i) (i32.const 10000))))
        (call $queue (i32.const 1072) (i32.const 3))";
    let decision = decide(flood).await;
    assert_eq!(decision.answer, queue("012"));
    let bytes: usize = decision.logs.iter().map(String::len).sum();
    assert!(bytes <= Config::default().log_bytes + " (cut off)".len(), "{bytes} bytes were kept");
    assert_eq!(decision.logs[0], "info: 0123456789");
    assert!(decision.logs.last().unwrap().ends_with("(cut off)"));
}

#[tokio::test]
async fn one_word_beyond_what_may_be_handed_over_at_once_is_too_large() {
    let fault = fault("(call $log (i32.const 1) (i32.const 500000) (i32.const 1500000)) (unreachable)").await;
    assert!(matches!(fault, Fault::TooLarge { .. }), "{fault}");
}
