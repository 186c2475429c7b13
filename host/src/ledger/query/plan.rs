//! Where a page of a query is looked for, and what else has to hold.

use std::collections::HashSet;
use std::sync::Arc;

use super::heads::Head;
use super::merging::{Place, Stream};
use crate::domain::{
    ConversationId, ErrorQuery, ErrorSummary, Fingerprint, OrgId, State, SyncErrorId, has_words, search_term,
};
use crate::ledger::{LaneState, Ledger, commit::error_ids, key, record};
use crate::store::{Error, Range};

/// Sync errors that a search may find by ids and terms; more of them are looked for in the lists.
const FOUND: usize = 1_000;
/// Looking into the index of one more cause costs as much as looking at so many sync errors.
const STREAM_COSTS: u64 = 4;
/// More causes than this are never merged.
const STREAMS: usize = 1_000;

/// How a page is found.
pub(super) struct Plan {
    pub(super) streams: Vec<Stream>,
    /// How many sync errors match, where counts tell.
    pub(super) total: Option<u64>,
    /// Whether everything in the streams matches.
    pub(super) is_exact: bool,
    /// Only these causes, where words are looked for.
    groups: Option<HashSet<Fingerprint>>,
    /// Only these sync errors, where a message is named.
    ids: Option<HashSet<SyncErrorId>>,
    search: Option<Search>,
}

/// What `q` may mean: one of these has to hold.
struct Search {
    term: String,
    ids: HashSet<SyncErrorId>,
    groups: HashSet<Fingerprint>,
}

impl Plan {
    /// Whether a sync error of the streams is meant.
    pub(super) fn matches(&self, query: &ErrorQuery, error: &ErrorSummary) -> bool {
        query.matches(error)
            && self.groups.as_ref().is_none_or(|groups| groups.contains(&error.group))
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&error.id))
            && self.search.as_ref().is_none_or(|search| {
                search.ids.contains(&error.id)
                    || search.groups.contains(&error.group)
                    || (!search.term.is_empty() && error.terms().iter().any(|term| term.starts_with(&search.term)))
            })
    }
}

impl Ledger {
    /// The organizations that a query is about.
    async fn orgs_of(&self, query: &ErrorQuery) -> Result<Vec<OrgId>, Error> {
        match query.orgs.is_empty() {
            true => self.orgs().await,
            false => Ok(query.orgs.iter().cloned().collect()),
        }
    }

    /// Where the sync errors of a query are.
    pub(super) async fn plan(&self, query: &ErrorQuery) -> Result<Plan, Error> {
        let orgs = self.orgs_of(query).await?;
        let mut plan =
            Plan { streams: Vec::new(), total: None, is_exact: false, groups: None, ids: None, search: None };
        let known = match query.narrows_groups() || query.q.is_some() {
            true => self.heads(query, &orgs).await?,
            false => Vec::new(),
        };
        let heads = || known.iter().flat_map(|of_org| of_org.iter());
        let takes = |head: &&Head| query.takes_group(&head.id, head.class, &head.code, || head.words());
        if query.text.is_some() {
            plan.groups = Some(heads().filter(takes).map(|head| head.id.clone()).collect());
        }
        if query.names_some()
            && let Some(found) = self.named(query, &orgs, &mut plan).await?
        {
            plan.streams = vec![Stream::Found(found)];
            self.search(query, &orgs, &mut plan).await?;
            return Ok(plan);
        }
        if query.q.is_some() {
            let found = self.search(query, &orgs, &mut plan).await?;
            let searched = plan.search.as_ref().map(|search| &search.groups);
            let taken: Vec<_> =
                heads().filter(|head| searched.is_some_and(|groups| groups.contains(&head.id))).collect();
            plan.streams = match found {
                Some(found) if taken.len() <= STREAMS => {
                    let mut streams = of_groups(query, &taken);
                    streams.push(Stream::Found(found));
                    streams
                }
                _ => self.lists(query, &orgs).await?,
            };
            return Ok(plan);
        }
        if !query.narrows_groups() {
            plan.is_exact = query.is_counted();
            plan.streams = self.lists(query, &orgs).await?;
            plan.total = query.is_counted().then(|| plan.streams.iter().map(Stream::count).sum());
            return Ok(plan);
        }
        let taken: Vec<_> = heads().filter(takes).filter(|head| head.counts.within(query.states()) > 0).collect();
        let sum = |heads: &mut dyn Iterator<Item = &Head>| -> u64 {
            heads.map(|head| head.counts.within(query.states())).sum()
        };
        let (matching, all) = (sum(&mut taken.iter().copied()), sum(&mut heads()));
        // Of the rest nobody knows which class and code it has, unless it is asked for by its id.
        let by_class = !query.classes.is_empty() || !query.codes.is_empty();
        let with_rest = by_class && taken.iter().any(|head| head.id == Fingerprint::unnamed());
        plan.total = (query.is_counted() && !with_rest).then_some(matching);
        let streams = of_groups(query, &taken);
        let costs = STREAM_COSTS * streams.len() as u64;
        // Of so many in the lists one matches.
        let sparse = all / matching.max(1);
        (plan.streams, plan.is_exact) = match streams.len() <= STREAMS && (streams.len() <= 16 || sparse * 50 > costs) {
            true => (streams, plan.total.is_some()),
            false => (self.lists(query, &orgs).await?, false),
        };
        Ok(plan)
    }

