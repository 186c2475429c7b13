//! A token for one organization: no route tells it anything of another one, and none does anything to it.

mod console;
mod operations;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, Setup, TestHost, received};

use super::{Made, make};
use crate::events::listening::Listening;

const SCOPES: [&str; 8] = ["read", "errors", "policies", "intake", "connect", "backup", "tokens", "erase"];
const ROUTER: &[u8] = b"plugin = \"keyword-router\"\n[settings]\ndefault = \"None\"\n";

/// A host with a sync error of each organization, and a token for `acme` with every scope.
struct Two {
    host: TestHost,
    /// For `acme`.
    token: String,
    /// What there is of `other`, by the name of the parameter that names it, and by what the path begins with.
    others: Vec<(&'static str, &'static str, String)>,
}

async fn only_error(host: &TestHost, org: &str) -> Value {
    let path = format!("/v1/sync-errors?org={org}");
    let page = host.seen(&path, |page| page["sync_errors"].as_array().is_some_and(|all| all.len() == 1)).await;
    page["sync_errors"][0].clone()
}

impl Two {
    async fn start() -> Self {
        let files: &[(&str, &[u8])] = &[("others.toml", ROUTER)];
        let host = TestHost::set_up(Setup { other_policy: Some("others"), files, ..Setup::default() }).await;
        host.notify(received(1, 1, "nobody", "jane@example.com")).await;
        let mut of_other = received(2, 2, "olgas-team", "olga@example.com");
        of_other["account"]["id"] = json!(13);
        of_other["task"]["message"]["author"]["name"] = json!("Olga");
        of_other["task"]["message"]["content"] = json!("olgas words");
        host.notify(of_other).await;
        let (own, others) = (only_error(&host, "acme").await, only_error(&host, "other").await);
        assert_ne!(own["id"], others["id"]);
        let begun = json!({ "task": "assign", "assignee": "olgas-friend", "query": { "org": "other" } });
        let (status, operation) = host.post("/v1/operations", begun).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{operation}");
        let Made { secret, .. } = make(&host, json!({ "name": "acme's", "scopes": SCOPES, "orgs": ["acme"] })).await;
        let kept = make(&host, json!({ "name": "olga's token", "scopes": ["read"], "orgs": ["other"] })).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let others = vec![
            ("{org}", "", "other".to_owned()),
            ("{source}", "", "shop-other".to_owned()),
            ("{name}", "/v1/policies", "others".to_owned()),
            ("{name}", "/v1/plugins", "keyword-router".to_owned()),
            ("{number}", "", "1".to_owned()),
            ("{conversation}", "", text(&others["conversation"])),
            ("{id}", "/v1/sync-errors", text(&others["id"])),
            ("{id}", "/v1/groups", text(&others["group"])),
            ("{id}", "/v1/operations", text(&operation["id"])),
            ("{id}", "/v1/conversations", text(&others["conversation"])),
            ("{id}", "/v1/messages", text(&others["message"])),
            ("{id}", "/v1/tokens", kept.id),
            ("{id}", "/v1/quarantine", "q-1".to_owned()),
        ];
        Self { host, token: secret, others }
    }

    fn of_other(&self, begin: &str) -> &str {
        let found = self.others.iter().find(|(_, path, _)| *path == begin);
        &found.unwrap_or_else(|| panic!("{begin}")).2
    }

    /// The path with what there is of `other` in the place of its parameters.
    fn path(&self, path: &str) -> String {
        let mut filled = path.to_owned();
        for (name, begin, value) in &self.others {
            if path.starts_with(begin) {
                filled = filled.replace(name, value);
            }
        }
        if path == "/v1/customers" {
            filled.push_str("?q=olga");
        }
        assert!(!filled.contains('{'), "{filled}: nothing is known for it");
        filled
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.host.call(method, path, &self.token, body).await
    }

