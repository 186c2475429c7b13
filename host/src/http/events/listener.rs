//! Somebody who listens: what is sent to them next. Nothing is made before it is asked for, so whoever reads slowly costs one piece.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::filter::Filter;
use super::frame::{self, Place};
use super::tail::{Part, Tail};

/// So often something is sent, if only how far everything was told.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Whether somebody may still listen.
pub(super) type May = Box<dyn Fn() -> bool + Send + Sync>;

/// Where somebody stands in the events.
pub(super) struct Listener {
    tail: Arc<Tail>,
    filter: Filter,
    may: May,
    stopping: watch::Receiver<bool>,
    /// Told of what comes; while there is one, the tail follows the store.
    end: watch::Receiver<u64>,
    heartbeat: Duration,
    /// Everything up to this number was sent, or did not match.
    at: u64,
    begun: bool,
    /// Whether events are missing before `at`.
    missing: bool,
}

impl Listener {
    /// Begins behind a place, or with what comes from now on.
    pub(super) fn new(
        tail: &Arc<Tail>,
        filter: Filter,
        after: Option<Place>,
        may: May,
        stopping: watch::Receiver<bool>,
        heartbeat: Duration,
    ) -> Self {
        // First: what comes from here on is told.
        let (end, newest) = (tail.end(), tail.newest());
        let known = after.as_ref().filter(|place| place.of == tail.name && place.number <= newest);
        let (at, missing) = (known.map_or(newest, |place| place.number), after.is_some() && known.is_none());
        Self { tail: Arc::clone(tail), filter, may, stopping, end, heartbeat, at, begun: false, missing }
    }

    /// What is sent next; `None` at the end.
    pub(super) async fn piece(&mut self) -> Option<Bytes> {
        loop {
            let stops = *self.stopping.borrow();
            if stops || !(self.may)() {
                return None;
            }
            if std::mem::take(&mut self.missing) {
                self.begun = true;
                return Some(self.tail.reset(self.at));
            }
            if !std::mem::replace(&mut self.begun, true) {
                return Some(frame::place(&self.tail.name, self.at));
            }
            match self.tail.after(self.at, &self.filter).await {
                Ok(Some(Part { bytes, to })) if to > self.at => {
                    self.at = to;
                    if !bytes.is_empty() {
                        return Some(bytes);
                    }
                    // A filter that matches little looks at much: others have their turn.
                    tokio::task::yield_now().await;
                }
                Ok(None) => (self.at, self.missing) = (self.tail.newest(), true),
                Ok(Some(_)) => self.begun = !self.wait().await,
                // They come again with their last id.
                Err(error) => {
                    tracing::debug!(%error, "events cannot be read for somebody who has fallen behind");
                    return None;
                }
            }
        }
    }

    /// Returns when there may be more, or the host stops; answers whether neither came for long.
    async fn wait(&mut self) -> bool {
        let at = self.at;
        tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
            _ = self.end.wait_for(|end| *end > at) => false,
            () = tokio::time::sleep(self.heartbeat) => true,
        }
    }
}
