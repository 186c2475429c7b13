//! The documented Alcmeon API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Reply, World, reply};

/// An environment with two conversations; `more` changes its settings.
async fn world(more: Value) -> World {
    let world = World::start().await;
    let mut settings = json!({"secret": "ab12", "rate_per_minute": 1_000});
    for (key, value) in more.as_object().expect("an object") {
        settings[key] = value.clone();
    }
    world.alcmeon(Method::PUT, "42", settings).await;
    let message = |direction: &str, body: &str| json!({"direction": direction, "body": body, "author": null});
    let conversations = json!([
        {
            "key": "one", "channel": "whatsapp", "account": {"id": 12, "name": "Shop"}, "team": "billing",
            "tags": ["Refund"], "closed": true,
            "customer": {"name": "Ada Byron", "email": "ada@x.org", "phone": "+33612345678"},
            "messages": [
                {"direction": "inbound", "body": "Hello", "sent_at": 1_768_469_410_000_i64},
                {"direction": "outbound", "body": "Good day", "author": "Bob"},
                message("inbound", "Thanks"),
            ],
        },
        {
            "key": "two", "channel": "inmessage", "account": {"id": 13, "name": "Site"}, "team": null,
            "customer": {"name": null, "email": null, "phone": null}, "messages": [message("inbound", "Hi")],
        },
    ]);
    world.alcmeon(Method::POST, "42/conversations", conversations).await;
    world
}

async fn get(world: &World, path: &str) -> Reply {
    let url = format!("{}/{path}", world.simulator.alcmeon);
    reply(world.http.get(url).basic_auth("42", Some("ab12"))).await
}