    /// Whether an answer has anything of the other organization; that it repeats what was asked says nothing.
    fn tells(&self, asked: &str, answer: &Value) -> Option<String> {
        let text = answer.to_string();
        let ids = ["/v1/sync-errors", "/v1/operations", "/v1/conversations", "/v1/messages", "/v1/tokens"];
        let ids = ids.into_iter().map(|begin| self.of_other(begin)).filter(|id| !asked.contains(*id));
        let words = ["olga", "Olga", "\"other\"", "shop-other", "others"].into_iter();
        let words = words.filter(|word| !asked.contains(*word));
        ids.chain(words).find(|word| text.contains(*word)).map(|word| format!("{word}: {text}"))
    }
}

/// What makes sense to send.
fn body(path: &str) -> Value {
    let texts = json!({ "toml": String::from_utf8_lossy(ROUTER) });
    match path {
        "/v1/tokens" => json!({ "name": "x", "scopes": ["read"] }),
        "/v1/operations" => json!({ "task": "ignore", "reason": "a test" }),
        "/v1/groups/{id}" => json!({ "note": "x" }),
        "/v1/erasures" => json!({ "conversations": ["main:1"] }),
        path if path.ends_with("/choose") => json!({ "contact": "none" }),
        path if path.ends_with("/ignore") => json!({ "reason": "a test" }),
        path if path.ends_with("/authorization") => json!({ "redirect_uri": "http://localhost:1/oauth/callback" }),
        path if path.ends_with("/code") => json!({ "state": "a", "code": "b" }),
        path if path.starts_with("/v1/policies") && !path.ends_with("/restore") => texts,
        path if path.starts_with("/v1/intake") => {
            let message = json!({ "id": "m1", "sent_at": "2026-09-21T10:00:00Z", "body": "Hello" });
            json!({ "id": "7", "account": "web", "channel": "chat", "customer": {}, "messages": [message] })
        }
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_tells_or_does_anything_to_another_organization() {
    let two = Two::start().await;
    let (_, document) = two.host.get("/v1/openapi.json").await;
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // A stream has no end; it is listened to below.
            if operation["security"] == json!([]) || operation["operationId"] == "stream_events" {
                continue;
            }
            seen += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let sent = (method != Method::GET && method != Method::DELETE).then(|| body(path));
            let asked = two.path(path);
            let (status, answer) = two.call(method.clone(), &asked, sent).await;
            if let Some(told) = two.tells(&asked, &answer) {
                panic!("{method} {asked} tells {told}");
            }
            if path.contains('{') {
                let refused = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&status);
                assert!(refused, "{method} {asked}: {status} {answer}");
            } else {
                assert!(status.is_success() || status == StatusCode::FORBIDDEN, "{method} {asked}: {status} {answer}");
            }
        }
    }
    assert!(seen > 50, "{seen}");
    // An operation over everything was over everything of its own.
    two.host.seen("/v1/sync-errors?org=acme&state=ignored", |page| page["total"] == 1).await;
    assert_eq!(only_error(&two.host, "other").await["state"], "pending");
    let (_, group) = two.host.get(&format!("/v1/groups/{}?org=other", two.of_other("/v1/groups"))).await;
    assert_eq!(group["note"], Value::Null, "{group}");
    assert_eq!(two.host.get("/v1/policies/others/revisions").await.1["revisions"].as_array().unwrap().len(), 1);
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_other_organizations_are_not_told_and_a_revoked_token_ends_the_stream() {
    let two = Two::start().await;
    let ask = |query: &str| {
        let request = two.host.http.get(format!("http://{}/v1/events{query}", two.host.app.address));
        request.bearer_auth(&two.token).send()
    };
    assert_eq!(ask("?org=other").await.unwrap().status(), StatusCode::BAD_REQUEST);
    let mut listening = Listening::of(ask("").await.unwrap());
    assert_eq!(listening.block().await.unwrap().event, None, "a place to go on from");
    // First of the other one, then of its own; a policy is nobody's alone.
    for id in [two.of_other("/v1/sync-errors"), only_error(&two.host, "acme").await["id"].as_str().unwrap()] {
        let path = format!("/v1/sync-errors/{id}/ignore");
        assert_eq!(two.host.post(&path, json!({ "reason": "a test" })).await.0, StatusCode::OK);
    }
    let told = listening.event().await.event.unwrap();
    assert_eq!((&told["type"], &told["org"]), (&json!("sync_error.ignored"), &json!("acme")), "{told}");
    let (_, own) = two.call(Method::GET, "/v1/tokens", None).await;
    let id = own["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "acme's").unwrap()["id"].clone();
    let path = format!("/v1/tokens/{}", id.as_str().unwrap());
    assert!(two.host.call(Method::DELETE, &path, ADMIN, None).await.0.is_success());
    let path = format!("/v1/sync-errors/{}/reopen", only_error(&two.host, "acme").await["id"].as_str().unwrap());
    assert_eq!(two.host.post(&path, json!({})).await.0, StatusCode::OK);
    assert_eq!(listening.block().await, None, "nothing more is told");
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_filter_leads_to_another_organization_and_ones_own_is_found() {
    let two = Two::start().await;
    let own = only_error(&two.host, "acme").await;
    let lists = ["/v1/sync-errors", "/v1/sync-errors/export", "/v1/groups", "/v1/operations", "/v1/actions"];
    for list in lists {
        let (status, problem) = two.call(Method::GET, &format!("{list}?org=other"), None).await;
        let (_, unknown) = two.call(Method::GET, &format!("{list}?org=nobody"), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{list}: {problem}");
        let words = |problem: &Value| problem["detail"].as_str().unwrap().to_owned();
        assert_eq!(words(&problem), words(&unknown).replace("nobody", "other"), "{list}");
    }
    let mut filters = vec!["q=olga".to_owned(), "customer=olga".to_owned(), "team=olgas-team".to_owned()];
    for (name, begin) in [("q", "/v1/sync-errors"), ("conversation", "/v1/conversations"), ("message", "/v1/messages")]
    {
        filters.push(format!("{name}={}", two.of_other(begin)));
    }
    filters.push("policy=others".to_owned());
    for filter in filters {
        let (status, page) = two.call(Method::GET, &format!("/v1/sync-errors?{filter}"), None).await;
        assert_eq!((status, &page["sync_errors"]), (StatusCode::OK, &json!([])), "{filter}: {page}");
    }
    let (_, dry) = two.call(Method::POST, "/v1/operations", Some(json!({ "task": "retry", "dry_run": true }))).await;
    assert_eq!(dry["matched"], 1, "{dry}");
    for task in ["retry", "resync"] {
        let asked = json!({ "task": task, "query": { "org": "other" }, "dry_run": true });
        let (status, problem) = two.call(Method::POST, "/v1/operations", Some(asked)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    }
    // What is one's own is there.
    for path in ["/v1/sync-errors/ID", "/v1/orgs/acme", "/v1/orgs/acme/parked", "/v1/policies/acme"] {
        let path = path.replace("ID", own["id"].as_str().unwrap());
        assert_eq!(two.call(Method::GET, &path, None).await.0, StatusCode::OK, "{path}");
    }
    let (_, page) = two.call(Method::GET, "/v1/sync-errors", None).await;
    assert_eq!((&page["total"], &page["sync_errors"][0]["id"]), (&json!(1), &own["id"]), "{page}");
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_decides_for_others_as_well_is_not_there() {
    // Both have the policy `acme`.
    let host = TestHost::start().await;
    let made = make(&host, json!({ "name": "acme's", "scopes": SCOPES, "orgs": ["acme"] })).await;
    for name in ["acme", "default", "nobody"] {
        for (method, path) in
            [(Method::GET, ""), (Method::GET, "/coverage"), (Method::PUT, ""), (Method::POST, "/preview")]
        {
            let path = format!("/v1/policies/{name}{path}");
            let sent = (method != Method::GET).then(|| body("/v1/policies/{name}"));
            let (status, problem) = host.call(method, &path, &made.secret, sent).await;
            let wanted = json!(format!("there is no policy {name}"));
            assert_eq!((status, &problem["detail"]), (StatusCode::NOT_FOUND, &wanted), "{path}");
        }
    }
    host.stop().await;
}
