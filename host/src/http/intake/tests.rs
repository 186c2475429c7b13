//! Whatever is handed in makes a conversation within bounds, or a problem that says why not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::{CONVERSATION_BYTES, Timestamp, merge};
use crate::foreign_json::places;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn source() -> SourceId {
    SourceId::new("shop").unwrap()
}

fn example() -> Value {
    json!({
        "id": "A/b 7", "account": "front-desk", "account_name": "Front", "channel": "Mail", "team": "care", "agent": "Bob",
        "closed": false, "tags": ["vip"], "attributes": [{ "name": "a", "value": "b" }], "url": "https://shop.example/7",
        "sequence": 7,
        "customer": { "id": "1", "name": "Jane", "email": "jane@example.com", "phone": "+33", "attributes": [] },
        "messages": [
            { "id": "1", "direction": "inbound", "author": "Jane", "body": "hello", "sent_at": "2026-09-21T10:00:00Z" },
            { "id": "2", "direction": "outbound", "author": "Bob", "body": "hi", "sent_at": "2026-09-21T10:01:00Z" },
        ],
    })
}

/// Values that stand where others belong.
fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (1_usize..60_000).prop_map(|bytes| Value::from("\u{1}x".repeat(bytes))),
        prop::sample::select(vec!["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-1"])
            .prop_map(Value::from),
        (0_usize..400).prop_map(|many| json!(vec!["tag"; many])),
        (0_usize..400).prop_map(|many| json!(vec![json!({ "name": "n", "value": "v" }); many])),
        (0_usize..1_200).prop_map(|many| {
            (0..many)
                .map(|id| json!({ "id": id.to_string(), "body": "x", "sent_at": "2026-09-21T10:00:00Z" }))
                .collect()
        }),
    ]
}

proptest! {
    #[test]
    fn no_body_is_too_strange_and_what_is_taken_is_bounded_and_changes_nothing_the_second_time(
        changes in prop::collection::vec((any::<prop::sample::Index>(), strange()), 0..4),
    ) {
        let mut body = example();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&body, "", &mut all);
            *body.pointer_mut(&all[place.index(all.len())]).unwrap() = value;
        }
        if let Ok(arrival) = read(&source(), body.to_string().as_bytes()) {
            let arrival = arrival.bounded().dated(NOW);
            prop_assert_eq!(arrival.ahead(NOW).count(), 0);
            let merged = merge(None, arrival.clone(), NOW).conversation;
            prop_assert!(serde_json::to_vec(&merged).unwrap().len() <= CONVERSATION_BYTES);
            prop_assert!(!serde_json::to_string(&merged).unwrap().contains("\\u0001"));
            prop_assert!(!merge(Some(merged), arrival, NOW).changed);
        }
    }

    #[test]
    fn bytes_that_are_no_conversation_are_a_problem(body in any::<Vec<u8>>()) {
        prop_assert!(read(&source(), &body).is_err());
    }
}

#[test]
fn the_example_is_taken() {
    let arrival = read(&source(), example().to_string().as_bytes()).unwrap();
    assert_eq!((arrival.sequence(), arrival.channel.as_str(), arrival.messages.len()), (Some(7), "mail", 2));
}
