//! Bodies are read within bounds: of each, of all that are in memory at a time, and of the time that one takes.

use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt;
use axum::body::HttpBody;
use axum::extract::Request;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::access::Caller;
use super::problem::{Kind, Problem};

/// Bodies of no more bytes are read whatever others take: connections are bounded.
const SMALL: usize = 64 * 1024;
/// Room is taken in steps, as bytes come: announcing many costs others nothing.
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
    /// without a byte of it,
    pub(super) silence: Duration,
    /// and for room.
    pub(super) patience: Duration,
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
        let (whole, silence, patience) = (seconds(10), seconds(5), Duration::from_millis(500));
        let strangers = Bounds { room: 64 * STEP, whole, silence, patience };
        let (whole, silence, patience) = (seconds(600), seconds(30), seconds(10));
        let callers = Bounds { room: 64 * STEP + 2 * bytes, whole, silence, patience };
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
        // One that says beforehand that it is too long is not read at all.
        if limited.size_hint().lower() < announced {
            return Err(too_long());
        }
        let expected = limited.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        let step = expected.map_or(STEP, |bytes| bytes.min(STEP));
        let (mut bytes, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
        let mut pieces = limited.into_data_stream();
        while let Some(piece) = timeout(self.bounds.silence, pieces.next()).await.map_err(|_| too_slow())? {
            let piece = piece.map_err(|error| broken(&error))?;
            let has = room.as_ref().map_or(SMALL, |room| room.num_permits() * UNIT);
            if bytes.len() + piece.len() > has {
                let step = piece.len().max(step);
                let more = self.more(step).await?;
                bytes.reserve_exact(step);
                match &mut room {
                    Some(room) => room.merge(more),
                    None => room = Some(more),
                }
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Bytes::from_owner(Kept { bytes, _room: room }))
    }

    /// Room for what comes next. Those who have some wait for one another, and not for long.
    async fn more(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let room = timeout(self.bounds.patience, Arc::clone(&self.room).acquire_many_owned(units)).await;
        room.ok().and_then(Result::ok).ok_or_else(no_room)
    }
}

fn too_long() -> Problem {
    Problem::too_large("the body is longer than this address takes")
}

fn too_slow() -> Problem {
    Problem::new(Kind::TooSlow, "the body did not come in time")
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
    use axum::http::{Request as HttpRequest, StatusCode};
    use futures_util::{FutureExt as _, stream};

    use super::*;

    fn bodies(room: usize) -> Bodies {
        let long = Duration::from_secs(60);
        let bounds = Bounds { room, whole: long, silence: long, patience: Duration::from_millis(50) };
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
    async fn a_large_body_waits_for_those_that_are_in_memory_but_not_for_long_and_a_small_one_does_not() {
        let bodies = bodies(256 * 1024);
        let large = || of(vec![b' '; 200 * 1024]);
        let first = bodies.read(large()).await.unwrap();
        assert_eq!(bodies.read(large()).await.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        let mut second = Box::pin(bodies.read(large()));
        assert!(second.as_mut().now_or_never().is_none(), "there is no room for it");
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
        let bounds = Bounds { room: STEP, whole: Duration::from_secs(60), silence, patience: silence };
        let pieces = stream::iter([Ok::<_, std::io::Error>(Bytes::from("half"))]).chain(stream::pending());
        let refused = Bodies::new(bounds, bounds).read(of(Body::from_stream(pieces))).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_that_comes_byte_by_byte_is_given_up_after_its_whole_time() {
        let whole = Duration::from_millis(20);
        let bounds = Bounds { room: STEP, whole, silence: Duration::from_secs(60), patience: whole };
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(" ")), ()))
        });
        let refused = Bodies::new(bounds, bounds).read(of(Body::from_stream(drip))).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
