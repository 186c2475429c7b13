//! An export of the release before, imported, and what is damaged of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::merging::merge;
use super::{Upgrade, Upgraded, format_1};
use crate::domain::{
    AuditEntry, Class, ConversationId, MessageId, OrgId, Phase, Refusal, State, SyncError, SyncErrorId, Timestamp,
};
use crate::ledger::Ledger;
use crate::store::{Batch, Error, MemoryStore, SledStore, Store};

/// Written by the release before: a part of the conversations of its demo, with all that belongs to them.
pub(crate) static EXPORT: LazyLock<String> = LazyLock::new(|| {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ledger/testdata/format-1.jsonl");
    std::fs::read_to_string(file).expect("the export")
});
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Writes what an export becomes into a store.
pub(crate) async fn convert(lines: &str, into: &dyn Store, now: Timestamp) -> Result<Upgraded, Error> {
    let (mut upgrade, mut batch) = (Upgrade::new(now), Batch::default());
    let mut all = Vec::new();
    for (key, value) in pairs(lines) {
        all.extend(upgrade.pair((key.into_bytes(), value.into_bytes()))?);
    }
    all.extend(upgrade.end()?);
    all.into_iter().for_each(|(key, value)| batch.put(key, value));
    into.commit(batch).await?;
    Ok(upgrade.upgraded().clone())
}

fn pairs(export: &str) -> Vec<(String, String)> {
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (text(&line, "key"), text(&line, "value"))).collect()
}

fn export(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value}).to_string() + "\n").collect()
}

fn old_errors(export: &str) -> Vec<format_1::SyncError> {
    let errors = pairs(export).into_iter().filter(|(key, _)| key.starts_with("error/"));
    errors.map(|(key, value)| format_1::decode(&key, value.as_bytes()).unwrap()).collect()
}

async fn imported(export: &str) -> Result<(Ledger, Upgraded), Error> {
    let store = Arc::new(MemoryStore::default());
    let upgraded = convert(export, store.as_ref(), NOW).await?;
    Ok((Ledger::new(store), upgraded))
}

async fn assert_consistent(ledger: &Ledger) {
    let verified = ledger.verify(|_| ()).await.unwrap();
    assert_eq!(verified.differences, 0, "{:#?}", verified.named);
}

/// Asserts that nothing of the export is lost.
async fn assert_all_there(ledger: &Ledger, upgraded: &Upgraded) {
    assert_consistent(ledger).await;
    let (mut places, mut audit) = (BTreeSet::new(), BTreeMap::<MessageId, Vec<AuditEntry>>::new());
    for (key, value) in pairs(&EXPORT) {
        match key.split('/').collect::<Vec<_>>()[..] {
            ["conversation", org, id] => {
                let (org, id): (OrgId, ConversationId) = (org.parse().unwrap(), id.parse().unwrap());
                assert!(ledger.conversation(&org, &id).await.unwrap().is_some(), "{key}");
                places.insert((org, id));
            }
            ["audit", message, _] => {
                let entry = format_1::decode(&key, value.as_bytes()).unwrap();
                audit.entry(message.parse().unwrap()).or_default().push(entry);
            }
            _ => {}
        }
    }
    assert_eq!(upgraded.conversations, places.len() as u64);
    assert_eq!((upgraded.left_out, upgraded.quarantined), (0, 0));
    assert!(audit.len() > 20, "{}", audit.len());
    for (message, mut entries) in audit {
        entries.sort_by_key(|entry| (entry.at, entry.order));
        assert_eq!(ledger.audit(&message, |_| true).await.unwrap(), entries, "{message}");
    }
    let (old, mut open) = (old_errors(&EXPORT), BTreeSet::new());
    for old in &old {
        let new = ledger.sync_error(&old.id).await.unwrap().unwrap();
        assert!(new.affected.contains(&old.message) && new.conversation == old.conversation, "{new:?}");
        assert_eq!(new.state == State::Resolved, old.state == State::Resolved, "{new:?}");
        if old.state != State::Resolved {
            let delivery = ledger.delivery(&old.org, &old.conversation).await.unwrap();
            assert_eq!(delivery.open.map(|open| open.id), Some(new.id.clone()));
            open.insert(new.id);
        }
    }
    let counted = open.len() + old.iter().filter(|old| old.state == State::Resolved).count();
    assert_eq!(upgraded.merged, (old.len() - counted) as u64);
    assert_eq!(ledger.verify(|_| ()).await.unwrap().sync_errors, counted as u64);
    assert!(upgraded.merged > 0 && !open.is_empty(), "the export has no conversation with several sync errors");
}

