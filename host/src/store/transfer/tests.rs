//! What an export promises: that it is whole, or refused before anything is written.

use std::io::Cursor;
use std::sync::Arc;

use super::*;
use crate::store::{Fault, FaultyStore, LARGEST_VALUE, MemoryStore, Point, SledStore};

fn as_they_are(format: u64) -> Box<dyn Convert> {
    Box::new(AsTheyAre { format })
}

async fn store(pairs: &[(&str, &[u8])]) -> MemoryStore {
    let (store, mut batch) = (MemoryStore::default(), Batch::default());
    pairs.iter().for_each(|(key, value)| batch.put(*key, *value));
    store.commit(batch).await.unwrap();
    store
}

async fn exported(pairs: &[(&str, &[u8])]) -> String {
    let mut lines = Vec::new();
    export(&store(pairs).await, &mut lines).await.unwrap();
    String::from_utf8(lines).unwrap()
}

async fn imported(text: impl AsRef<[u8]>, headerless: bool, into: &dyn Store) -> Result<u64, Error> {
    let mut from = Cursor::new(text);
    let checked = check_export(&mut from, headerless, as_they_are)?;
    import(into, &mut from, &checked, as_they_are, |_| ()).await
}

async fn all(store: &dyn Store) -> Vec<Pair> {
    store.range(Range::of("", 10_000)).await.unwrap()
}

#[tokio::test]
async fn the_ring_and_its_name_stay_in_their_store_and_come_by_no_import() {
    let from = store(&[("a", b"1"), (ring::NAME, b"0123456789abcdef")]).await;
    let mut batch = Batch::default();
    batch.append(b"x".to_vec());
    from.commit(batch).await.unwrap();
    let mut lines = Vec::new();
    assert_eq!(export(&from, &mut lines).await.unwrap(), 1);
    let keys = [ring::key(7), ring::NAME.into(), b"b".to_vec()].map(|key| String::from_utf8(key).unwrap());
    let lines: Vec<_> = keys.iter().map(|key| format!("{{\"key\":\"{key}\",\"value\":\"1\"}}")).collect();
    let to = MemoryStore::default();
    imported(whole(&lines.iter().map(String::as_str).collect::<Vec<_>>()), false, &to).await.unwrap();
    let keys: Vec<_> = all(&to).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"b"]);
}

/// The first line of an export of format 1, and its last one, for lines in between.
fn whole(lines: &[&str]) -> String {
    let mut text = String::from("{\"switchyard_export\":1,\"format\":1}\n");
    lines.iter().for_each(|line| text.extend([*line, "\n"]));
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&text));
    format!("{text}{{\"lines\":{},\"sha256\":\"{sha256}\"}}\n", lines.len() + 1)
}

#[tokio::test]
async fn the_export_of_one_store_is_the_import_of_the_other_bytes_that_are_no_text_included() {
    let folder = tempfile::tempdir().unwrap();
    let pairs: [(&str, &[u8]); 4] =
        [("a", b"1"), ("b/\u{fc}", "\u{0}zwei".as_bytes()), ("bytes", &[0, 159, 255]), ("empty", b"")];
    let from = store(&pairs).await;
    let mut lines = Vec::new();
    assert_eq!(export(&from, &mut lines).await.unwrap(), 4);
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(MemoryStore::default()), Arc::new(SledStore::open(folder.path()).unwrap())];
    for to in stores {
        assert_eq!(imported(&lines, false, to.as_ref()).await.unwrap(), 4);
        assert_eq!(all(to.as_ref()).await, all(&from).await);
        let mut again = Vec::new();
        export(to.as_ref(), &mut again).await.unwrap();
        assert_eq!(again, lines);
    }
}

#[tokio::test]
async fn an_export_that_was_cut_anywhere_is_refused_and_nothing_is_written() {
    let text = exported(&[("a", b"1"), ("b", b"2"), ("c", b"3")]).await;
    for bytes in 0..text.len() {
        let to = MemoryStore::default();
        let outcome = imported(&text[..bytes], false, &to).await;
        assert!(matches!(outcome, Err(Error::NotWhole(_))), "{bytes} bytes: {outcome:?}");
        assert!(all(&to).await.is_empty());
    }
}

#[tokio::test]
async fn a_line_that_was_changed_taken_out_or_put_in_is_refused_and_nothing_is_written() {
    let text = exported(&[("a", b"1"), ("b", b"2"), ("c", b"3")]).await;
    let lines: Vec<_> = text.lines().collect();
    let mut wrong = vec![
        text.replace("\"2\"", "\"4\""),
        text.replace("\"b\"", "\"bb\""),
        text.clone() + lines[1] + "\n",
        text.clone() + &text,
        text.replace("{\"key\"", "{\"colour\":1,\"key\""),
        text.replace("\"b\"", "7"),
        text.replace(lines[2], "not even JSON"),
        text.replace(lines[2], "{\"key\":\"b\",\"deleted\":false}"),
        whole(&["{\"key\":\"b\",\"hex\":\"0\"}"]),
        whole(&[lines[0]]),
    ];
    for number in 0..lines.len() {
        let rest: Vec<_> =
            lines.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, line)| *line).collect();
        wrong.push(rest.join("\n") + "\n");
    }
    for text in wrong {
        let to = MemoryStore::default();
        let outcome = imported(&text, false, &to).await;
        assert!(matches!(outcome, Err(Error::NotWhole(_) | Error::Unreadable { .. })), "{outcome:?} for\n{text}");
        assert!(all(&to).await.is_empty());
    }
    let error = imported(text.replace(lines[2], "?"), false, &MemoryStore::default()).await.unwrap_err();
    assert!(error.to_string().contains("on line 3"), "{error}");
}

