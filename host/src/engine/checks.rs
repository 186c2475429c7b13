//! The first points to check of an organization, each with what was found when somebody looked last.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use super::org::{IncidentHealth, Org, OrgHealth};
use super::{Engine, Error};
use crate::clock::Clock;
use crate::domain::{Asker, Class, Deed, Destination, Fault, OrgId, Timestamp};
use crate::ledger::Ledger;
use crate::policy::PolicyHost;

/// Teams that are looked at.
const TEAMS: usize = 200;
/// Causes that are looked at: all that an organization can have, and the one of the rest.
const GROUPS: usize = 2_001;
/// How often an incident's opening looks at the points, at the most.
const SELDOM: Duration = Duration::from_secs(600);

/// What was found, point by point.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The organization.
    pub org: OrgId,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// The points.
    pub checks: Vec<Check>,
    /// Conversations that an incident holds back and that are tried again now, because the connection works.
    pub retried: u64,
}

/// The last report of each organization.
#[derive(Default)]
pub(super) struct Reports(Mutex<HashMap<OrgId, Arc<Report>>>);

impl Engine {
    /// Looks at the first points to check of an organization, now. Where its connection works, what its incident holds back is
    /// tried at once.
    ///
    /// # Errors
    /// When there is no such organization, or the store cannot be read.
    pub async fn check(&self, id: &OrgId, by: &Asker) -> Result<Arc<Report>, Error> {
        let (org, health) = self.org(id)?;
        let (mut report, connected) = look(&org, &health, &self.ledger, &self.policies, &self.clock).await?;
        report.checks.extend(self.check_sources(&org).await?);
        let action = self.action(by, Deed::Check).of(id);
        match connected && health.incident.is_some() {
            true => report.retried = self.lift(id, Some(action)).await?,
            false => self.ledger.keep_action(&action).await?,
        }
        let report = Arc::new(report);
        self.reports.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::clone(&report));
        Ok(report)
    }

    /// What was found when somebody looked last; `None` where nobody has looked since the start.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn last_report(&self, id: &OrgId) -> Result<Option<Arc<Report>>, Error> {
        self.org(id)?;
        Ok(self.reports.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
    }
}

/// Looks at the points when an incident opens, so that mails and pages can say what is not as it should be.
pub(super) async fn at_incidents(engine: Arc<Engine>, org: OrgId, mut stopping: watch::Receiver<bool>) {
    let Ok(mut health) = engine.watch(&org) else { return };
    loop {
        // At a limit every call is refused, and says no more than the incident does.
        let tells = |incident: &IncidentHealth| !incident.recovering && incident.refusal.class != Class::Limit;
        let opened = health.wait_for(|health| health.incident.as_ref().is_some_and(tells));
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            opened = opened => if opened.is_err() { return },
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            looked = engine.look_only(&org) => if let Err(error) = looked {
                tracing::warn!(%org, %error, "the first points to check could not be looked at");
            },
        }
        let again = engine.clock.now().after(SELDOM);
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = engine.clock.sleep_until(again) => {}
        }
    }
}

impl Engine {
    /// Looks, and keeps what was found; nothing is tried again for it.
    async fn look_only(&self, id: &OrgId) -> Result<(), Error> {
        let (org, health) = self.org(id)?;
        let (report, _) = look(&org, &health, &self.ledger, &self.policies, &self.clock).await?;
        self.reports.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Arc::new(report));
        Ok(())
    }
}

/// One point.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its name, the same for every organization.
    pub name: &'static str,
    /// Whether it is as it should be; `null` where that cannot be known.
    pub ok: Option<bool>,
    /// What was found, in words for an administrator.
    pub found: String,
}

/// What is found, and whether Salesforce has given an access token just now.
async fn look(
    org: &Arc<Org>,
    health: &OrgHealth,
    ledger: &Ledger,
    policies: &PolicyHost,
    clock: &Clock,
) -> Result<(Report, bool), Error> {
    let now = clock.now();
    let fields = policies.contact_fields(&org.policy());
    let asked = org.salesforce.checks(now, &fields).await;
    let mut checks: Vec<_> =
        asked.into_iter().map(|check| Check { name: check.name, ok: check.ok, found: check.found }).collect();
    let connected = checks.iter().any(|check| check.name == "authentication" && check.ok == Some(true));
    // What the connection's working lifts is no longer in the way.
    let incident = health.incident.as_ref().filter(|it| !connected || it.refusal.class != Class::Auth);
    checks.push(mode(org, incident, policies));
    checks.push(mapping(org, ledger, policies, now).await?);
    checks.push(linking(org, ledger).await?);
    Ok((Report { org: org.id.clone(), checked_at: now, checks, retried: 0 }, connected))
}

