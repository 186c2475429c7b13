//! Pages against a model that looks at everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::{Cause, Class, Group, GroupChange, Period, Person, PolicyName, Refusal};
use crate::ledger::{ErrorChange, LaneCommit, LaneState};
use crate::store::MemoryStore;

/// A sync error in a few numbers.
#[derive(Debug, Clone)]
struct Given {
    org: usize,
    cause: usize,
    state: usize,
    team: usize,
    person: usize,
    at: u64,
    attempts: u32,
}

const ORGS: [&str; 3] = ["acme", "emea", "gulf"];
const CAUSES: [(Class, &str, &str); 4] = [
    (Class::Record, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "The order needs a number"),
    (Class::Record, "INVALID_EMAIL", "An address is wrong"),
    (Class::Config, "TEAM_NOT_MAPPED", "No queue for a team"),
    (Class::Auth, "INVALID_SESSION", "The session ended"),
];
const TEAMS: [&str; 3] = ["events", "store", "a \"b\""];
const PEOPLE: [&str; 4] = ["Jane Doe", "Janet", "Élodie", "%/"];

fn given() -> impl Strategy<Value = Given> {
    (0..3_usize, 0..4_usize, 0..4_usize, 0..3_usize, 0..4_usize, 0..20_u64, 1..4_u32).prop_map(
        |(org, cause, state, team, person, at, attempts)| Given { org, cause, state, team, person, at, attempts },
    )
}

/// What a list is narrowed to, each filter or not.
fn queries() -> impl Strategy<Value = ErrorQuery> {
    let set = |of: usize| prop::option::of(prop::collection::btree_set(0..of, 1..3));
    let some = |of: usize| prop::option::weighted(0.2, 0..of);
    (
        set(3),
        set(4),
        set(4),
        (some(4), some(3), some(4), some(20)),
        (some(3), some(4), some(4), some(30)),
        prop::option::weighted(0.1, prop::collection::vec((0..3_usize, 0..30_usize), 1..6)),
    )
        .prop_map(
            |(orgs, states, classes, (code, team, customer, from), (attempts, text, q, conversation), ids)| {
                let orgs = orgs.into_iter().flatten().map(|org| OrgId::new(ORGS[org]).unwrap()).collect();
                let states = states.into_iter().flatten().map(|state| State::ALL[state]).collect();
                let classes = classes.into_iter().flatten().map(|cause| CAUSES[cause].0).collect();
                let mut query = ErrorQuery { orgs, states, classes, ..ErrorQuery::default() };
                let id = |(org, at): (usize, usize)| {
                    SyncErrorId::of(&OrgId::new(ORGS[org]).unwrap(), &format!("main:{at}").parse().unwrap(), 1)
                };
                query.ids.extend(ids.into_iter().flatten().map(id));
                query.codes.extend(code.map(|code| CAUSES[code].1.to_owned()));
                query.teams.extend(team.map(|team| TEAMS[team].to_owned()));
                query.customer = customer.map(|person| PEOPLE[person].chars().take(3).collect());
                query.first_seen = Period { from: from.map(|at| Timestamp::from_millis(at as u64)), before: None };
                query.attempts.0 = attempts.map(|attempts| attempts as u32);
                query.text = text.map(|cause| CAUSES[cause].2.split(' ').next_back().unwrap().to_uppercase());
                query.q = q.map(|q| ["jan", "order", "TEAM_NOT", "main:1"][q].to_owned());
                query.conversation = conversation.map(|number| format!("main:{number}").parse().unwrap());
                query
            },
        )
}

