//! Plugins that mean no good, and how each is to end: the tests assert it, the benchmark `hostile` measures it.

use super::component::{Plugin, closed_else, orders};
use super::worlds::with_wasi;

pub(super) const LOOP: &str = "(loop $again (br $again)) (unreachable)";
/// Takes memory without end.
const GROW: &str = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)";
const TRAPPED: &str = "POLICY_TRAPPED";
const TOO_SLOW: &str = "POLICY_TOO_SLOW";
const TOO_LARGE: &str = "POLICY_TOO_LARGE";
const SENSELESS: &str = "POLICY_SENSELESS_ANSWER";
/// It does itself no good, and nobody else any harm.
pub(super) const ANSWERS: &str = "";

/// A plugin that is taken and then fails.
pub(super) struct Hostile {
    /// What it does.
    pub(super) name: &'static str,
    pub(super) plugin: Vec<u8>,
    /// The code of the fault that it ends in.
    pub(super) way: &'static str,
}

/// A case with the closed conversation for which they all wait, or with an open one.
pub(super) fn case(closed: bool) -> String {
    format!(
        r#"{{"now": "2026-01-05T09:30:00Z",
          "conversation": {{"id": "1", "channel": "whatsapp", "closed": {closed}, "messages": []}}}}"#
    )
}

/// Plugins that are put in force, and misbehave when a closed conversation comes.
pub(super) fn in_decisions() -> Vec<Hostile> {
    let mut all = in_themselves();
    all.extend(towards_the_host());
    all
}

fn does(name: &'static str, way: &'static str, body: &str) -> Hostile {
    let plugin = Plugin { core: "(table $table 1 funcref)".into(), ..with_wasi(&closed_else(body, &orders())) };
    Hostile { name, plugin: plugin.bytes(), way }
}

/// They take time, memory and stack.
fn in_themselves() -> Vec<Hostile> {
    vec![
        does("loops", TOO_SLOW, LOOP),
        does("sleeps for centuries", ANSWERS, &format!("(call $block (call $sleep (i64.const -1))) {}", orders())),
        does("breaks off", TRAPPED, "(unreachable)"),
        does("calls itself", TRAPPED, "(call $route (local.get $of))"),
        does("takes memory", TOO_LARGE, GROW),
        does(
            "fills all its memory again and again",
            TOO_SLOW,
            "(drop (memory.grow (i32.const 950)))
             (loop $again
               (memory.fill (i32.const 200000) (local.get $i) (i32.const 60000000))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br $again))
             (unreachable)",
        ),
        does(
            "takes table elements",
            TOO_LARGE,
            "(loop $again (br_if $again (i32.ne
               (table.grow $table (ref.null func) (i32.const 5000)) (i32.const -1)))) (unreachable)",
        ),
    ]
}

/// They write and answer too much, or what makes no sense.
fn towards_the_host() -> Vec<Hostile> {
    vec![
        does(
            "floods the log",
            ANSWERS,
            "(loop $again
               (call $log (i32.const 1) (i32.const 1072) (i32.const 10))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $i) (i32.const 10000))))
             (call $queue (i32.const 1024) (i32.const 6))",
        ),
        does(
            "prints a megabyte of empty lines",
            ANSWERS,
            "(memory.fill (i32.const 100000) (i32.const 10) (i32.const 1000000))
             (call $print (call $stdout) (i32.const 100000) (i32.const 1000000) (i32.const 256))
             (call $queue (i32.const 1024) (i32.const 6))",
        ),
        does(
            "writes a word of 1.5 MB",
            TOO_LARGE,
            "(call $log (i32.const 1) (i32.const 500000) (i32.const 1500000)) (unreachable)",
        ),
        does(
            "answers 100 MB, for which it has no room",
            TOO_LARGE,
            "(drop (memory.grow (i32.const 1600))) (call $queue (i32.const 1024) (i32.const 100000000))",
        ),
        does("answers 100 MB that it does not have", TRAPPED, "(call $queue (i32.const 1024) (i32.const 100000000))"),
        does(
            "answers 60 MB",
            TOO_LARGE,
            "(drop (memory.grow (i32.const 950))) (call $queue (i32.const 1024) (i32.const 60000000))",
        ),
        does("answers 100 kB", TOO_LARGE, "(call $queue (i32.const 500000) (i32.const 100000))"),
        does(
            "answers what is not UTF-8",
            TRAPPED,
            "(i32.store (i32.const 256) (i32.const -1)) (call $queue (i32.const 256) (i32.const 4))",
        ),
        does("answers no queue", SENSELESS, "(call $queue (i32.const 1024) (i32.const 0))"),
        does("uses a handle that does not exist", TRAPPED, "(call $block (i32.const 77)) (unreachable)"),
        does("takes handles", TRAPPED, "(loop $again (drop (call $stdout)) (br $again)) (unreachable)"),
        does(
            "asks for a gigabyte of chance",
            TRAPPED,
            "(call $bytes (i64.const 1073741824) (i32.const 256)) (unreachable)",
        ),
        does("ends the process", TRAPPED, "(call $exit (i32.const 1)) (unreachable)"),
    ]
}

/// Plugins that fail before they decide anything: no policy comes into force with them.
pub(super) fn in_configuring() -> Vec<Hostile> {
    let plugin = |name, way, plugin: Plugin| Hostile { name, plugin: plugin.bytes(), way };
    let start = |body: &str| Plugin { core: format!("(func $start {body}) (start $start)"), ..Plugin::default() };
    let configure = |body: &str| Plugin { configure: body.into(), ..Plugin::default() };
    vec![
        plugin("loops when it starts", TOO_SLOW, start("(loop $again (br $again))")),
        plugin("breaks off when it starts", TRAPPED, start("(unreachable)")),
        plugin("calls itself when it starts", TRAPPED, start("(call $start)")),
        plugin("takes memory when it starts", TOO_LARGE, start(GROW)),
        plugin("loops over its settings", TOO_SLOW, configure("(loop $again (br $again))")),
        plugin("breaks off over its settings", TRAPPED, configure("(unreachable)")),
        plugin("takes memory for its settings", TOO_LARGE, configure(GROW)),
    ]
}
