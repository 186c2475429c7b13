//! Actions as the documentation has them, as they might be, and as nobody would send them.

use proptest::prelude::*;

use super::*;
use crate::foreign_json::places;

/// The documentation's keys and types with invented values.
fn example() -> Value {
    json!({
        "id": 90210,
        "action": {
            "id": 4711, "type": "task-create", "date": "2026-01-15", "time": "09:30:12", "status": "ok",
            "user": {"id": 7, "email": "bot@example.com", "name": "Bot", "is_bot": true},
            "account": {"id": 12, "name": "Example page", "type": "WhatsApp"},
            "task": {
                "id": 555, "url": "https://alcmeon.com/example", "conversation_id": 321,
                "conversation": {"id": 321, "custom_fields": [{"field_id": 3, "field_value": "ABC"}]},
                "state": "pending",
                "tags": [{"id": 1, "name": {"value": "Reason"}, "value": {"id": 9, "value": {"value": "Refund"}}}],
                "message": {
                    "id": 556, "is_private": true, "content": "Hello", "external_id": "wamid.example",
                    "date": "2026-01-15", "time": "09:30:10",
                    "attachments": [{"id": 1, "mime_type": "image/png", "size": 4, "data": "AAAAAA=="}],
                    "author": {
                        "id": 88, "name": "Jane Doe",
                        "group": {"id": 99, "custom_fields": [
                            {"field_id": 4, "field_value": {"country_prefix": 33, "number": "612345678"}},
                            {"field_id": 5, "field_value": "jane@work.example"}
                        ]},
                        "inmessage_author": {"customer_id": "C-1", "sms_notification_phone_number": "+33123456789",
                            "attributes": [["City", "Paris"], ["Email", "jane@example.com"]]}
                    },
                    "rating_value": 5
                }
            },
            "data": null,
            "from_the_future": {"kept": true}
        }
    })
}

fn config(more: &str) -> Config {
    toml::from_str(&format!("instance_id = '7'\nsecret = 'hush'\n{more}")).unwrap()
}

fn read(json: &Value, more: &str) -> Result<(u64, Arrival), Malformed> {
    notification(json.to_string().as_bytes(), &config(more), &SourceId::new("main").unwrap())
}

/// The example with another type and `data`.
fn of_type(kind: &str, data: Value) -> Arrival {
    of_type_with(kind, data, "")
}

fn of_type_with(kind: &str, data: Value, more: &str) -> Arrival {
    let mut json = example();
    json["action"]["type"] = json!(kind);
    json["action"]["data"] = data;
    read(&json, more).unwrap().1
}

fn pairs(attributes: &[Attribute]) -> Vec<(&str, &str)> {
    attributes.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect()
}

#[test]
fn a_received_message_becomes_an_arrival_with_everything_that_is_known() {
    let (id, arrival) = read(&example(), "").unwrap();
    assert_eq!(
        (id, arrival.event, arrival.kind.as_str(), arrival.by),
        (90210, 4711, "task-create", ReachedBy::Webhook)
    );
    assert_eq!((arrival.conversation.as_str(), arrival.message.as_str()), ("main:321", "main:556"));
    assert_eq!(
        (arrival.account.as_str(), arrival.account_name.as_str(), arrival.channel.as_str()),
        ("12", "Example page", "whatsapp")
    );
    assert_eq!(arrival.at.to_string(), "2026-01-15T09:30:12.000Z");
    assert_eq!(
        (arrival.tags.as_slice(), pairs(&arrival.attributes)),
        (["Reason: Refund".to_owned()].as_slice(), vec![("3", "ABC")])
    );
    assert_eq!((arrival.team, arrival.agent, arrival.closed), (None, None, Some(false)));
    assert_eq!(arrival.url.as_deref(), Some("https://alcmeon.com/example"));
    let [message] = arrival.messages.as_slice() else { panic!("{:?}", arrival.messages) };
    assert_eq!(
        (message.direction, message.author.as_str(), message.body.as_str()),
        (Direction::Inbound, "Jane Doe", "Hello")
    );
    assert_eq!(message.sent_at.to_string(), "2026-01-15T09:30:10.000Z");
}

#[test]
fn the_customer_is_put_together_from_every_place_that_tells_of_one() {
    let customer = read(&example(), "").unwrap().1.customer;
    assert_eq!((customer.id.as_str(), customer.name.as_deref()), ("99", Some("Jane Doe")));
    assert_eq!(customer.email.as_deref(), Some("jane@example.com"));
    assert_eq!(customer.phone.as_deref(), Some("+33123456789"));
    let known = [
        ("4", "+33612345678"),
        ("5", "jane@work.example"),
        ("customer_id", "C-1"),
        ("City", "Paris"),
        ("Email", "jane@example.com"),
    ];
    assert_eq!(pairs(&customer.attributes), known);
    let customer = read(&example(), "email_field = 5\nphone_field = 4").unwrap().1.customer;
    assert_eq!(
        (customer.email.as_deref(), customer.phone.as_deref()),
        (Some("jane@work.example"), Some("+33612345678"))
    );
}

