//! Plugins that mean no good: each ends in a fault of its own, within its bounds, and in nobody else's way.

use std::time::Duration;

use futures_util::future::join_all;

use super::corpus::{self, ANSWERS, Hostile, LOOP};
use super::peak::Peak;
use super::worlds::with_wasi;
use super::{add, bombs, closed, component, name, of_team, queue, route, source};
use crate::domain::{Decision, Destination, Fault, Origin, PluginName};
use crate::policy::case::Case;
use crate::policy::{Config, Error, PolicyHost, Rejection, revision::sample};

const LIMIT_MS: u64 = 500;

/// A host in which the deadline comes soon.
fn host() -> PolicyHost {
    host_that(true)
}

fn host_that(freeze: bool) -> PolicyHost {
    let config = Config { deadline_ms: LIMIT_MS, configure_deadline_ms: LIMIT_MS, freeze, ..Config::default() };
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

#[tokio::test]
async fn every_hostile_decision_fails_in_its_own_way_within_its_memory_and_the_next_one_is_served() {
    for freeze in [true, false] {
        let host = host_that(freeze);
        for Hostile { name: does, plugin, way } in corpus::in_decisions() {
            apply(&host, "hostile", &plugin).await.unwrap_or_else(|no| panic!("{does}: {no}"));
            host.settled(&name("hostile")).await;
            let case = |closed| Case::read(&corpus::case(closed)).unwrap();
            let tried = host.try_case(&name("hostile"), &case(true)).await;
            let got = match &tried.decision.answer {
                Err(fault) => fault.code(),
                Ok(_) => ANSWERS,
            };
            assert_eq!(got, way, "{does}: {:?}", tried.decision.answer);
            let bound = Config::default();
            assert!(tried.memory_bytes <= bound.memory_bytes, "{does}: {} bytes", tried.memory_bytes);
            let kept: usize = tried.decision.logs.iter().map(String::len).sum();
            assert!(kept <= bound.log_bytes + " (cut off)".len(), "{does}: {kept} bytes of log");
            if let Err(fault) = &tried.decision.answer {
                assert!(fault.to_string().len() < 1_000, "{does}: {fault}");
            }
            let open = host.try_case(&name("hostile"), &case(false)).await.decision;
            assert!(open.answer.is_ok(), "{does}: {:?}", open.answer);
        }
    }
}

/// Beyond what the plugin itself may have: its stack, the host's copy of what it hands over, and what compiling takes.
const BESIDE_BYTES: u64 = 32 << 20;

#[tokio::test]
async fn no_hostile_plugin_makes_the_process_larger_than_its_memory_and_32_mebibytes() {
    let this = "policy::tests::hostile::no_hostile_plugin_makes_the_process_larger_than_its_memory_and_32_mebibytes";
    if std::env::var_os("SWITCHYARD_TEST_ALONE").is_none() {
        // Other tests take memory too, so this one has a process of its own.
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let ended = alone.args(["--exact", this]).env("SWITCHYARD_TEST_ALONE", "1").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let host = host();
    let bound = Config::default().memory_bytes as u64 + BESIDE_BYTES;
    for Hostile { name: does, plugin, .. } in corpus::in_decisions().into_iter().chain(corpus::in_configuring()) {
        let peak = Peak::start();
        if apply(&host, "hostile", &plugin).await.is_ok() {
            host.try_case(&name("hostile"), &Case::read(&corpus::case(true)).unwrap()).await;
        }
        assert!(peak.bytes() <= bound, "{does}: {} bytes", peak.bytes());
    }
    for bombs::Bomb { name: does, file, .. } in bombs::files() {
        let peak = Peak::start();
        let taken = host.add_plugin(PluginName::new("bomb").unwrap(), file, Origin::Embedded).await;
        assert!(taken.is_err() && peak.bytes() <= bound, "{does}: {} bytes", peak.bytes());
    }
}

#[tokio::test]
async fn a_plugin_that_fails_over_its_settings_or_at_its_start_comes_into_no_force() {
    let host = host();
    for Hostile { name: does, plugin, way } in corpus::in_configuring() {
        let rejection = apply(&host, "hostile", &plugin).await.expect_err(does);
        let fault = rejection.fault.as_ref().unwrap_or_else(|| panic!("{does}: {rejection}"));
        assert_eq!(fault.code(), way, "{does}: {fault}");
        assert!(host.policies()[0].in_force.is_none(), "{does}");
    }
}

#[tokio::test]
async fn a_file_that_is_made_to_be_too_much_is_refused_in_a_few_words() {
    let (host, mut wrong) = (host(), Vec::new());
    for bombs::Bomb { name: does, file, reason } in bombs::files() {
        let add = host.add_plugin(PluginName::new("bomb").unwrap(), file, Origin::Embedded);
        let Err(Error::Plugin { reason: said, .. }) = add.await else { panic!("{does}: it was taken") };
        if !said.contains(reason) || said.len() > 1_000 {
            wrong.push(format!("{does}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(host.plugins().is_empty());
}

#[tokio::test]
async fn an_endless_loop_is_too_slow_and_others_are_served_meanwhile() {
    let host = host();
    apply(&host, "looping", &component::when_closed(LOOP)).await.unwrap();
    apply(&host, "calm", &component::when_closed("(unreachable)")).await.unwrap();
    let (closed, open) = (closed(), sample::conversation(super::NOW));
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
    assert_eq!(route(&host, "looping", &open).await, queue("Orders"));
    let status = host.policies().into_iter().find(|status| status.name == name("looping")).unwrap();
    assert_eq!((status.decisions, status.faults.too_slow), (13, 12));
}

#[tokio::test]
async fn a_plugin_that_loops_at_its_start_in_a_decision_only_is_too_slow() {
    // It was applied before this moment, and decides after it.
    let start = format!(
        "(func $start (call $now (i32.const 256))
           (if (i64.gt_u (i64.load (i32.const 256)) (i64.const {})) (then (loop $again (br $again)))))
         (start $start)",
        super::NOW.as_millis() / 1_000
    );
    let plugin = component::Plugin { core: start, ..with_wasi("") };
    let host = host_that(false);
    apply(&host, "late", &plugin.bytes()).await.unwrap();
    assert_eq!(route(&host, "late", &closed()).await, queue("Orders"));
    let later = super::NOW.after(Duration::from_secs(60));
    let answer = host.route(&name("late"), &closed(), later).await.answer;
    assert_eq!(answer, Err(Fault::TooSlow { limit_ms: LIMIT_MS }));
}

#[tokio::test]
async fn a_plugin_that_fails_with_the_sample_is_rejected_with_its_fault() {
    let rejection = apply(&host(), "trapping", &component::router("", "(unreachable)")).await.unwrap_err();
    assert!(matches!(rejection.fault, Some(Fault::Trapped { .. })), "{rejection:?}");
    let rejection = apply(&host(), "looping", &component::router("", LOOP)).await.unwrap_err();
    assert_eq!(rejection.fault, Some(Fault::TooSlow { limit_ms: LIMIT_MS }));
}

#[tokio::test]
async fn a_flood_of_problems_with_its_settings_is_cut_off() {
    // Ten thousand of them, each of a path without an end.
    let problems = "(i32.store (i32.const 64) (i32.const 1)) (i32.store (i32.const 68) (i32.const 400000))
        (i32.store (i32.const 72) (i32.const 10000))";
    let rejection = apply(&host(), "flooding", &component::router(problems, "(unreachable)")).await.unwrap_err();
    assert_eq!(rejection.problems.len(), 20);
}

#[tokio::test]
async fn policies_that_are_made_of_many_parts_leave_the_places_of_others_alone() {
    let host = host();
    let parts = "(core module $part (memory 1) (table 10 funcref)) ".to_owned()
        + &"(core instance (instantiate $part))".repeat(3);
    let parts = format!("{parts} (core module $empty) {}", "(core instance (instantiate $empty))".repeat(50));
    let large = component::Plugin {
        imports: parts,
        route: component::closed_else(LOOP, &component::orders()),
        ..Default::default()
    };
    for policy in ["large-1", "large-2", "large-3"] {
        apply(&host, policy, &large.bytes()).await.unwrap();
    }
    apply(&host, "calm", &component::when_closed("(unreachable)")).await.unwrap();
    let (closed, open) = (closed(), of_team("orders"));
    let loops = ["large-1", "large-2", "large-3"].map(|policy| join_all((0..8).map(|_| route(&host, policy, &closed))));
    let loops = join_all(loops);
    tokio::pin!(loops);
    tokio::select! {
        biased;
        _ = &mut loops => panic!("the loops ended before the calm decisions"),
        calm = join_all((0..8).map(|_| route(&host, "calm", &open))) => {
            for answer in calm {
                assert_eq!(answer, queue("Orders"));
            }
        }
    }
    assert!(loops.await.into_iter().flatten().all(|answer| answer == Err(Fault::TooSlow { limit_ms: LIMIT_MS })));
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
    assert_eq!(decision.logs[0], "info: 0123456789");
    assert!(decision.logs.last().unwrap().ends_with("(cut off)"));
}

#[tokio::test]
async fn whoever_reads_clock_chance_environment_files_and_network_finds_the_given_ones_and_nothing_else() {
    let host = host();
    // Each figure in sixteen digits: the clock, and what is to be the same; then chance.
    let read = "(call $now (i32.const 256)) (call $hex (i64.load (i32.const 256))) (call $hex (call $ticks))
        (call $block (call $sleep (i64.const 5000000))) (call $hex (call $ticks))
        (call $environment (i32.const 256)) (call $hex (i64.load32_u (i32.const 260)))
        (call $arguments (i32.const 256)) (call $hex (i64.load32_u (i32.const 260)))
        (call $files (i32.const 256)) (call $hex (i64.load32_u (i32.const 260)))
        (call $socket (i32.const 0) (i32.const 256))
        (call $hex (i64.add (i64.mul (i64.load8_u (i32.const 256)) (i64.const 16)) (i64.load8_u (i32.const 257))))
        (call $hex (call $random))
        (call $queue (i32.const 2048) (i32.sub (global.get $end) (i32.const 2048)))";
    let hex = "(global $end (mut i32) (i32.const 2048))
        (func $hex (param $of i64) (local $left i32) (local $digit i32)
          (local.set $left (i32.const 16))
          (loop $again
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (local.set $digit (i32.wrap_i64 (i64.and (i64.const 15)
              (i64.shr_u (local.get $of) (i64.mul (i64.const 4) (i64.extend_i32_u (local.get $left)))))))
            (i32.store8 (global.get $end) (i32.add (local.get $digit)
              (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
            (global.set $end (i32.add (global.get $end) (i32.const 1)))
            (br_if $again (local.get $left))))";
    apply(&host, "curious", &component::Plugin { core: hex.into(), ..with_wasi(read) }.bytes()).await.unwrap();
    host.settled(&name("curious")).await;
    let ask = async |of| match route(&host, "curious", of).await {
        Ok(Destination::Queue(figures)) => figures,
        other => panic!("{other:?}"),
    };
    let of = closed();
    let first = ask(&of).await;
    let figures: Vec<_> = (0..8).map(|at| u64::from_str_radix(&first[at * 16..][..16], 16).unwrap()).collect();
    // The monotonic clock moves by a microsecond with each look, and by five milliseconds of sleep. 0x12 stands for an
    // error, and not supported.
    assert_eq!(figures[..7], [super::NOW.as_millis() / 1_000, 1_000, 5_002_000, 0, 0, 0, 0x12]);
    assert_eq!(ask(&of).await, first);
    let other = ask(&crate::domain::Conversation { id: "another:1".parse().unwrap(), ..closed() }).await;
    assert_eq!(other[..112], first[..112]);
    assert_ne!(other[112..], first[112..], "another conversation has other random numbers");
}
