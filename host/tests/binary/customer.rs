//! Finding a customer and forgetting them, by the command line.

use serde_json::{Value, json};
use switchyard::clock::Stopwatch;

use crate::acme::{PATIENCE, acme, ask, ids, said};
use crate::switchyard::{Host, post};

fn hand_in(host: &Host, number: u64, name: &str) {
    let conversation = json!({
        "id": number.to_string(), "account": "web", "channel": "email", "team": "nowhere",
        "customer": { "id": format!("c{number}"), "name": name, "email": format!("{}@example.com", name.to_lowercase()) },
        "messages": [{ "id": format!("{number}-1"), "body": "Where is my order?", "sent_at": "2026-01-05T09:30:00Z" }],
    });
    let answer = post(&host.address, "/v1/intake/shop", &conversation.to_string());
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

#[test]
fn a_customer_is_found_and_forgotten_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = acme(folder.path());
    for (number, name) in [(1, "Jane"), (2, "Janet"), (3, "Olga")] {
        hand_in(&host, number, name);
    }
    ids(&host, "pending", 3);
    let found = |q: &str| -> Vec<Value> {
        let lines = said(&host, &["customer", "find", q, "--json"]);
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let names: Vec<_> = found("jane").iter().map(|of| of["name"].clone()).collect();
    assert_eq!(names, ["Jane", "Janet"]);
    let table = said(&host, &["customer", "find", "olga@example.com"]);
    assert!(table.starts_with("ORG ") && table.contains("shop:3") && table.contains("Olga"), "{table}");
    assert_eq!(said(&host, &["customer", "find", "nobody at all"]), "");

    let (code, _, errors) = ask(&host, &["customer", "erase"]);
    assert!(code == Some(2) && errors.contains("<CONVERSATIONS>"), "{errors}");
    let (code, _, errors) = ask(&host, &["customer", "find", "jane", "--org", "nobody"]);
    assert!(code == Some(3) && errors.contains("there is no organization nobody"), "{errors}");
    let (code, _, errors) = ask(&host, &["customer", "erase", "shop:1", "shop:3"]);
    assert!(code == Some(0) && errors.contains(" of 2 are erased") && errors.contains("not reached: "), "{errors}");
    let watch = Stopwatch::start();
    while found("shop:1")[0]["erased_until"].is_null() || found("shop:3")[0]["erased_until"].is_null() {
        assert!(watch.elapsed() < PATIENCE, "they are never erased");
    }
    let left = found("jane");
    assert_eq!((left.len(), &left[0]["name"]), (1, &json!("Janet")), "{left:?}");
    let of = &found("c1")[0];
    assert_eq!((&of["name"], &of["messages"], &of["sync_errors"]), (&Value::Null, &json!(0), &json!(1)), "{of}");
}
