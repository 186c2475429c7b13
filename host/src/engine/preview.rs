//! What would change if another policy decided: over every open sync error, a page at a time, and over good conversations.
//!
//! A page ends when it is full or when its time is over, and says where the next one begins. All pages of all clients together
//! have a bounded part in the policy host: a preview of a million sync errors keeps no conversation waiting.

mod compared;
mod missing;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::poll;
use tokio::time::Sleep;

use self::compared::{Answers, Fate};
pub use self::compared::{Compared, PreviewedCause};
use self::missing::Lists;
pub use self::missing::MissingQueue;
use super::coverage::LATELY;
use super::{Engine, Error};
use crate::domain::State::{Ignored, Pending, Retrying};
use crate::domain::{
    Conversation, Decision, ErrorQuery, Fingerprint, Link, OrgId, PolicyName, PolicyRef, SyncError, Timestamp, Way,
};
use crate::ledger::{Cursor, Paging};
use crate::policy::{Candidate, Failing};

/// Conversations of all previews that the policy host is asked about at the same moment.
pub(super) const SIDE_BY_SIDE: usize = 2;
/// How long a page may take, and how long of that good conversations are looked at.
const TIME: Duration = Duration::from_secs(5);
const TIME_OF_GOOD: Duration = Duration::from_secs(2);
/// Sync errors that are in memory at a time.
const CHUNK: usize = 50;

/// A page of what would change.
#[derive(Debug, Default)]
pub struct Preview {
    /// The organizations that the policy decides for.
    pub orgs: Vec<OrgId>,
    /// What the candidate is compared with; absent where nothing is in force.
    pub in_force: Option<PolicyRef>,
    /// Sync errors of these organizations that are pending, retrying or ignored now: all pages together look at these.
    pub open: u64,
    /// Over the sync errors of this page.
    pub errors: Compared,
    /// The same by cause.
    pub groups: Vec<PreviewedCause>,
    /// Over the newest conversations that got through; the first page looks at them.
    pub good: Compared,
    /// Queues that the candidate names and that are not there.
    pub missing_queues: BTreeSet<MissingQueue>,
    /// Organizations whose queues Salesforce did not tell: theirs may be missing too.
    pub untold_queues: BTreeSet<OrgId>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

impl Preview {
    /// Adds the next page.
    pub fn add(&mut self, page: Self) {
        let Self { orgs, in_force, open, errors, groups, good, missing_queues, untold_queues, next } = page;
        (self.orgs, self.in_force, self.open, self.next) = (orgs, in_force, open, next);
        self.errors.add(errors);
        self.good.add(good);
        MissingQueue::collect(&mut self.missing_queues, missing_queues);
        self.untold_queues.extend(untold_queues);
        let place = |cause: &PreviewedCause| (cause.org.clone(), cause.id.clone());
        let mut known: BTreeMap<_, _> = self.groups.drain(..).map(|cause| (place(&cause), cause)).collect();
        for cause in groups {
            match known.get_mut(&place(&cause)) {
                Some(sum) => sum.add(&cause),
                None => drop(known.insert(place(&cause), cause)),
            }
        }
        self.groups = known.into_values().collect();
        self.sort();
    }

    /// What would pass most comes first.
    fn sort(&mut self) {
        self.groups.sort_by(|one, other| one.rank().cmp(&other.rank()));
    }
}

/// What two policies are asked with.
struct Pair<'a> {
    in_force: &'a Candidate,
    candidate: &'a Candidate,
    now: Timestamp,
}

impl Engine {
    /// The sync errors that a policy's preview is about; `None` where it decides for no organization.
    #[must_use]
    pub fn previewed(&self, name: &PolicyName) -> Option<ErrorQuery> {
        let orgs = self.decided_by(name);
        let states = [Pending, Retrying, Ignored].into();
        (!orgs.is_empty()).then(|| ErrorQuery { orgs: orgs.into_iter().collect(), states, ..ErrorQuery::default() })
    }

    /// How many sync errors that are.
    ///
    /// # Errors
    /// When the store cannot be read; so for all below.
    pub async fn open_errors(&self, query: &ErrorQuery) -> Result<u64, Error> {
        let mut open = 0;
        for org in &query.orgs {
            let state = self.ledger.lane_state(org).await?.unwrap_or_default();
            open += state.errors.within(query.states());
        }
        Ok(open)
    }

    /// What would change if `candidate` decided in place of the policy in force: a page of it. Nothing is written anywhere, and
    /// whoever drops this ends it.
    pub async fn preview(&self, name: &PolicyName, candidate: &Candidate, paging: Paging) -> Result<Preview, Error> {
        let Some(query) = self.previewed(name) else { return Ok(Preview::default()) };
        let mut preview = Preview { orgs: query.orgs.iter().cloned().collect(), ..Preview::default() };
        preview.open = self.open_errors(&query).await?;
        let Some(in_force) = self.policies.in_force(name) else { return Ok(preview) };
        preview.in_force = Some(in_force.policy().clone());
        let pair = Pair { in_force: &in_force, candidate, now: self.clock.now() };
        let mut lists = Lists::default();
        if paging.cursor.is_none() {
            self.look_at_good(&mut preview, &pair, &mut lists).await?;
        }
        self.look_at_errors(&mut preview, &pair, &mut lists, &query, paging).await?;
        preview.untold_queues = lists.untold().cloned().collect();
        preview.missing_queues = lists.missing;
        Ok(preview)
    }

