//! Bodies are read within bounds: of each, of all that are in memory at a time, and of the time that one takes.

use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::access::Caller;
use super::problem::Problem;

/// Bodies of no more bytes are read whatever others take: connections are bounded.
const SMALL: usize = 64 * 1024;
/// What a body of unknown length takes at once.
const STEP: usize = 1024 * 1024;
/// Room is counted in so many bytes.
const UNIT: usize = 1024;

/// How much bodies may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// All large bodies together, in bytes.
    pub(super) room: usize,
    /// How long one may take from its head to its last byte,
    pub(super) whole: Duration,
    /// and without a byte of it.
    pub(super) silence: Duration,
}

/// What is in memory of the requests of one kind of clients.
struct Budget {
    bounds: Bounds,
    room: Arc<Semaphore>,
}

/// The bodies of all requests.
pub(super) struct Bodies {
    /// Those of clients that nobody has identified yet: they keep nothing from those who are known.
    strangers: Budget,
    callers: Budget,
}

/// The bytes of a body, and the room that they take.
struct Kept {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Bodies {
    pub(super) fn new(strangers: Bounds, callers: Bounds) -> Self {
        let budget = |bounds: Bounds| Budget { bounds, room: Arc::new(Semaphore::new(bounds.room / UNIT)) };
        Self { strangers: budget(strangers), callers: budget(callers) }
    }

    /// Those of a host that takes plugins of so many bytes.
    pub(super) fn with_plugins_of(bytes: usize) -> Self {
        let seconds = Duration::from_secs;
        // Alcmeon waits for one second, and a person's browser sends a token.
        let strangers = Bounds { room: 64 * STEP, whole: seconds(10), silence: seconds(5) };
        let callers = Bounds { room: 64 * STEP + 2 * bytes, whole: seconds(600), silence: seconds(30) };
        Self::new(strangers, callers)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// When it is longer than its address takes, comes too slowly, or there is no room for it.
    pub(super) async fn read(&self, request: Request) -> Result<Bytes, Problem> {
        let known = request.extensions().get::<Caller>().is_some();
        let budget = if known { &self.callers } else { &self.strangers };
        let read = timeout(budget.bounds.whole, budget.read(request)).await;
        read.unwrap_or_else(|_| Err(too_slow()))
    }
}

impl Budget {
    async fn read(&self, request: Request) -> Result<Bytes, Problem> {
        let announced = request.body().size_hint().lower();
        let limited = request.into_limited_body();
        // The limit of its address bounds what is expected of it.
        if limited.size_hint().lower() < announced {
            return Err(too_long());
        }
        let expected = limited.size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let mut room = match expected {
            Some(bytes) if bytes > SMALL => Some(self.wait_for(bytes).await?),
            _ => None,
        };
        let mut bytes = Vec::with_capacity(expected.filter(|_| room.is_some()).unwrap_or(0));
        let mut pieces = limited.into_data_stream();
        while let Some(piece) = timeout(self.bounds.silence, pieces.next()).await.map_err(|_| too_slow())? {
            let piece = piece.map_err(|error| broken(&error))?;
            if expected.is_none() && bytes.len() + piece.len() > room.as_ref().map_or(SMALL, in_bytes) {
                let more = self.try_more(piece.len().max(STEP))?;
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Bytes::from_owner(Kept { bytes, _room: room }))
    }

    /// Room for a body that says how long it is; it is not read before.
    async fn wait_for(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        if bytes > self.bounds.room {
            return Err(too_long());
        }
        Arc::clone(&self.room).acquire_many_owned(units(bytes)).await.map_err(|_| no_room())
    }

    /// Room for what comes next of a body that does not. It never waits: those who have some would wait for one another.
    fn try_more(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.room).try_acquire_many_owned(units(bytes)).map_err(|_| no_room())
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn in_bytes(room: &OwnedSemaphorePermit) -> usize {
    room.num_permits() * UNIT
}

fn too_long() -> Problem {
    Problem::too_large("the body is longer than this address takes")
}

fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Too slow", "the body did not come in time")
}

fn no_room() -> Problem {
    Problem::unavailable("too many large bodies are being read; send it again later")
}

/// A body that is too long ends with an error as one that breaks off does.
fn broken(error: &axum::Error) -> Problem {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return too_long();
        }
        cause = error.source();
    }
    Problem::bad_request("the body broke off")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::http::Request as HttpRequest;
    use futures_util::{FutureExt as _, stream};

    use super::*;

    fn bodies(room: usize) -> Bodies {
        let bounds = Bounds { room, whole: Duration::from_secs(60), silence: Duration::from_secs(60) };
        Bodies::new(bounds, bounds)
    }

    fn of(body: impl Into<Body>) -> Request {
        let mut request = HttpRequest::new(body.into());
        DefaultBodyLimit::max(1024 * 1024).apply(&mut request);
        request
    }

    /// A body that does not say how long it is.
    fn in_pieces(pieces: usize) -> Request {
        let piece = Bytes::from(vec![b' '; 32 * 1024]);
        of(Body::from_stream(stream::iter(std::iter::repeat_n(piece, pieces).map(Ok::<_, std::io::Error>))))
    }

    #[tokio::test]
    async fn a_large_body_waits_until_those_that_are_in_memory_are_dropped_and_a_small_one_does_not() {
        let bodies = bodies(256 * 1024);
        let large = || of(vec![b' '; 200 * 1024]);
        let first = bodies.read(large()).await.unwrap();
        let mut second = Box::pin(bodies.read(large()));
        assert!(second.as_mut().now_or_never().is_none(), "it is not read");
        assert_eq!(bodies.read(of("small")).await.unwrap(), "small");
        drop(first);
        assert_eq!(second.await.unwrap().len(), 200 * 1024);
    }

    #[tokio::test]
    async fn bodies_that_do_not_say_how_long_they_are_have_no_more_room_than_others() {
        let bodies = bodies(2 * STEP);
        let first = bodies.read(in_pieces(20)).await.unwrap();
        let second = bodies.read(in_pieces(20)).await.unwrap();
        assert_eq!((first.len(), second.len()), (640 * 1024, 640 * 1024));
        assert_eq!(bodies.read(in_pieces(20)).await.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(bodies.read(in_pieces(1)).await.unwrap().len(), 32 * 1024);
        drop(first);
        assert!(bodies.read(in_pieces(20)).await.is_ok());
        assert_eq!(bodies.read(in_pieces(40)).await.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_stops_in_the_middle_is_given_up() {
        let silence = Duration::from_millis(20);
        let bounds = Bounds { room: STEP, whole: Duration::from_secs(60), silence };
        let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from("half"))]).chain(stream::pending());
        let refused = Bodies::new(bounds, bounds).read(of(Body::from_stream(pieces))).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_is_given_up_after_its_whole_time() {
        let whole = Duration::from_millis(20);
        let bounds = Bounds { room: STEP, whole, silence: Duration::from_secs(60) };
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(" ")), ()))
        });
        let refused = Bodies::new(bounds, bounds).read(of(Body::from_stream(drip))).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
