//! The lines of an export, read from a store while it is written to.
//!
//! First all pairs in the order of their keys, then what was committed meanwhile, again and again until nothing is left
//! at one moment between two commits: the lines hold as of that moment.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::transfer::Writer;
use super::{Error, Range, Store, Watch, format};

/// Pairs that are read at a time.
const CHUNK: usize = 500;
/// Changed keys that are read at a time; commits wait while the last so many are.
const CHANGES: usize = 1_000;
/// Lines are handed on when there are so many bytes of them.
const PIECE: usize = 256 * 1024;
/// Pieces that wait for whoever reads them.
const PIECES: usize = 4;
/// Whoever takes no piece for so long has gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// A piece of the lines; the last one is an error where they cannot go on.
pub type Piece = Result<Vec<u8>, Error>;

/// Begins to read a backup; it ends when the receiver is dropped. To be called within a runtime.
///
/// # Errors
/// [`Error::Busy`] when another one is being read. Pieces end in [`Error::Outrun`] when more is written meanwhile than is
/// read, or an error of the store.
pub fn backup(store: Arc<dyn Store>) -> Result<mpsc::Receiver<Piece>, Error> {
    let watch = store.watch()?;
    let (pieces, receiver) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        if let Err(error) = read(store.as_ref(), &watch, &pieces).await {
            tracing::warn!(%error, "a backup broke off");
            // Whoever reads may have gone.
            let _ = pieces.send(Err(error)).await;
        }
    });
    Ok(receiver)
}

async fn read(store: &dyn Store, watch: &Watch, pieces: &mpsc::Sender<Piece>) -> Result<(), Error> {
    let format = format::read(store).await?.unwrap_or(format::FORMAT);
    let (mut lines, mut after) = (Writer::new(Vec::new(), format)?, None);
    loop {
        let pairs = store.range(Range::of("", CHUNK).after(after)).await?;
        let Some((last, _)) = pairs.last() else { break };
        watch.forget_above(last);
        after = Some(last.clone());
        for (key, value) in pairs {
            lines.change((key, Some(value)))?;
            hand_on(&mut lines, PIECE, pieces).await?;
        }
    }
    loop {
        let taken = store.changed(watch, CHANGES).await?;
        for change in taken.changes {
            lines.change(change)?;
            hand_on(&mut lines, PIECE, pieces).await?;
        }
        if taken.all {
            break;
        }
    }
    hand_on(&mut lines, 0, pieces).await?;
    send(lines.end()?, pieces).await
}

/// Hands on the lines that were written, when there are so many bytes of them.
async fn hand_on(lines: &mut Writer<Vec<u8>>, least: usize, pieces: &mpsc::Sender<Piece>) -> Result<(), Error> {
    if lines.inner().len() < least {
        return Ok(());
    }
    send(std::mem::take(lines.inner()), pieces).await
}

