//! Accepts connections on one loopback port; dropping it ends every one of them.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Further clients wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// How long to leave an exhausted machine alone after a refused accept.
const AFTER_ERROR: Duration = Duration::from_millis(20);

/// A port being served.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The accept loop, which owns the connections.
    accepting: JoinHandle<()>,
}

/// A listener on 127.0.0.1; port 0 lets the system choose.
pub(crate) async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

impl Server {
    /// Serves the listener: `connection` is called for every client.
    pub(crate) fn start<F, C>(listener: TcpListener, connection: F) -> std::io::Result<Self>
    where
        F: Fn(TcpStream) -> C + Send + Sync + 'static,
        C: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                        Ok((stream, _)) => {
                            if stream.set_nodelay(true).is_ok() {
                                connections.spawn(connection(stream));
                            }
                        }
                        Err(error) => {
                            tracing::warn!(%error, "accept failed");
                            tokio::time::sleep(AFTER_ERROR).await;
                        }
                    },
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, accepting })
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the connections and frees the port before it returns.
    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        // A cancelled task is what was asked for.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves one HTTP/1.1 connection. An error of the service cuts the connection without an answer.
pub(crate) async fn http<S>(stream: TcpStream, service: S)
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<Body>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended early");
    }
}