/// A ledger with these, and their summaries.
async fn ledger(all: &[Given]) -> (Ledger, Vec<ErrorSummary>) {
    let ledger = Ledger::new(Arc::new(MemoryStore::default()));
    let mut summaries = Vec::new();
    for (number, name) in ORGS.iter().enumerate() {
        let org = OrgId::new(name).unwrap();
        let mut commit = LaneCommit::default();
        let (mut groups, mut state) = (BTreeMap::new(), LaneState::default());
        for (at, given) in all.iter().enumerate().filter(|(_, given)| given.org == number) {
            let (class, code, text) = CAUSES[given.cause];
            let refusal = Refusal::new(class, code, text);
            let cause = Cause::new(&org, &refusal);
            let seen = Timestamp::from_millis(given.at);
            let conversation: crate::domain::ConversationId = format!("main:{at}").parse().unwrap();
            let id = SyncErrorId::of(&org, &conversation, 1);
            let group = groups.entry(cause.identify().id).or_insert_with(|| Group::new(&cause, seen));
            let now = State::ALL[given.state];
            group.apply(GroupChange { sync_error: id.clone(), before: None, after: Some(now), failed: true, at: seen });
            let mut error = SyncError::blank(
                id,
                org.clone(),
                conversation.clone(),
                format!("main:m{at}").parse().unwrap(),
                group.id.clone(),
                refusal,
                seen,
            );
            (error.state, error.attempts) = (now, given.attempts);
            error.team = Some(TEAMS[given.team].to_owned());
            error.person = Some(Box::new(Person { name: Some(PEOPLE[given.person].to_owned()), ..Person::default() }));
            state.errors.moved(None, Some(now));
            summaries.push(error.summary());
            let delivery = crate::domain::Delivery { errors: 1, ..crate::domain::Delivery::default() };
            commit.deliveries.push(crate::ledger::DeliveryChange { id: conversation, before: None, after: delivery });
            commit.errors.push(ErrorChange { before: None, after: error });
        }
        commit.groups = groups.into_values().collect();
        commit.state = Some(state);
        ledger.lane_writer(&org).commit(&commit).await.unwrap();
    }
    (ledger, summaries)
}

/// What a query means, told by looking at everything.
fn expected(query: &ErrorQuery, all: &[ErrorSummary]) -> Vec<SyncErrorId> {
    let words = |error: &ErrorSummary| {
        let cause = CAUSES.iter().find(|cause| cause.1 == error.code).unwrap();
        let (org, refusal) = (error.org.clone(), Refusal::new(cause.0, cause.1, cause.2));
        let identity = Cause::new(&org, &refusal).identify();
        format!("{} {} {}", identity.title, error.code, identity.text)
    };
    let matches = |error: &&ErrorSummary| {
        query.matches(error)
            && query.text.as_ref().is_none_or(|text| crate::domain::has_words(&words(error), text))
            && query.q.as_ref().is_none_or(|q| {
                crate::domain::has_words(&words(error), q)
                    || error.conversation.as_str() == q
                    || error.terms().iter().any(|term| term.starts_with(q))
            })
    };
    let mut found: Vec<_> = all.iter().filter(matches).map(|error| (error.first_seen, error.id.clone())).collect();
    found.sort();
    found.into_iter().rev().map(|(_, id)| id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pages_have_everything_that_matches_once_and_in_order(
        all in prop::collection::vec(given(), 0..60),
        query in queries(),
        limit in 1..9_usize,
        newest_first in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (ledger, summaries) = ledger(&all).await;
            let mut expected = expected(&query, &summaries);
            if !newest_first {
                expected.reverse();
            }
            let (mut found, mut paging) = (Vec::new(), Some(Paging { newest_first, cursor: None, limit }));
            let mut back = None;
            while let Some(asked) = paging.take() {
                let page = ledger.error_summaries(&query, &asked).await.unwrap();
                assert!(page.items.len() <= limit && (page.next.is_none() || page.items.len() == limit));
                assert!(page.total.is_none_or(|total| total == expected.len() as u64), "{:?}", page.total);
                back = page.previous.clone();
                paging = asked.next(&page);
                found.extend(page.items.into_iter().map(|error| error.id));
            }
            assert_eq!(found, expected);
            // And back again, from the last page on.
            let last = (found.len().max(1) - 1) / limit * limit;
            let mut before = Vec::new();
            while let Some(cursor) = back.take() {
                let text = cursor.to_string();
                assert_eq!(Cursor::parse(&text, &query, newest_first), Some(cursor.clone()));
                assert_eq!(Cursor::parse(&text, &query, !newest_first), None);
                let paging = Paging { newest_first, cursor: Some(cursor), limit };
                let page = ledger.error_summaries(&query, &paging).await.unwrap();
                back = page.previous;
                let ids: Vec<_> = page.items.into_iter().map(|error| error.id).collect();
                before.splice(0..0, ids);
            }
            assert_eq!(before, &expected[..last.min(expected.len())]);
        });
    }
}

