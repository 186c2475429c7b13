//! The console while nothing gets through: no page says that all is well, and what is parked can be looked at and ignored.

use reqwest::{Method, StatusCode};
use serde_json::json;
use switchyard_tests::{ADMIN, OPERATOR, READER, TestHost, received};

use crate::browser::{Browser, Page};
use crate::tokens::make;

/// A conversation for the queue Billing, of `acme` or of `other`.
async fn write(host: &TestHost, number: u64, org: &str) {
    let mut action = received(number, number, "billing", "jane@example.com");
    if org == "other" {
        action["account"]["id"] = json!(13);
    }
    host.notify(action).await;
}

/// Revokes the token of an organization and waits until these conversations of it are parked.
async fn parked(host: &TestHost, org: &str, numbers: std::ops::RangeInclusive<u64>) {
    host.salesforce(Method::POST, &format!("{org}/revoke"), json!({})).await;
    let count = numbers.clone().count();
    for number in numbers {
        write(host, number, org).await;
    }
    let path = format!("/v1/orgs/{org}/parked?limit=1");
    host.seen(&path, |list| list["total"] == json!(count)).await;
    host.seen(&format!("/v1/orgs/{org}"), |org| org["waiting"] == 0 && org["sending"] == 0).await;
}

/// The address that a link which says this leads to.
fn link(page: &Page, words: &str) -> String {
    let before = page.text.split_once(words).unwrap_or_else(|| panic!("{words}: {}", page.text)).0;
    let address = before.rsplit_once("href=\"").expect("a link").1.split_once('"').expect("an end").0;
    address.replace("&amp;", "&")
}

