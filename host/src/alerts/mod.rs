//! Who hears of what, and when: each recipient gets what the planner of the domain says, and is tried until the mail went.

mod outbox;
mod page;
mod recipients;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::outbox::{Outbox, TooMany};
use self::recipients::Recipients;
use crate::clock::Clock;
use crate::domain::{AlertSettings, OrgId, SettingsInForce, Situation, Timestamp};
use crate::ledger::Ledger;
use crate::store;
use crate::troubles::Troubles;

/// How long a mail that is being sent may keep the host from stopping.
const AT_STOP: Duration = Duration::from_secs(5);
/// An organization's situation is looked at so often at the most.
const SELDOM: Duration = Duration::from_millis(500);
/// How long after a read that failed it is looked at again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads how an organization stands.
pub type Look = Box<dyn Fn() -> BoxFuture<'static, Result<Situation, store::Error>> + Send + Sync>;

/// One organization, as far as alerts are concerned.
pub struct Watched {
    /// Its id.
    pub org: OrgId,
    /// Its name for people.
    pub name: String,
    /// Its settings: who hears of it (nobody is a good answer), and whether mails are muted.
    pub settings: watch::Receiver<Arc<SettingsInForce>>,
    /// Told whenever the organization may stand in another way.
    pub changed: watch::Receiver<u64>,
    /// How it stands.
    pub look: Look,
}

/// What alerts need.
#[derive(Clone)]
pub struct Parts {
    /// The records.
    pub ledger: Ledger,
    /// Sends the mails; without one nobody hears of anything.
    pub outbox: Option<Outbox>,
    /// How long mails wait for what may pass, or for more of the same.
    pub settings: AlertSettings,
    /// The address of the console, for links.
    pub public_url: String,
    /// The time.
    pub clock: Clock,
    /// Recipients who cannot be reached.
    pub troubles: Troubles,
}

/// Running alerts.
pub struct Alerts {
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Alerts {
    /// Watches every organization, where mails can be sent at all.
    #[must_use]
    pub fn start(parts: &Parts, orgs: Vec<Watched>) -> Self {
        let stopping = watch::Sender::new(false);
        let heard = orgs.into_iter().filter_map(|org| Some((org, parts.outbox.clone()?)));
        let follow = |(org, outbox)| tokio::spawn(follow(parts.clone(), outbox, org, stopping.subscribe()));
        let tasks = heard.map(follow).collect();
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

/// Keeps one organization's recipients informed.
async fn follow(parts: Parts, outbox: Outbox, mut org: Watched, mut stopping: watch::Receiver<bool>) {
    let mut recipients = Recipients::default();
    loop {
        org.changed.borrow_and_update();
        let settings = Arc::clone(&org.settings.borrow_and_update());
        let again = look(&parts, &outbox, &org, &settings, &mut recipients).await;
        // An organization that is busy changes a thousand times a second; its recipients want to know less.
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = tokio::time::sleep(SELDOM) => {}
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            changed = org.changed.changed() => if changed.is_err() { return },
            changed = org.settings.changed() => if changed.is_err() { return },
            () = parts.clock.sleep_until(again.unwrap_or_default()), if again.is_some() => {}
        }
    }
}

/// Looks once; answers when to look again although nothing changes.
async fn look(
    parts: &Parts,
    outbox: &Outbox,
    org: &Watched,
    settings: &SettingsInForce,
    recipients: &mut Recipients,
) -> Option<Timestamp> {
    let now = parts.clock.now();
    if let Err(error) = recipients.adopt(parts, org, &settings.values.alert_recipients).await {
        tracing::error!(org = %org.org, %error, "what recipients know cannot be read");
        return Some(now.after(PATIENCE));
    }
    if recipients.is_empty() {
        return None;
    }
    if let Some(mute) = settings.muted(now) {
        recipients.miss();
        return Some(mute.until);
    }
    match (org.look)().await {
        Ok(situation) => recipients.inform(parts, outbox, org, &situation).await,
        Err(error) => {
            tracing::error!(org = %org.org, %error, "how an organization stands cannot be read for its alerts");
            Some(now.after(PATIENCE))
        }
    }
}
