//! Measures the same rule as `policy.rs` in Extism, each decision a plugin of its own and with one that is kept.

use std::time::{Duration, Instant};

use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use serde_json::{Value, json};

const GUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/guest/wasm32-unknown-unknown/release/extism_guest.wasm");

fn main() -> Result<(), extism::Error> {
    // The bounds that the host gives: a deadline, and 64 MiB of memory.
    let manifest = Manifest::new([Wasm::data(std::fs::read(GUEST)?)])
        .with_memory_max(1_024)
        .with_timeout(Duration::from_millis(50))
        .with_config_key("Sales", "Sales_Queue");
    let compiled = CompiledPlugin::new(PluginBuilder::new(manifest))?;
    println!("{:<52}{:>10}{:>10}{:>10}", "one decision (µs)", "p50", "p90", "p99");
    for messages in [1, 10, 200] {
        let of = conversation(messages);
        row(&format!("Extism, a plugin for each decision, {messages} messages"), || {
            decide(&mut Plugin::new_from_compiled(&compiled).expect("a plugin"), &of)
        });
        let mut kept = Plugin::new_from_compiled(&compiled)?;
        row(&format!("Extism, kept plugin, {messages} messages"), || decide(&mut kept, &of));
    }
    Ok(())
}

/// From our record to the answer, as the host's figures are: writing and reading JSON is part of it.
fn decide(plugin: &mut Plugin, of: &Value) {
    let answer: String = plugin.call("route", of.to_string()).expect("an answer");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["queue"], "Sales_Queue");
}

fn row(title: &str, mut decide: impl FnMut()) {
    for _ in 0..300 {
        decide();
    }
    let mut took: Vec<_> = (0..3_000)
        .map(|_| {
            let begun = Instant::now();
            decide();
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_nanos() as f64 / 1_000.0;
    println!("{title:<52}{:>10.1}{:>10.1}{:>10.1}", at(50), at(90), at(99));
}

fn conversation(messages: usize) -> Value {
    let message = |number: usize| {
        json!({
            "id": format!("bench:{number}"), "direction": if number % 3 == 2 { "outbound" } else { "inbound" },
            "author": "Ada Sample", "sent_at": 1_768_469_412_000_u64,
            "body": "Hello, where is my order 1234? I have been waiting for it since last week.",
        })
    };
    json!({
        "id": "bench:1", "channel": "whatsapp", "account": "bench", "team": "Sales", "agent": null, "closed": false,
        "tags": ["order", "priority"], "attributes": [],
        "customer": { "id": "1", "name": "Ada Sample", "attributes": [] },
        "messages": (0..messages).map(message).collect::<Vec<_>>(),
    })
}
