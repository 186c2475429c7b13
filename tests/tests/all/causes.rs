//! The console's pages of causes and operations, by forms alone: looked at, asked about, begun once, followed and taken back.

use reqwest::StatusCode;
use serde_json::{Value, json};
use switchyard_tests::{OPERATOR, READER, TestHost};

use crate::browser::{Browser, Page};
use crate::operations::{ended, map, unmapped};

/// The cause of the conversations of a team without a queue.
async fn cause_of(host: &TestHost, team: &str) -> String {
    let (_, list) = host.get(&format!("/v1/groups?text={team}")).await;
    format!("/causes/{}?org=acme", list["groups"][0]["id"].as_str().unwrap_or_else(|| panic!("{list}")))
}

/// The question that a page leads to by a link which says this.
fn link(page: &Page, words: &str) -> String {
    let before = page.text.split_once(words).unwrap_or_else(|| panic!("{words}: {}", page.text)).0;
    let address = before.rsplit_once("href=\"").expect("a link").1.split_once('"').expect("an end").0;
    address.replace("&amp;", "&")
}

/// Sends the form of a question, with what a person adds.
async fn sent(browser: &Browser, question: &Page, more: &[(&str, &str)]) -> Page {
    let fields = question.hidden_fields("/operations");
    let mut form: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.extend(more);
    browser.post("/operations", &form).await
}

async fn report(host: &TestHost, begun: &Page) -> (String, Value) {
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text);
    let path = begun.leads_to().to_owned();
    let report = ended(host, &format!("/v1{path}")).await;
    (path, report)
}

