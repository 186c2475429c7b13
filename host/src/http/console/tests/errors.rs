//! The list of sync errors, and the page of one.

use super::*;

#[tokio::test]
async fn a_sync_error_is_ignored_with_a_reason_reopened_and_tried_again_from_its_page() {
    let console = Console::signed_in(1, WRITER).await;
    let error = error_of(0);
    let list = "/sync-errors?org=shop&state=pending";
    let page = console.page(list).await;
    assert!(
        page.contains("Errors of <bdi>Shop &lt;b&gt;&amp;</bdi>") && page.contains("sync-errors?org=shop"),
        "{page}"
    );
    assert!(
        page.contains("Retry this one") && page.contains("value=\"/sync-errors?org=shop&amp;state=pending\""),
        "{page}"
    );

    let advice = "<h2>What to do</h2>";
    assert!(console.page(&format!("/sync-errors/{error}")).await.contains(advice), "it is open");
    let ignore = format!("/sync-errors/{error}/ignore");
    refused(console.post(&ignore, &[("reason", " ")]).await, StatusCode::UNPROCESSABLE_ENTITY, "say in 1 to 500").await;
    refused(console.post(&ignore, &[]).await, StatusCode::BAD_REQUEST, "missing field `reason`").await;
    let answer = console.post(&ignore, &[("reason", "it is <i>spam"), ("back", list)]).await;
    assert_eq!(leads_to(&answer), format!("{list}&done=ignored-{error}"));
    let page = console.page(leads_to(&answer)).await;
    assert!(
        page.contains("is ignored: “it is &lt;i&gt;spam”")
            && page.contains("Undo</button>")
            && page.contains("Nothing is pending."),
        "{page}"
    );
    let page = console.page(&format!("/sync-errors/{error}")).await;
    assert!(
        page.contains("it is &lt;i&gt;spam") && page.contains("Reopen</button>") && !page.contains("Retry</button>"),
        "{page}"
    );
    assert!(!page.contains(advice), "nothing waits: {page}");
    assert!(page.contains("&lt;script&gt;alert"), "{page}");

    let retry = format!("/sync-errors/{error}/retry");
    let answer = console.post(&retry, &[("back", list)]).await;
    assert_eq!(leads_to(&answer), format!("{list}&done=late-{error}"));
    let page = console.page(leads_to(&answer)).await;
    assert!(page.contains("Nothing was done") && page.contains("is ignored") && page.contains("(ann, "), "{page}");
    let answer = console.post(&format!("/sync-errors/{error}/reopen"), &[("back", "//evil.example")]).await;
    assert_eq!(leads_to(&answer), format!("/?done=reopened-{error}"));
    assert_eq!(console.error(0).await.state, State::Pending);

    let answer = console.post(&retry, &[("back", &format!("/sync-errors/{error}?done=reopened-{error}"))]).await;
    assert_eq!(leads_to(&answer), format!("/sync-errors/{error}?done=retried-{error}"));
    let page = console.page("/messages/main:m0").await;
    for words in
        ["<b>ann</b> ignored", "<b>ann</b> took", "<b>ann</b> asked for another attempt", "the source notified"]
    {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    let mut health = console.engine.watch(&id("shop")).unwrap();
    health.wait_for(|health| health.idle() && health.sync_errors.pending == 1).await.unwrap();
    assert_eq!(console.error(0).await.refusal.code, "NO_POLICY", "it was tried");
    let page = console.page("/operations/new?task=retry&org=shop").await;
    assert!(page.contains("Retry 1 sync error"), "{page}");
    console.stop().await;
}

#[tokio::test]
async fn a_form_that_no_page_of_the_console_sent_changes_nothing() {
    let console = Console::signed_in(1, WRITER).await;
    let path = format!("/sync-errors/{}/ignore", error_of(0));
    let form = || console.form(&path, &[("reason", "gone")]);
    let forbidden = StatusCode::FORBIDDEN;
    refused(form().send().await.unwrap(), forbidden, "Forms are only taken").await;
    refused(form().header("sec-fetch-site", "cross-site").send().await.unwrap(), forbidden, "Forms are only taken")
        .await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(form().header(header::ORIGIN, origin).send().await.unwrap().status(), forbidden);
    }
    assert_eq!(console.error(0).await.state, State::Pending);
    assert_eq!(
        leads_to(&form().header("sec-fetch-site", "same-origin").send().await.unwrap()),
        format!("/?done=ignored-{}", error_of(0))
    );
    assert_eq!(console.error(0).await.state, State::Ignored);
    console.stop().await;
}

#[tokio::test]
async fn who_may_only_look_is_shown_no_button_and_refused_in_words() {
    let console = Console::signed_in(1, READER).await;
    let error = error_of(0);
    for path in ["/sync-errors?org=shop".to_owned(), format!("/sync-errors/{error}")] {
        let page = console.page(&path).await;
        assert!(page.contains("Validation rule"), "{page}");
        assert!(!page.contains("action=\"/sync-errors/"), "{page}");
        assert!(!page.contains("data-key=\"r\"") && !page.contains("type=\"checkbox\""), "{page}");
    }
    let answer = console.post(&format!("/sync-errors/{error}/retry"), &[]).await;
    refused(answer, StatusCode::FORBIDDEN, "The token of bob lacks the scope `errors`").await;
    assert_eq!(console.error(0).await.state, State::Pending);
    console.stop().await;
}

#[tokio::test]
async fn a_sync_error_knows_its_place_in_the_list_that_it_was_opened_from() {
    let console = Console::signed_in(3, WRITER).await;
    let list = console.page("/sync-errors?org=shop").await;
    let there = |number: usize| format!("/sync-errors/{}?list=org%3Dshop%26state%3Dpending", error_of(number));
    assert!(list.contains(&there(1).replace('&', "&amp;")), "{list}");
    let page = console.page(&there(1)).await;
    for part in [
        "Back to the list of 3 sync errors",
        &format!("href=\"{}\" rel=\"prev\"", there(2)),
        &format!("href=\"{}\" rel=\"next\"", there(0)),
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    // Where the list says which number it has, so do the pages of it.
    let at = |number: usize, at: u64| format!("{}&at={at}", there(number)).replace('&', "&amp;");
    assert!(list.contains(&at(1, 2)) && list.contains("href=\"/conversations/main%3A1\""), "{list}");
    let numbered = format!("{}&at=2", there(1));
    let page = console.page(&numbered).await;
    for part in ["2 of 3", &format!("\"{}\" rel=\"prev\"", at(2, 1)), &format!("\"{}\" rel=\"next\"", at(0, 3))] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let ignore = format!("/sync-errors/{}/ignore", error_of(1));
    assert_eq!(leads_to(&console.post(&ignore, &[("reason", "x")]).await), format!("/?done=ignored-{}", error_of(1)));
    let page = console.page(&numbered).await;
    let next = format!("\"{}\" rel=\"next\"", at(0, 2));
    assert!(page.contains("Back to the list of 2 sync errors") && page.contains(&next), "it has left the list: {page}");
    let page = console.page(&there(0)).await;
    assert!(page.contains("rel=\"prev\"") && !page.contains("rel=\"next\""), "it is the last one: {page}");
    let page = console.page("/conversations/main%3A1").await;
    assert!(page.contains("What was said") && page.contains(error_of(1).as_str()), "{page}");
    console.stop().await;
}