fn says_not(page: &Page, words: &[&str]) {
    for word in words {
        assert!(!page.text.contains(word), "{word} is in {}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_whose_conversations_are_parked_is_never_told_that_all_got_through() {
    let host = TestHost::with("flow = 'web-server'\nclient_secret = 'shh'\n").await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    browser.get("/").await.says(&["data-live>All is well</h1>"]);
    let calm = "Everything that came in got through";
    browser.get("/sync-errors?org=acme").await.says(&[calm]);
    write(&host, 1, "acme").await;
    write(&host, 2, "acme").await;
    host.until("both wait", |health| health.parked == 2 && health.idle()).await;

    let authorize = "action=\"/orgs/acme/authorize\"";
    let home = browser.get("/").await;
    home.says(&["Nothing gets through to 1 organization</h1>", "href=\"/parked\"><b>2</b>", authorize, "2 parked</a>"]);
    says_not(&home, &["All is well"]);
    let list = browser.get("/sync-errors?org=acme").await;
    list.says(&[
        "Nothing gets through",
        "NOT_AUTHORIZED",
        authorize,
        "Nothing is pending.",
        "2 conversations wait</a>",
    ]);
    says_not(&list, &[calm]);
    assert_eq!(link(&list, "2 conversations are parked</a>"), "/parked?org=acme");
    let all = browser.get("/sync-errors").await;
    all.says(&["Nothing gets through to <a href=\"/sync-errors?org=acme\"", "2 conversations are parked</a>"]);
    says_not(&all, &[calm, authorize]);
    // The mail about the incident leads here: the button stands at what is wrong, and once.
    let checks = browser.get("/orgs/acme/checks").await;
    let at_incident = checks.text.split_once("2 conversations wait</a>").expect("the incident").1;
    assert!(at_incident.split_once("</div></div>").expect("its end").0.contains(authorize), "{}", checks.text);
    assert_eq!(checks.text.matches(authorize).count(), 1, "{}", checks.text);
    let reader = Browser::sign_in(&host, READER).await;
    let list = reader.get("/sync-errors?org=acme").await;
    list.says(&["Nothing gets through", "2 conversations are parked</a>"]);
    says_not(&list, &["<form method=\"post\" action=\"/orgs", calm]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_listed_in_pages_and_one_is_ignored_with_a_reason() {
    let host = TestHost::start().await;
    parked(&host, "acme", 101..=152).await;
    parked(&host, "other", 901..=901).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let first = browser.get("/parked").await;
    first.says(&["53 conversations wait</b>", "Jane", "/conversations/main%3A152", "Nothing gets through to "]);
    assert_eq!(first.text.matches("<details class=\"ignore\">").count(), 50, "{}", first.text);
    says_not(&first, &["/conversations/main%3A101\"", "/conversations/main%3A901\""]);
    let second = browser.get(&link(&first, "rel=\"next\"")).await;
    second.says(&[
        "/conversations/main%3A101\"",
        "/conversations/main%3A102\"",
        "/conversations/main%3A901\"",
        "First page",
    ]);
    assert_eq!(second.text.matches("<details class=\"ignore\">").count(), 3, "{}", second.text);
    says_not(&second, &["rel=\"next\""]);
    for (query, words) in [("org=nobody", "nobody"), ("cursor=%3Cb%3E", "a page of this list gave")] {
        let page = browser.get(&format!("/parked?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        page.says(&[words]);
    }

    let own = browser.get("/parked?org=other").await;
    own.says(&["1 conversation waits</b>", "name=\"back\" value=\"/parked?org=other\"", "Nothing gets through"]);
    says_not(&own, &["main%3A152"]);
    let ignore = "/orgs/other/parked/main:901/ignore";
    own.says(&[ignore]);
    assert_eq!(browser.post(ignore, &[("reason", " ")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = [("reason", "a <i>test"), ("back", "/parked?org=other")];
    let reader = Browser::sign_in(&host, READER).await;
    assert_eq!(reader.post(ignore, &form).await.status, StatusCode::FORBIDDEN);
    says_not(&reader.get("/parked").await, &["Jane", "/ignore"]);
    let done = browser.post(ignore, &form).await;
    let page = browser.get(done.leads_to()).await;
    page.says(&["is ignored: “a &lt;i&gt;test”", "Undo</button>", "Nothing is parked here."]);
    assert!(done.leads_to().starts_with("/parked?org=other&done=ignored-se-"), "{}", done.leads_to());
    let again = browser.post(ignore, &form).await;
    assert_eq!(again.leads_to(), "/parked?org=other&done=not-parked");
    browser.get(again.leads_to()).await.says(&["Nothing was done: the conversation is not parked any more."]);
    let (_, list) = host.get("/v1/sync-errors?org=other&state=ignored").await;
    assert_eq!((&list["total"], &list["sync_errors"][0]["reason"]), (&json!(1), &json!("a <i>test")), "{list}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_one_organization_sees_no_parked_conversation_of_another_and_ignores_none() {
    let host = TestHost::start().await;
    parked(&host, "acme", 1..=2).await;
    parked(&host, "other", 101..=101).await;
    let token = make(&host, json!({ "name": "other's", "scopes": ["read", "errors"], "orgs": ["other"] })).await;
    let browser = Browser::sign_in(&host, &token.secret).await;
    let page = browser.get("/parked").await;
    page.says(&["1 conversation waits</b>", "main%3A101"]);
    says_not(&page, &["acme", "main%3A1\""]);
    assert_eq!(browser.get("/parked?org=acme").await.status, StatusCode::BAD_REQUEST);
    // Behind a place in the other's list its own come.
    let behind = browser.get("/parked?cursor=acme/1790000000000/main:2").await;
    behind.says(&["main%3A101"]);
    says_not(&behind, &["main%3A1\""]);
    let form = [("reason", "mine"), ("back", "/parked")];
    assert_eq!(browser.post("/orgs/acme/parked/main:1/ignore", &form).await.status, StatusCode::NOT_FOUND);
    host.until("both still wait", |health| health.parked == 2).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_cause_comes_before_eight_larger_ones_that_are_known() {
    let host = TestHost::start().await;
    let larger = ["able", "baker", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"];
    for (team, number) in larger.iter().zip(1..) {
        for number in [number, number + 100] {
            host.notify(received(number, number, team, "jane@example.com")).await;
        }
    }
    host.until("all are on record", |health| health.sync_errors.pending == 16 && health.idle()).await;
    host.clock.advance(std::time::Duration::from_secs(25 * 3600));
    host.notify(received(500, 500, "newcomer", "jane@example.com")).await;
    host.until("it is on record", |health| health.sync_errors.pending == 17 && health.idle()).await;
    let browser = Browser::sign_in(&host, OPERATOR).await;
    let home = browser.get("/").await;
    let titles: Vec<_> = home.text.split("<td class=\"main\" role=\"cell\" title=\"").skip(1).collect();
    assert_eq!(titles.len(), 8, "{}", home.text);
    assert!(titles[0].split_once('"').expect("an end").0.contains("newcomer"), "{}", home.text);
    home.says(&["Retry all 17</a>"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_all_organizations_those_that_need_somebody_first_and_is_narrowed_by_a_name() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let order = |page: &Page| {
        let at =
            |id: &str| page.text.find(&format!("id=\"org-{id}\"")).unwrap_or_else(|| panic!("{id}: {}", page.text));
        at("acme") < at("other")
    };
    assert!(order(&browser.get("/orgs").await), "in the order of their ids while nothing waits");
    parked(&host, "other", 1..=2).await;
    let page = browser.get("/orgs").await;
    assert!(!order(&page), "nothing gets through to the other one: {}", page.text);
    page.says(&["2 in all.", "2 conversations wait for the end of an incident", "href=\"/orgs/other/settings\""]);
    let page = browser.get("/orgs?q=OTHE").await;
    page.says(&["1 in all.", "id=\"org-other\""]);
    says_not(&page, &["id=\"org-acme\""]);
    browser.get("/orgs?q=nobody").await.says(&["There is none."]);
    assert_eq!(browser.get("/orgs?cursor=x").await.status, StatusCode::BAD_REQUEST);
    let made = make(&host, json!({ "name": "acme's", "scopes": ["read"], "orgs": ["acme"] })).await;
    let page = Browser::sign_in(&host, &made.secret).await.get("/orgs").await;
    page.says(&["1 in all.", "id=\"org-acme\""]);
    host.stop().await;
}
