//! Measures what a decision costs: from a frozen clone, from a plugin that is configured each time, and warm.

use std::time::Duration;

use switchyard::clock::Stopwatch;
use switchyard::domain::{
    AccountId, Conversation, ConversationId, Customer, Direction, Message, MessageId, Origin, PluginName, PolicyName,
    PolicySource, SourceId, Timestamp,
};
use switchyard::policy::{Config, PolicyHost};

const PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/prebuilt/script.wasm");
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

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let frozen = host(Config::default()).await;
        let fresh = host(Config { freeze: false, ..Config::default() }).await;
        println!("\n{:<44}{:>10}{:>10}{:>10}", "one decision of the script plugin (µs)", "p50", "p90", "p99");
        for messages in [1, 10, 200] {
            let of = conversation(messages);
            let mut warm = frozen.warm(&name()).await.expect("a policy in force");
            row(&format!("frozen clone, {messages} messages"), 3_000, async || frozen.route(&name(), &of, NOW).await)
                .await;
            row(&format!("configured each time, {messages} messages"), 1_000, async || {
                fresh.route(&name(), &of, NOW).await
            })
            .await;
            row(&format!("warm call, {messages} messages"), 3_000, async || warm.route(&of).await).await;
        }
        throughput(&frozen).await;
    });
}

async fn host(config: Config) -> PolicyHost {
    let host = PolicyHost::start(config).expect("an engine");
    let plugin = std::fs::read(PLUGIN).expect("the prebuilt plugin");
    let watch = Stopwatch::start();
    host.add_plugin(PluginName::new("script").expect("a name"), plugin, Origin::Embedded).await.expect("a plugin");
    println!("{:<44}{:>10.1?}", "plugin taken", watch.elapsed());
    for edit in 1..=4 {
        let script = format!("{SCRIPT}\n// edit {edit}\nfn edited() {{ {edit} }}\n");
        let source = PolicySource {
            toml: TOML.into(),
            scripts: [("bench.rhai".to_owned(), script)].into(),
            origin: Origin::Embedded,
            at: NOW,
        };
        let watch = Stopwatch::start();
        host.apply(name(), source).await.expect("a policy");
        let applied = watch.elapsed();
        host.settled(&name()).await;
        let title = format!("script edit {edit}: in force after, frozen after");
        println!("{title:<44}{applied:>10.1?}{:>10.1?}", watch.elapsed());
    }
    host
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
    println!("{title:<44}{:>10.1}{:>10.1}{:>10.1}", at(50), at(90), at(99));
}

async fn throughput(host: &PolicyHost) {
    for tasks in [1, 2] {
        let watch = Stopwatch::start();
        let run = |_| {
            let host = host.clone();
            tokio::spawn(async move {
                let (name, of) = (name(), conversation(10));
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
        println!("{:<44}{rate:>10.0}", format!("decisions a second, 10 messages, {tasks} at once"));
    }
}

fn name() -> PolicyName {
    PolicyName::new("bench").expect("a name")
}

fn conversation(messages: usize) -> Conversation {
    let message = |number: usize| Message {
        id: MessageId::new(format!("bench:{number}")).expect("an id"),
        direction: if number.is_multiple_of(3) { Direction::Outbound } else { Direction::Inbound },
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
    }
}