#[tokio::test]
async fn a_real_export_of_the_first_format_loses_nothing_and_has_one_open_sync_error_for_each_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk: Arc<dyn Store> = Arc::new(SledStore::open(folder.path()).unwrap());
    for store in [Arc::new(MemoryStore::default()) as Arc<dyn Store>, on_disk] {
        let upgraded = convert(&EXPORT, store.as_ref(), NOW).await.unwrap();
        assert_all_there(&Ledger::new(store), &upgraded).await;
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_set_aside_and_all_else_is_imported() {
    for noun in ["conversation/", "delivery/", "error/", "audit/", "team/"] {
        let mut pairs = pairs(&EXPORT);
        let (key, value) = pairs.iter_mut().find(|(key, _)| key.starts_with(noun)).unwrap();
        *value = "{\"1\":".to_owned();
        let key = key.clone();
        let (ledger, upgraded) = imported(&export(&pairs)).await.unwrap();
        assert_eq!(upgraded.quarantined, 1, "{noun}");
        let aside = ledger.quarantine(None, 10).await.unwrap();
        assert_eq!((aside.entries[0].key.as_str(), aside.entries[0].at, aside.entries.len()), (key.as_str(), NOW, 1));
        assert_consistent(&ledger).await;
    }
}

#[tokio::test]
async fn what_cannot_be_understood_and_belongs_to_no_organization_refuses_the_import_with_its_key() {
    for noun in ["cursor/", "policy-revision/"] {
        let mut pairs = pairs(&EXPORT);
        pairs.push(("cursor/main".to_owned(), "{\"1\":7}".to_owned()));
        let place = pairs.iter().position(|(key, _)| key.starts_with(noun)).unwrap();
        "?".clone_into(&mut pairs[place].1);
        let error = imported(&export(&pairs)).await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(noun), "{error}");
    }
    let unknown = imported("{\"key\":\"lane/acme\",\"value\":\"{}\"}\n").await.map(|_| ()).unwrap_err().to_string();
    assert!(unknown.contains("lane/acme"), "{unknown}");
    let alone = [("error/se-1".to_owned(), "?".to_owned())];
    assert!(matches!(imported(&export(&alone)).await, Err(Error::Unreadable { key, .. }) if key == "error/se-1"));
}

#[tokio::test]
async fn a_delivery_that_cannot_be_read_is_sent_once_more_and_an_open_sync_error_without_conversation_is_set_aside() {
    let mut all = pairs(&EXPORT);
    let place = all.iter().position(|(key, _)| key.starts_with("delivery/")).unwrap();
    all.remove(place);
    let (ledger, _) = imported(&export(&all)).await.unwrap();
    let key = pairs(&EXPORT)[place].0.clone();
    let [_, org, id] = key.split('/').collect::<Vec<_>>()[..] else { panic!("{key}") };
    let delivery = ledger.delivery(&org.parse().unwrap(), &id.parse().unwrap()).await.unwrap();
    assert!(matches!(delivery.phase, Phase::Ready { .. }) && delivery.wanted > delivery.settled, "{delivery:?}");
    assert_consistent(&ledger).await;

    let old = old_errors(&EXPORT).into_iter().find(|old| old.state == State::Pending).unwrap();
    let own = format!("/{}/{}", old.org, old.conversation);
    let mut all = pairs(&EXPORT);
    all.retain(|(key, _)| *key != format!("conversation{own}") && *key != format!("delivery{own}"));
    let (ledger, upgraded) = imported(&export(&all)).await.unwrap();
    assert!(upgraded.quarantined > 0);
    let aside = ledger.quarantine(None, 10).await.unwrap();
    assert!(aside.entries[0].reason.contains("conversation is not on record"), "{aside:?}");
    assert_consistent(&ledger).await;
}

fn old(number: u64, state: State, reason: Option<&str>) -> format_1::SyncError {
    let at = |seconds| Timestamp::from_millis(1_790_000_000_000 + seconds * 1_000);
    format_1::SyncError {
        id: SyncErrorId::new(format!("se-old{number}")).unwrap(),
        org: OrgId::new("acme").unwrap(),
        conversation: ConversationId::new("main:1").unwrap(),
        message: MessageId::new(format!("main:1-{number}")).unwrap(),
        state,
        refusal: Refusal::new(Class::Config, &format!("CODE_{number}"), "no"),
        judged_by: None,
        attempts: u32::try_from(10 - number).unwrap(),
        first_seen: at(number),
        last_seen: at(number + 100),
        next_attempt_at: None,
        touched_by: None,
        reason: reason.map(str::to_owned),
        ending: None,
    }
}

