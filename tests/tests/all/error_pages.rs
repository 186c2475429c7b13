//! The console's pages of one message, one error and the lines of the list: what they lead to, and the way back.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use switchyard::clock::Clock;
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, received};

use crate::browser::{Browser, Page};
use crate::forgotten::anonymized;
use crate::operations::{begun, ended, map, unmapped};

const LIST: &str = "/sync-errors?org=acme&state=pending";
const BACK: &str = "back=%2Fsync-errors%3Forg%3Dacme%26state%3Dpending";
const WAY_BACK: &str = "href=\"/sync-errors?org=acme&amp;state=pending\" data-key=\"b\">Back to the list</a>";

/// The first link of a page that begins like this.
fn link(page: &Page, begin: &str) -> String {
    let begin = format!("href=\"{begin}");
    let rest = page.text.split_once(&begin).unwrap_or_else(|| panic!("{begin}: {}", page.text)).1;
    let rest = rest.split_once('"').expect("an end").0;
    format!("{}{rest}", begin.trim_start_matches("href=\"")).replace("&amp;", "&")
}

/// Sends the form of a question, with what a person adds.
async fn sent(browser: &Browser, question: &Page, more: &[(&str, &str)]) -> Page {
    let fields = question.hidden_fields("/operations");
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    browser.post("/operations", &fields.chain(more.iter().copied()).collect::<Vec<_>>()).await
}