    /// The lists of organizations in the states of a query, with how many each has; those that have none are not looked into.
    async fn lists(&self, query: &ErrorQuery, orgs: &[OrgId]) -> Result<Vec<Stream>, Error> {
        let keys: Vec<_> = orgs.iter().map(|org| key::lane(org).into_bytes()).collect();
        let values = self.store.get_many(keys.clone()).await?;
        let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode::<LaneState>(&name, &value?).ok();
        let states = keys.into_iter().zip(values).map(read);
        let lists = |(org, known): (&OrgId, Option<LaneState>)| {
            let org = org.clone();
            // Of a record that cannot be read nobody knows.
            let count = move |state: State| known.as_ref().map(|known| known.errors.within([state].into_iter()));
            let counted = query.states().map(move |state| (state, count(state))).filter(|(_, count)| *count != Some(0));
            counted.map(move |(state, count)| Stream::List { org: org.clone(), state, count: count.unwrap_or(0) })
        };
        Ok(orgs.iter().zip(states).flat_map(lists).collect())
    }

    /// How many sync errors each cause has that match, where counts tell.
    pub(super) async fn counted_groups(&self, query: &ErrorQuery) -> Result<Vec<(OrgId, Fingerprint, u64)>, Error> {
        let orgs = self.orgs_of(query).await?;
        let known = self.heads(query, &orgs).await?;
        let heads = known.iter().flat_map(|of_org| of_org.iter());
        let taken = heads.filter(|head| query.takes_group(&head.id, head.class, &head.code, || head.words()));
        let counted = taken.map(|head| (head.org.clone(), head.id.clone(), head.counts.within(query.states())));
        Ok(counted.filter(|(_, _, count)| *count > 0).collect())
    }

    /// The causes of some organizations, without what no query reads: a list for each organization, or one where causes are
    /// named.
    async fn heads(&self, query: &ErrorQuery, orgs: &[OrgId]) -> Result<Vec<Arc<Vec<Head>>>, Error> {
        let mut heads = Vec::new();
        if !query.groups.is_empty() {
            let of_org = |org| query.groups.iter().map(move |id| key::group(org, id).into_bytes());
            let keys: Vec<_> = orgs.iter().flat_map(of_org).collect();
            let values = self.store.get_many(keys.clone()).await?;
            let read = |(name, value): (Vec<u8>, Option<Vec<u8>>)| record::decode(&name, &value?).ok();
            return Ok(vec![Arc::new(keys.into_iter().zip(values).filter_map(read).collect())]);
        }
        let mut unread = Vec::new();
        for org in orgs {
            match self.heads.of(org) {
                Ok(held) => heads.push(held),
                Err(version) => unread.push((org.clone(), version, Vec::new())),
            }
        }
        let pairs = self.group_pairs(&unread.iter().map(|(org, ..)| org.clone()).collect::<Vec<_>>()).await?;
        let read = record::off_thread(record::bytes_of(pairs.iter().map(|(_, value)| value)), || {
            pairs.iter().filter_map(|(name, value)| record::decode::<Head>(name, value).ok()).collect::<Vec<_>>()
        });
        for head in read {
            if let Some((.., of_org)) = unread.iter_mut().find(|(org, ..)| *org == head.org) {
                of_org.push(head);
            }
        }
        for (org, version, of_org) in unread {
            let of_org = Arc::new(of_org);
            self.heads.keep(&org, version, &of_org);
            heads.push(of_org);
        }
        Ok(heads)
    }

