//! The pages about policies as a browser without a script meets them: read, edit, try out, put in force, ask, and mend.

mod editing;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use switchyard::domain::Secret;
use switchyard::http::{Scope, Token};
use switchyard_tests::{ADMIN, READER, TestHost, received};

use crate::browser::{Browser, Page};

const EDIT: &str = "/policies/acme/edit";

async fn revision(host: &TestHost) -> u64 {
    host.get("/v1/policies/acme").await.1["in_force"]["revision"].as_u64().expect("a revision")
}

/// The texts in force, as the editor's form sends them: with the ends of lines that browsers make.
async fn form(host: &TestHost, page: &Page, change: impl Fn(&str) -> String) -> [(String, String); 3] {
    let (_, policy) = host.get("/v1/policies/acme").await;
    let field = |text: &Value| change(text.as_str().expect("a text")).replace('\n', "\r\n");
    [
        ("tag".to_owned(), page.hidden("tag")),
        ("toml".to_owned(), field(&policy["source"]["toml"])),
        ("script:acme.rhai".to_owned(), field(&policy["source"]["scripts"]["acme.rhai"])),
    ]
}

async fn send(browser: &Browser, path: &str, form: &[(String, String)], more: &[(&str, &str)]) -> Page {
    let fields: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).chain(more.iter().copied()).collect();
    browser.post(path, &fields).await
}

fn to_care(text: &str) -> String {
    text.replace("\"Billing\"", "\"Care\"")
}