/// Who decides, who writes Cases, and whether anything is being sent.
fn mode(org: &Org, incident: Option<&IncidentHealth>, policies: &PolicyHost) -> Check {
    let cases = if org.writes_cases { "the host writes Cases" } else { "the organization makes its own Cases" };
    let settings = org.settings.now();
    let policy = &settings.values.policy;
    let in_force = policies.policy(policy).and_then(|status| status.in_force);
    let (ok, who) = match in_force {
        Some(revision) => (true, format!("policy {policy} revision {} decides", revision.revision)),
        None => (false, format!("policy {policy} is not in force; nothing is decided until it is")),
    };
    let accounts = org.accounts.len();
    let mut found = format!("{}; {who}; {cases}; {accounts} accounts are linked", settings.values.mode.describe());
    if let Some(incident) = incident {
        found = format!("{found}; nothing gets through since {}: {}", incident.since, incident.refusal.text);
    }
    if let Some(why) = org.slowed() {
        found = format!("{found}; it slows: {why}");
    }
    Check { name: "sync-mode", ok: Some(ok && incident.is_none()), found }
}

/// Asks the policy about a conversation of each team that was seen, and Salesforce about the queue.
async fn mapping(org: &Org, ledger: &Ledger, policies: &PolicyHost, now: Timestamp) -> Result<Check, Error> {
    let (mut wrong, mut right) = (BTreeMap::new(), 0);
    let policy = org.policy();
    for (team, conversation) in ledger.teams(&org.id, TEAMS).await? {
        let Some(mut conversation) = ledger.readable_conversation(&org.id, &conversation).await? else { continue };
        // The conversation may have gone to another team since.
        conversation.team = Some(team.clone());
        match policies.route(&policy, &conversation, now).await.answer {
            Ok(Destination::Queue(queue)) => {
                match org.salesforce.resolve_queue(&queue, now, Duration::from_secs(60)).await {
                    Ok(_) => right += 1,
                    Err(refusal) if refusal.class == Class::Config => {
                        wrong.insert(team, refusal.text);
                    }
                    // Nothing is known of any queue: that is another point to check.
                    Err(refusal) => {
                        let found = format!("the queues cannot be asked for: {}: {}", refusal.code, refusal.text);
                        return Ok(Check { name: "team-queue-mapping", ok: None, found });
                    }
                }
            }
            Ok(_) => right += 1,
            Err(Fault::Refused { message, .. }) => {
                wrong.insert(team, message);
            }
            Err(fault) => {
                wrong.insert(team, fault.to_string());
            }
        }
    }
    let total = right + wrong.len();
    let found = match wrong.len() {
        0 if total == 0 => "no team was seen yet".to_owned(),
        0 => format!("each team that was seen leads somewhere ({total} of them)"),
        _ => {
            let each: Vec<_> = wrong.iter().map(|(team, why)| format!("{team}: {why}")).collect();
            format!("{} of {total} teams lead nowhere: {}", wrong.len(), each.join("; "))
        }
    };
    Ok(Check { name: "team-queue-mapping", ok: (total > 0).then_some(wrong.is_empty()), found })
}

/// Whether customers wait because nobody can tell which contact they are.
async fn linking(org: &Org, ledger: &Ledger) -> Result<Check, Error> {
    let groups = ledger.groups(&org.id, GROUPS).await?;
    let waiting = groups.iter().filter(|group| group.class == Class::Contact && group.counts.pending > 0);
    let (mut count, mut titles) = (0, Vec::new());
    for group in waiting {
        count += group.counts.pending;
        titles.push(group.title.clone());
    }
    titles.truncate(5);
    let found = match count {
        0 => "no customer waits for a contact".to_owned(),
        n => format!("{n} customers wait for somebody to say which contact they are: {}", titles.join("; ")),
    };
    Ok(Check { name: "contact-linking", ok: Some(count == 0), found })
}
