//! The newest events, read from the store and encoded once, for everybody who has read nearly all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::{Semaphore, watch};

use super::filter::Filter;
use super::frame::Frame;
use crate::clock::Clock;
use crate::domain::{EventType, HostEvent};
use crate::ledger::Ledger;
use crate::store;

/// So many events are held.
const HELD: usize = 4_096;
/// Events that are read at a time.
const PAGE: usize = 256;
/// What is sent at once has about so many bytes.
const PIECE: usize = 32 * 1024;
/// Those who have fallen behind read so many pages at a time, all together: lanes read the same store.
const READERS: usize = 4;
/// How long nothing is read after a read that failed.
const PATIENCE: Duration = Duration::from_secs(1);

/// The newest events.
pub(in crate::http) struct Tail {
    ledger: Ledger,
    /// The name of the sequence.
    pub(super) name: String,
    clock: Clock,
    held: Mutex<Held>,
    /// The number up to which events are held.
    end: watch::Sender<u64>,
    readers: Semaphore,
}

#[derive(Default)]
struct Held {
    /// Whoever has read to here finds all that follows among these.
    begin: u64,
    frames: VecDeque<Frame>,
}

/// What follows a place.
pub(super) struct Part {
    /// What matches, ready to be sent; empty where nothing does.
    pub(super) bytes: Bytes,
    /// The number up to which that is all.
    pub(super) to: u64,
}

impl Tail {
    /// Holds nothing yet.
    pub(in crate::http) fn new(ledger: &Ledger, name: String, clock: Clock) -> Arc<Self> {
        let newest = *ledger.newest_event().borrow();
        let held = Mutex::new(Held { begin: newest, ..Held::default() });
        let (end, readers) = (watch::Sender::new(newest), Semaphore::new(READERS));
        Arc::new(Self { ledger: ledger.clone(), name, clock, held, end, readers })
    }

    /// Follows the store for as long as somebody listens; what comes while nobody does is read by whoever asks for it.
    pub(in crate::http) async fn follow(&self) {
        let (mut newest, mut at) = (self.ledger.newest_event(), *self.end.borrow());
        newest.mark_changed();
        while newest.changed().await.is_ok() {
            let to = *newest.borrow_and_update();
            while at < to {
                at = match self.end.receiver_count() {
                    0 => self.forget(to),
                    _ => match self.ledger.events(at, PAGE).await {
                        Ok(Some(page)) => self.hold(page.events, page.to),
                        // So many came at once that the ring went round.
                        Ok(None) => self.forget(to),
                        Err(error) => {
                            tracing::error!(%error, "events cannot be read; it is tried again");
                            tokio::time::sleep(PATIENCE).await;
                            at
                        }
                    },
                };
            }
        }
    }

    fn hold(&self, events: Vec<(u64, HostEvent)>, to: u64) -> u64 {
        let frames: Vec<_> = events.into_iter().map(|(number, event)| Frame::new(&self.name, number, event)).collect();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.frames.extend(frames);
        while held.frames.len() > HELD
            && let Some(oldest) = held.frames.pop_front()
        {
            held.begin = oldest.number;
        }
        drop(held);
        self.end.send_replace(to);
        to
    }

    /// Holds nothing up to this number.
    fn forget(&self, to: u64) -> u64 {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Held { begin: to, ..Held::default() };
        self.end.send_replace(to);
        to
    }

    /// Tells when more is held.
    pub(super) fn end(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    /// The number of the newest event.
    pub(super) fn newest(&self) -> u64 {
        *self.ledger.newest_event().borrow()
    }

    /// What follows a number and matches; `None` where the next event is not kept any more.
    ///
    /// # Errors
    /// When the store cannot be read; nothing is read for those who have read nearly all.
    pub(super) async fn after(&self, at: u64, filter: &Filter) -> Result<Option<Part>, store::Error> {
        if let Some(part) = self.held_after(at, filter) {
            return Ok(Some(part));
        }
        let _reader = self.readers.acquire().await.map_err(|_| store::Error::Closed)?;
        let page = self.ledger.events(at, PAGE).await?;
        Ok(page.map(|page| {
            let wanted = page.events.into_iter().filter(|(_, event)| filter.takes(event));
            let frames = wanted.map(|(number, event)| Frame::new(&self.name, number, event).bytes);
            Part {
                bytes: frames
                    .fold(BytesMut::new(), |mut all, frame| {
                        all.put(frame);
                        all
                    })
                    .freeze(),
                to: page.to,
            }
        }))
    }

    fn held_after(&self, at: u64, filter: &Filter) -> Option<Part> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if at < held.begin {
            return None;
        }
        let (mut bytes, mut to) = (BytesMut::new(), at);
        let first = held.frames.partition_point(|frame| frame.number <= at);
        for frame in held.frames.range(first..) {
            if bytes.len() >= PIECE {
                return Some(Part { bytes: bytes.freeze(), to });
            }
            if filter.matches(frame.what, frame.org.as_ref()) {
                bytes.put(frame.bytes.clone());
            }
            to = frame.number;
        }
        Some(Part { bytes: bytes.freeze(), to: to.max(*self.end.borrow()) })
    }

    /// Says that events are missing before this number.
    pub(super) fn reset(&self, number: u64) -> Bytes {
        Frame::new(&self.name, number, HostEvent::new(EventType::Reset, self.clock.now())).bytes
    }
}
