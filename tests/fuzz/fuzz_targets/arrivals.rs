//! Hands bytes in as the body of a notification and of the intake; what is taken is merged and kept as a lane does.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use switchyard::alcmeon::{Config, notification};
use switchyard::domain::{Arrival, CONVERSATION_BYTES, Conversation, SourceId, Timestamp, merge};
use switchyard::http::read_conversation;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

static SOURCE: LazyLock<SourceId> = LazyLock::new(|| SourceId::new("fuzzed").expect("a name"));
static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    toml::from_str("instance_id = '1'\nsecret = 'hush'\nteam_field = 1\nteam_tag = 'team'\nphone_field = 2").expect("settings")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok((_, arrival)) = notification(bytes, &CONFIG, &SOURCE) {
        keep(arrival);
    }
    match read_conversation(&SOURCE, bytes) {
        Ok(arrival) => keep(arrival),
        Err(why) => assert!(why.len() < 2_000, "a reason without an end"),
    }
});

fn keep(arrival: Arrival) {
    let arrival = arrival.bounded().dated(NOW);
    let kept = merge(None, arrival.clone(), NOW).conversation;
    let json = serde_json::to_vec(&kept).expect("JSON");
    // What is larger than a conversation may be is told apart, and is bounded as well.
    assert!(json.len() <= if kept.too_large().is_some() { 4 << 20 } else { CONVERSATION_BYTES }, "{} bytes", json.len());
    assert!(serde_json::from_slice::<Conversation>(&json).expect("a conversation") == kept);
    assert!(!merge(Some(kept), arrival, NOW).changed, "the same twice");
}
