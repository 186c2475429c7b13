//! Who hears of what, and when: one mail when an organization's first sync error is pending, one when none is any more.

mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::words::Subject;
use crate::clock::Clock;
use crate::domain::{OrgId, SyncError};
use crate::mail::{self, Mailer};
use crate::store::{self, Records, Write};
use crate::telemetry::{Mailed, Metrics};

/// How long to wait before a mail that was not taken is tried again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Mail(#[from] mail::Error),
}

/// One organization, as far as alerts are concerned.
pub struct Watched {
    /// Its id.
    pub org: OrgId,
    /// Its name for people.
    pub name: String,
    /// Who hears of it; nobody is a good answer.
    pub recipients: Vec<String>,
    /// How many sync errors are pending, and the newest of them.
    pub pending: watch::Receiver<Pending>,
}

/// What is pending in an organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many sync errors.
    pub count: u64,
    /// The one that became pending last.
    pub newest: Option<crate::domain::SyncErrorId>,
}

/// What alerts need.
#[derive(Clone)]
pub struct Parts {
    /// The records.
    pub records: Records,
    /// Sends the mails; without one nobody hears of anything.
    pub mailer: Option<Arc<Mailer>>,
    /// The address of the console, for links.
    pub public_url: String,
    /// The time.
    pub clock: Clock,
    /// The counters.
    pub metrics: Metrics,
}

/// Running alerts.
pub struct Alerts {
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Alerts {
    /// Watches every organization that has recipients.
    #[must_use]
    pub fn start(parts: &Parts, orgs: Vec<Watched>) -> Self {
        let stopping = watch::Sender::new(false);
        let heard = orgs.into_iter().filter(|org| !org.recipients.is_empty() && parts.mailer.is_some());
        let tasks = heard.map(|org| tokio::spawn(follow(parts.clone(), org, stopping.subscribe()))).collect();
        Self { stopping, tasks }
    }

    /// Stops; a mail that is being sent is sent.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "alerts broke off");
            }
        }
    }
}

/// Keeps one organization's recipients informed. What they know is in the store, so a restart repeats nothing.
async fn follow(parts: Parts, mut org: Watched, mut stopping: watch::Receiver<bool>) {
    loop {
        let pending = org.pending.borrow_and_update().clone();
        let next = match inform(&parts, &org, &pending).await {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(org = %org.org, %error, "an alert could not be sent; it is tried again");
                parts.metrics.mails.get_or_create(&Mailed { outcome: "failed" }).inc();
                Some(parts.clock.now().after(PATIENCE))
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            changed = org.pending.changed(), if next.is_none() => if changed.is_err() { return },
            () = parts.clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
        }
    }
}

/// Sends a mail if the recipients know otherwise. The mail goes first: one too many is better than none.
async fn inform(parts: &Parts, org: &Watched, pending: &Pending) -> Result<(), Error> {
    let known = parts.records.alerted(&org.org)?;
    let Some(mailer) = parts.mailer.as_ref().filter(|_| known != (pending.count > 0)) else { return Ok(()) };
    let newest = pending.newest.as_ref().map(|id| parts.records.sync_error(id)).transpose()?.flatten();
    let page = format!("{}/sync-errors?org={}", parts.public_url.trim_end_matches('/'), org.org);
    let mail = match (pending.count, newest) {
        (0, _) => words::recovered(&Subject { name: &org.name, page: &page }),
        (count, newest) => words::pending(&Subject { name: &org.name, page: &page }, count, newest.as_ref()),
    };
    mailer.send(&org.recipients, &mail).await?;
    parts.metrics.mails.get_or_create(&Mailed { outcome: "sent" }).inc();
    let mut write = Write::default();
    write.alerted(&org.org, pending.count > 0);
    parts.records.store().commit(write.into_batch()).await?;
    Ok(())
}