#[tokio::test]
async fn what_was_written_later_in_a_backup_wins_and_what_was_deleted_is_gone() {
    let text = whole(&[
        "{\"key\":\"a\",\"value\":\"1\"}",
        "{\"key\":\"b\",\"value\":\"1\"}",
        "{\"key\":\"c\",\"value\":\"1\"}",
        "{\"key\":\"b\",\"value\":\"2\"}",
        "{\"key\":\"d\",\"value\":\"1\"}",
        "{\"key\":\"a\",\"deleted\":true}",
        "{\"key\":\"b\",\"value\":\"3\"}",
        "{\"key\":\"d\",\"deleted\":true}",
        "{\"key\":\"e\",\"deleted\":true}",
    ]);
    let to = MemoryStore::default();
    assert_eq!(imported(text, false, &to).await.unwrap(), 2);
    assert_eq!(all(&to).await, [(b"b".to_vec(), b"3".to_vec()), (b"c".to_vec(), b"1".to_vec())]);
}

#[tokio::test]
async fn an_export_without_a_header_is_taken_only_when_that_is_said() {
    let text = "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\",\"value\":\"2\"}";
    let error = imported(text, false, &MemoryStore::default()).await.unwrap_err();
    assert!(matches!(&error, Error::NotWhole(why) if why.contains("--headerless")), "{error}");
    let to = MemoryStore::default();
    assert_eq!(imported(text, true, &to).await.unwrap(), 2);
    assert_eq!(format::check(&to).await.unwrap(), 1, "its records are of the first format");
    let whole = exported(&[("a", b"1")]).await;
    assert!(matches!(imported(whole, true, &MemoryStore::default()).await, Err(Error::Unreadable { .. })));
}

#[tokio::test]
async fn an_import_goes_into_an_empty_store_only_and_one_that_broke_off_is_refused_at_the_next_start() {
    let full = store(&[("z", b"1")]).await;
    assert!(matches!(imported(exported(&[]).await, false, &full).await, Err(Error::NotEmpty)));
    let marked = MemoryStore::default();
    format::check(&marked).await.unwrap();
    let records: Vec<_> = (0..1_200).map(|record| format!("record/{record:04}")).collect();
    let pairs: Vec<_> = records.iter().map(|key| (key.as_str(), &b"1"[..])).collect();
    let broken = FaultyStore::new(Arc::new(marked));
    broken.plan([Fault::at(Point::BeforeCommit).skipping(1)]);
    let text = exported(&pairs).await;
    assert!(matches!(imported(&text, false, &broken).await, Err(Error::Failed(_))));
    assert!(!all(&broken).await.is_empty());
    assert!(matches!(format::check(&broken).await, Err(Error::HalfImported)));
    let to = MemoryStore::default();
    assert_eq!(imported(&text, false, &to).await.unwrap(), 1_200);
    assert_eq!(format::check(&to).await.unwrap(), 1);
}

#[tokio::test]
async fn exports_keep_the_format_of_their_records_and_those_of_a_newer_release_are_refused() {
    let new = MemoryStore::default();
    format::check(&new).await.unwrap();
    let mut lines = Vec::new();
    assert_eq!(export(&new, &mut lines).await.unwrap(), 0);
    let to = MemoryStore::default();
    imported(&lines, false, &to).await.unwrap();
    assert_eq!(format::check(&to).await.unwrap(), format::FORMAT);
    for newer in ["{\"switchyard_export\":1,\"format\":99}\n", "{\"switchyard_export\":2,\"format\":1}\n"] {
        let outcome = imported(newer, false, &MemoryStore::default()).await;
        assert!(matches!(outcome, Err(Error::Newer { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_record_that_no_store_takes_is_refused_before_the_first_commit() {
    let large = "x".repeat(LARGEST_VALUE + 1);
    let line = serde_json::json!({ "key": "large", "value": large }).to_string();
    let to = MemoryStore::default();
    let outcome = imported(whole(&["{\"key\":\"a\",\"value\":\"1\"}", &line]), false, &to).await;
    assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{outcome:?}");
    assert!(all(&to).await.is_empty());
}

/// Joins all values of a format into one, at the end.
struct Joined(Vec<u8>);

impl Convert for Joined {
    fn format(&self) -> u64 {
        2
    }

    fn pair(&mut self, (key, value): Pair) -> Result<Vec<Pair>, Error> {
        if value == b"bad" {
            return Err(Error::Unreadable { key: String::from_utf8(key).unwrap(), reason: "bad".to_owned() });
        }
        self.0.extend(value);
        Ok(Vec::new())
    }

    fn end(&mut self) -> Result<Vec<Pair>, Error> {
        Ok(vec![(b"joined".to_vec(), std::mem::take(&mut self.0))])
    }
}

#[tokio::test]
async fn an_older_format_is_converted_on_the_way_and_refused_as_a_whole_where_that_fails() {
    let joined = |format: u64| -> Box<dyn Convert> {
        assert_eq!(format, 1);
        Box::new(Joined(Vec::new()))
    };
    let mut from = Cursor::new(exported(&[("a", b"1"), ("b", b"2")]).await);
    let (to, checked) = (MemoryStore::default(), check_export(&mut from, false, joined).unwrap());
    assert_eq!((checked.format, checked.records), (1, 2));
    assert_eq!(import(&to, &mut from, &checked, joined, |_| ()).await.unwrap(), 1);
    assert_eq!(to.get(b"joined").unwrap().as_deref(), Some(&b"12"[..]));
    assert_eq!(format::check(&to).await.unwrap(), 2);
    let mut from = Cursor::new(exported(&[("a", b"1"), ("b", b"bad")]).await);
    assert!(matches!(check_export(&mut from, false, joined), Err(Error::Unreadable { .. })));
}
