//! The first points to check of an organization, each with what was found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Error;
use super::org::{HeldBack, Org, OrgHealth};
use crate::clock::Clock;
use crate::domain::{Class, Destination, Fault, OrgId, State, Timestamp};
use crate::policy::PolicyHost;
use crate::store::{ErrorFilter, Records};

/// Teams that are looked at.
const TEAMS: usize = 200;
/// Sync errors that are looked at.
const ERRORS: usize = 500;

/// What was found, point by point.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The organization.
    pub org: OrgId,
    /// When it was looked at.
    pub checked_at: Timestamp,
    /// The points.
    pub checks: Vec<Check>,
    /// Whether Salesforce has given an access token just now.
    #[serde(skip)]
    pub(super) connected: bool,
    /// Sync errors that waited for the connection and are tried again, because it works.
    pub retried: u64,
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

pub(super) async fn run(
    org: &Arc<Org>,
    health: &OrgHealth,
    records: &Records,
    policies: &PolicyHost,
    clock: &Clock,
) -> Result<Report, Error> {
    let now = clock.now();
    let asked = org.salesforce.checks(now).await;
    let mut checks: Vec<_> =
        asked.into_iter().map(|check| Check { name: check.name, ok: check.ok, found: check.found }).collect();
    let connected = checks.iter().any(|check| check.name == "authentication" && check.ok == Some(true));
    // What the connection's working lifts is no longer in the way.
    let held = health.held_back_by.as_ref().filter(|held| !connected || held.refusal.class != Class::Auth);
    checks.push(mode(org, held, policies));
    checks.push(mapping(org, records, policies, now).await?);
    checks.push(linking(org, records)?);
    Ok(Report { org: org.id.clone(), checked_at: now, checks, connected, retried: 0 })
}

/// Who decides, who writes Cases, and whether anything is being sent.
fn mode(org: &Org, held: Option<&HeldBack>, policies: &PolicyHost) -> Check {
    let cases = if org.writes_cases { "the host writes Cases" } else { "the organization makes its own Cases" };
    let policy = policies.policies().into_iter().find(|status| status.name == org.policy);
    let in_force = policy.and_then(|status| status.in_force);
    let (ok, who) = match in_force {
        Some(revision) => (true, format!("policy {} revision {} decides", org.policy, revision.revision)),
        None => (false, format!("policy {} is not in force; nothing is decided until it is", org.policy)),
    };
    let accounts = org.accounts.len();
    let mut found = format!("{}; {who}; {cases}; {accounts} accounts are linked", org.mode.describe());
    if let Some(held) = held {
        found = format!("{found}; nothing is sent before {}: {}", held.next_probe_at, held.refusal.text);
    }
    if let Some(why) = org.slowed() {
        found = format!("{found}; it slows: {why}");
    }
    Check { name: "sync-mode", ok: Some(ok && held.is_none()), found }
}

/// Asks the policy about a conversation of each team that was seen, and Salesforce about the queue.
async fn mapping(org: &Org, records: &Records, policies: &PolicyHost, now: Timestamp) -> Result<Check, Error> {
    let (mut wrong, mut right) = (BTreeMap::new(), 0);
    for (team, conversation) in records.teams(&org.id, TEAMS)? {
        let Some(mut conversation) = records.conversation(&org.id, &conversation)? else { continue };
        // The conversation may have gone to another team since.
        conversation.team = Some(team.clone());
        match policies.route(&org.policy, &conversation, now).await.answer {
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
        0 => format!("all {total} teams that were seen lead somewhere"),
        _ => {
            let each: Vec<_> = wrong.iter().map(|(team, why)| format!("{team}: {why}")).collect();
            format!("{} of {total} teams lead nowhere: {}", wrong.len(), each.join("; "))
        }
    };
    Ok(Check { name: "team-queue-mapping", ok: (total > 0).then_some(wrong.is_empty()), found })
}

/// Whether customers wait because nobody can tell which contact they are.
fn linking(org: &Org, records: &Records) -> Result<Check, Error> {
    let filter = ErrorFilter { org: Some(org.id.clone()), state: Some(State::Pending), class: Some(Class::Contact) };
    let page = records.sync_errors(&filter, None, ERRORS)?;
    let some: Vec<_> = page.items.iter().take(5).map(|error| format!("{}: {}", error.id, error.refusal.text)).collect();
    let found = match page.items.len() {
        0 => "no customer waits for a contact".to_owned(),
        n => format!("{n} customers wait for somebody to say which contact they are: {}", some.join("; ")),
    };
    Ok(Check { name: "contact-linking", ok: Some(page.items.is_empty()), found })
}
