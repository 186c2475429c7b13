//! Measures what hostile plugins cost the host and everybody else: how late they end, how much memory the process takes for
//! them, and how long another organization's decisions take beside them.

#[path = "../src/policy/tests/bombs.rs"]
#[expect(dead_code, reason = "the tests ask for reasons")]
mod bombs;
#[path = "../src/policy/tests/component.rs"]
#[expect(dead_code, reason = "the tests make more of them")]
mod component;
#[path = "../src/policy/tests/corpus.rs"]
#[expect(dead_code, reason = "the tests compare with more of it")]
mod corpus;
#[path = "../src/policy/tests/peak.rs"]
mod peak;
#[path = "../src/policy/tests/worlds.rs"]
mod worlds;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use switchyard::clock::Stopwatch;
use switchyard::domain::{Origin, PluginName, PolicyName, PolicySource, Timestamp};
use switchyard::policy::case::Case;
use switchyard::policy::{Config, PolicyHost};

use self::corpus::Hostile;
use self::peak::Peak;

const SCRIPT_PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/script.wasm");
const SCRIPT: &str = "fn route(conversation) { queue(settings.queues[conversation.team] ?? \"Support\") }";
const CALM: &str = r#"{"now": "2026-01-05T09:30:00Z", "conversation": {"id": "1", "channel": "whatsapp", "team": "Sales",
    "messages": [{"body": "Hello, where is my order?"}, {"body": "I have been waiting for it since last week."}]}}"#;
/// As many as one policy may have places for.
const ATTACKERS: usize = 8;
const TIMES: usize = 40;
/// A calm decision is asked for so often, and for so long.
const EVERY: Duration = Duration::from_millis(2);
const MEASURED: Duration = Duration::from_secs(3);

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let host = PolicyHost::start(Config::default()).expect("an engine");
        files(&host).await;
        configuring(&host).await;
        decisions(&host).await;
        others(&host).await;
    });
}

/// Files that are refused.
async fn files(host: &PolicyHost) {
    println!("{:<46}{:>12}{:>12}", "a file that is refused", "ms", "peak MB");
    for bombs::Bomb { name, file, .. } in bombs::files() {
        let peak = Peak::start();
        let watch = Stopwatch::start();
        let taken = host.add_plugin(plugin_name("bomb"), file, Origin::Embedded).await;
        let took = watch.elapsed();
        assert!(taken.is_err(), "{name}");
        println!("{name:<46}{:>12.1}{:>12.1}", ms(took), megabytes(&peak));
    }
}

/// Plugins that fail before they decide, with two seconds to be configured in.
async fn configuring(host: &PolicyHost) {
    println!("\n{:<46}{:>26}{:>10}{:>10}{:>10}", "a policy that is refused", "way", "ms", "late ms", "peak MB");
    for Hostile { name, plugin, .. } in corpus::in_configuring() {
        add(host, "refused", plugin).await;
        let peak = Peak::start();
        let watch = Stopwatch::start();
        let refused = host.apply(policy("refused"), source("plugin = \"refused\"\n")).await.expect_err(name);
        let took = watch.elapsed();
        let way = refused.fault.map(|fault| fault.code().to_owned()).unwrap_or_default();
        let late = took.saturating_sub(Duration::from_millis(Config::default().configure_deadline_ms));
        println!("{name:<46}{way:>26}{:>10.1}{:>10.1}{:>10.1}", ms(took), ms(late), megabytes(&peak));
    }
}

/// Hostile decisions one after another: how each ends, after how long, and how far over the deadline.
async fn decisions(host: &PolicyHost) {
    println!(
        "\n{:<46}{:>26}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "a decision that is hostile", "way", "p50 ms", "max ms", "late ms", "guest MB", "peak MB"
    );
    for Hostile { name, plugin, .. } in corpus::in_decisions() {
        apply(host, "hostile", plugin).await;
        let case = Case::read(&corpus::case(true)).expect("a case");
        let (peak, mut took, mut way, mut bytes) = (Peak::start(), Vec::new(), String::new(), 0);
        for _ in 0..TIMES {
            let watch = Stopwatch::start();
            let tried = host.try_case(&policy("hostile"), &case).await;
            took.push(watch.elapsed());
            way = tried.decision.answer.err().map_or_else(|| "answers".to_owned(), |fault| fault.code().to_owned());
            bytes = tried.memory_bytes;
        }
        took.sort_unstable();
        let (middle, most) = (took[TIMES / 2], took[TIMES - 1]);
        let late = most.saturating_sub(Duration::from_millis(Config::default().deadline_ms));
        let guest = bytes as f64 / 1e6;
        println!(
            "{:<46}{way:>26}{:>10.2}{:>10.2}{:>10.2}{guest:>10.1}{:>10.1}",
            name,
            ms(middle),
            ms(most),
            ms(late),
            megabytes(&peak)
        );
    }
}

