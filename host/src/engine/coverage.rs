//! What was seen lately and what the policy in force has no answer for.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::{Engine, Error, UnseenTeam};
use crate::domain::{Conversation, Decision, Destination, OrgId, PolicyName};
use crate::policy::shown;

/// Conversations that are looked at, for each organization.
pub(super) const LATELY: usize = 300;

/// What was seen lately for which a policy has no answer.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// Conversations that it was asked about.
    pub looked_at: usize,
    /// How many of them each team has, refused or not.
    #[serde(skip)]
    pub seen_teams: BTreeMap<String, usize>,
    /// Teams with refused conversations.
    pub teams: Vec<Uncovered>,
    /// Channels with refused conversations.
    pub channels: Vec<Uncovered>,
    /// Tags with refused conversations.
    pub tags: Vec<Uncovered>,
    /// Teams that an Alcmeon environment has, that were not seen yet, and that would be refused.
    pub unseen_teams: Vec<UnseenTeam>,
}

/// A value for which a policy has no answer, or not always.
#[derive(Debug, Serialize)]
pub struct Uncovered {
    /// The team, channel or tag; `null` for conversations without one.
    pub value: Option<String>,
    /// Conversations with it that were seen lately.
    pub seen: usize,
    /// Those that the policy refuses.
    pub refused: usize,
    /// One of them.
    pub example: String,
    /// What the policy says of that one.
    pub says: Value,
}

impl Engine {
    /// Teams, channels and tags that were seen lately and that a policy refuses to route.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn coverage(&self, name: &PolicyName) -> Result<Coverage, Error> {
        let (mut teams, mut channels, mut tags) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (mut looked_at, mut unseen_teams) = (0, Vec::new());
        if let Some(in_force) = self.policies.in_force(name) {
            for org in self.decided_by(name) {
                for of in self.seen_lately(&org, LATELY).await? {
                    let route = in_force.route(&of, self.clock.now()).await;
                    looked_at += 1;
                    note(&mut teams, of.team.clone(), &of, &route);
                    note(&mut channels, Some(of.channel.clone()), &of, &route);
                    for tag in &of.tags {
                        note(&mut tags, Some(tag.clone()), &of, &route);
                    }
                }
                unseen_teams.extend(self.unseen_teams(&self.org(&org)?.0).await?);
            }
        }
        let seen = |(team, noted): (&Option<String>, &Noted)| Some((team.clone()?, noted.seen));
        let seen_teams = teams.iter().filter_map(seen).collect();
        let listed = |found: Found| found.into_values().filter_map(Noted::uncovered).collect();
        let (teams, channels, tags) = (listed(teams), listed(channels), listed(tags));
        Ok(Coverage { looked_at, seen_teams, teams, channels, tags, unseen_teams })
    }

    /// The conversations that moved last, newest first; after a restart, some others too until enough have moved.
    pub(super) async fn seen_lately(&self, org: &OrgId, most: usize) -> Result<Vec<Conversation>, Error> {
        let Some(lane) = self.lanes.get(org) else { return Ok(Vec::new()) };
        let mut ids = lane.inbound.moved_lately();
        if ids.len() < most {
            ids.extend(self.ledger.conversations(org, most).await?);
        }
        let (mut seen, mut all) = (HashSet::new(), Vec::new());
        for id in ids {
            if all.len() < most && seen.insert(id.clone()) {
                all.extend(self.ledger.readable_conversation(org, &id).await?);
            }
        }
        Ok(all)
    }
}

type Found = BTreeMap<Option<String>, Noted>;

/// What is known of one value.
#[derive(Default)]
struct Noted {
    value: Option<String>,
    seen: usize,
    refused: usize,
    example: Option<(String, Value)>,
}

fn note(found: &mut Found, value: Option<String>, of: &Conversation, route: &Decision<Destination>) {
    let noted = found.entry(value.clone()).or_default();
    noted.value = value;
    noted.seen += 1;
    if route.answer.is_err() {
        noted.refused += 1;
        noted.example.get_or_insert_with(|| (of.id.to_string(), shown(&route.answer)));
    }
}

impl Noted {
    fn uncovered(self) -> Option<Uncovered> {
        let (example, says) = self.example?;
        Some(Uncovered { value: self.value, seen: self.seen, refused: self.refused, example, says })
    }
}
