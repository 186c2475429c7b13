//! Teams that an Alcmeon environment has and that nobody wrote to yet: would the policy know where they go?

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::environment::EnvironmentHealth;
use super::{Check, Engine, Error, Org};
use crate::domain::{AccountId, Conversation, ConversationId, Customer, SourceId};
use crate::policy::shown;

/// Teams of an environment that are looked at.
const TEAMS: usize = 500;

/// A team that no conversation of an organization had yet, and that its policy refuses.
#[derive(Debug, Clone, Serialize)]
pub struct UnseenTeam {
    /// The environment.
    pub source: SourceId,
    /// The team.
    pub team: String,
    /// What the policy says of it.
    pub says: Value,
}

/// What was found of the environments' teams.
#[derive(Default)]
struct Found {
    /// Teams that there are.
    teams: usize,
    refused: Vec<UnseenTeam>,
    /// Environments that did not tell.
    silent: Vec<String>,
}

impl Engine {
    /// Teams of the environments linked to an organization that it has not seen and that its policy refuses.
    pub(super) async fn unseen_teams(&self, org: &Org) -> Result<Vec<UnseenTeam>, Error> {
        Ok(self.look_at_teams(org).await?.refused)
    }

    async fn look_at_teams(&self, org: &Org) -> Result<Found, Error> {
        let mut found = Found::default();
        let Some(policy) = self.policies.in_force(&org.policy()) else { return Ok(found) };
        let seen: BTreeSet<_> = self.ledger.teams(&org.id, TEAMS).await?.into_keys().collect();
        for (source, account) in one_account_each(org) {
            let Some(kept) = self.environments.get(source) else { continue };
            let now = self.clock.now();
            let teams = match kept.environment.client.teams(now).await {
                Ok(teams) => teams,
                Err(error) => {
                    found.silent.push(format!("{source}: {error}"));
                    continue;
                }
            };
            for team in teams.into_iter().take(TEAMS) {
                found.teams += 1;
                if !seen.contains(&team) {
                    let route = policy.route(&imagined(source, account, &team), now).await;
                    if route.answer.is_err() {
                        found.refused.push(UnseenTeam { source: source.clone(), team, says: shown(&route.answer) });
                    }
                }
            }
        }
        Ok(found)
    }

    /// The points to check of the environments that lead to an organization; none where none does.
    pub(super) async fn check_sources(&self, org: &Org) -> Result<Vec<Check>, Error> {
        let kept: Vec<_> = one_account_each(org).filter_map(|(source, _)| self.environments.get(source)).collect();
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        let healths = kept.iter().map(|kept| (&kept.environment.source, kept.health.borrow().clone()));
        let mut checks = vec![notifications(healths.collect())];
        let Found { teams, refused, silent } = self.look_at_teams(org).await?;
        let alone = self.lanes.values().filter_map(|lane| lane.org.as_ref()).all(|other| {
            other.id == org.id || other.accounts.iter().all(|(source, _)| !self.environments.contains_key(source))
        });
        let (ok, text) = match refused.len() {
            _ if !silent.is_empty() => (None, format!("the teams cannot be asked for: {}", silent.join("; "))),
            0 => (Some(true), format!("each of {teams} teams was seen, or leads somewhere")),
            count => {
                let names: Vec<_> = refused.iter().map(|unseen| format!("{}/{}", unseen.source, unseen.team)).collect();
                let text =
                    format!("{count} of {teams} teams would lead nowhere once somebody writes: {}", names.join(", "));
                // They may be another organization's.
                (alone.then_some(false), text)
            }
        };
        checks.push(Check { name: "alcmeon-teams", ok, found: text });
        Ok(checks)
    }
}

/// The sources of an organization, each with an account of it.
fn one_account_each(org: &Org) -> impl Iterator<Item = (&SourceId, Option<&AccountId>)> {
    let mut known = BTreeSet::new();
    let new = move |(source, _): &(&SourceId, _)| known.insert((*source).clone());
    org.accounts.iter().map(|(source, account)| (source, account.as_ref())).filter(new)
}

/// The first conversation of a team, as far as it can be imagined.
fn imagined(source: &SourceId, account: Option<&AccountId>, team: &str) -> Conversation {
    let unknown = || AccountId::new("0").unwrap_or_else(|error| unreachable!("{error}"));
    Conversation {
        id: ConversationId::scoped(source, "0"),
        source: source.clone(),
        account: account.cloned().unwrap_or_else(unknown),
        account_name: String::new(),
        channel: "unknown".to_owned(),
        team: Some(team.to_owned()),
        agent: None,
        closed: false,
        tags: Vec::new(),
        attributes: Vec::new(),
        customer: Customer::default(),
        messages: Vec::new(),
        url: String::new(),
        version: 1,
        state_as_of: 0,
        agent_as_of: 0,
        numbered: false,
        erased_until: None,
    }
}

/// Whether Alcmeon answers, and whether its notifications are on.
fn notifications(healths: Vec<(&SourceId, EnvironmentHealth)>) -> Check {
    let (mut ok, mut found) = (Some(true), Vec::new());
    for (source, health) in healths {
        let webhook = health.webhook.as_ref();
        let words = match webhook.map(|webhook| webhook.enabled) {
            None => "the webhook's state is not known".to_owned(),
            Some(None) => "Alcmeon knows of no webhook that leads here; actions are only asked for".to_owned(),
            Some(Some(true)) => "notifications are on".to_owned(),
            Some(Some(false)) => "notifications are off".to_owned(),
        };
        let switched = webhook.map_or(&[][..], |webhook| &webhook.switched_on);
        let again = match switched.last() {
            None => String::new(),
            Some(last) => format!(
                "; Alcmeon had disabled them {} times in 24 hours, and they were switched on again, last at {last}",
                switched.len()
            ),
        };
        let answered = match (&health.trouble, health.answered_at) {
            (Some(trouble), _) => format!("; {trouble}"),
            (None, Some(at)) => format!("; it answered last at {at}"),
            (None, None) => "; it was not asked yet".to_owned(),
        };
        let unwritten = health.not_written.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        let off = webhook.is_some_and(|webhook| webhook.enabled == Some(false));
        ok = match (health.trouble.is_some() || health.not_written.is_some() || off, ok) {
            (true, _) => Some(false),
            (false, Some(true)) if webhook.is_none_or(|webhook| webhook.enabled.is_none()) => None,
            (false, ok) => ok,
        };
        found.push(format!("{source}: {words}{again}{answered}{unwritten}"));
    }
    Check { name: "alcmeon", ok, found: found.join("; ") }
}
