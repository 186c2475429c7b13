//! Who did what is on record with its effect, is listed and narrowed, survives a restart, and is forgotten with the audit.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, OPERATOR, READER, Setup, TestHost, received};

use crate::browser::Browser;

/// The actions that a list answers, the newest first, without those that nobody asked for: a start puts policies in force.
async fn actions(host: &TestHost, query: &str) -> Vec<Value> {
    let mut all = all_actions(host, query).await;
    all.retain(|action| action["via"] != "folder");
    all
}

async fn all_actions(host: &TestHost, query: &str) -> Vec<Value> {
    let (status, list) = host.get(&format!("/v1/actions?{query}")).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    list["actions"].as_array().cloned().unwrap_or_else(|| panic!("a list: {list}"))
}

fn what(actions: &[Value]) -> Vec<&str> {
    actions.iter().map(|action| action["what"].as_str().expect("a word")).collect()
}

/// A host with sync errors of acme that wait for a person; answers their ids.
async fn with_errors(host: &TestHost, count: u64) -> Vec<String> {
    for n in 1..=count {
        host.notify(received(n, n, "nobody", "jane@example.com")).await;
    }
    host.until("they are on record", |health| health.sync_errors.pending == count).await;
    let list = host.idle().await;
    list.iter().map(|error| error["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_about_sync_errors_is_on_record_with_who_from_where_to_how_many_and_why() {
    let host = TestHost::start().await;
    let ids = with_errors(&host, 3).await;
    let path = |id: &str, verb: &str| format!("/v1/sync-errors/{id}/{verb}");
    let reason = json!({ "reason": "a test account" });
    assert_eq!(host.call(Method::POST, &path(&ids[0], "ignore"), OPERATOR, Some(reason)).await.0, StatusCode::OK);
    assert_eq!(host.post(&path(&ids[0], "reopen"), json!({})).await.0, StatusCode::OK);
    let refused = host.post(&path(&ids[0], "reopen"), json!({})).await;
    assert_eq!(refused.0, StatusCode::CONFLICT, "what is refused is no action");
    assert_eq!(host.post(&path(&ids[1], "retry"), json!({})).await.0, StatusCode::ACCEPTED);
    host.until("it failed again", |health| health.sync_errors.pending == 3).await;
    assert_eq!(host.post("/v1/orgs/acme/retry-all", json!({})).await.1["retried"], 3);
    host.idle().await;
    let all = actions(&host, "org=acme").await;
    let mut done = what(&all);
    done.sort_unstable();
    assert_eq!(done, ["ignore", "reopen", "retry", "retry-all"], "what is asked of many at once is one action");
    let ignored = all.iter().find(|action| action["what"] == "ignore").expect("it is there");
    let known = json!({
        "id": ignored["id"], "at": ignored["at"], "by": "operator", "via": "api", "token": ignored["token"],
        "address": "127.0.0.1", "what": "ignore",
        "org": "acme", "subject": ids[0], "count": 1, "reason": "a test account",
        "request_id": ignored["request_id"],
    });
    assert!(ignored["request_id"].as_str().is_some_and(|id| id.starts_with("req-")), "{ignored}");
    assert_eq!(*ignored, known);
    let many = all.iter().find(|action| action["what"] == "retry-all").expect("it is there");
    assert_eq!((&many["count"], &many["by"]), (&json!(3), &json!("admin")));
    assert!(many["subject"].as_str().is_some_and(|operation| operation.starts_with("op-")), "{many}");

    assert_eq!(actions(&host, "by=operator").await.len(), 1);
    assert_eq!(what(&actions(&host, "what=retry-all&org=acme").await), ["retry-all"]);
    assert!(actions(&host, "org=other").await.is_empty());
    let at = all[0]["at"].as_str().expect("a time");
    assert_eq!(actions(&host, &format!("since={at}")).await.len(), 4, "the clock stands still");
    assert!(actions(&host, &format!("before={at}")).await.is_empty());
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = host.get(&format!("/v1/actions?org=acme&limit=1{cursor}")).await;
        paged.extend(page["actions"].as_array().cloned().expect("a list"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);

    let host = host.restart().await;
    assert_eq!(actions(&host, "org=acme").await, all);
    assert!(host.exported().await.contains("\"action/"), "an export has them");
    let (_, verified) = host.post("/v1/store/verify", json!({})).await;
    assert_eq!(verified["differences"], 0, "{verified}");
    assert_eq!(what(&actions(&host, "limit=1").await), ["recount"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_of_the_list_is_said_with_what_can() {
    let host = TestHost::start().await;
    for (query, words) in [
        ("org=nobody", "there is no organization nobody"),
        ("org=a%20b", "org: "),
        ("what=delete", "none of retry, ignore, reopen"),
        ("since=yesterday", "since: "),
        ("before=2026", "before: "),
        ("limit=0", "limit: "),
        ("cursor=none", "cursor: "),
        ("who=ann", "expected one of `org`, `by`, `what`, `since`, `before`, `limit`, `cursor`"),
    ] {
        let (status, problem) = host.get(&format!("/v1/actions?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{query}: {problem}");
    }
    assert_eq!(host.call(Method::GET, "/v1/actions", READER, None).await.0, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_policies_and_plugins_checks_and_shadows_are_actions() {
    let host = TestHost::start().await;
    let texts = json!({ "toml": "plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n" });
    let put = |path: &'static str, texts: &Value| host.call(Method::PUT, path, ADMIN, Some(texts.clone()));
    assert_eq!(put("/v1/policies/extra", &texts).await.0, StatusCode::OK);
    assert_eq!(put("/v1/policies/extra", &json!({ "toml": "plugin = \"none\"\n" })).await.0.as_u16(), 422);
    let forget = "/v1/policies/extra/rejection";
    assert_eq!(host.call(Method::DELETE, forget, ADMIN, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(host.call(Method::DELETE, forget, ADMIN, None).await.0, StatusCode::NOT_FOUND);
    let other = json!({ "toml": "plugin = \"keyword-router\"\n[settings]\ndefault = \"Billing\"\n" });
    assert_eq!(put("/v1/policies/extra/shadow", &other).await.0, StatusCode::OK);
    let delete = |path: &'static str| host.call(Method::DELETE, path, ADMIN, None);
    assert_eq!(delete("/v1/policies/extra/shadow").await.0, StatusCode::NO_CONTENT);
    assert_eq!(host.post("/v1/policies/extra/revisions/1/restore", json!({})).await.0, StatusCode::OK);
    assert_eq!(delete("/v1/policies/extra").await.0, StatusCode::NO_CONTENT);
    assert_eq!(host.post("/v1/orgs/acme/checks", json!({})).await.0, StatusCode::OK);
    let all = actions(&host, "").await;
    let mut done: Vec<_> = all.iter().map(|it| (it["what"].as_str().unwrap(), it["subject"].as_str())).collect();
    done.sort_unstable();
    let extra = Some("extra");
    let wanted = [
        ("check", None),
        ("policy-delete", extra),
        ("policy-put", extra),
        ("policy-restore", Some("extra revision 1")),
        ("rejection-forget", extra),
        ("shadow-end", extra),
        ("shadow-start", extra),
    ];
    assert_eq!(done, wanted);
    // What the start put in force; the next one finds the same.
    let host = host.restart().await;
    let by_file: Vec<_> =
        all_actions(&host, "what=policy-put").await.into_iter().filter(|it| it["via"] == "folder").collect();
    let [put] = by_file.as_slice() else { panic!("one: {by_file:?}") };
    assert!(put["by"].as_str().is_some_and(|path| path.ends_with(".toml")), "{put}");
    assert!(put["subject"].as_str().is_some_and(|subject| subject.ends_with(" revision 1")), "{put}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_are_on_record_and_wrong_tokens_are_counted_into_one_action() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, READER).await;
    for _ in 0..3 {
        assert_eq!(browser.post("/login", &[("token", "a-wrong-token-012345")]).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(host.call(Method::GET, "/v1/orgs", "another-wrong-token", None).await.0, StatusCode::UNAUTHORIZED);
    browser.post("/logout", &[]).await;
    let all = actions(&host, "").await;
    let mut done: Vec<_> = all
        .iter()
        .map(|it| {
            (
                it["what"].as_str().unwrap(),
                it["via"].as_str().unwrap(),
                it["by"].as_str().unwrap(),
                it["count"].as_u64(),
            )
        })
        .collect();
    done.sort_unstable();
    let wanted = [
        ("sign-in", "console", "reader", Some(1)),
        ("sign-in-refused", "api", "", Some(1)),
        ("sign-in-refused", "console", "", Some(3)),
        ("sign-out", "console", "reader", Some(1)),
    ];
    assert_eq!(done, wanted);
    assert!(all.iter().all(|action| action["address"] == "127.0.0.1"), "{all:?}");
    let exported = host.exported().await;
    assert!(!exported.contains("wrong-token"), "nothing of a secret is kept");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_not_on_record_where_its_effect_is_not() {
    let host = TestHost::start().await;
    let ids = with_errors(&host, 1).await;
    host.fill_disk(true);
    let ignored = tokio::spawn(
        host.http
            .post(format!("http://{}/v1/sync-errors/{}/ignore", host.app.address, ids[0]))
            .bearer_auth(ADMIN)
            .json(&json!({ "reason": "closed" }))
            .send(),
    );
    host.seen("/v1/sync-errors?org=acme", |list| list["sync_errors"][0]["state"] == "pending").await;
    assert!(actions(&host, "").await.is_empty());
    host.fill_disk(false);
    assert_eq!(ignored.await.expect("it ends").expect("an answer").status(), StatusCode::OK);
    assert_eq!(what(&actions(&host, "").await), ["ignore"], "both are written together, and only then it is answered");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_forgotten_is_a_trouble_until_it_can_be() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let host = TestHost::set_up(Setup { more: "keep_days = 2\n", alcmeon: "poll = false", ..Setup::default() }).await;
    let is_told = |list: &Value| list.to_string().contains("store.keep_days");
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.clock.advance(48 * HOUR);
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.fill_disk(true);
    host.clock.advance(HOUR);
    host.seen("/v1/troubles", is_told).await;
    host.fill_disk(false);
    host.clock.advance(HOUR);
    host.seen("/v1/troubles", |list| !is_told(list)).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_forgotten_when_the_audit_is() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let host = TestHost::set_up(Setup { more: "keep_days = 2\n", alcmeon: "poll = false", ..Setup::default() }).await;
    host.post("/v1/orgs/acme/checks", json!({})).await;
    host.clock.advance(36 * HOUR);
    host.post("/v1/orgs/other/checks", json!({})).await;
    assert_eq!(actions(&host, "").await.len(), 2);
    host.clock.advance(24 * HOUR);
    // The time by which is forgotten follows the clock a day an hour; what is not too old stays.
    for _ in 0..20 {
        host.clock.advance(HOUR);
        for _ in 0..20 {
            let left = actions(&host, "").await;
            if let [one] = left.as_slice() {
                assert_eq!(one["org"], "other");
                return host.stop().await;
            }
        }
    }
    panic!("both are still there");
}
