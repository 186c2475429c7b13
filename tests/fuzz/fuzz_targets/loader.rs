//! Hands bytes in as a plugin, as `PUT /v1/plugins` and `switchyard plugin check` do; what is taken has to decide or to fail.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use switchyard::domain::{Origin, PluginName, PolicyName, PolicySource, Timestamp};
use switchyard::policy::case::Case;
use switchyard::policy::{Config, PolicyHost, compatibility};
use tokio::runtime::{Builder, Runtime};

const CASE: &str = r#"{"question": "route", "now": "2026-01-05T09:30:00Z",
    "conversation": {"id": "1", "channel": "whatsapp", "closed": true, "messages": []}}"#;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));
static HOST: LazyLock<PolicyHost> = LazyLock::new(|| {
    let config = Config { deadline_ms: 20, configure_deadline_ms: 20, instances: 4, memory_bytes: 4 << 20, ..Config::default() };
    PolicyHost::start(config).expect("an engine")
});

fuzz_target!(
    init: std::panic::set_hook(Box::new(|panic| {
        // Wizer panics at what it does not know, and the host catches that. Every other panic is a find.
        if !panic.location().is_some_and(|at| at.file().contains("wasmtime-wizer")) {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    })),
    |bytes: &[u8]| -> Corpus { RUNTIME.block_on(load(bytes)) }
);

/// Only what begins as a component is worth keeping.
async fn load(bytes: &[u8]) -> Corpus {
    let looked_at = compatibility::check(bytes);
    let (plugin, policy) = (PluginName::new("fuzzed").expect("a name"), PolicyName::new("fuzzed").expect("a name"));
    let taken = HOST.add_plugin(plugin, bytes.to_vec(), Origin::Embedded).await;
    if let Err(error) = &taken {
        assert!(error.to_string().len() < 2_000, "a reason without an end");
        return if looked_at.exports.is_empty() { Corpus::Reject } else { Corpus::Keep };
    }
    let toml = format!("[routing]\nplugin = \"fuzzed\"\n# {}\n", looked_at.digest);
    let source = PolicySource { toml, scripts: Default::default(), origin: Origin::Embedded, at: Timestamp::from_millis(0) };
    if HOST.apply(policy.clone(), source).await.is_ok() {
        HOST.settled(&policy).await;
        let tried = HOST.try_case(&policy, &Case::read(CASE).expect("a case")).await;
        assert!(tried.memory_bytes <= 4 << 20, "more memory than it may have");
    }
    Corpus::Keep
}
