//! Arrivals become durable in the inbox of their organization's lane, and only then are they acknowledged.

use std::sync::Arc;

use super::{Engine, Error};
use crate::clock::Stopwatch;
use crate::domain::{AccountId, Arrival, OrgId, ReachedBy, SourceId};
use crate::ledger::{Delivered, Quarantined};
use crate::telemetry::{Arrived, Committed, Kind, OfSource, Span};

/// What became of arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// They are in an inbox, or in several.
    pub linked: usize,
    /// No organization is linked to their accounts; nothing was kept of them.
    pub unlinked: usize,
}

impl Engine {
    /// The organization that has this account.
    #[must_use]
    pub fn linked_to(&self, source: &SourceId, account: &AccountId) -> Option<&OrgId> {
        self.directory.find(source, account)
    }

    /// Puts arrivals where they survive a power cut, and what beside them cannot be used into the quarantine; with `place`, a
    /// poll's place is kept together with them. Whoever asked
    /// may stop waiting: what is kept is announced to the lanes all the same.
    ///
    /// # Errors
    /// When the store failed: then nothing of it is acknowledged.
    pub async fn accept(
        self: &Arc<Self>,
        arrivals: Vec<Arrival>,
        set_aside: Vec<Quarantined>,
        place: Option<(SourceId, u64)>,
    ) -> Result<Accepted, Error> {
        let (mut linked, mut accepted, mut forgotten) = (Vec::new(), Accepted::default(), Vec::new());
        let now = self.clock.now();
        // A poll that found nothing is none of anybody's.
        let mut span =
            if arrivals.is_empty() { Span::default() } else { self.traces.span("inbox append", Kind::Producer) };
        span.count("switchyard.arrivals", arrivals.len());
        let trace = span.here().traceparent();
        for arrival in arrivals {
            if arrival.erase {
                forgotten.extend(self.ledger.quarantined_from(&arrival.source, &arrival.conversation).await?);
            }
            let orgs = self.orgs_for(&arrival).await?;
            if orgs.is_empty() {
                accepted.unlinked += 1;
                continue;
            }
            accepted.linked += 1;
            let by = match arrival.by {
                ReachedBy::Webhook => "webhook",
                ReachedBy::Poll => "poll",
                ReachedBy::Completion => "completion",
                ReachedBy::Intake => "intake",
            };
            self.metrics.arrivals.get_or_create(&Arrived { source: arrival.source.to_string(), by }).inc();
            let arrival = Arrival { trace: trace.clone(), ..arrival.bounded().dated(now) };
            linked.extend(orgs.into_iter().map(|org| (org, self.inbox.number(now), arrival.clone())));
        }
        for source in set_aside.iter().filter_map(|entry| entry.source.as_ref()) {
            self.metrics.set_aside.get_or_create(&OfSource { source: source.to_string() }).inc();
        }
        let mut delivered = Delivered { arrivals: linked, set_aside, forgotten, place, ..Delivered::default() };
        delivered.arrived = self.arrived.due(&delivered, now);
        let engine = Arc::clone(self);
        let kept = tokio::spawn(async move { engine.keep_delivered(&delivered).await });
        if let Err(error) = kept.await.map_err(|_| Error::Stopping)? {
            span.fail("not kept");
            return Err(error);
        }
        Ok(accepted)
    }

    /// Who gets an arrival: the organization that its account is linked to. What is to be forgotten is forgotten by whoever
    /// has the conversation on record as well: the account may have been another organization's before.
    async fn orgs_for(&self, arrival: &Arrival) -> Result<Vec<OrgId>, Error> {
        let mut orgs: Vec<_> = self.directory.find(&arrival.source, &arrival.account).cloned().into_iter().collect();
        if arrival.erase {
            let others = self.lanes.keys().filter(|org| !orgs.contains(org)).cloned().collect();
            orgs.extend(self.ledger.that_know(&arrival.conversation, others).await?);
        }
        Ok(orgs)
    }

    pub(super) async fn keep_delivered(&self, delivered: &Delivered) -> Result<(), Error> {
        let reached = || delivered.arrivals.iter().filter_map(|(org, _, _)| self.lanes.get(org));
        // Counted first, so that nobody sees a lane as idle between the acknowledgement and the merge.
        for lane in reached() {
            lane.inbound.arrives();
            lane.health.send_modify(|health| health.unmerged = lane.inbound.unmerged());
        }
        let took = Stopwatch::start();
        let kept = self.ledger.accept(delivered).await;
        self.metrics.commit_duration.get_or_create(&Committed { of: "inbox" }).observe(took.elapsed().as_secs_f64());
        if kept.is_ok() {
            self.arrived.came(delivered, self.clock.now());
        }
        for lane in reached() {
            if kept.is_err() {
                lane.inbound.not_kept();
                lane.health.send_modify(|health| health.unmerged = lane.inbound.unmerged());
            }
            // Also after a failure: nobody knows whether it is kept.
            lane.inbound.arrived.notify_one();
        }
        Ok(kept?)
    }
}
