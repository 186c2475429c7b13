//! What a handler leaves unread of a request is read and thrown away for a while: a client that is still sending when it is
//! refused would find its connection reset, and never see the answer.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long a client may go on sending what nobody reads,
const WHOLE: Duration = Duration::from_secs(30);
/// and how long it may send nothing of it.
const SILENCE: Duration = Duration::from_secs(5);

/// The body of a request, of which whatever is left is thrown away.
pub(super) struct Unread {
    /// `None` once it has been read to its end, or has broken off.
    body: Option<Incoming>,
    /// Whether the client sends it only when it is told to, which it is by the first read.
    waits: bool,
}

impl Unread {
    pub(super) fn of(request: Request<Incoming>) -> Request<Self> {
        let waits = request.headers().contains_key(EXPECT);
        request.map(|body| Self { body: Some(body), waits })
    }
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.waits = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let read = Pin::new(body).poll_frame(context);
        if matches!(read, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        read
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream() && !self.waits);
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(WHOLE, throw_away(rest)));
        }
    }
}

/// Reads until the end, an error or silence.
async fn throw_away(mut body: Incoming) {
    let mut piece = async || timeout(SILENCE, poll_fn(|context| Pin::new(&mut body).poll_frame(context))).await;
    while let Ok(Some(Ok(_))) = piece().await {}
}
