//! What alerts look at: how each organization stands, read when something changed.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerts::{self, Watched};
use crate::domain::{PolicyName, Rollback, SettingsInForce, Situation};
use crate::engine::{self, Engine, EnvironmentHealth, Org, OrgHealth};
use crate::policy::{PolicyHost, RolledBack};

/// What alerts look at, and the tasks that tell when that is another.
pub(super) fn watched(
    engine: &Arc<Engine>,
    policies: &Arc<PolicyHost>,
) -> Result<(Vec<Watched>, Vec<JoinHandle<()>>), engine::Error> {
    let (mut all, mut tasks) = (Vec::new(), Vec::new());
    for org in engine.connected() {
        let (health, told) = (engine.watch(&org.id)?, watch::Sender::new(0));
        let (of, host, settings) = (Arc::clone(engine), Arc::clone(policies), org.settings.watch());
        let id = org.id.clone();
        let look: alerts::Look = Box::new(move || {
            let (engine, id) = (Arc::clone(&of), id.clone());
            let rollback = rolled_back(&host, &settings.borrow());
            Box::pin(async move { Ok(Situation { rollback, ..engine.situation(&id).await? }) })
        });
        let (id, name, settings) = (org.id.clone(), org.name.clone(), org.settings.watch());
        all.push(Watched { org: id, name, settings, changed: told.subscribe(), look });
        for source in engine.sources(&org.id).into_iter().map(|standing| standing.source) {
            tasks.extend(engine.watch_environment(&source).map(|health| tokio::spawn(tell(health, told.clone()))));
        }
        tasks.push(tokio::spawn(follow(org, health, Arc::clone(policies), told)));
    }
    Ok((all, tasks))
}

/// The newest rollback of the policy that decides now; none of the time before it decided.
fn rolled_back(policies: &PolicyHost, settings: &SettingsInForce) -> Option<Rollback> {
    let back: Option<RolledBack> = policies.rollbacks(&settings.values.policy).borrow().clone();
    let since = settings.changes.policy.as_ref().map(|changed| changed.at);
    let back = back.filter(|back| since.is_none_or(|since| back.at >= since))?;
    Some(Rollback { policy: back.policy, back_to: back.back_to, reason: back.reason, at: back.at })
}

/// Tells when an organization stands in another way, or its policy was rolled back, whichever that is by now.
async fn follow(
    org: Arc<Org>,
    mut health: watch::Receiver<OrgHealth>,
    policies: Arc<PolicyHost>,
    told: watch::Sender<u64>,
) {
    let mut settings = org.settings.watch();
    loop {
        let policy: PolicyName = settings.borrow_and_update().values.policy.clone();
        let mut rollbacks = policies.rollbacks(&policy);
        let over = loop {
            let over = tokio::select! {
                changed = health.changed() => changed.is_err(),
                changed = rollbacks.changed() => changed.is_err(),
                changed = settings.changed() => break changed.is_err(),
            };
            if over {
                break true;
            }
            told.send_modify(|count| *count += 1);
        };
        if over {
            return;
        }
        told.send_modify(|count| *count += 1);
    }
}

/// Tells when an environment begins to be asked in vain, and when it answers again; not of each of its answers.
async fn tell(mut health: watch::Receiver<EnvironmentHealth>, told: watch::Sender<u64>) {
    let mut known = None;
    loop {
        let changed = health.wait_for(|health| health.in_vain_since != known).await;
        match changed {
            Ok(health) => known = health.in_vain_since,
            Err(_) => return,
        }
        told.send_modify(|count| *count += 1);
    }
}
