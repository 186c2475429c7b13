//! Serves connections: each is cut when it says nothing, and all of them end within a bound when the host stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::seats::{Seat, Seats, Visitor};
use super::stalled::Unstalled;
use super::unread::Unread;

/// The longest head of a request, in bytes, and what is read of a body at once.
const HEAD_BYTES: usize = 32 * 1024;
/// How long nothing is accepted after the system had no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How much connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at a time.
    pub(super) connections: usize,
    /// How long a client may take for the head of a request, and stay connected without one.
    pub(super) head: Duration,
    /// How long a client may take nothing of an answer.
    pub(super) stalled: Duration,
}

impl Bounds {
    /// Those of a host that may have so many files open: half of them stay for the store, for Salesforce and for Alcmeon.
    pub(super) fn with_files(files: u64) -> Self {
        let half = usize::try_from(files / 2).unwrap_or(usize::MAX);
        Self { connections: half.clamp(8, 2_048), head: Duration::from_secs(30), stalled: Duration::from_secs(30) }
    }
}

/// The address that a request came from: the client's, or that of a proxy before this host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Peer {
    /// Where a request came from.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        request.extensions().get().copied()
    }
}

/// Accepts and serves until `stop`; returns when every connection has ended.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    seats: Seats,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    let mut stopping = stop.clone();
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            seats.available().await;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let seat = seats.take();
                    connections.spawn(connection(stream, peer, router.clone(), seat, bounds, stop.clone()));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    seats.free_one();
                    tokio::time::sleep(PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Whether only the connection that was to be accepted is gone.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    seat: Arc<Seat>,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written whole: to wait for more of them gains nothing.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let answering = Arc::clone(&seat);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let visitor = answering.asks();
        request.extensions_mut().insert(visitor.clone());
        let answer = service.call(Unread::of(request));
        async move {
            let answer: Response = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| Answer { body, _visitor: visitor }))
        }
    });
    let io = TokioIo::new(Unstalled::new(stream, bounds.stalled));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(HEAD_BYTES);
    let mut served = pin!(http.serve_connection(io, service));
    tokio::select! {
        // What went wrong on the way to a client is the client's to notice.
        _ = served.as_mut() => return,
        () = seat.cut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// An answer on its way: the connection of a known client is not idle until all of it is written.
struct Answer {
    body: Body,
    _visitor: Visitor,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::clock::Clock;
    use crate::telemetry::Metrics;
    use crate::troubles::Troubles;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    const LONG: Duration = Duration::from_secs(3600);

    /// What comes of something, before the test gives up.
    async fn patiently<T>(something: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), something).await.expect("it never came")
    }

    struct Served {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    }

    async fn served(connections: usize, head: Duration) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here I am" }));
        let (bounds, stop) = (Bounds { connections, head, stalled: LONG }, watch::Sender::new(false));
        let seats = Seats::new(connections, &Metrics::default(), &Troubles::default(), &Clock::System);
        let task = tokio::spawn(serve(listener, router, seats, bounds, stop.subscribe()));
        Served { address, stop, task }
    }

    async fn connect(served: &Served, with: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(with).await.unwrap();
        stream
    }

    /// Reads one answer, or nothing where the connection was cut.
    async fn answer(stream: &mut TcpStream) -> String {
        let (mut read, mut piece) = (Vec::new(), [0; 1024]);
        while !read.ends_with(b"here I am") {
            match patiently(stream.read(&mut piece)).await {
                Ok(0) | Err(_) => break,
                Ok(bytes) => read.extend_from_slice(&piece[..bytes]),
            }
        }
        String::from_utf8(read).unwrap()
    }

    #[tokio::test]
    async fn half_a_head_and_silence_are_cut_and_so_is_a_connection_that_asks_nothing_more() {
        let served = served(100, Duration::from_millis(30)).await;
        for given in [&b""[..], b"GET / HTTP/1.1\r\nHost", REQUEST] {
            let mut stream = connect(&served, given).await;
            if given == REQUEST {
                assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
            }
            let mut rest = Vec::new();
            patiently(stream.read_to_end(&mut rest)).await.unwrap();
            assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
        }
    }

    #[tokio::test]
    async fn connections_that_say_nothing_do_not_keep_out_those_that_ask() {
        let served = served(3, LONG).await;
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(connect(&served, b"GET /").await);
        }
        for _ in 0..20 {
            let mut asks = connect(&served, REQUEST).await;
            assert!(answer(&mut asks).await.starts_with("HTTP/1.1 200"));
            silent.push(asks);
        }
        let mut cut = Vec::new();
        assert_eq!(patiently(silent[0].read_to_end(&mut cut)).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_client_that_sends_what_nobody_reads_gets_its_answer_all_the_same() {
        let served = served(100, LONG).await;
        let head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 8000000\r\n\r\n";
        let mut stream = connect(&served, head).await;
        for _ in 0..8 {
            patiently(stream.write_all(&[0; 1_000_000])).await.unwrap();
        }
        let mut status = [0; 12];
        patiently(stream.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 405");
    }

    #[tokio::test]
    async fn a_client_that_waits_to_be_told_to_send_is_refused_and_not_told() {
        let served = served(100, LONG).await;
        let head = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 8000000\r\nExpect: 100-continue\r\n\r\n";
        let mut stream = connect(&served, head).await;
        let mut answer = String::new();
        patiently(stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 405") && !answer.contains("HTTP/1.1 100"), "{answer}");
    }

    #[tokio::test]
    async fn stopping_ends_what_says_nothing_and_waits_for_nobody() {
        let served = served(100, LONG).await;
        let mut open = [connect(&served, b"").await, connect(&served, REQUEST).await];
        assert!(answer(&mut open[1]).await.starts_with("HTTP/1.1 200"));
        served.stop.send_replace(true);
        patiently(served.task).await.unwrap();
        for stream in &mut open {
            assert_eq!(answer(stream).await, "");
        }
    }
}