fn types(actions: &Value) -> Vec<&str> {
    actions.as_array().expect("actions").iter().map(|action| action["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn a_conversation_becomes_actions_in_the_documented_shape() {
    let world = world(json!({})).await;
    let actions = get(&world, "actions?min_action_id=0").await.body;
    let kinds =
        ["task-create", "assign-to", "answer", "execute-answer", "task-create", "tag", "archive", "task-create"];
    assert_eq!(types(&actions), kinds);
    let first = &actions[0];
    assert_eq!((&first["date"], &first["time"]), (&json!("2026-01-15"), &json!("09:30:10")));
    assert_eq!(first["account"], json!({"id": 12, "name": "Shop", "type": "whatsapp"}));
    let task = &first["task"];
    assert_eq!(task["conversation"]["custom_fields"], json!([{"field_id": 1, "field_value": "billing"}]));
    assert_eq!(task["tags"][0]["value"]["value"]["value"], "Refund");
    assert_eq!((&task["state"], &task["message"]["content"]), (&json!("pending"), &json!("Hello")));
    let author = &task["message"]["author"];
    assert_eq!(author["name"], "Ada Byron");
    assert_eq!(
        author["group"]["custom_fields"],
        json!([
            {"field_id": 2, "field_value": "ada@x.org"},
            {"field_id": 3, "field_value": {"country_prefix": "33", "number": "612345678"}},
        ])
    );
    assert_eq!(actions[2]["user"]["name"], "Bob");
    assert_eq!(actions[2]["data"]["answers"][0]["content"], "Good day");
    assert_eq!(actions[3]["data"], json!({"answer_action_id": 3, "answer_status": "ok"}));
    assert_ne!(actions[4]["task"]["url"], task["url"], "each message of the customer has an address of its own");
    assert_eq!(actions[2]["task"]["url"], task["url"]);
    assert_eq!(actions[7]["task"]["conversation"]["custom_fields"], json!([]));
}

#[tokio::test]
async fn the_customers_address_may_be_told_in_attributes_and_in_other_fields() {
    let world = world(json!({"contact_in": "attributes", "team_field": 9})).await;
    let action = get(&world, "actions?min_action_id=0&max_action_id=1").await.body[0].clone();
    let author = &action["task"]["message"]["author"];
    assert_eq!(author["group"]["custom_fields"], json!([]));
    let attributes = json!([["email", "ada@x.org"], ["phone", "+33612345678"]]);
    assert_eq!(author["inmessage_author"]["attributes"], attributes);
    assert_eq!(action["task"]["conversation"]["custom_fields"][0]["field_id"], 9);
}

#[tokio::test]
async fn at_most_ten_actions_come_at_a_time_and_the_bounds_are_as_documented() {
    let world = world(json!({})).await;
    let messages: Vec<Value> = (0..20).map(|at| json!({"direction": "inbound", "body": at.to_string()})).collect();
    let more = json!([{"key": "two", "channel": "inmessage", "account": {"id": 13, "name": "S"}, "append": true, "messages": messages}]);
    let made = world.alcmeon(Method::POST, "42/conversations", more).await;
    assert_eq!((&made["actions"], &made["last_action_id"]), (&json!(20), &json!(28)));
    for (query, expected) in [
        ("min_action_id=0", (1..=10).collect::<Vec<u64>>()),
        ("min_action_id=10", (11..=20).collect()),
        ("min_action_id=25", vec![26, 27, 28]),
        ("min_action_id=3&max_action_id=5", vec![4, 5]),
        ("min_action_id=28", vec![]),
        ("min_action_id=99", vec![]),
        ("min_action_id=5&max_action_id=2", vec![]),
    ] {
        let body = get(&world, &format!("actions?{query}")).await.body;
        let ids: Vec<u64> = body.as_array().expect("actions").iter().filter_map(|one| one["id"].as_u64()).collect();
        assert_eq!(ids, expected, "{query}");
    }
    assert_eq!(get(&world, "actions").await.status, 400);
    assert_eq!(get(&world, "actions?min_action_id=x").await.status, 400);
}

#[tokio::test]
async fn one_conversation_is_an_array_of_one_with_its_actions() {
    let world = world(json!({})).await;
    let body = get(&world, "actions/conversations/2").await.body;
    assert_eq!((&body[0]["id"], types(&body[0]["actions"])), (&json!(2), vec!["task-create"]));
    assert_eq!(get(&world, "actions/conversations/3").await.status, 404);
}

#[tokio::test]
async fn teams_are_those_declared_and_those_routed_to() {
    let world = world(json!({"teams": ["sales"]})).await;
    let teams = get(&world, "teams").await.body;
    assert_eq!(teams, json!([{"id": 1, "name": "sales"}, {"id": 2, "name": "billing"}]));
}

#[tokio::test]
async fn a_bearer_token_is_as_good_as_the_secret() {
    let world = world(json!({})).await;
    let base = &world.simulator.alcmeon;
    let ask = |secret: &str| {
        let body = json!({"grant_type": "client_credentials", "client_id": "42", "client_secret": secret});
        reply(world.http.post(format!("{base}/v1/oauth2/token")).json(&body))
    };
    let token = ask("ab12").await;
    assert_eq!((&token.body["token_type"], &token.body["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    let token = token.body["access_token"].as_str().expect("a token");
    assert_eq!(reply(world.http.get(format!("{base}/teams")).bearer_auth(token)).await.status, 200);
    assert_eq!(reply(world.http.get(format!("{base}/teams")).bearer_auth(format!("{token}x"))).await.status, 401);
    assert_eq!(reply(world.http.get(format!("{base}/teams")).basic_auth("42", Some("no"))).await.status, 401);
    assert_eq!(reply(world.http.get(format!("{base}/teams"))).await.status, 401);
    assert_eq!(ask("no").await.status, 401);
}

#[tokio::test]
async fn the_sixteenth_call_of_a_minute_is_429_with_details_like_pythons() {
    let world = World::start().await;
    world.alcmeon(Method::PUT, "42", json!({"secret": "ab12"})).await;
    for _ in 0..15 {
        assert_eq!(get(&world, "teams").await.status, 200);
    }
    let refused = get(&world, "teams").await;
    assert_eq!(refused.status, 429);
    let details = refused.body["details"].as_str().expect("a text");
    let until = details.strip_prefix("{'rate_limited_until': '").and_then(|text| text.strip_suffix("'}"));
    let until = until.expect("single quotes").parse::<jiff::Timestamp>().expect("an instant");
    let now = jiff::fmt::rfc2822::parse(refused.header("Date").expect("a date")).expect("a date").timestamp();
    let wait_s = until.as_second() - now.as_second();
    assert!((0..=60).contains(&wait_s), "{wait_s}");
    assert_eq!(refused.header("Retry-After"), None);
}

#[tokio::test]
async fn the_same_conversation_seeded_again_adds_only_what_is_new() {
    let world = world(json!({})).await;
    let longer = json!([{
        "key": "two", "channel": "inmessage", "account": {"id": 13, "name": "Site"}, "team": "sales",
        "tags": ["Late"], "closed": true,
        "messages": [{"direction": "inbound", "body": "Hi"}, {"direction": "inbound", "body": "Still there?"}],
    }]);
    let made = world.alcmeon(Method::POST, "42/conversations", longer.clone()).await;
    assert_eq!(made["actions"], 3);
    let body = get(&world, "actions?min_action_id=8").await.body;
    assert_eq!(types(&body), ["task-create", "tag", "archive"]);
    assert_eq!(body[0]["task"]["conversation"]["custom_fields"][0]["field_value"], "sales");
    assert_eq!(world.alcmeon(Method::POST, "42/conversations", longer).await["actions"], 0);
}

#[tokio::test]
async fn lines_are_read_like_an_array_and_interleaved_conversations_take_turns() {
    let world = World::start().await;
    world.alcmeon(Method::PUT, "42", json!({"secret": "ab12"})).await;
    let line = |key: &str| {
        json!({
            "key": key, "channel": "whatsapp", "account": {"id": 1, "name": "A"},
            "messages": [{"direction": "inbound", "body": "1"}, {"direction": "inbound", "body": "2"}],
        })
    };
    let body = format!("{}\n{}\n", line("a"), line("b"));
    let url = format!("{}/control/environments/42/conversations?interleave=true", world.simulator.alcmeon);
    assert_eq!(reply(world.http.post(url).body(body)).await.body["actions"], 4);
    let actions = get(&world, "actions?min_action_id=0").await.body;
    let order: Vec<&Value> =
        actions.as_array().expect("actions").iter().map(|action| &action["task"]["conversation_id"]).collect();
    assert_eq!(order, [&json!(1), &json!(2), &json!(1), &json!(2)]);
}

#[tokio::test]
async fn the_newest_address_of_each_conversation_is_told_line_by_line() {
    let world = world(json!({})).await;
    let url = format!("{}/control/environments/42/newest", world.simulator.alcmeon);
    let text = world.http.get(&url).send().await.expect("an answer").text().await.expect("a text");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    let newest = get(&world, "actions?min_action_id=4&max_action_id=5").await.body[0]["task"]["url"].clone();
    assert_eq!((lines.len(), &lines[0]["url"], &lines[0]["key"]), (2, &newest, &json!("one")));
    let rest = world.http.get(format!("{url}?after=1&limit=5")).send().await.expect("an answer").text().await;
    assert_eq!(rest.expect("a text").lines().count(), 1);
}

async fn put(world: &World, path: &str, body: Value) -> Reply {
    let url = format!("{}/{path}", world.simulator.alcmeon);
    reply(world.http.put(url).basic_auth("42", Some("ab12")).json(&body)).await
}

#[tokio::test]
async fn custom_fields_are_written_read_and_shown_with_the_task() {
    let world = world(json!({"read_only_fields": [9]})).await;
    let written = put(&world, "custom-field/conversations/1", json!([{"field_id": 7, "field_value": "500xx"}])).await;
    assert_eq!((written.status, written.body), (200, json!("ok")));
    let fields = json!([{"field_id": 1, "field_value": "billing"}, {"field_id": 7, "field_value": "500xx"}]);
    assert_eq!(get(&world, "custom-field/conversations/1").await.body, fields);
    let actions = get(&world, "actions/conversations/1").await.body;
    assert_eq!(actions[0]["actions"][0]["task"]["conversation"]["custom_fields"], fields);
    let blank = json!([{"field_id": 7, "field_value": null}]);
    assert_eq!(put(&world, "custom-field/conversations/1", blank).await.status, 200);
    assert_eq!(get(&world, "custom-field/conversations/1").await.body.as_array().expect("fields").len(), 1);

    let group = actions[0]["actions"][0]["task"]["message"]["author"]["group"]["id"].clone();
    let path = format!("custom-field/users/{group}");
    assert_eq!(put(&world, &path, json!([{"field_id": 8, "field_value": 3}])).await.status, 200);
    let author = get(&world, "actions?min_action_id=0").await.body[0]["task"]["message"]["author"].clone();
    let fields = author["group"]["custom_fields"].as_array().expect("fields").clone();
    assert!(fields.contains(&json!({"field_id": 8, "field_value": 3})), "{fields:?}");

    assert_eq!(put(&world, &path, json!([{"field_id": 9, "field_value": 3}])).await.status, 403);
    assert_eq!(put(&world, &path, json!({"field_id": 8})).await.status, 400);
    assert_eq!(put(&world, "custom-field/conversations/99", json!([])).await.status, 404);
    assert_eq!(get(&world, "custom-field/users/fields").await.body[0]["type"], "email");
}

#[tokio::test]
async fn an_anonymized_conversation_says_nothing_any_more_and_tells_of_it() {
    let world = world(json!({})).await;
    world.alcmeon(Method::POST, "42/anonymize", json!(["one"])).await;
    let actions = get(&world, "actions/conversations/1").await.body[0]["actions"].clone();
    let last = actions.as_array().expect("actions").last().expect("one").clone();
    assert_eq!((&last["type"], &last["task"]["url"]), (&json!("anonymize-gdpr"), &json!("")));
    let message = &last["task"]["message"];
    assert_eq!((&message["content"], &message["author"]["name"]), (&json!(""), &json!("")));
    assert!(!actions.to_string().contains("ada@x.org") && !actions.to_string().contains("Hello"));
}

#[tokio::test]
async fn the_accounts_that_conversations_came_in_on_are_listed_by_pages() {
    let world = world(json!({})).await;
    let first = get(&world, "v1/social-accounts/?limit=1").await.body;
    assert_eq!((&first["data"][0]["id"], &first["data"][0]["type"]), (&json!(12), &json!("whatsapp")));
    let next = first["next"].as_str().expect("another page").trim_start_matches('/').to_owned();
    let second = get(&world, &next).await.body;
    assert_eq!((&second["data"][0]["id"], &second["next"]), (&json!(13), &Value::Null));
}

#[tokio::test]
async fn the_api_fails_as_ordered_and_its_calls_are_logged() {
    let world = world(json!({})).await;
    let control = format!("{}/control", world.simulator.alcmeon);
    let fault = json!({"path": "/teams", "status": 503, "json": {"error": "down"}, "times": 1});
    reply(world.http.post(format!("{control}/faults")).json(&fault)).await;
    assert_eq!(get(&world, "actions?min_action_id=0").await.status, 200);
    assert_eq!(get(&world, "teams").await.status, 503);
    assert_eq!(get(&world, "teams").await.status, 200);
    let calls = reply(world.http.get(format!("{control}/calls?after=1"))).await.body;
    let statuses: Vec<&Value> = calls.as_array().expect("calls").iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, [&json!(503), &json!(200)]);
}

#[tokio::test]
async fn the_minute_of_the_rate_passes_by_the_simulators_clock() {
    let world = world(json!({"rate_per_minute": 1})).await;
    assert_eq!(get(&world, "teams").await.status, 200);
    assert_eq!(get(&world, "teams").await.status, 429);
    let url = format!("{}/control/clock", world.simulator.alcmeon);
    reply(world.http.put(url).json(&json!({"advance_ms": 60_000}))).await;
    assert_eq!(get(&world, "teams").await.status, 200);
}