/// Conversations of a team that has no queue, and good ones.
async fn with_refused(team: &str, refused: u64, good: u64) -> (TestHost, Value) {
    let host = TestHost::start().await;
    for n in 1..=good {
        host.notify(received(n, n, "billing", "jane@example.com")).await;
    }
    for n in good + 1..=good + refused {
        host.notify(received(n, n, team, "jane@example.com")).await;
    }
    let errors = host.idle().await;
    assert_eq!(errors.len() as u64, refused);
    (host, errors[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_team_without_a_queue_holds_up_is_mended_from_its_cause_and_rolled_back() {
    let team = "فريق \"<store> 门店\" &c";
    let (host, error) = with_refused(team, 3, 2).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let group = error["group"].as_str().unwrap();
    let mend = format!("/policies/acme/mend?group={group}&amp;org=acme");
    let id = error["id"].as_str().unwrap();
    for path in ["/policies/acme".to_owned(), format!("/causes/{group}?org=acme")] {
        browser.get(&path).await.says(&[&mend, "Choose a queue"]);
    }
    let of_error = format!("/policies/acme/mend?group={group}\"");
    browser.get(&format!("/sync-errors/{id}")).await.says(&[&of_error, &format!("/policies/acme/ask?sync_error={id}")]);
    let choice = browser.get(&mend.replace("&amp;", "&")).await;
    choice.says(&[
        "3 sync errors",
        "value=\"Care\"",
        "value=\"Billing\"",
        "فريق &quot;&lt;store&gt; 门店&quot; &amp;c",
    ]);
    let by_error = browser.get(&format!("/policies/acme/mend?sync_error={id}")).await;
    by_error.says(&["3 sync errors", "value=\"Care\""]);
    let change = browser.get(&format!("/policies/acme/mend?group={group}&org=acme&queue=Care")).await;
    change.says(&["<ins>+ ", "1 line more", "Put in force and retry these 3"]);
    assert_eq!(revision(&host).await, 1, "looking changes nothing");
    let fields = ["group", "org", "team", "queue", "tag"].map(|name| (name.to_owned(), change.hidden(name)));
    let preview = send(&browser, "/policies/acme/mend/preview", &fields, &[]).await;
    preview.says(&["3 of these 3 would pass", "0 of 2 good ones would change", "Put in force and retry these 3"]);
    assert_eq!(revision(&host).await, 1, "nor does trying out");
    let put = send(&browser, "/policies/acme/mend", &fields, &[]).await;
    let mended = put.leads_to().to_owned();
    assert!(mended.contains("operation=op-") && mended.contains("before=1"), "{mended}");
    host.seen("/v1/sync-errors?org=acme&state=resolved", |page| page["total"] == 3).await;
    let operation = mended.split("operation=").nth(1).unwrap().split('&').next().unwrap();
    host.seen(&format!("/v1/operations/{operation}"), |it| it["status"] == "done").await;
    let page = browser.get(&mended).await;
    page.says(&["Revision 2", "3 got through", "Put revision 1 in force"]);
    let (_, policy) = host.get("/v1/policies/acme").await;
    let toml: Value = policy["source"]["toml"].clone();
    assert!(toml.as_str().unwrap().ends_with("= \"Care\"\n"), "{toml}");
    assert_eq!(std::fs::read_to_string(host.policy_file("acme.toml")).unwrap(), toml.as_str().unwrap());
    let back = [("number".to_owned(), "1".to_owned()), ("tag".to_owned(), page.hidden("tag"))];
    assert_eq!(
        send(&browser, "/policies/acme/restore", &back, &[]).await.leads_to(),
        "/policies/acme?done=policy-restored"
    );
    assert_eq!(revision(&host).await, 1);
    let (_, actions) = host.get("/v1/actions").await;
    let deeds: Vec<_> = actions["actions"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    for deed in ["policy-put", "operation-begin", "policy-restore"] {
        assert!(deeds.contains(&deed), "{deed}: {deeds:?}");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_there_already_is_not_made_again_and_what_waits_can_still_be_retried() {
    let (host, error) = with_refused("shop", 1, 0).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let group = error["group"].as_str().unwrap();
    let change = browser.get(&format!("/policies/acme/mend?group={group}&queue=Care")).await;
    let fields = ["group", "org", "team", "queue", "tag"].map(|name| (name.to_owned(), change.hidden(name)));
    // Somebody else does the same meanwhile.
    let (_, policy) = host.get("/v1/policies/acme").await;
    let toml = format!("{}shop = \"Care\"\n", policy["source"]["toml"].as_str().unwrap());
    let texts = json!({ "toml": toml, "scripts": policy["source"]["scripts"] });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await.0, StatusCode::OK);
    let late = send(&browser, "/policies/acme/mend", &fields, &[]).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    late.says(&["Somebody was quicker", "revision 2", "by admin", "The texts are the same"]);
    let page = browser.get(&format!("/policies/acme/mend?group={group}")).await;
    page.says(&["has the queue “Care” for this team already", "Retry these 1"]);
    let retried = send(&browser, "/policies/acme/mend/retry", &fields, &[]).await;
    assert!(retried.leads_to().contains("operation=op-"));
    host.seen("/v1/sync-errors?org=acme&state=resolved", |page| page["total"] == 1).await;
    assert_eq!(revision(&host).await, 2);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_text_maps_teams_in_its_own_way_the_editor_says_what_is_to_be_written() {
    let (host, error) = with_refused("shop", 1, 0).await;
    let (_, policy) = host.get("/v1/policies/acme").await;
    let script = policy["source"]["scripts"]["acme.rhai"].as_str().unwrap();
    let script = script.replace("settings.queues?[team]", "#{ billing: \"Billing\" }[team]");
    let texts = json!({ "toml": "plugin = \"script\"\nscript = \"acme.rhai\"\n", "scripts": { "acme.rhai": script } });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(texts)).await.0, StatusCode::OK);
    let browser = Browser::sign_in(&host, ADMIN).await;
    let group = error["group"].as_str().unwrap();
    let page = browser.get(&format!("/policies/acme/mend?group={group}&queue=Care")).await;
    page.says(&["cannot be changed by itself", "/policies/acme/edit?team=shop&amp;queue=Care"]);
    browser.get(&format!("{EDIT}?team=shop&queue=Care")).await.says(&["“shop”", "“Care”", "class=\"told\""]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_asked_about_a_sync_error_and_about_a_text_by_hand() {
    let (host, error) = with_refused("shop", 1, 0).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get(&format!("/policies/acme/ask?sync_error={}", error["id"].as_str().unwrap())).await;
    page.says(&["TEAM_NOT_MAPPED", "as usual", "jane@example.com", "search Email"]);
    let case = r#"{ "id": "main:9", "channel": "chat", "team": "billing", "messages": [{ "body": "Hi" }] }"#;
    browser.post("/policies/acme/ask", &[("case", case)]).await.says(&["queue Billing"]);
    let wrong = browser.post("/policies/acme/ask", &[("case", "{ \"conversation\": <b> }")]).await;
    wrong.says(&["Nobody was asked.", "{ &quot;conversation&quot;: &lt;b&gt; }"]);
    assert!(host.get("/v1/policies/acme").await.1["decisions"].as_u64() < Some(5), "what is tried is not counted");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_is_let_go_and_what_a_policy_covers_stands_at_its_lines() {
    let (host, _) = with_refused("shop", 1, 1).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let bad = json!({ "toml": "plugin = \"none\"\n" });
    assert_eq!(host.call(Method::PUT, "/v1/policies/acme", ADMIN, Some(bad)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    browser.get("/policies").await.says(&["acme and 1 other", ">refused<"]);
    let policy = browser.get("/policies/acme").await;
    policy.says(&["The newest change is refused", "Let it go", "/policies/acme/revisions/2", "refused"]);
    assert!(!policy.text.contains("Put revision 2 in force"), "it cannot come into force: {}", policy.text);
    assert_eq!(browser.post("/policies/acme/let-go", &[]).await.leads_to(), "/policies/acme?done=rejection-forgotten");
    assert!(!browser.get("/policies/acme").await.text.contains("The newest change is refused"));
    let covers = browser.get("/policies/acme/coverage").await;
    covers.says(&["1 of 1", "1 conversation of this team lately", "never decided", "id=\"acme.toml-5\""]);
    browser.get("/plugins").await.says(&["keyword-router", "href=\"/policies/acme\""]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tokens_with_the_scopes_see_and_use_what_changes_policies_or_shows_customers_words() {
    const AUTHOR: &str = "author-token-0123456789ab";
    let (host, error) = with_refused("shop", 1, 0).await;
    let author =
        Token { name: "author".into(), secret: Secret::new(AUTHOR), scopes: vec![Scope::Policies, Scope::Read] };
    let host = host.restart_with(|config| config.http.tokens.push(author)).await;
    let ask = format!("/policies/acme/ask?sync_error={}", error["id"].as_str().unwrap());
    let mend = format!("/policies/acme/mend?group={}&queue=Care", error["group"].as_str().unwrap());
    let reader = Browser::sign_in(&host, READER).await;
    let page = reader.get("/policies/acme").await;
    assert!(
        page.status == StatusCode::OK && !page.text.contains("/edit") && !page.text.contains("/mend"),
        "{}",
        page.text
    );
    for path in [EDIT, &ask, &mend] {
        assert_eq!(reader.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let author = Browser::sign_in(&host, AUTHOR).await;
    let page = author.get(EDIT).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("/preview"), "{}", page.text);
    for path in [&ask, &mend] {
        assert_eq!(author.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["preview", "ask", "mend", "mend/preview", "mend/retry"] {
        let page = author.post(&format!("/policies/acme/{path}"), &[("toml", "x")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(revision(&host).await, 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_policy_is_written_and_deleted_again_by_forms() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    assert_eq!(browser.get("/policies/new?name=vip").await.leads_to(), "/policies/vip/edit");
    let page = browser.get("/policies/vip/edit").await;
    page.says(&["name=\"script:vip.rhai\"", "TEAM_NOT_MAPPED"]);
    let script = "fn route(conversation) { queue(\"Care\") }\n";
    let toml = "[routing]\nplugin = \"script\"\nscript = \"vip.rhai\"\n";
    let form = [("tag", ""), ("toml", toml), ("script:vip.rhai", script), ("do", "put")];
    assert_eq!(browser.post("/policies/vip/edit", &form).await.leads_to(), "/policies/vip?done=policy-put");
    let late = [("tag", ""), ("toml", "plugin = \"script\"\n"), ("do", "put")];
    assert_eq!(browser.post("/policies/vip/edit", &late).await.status, StatusCode::PRECONDITION_FAILED);
    let question = browser.get("/policies/vip/delete").await;
    question.says(&["Delete the policy vip?", "No organization uses it"]);
    let tag = question.hidden("tag");
    assert_eq!(
        browser.post("/policies/vip/delete", &[("tag", &tag)]).await.leads_to(),
        "/policies?done=policy-deleted"
    );
    assert_eq!(browser.get("/policies/vip").await.status, StatusCode::NOT_FOUND);
    browser.get("/policies/acme/delete").await.says(&["acme and other use it"]);
    assert_eq!(browser.get("/policies/new?name=..%2Fevil").await.status, StatusCode::BAD_REQUEST);
    host.stop().await;
}
