//! Whose records are found by an id, and when what a source sent is forgotten.

use std::sync::Arc;

use super::*;
use crate::ledger::Delivered;
use crate::store::{MemoryStore, Store};

#[test]
fn an_id_is_found_where_it_is_no_part_of_another() {
    for (text, found) in [
        ("{\"conversation\":\"main:1\"}", true),
        ("conversation/acme/main:1", true),
        ("main:1", true),
        ("main:12 main:1-2 xmain:1", false),
        ("", false),
        ("main:12, main:1", true),
    ] {
        assert_eq!(names(text.as_bytes(), b"main:1"), found, "{text}");
    }
}

#[tokio::test]
async fn what_a_source_sent_is_forgotten_with_its_conversation_and_by_age() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let ledger = Ledger::new(Arc::clone(&store));
    let source = SourceId::new("main").unwrap();
    let sent = |what: &str, at| {
        let value = format!("{{\"conversation\":{what},\"text\":\"words of {what}\"");
        Quarantined::sent(&source, what, value.as_bytes(), "cut off".to_owned(), Timestamp::from_millis(at))
    };
    let set_aside = vec![sent("71", 10), sent("712", 20), sent("713", 30)];
    ledger.accept(&Delivered { set_aside, ..Delivered::default() }).await.unwrap();
    let conversation = ConversationId::scoped(&source, "71");
    let forgotten = ledger.quarantined_from(&source, &conversation).await.unwrap();
    assert_eq!(forgotten.len(), 1);
    ledger.accept(&Delivered { forgotten, ..Delivered::default() }).await.unwrap();
    assert_eq!(ledger.quarantine_size(10).await.unwrap(), 2);
    assert_eq!(ledger.forget_quarantined(Timestamp::from_millis(30), 10).await.unwrap(), 1);
    let left = ledger.quarantine(None, 10).await.unwrap().entries;
    assert_eq!(left.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["from/main/713"]);
    let values = store.range(Range::of("quarantine-value/", 10)).await.unwrap();
    assert_eq!(values.len(), 1, "their bytes go with them");
}