    async fn look_at_good(&self, preview: &mut Preview, pair: &Pair<'_>, lists: &mut Lists) -> Result<(), Error> {
        let mut over = pin!(tokio::time::sleep(TIME_OF_GOOD));
        for org in preview.orgs.clone() {
            for of in self.seen_lately(&org, LATELY).await? {
                if is_over(&mut over).await {
                    return Ok(());
                }
                if self.ledger.delivery(&org, &of.id).await?.open.is_none() {
                    preview.good.take(self.ask_both(pair, lists, &org, &of, None).await);
                }
            }
        }
        Ok(())
    }

    async fn look_at_errors(
        &self,
        preview: &mut Preview,
        pair: &Pair<'_>,
        lists: &mut Lists,
        query: &ErrorQuery,
        paging: Paging,
    ) -> Result<(), Error> {
        let mut over = pin!(tokio::time::sleep(TIME));
        let mut causes = BTreeMap::<(OrgId, Fingerprint), PreviewedCause>::new();
        let (newest_first, mut left, mut cursor) = (paging.newest_first, paging.limit, paging.cursor);
        let next = 'page: loop {
            let page = Paging { newest_first, cursor, limit: CHUNK.min(left) };
            let page = self.ledger.sync_errors(query, &page).await?;
            let (count, more) = (page.items.len(), page.next.is_some());
            for (index, error) in page.items.into_iter().enumerate() {
                let at = Cursor::behind((error.first_seen, error.id.clone()), query, newest_first);
                // A conversation that cannot be read is set aside by its lane.
                if let Some(of) = self.ledger.readable_conversation(&error.org, &error.conversation).await? {
                    let answers = self.ask_both(pair, lists, &error.org, &of, Some(&error)).await;
                    let cause = causes.entry((error.org.clone(), error.group.clone()));
                    cause
                        .or_insert_with(|| PreviewedCause::new(error.org, error.group))
                        .take(Fate::of(&answers), answers.iter().any(Answers::differ));
                    preview.errors.take(answers);
                }
                left -= 1;
                // At least one, however slow it is: pages come to their end.
                if left == 0 || is_over(&mut over).await {
                    break 'page (more || index + 1 < count).then_some(at);
                }
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => break None,
            }
        };
        preview.next = next;
        self.titled(preview, causes).await
    }

    /// Gives causes their titles.
    async fn titled(
        &self,
        preview: &mut Preview,
        causes: BTreeMap<(OrgId, Fingerprint), PreviewedCause>,
    ) -> Result<(), Error> {
        for org in preview.orgs.clone() {
            let of = |(place, _): &(&(OrgId, Fingerprint), _)| place.0 == org;
            let ids: Vec<_> = causes.iter().filter(of).map(|(place, _)| place.1.clone()).collect();
            let titles = self.ledger.group_titles(&org, &ids).await?;
            for (place, cause) in causes.iter().filter(of) {
                let title = titles.get(&place.1).cloned().unwrap_or_default();
                preview.groups.push(PreviewedCause { title, ..cause.clone() });
            }
        }
        preview.sort();
        Ok(())
    }

    async fn ask_both(
        &self,
        pair: &Pair<'_>,
        lists: &mut Lists,
        org: &OrgId,
        of: &Conversation,
        error: Option<&SyncError>,
    ) -> Vec<Answers> {
        lists.learn(self, org, pair.now).await;
        // It is never closed, so waiting for a place ends in having one.
        let _place = self.previews.acquire().await;
        let Pair { in_force, candidate, now } = *pair;
        let (route_now, route_then) = (in_force.route(of, now).await, candidate.route(of, now).await);
        let is_routed = self.lanes.get(org).and_then(|lane| lane.org.as_ref()).is_some_and(|org| {
            let settings = org.settings.now();
            settings.values.mode.way(of) == Way::Route
        });
        let missing = |route| lists.missing(org, route).filter(|_| is_routed);
        let (missing_now, missing_then) = (missing(&route_now), missing(&route_then));
        let mut all = vec![
            Answers::of(of, &route_now, &route_then).refused_where(missing_now.is_some(), missing_then.is_some()),
            Answers::of(of, &in_force.search(of, now).await, &candidate.search(of, now).await),
        ];
        missing_then.into_iter().for_each(|missing| lists.keep(missing));
        if let Some(error) = error {
            let failing = Failing {
                refusal: &error.refusal,
                attempt: error.attempts.max(1),
                first_seen: error.first_seen,
                conversation: of,
            };
            all.push(Answers::of(of, &in_force.judge(failing, now).await, &candidate.judge(failing, now).await));
            if let Some(choice) = &error.refusal.choice {
                let (now, then) =
                    (in_force.choose(of, &choice.found, now).await, candidate.choose(of, &choice.found, now).await);
                // Contacts that nobody can tell apart are a sync error too.
                let is_left = |of: &Decision<Link>| matches!(of.answer, Ok(Link::Ambiguous(_)));
                all.push(Answers::of(of, &now, &then).refused_where(is_left(&now), is_left(&then)));
            }
        }
        all
    }

    pub(super) fn decided_by(&self, name: &PolicyName) -> Vec<OrgId> {
        let mut orgs: Vec<_> = self
            .lanes
            .values()
            .filter_map(|lane| lane.org.as_ref())
            .filter(|org| org.settings.now().values.policy == *name)
            .map(|org| org.id.clone())
            .collect();
        orgs.sort();
        orgs
    }
}

/// Whether a time is over. It lets others go on first: decisions may take no time at all to wait for.
async fn is_over(time: &mut Pin<&mut Sleep>) -> bool {
    tokio::task::yield_now().await;
    poll!(time.as_mut()).is_ready()
}
