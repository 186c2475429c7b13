//! What the address answers until the host has begun: the process is alive, and everything else comes a little later. A store of
//! millions takes a while to open, and whoever watches has to tell that from a host that is gone.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::problem::Problem;
use super::unread::Unread;
use super::{Config, Error, check};

/// Connections at a time; further ones wait.
const CONNECTIONS: usize = 64;
/// How long one may take, from its beginning to its end.
const WHOLE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after the system could not.
const PAUSE: Duration = Duration::from_millis(100);

/// An address at which somebody answers already. Dropped, it is closed.
pub struct Door {
    /// The address, with its port.
    pub address: SocketAddr,
    /// Whoever answers until then, and what ends that.
    answering: Option<(oneshot::Sender<()>, JoinHandle<TcpListener>)>,
}

impl Door {
    /// Listens, and answers that the host is starting.
    ///
    /// # Errors
    /// When the address is public and there is no token, a token is of no use, or the address cannot be had.
    pub async fn listen(config: &Config) -> Result<Self, Error> {
        if config.tokens.is_empty() && !config.listen.ip().is_loopback() {
            return Err(Error::Public(config.listen));
        }
        check(&config.tokens).map_err(Error::Token)?;
        let cannot = |error| Error::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let (open, opened) = oneshot::channel();
        let answering = Some((open, tokio::spawn(answer_all(listener, opened))));
        Ok(Self { address, answering })
    }

    /// The listener, for those who answer from now on. Connections that wait to be accepted are theirs.
    pub(super) async fn open(mut self) -> Result<TcpListener, Error> {
        let cannot = |error| Error::Listen { address: self.address, error };
        let (open, task) = self.answering.take().ok_or_else(|| cannot(std::io::ErrorKind::NotConnected.into()))?;
        // It waits for no connection: each has a time of its own.
        let _ = open.send(());
        task.await.map_err(|error| cannot(error.into()))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.answering {
            task.abort();
        }
    }
}

async fn answer_all(listener: TcpListener, opened: oneshot::Receiver<()>) -> TcpListener {
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            while connections.len() >= CONNECTIONS {
                connections.join_next().await;
            }
            match listener.accept().await {
                Ok((stream, _)) => drop(connections.spawn(tokio::time::timeout(WHOLE, connection(stream)))),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = opened => {}
    }
    connections.detach_all();
    listener
}

async fn connection(stream: TcpStream) {
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(&Unread::of(request))));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(WHOLE).keep_alive(false);
    // What went wrong on the way to a client is the client's to notice.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(request: &Request<Unread>) -> Response {
    match request.uri().path() {
        "/healthz" => "ok\n".into_response(),
        _ => Problem::unavailable("the host is starting: it opens its store; ask again in a moment").into_response(),
    }
}