/// One organization's decisions beside another's that attack as fast as they can.
async fn others(host: &PolicyHost) {
    let script = std::fs::read(SCRIPT_PLUGIN).expect("the prebuilt plugin");
    add(host, "script", script).await;
    let toml = "plugin = \"script\"\nscript = \"calm.rhai\"\n[settings.queues]\nSales = \"Sales\"\n";
    for name in ["calm", "busy"] {
        let scripts = [("calm.rhai".to_owned(), SCRIPT.to_owned())].into();
        host.apply(policy(name), PolicySource { scripts, ..source(toml) }).await.expect("a policy");
        host.settled(&policy(name)).await;
    }
    let calm = Case::read_input(CALM).expect("a case");
    println!(
        "\n{:<46}{:>10}{:>10}{:>10}{:>14}",
        format!("a calm policy beside {ATTACKERS} tasks"),
        "p50 ms",
        "p99 ms",
        "max ms",
        "attacks/s"
    );
    beside(host, "alone", 0, &policy("busy"), &calm).await;
    beside(host, "beside another calm policy", ATTACKERS, &policy("busy"), &calm).await;
    for Hostile { name, plugin, .. } in corpus::in_decisions() {
        apply(host, "hostile", plugin).await;
        let case = Case::read(&corpus::case(true)).expect("a case");
        beside(host, name, ATTACKERS, &policy("hostile"), &case).await;
    }
}

async fn beside(host: &PolicyHost, title: &str, tasks: usize, of: &PolicyName, with: &Case) {
    let (stop, attacks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let attack = |_| {
        let (host, of, with) = (host.clone(), of.clone(), with.clone());
        let (stop, attacks) = (Arc::clone(&stop), Arc::clone(&attacks));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                host.try_case(&of, &with).await;
                attacks.fetch_add(1, Ordering::Relaxed);
                // As a conversation that waits for Salesforce would.
                tokio::task::yield_now().await;
            }
        })
    };
    let attackers: Vec<_> = (0..tasks).map(attack).collect();
    let (calm_host, case) = (host.clone(), Case::read_input(CALM).expect("a case"));
    let measured = tokio::spawn(async move {
        let (whole, mut took) = (Stopwatch::start(), Vec::new());
        let mut arrivals = tokio::time::interval(EVERY);
        while whole.elapsed() < MEASURED {
            // Who comes while another is late has waited since then.
            let came = arrivals.tick().await;
            let tried = calm_host.try_case(&policy("calm"), &case).await;
            took.push(came.elapsed());
            assert!(tried.decision.answer.is_ok(), "{:?}", tried.decision.answer);
        }
        took
    });
    let mut took = measured.await.expect("a task that ends");
    stop.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.await.expect("a task that ends");
    }
    took.sort_unstable();
    let at = |share: usize| ms(took[(took.len() - 1) * share / 100]);
    let attacks = attacks.load(Ordering::Relaxed) as f64 / MEASURED.as_secs_f64();
    println!("{title:<46}{:>10.3}{:>10.3}{:>10.3}{attacks:>14.0}", at(50), at(99), at(100));
}

async fn apply(host: &PolicyHost, name: &str, plugin: Vec<u8>) {
    add(host, name, plugin).await;
    host.apply(policy(name), source(&format!("plugin = \"{name}\"\n"))).await.expect("a policy");
    host.settled(&policy(name)).await;
}

async fn add(host: &PolicyHost, name: &str, plugin: Vec<u8>) {
    host.add_plugin(plugin_name(name), plugin, Origin::Embedded).await.expect("a plugin");
}

fn source(toml: &str) -> PolicySource {
    PolicySource { toml: toml.into(), scripts: Default::default(), origin: Origin::Embedded, at: Timestamp::default() }
}

fn plugin_name(name: &str) -> PluginName {
    PluginName::new(name).expect("a name")
}

fn policy(name: &str) -> PolicyName {
    PolicyName::new(name).expect("a name")
}

fn ms(of: Duration) -> f64 {
    of.as_secs_f64() * 1_000.0
}

fn megabytes(peak: &Peak) -> f64 {
    peak.bytes() as f64 / 1e6
}