async fn with_errors(count: u64) -> (TestHost, Browser) {
    let host = TestHost::start().await;
    unmapped(&host, 1..=count, "nobody").await;
    host.until("all are on record", |health| health.sync_errors.pending == count).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    (host, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_leads_with_its_customer_and_its_words_and_hides_them_from_who_may_not_read_them() {
    let host = TestHost::start().await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    host.idle().await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let path = "/messages/main:5001";
    browser.get(path).await.says(&[
        "<h1><bdi>Jane Doe</bdi></h1>",
        "message 1",
        "whatsapp",
        "team <bdi>billing</bdi>",
        "<bdi>acme</bdi>",
        "href=\"/conversations/main%3A1\"",
        "href=\"https://alcmeon.example/1\"",
        // The records of the sentences lead to their pages.
        "/lightning/r/Contact/",
        "/lightning/r/alcmeon__Conversation__c/",
        "<b>Arrived</b>",
    ]);
    let reader = Browser::sign_in(&host, READER).await.get(path).await;
    reader.says(&["personal data is left out for your token", "<b>Arrived</b>"]);
    assert!(!reader.text.contains("Jane") && !reader.text.contains("alcmeon.example"), "{}", reader.text);
    host.notify(anonymized(1)).await;
    host.seen("/v1/messages/main:5001/audit", |audit| audit.to_string().contains("\"ERASED\"")).await;
    let page = browser.get(path).await;
    page.says(&["forgotten, because its source said so", "<b>Erased</b>"]);
    assert!(!page.text.contains("message 1") && !page.text.contains("Jane"), "{}", page.text);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_ignores_one_line_of_a_list_is_back_at_the_list_with_its_filters() {
    let (host, browser) = with_errors(2).await;
    let list = browser.get(LIST).await;
    let address = link(&list, "/operations/new?task=ignore&amp;id=");
    assert!(address.ends_with(BACK), "{address}");
    let question = browser.get(&address).await;
    question.says(&["Ignore 1 sync error?", WAY_BACK]);
    let refused = sent(&browser, &question, &[("reason", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.says(&["Nothing has begun.", WAY_BACK]);
    let done = sent(&browser, &refused, &[("reason", "test <b>customers</b>")]).await;
    let id = address.split(['=', '&']).find(|part| part.starts_with("se-")).expect("an id");
    assert_eq!(done.leads_to(), format!("{LIST}&done=ignored-{id}"));
    assert_eq!(sent(&browser, &refused, &[("reason", "test <b>customers</b>")]).await.leads_to(), done.leads_to());
    let told = browser.get(done.leads_to()).await;
    told.says(&["is ignored: “test &lt;b&gt;customers&lt;/b&gt;”", "Undo", "1–1 of 1 sync error"]);
    assert_eq!(host.get("/v1/operations").await.1["operations"], json!([]), "one is no operation");
    // Whoever is late is told so, at the list too.
    let late = sent(&browser, &question, &[("reason", "mine")]).await;
    assert_eq!(late.leads_to(), format!("{LIST}&done=late-{id}"));
    browser.get(late.leads_to()).await.says(&["Nothing was done", "is ignored", "operator, "]);
    // The reason is offered on the page of the other one.
    let other = link(&told, "/operations/new?task=ignore&amp;id=");
    let other = other.split(['=', '&']).find(|part| part.starts_with("se-")).expect("an id");
    let other = browser.get(&format!("/sync-errors/{other}")).await;
    other.says(&["list=\"reasons\"", "<option value=\"test &lt;b&gt;customers&lt;/b&gt;\">"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_was_begun_from_a_list_leads_back_to_it_and_to_no_other_host() {
    let (host, browser) = with_errors(3).await;
    let list = browser.get(LIST).await;
    list.says(&[
        "<form id=\"selection\" method=\"get\" action=\"/operations/new\"><input type=\"hidden\" name=\"back\" \
         value=\"/sync-errors?org=acme&amp;state=pending\">",
    ]);
    let all = link(&list, "/operations/new?task=ignore&amp;back=");
    assert!(all.contains(BACK), "{all}");
    let (_, errors) = host.get("/v1/sync-errors?org=acme").await;
    let id = |at: usize| errors["sync_errors"][at]["id"].as_str().expect("an id").to_owned();
    let selected = format!("/operations/new?{BACK}&id={}&id={}&task=ignore", id(0), id(1));
    let question = browser.get(&selected).await;
    question.says(&["Ignore 2 sync errors?", WAY_BACK]);
    let begun = sent(&browser, &question, &[("reason", "spam")]).await;
    let (path, back) = begun.leads_to().split_once('?').expect("a way back");
    assert!(path.starts_with("/operations/op-") && back == BACK, "{path}?{back}");
    ended(&host, &format!("/v1{path}")).await;
    let page = browser.get(begun.leads_to()).await;
    page.says(&[WAY_BACK, "Take back these 2"]);
    let undone = browser.post(&format!("{path}/undo"), &[("back", LIST)]).await;
    assert!(undone.leads_to().ends_with(BACK) && !undone.leads_to().starts_with(path), "{}", undone.leads_to());
    ended(&host, &format!("/v1{}", undone.leads_to().split('?').next().unwrap())).await;
    let late = browser.post(&format!("{path}/pause"), &[("back", LIST)]).await;
    assert!(late.leads_to().starts_with(&format!("{path}?{BACK}&done=overtaken-")), "{}", late.leads_to());

    for foreign in ["https://evil.example/sync-errors?org=acme", "//evil.example/sync-errors", "/\\evil.example"] {
        let back = Url::parse_with_params("http://console", [("back", foreign)]).expect("an address");
        let back = back.query().expect("a query");
        let question = browser.get(&format!("/operations/new?task=ignore&id={}&{back}", id(2))).await;
        assert!(!question.text.contains("Back to the list"), "{}", question.text);
        let page = browser.get(&format!("{path}?{back}")).await;
        assert!(!page.text.contains("evil.example"), "{}", page.text);
        let late = browser.post(&format!("{path}/pause"), &[("back", foreign)]).await;
        assert!(late.leads_to().starts_with(&format!("{path}?done=overtaken-")), "{}", late.leads_to());
    }
    let foreign = format!("/operations/new?task=ignore&id={}&back=%2F%2Fevil.example%2Fsync-errors", id(2));
    let begun = sent(&browser, &browser.get(&foreign).await, &[("reason", "spam")]).await;
    assert!(begun.leads_to().starts_with("/operations/op-") && !begun.leads_to().contains('?'), "{}", begun.leads_to());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_a_refusal_names_lead_to_their_pages_in_salesforce() {
    let host = TestHost::start().await;
    let words = "duplicate value found: F duplicates value on record with id: 003000000000001";
    let refusal = json!([{ "errorCode": "DUPLICATE_VALUE", "message": words }]);
    let fault = json!({ "external_id": "main:1", "status": 400, "json": refusal, "times": 9 });
    host.salesforce(Method::POST, "acme/faults", fault).await;
    host.notify(received(1, 1, "billing", "jane@example.com")).await;
    let errors = host.idle().await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let page = browser.get(&format!("/sync-errors/{}", errors[0]["id"].as_str().expect("an id"))).await;
    page.says(&["/lightning/r/Contact/003000000000001/view\" rel=\"noreferrer\">003000000000001 "]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_over_the_same_errors_is_told_on_their_list_and_on_the_page_of_each() {
    let (host, browser) = with_errors(8).await;
    unmapped(&host, 9..=9, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 9).await;
    let errors = host.get("/v1/sync-errors?org=acme").await.1["sync_errors"].clone();
    let of = |team: &str, name: &str| {
        let error = errors.as_array().expect("a list").iter().find(|error| error["team"] == team).expect("one");
        error[name].as_str().expect("text").to_owned()
    };
    map(&host, "nobody").await;
    // Every call hangs: the first ones stay on their way.
    host.salesforce(Method::POST, "acme/faults", json!({ "path": "", "latency_ms": 60_000 })).await;
    let path =
        begun(&host, json!({ "task": "retry", "query": { "org": "acme", "group": of("nobody", "group") } })).await;
    host.seen(&path, |answer| answer["under_way"] == 3).await;
    let link = format!("href=\"{}\">8 sync errors</a>", path.trim_start_matches("/v1"));
    let own = format!("/sync-errors?group={}&state=", of("nobody", "group"));
    for list in ["/sync-errors", "/sync-errors?org=acme", &own] {
        browser.get(list).await.says(&["</b> retries ", &link, "among these", " %."]);
    }
    browser.get(&format!("/sync-errors/{}", of("nobody", "id"))).await.says(&[
        "</b> retries ",
        &link,
        "this one among them",
    ]);
    let other = format!("/sync-errors?group={}", of("someone", "group"));
    for path in [&*other, &format!("/sync-errors/{}", of("someone", "id"))] {
        let page = browser.get(path).await;
        assert!(!page.text.contains("</b> retries "), "{}", page.text);
    }
    assert_eq!(host.post(&format!("{path}/pause"), json!({})).await.1["status"], "paused");
    let page = browser.get("/sync-errors").await;
    assert!(!page.text.contains("</b> retries "), "it does not go on: {}", page.text);
    host.salesforce(Method::DELETE, "acme/faults", Value::Null).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_lead_to_the_policy_or_the_cause_and_mails_are_muted_until_a_time_of_ones_own() {
    let (host, browser) = with_errors(1).await;
    let texts = json!({ "toml": "plugin = \"keyword-router\"\n[settings]\ndefault = \"Care\"\n" });
    assert_eq!(host.call(Method::PUT, "/v1/policies/extra", ADMIN, Some(texts)).await.0, StatusCode::OK);
    let (_, groups) = host.get("/v1/groups").await;
    let group = groups["groups"][0]["id"].as_str().expect("an id");
    let note = json!({ "note": "asked the shop" });
    assert_eq!(host.call(Method::PATCH, &format!("/v1/groups/{group}"), OPERATOR, Some(note)).await.0, StatusCode::OK);
    let cause = format!("href=\"/causes/{group}?org=acme\"");
    browser.get("/actions").await.says(&["href=\"/policies/extra\"", &cause]);

    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get("/orgs/acme/settings").await;
    page.says(&["type=\"datetime-local\" name=\"until\""]);
    let until = Clock::Manual(host.clock.clone()).now().after(Duration::from_secs(5 * 3600)).to_string();
    let own = &until[..16];
    let mute = async |until: &str| {
        let form = [("hours", "1"), ("until", until), ("back", "/orgs/acme/settings")];
        browser.post("/orgs/acme/mute", &form).await
    };
    assert_eq!(mute(own).await.leads_to(), "/orgs/acme/settings?done=saved");
    let (_, settings) = host.get("/v1/orgs/acme/settings").await;
    assert_eq!(settings["muted"]["until"], json!(format!("{own}:00.000Z")), "{settings}");
    for wrong in ["2020-01-01T00:00", "tomorrow"] {
        let refused = mute(wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", refused.text);
    }
    host.stop().await;
}