#[test]
fn a_setting_says_where_the_team_stands() {
    let team = |more: &str| read(&example(), more).unwrap().1.team;
    assert_eq!(team("team_field = 3").as_deref(), Some("ABC"));
    assert_eq!(team("team_tag = 'reason'").as_deref(), Some("Refund"));
    assert_eq!(team("team_field = 77\nteam_tag = 'Reason'").as_deref(), Some("Refund"));
    assert_eq!(team("team_field = 77"), None);
}

#[test]
fn what_is_not_understood_is_kept_and_files_are_not() {
    let extra = read(&example(), "").unwrap().1.extra.unwrap();
    assert_eq!(
        extra,
        json!({
            "status": "ok",
            "user": {"id": 7, "email": "bot@example.com", "name": "Bot", "is_bot": true},
            "from_the_future": {"kept": true},
            "task": {"id": 555, "state": "pending", "message": {
                "is_private": true, "external_id": "wamid.example", "rating_value": 5,
                "attachments": [{"id": 1, "mime_type": "image/png", "size": 4}]
            }}
        })
    );
    let mut json = example();
    json["action"]["from_the_future"] = json!("\"é".repeat(EXTRA_KEPT));
    let extra = read(&json, "").unwrap().1.extra.unwrap();
    assert!(extra["cut_off"].is_string());
    assert!(extra.to_string().len() <= EXTRA_KEPT + 100, "{}", extra.to_string().len());
}

#[test]
fn an_answer_brings_the_agents_message() {
    let picture = json!({"id": 1, "data": "AAAA", "mime_type": "image/png"});
    let data = json!({"is_private": true, "answers": [{"content": "One"}, {"content": "Two", "pictures": [picture]}]});
    let arrival = of_type("answer", data);
    assert_eq!(arrival.message.as_str(), "main:556", "it is about the customer's message");
    let [_, answer] = arrival.messages.as_slice() else { panic!("{:?}", arrival.messages) };
    assert_eq!(
        (answer.id.as_str(), answer.direction, answer.author.as_str()),
        ("main:a4711", Direction::Outbound, "Bot")
    );
    assert_eq!((answer.body.as_str(), answer.sent_at), ("One\nTwo", arrival.at));
    let left = arrival.extra.unwrap()["data"].to_string();
    assert!(left.contains("image/png") && !left.contains("AAAA") && !left.contains("One"), "{left}");
}

#[test]
fn who_has_a_message_follows_from_the_action() {
    let to = json!({"to": {"id": 8, "email": "ann@example.com", "name": "Ann"}});
    assert_eq!(of_type("assign-to", to).agent, Some(Some("Ann".to_owned())));
    assert_eq!(
        of_type("assign-to", json!({"to": {"email": "ann@example.com", "name": null}})).agent,
        Some(Some("ann@example.com".to_owned()))
    );
    assert_eq!(of_type("acquire", Value::Null).agent, Some(Some("Bot".to_owned())));
    assert_eq!(of_type("steal", json!({"from": {"name": "Ann"}})).agent, Some(Some("Bot".to_owned())));
    for kind in ["release", "archive", "auto-archive"] {
        assert_eq!(of_type(kind, Value::Null).agent, Some(None), "{kind}");
    }
    for kind in ["assign-to", "tag", "first-seen", "on-hold", "something-new"] {
        assert_eq!(of_type(kind, Value::Null).agent, None, "{kind}");
    }
}

#[test]
fn only_closing_closes_unless_a_setting_says_that_archiving_does() {
    assert_eq!(of_type("close-conversation", Value::Null).closed, Some(true));
    assert_eq!(of_type("archive", Value::Null).closed, None);
    assert_eq!(of_type_with("auto-archive", Value::Null, "archive_closes = true").closed, Some(true));
    assert_eq!(of_type_with("answer", Value::Null, "archive_closes = true").closed, None);
}

