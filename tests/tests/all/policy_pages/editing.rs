//! The editor of a policy: it checks, compares, previews and puts in force, and loses nothing that was written.

use reqwest::StatusCode;
use switchyard_tests::{ADMIN, TestHost};

use super::{EDIT, form, revision, send, to_care, with_refused};
use crate::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn the_editor_checks_compares_and_puts_in_force_and_never_loses_the_text() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get(EDIT).await;
    page.says(&["name=\"toml\"", "name=\"script:acme.rhai\"", "value=\"check\"", "/policies/acme/preview"]);
    assert!(page.text.find("value=\"put\"") < page.text.find("<textarea"), "the buttons stand above the texts");
    let good = form(&host, &page, to_care).await;
    let mut bad = good.clone();
    bad[2].1 = "fn route(conversation) {\r\n  queue(\r\n}\r\n// <b>mine</b>\r\n".to_owned();
    let checked = send(&browser, EDIT, &bad, &[("do", "check")]).await;
    assert_eq!(checked.status, StatusCode::UNPROCESSABLE_ENTITY);
    checked.says(&[
        "href=\"#acme.rhai-3\"",
        "<div class=\"remark\">",
        "id=\"acme.rhai-3\"",
        "// &lt;b&gt;mine&lt;/b&gt;",
        "Nothing is changed.",
    ]);
    send(&browser, EDIT, &good, &[("do", "check")]).await.says(&["would be accepted", "&quot;Care&quot;"]);
    let compared = send(&browser, EDIT, &good, &[("do", "difference")]).await;
    compared.says(&["<ins>+ billing = &quot;Care&quot;</ins>", "<del>− billing = &quot;Billing&quot;</del>"]);
    assert!(!compared.text.contains("What changes in acme.rhai"), "ends of lines are no change");
    assert_eq!(revision(&host).await, 1);
    let put = send(&browser, EDIT, &good, &[("do", "put")]).await;
    assert_eq!(put.leads_to(), "/policies/acme?done=policy-put");
    let done = browser.get(put.leads_to()).await;
    done.says(&["they decide the next", "revision 2", "put by admin"]);
    assert!(!done.text.contains("where it decides"), "nothing waits: {}", done.text);
    let kept = std::fs::read_to_string(host.policy_file("acme.rhai")).unwrap();
    assert!(!kept.contains('\r'), "{kept}");
    browser.get("/policies/acme/revisions/2").await.says(&["From revision 1 to revision 2", "<ins>+ billing"]);
    browser.get("/policies/acme/revisions/1?with=2").await.says(&["<del>− billing = &quot;Care&quot;</del>"]);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_says_who_was_quicker_and_keeps_the_text() {
    let host = TestHost::start().await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get(EDIT).await;
    let mine = form(&host, &page, |text| text.replace("\"Billing\"", "\"Mine\"")).await;
    let theirs = form(&host, &page, to_care).await;
    assert_eq!(send(&browser, EDIT, &theirs, &[("do", "put")]).await.status, StatusCode::SEE_OTHER);
    let late = send(&browser, EDIT, &mine, &[("do", "put")]).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    late.says(&[
        "somebody was quicker",
        "Revision 2",
        "by admin",
        "<ins>+ billing = &quot;Mine&quot;</ins>",
        "= &quot;Mine&quot;\n",
    ]);
    assert_eq!(revision(&host).await, 2, "nothing is changed");
    // Who sends the same once more is told that it is done.
    assert_eq!(send(&browser, EDIT, &theirs, &[("do", "put")]).await.leads_to(), "/policies/acme?done=policy-put");
    let restored = send(&browser, "/policies/acme/restore", &mine[..1], &[("number", "1")]).await;
    assert_eq!(restored.status, StatusCode::PRECONDITION_FAILED);
    let again = [("tag".to_owned(), late.hidden("tag"))];
    let restored = send(&browser, "/policies/acme/restore", &again, &[("number", "1")]).await;
    assert_eq!(restored.leads_to(), "/policies/acme?done=policy-restored");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_counts_by_cause_and_leads_on_to_the_shadow_and_back_to_the_editor() {
    let (host, _) = with_refused("shop", 2, 3).await;
    let browser = Browser::sign_in(&host, ADMIN).await;
    let page = browser.get(EDIT).await;
    let form = form(&host, &page, |text| to_care(text).replace("care =", "shop = \"Care\"\ncare =")).await;
    let preview = send(&browser, "/policies/acme/preview", &form, &[]).await;
    preview.says(&[
        "2 of 2 sync errors would pass",
        "3 of 3 good conversations would change",
        "All 2 looked at",
        "2 of 2",
    ]);
    let kept = ["tag", "toml", "script:acme.rhai"].map(|name| (name.to_owned(), preview.hidden(name)));
    send(&browser, EDIT, &kept, &[]).await.says(&["shop = &quot;Care&quot;"]);
    assert_eq!(send(&browser, EDIT, &kept, &[("do", "shadow")]).await.leads_to(), "/policies/acme?done=shadow-started");
    assert_eq!(revision(&host).await, 1);
    browser.get("/policies/acme").await.says(&["The shadow", "is asked beside it"]);
    assert_eq!(browser.post("/policies/acme/end-shadow", &[]).await.leads_to(), "/policies/acme?done=shadow-ended");
    let forged = [("cursor", "x"), ("so_far", "{}")];
    assert_eq!(send(&browser, "/policies/acme/preview", &form, &forged).await.status, StatusCode::BAD_REQUEST);
    host.stop().await;
}
