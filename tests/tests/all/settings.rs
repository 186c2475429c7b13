//! Settings of an organization over HTTP: in force at once, kept, taken back, and won by one of two who change them at once.

mod mails;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use switchyard_tests::{ADMIN, READER, Setup, TestHost, received};

use super::browser::Browser;
use switchyard::store::{Batch, Range, Store};

const SETTINGS: &str = "/v1/orgs/acme/settings";
const ROUTER: &[u8] = b"plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n";

async fn patch(host: &TestHost, change: Value) -> (StatusCode, Value) {
    host.call(Method::PATCH, SETTINGS, ADMIN, Some(change)).await
}

async fn patch_if(host: &TestHost, tag: &str, change: Value) -> (StatusCode, String, Value) {
    let url = format!("http://{}{SETTINGS}", host.app.address);
    let request = host.http.patch(url).bearer_auth(ADMIN).header(header::IF_MATCH, tag).json(&change);
    let answer = request.send().await.expect("an answer");
    let tag = answer.headers()[header::ETAG].to_str().expect("a tag").to_owned();
    (answer.status(), tag, answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_decides_at_once_and_after_a_restart_until_it_is_taken_back() {
    let host = TestHost::set_up(Setup { files: &[("router.toml", ROUTER)], ..Setup::default() }).await;
    host.notify(received(1, 1, "nobody", "jane@example.com")).await;
    host.until("it is pending", |health| health.sync_errors.pending == 1).await;
    let (status, settings) = patch(&host, json!({ "policy": "router", "concurrency": 9 })).await;
    assert_eq!(status, StatusCode::OK, "{settings}");
    assert_eq!(settings["policy"]["value"], "router");
    assert_eq!(settings["policy"]["file"], "acme");
    assert_eq!((&settings["policy"]["by"], &settings["policy"]["before"]), (&json!("admin"), &json!("acme")));
    assert_eq!((&settings["mode"]["from"], &settings["concurrency"]["from"]), (&json!("file"), &json!("api")));
    host.notify(received(2, 2, "nobody", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 1, "the router has a queue for it");
    let (_, actions) = host.get("/v1/actions?what=org-settings").await;
    let reason = actions["actions"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("policy: router (before: acme)") && reason.contains("concurrency: 9"), "{reason}");
    let (status, problem) = host.call(Method::DELETE, "/v1/policies/router", ADMIN, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");

    // What the file says later about a field that was changed is shown, and is not in force.
    let host = host.restart_with(|config| config.orgs[0].concurrency = 7).await;
    let (_, settings) = host.get(SETTINGS).await;
    assert_eq!((&settings["concurrency"]["value"], &settings["concurrency"]["file"]), (&json!(9), &json!(7)));
    assert_eq!(settings["policy"]["value"], "router");
    host.notify(received(3, 3, "nobody", "jane@example.com")).await;
    host.idle().await;
    assert_eq!(host.query("SELECT Id FROM alcmeon__Conversation__c").await.len(), 2);
    let (_, settings) = patch(&host, json!({ "policy": null, "concurrency": null })).await;
    assert_eq!((&settings["concurrency"]["value"], &settings["policy"]["value"]), (&json!(7), &json!("acme")));
    assert_eq!(settings["policy"].get("by"), None, "{settings}");
    host.notify(received(4, 4, "nobody", "jane@example.com")).await;
    host.until("it is pending", |health| health.sync_errors.pending == 2).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_change_settings_at_once_one_is_told_how_they_stand_now() {
    let host = TestHost::start().await;
    let url = format!("http://{}{SETTINGS}", host.app.address);
    let answer = host.http.get(url).bearer_auth(ADMIN).send().await.expect("an answer");
    let tag = answer.headers()[header::ETAG].to_str().expect("a tag").to_owned();
    let (status, newer, _) = patch_if(&host, &tag, json!({ "concurrency": 5 })).await;
    assert_eq!(status, StatusCode::OK);
    assert_ne!(newer, tag);
    let (status, present, problem) = patch_if(&host, &tag, json!({ "concurrency": 6 })).await;
    assert_eq!((status, present.as_str()), (StatusCode::PRECONDITION_FAILED, newer.as_str()), "{problem}");
    assert_eq!(problem["settings"]["concurrency"]["value"], 5, "{problem}");
    assert_eq!(problem["settings"]["concurrency"]["by"], "admin");
    let (status, ..) = patch_if(&host, &present, json!({ "concurrency": 6 })).await;
    assert_eq!(status, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_by_name_and_changes_nothing_and_so_is_whoever_may_not() {
    let host = TestHost::start().await;
    let (_, before) = host.get(SETTINGS).await;
    for (change, word) in [
        (json!({ "policy": "nobodys" }), "policy"),
        (json!({ "alert_recipients": ["ann"] }), "alert_recipients"),
        (json!({ "concurrency": 0 }), "concurrency"),
        (json!({ "slow_at": 1.5 }), "slow_at"),
        (json!({ "mode": { "by-team": [] } }), "mode"),
        (json!({ "muted_until": "2020-01-01T00:00:00Z" }), "muted_until"),
        (json!({ "muted_until": "2090-01-01T00:00:00Z" }), "muted_until"),
    ] {
        let (status, problem) = patch(&host, change.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{change}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{change}: {problem}");
    }
    for change in [json!({ "concurency": 4 }), json!({ "concurrency": -1 }), json!([])] {
        assert_eq!(patch(&host, change).await.0, StatusCode::BAD_REQUEST);
    }
    let (status, _) = host.call(Method::PATCH, SETTINGS, READER, Some(json!({ "concurrency": 5 }))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let token = json!({ "name": "connector", "scopes": ["read", "connect"] });
    let (_, made) = host.post("/v1/tokens", token).await;
    let connector = made["secret"].as_str().expect("a secret");
    let (status, _) = host.call(Method::PATCH, SETTINGS, connector, Some(json!({ "policy": "default" }))).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "who decides wants `policies`");
    host.fill_disk(true);
    let (status, _) = patch(&host, json!({ "concurrency": 5 })).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    host.fill_disk(false);
    assert_eq!(host.get(SETTINGS).await.1, before);
    let (status, _) = host.call(Method::PATCH, SETTINGS, connector, Some(json!({ "concurrency": 5 }))).await;
    assert_eq!(status, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_one_organization_takes_no_policy_of_another() {
    let files: &[(&str, &[u8])] = &[("others.toml", ROUTER), ("nobodys.toml", ROUTER)];
    let host = TestHost::set_up(Setup { other_policy: Some("others"), files, ..Setup::default() }).await;
    let token = json!({ "name": "acmes", "scopes": ["read", "connect", "policies"], "orgs": ["acme"] });
    let (_, made) = host.post("/v1/tokens", token).await;
    let own = made["secret"].as_str().expect("a secret");
    for policy in ["others", "nobodys"] {
        let (status, problem) = host.call(Method::PATCH, SETTINGS, own, Some(json!({ "policy": policy }))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(host.call(Method::GET, &format!("/v1/policies/{policy}"), own, None).await.0, StatusCode::NOT_FOUND);
    }
    for change in [json!({ "policy": "default" }), json!({ "policy": null })] {
        let (status, problem) = host.call(Method::PATCH, SETTINGS, own, Some(change)).await;
        assert_eq!(status, StatusCode::OK, "{problem}");
    }
    let (status, _) = host.call(Method::GET, "/v1/orgs/other/settings", own, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_on_record_that_cannot_be_in_force_is_a_trouble_and_stops_no_start() {
    let host = TestHost::set_up(Setup { files: &[("router.toml", ROUTER)], ..Setup::default() }).await;
    patch(&host, json!({ "slow_at": 0.5, "concurrency": 9, "policy": "router" })).await;
    std::fs::remove_file(host.policy_file("router.toml")).unwrap();
    let mut batch = Batch::default();
    let key = b"org-settings/acme".to_vec();
    let found = host.store.get_many(vec![key.clone()]).await.expect("a read").remove(0).expect("a record");
    batch.put(key, String::from_utf8(found).unwrap().replace("\"value\":0.5", "\"value\":7.5"));
    for (name, _) in host.store.range(Range::of("policy-revision/router/", 100)).await.expect("a read") {
        batch.delete(name);
    }
    let store = std::sync::Arc::clone(&host.store);
    let host = host.restart_after(async move || store.commit(batch).await.expect("a commit")).await;
    let (_, settings) = host.get(SETTINGS).await;
    assert_eq!((&settings["slow_at"]["value"], &settings["concurrency"]["value"]), (&json!(0.8), &json!(9)));
    assert_eq!(settings["policy"]["value"], "router", "no other policy stands in for it");
    let troubles = host.seen("/v1/orgs/acme", |org| org["troubles"].as_array().is_some_and(|all| all.len() > 1)).await;
    let told = troubles["troubles"].to_string();
    assert!(told.contains("slow_at") && told.contains("router.toml"), "{told}");
    let (status, answer) = patch(&host, json!({ "policy": null, "slow_at": 0.6 })).await;
    assert_eq!((status, &answer["slow_at"]["value"]), (StatusCode::OK, &json!(0.6)), "{answer}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_console_a_setting_is_saved_and_taken_back_and_a_lost_race_shows_both_values() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get("/orgs/acme/settings").await.text;
    let hidden = |page: &str, name: &str| {
        let from = page.find(&format!("name=\"{name}\" value=\"")).expect(name) + name.len() + 15;
        let end = page[from..].find('"').expect("an end");
        page[from..from + end].replace("&quot;", "\"")
    };
    let form = |page: &str, concurrency: &str| {
        vec![
            ("tag", hidden(page, "tag")),
            ("shown", hidden(page, "shown")),
            ("alert_recipients", "acme-admin@example.com".to_owned()),
            ("policy", "acme".to_owned()),
            ("mode", "by-policy".to_owned()),
            ("concurrency", concurrency.to_owned()),
            ("slow_at", "0.8".to_owned()),
        ]
    };
    async fn send(browser: &Browser, form: &[(&str, String)]) -> (StatusCode, String) {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = browser.post("/orgs/acme/settings", &form).await;
        (page.status, page.text)
    }
    assert_eq!(send(&browser, &form(&page, "8")).await.0, StatusCode::SEE_OTHER);
    let saved = browser.get("/orgs/acme/settings?done=saved").await.text;
    assert!(saved.contains("Changed to <b>8</b> by <b>admin</b>") && saved.contains("Back to 4"), "{saved}");
    let (_, settings) = host.get(SETTINGS).await;
    assert_eq!(settings["concurrency"]["value"], 8);
    assert_eq!(settings["mode"]["from"], "file", "what was not touched is as the configuration says: {settings}");
    let (status, late) = send(&browser, &form(&page, "12")).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert!(late.contains("Nothing is saved") && late.contains("<b>12</b>") && late.contains("<b>8</b>"), "{late}");
    // What makes no sense is told by the field's name, and what was typed stays.
    let mut wrong = form(&saved, "9");
    wrong[2].1 = "acme-admin@example.com, ann@example.com, <b>bob".to_owned();
    let (status, refused) = send(&browser, &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in [
        "role=\"alert\"><div><b>Nothing is saved. </b>Recipients of mails: `&lt;b&gt;bob` is not a mail address.",
        ">acme-admin@example.com\nann@example.com\n&lt;b&gt;bob</textarea>",
        "required value=\"9\"",
    ] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert_eq!(hidden(&refused, "tag"), hidden(&saved, "tag"));
    let mut back = form(&saved, "8");
    back.push(("take_back", "concurrency".to_owned()));
    assert_eq!(send(&browser, &back).await.0, StatusCode::SEE_OTHER);
    assert_eq!(host.get(SETTINGS).await.1["concurrency"]["from"], "file");
    let muted = browser.post("/orgs/acme/mute", &[("hours", "8"), ("back", "/orgs/acme/settings")]).await;
    assert_eq!(muted.status, StatusCode::SEE_OTHER, "{}", muted.text);
    let mails = browser.get("/mails").await.text;
    assert!(mails.contains("are muted until"), "{mails}");
    host.stop().await;
}