#[tokio::test]
async fn counts_tell_the_total_of_what_causes_have_in_common() {
    let all: Vec<_> = (0..40)
        .map(|n| Given { org: n % 3, cause: n % 4, state: n % 2, team: 0, person: 0, at: n as u64, attempts: 1 })
        .collect();
    let (ledger, _) = ledger(&all).await;
    let total = async |query: ErrorQuery| ledger.error_summaries(&query, &Paging::first(1)).await.unwrap().total;
    assert_eq!(total(ErrorQuery::default()).await, Some(40));
    assert_eq!(total(ErrorQuery { states: [State::Pending].into(), ..ErrorQuery::default() }).await, Some(20));
    assert_eq!(total(ErrorQuery { classes: [Class::Record].into(), ..ErrorQuery::default() }).await, Some(20));
    assert_eq!(total(ErrorQuery { text: Some("queue".to_owned()), ..ErrorQuery::default() }).await, Some(10));
    assert_eq!(total(ErrorQuery { teams: ["events".to_owned()].into(), ..ErrorQuery::default() }).await, None);
}

#[tokio::test]
async fn a_filter_that_matches_little_ends_its_page_and_says_how_to_go_on() {
    let mut all: Vec<_> = (0..LOOKED_AT * 2)
        .map(|n| Given { org: 0, cause: 0, state: 0, team: 0, person: 0, at: n as u64, attempts: 1 })
        .collect();
    all[10].team = 1;
    let (ledger, _) = ledger(&all).await;
    let query = ErrorQuery { teams: ["store".to_owned()].into(), ..ErrorQuery::default() };
    let first = ledger.error_summaries(&query, &Paging::first(5)).await.unwrap();
    assert_eq!((first.items.len(), first.scanned), (0, LOOKED_AT));
    let second = ledger.error_summaries(&query, &Paging::first(5).next(&first).unwrap()).await.unwrap();
    assert_eq!(second.items.len(), 1);
}

#[tokio::test]
async fn pages_stay_whole_while_states_move() {
    let all: Vec<_> = (0..300)
        .map(|n| Given { org: n % 3, cause: n % 4, state: n % 3, team: 0, person: 0, at: n as u64 / 7, attempts: 1 })
        .collect();
    let (ledger, summaries) = ledger(&all).await;
    let (mut found, mut paging, mut turn) = (Vec::new(), Some(Paging::first(7)), 0_usize);
    while let Some(asked) = paging.take() {
        let page = ledger.error_summaries(&ErrorQuery::default(), &asked).await.unwrap();
        paging = asked.next(&page);
        found.extend(page.items.into_iter().map(|error| error.id));
        // Some others go into another state between two pages.
        for error in summaries.iter().skip(turn % 11).step_by(11) {
            let mut after = ledger.sync_error(&error.id).await.unwrap().unwrap();
            let before = Some(after.summary());
            let mut state = ledger.lane_state(&error.org).await.unwrap().unwrap();
            state.errors.moved(Some(after.state), Some(State::ALL[(turn + 1) % 4]));
            after.state = State::ALL[(turn + 1) % 4];
            let errors = vec![ErrorChange { before, after }];
            let commit = LaneCommit { errors, state: Some(state), ..LaneCommit::default() };
            ledger.lane_writer(&error.org).commit(&commit).await.unwrap();
        }
        turn += 1;
    }
    assert_eq!(found, expected(&ErrorQuery::default(), &summaries));
}

#[tokio::test]
async fn an_organization_whose_counts_cannot_be_read_is_looked_into_all_the_same() {
    let all: Vec<_> = (0..30)
        .map(|n| Given { org: n % 3, cause: 0, state: 1, team: 0, person: 0, at: n as u64, attempts: 1 })
        .collect();
    let (ledger, summaries) = ledger(&all).await;
    let mut damage = crate::store::Batch::default();
    damage.put("lane/emea", "{");
    ledger.store.commit(damage).await.unwrap();
    let page = ledger.error_summaries(&ErrorQuery::default(), &Paging::first(100)).await.unwrap();
    let found: Vec<_> = page.items.into_iter().map(|error| error.id).collect();
    assert_eq!(found, expected(&ErrorQuery::default(), &summaries));
}

#[test]
fn a_policy_is_no_property_of_a_cause() {
    let query = ErrorQuery { policies: [PolicyName::new("p").unwrap()].into(), ..ErrorQuery::default() };
    assert!(!query.is_counted() && !query.narrows_groups());
}
