//! Which of the queues that a policy names an organization does not have: sent there, a conversation would be a sync error.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Conversation, Decision, Destination, OrgId, Timestamp, Way};
use crate::engine::Engine;
use crate::salesforce::Queues;

/// How old the list of an organization's queues may be, and how long it is waited for.
const MAX_AGE: Duration = Duration::from_secs(60);
const TIME: Duration = Duration::from_secs(2);
/// So many are told.
const MOST: usize = 20;

/// A queue that an organization does not have, or has several of, by the name that the policy gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingQueue {
    /// The organization.
    pub org: OrgId,
    /// The name.
    pub queue: String,
}

/// What is known of the queues of organizations.
#[derive(Default)]
pub(super) struct Lists {
    /// `None` where Salesforce does not say.
    known: HashMap<OrgId, Option<Arc<Queues>>>,
    /// Those that the candidate names and that are not there.
    pub(super) missing: BTreeSet<MissingQueue>,
}

impl Lists {
    /// Organizations whose queues Salesforce did not tell.
    pub(super) fn untold(&self) -> impl Iterator<Item = &OrgId> {
        self.known.iter().filter(|(_, queues)| queues.is_none()).map(|(org, _)| org)
    }

    /// The queue of an answer, where the organization is known to have none of this name.
    pub(super) async fn missing(
        &mut self,
        engine: &Engine,
        org: &OrgId,
        of: &Conversation,
        route: &Decision<Destination>,
        now: Timestamp,
    ) -> Option<MissingQueue> {
        let Ok(Destination::Queue(queue)) = &route.answer else { return None };
        let known = engine.lanes.get(org)?.org.as_ref()?;
        if known.settings.now().values.mode.way(of) != Way::Route {
            return None;
        }
        if !self.known.contains_key(org) {
            let asked = tokio::time::timeout(TIME, known.salesforce.queues(now, MAX_AGE)).await;
            self.known.insert(org.clone(), asked.ok().and_then(Result::ok));
        }
        let queues = self.known.get(org)?.as_ref()?;
        let missing = || MissingQueue { org: org.clone(), queue: queue.clone() };
        (queues.find(queue).len() != 1).then(missing)
    }

    /// Keeps what the candidate names.
    pub(super) fn keep(&mut self, missing: MissingQueue) {
        self.missing.insert(missing);
        while self.missing.len() > MOST {
            self.missing.pop_last();
        }
    }
}
