//! Salesforce, Alcmeon and a mailbox as servers on loopback ports, for tests and the demo.
//!
//! Each holds real state and is set up over HTTP, below `/control`, so that it could as well run in a process of its own.

mod alcmeon;
mod clock;
mod journal;
mod mailbox;
mod salesforce;
mod server;
mod web;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::service::TowerToHyperService;

use alcmeon::Alcmeon;
use mailbox::Mailbox;
use salesforce::Salesforce;
use server::Server;

/// How to start. The default keeps nothing and listens on ports the system chooses.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A folder where Salesforce and Alcmeon write down every change, to come back with it after the process was killed.
    pub journal: Option<PathBuf>,
    /// Port of the Salesforce server; 0 lets the system choose, here and below.
    pub salesforce_port: u16,
    /// Port of the Alcmeon server.
    pub alcmeon_port: u16,
    /// Port of the mailbox's page and API.
    pub mailbox_port: u16,
    /// Port of the mailbox's SMTP server.
    pub smtp_port: u16,
}

/// The running servers. Dropping it ends them.
pub struct Simulator {
    /// Base address of Salesforce, `http://127.0.0.1:PORT`, without a slash at its end.
    pub salesforce: String,
    /// Base address of Alcmeon.
    pub alcmeon: String,
    /// Base address of the mailbox: its page, and its API below `/api`.
    pub mailbox: String,
    /// Where the mailbox takes mails.
    pub smtp: SocketAddr,
    /// The servers, to be stopped in this order.
    servers: Vec<Server>,
    /// Holds the pushers, which would outlive the servers.
    pushing: Arc<Alcmeon>,
}

/// Starts the servers.
///
/// # Errors
/// When a port is taken, or the journal cannot be read or written.
pub async fn start(options: Options) -> io::Result<Simulator> {
    let journal = |name: &str| options.journal.as_ref().map(|folder| folder.join(name));

    let listener = server::bind(options.salesforce_port).await?;
    let base = format!("http://{}", listener.local_addr()?);
    let salesforce = Arc::new(Salesforce::new(base, journal("salesforce.jsonl").as_deref())?);
    let salesforce = Server::start(listener, move |stream| {
        let salesforce = Arc::clone(&salesforce);
        let service =
            service_fn(move |request: hyper::Request<Incoming>| Arc::clone(&salesforce).handle(request.map(Body::new)));
        server::http(stream, service)
    })?;

    let pushing = Arc::new(Alcmeon::new(journal("alcmeon.jsonl").as_deref())?);
    let alcmeon = serve(options.alcmeon_port, Arc::clone(&pushing).router()).await?;

    let mails = Arc::new(Mailbox::default());
    let mailbox = serve(options.mailbox_port, Arc::clone(&mails).router()).await?;
    let listener = server::bind(options.smtp_port).await?;
    let smtp = Server::start(listener, move |stream| mailbox::serve(Arc::clone(&mails), stream))?;

    Ok(Simulator {
        salesforce: salesforce.base(),
        alcmeon: alcmeon.base(),
        mailbox: mailbox.base(),
        smtp: smtp.address,
        servers: vec![alcmeon, salesforce, smtp, mailbox],
        pushing,
    })
}

async fn serve(port: u16, router: Router) -> io::Result<Server> {
    Server::start(server::bind(port).await?, move |stream| {
        server::http(stream, TowerToHyperService::new(router.clone()))
    })
}

impl Simulator {
    /// Ends the servers; their ports are free when it returns. Calls under way are cut.
    pub async fn stop(mut self) {
        self.pushing.stop();
        for server in self.servers.drain(..) {
            server.stop().await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.pushing.stop();
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Simulator")
            .field("salesforce", &self.salesforce)
            .field("alcmeon", &self.alcmeon)
            .field("mailbox", &self.mailbox)
            .field("smtp", &self.smtp)
            .finish_non_exhaustive()
    }
}
