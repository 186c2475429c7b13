//! The console with a token for one organization: no page shows anything of another one, and no form does anything to it.

use reqwest::StatusCode;

use super::{Two, only_error};
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_nothing_of_another_organization() {
    let two = Two::start().await;
    let browser = Browser::sign_in(&two.host, &two.token).await;
    let own = only_error(&two.host, "acme").await;
    let cause = format!("/causes/{}", own["group"].as_str().unwrap());
    for path in [
        "/",
        "/sync-errors",
        "/sync-errors?state=",
        "/sync-errors?q=olga",
        "/orgs/acme/checks",
        "/causes",
        &cause,
        "/operations",
        "/operations/new?task=retry",
        "/operations/new?task=ignore",
        "/operations/new?task=resync",
        "/actions",
        "/tokens",
        "/customers?q=jane",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("acme"), "{path}: {}", page.text);
        let words = ["Olga", "olgas", "org=other", "value=\"other\"", "/orgs/other", ">other<", "/policies\""];
        for word in words.into_iter().chain([two.of_other("/v1/sync-errors")]) {
            assert!(!page.text.contains(word), "{path}: {word}: {}", page.text);
        }
    }
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_console_is_about_another_organization() {
    let two = Two::start().await;
    let browser = Browser::sign_in(&two.host, &two.token).await;
    let id = two.of_other("/v1/sync-errors");
    for (path, wanted) in [
        ("/sync-errors?org=other".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/sync-errors/{id}"), StatusCode::NOT_FOUND),
        (format!("/sync-errors/{id}/repro"), StatusCode::NOT_FOUND),
        (format!("/messages/{}", two.of_other("/v1/messages")), StatusCode::NOT_FOUND),
        ("/orgs/other/checks".to_owned(), StatusCode::NOT_FOUND),
        ("/causes?org=other".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/causes/{}", two.of_other("/v1/groups")), StatusCode::NOT_FOUND),
        (format!("/causes/{}?org=other", two.of_other("/v1/groups")), StatusCode::BAD_REQUEST),
        ("/operations?org=other".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/operations/{}", two.of_other("/v1/operations")), StatusCode::NOT_FOUND),
        ("/operations/new?task=retry&org=other".to_owned(), StatusCode::BAD_REQUEST),
        ("/operations/new?task=resync&org=other".to_owned(), StatusCode::BAD_REQUEST),
        ("/quarantine".to_owned(), StatusCode::FORBIDDEN),
        ("/policies".to_owned(), StatusCode::FORBIDDEN),
        ("/plugins".to_owned(), StatusCode::FORBIDDEN),
        ("/policies/others".to_owned(), StatusCode::NOT_FOUND),
        ("/policies/others/edit".to_owned(), StatusCode::NOT_FOUND),
        ("/policies/others/coverage".to_owned(), StatusCode::NOT_FOUND),
        ("/policies/others/revisions/1".to_owned(), StatusCode::NOT_FOUND),
        ("/policies/default".to_owned(), StatusCode::NOT_FOUND),
        ("/policies/acme".to_owned(), StatusCode::OK),
        (format!("/policies/acme/ask?sync_error={id}"), StatusCode::NOT_FOUND),
        (format!("/policies/acme/mend?sync_error={id}"), StatusCode::NOT_FOUND),
        (format!("/policies/acme/mend?group={}", two.of_other("/v1/groups")), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(browser.get(&path).await.status, wanted, "{path}");
    }
    two.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_the_console_does_anything_to_another_organization() {
    let two = Two::start().await;
    let browser = Browser::sign_in(&two.host, &two.token).await;
    let id = two.of_other("/v1/sync-errors");
    for path in ["retry", "ignore", "reopen"] {
        let page = browser.post(&format!("/sync-errors/{id}/{path}"), &[("reason", "x")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    for verb in ["pause", "resume", "cancel", "undo"] {
        let path = format!("/operations/{}/{verb}", two.of_other("/v1/operations"));
        assert_eq!(browser.post(&path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let begun = browser.post("/operations", &[("task", "retry"), ("org", "other"), ("key", "k")]).await;
    assert_eq!(begun.status, StatusCode::BAD_REQUEST, "{}", begun.text);
    for path in ["/orgs/other/checks", "/orgs/other/settings", "/orgs/other/mute", "/orgs/other/authorize"] {
        assert_eq!(browser.post(path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(browser.post("/quarantine/q-1/forget", &[]).await.status, StatusCode::FORBIDDEN);
    for path in ["edit", "preview", "ask", "mend", "mend/preview", "mend/retry", "restore", "let-go", "delete"] {
        let page = browser.post(&format!("/policies/others/{path}"), &[("toml", "x"), ("do", "put")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(only_error(&two.host, "other").await["state"], "pending");
    two.host.stop().await;
}