#[test]
fn only_ids_are_needed() {
    let least = json!({"id": 1, "action": {"id": 2, "account": {"id": "page-9"},
        "task": {"conversation": {"id": 3}, "message": {"id": 4}}}});
    let (_, arrival) = read(&least, "").unwrap();
    assert_eq!(
        (arrival.kind.as_str(), arrival.channel.as_str(), arrival.at),
        ("unknown", "unknown", Timestamp::default())
    );
    assert_eq!((arrival.conversation.as_str(), arrival.extra), ("main:3", None));
    for (path, expected) in [
        ("/id", "`id` must be a whole number"),
        ("/action", "`action.id` must be a whole number"),
        ("/action/account", "`action.account.id` must be an id"),
        ("/action/task", "`action.task.conversation_id` must be an id"),
        ("/action/task/message/id", "`action.task.message.id` must be an id"),
    ] {
        for strange in [Value::Null, json!([]), json!(-1), json!({})] {
            let mut json = least.clone();
            *json.pointer_mut(path).unwrap() = strange;
            assert_eq!(read(&json, "").unwrap_err().to_string(), expected);
        }
    }
    assert!(matches!(notification(b"{", &config(""), &SourceId::new("main").unwrap()), Err(Malformed::Json(_))));
}

#[test]
fn every_part_but_the_ids_may_be_null_or_of_another_kind() {
    for path in [
        "type",
        "date",
        "time",
        "status",
        "user",
        "data",
        "account/name",
        "account/type",
        "task/url",
        "task/state",
        "task/tags",
        "task/conversation",
        "task/message/content",
        "task/message/author",
        "task/message/author/group",
        "task/message/author/group/custom_fields",
        "task/message/author/inmessage_author",
        "task/message/attachments",
        "task/message/date",
        "task/tags/0/name",
        "task/tags/0/value",
    ] {
        for strange in [Value::Null, json!(7), json!("text"), json!([[]]), json!({"a": [1]})] {
            let mut json = example();
            *json.pointer_mut(&format!("/action/{path}")).unwrap() = strange;
            let (_, arrival) = read(&json, "team_field = 3\nteam_tag = 'Reason'").unwrap();
            assert_eq!(arrival.message.as_str(), "main:556", "{path}");
        }
    }
}

#[test]
fn an_action_with_an_impossible_id_is_passed_over_and_does_not_move_the_place_of_the_poll() {
    let action = |id: Value| {
        let mut action = example()["action"].clone();
        action["id"] = id;
        action
    };
    let page =
        json!([action(json!(8)), action(json!(u64::MAX)), action(json!("18446744073709551615")), action(json!(9))]);
    let page = actions(page.to_string().as_bytes(), &config(""), &SourceId::new("main").unwrap()).unwrap();
    assert_eq!(page.arrivals.iter().map(|arrival| arrival.event).collect::<Vec<_>>(), [8, 9]);
    assert_eq!((page.unusable.len(), page.highest), (2, Some(9)));
}

#[test]
fn of_fifty_thousand_tags_and_fields_the_first_ones_are_read() {
    let mut json = example();
    json["action"]["task"]["tags"] = (0..50_000).map(|n| json!({ "name": format!("tag {n}") })).collect();
    json["action"]["task"]["conversation"]["custom_fields"] =
        (0..50_000).map(|n| json!({ "field_id": n, "field_value": "x" })).collect();
    let (_, arrival) = read(&json, "").unwrap();
    assert_eq!((arrival.tags.len(), arrival.attributes.len()), (1_000, 1_000));
    assert_eq!(arrival.bounded().tags.len(), 100);
}

/// JSON that often has the keys of an action, at places where they may or may not belong.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let keys = [
        "id",
        "action",
        "type",
        "task",
        "account",
        "message",
        "author",
        "group",
        "custom_fields",
        "field_id",
        "field_value",
        "tags",
        "name",
        "value",
        "data",
        "answers",
        "content",
        "attachments",
        "date",
        "time",
        "user",
        "to",
        "inmessage_author",
        "attributes",
        "country_prefix",
        "number",
        "conversation_id",
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..6)
                .prop_map(|parts| parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_strange(json in any_json(), strange in any_json(), place in any::<prop::sample::Index>()) {
        let _ = read(&json, "team_field = 3\nteam_tag = 'x'\nphone_field = 4");
        let mut all = Vec::new();
        places(&example(), "", &mut all);
        let mut changed = example();
        *changed.pointer_mut(&all[place.index(all.len())]).unwrap() = strange;
        if let Ok((_, arrival)) = read(&changed, "team_field = 3\nteam_tag = 'Reason'\nphone_field = 4") {
            prop_assert!(arrival.extra.map_or(0, |extra| extra.to_string().len()) <= EXTRA_KEPT + 100);
        }
    }

    #[test]
    fn no_body_is_too_strange(body in any::<Vec<u8>>()) {
        let source = SourceId::new("main").unwrap();
        prop_assert!(notification(&body, &config(""), &source).is_err());
        let _ = actions(&body, &config(""), &source);
    }
}
