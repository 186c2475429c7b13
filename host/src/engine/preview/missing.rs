//! Which of the queues that a policy names an organization does not have: sent there, a conversation would be a sync error.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Decision, Destination, OrgId, Timestamp};
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

impl MissingQueue {
    /// Adds some, of this page or of another one; a policy that makes up a queue for each conversation fills no answer with them.
    pub fn collect(all: &mut BTreeSet<Self>, more: impl IntoIterator<Item = Self>) {
        for missing in more {
            all.insert(missing);
            if all.len() > MOST {
                all.pop_last();
            }
        }
    }
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

    /// Asks for an organization's queues, unless nothing gets through to it anyhow.
    pub(super) async fn learn(&mut self, engine: &Engine, org: &OrgId, now: Timestamp) {
        let Some(lane) = engine.lanes.get(org).filter(|_| !self.known.contains_key(org)) else { return };
        let salesforce =
            lane.org.as_ref().filter(|_| lane.health.borrow().incident.is_none()).map(|org| &org.salesforce);
        let queues = match salesforce {
            Some(salesforce) => tokio::time::timeout(TIME, salesforce.queues(now, MAX_AGE)).await.ok(),
            None => None,
        };
        self.known.insert(org.clone(), queues.and_then(Result::ok));
    }

    /// The queue of an answer, where the organization is known to have none of this name.
    pub(super) fn missing(&self, org: &OrgId, route: &Decision<Destination>) -> Option<MissingQueue> {
        let Ok(Destination::Queue(queue)) = &route.answer else { return None };
        let queues = self.known.get(org)?.as_ref()?;
        (queues.find(queue).len() != 1).then(|| MissingQueue { org: org.clone(), queue: queue.clone() })
    }

    /// Keeps what the candidate names.
    pub(super) fn keep(&mut self, missing: MissingQueue) {
        MissingQueue::collect(&mut self.missing, [missing]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_queues_that_are_not_there_so_many_are_told_whatever_page_they_came_with() {
        let org = OrgId::new("acme").unwrap();
        let named = |number: usize| MissingQueue { org: org.clone(), queue: format!("Queue {number:03}") };
        let mut all = BTreeSet::new();
        for page in 0..5 {
            MissingQueue::collect(&mut all, (0..MOST).map(|number| named(page * MOST + number)));
        }
        assert_eq!((all.len(), all.first()), (MOST, Some(&named(0))));
    }
}