fn has(page: &Page, words: &[&str]) {
    for words in words {
        assert!(page.text.contains(words), "{words} is not in {}", page.text);
    }
    assert!(page.text.len() < 60_000, "{} bytes", page.text.len());
    assert!(!page.text.contains(" style="), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_cause_is_retried_after_a_question_and_a_double_press_begins_one_operation() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=12, "nobody").await;
    unmapped(&host, 13..=14, "someone").await;
    host.until("all are on record", |health| health.sync_errors.pending == 14).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let page = browser.get("/causes").await;
    has(&page, &["2 causes", "nobody", "aria-label=\"12 failures in 14 days", "Retry 12", "Ignore 2", ">new<"]);
    for (query, count) in [
        ("text=nobody&class=&org=", "1 cause<"),
        ("condition=new&assignee=none", "2 causes<"),
        ("assignee=operator", "0 causes<"),
        ("sort=-last_seen&limit=1", "rel=\"next\""),
    ] {
        has(&browser.get(&format!("/causes?{query}")).await, &[count]);
    }
    let cause = browser.get(&cause_of(&host, "nobody").await).await;
    has(
        &cause,
        &["Retry these 12", "Ignore these 12", "Jane Doe", "message 12", "What to check", "most in an hour: 12"],
    );
    map(&host, "nobody").await;
    let question = browser.get(&link(&cause, "Retry these 12")).await;
    has(&question, &["<h1>Retry 12 sync errors?</h1>", "calls to Salesforce", "Three of each cause go first"]);
    assert_eq!(host.get("/v1/operations").await.1["operations"], json!([]), "a question begins nothing");
    let first = sent(&browser, &question, &[]).await;
    let again = sent(&browser, &question, &[]).await;
    assert_eq!((again.status, again.leads_to()), (StatusCode::SEE_OTHER, first.leads_to()));
    let (path, report) = report(&host, &first).await;
    assert_eq!((report["matched"].as_u64(), report["passed"].as_u64()), (Some(12), Some(12)), "{report}");
    has(&browser.get(&path).await, &["Retry of 12 sync errors", "<b>12</b>got through", ">done<", "by <b>"]);
    let list = browser.get("/operations").await;
    has(&list, &["12 got through", "nobody"]);
    assert_eq!(list.text.matches("href=\"/operations/op-").count(), 1, "{}", list.text);
    // Another form with the same key is another request.
    let key = question.hidden_fields("/operations").into_iter().find(|(name, _)| name == "key").expect("a key").1;
    let other = browser.post("/operations", &[("task", "retry"), ("org", "acme"), ("key", &key)]).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.post("/operations", &[("task", "retry")]).await.status, StatusCode::BAD_REQUEST);
    // Its cause has nothing left, and says so where somebody still has its question open.
    let late = sent(&browser, &browser.get("/operations/new?task=retry&text=someone").await, &[]).await;
    assert_eq!(late.status, StatusCode::SEE_OTHER);
    has(
        &browser.get(&link(&cause, "Retry these 12")).await,
        &["There is nothing to do", "no sync error that matches is pending"],
    );
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignore_wants_a_reason_keeps_what_was_written_and_is_taken_back_as_one() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=3, "nobody").await;
    host.until("all are on record", |health| health.sync_errors.pending == 3).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let cause = browser.get(&cause_of(&host, "nobody").await).await;
    let question = browser.get(&link(&cause, "Ignore these 3")).await;
    has(&question, &["Ignore 3 sync errors?", "name=\"reason\" required"]);
    let refused = sent(&browser, &question, &[("reason", "  ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    has(&refused, &["Nothing has begun.", "Ignore 3 sync errors?"]);
    let long = "x".repeat(501);
    has(&sent(&browser, &refused, &[("reason", &long)]).await, &["Nothing has begun.", &long]);
    assert_eq!(host.get("/v1/operations").await.1["operations"], json!([]));
    let begun = sent(&browser, &refused, &[("reason", "test <b>customers</b>")]).await;
    let (path, report) = report(&host, &begun).await;
    assert_eq!((report["done"].as_u64(), report["reason"].as_str()), (Some(3), Some("test <b>customers</b>")));
    has(&browser.get(&path).await, &["Take back these 3", "test &lt;b&gt;customers&lt;/b&gt;", "<b>3</b>ignored"]);
    has(&browser.get(&cause_of(&host, "nobody").await).await, &["Reopen the 3 ignored", "Ignoring 3 sync errors"]);
    // It is over: nobody can pause it, and its page says how it stands.
    let late = browser.post(&format!("{path}/pause"), &[]).await;
    let page = browser.get(late.leads_to()).await;
    assert_eq!(page.status, StatusCode::OK);
    has(&page, &["Nothing was done: it does not allow that any more."]);
    let undone = browser.post(&format!("{path}/undo"), &[]).await;
    assert_ne!(undone.leads_to(), path);
    ended(&host, &format!("/v1{}", undone.leads_to())).await;
    host.until("all are back", |health| health.sync_errors.pending == 3).await;
    has(&browser.get("/operations/new?task=ignore").await, &["<option value=\"test &lt;b&gt;customers&lt;/b&gt;\">"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_people_put_to_a_cause_at_once_overwrites_nothing_and_what_is_too_long_is_not_lost() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let address = cause_of(&host, "nobody").await;
    let tag = |page: &Page| page.hidden_fields(&address.replace('&', "&amp;"))[0].1.clone();
    let before = tag(&browser.get(&address).await);
    let kept = browser.post(&address, &[("tag", &before), ("note", "one\r\nline")]).await;
    assert_eq!((kept.status, kept.leads_to()), (StatusCode::SEE_OTHER, &*address));
    has(&browser.get(&address).await, &["one\nline", "a note"]);
    let stale = browser.post(&address, &[("tag", &before), ("note", "mine")]).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    has(&stale, &["Nothing was changed.", ">mine</textarea>", "The note as it is now:", "one\nline"]);
    let now = tag(&stale);
    assert_eq!(browser.post(&address, &[("tag", &now), ("assignee", "آنّا")]).await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&address).await;
    has(&page, &["<b>آنّا</b>", "assigned to آنّا", "<option value=\"آنّا\">", "Assign to me"]);
    has(&browser.get("/causes").await, &["<option value=\"آنّا\">"]);
    let arabic = "م".repeat(10_000);
    for (name, value, words) in
        [("note", &*arabic, "longer than 2000 bytes"), ("ticket", "javascript:alert(1)", "begins with http")]
    {
        let refused = browser.post(&address, &[("tag", &tag(&page)), (name, value)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        has(&refused, &["Nothing was changed.", words, value]);
        assert!(!refused.text.contains("href=\"javascript"));
    }
    let ticket = browser.post(&address, &[("tag", &tag(&page)), ("ticket", "https://t.example/1?a=b&c")]).await;
    assert_eq!(ticket.status, StatusCode::SEE_OTHER);
    has(&browser.get(&address).await, &["href=\"https://t.example/1?a=b&amp;c\""]);
    // Whoever may only look has no forms, and the customer's words are not theirs to read.
    let reader = Browser::sign_in(&host, READER).await;
    let page = reader.get(&address).await;
    has(&page, &["Jane Doe", "one\nline"]);
    assert!(!page.text.contains("<textarea") && !page.text.contains("Retry these") && !page.text.contains("message 1"));
    assert_eq!(reader.get("/operations/new?task=retry").await.status, StatusCode::FORBIDDEN);
    assert_eq!(reader.post(&address, &[("tag", &now), ("note", "x")]).await.status, StatusCode::FORBIDDEN);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_refused_in_words_and_widens_nothing() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=1, "nobody").await;
    host.until("it is on record", |health| health.sync_errors.pending == 1).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    for (path, status, words) in [
        ("/operations/new", StatusCode::BAD_REQUEST, "None of retry, ignore, reopen, assign, resync"),
        ("/operations/new?task=delete", StatusCode::BAD_REQUEST, "None of retry"),
        ("/operations/new?task=retry&colour=red", StatusCode::BAD_REQUEST, "is no filter"),
        ("/operations/new?task=retry&org=none", StatusCode::BAD_REQUEST, "no organization none"),
        ("/operations/new?task=retry&attempts_min=x", StatusCode::BAD_REQUEST, "attempts_min"),
        ("/operations/new?task=retry&state=resolved", StatusCode::UNPROCESSABLE_ENTITY, "pending or retrying"),
        ("/operations/op-none", StatusCode::NOT_FOUND, "op-none"),
        ("/operations?org=none", StatusCode::BAD_REQUEST, "no organization none"),
        ("/causes/none", StatusCode::NOT_FOUND, "none"),
        ("/causes?condition=none", StatusCode::BAD_REQUEST, "new, ongoing"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert!(page.text.to_lowercase().contains(&words.to_lowercase()), "{path}: {}", page.text);
    }
    has(&browser.get("/operations/new?task=reopen").await, &["There is nothing to do", "is ignored"]);
    has(&browser.get("/operations").await, &["Nothing was asked of many at once."]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_got_through_is_sent_once_more_from_a_page_of_its_own() {
    let host = TestHost::start().await;
    for number in 1..=2 {
        host.notify(switchyard_tests::received(number, number, "billing", "jane@example.com")).await;
    }
    host.until("both are through", |health| health.idle()).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let empty = browser.get("/operations/new?task=resync").await;
    has(&empty, &["Got through since", "Show how many"]);
    assert!(!empty.text.contains("name=\"key\""), "nothing is asked about yet");
    let none = browser.get("/operations/new?task=resync&org=acme&delivered_from=2099-01-01T00:00&queue=").await;
    has(&none, &["there is nothing to send", "value=\"2099-01-01T00:00\""]);
    let question = browser.get("/operations/new?task=resync&org=acme&delivered_from=&delivered_before=").await;
    has(&question, &["Send 2 conversations once more?"]);
    let (path, report) = report(&host, &sent(&browser, &question, &[]).await).await;
    assert_eq!((report["task"].as_str(), report["passed"].as_u64()), (Some("resync"), Some(2)), "{report}");
    has(&browser.get(&path).await, &["<b>2</b>got through", "<b>2</b>looked at"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_goes_on_is_followed_without_a_script_paused_resumed_and_cancelled() {
    let host = TestHost::start().await;
    unmapped(&host, 1..=8, "nobody").await;
    host.until("all are on record", |health| health.sync_errors.pending == 8).await;
    map(&host, "nobody").await;
    // Every call hangs: the first ones stay on their way.
    host.salesforce(reqwest::Method::POST, "acme/faults", json!({ "path": "", "latency_ms": 60_000 })).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let question = browser.get("/operations/new?task=retry&org=acme").await;
    let path = sent(&browser, &question, &[]).await.leads_to().to_owned();
    host.seen(&format!("/v1{path}"), |answer| answer["under_way"] == 3).await;
    let page = browser.get(&path).await;
    has(&page, &["<progress value=", "max=\"1\"", "going on", "<b>3</b>on their way", "Cancel the rest", ">Pause<"]);
    assert!(page.text.contains("<noscript><meta http-equiv=\"refresh\""), "{}", page.text);
    for (verb, words) in [("pause", ">Resume<"), ("resume", ">Pause<"), ("cancel", "ending")] {
        let changed = browser.post(&format!("{path}/{verb}"), &[]).await;
        assert_eq!(changed.leads_to(), path);
        has(&browser.get(&path).await, &[words]);
    }
    let late = browser.post(&format!("{path}/resume"), &[]).await;
    has(&browser.get(late.leads_to()).await, &["Nothing was done"]);
    host.salesforce(reqwest::Method::DELETE, "acme/faults", Value::Null).await;
    host.stop().await;
}