async fn send(piece: Vec<u8>, pieces: &mpsc::Sender<Piece>) -> Result<(), Error> {
    let sent = tokio::time::timeout(PATIENCE, pieces.send(Ok(piece))).await;
    sent.ok().and_then(Result::ok).ok_or(Error::Closed)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::store::{AsTheyAre, Batch, Convert, MemoryStore, Pair, SledStore, check_export, import};

    fn as_they_are(format: u64) -> Box<dyn Convert> {
        Box::new(AsTheyAre { format })
    }

    fn put(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Batch {
        let mut batch = Batch::default();
        batch.put(key, value);
        batch
    }

    async fn all(store: &dyn Store) -> Vec<Pair> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.range(Range::of("", 1_000).after(after)).await.unwrap();
            let Some((last, _)) = page.last() else { return all };
            after = Some(last.clone());
            all.extend(page);
        }
    }

    async fn restored(text: Vec<u8>) -> Result<Vec<Pair>, Error> {
        let (to, mut from) = (MemoryStore::default(), Cursor::new(text));
        let checked = check_export(&mut from, false, as_they_are)?;
        import(&to, &mut from, &checked, as_they_are, |_| ()).await?;
        Ok(all(&to).await)
    }

    /// A store with more records than fit into the pieces that wait.
    async fn filled(store: Arc<dyn Store>) -> Arc<dyn Store> {
        for ten in 0..60 {
            let mut batch = Batch::default();
            (0..10).for_each(|one| batch.put(format!("k/{:04}", ten * 10 + one), vec![b'x'; 20_000]));
            store.commit(batch).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn what_is_committed_while_a_slow_reader_reads_is_in_the_backup_and_no_commit_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let on_disk: Arc<dyn Store> = Arc::new(SledStore::open(folder.path()).unwrap());
        for store in [Arc::new(MemoryStore::default()) as Arc<dyn Store>, on_disk] {
            let store = filled(store).await;
            let mut pieces = backup(Arc::clone(&store)).unwrap();
            let (mut text, mut random) = (Vec::new(), fastrand::Rng::with_seed(7));
            // The reader takes a piece, and commits go on: some before where it stands, some behind it.
            while let Some(piece) = pieces.recv().await {
                text.extend(piece.unwrap());
                if text.len() < 6_000_000 {
                    for _ in 0..20 {
                        let key = format!("k/{:04}", random.u32(0..700));
                        let mut batch = put(key, random.u64(..).to_string());
                        batch.delete(format!("k/{:04}", random.u32(0..700)));
                        store.commit(batch).await.unwrap();
                    }
                }
            }
            assert_eq!(restored(text).await.unwrap(), all(store.as_ref()).await);
        }
    }

    #[tokio::test]
    async fn a_backup_holds_as_of_a_moment_while_commits_never_stop() {
        let store = filled(Arc::new(MemoryStore::default())).await;
        let writer = tokio::spawn({
            let store = Arc::clone(&store);
            // Both keys of a commit have one value: a state that never was would have two.
            async move {
                for number in 0u64.. {
                    let mut batch = put("a", number.to_string());
                    batch.put("z", number.to_string());
                    store.commit(batch).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        for _ in 0..5 {
            let (mut pieces, mut text) = (backup(Arc::clone(&store)).unwrap(), Vec::new());
            while let Some(piece) = pieces.recv().await {
                text.extend(piece.unwrap());
            }
            let pairs = restored(text).await.unwrap();
            let value = |wanted: &[u8]| pairs.iter().find(|(key, _)| key == wanted).map(|(_, value)| value);
            assert!(value(b"a").is_some() && value(b"a") == value(b"z"));
            while backup(Arc::clone(&store)).is_err() {
                tokio::task::yield_now().await;
            }
            // That one was dropped at once, and ends by itself.
            while store.watch().is_err() {
                tokio::task::yield_now().await;
            }
        }
        writer.abort();
    }

    #[tokio::test]
    async fn one_backup_is_read_at_a_time_and_it_ends_when_its_reader_goes() {
        let store = filled(Arc::new(MemoryStore::default())).await;
        let pieces = backup(Arc::clone(&store)).unwrap();
        assert!(matches!(backup(Arc::clone(&store)), Err(Error::Busy)));
        drop(pieces);
        while store.watch().is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_backup_that_is_outrun_ends_with_an_error_and_is_not_whole() {
        let store = filled(Arc::new(MemoryStore::default())).await;
        let mut pieces = backup(Arc::clone(&store)).unwrap();
        let mut text = pieces.recv().await.unwrap().unwrap();
        for thousand in 0..101 {
            let mut batch = Batch::default();
            (0..1_000).for_each(|one| batch.put(format!("a/{:06}", thousand * 1_000 + one), ""));
            store.commit(batch).await.unwrap();
        }
        let mut outcome = Ok(());
        while let Some(piece) = pieces.recv().await {
            match piece {
                Ok(piece) => text.extend(piece),
                Err(error) => outcome = Err(error),
            }
        }
        assert!(matches!(outcome, Err(Error::Outrun)), "{outcome:?}");
        assert!(matches!(restored(text).await, Err(Error::NotWhole(_))));
    }
}
