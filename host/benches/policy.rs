//! Measures what a decision costs in each form of a plugin and in native Rust, and what a thousand policies take.

use std::time::Duration;

use switchyard::clock::Stopwatch;
use switchyard::domain::{
    AccountId, Conversation, ConversationId, Customer, Direction, Message, MessageId, Origin, PluginName, PolicyName,
    PolicySource, SourceId, Timestamp,
};
use switchyard::policy::{Config, HistoryStore, PolicyHost};

const TOML: &str = "plugin = \"script\"\nscript = \"bench.rhai\"\n[settings.queues]\nSales = \"Sales_Queue\"\n";
const SCRIPT: &str = r#"
fn route(conversation) {
    if has_any_word(conversation.newest_inbound.body, ["refund", "chargeback"]) {
        return queue("Refunds");
    }
    let known = settings.queues[conversation.team];
    if known == () { not_eligible("no queue") } else { queue(known) }
}
"#;
const NOW: Timestamp = Timestamp::from_millis(1_768_469_412_000);

/// The rule of the script, for the compiled plugin.
const RULES: &str = "plugin = \"keyword-router\"\n[settings.keywords]\nrefund = \"Refunds\"\nchargeback = \"Refunds\"\n\
                     [settings.teams]\nSales = \"Sales_Queue\"\n";

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let frozen = host(Config::default(), None).await;
        let fresh = host(Config { freeze: false, ..Config::default() }, None).await;
        edits(&frozen).await;
        println!("\n{:<52}{:>10}{:>10}{:>10}", "one decision (µs)", "p50", "p90", "p99");
        for messages in [1, 10, 200] {
            let of = conversation(messages);
            for (guest, toml) in [("script", TOML), ("Rust guest", RULES)] {
                for (form, host, isolation) in [
                    ("frozen clone", &frozen, ""),
                    ("configured each time", &fresh, ""),
                    ("kept instance", &frozen, "isolation = \"policy\"\n"),
                ] {
                    apply(host, "bench", &format!("{isolation}{toml}"), SCRIPT).await;
                    host.settled(&name("bench")).await;
                    row(&format!("{guest}, {form}, {messages} messages"), 3_000, async || {
                        assert!(host.route(&name("bench"), &of, NOW).await.answer.is_ok());
                    })
                    .await;
                }
            }
            row(&format!("native Rust, {messages} messages"), 3_000, async || std::hint::black_box(native(&of))).await;
        }
        apply(&frozen, "bench", TOML, SCRIPT).await;
        frozen.settled(&name("bench")).await;
        throughput(&frozen).await;
        thousand().await;
    });
}

/// The same rule without a plugin.
fn native(of: &Conversation) -> Option<&'static str> {
    let newest = of.messages.iter().rev().find(|message| message.direction == Direction::Inbound)?;
    let body = newest.body.to_lowercase();
    let mut words = body.split(|c: char| !c.is_alphanumeric());
    if words.any(|word| matches!(word, "refund" | "chargeback")) {
        return Some("Refunds");
    }
    (of.team.as_deref() == Some("Sales")).then_some("Sales_Queue")
}

/// What a thousand policies take: each a script of its own.
async fn thousand() {
    const POLICIES: usize = 1_000;
    const FROZEN: usize = 20;
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = folder.path().join("compiled");
    println!();
    for start in ["a thousand policies, nothing compiled", "a thousand policies, compiled before"] {
        let before = resident();
        let watch = Stopwatch::start();
        let host = host(Config::default(), Some(compiled.clone())).await;
        for number in 0..POLICIES {
            apply(&host, &format!("policy-{number}"), TOML, &format!("{SCRIPT}\nfn number() {{ {number} }}\n")).await;
        }
        println!("{:<52}{:>10.2?}", format!("{start}: in force after"), watch.elapsed());
        let in_force = resident();
        println!("{:<52}{:>10.1}", "  memory, MB a thousand (plugins included)", (in_force - before) / 1e6);
        let watch = Stopwatch::start();
        for number in 0..FROZEN {
            host.settled(&name(&format!("policy-{number}"))).await;
        }
        let each = watch.elapsed() / FROZEN as u32;
        println!("{:<52}{:>10.2?}", format!("  the first {FROZEN} of them frozen, each"), each);
        println!("{:<52}{:>10.1}", "  memory of a frozen one, MB", (resident() - in_force) / 1e6 / FROZEN as f64);
    }
}