    /// What ids, a conversation, a message or a customer lead to; `None` where that is too much to hold.
    async fn named(&self, query: &ErrorQuery, orgs: &[OrgId], plan: &mut Plan) -> Result<Option<Vec<Place>>, Error> {
        let mut ids = (!query.ids.is_empty()).then(|| query.ids.iter().cloned().collect());
        if let Some(id) = &query.conversation {
            let found = self.of_conversations(orgs.iter().map(|org| (org.clone(), id.clone()))).await?;
            ids = ids.or(Some(found));
        }
        if let Some(message) = &query.message {
            let of_message: Vec<_> = self.conversations_of(message).await?;
            let of_message = of_message.into_iter().filter(|(org, _)| orgs.contains(org));
            let found = self.of_conversations(of_message).await?;
            plan.ids = Some(found.iter().cloned().collect());
            ids = ids.or(Some(found));
        }
        if let (None, Some(begin)) = (&ids, &query.customer) {
            ids = self.of_terms(orgs, &search_term(begin)).await?;
        }
        let Some(ids) = ids else { return Ok(None) };
        self.places(&ids).await.map(Some)
    }

    /// What `q` leads to beside the causes whose words it has; `None` where that is too much to hold.
    async fn search(&self, query: &ErrorQuery, orgs: &[OrgId], plan: &mut Plan) -> Result<Option<Vec<Place>>, Error> {
        let Some(q) = query.q.as_deref().map(str::trim) else { return Ok(Some(Vec::new())) };
        let mut ids = Vec::new();
        if let Ok(id) = q.parse::<SyncErrorId>() {
            // The id may be one that an import merged into another.
            ids.extend(self.sync_error(&id).await?.map(|error| error.id));
        }
        if let Ok(id) = q.parse::<ConversationId>() {
            ids.extend(self.of_conversations(orgs.iter().map(|org| (org.clone(), id.clone()))).await?);
        }
        if let Ok(id) = q.parse() {
            ids.extend(self.of_conversations(self.conversations_of(&id).await?.into_iter()).await?);
        }
        let is_record = matches!(q.len(), 15 | 18) && q.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let term = search_term(if is_record { &q[..15] } else { q });
        let by_term = self.of_terms(orgs, &term).await?;
        let complete = by_term.is_some();
        let searched: HashSet<_> = ids.iter().cloned().collect();
        ids.extend(by_term.unwrap_or_default());
        let places = self.places(&ids).await?;
        let all = ErrorQuery { groups: query.groups.clone(), ..ErrorQuery::default() };
        let known = self.heads(&all, orgs).await?;
        let heads = known.iter().flat_map(|of_org| of_org.iter());
        let groups = heads.filter(|head| has_words(&head.words(), q)).map(|head| head.id.clone()).collect();
        plan.search = Some(Search { term, ids: searched, groups });
        Ok(complete.then_some(places))
    }

    /// Sync errors by the beginning of a term; `None` where there are more than can be held.
    async fn of_terms(&self, orgs: &[OrgId], begin: &str) -> Result<Option<Vec<SyncErrorId>>, Error> {
        if begin.is_empty() {
            return Ok(None);
        }
        let range = |org| Range::of(key::error_terms(org, begin), FOUND + 1).keys_only();
        let pairs: Vec<_> = self.store.ranges(orgs.iter().map(range).collect()).await?.into_iter().flatten().collect();
        if pairs.len() > FOUND {
            return Ok(None);
        }
        pairs.iter().map(|(name, _)| key::part(name, 0)).collect::<Result<_, _>>().map(Some)
    }

    /// The newest sync errors of conversations.
    async fn of_conversations(
        &self,
        places: impl Iterator<Item = (OrgId, ConversationId)> + Send,
    ) -> Result<Vec<SyncErrorId>, Error> {
        let mut ids = Vec::new();
        for (org, id) in places {
            let known = error_ids(&org, &id, &self.delivery(&org, &id).await?);
            ids.extend(known.into_iter().rev().take(FOUND));
        }
        Ok(ids)
    }

    /// Where sync errors stand.
    async fn places(&self, ids: &[SyncErrorId]) -> Result<Vec<Place>, Error> {
        let place = |error: crate::domain::SyncError| Place {
            at: error.first_seen,
            id: error.id,
            org: error.org,
            state: error.state,
            summary: None,
        };
        Ok(self.sync_errors_of(ids).await?.into_iter().map(place).collect())
    }
}

/// The indexes of causes in the states of a query that they have.
fn of_groups(query: &ErrorQuery, heads: &[&Head]) -> Vec<Stream> {
    let of_head = |head: &&Head| {
        let (org, id, counts) = (head.org.clone(), head.id.clone(), head.counts);
        let count = move |state: State| (state, counts.within([state].into_iter()));
        query.states().map(count).filter(|(_, count)| *count > 0).map(move |(state, count)| {
            let prefix = key::error_group(&org, &id, state);
            Stream::Index { org: org.clone(), state, prefix, count }
        })
    };
    heads.iter().flat_map(of_head).collect()
}