fn merged(errors: Vec<format_1::SyncError>) -> Vec<SyncError> {
    let (org, id) = (OrgId::new("acme").unwrap(), ConversationId::new("main:1").unwrap());
    let merged = merge(&org, &id, None, errors, &[]);
    for (number, error) in (1..).zip(&merged.errors) {
        assert_eq!(error.id, SyncErrorId::of(&org, &id, number));
    }
    merged.errors
}

#[test]
fn the_open_sync_errors_of_a_conversation_are_one_with_the_words_of_the_newest_and_the_most_attempts() {
    let errors = vec![
        old(3, State::Ignored, Some("spam")),
        old(2, State::Retrying, None),
        old(1, State::Pending, None),
        old(0, State::Resolved, None),
    ];
    let all = merged(errors);
    let [over, open] = &all[..] else { panic!("{all:?}") };
    assert_eq!((over.state, over.message.as_str()), (State::Resolved, "main:1-0"));
    assert_eq!((open.state, open.refusal.code.as_str(), open.attempts), (State::Pending, "CODE_2", 9));
    let affected: Vec<_> = open.affected.iter().map(MessageId::as_str).collect();
    assert_eq!(affected, ["main:1-1", "main:1-2", "main:1-3"]);
    assert_eq!((open.affected_count, open.reason.as_deref()), (3, None));
    assert_eq!(
        (open.first_seen, open.last_seen),
        (old(1, State::Pending, None).first_seen, old(3, State::Pending, None).last_seen)
    );

    let ignored = merged(vec![old(1, State::Ignored, Some("spam")), old(2, State::Ignored, Some("closed"))]);
    assert_eq!((ignored[0].state, ignored[0].reason.as_deref(), ignored.len()), (State::Ignored, Some("closed"), 1));
    let retrying = merged(vec![old(1, State::Retrying, None), old(2, State::Ignored, Some("spam"))]);
    assert_eq!((retrying[0].state, retrying[0].refusal.code.as_str()), (State::Retrying, "CODE_1"));
}

#[tokio::test]
async fn of_a_message_in_two_organizations_each_keeps_what_is_about_it() {
    let known = pairs(&EXPORT).into_iter().find(|(key, _)| key.starts_with("conversation/")).unwrap();
    let conversation: crate::domain::Conversation = format_1::decode(&known.0, known.1.as_bytes()).unwrap();
    let (id, message) = (conversation.id.clone(), conversation.newest().unwrap().id.clone());
    let record = |number: u64| format!("a0000000000000{number}AAA");
    let entry = |order: u64, fact: Value| {
        let entry = json!({"1": {"message": message, "at": "2026-09-21T10:00:00Z", "order": order, "fact": fact}});
        (format!("audit/{message}/1790000000000-{order}"), entry.to_string())
    };
    let delivered = |number| json!({"what": "DELIVERED", "record": record(number), "created": true, "version": 1});
    let mut all = vec![
        entry(1, json!({"what": "ARRIVED", "kind": "task-create", "by": "poll", "event": 1})),
        entry(2, delivered(1)),
        entry(3, delivered(2)),
        entry(4, json!({"what": "ERASED"})),
    ];
    for (number, org) in [(1, "one"), (2, "two")] {
        let records = json!({"conversation": record(number), "contact": null, "case": null, "owner": null});
        let delivery = json!({"1": {"wanted": 1, "settled": 1, "phase": {"is": "idle"}, "attempts": 0, "open": [],
            "records": records, "entries": 2, "day": 20_717}});
        all.push((format!("conversation/{org}/{id}"), known.1.clone()));
        all.push((format!("delivery/{org}/{id}"), delivery.to_string()));
    }
    let (ledger, upgraded) = imported(&export(&all)).await.unwrap();
    assert_eq!((upgraded.quarantined, upgraded.left_out), (1, 0), "an entry without its event");
    for (number, org) in [(1, "one"), (2, "two")] {
        let org = OrgId::new(org).unwrap();
        let pages = ledger.audit_pages(&org, &id).await.unwrap();
        let orders: Vec<_> = pages[0].1.entries.iter().map(|entry| entry.order).collect();
        assert_eq!(orders, [1, 1 + number]);
        assert_eq!(ledger.delivery(&org, &id).await.unwrap().delivered, Some(message.clone()));
    }
    assert_consistent(&ledger).await;
}