/// Memory of this process, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() * 1024.0
}

async fn host(config: Config, compiled: Option<std::path::PathBuf>) -> PolicyHost {
    let host = PolicyHost::start_with(config, HistoryStore::default(), compiled).expect("an engine");
    for plugin in ["script", "keyword-router"] {
        let file = format!(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/{}.wasm"), plugin);
        let bytes = std::fs::read(file).expect("the prebuilt plugin");
        let watch = Stopwatch::start();
        host.add_plugin(PluginName::new(plugin).expect("a name"), bytes, Origin::Embedded).await.expect("a plugin");
        println!("{:<52}{:>10.1?}", format!("plugin {plugin} taken"), watch.elapsed());
    }
    host
}

async fn apply(host: &PolicyHost, policy: &str, toml: &str, script: &str) {
    let scripts = [("bench.rhai".to_owned(), script.to_owned())].into();
    let source = PolicySource { toml: toml.into(), scripts, origin: Origin::Embedded, at: NOW };
    host.apply(name(policy), source).await.expect("a policy");
}

async fn edits(host: &PolicyHost) {
    for edit in 1..=4 {
        let script = format!("{SCRIPT}\n// edit {edit}\nfn edited() {{ {edit} }}\n");
        let watch = Stopwatch::start();
        apply(host, "bench", TOML, &script).await;
        let applied = watch.elapsed();
        host.settled(&name("bench")).await;
        let title = format!("script edit {edit}: in force after, frozen after");
        println!("{title:<52}{applied:>10.1?}{:>10.1?}", watch.elapsed());
    }
}

async fn row<T>(title: &str, times: usize, decide: impl AsyncFnMut() -> T) {
    let mut decide = decide;
    for _ in 0..times / 10 {
        decide().await;
    }
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let watch = Stopwatch::start();
        decide().await;
        took.push(watch.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_nanos() as f64 / 1_000.0;
    println!("{title:<52}{:>10.1}{:>10.1}{:>10.1}", at(50), at(90), at(99));
}

async fn throughput(host: &PolicyHost) {
    for tasks in [1, 2] {
        let watch = Stopwatch::start();
        let run = |_| {
            let host = host.clone();
            tokio::spawn(async move {
                let (name, of) = (name("bench"), conversation(10));
                let watch = Stopwatch::start();
                let mut decisions = 0_u32;
                while watch.elapsed() < Duration::from_secs(2) {
                    assert!(host.route(&name, &of, NOW).await.answer.is_ok());
                    decisions += 1;
                }
                decisions
            })
        };
        let running: Vec<_> = (0..tasks).map(run).collect();
        let mut decisions = 0;
        for running in running {
            decisions += running.await.expect("a task that ends");
        }
        let rate = f64::from(decisions) / watch.elapsed().as_secs_f64();
        println!("{:<52}{rate:>10.0}", format!("decisions a second, 10 messages, {tasks} at once"));
    }
}

fn name(name: &str) -> PolicyName {
    PolicyName::new(name).expect("a name")
}

fn conversation(messages: usize) -> Conversation {
    let message = |number: usize| Message {
        id: MessageId::new(format!("bench:{number}")).expect("an id"),
        direction: if number % 3 == 2 { Direction::Outbound } else { Direction::Inbound },
        author: "Ada Sample".into(),
        body: "Hello, where is my order 1234? I have been waiting for it since last week.".into(),
        sent_at: NOW,
    };
    Conversation {
        id: ConversationId::new("bench:1").expect("an id"),
        source: SourceId::new("bench").expect("an id"),
        account: AccountId::new("bench").expect("an id"),
        account_name: "Bench".into(),
        channel: "whatsapp".into(),
        team: Some("Sales".into()),
        agent: None,
        closed: false,
        tags: vec!["order".into(), "priority".into()],
        attributes: Vec::new(),
        customer: Customer { id: "1".into(), name: Some("Ada Sample".into()), ..Customer::default() },
        messages: (0..messages).map(message).collect(),
        url: String::new(),
        version: 1,
        state_as_of: 1,
        agent_as_of: 1,
        numbered: false,
        erased_until: None,
    }
}
