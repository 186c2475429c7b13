//! What a policy would decide of conversations that were seen already: before a swap, and where it has no answer.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::{Engine, Error, UnseenTeam};
use crate::domain::State::{Ignored, Pending, Retrying};
use crate::domain::{Conversation, Decision, Destination, ErrorQuery, OrgId, PolicyName, SyncError};
use crate::ledger::Paging;
use crate::policy::{Candidate, Difference, Failing, difference, shown};

/// Sync errors that are looked at, over all organizations.
const ERRORS: usize = 1_000;
/// Conversations without a sync error that are looked at, for each organization.
const GOOD: usize = 300;
/// Examples of each kind.
const EXAMPLES: usize = 10;

/// What would change.
#[derive(Debug, Default, Serialize)]
pub struct Preview {
    /// The organizations that the policy decides for.
    pub orgs: Vec<OrgId>,
    /// Over sync errors that are pending, retrying or ignored.
    pub errors: Compared,
    /// Over the newest conversations that got through.
    pub good: Compared,
}

/// Conversations that two policies were asked about.
#[derive(Debug, Default, Serialize)]
pub struct Compared {
    /// So many there were.
    pub looked_at: usize,
    /// So many of them get another answer to at least one question.
    pub different: usize,
    /// So many would now be answered where they were refused,
    pub answered: usize,
    /// and so many refused where they were answered.
    pub refused: usize,
    /// Different answers by question.
    pub by_question: BTreeMap<String, usize>,
    /// Some of them.
    pub examples: Vec<Difference>,
}

/// What was seen lately for which a policy has no answer.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// Conversations that it was asked about.
    pub looked_at: usize,
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

impl Compared {
    fn take(&mut self, differences: Vec<Difference>) {
        self.looked_at += 1;
        self.different += usize::from(!differences.is_empty());
        let failed = |answer: &Value| answer.get("fault").is_some();
        self.answered += usize::from(differences.iter().any(|it| failed(&it.now) && !failed(&it.then)));
        self.refused += usize::from(differences.iter().any(|it| !failed(&it.now) && failed(&it.then)));
        for difference in differences {
            *self.by_question.entry(difference.question.to_string()).or_default() += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(difference);
            }
        }
    }
}

impl Engine {
    /// What would change if `candidate` decided in place of the policy in force. Nothing is written anywhere.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn preview(&self, name: &PolicyName, candidate: &Candidate) -> Result<Preview, Error> {
        let mut preview = Preview { orgs: self.decided_by(name), ..Preview::default() };
        let Some(in_force) = self.policies.in_force(name) else { return Ok(preview) };
        let mut with_errors = HashSet::new();
        for org in preview.orgs.clone() {
            for error in self.open_errors(&org, ERRORS - preview.errors.looked_at).await? {
                let Some(of) = self.ledger.readable_conversation(&org, &error.conversation).await? else { continue };
                let differences = self.differences(&in_force, candidate, &of, Some(&error)).await;
                preview.errors.take(differences);
                with_errors.insert(error.conversation);
            }
            for of in self.seen_lately(&org, GOOD).await? {
                if !with_errors.contains(&of.id) {
                    let differences = self.differences(&in_force, candidate, &of, None).await;
                    preview.good.take(differences);
                }
            }
        }
        Ok(preview)
    }

    /// Teams, channels and tags that were seen lately and that a policy refuses to route.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn coverage(&self, name: &PolicyName) -> Result<Coverage, Error> {
        let (mut teams, mut channels, mut tags) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (mut looked_at, mut unseen_teams) = (0, Vec::new());
        if let Some(in_force) = self.policies.in_force(name) {
            for org in self.decided_by(name) {
                for of in self.seen_lately(&org, GOOD).await? {
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
        let listed = |found: Found| found.into_values().filter_map(Noted::uncovered).collect();
        Ok(Coverage { looked_at, teams: listed(teams), channels: listed(channels), tags: listed(tags), unseen_teams })
    }

    async fn differences(
        &self,
        in_force: &Candidate,
        candidate: &Candidate,
        of: &Conversation,
        error: Option<&SyncError>,
    ) -> Vec<Difference> {
        let now = self.clock.now();
        let mut all = Vec::new();
        all.extend(difference(of, &in_force.route(of, now).await, &candidate.route(of, now).await));
        all.extend(difference(of, &in_force.search(of, now).await, &candidate.search(of, now).await));
        if let Some(error) = error {
            let failing = Failing {
                refusal: &error.refusal,
                attempt: error.attempts.max(1),
                first_seen: error.first_seen,
                conversation: of,
            };
            all.extend(difference(of, &in_force.judge(failing, now).await, &candidate.judge(failing, now).await));
            if let Some(choice) = &error.refusal.choice {
                let (now_chosen, then) =
                    (in_force.choose(of, &choice.found, now).await, candidate.choose(of, &choice.found, now).await);
                all.extend(difference(of, &now_chosen, &then));
            }
        }
        all
    }

    fn decided_by(&self, name: &PolicyName) -> Vec<OrgId> {
        let mut orgs: Vec<_> = self
            .lanes
            .values()
            .filter_map(|lane| lane.org.as_ref())
            .filter(|org| org.policy == *name)
            .map(|org| org.id.clone())
            .collect();
        orgs.sort();
        orgs
    }

    async fn open_errors(&self, org: &OrgId, most: usize) -> Result<Vec<SyncError>, Error> {
        let query = ErrorQuery::of_org(org.clone(), [Pending, Retrying, Ignored]);
        let (mut all, mut paging) = (Vec::new(), Some(Paging::first(most.min(200))));
        while let Some(asked) = paging.take().filter(|_| all.len() < most) {
            let page = self.ledger.sync_errors(&query, &asked).await?;
            paging = asked.next(&page);
            all.extend(page.items);
        }
        all.truncate(most);
        Ok(all)
    }

    /// The conversations that moved last, newest first; after a restart, some others too until enough have moved.
    async fn seen_lately(&self, org: &OrgId, most: usize) -> Result<Vec<Conversation>, Error> {
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
