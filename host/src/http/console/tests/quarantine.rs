//! The pages of the quarantine.

use super::*;
use crate::ledger::Quarantined;
use crate::store::Batch;

/// What was set aside because it cannot be understood.
async fn set_aside(console: &Console) -> Quarantined {
    let value = br#"{"2":{"of":"a later release"}}"#.to_vec();
    let reason = WORDS.to_owned();
    let entry = Quarantined::because(&id("shop"), "conversation/shop/main:9".to_owned(), value, reason);
    let mut batch = Batch::default();
    let record = serde_json::json!({ "2": entry });
    batch.put(format!("quarantine/shop/{}", entry.id), record.to_string());
    batch.put(format!("quarantine-value/shop/{}", entry.id), entry.value.clone());
    console.engine.ledger().store().commit(batch).await.unwrap();
    entry
}

#[tokio::test]
async fn what_is_in_the_quarantine_is_listed_and_forgotten_from_its_page() {
    let console = Console::signed_in(0, WRITER).await;
    assert!(!console.page("/").await.contains("in the quarantine"), "there is nothing to look at");
    assert!(console.page("/quarantine").await.contains("Nothing is in the quarantine."));
    let entry = set_aside(&console).await;
    let page = console.page("/").await;
    assert!(page.contains("href=\"/quarantine\"") && page.contains("1 record is in the quarantine"), "{page}");
    let page = console.page("/quarantine").await;
    for words in ["conversation/shop/main:9", "&lt;script&gt;", "Put back</button>", ">Forget it<", ">30<"] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(!page.contains("<script>") && !page.contains("a later release"), "{page}");
    let path = |verb: &str| format!("/quarantine/{}/{verb}", entry.id);
    let answer = console.post(&path("retry"), &[("back", "/quarantine")]).await;
    refused(answer, StatusCode::CONFLICT, "cannot be understood").await;
    let answer = console.post(&path("forget"), &[("back", "/quarantine")]).await;
    assert_eq!(leads_to(&answer), "/quarantine?done=forgotten");
    let page = console.page(leads_to(&answer)).await;
    assert!(page.contains("The record is forgotten.") && page.contains("Nothing is in the quarantine."), "{page}");
    refused(console.post(&path("forget"), &[]).await, StatusCode::NOT_FOUND, "The quarantine has no qu-").await;
    console.stop().await;
}

#[tokio::test]
async fn who_may_only_look_sees_the_quarantine_without_buttons() {
    let console = Console::signed_in(0, READER).await;
    let entry = set_aside(&console).await;
    let page = console.page("/quarantine").await;
    assert!(page.contains("conversation/shop/main:9") && !page.contains("action=\"/quarantine"), "{page}");
    let answer = console.post(&format!("/quarantine/{}/forget", entry.id), &[]).await;
    refused(answer, StatusCode::FORBIDDEN, "The token of bob lacks the scope `errors`").await;
    assert_eq!(console.engine.ledger().quarantine_size(10).await.unwrap(), 1);
    console.stop().await;
}
