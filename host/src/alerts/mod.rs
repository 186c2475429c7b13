//! Who hears of what, and when: one mail when an organization's first sync error is pending, one when none is any more, one
//! when a limit of the organization pauses it, and one when its policy is rolled back.

mod words;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::words::Subject;
use crate::clock::Clock;
use crate::domain::{OrgId, SyncError, SyncErrorId, Timestamp};
use crate::ledger::Ledger;
use crate::mail::{self, Head, Mail, Mailer};
use crate::policy::RolledBack;
use crate::store;
use crate::telemetry::{Mailed, Metrics};

/// How long to wait before a mail that was not taken is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a mail that is being sent may keep the host from stopping.
const AT_STOP: Duration = Duration::from_secs(5);

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Mail(#[from] mail::Error),
}

/// What the recipients of an organization's mails know.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Told {
    /// That sync errors are pending.
    pending: bool,
    /// That a limit pauses it.
    paused: bool,
    /// That its policy was rolled back, and when that was last.
    rolled_back: Option<Timestamp>,
}

/// One organization, as far as alerts are concerned.
pub struct Watched {
    /// Its id.
    pub org: OrgId,
    /// Its name for people.
    pub name: String,
    /// Who hears of it; nobody is a good answer.
    pub recipients: Vec<String>,
    /// How it stands.
    pub standing: watch::Receiver<Standing>,
}

/// How an organization stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many sync errors are pending.
    pub pending: u64,
    /// The one that became pending last.
    pub newest: Option<SyncErrorId>,
    /// The limit that pauses it, in Salesforce's words, and when it is asked again.
    pub paused: Option<(String, Timestamp)>,
    /// The newest rollback of its policy since the start.
    pub rolled_back: Option<RolledBack>,
}

/// What alerts need.
#[derive(Clone)]
pub struct Parts {
    /// The records.
    pub ledger: Ledger,
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

    /// Stops. A mail that is being sent is sent, unless the server takes longer than 5 seconds over it.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        let all = async {
            for task in &mut self.tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "alerts broke off");
                }
            }
        };
        if tokio::time::timeout(AT_STOP, all).await.is_err() {
            tracing::warn!("a mail was being sent when the host stopped; it is sent at the next start");
        }
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Keeps one organization's recipients informed. What they know is in the store, so a restart repeats
/// nothing but a pause that goes on: that is found anew.
async fn follow(parts: Parts, mut org: Watched, mut stopping: watch::Receiver<bool>) {
    loop {
        let standing = org.standing.borrow_and_update().clone();
        let next = match inform(&parts, &org, &standing).await {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(org = %org.org, %error, "an alert could not be sent; it is tried again");
                Some(parts.clock.now().after(PATIENCE))
            }
        };
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            changed = org.standing.changed(), if next.is_none() => if changed.is_err() { return },
            () = parts.clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
        }
    }
}

/// Sends a mail where the recipients know otherwise. The mail goes first: one too many is better than none.
async fn inform(parts: &Parts, org: &Watched, now: &Standing) -> Result<(), Error> {
    let Some(mailer) = &parts.mailer else { return Ok(()) };
    let known = parts.ledger.alert_state::<Told>(&org.org).await?.unwrap_or_default();
    let mut told = known.clone();
    let send = async |told: &Told, mail: Mail| {
        deliver(parts, mailer, org, &mail).await?;
        keep(parts, &org.org, told).await
    };
    let console = parts.public_url.trim_end_matches('/');
    let page = format!("{console}/sync-errors?org={}", org.org);
    let subject = Subject { name: &org.name, page: &page };
    if known.pending != (now.pending > 0) {
        told.pending = now.pending > 0;
        let newest = match &now.newest {
            Some(id) => parts.ledger.sync_error(id).await?,
            None => None,
        };
        let mail = match now.pending {
            0 => words::recovered(&subject),
            count => words::pending(&subject, count, newest.as_ref()),
        };
        send(&told, mail).await?;
    }
    if let Some(back) = now.rolled_back.as_ref().filter(|back| known.rolled_back != Some(back.at)) {
        told.rolled_back = Some(back.at);
        let page = format!("{console}/policies#{}", back.policy.name);
        send(&told, words::rolled_back(&Subject { name: &org.name, page: &page }, back)).await?;
    }
    told.paused = now.paused.is_some();
    match &now.paused {
        Some((words, until)) if !known.paused => send(&told, words::paused(&subject, words, *until)).await,
        // That it goes on is no news: the mail said that it would.
        None if known.paused => keep(parts, &org.org, &told).await,
        _ => Ok(()),
    }
}

/// Sends a mail to each recipient. One who is refused keeps nobody else from hearing.
async fn deliver(parts: &Parts, mailer: &Mailer, org: &Watched, mail: &Mail) -> Result<(), Error> {
    let at = parts.clock.now();
    let head = Head { id: format!("{} {} {}", org.org, at.as_millis(), mail.subject), replies_to: None, at };
    let sent = futures_util::future::join_all(org.recipients.iter().map(|to| mailer.send(to, &head, mail))).await;
    let (mut reached, mut later) = (false, None);
    for (to, outcome) in org.recipients.iter().zip(sent) {
        match outcome {
            Ok(()) => {
                reached = true;
                parts.metrics.mails.get_or_create(&Mailed { outcome: "sent" }).inc();
            }
            Err(error) => {
                tracing::warn!(org = %org.org, to, %error, "a recipient was not reached");
                parts.metrics.mails.get_or_create(&Mailed { outcome: "failed" }).inc();
                if matches!(error, mail::Error::NotTaken(_)) {
                    later = Some(error);
                }
            }
        }
    }
    later.filter(|_| !reached).map_or(Ok(()), |error| Err(error.into()))
}

async fn keep(parts: &Parts, org: &OrgId, told: &Told) -> Result<(), Error> {
    Ok(parts.ledger.keep_alert_state(org, told).await?)
}
