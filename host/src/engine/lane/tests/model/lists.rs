//! Lists of sync errors, page by page in both directions, and what searches find, against the model.

use super::conversations::Does;
use super::entries::{Entry, Why};
use super::facts::{Facts, assert_same, fingerprint};
use super::moves::CONVERSATIONS;
use super::organization::Model;
use crate::domain::{Class, ErrorQuery, ErrorSummary, State};
use crate::engine::lane::tests::bench::{Bench, conversation, org};
use crate::ledger::{ErrorPage, Paging, Queued};

/// A list, what belongs to it, and whether counts tell how many that are.
type List = (String, ErrorQuery, Box<dyn Fn(u64, &Entry) -> bool>, bool);

/// Every list that is compared.
fn lists() -> Vec<List> {
    let of = |states: &[State]| ErrorQuery::of_org(org(), states.iter().copied());
    let mut lists: Vec<List> = Vec::new();
    for state in State::ALL {
        lists.push((state.to_string(), of(&[state]), Box::new(move |_, error| error.state == state), true));
    }
    lists.push(("all".to_owned(), of(&[]), Box::new(|_, _| true), true));
    for why in Why::ALL {
        let query = ErrorQuery { groups: [fingerprint(why)].into(), ..of(&[]) };
        lists.push((format!("{why:?}"), query.clone(), Box::new(move |_, error| error.why == why), true));
        let open = ErrorQuery { states: [State::Pending, State::Retrying].into(), ..query };
        let is_open = |error: &Entry| matches!(error.state, State::Pending | State::Retrying);
        lists.push((
            format!("{why:?}, open"),
            open,
            Box::new(move |_, error| error.why == why && is_open(error)),
            true,
        ));
    }
    for class in [Class::Config, Class::Record, Class::Transient, Class::Contact, Class::Auth] {
        let query = ErrorQuery { classes: [class].into(), ..of(&[]) };
        lists.push((
            class.as_str().to_owned(),
            query,
            Box::new(move |_, error| error.why.refusal().class == class),
            true,
        ));
    }
    for number in 1..=CONVERSATIONS {
        let query = ErrorQuery { conversation: Some(conversation(number)), ..of(&[]) };
        lists.push((format!("conversation {number}"), query, Box::new(move |it, _| it == number), false));
        for married in [false, true] {
            let name = super::name(number, married);
            let customer = ErrorQuery { customer: Some(name.clone()), ..of(&[]) };
            let named = move |_: u64, error: &Entry| error.person.as_ref() == Some(&name);
            lists.push((format!("customer {number} {married}"), customer, Box::new(named), false));
        }
    }
    let is_called = |_: u64, error: &Entry| error.person.as_ref().is_some_and(|name| name.ends_with("Berg"));
    lists.push(("q berg".to_owned(), ErrorQuery { q: Some("berg".to_owned()), ..of(&[]) }, Box::new(is_called), false));
    lists
}

/// Compares some of the lists, `from` which on; all of them where `most` are that many.
pub(super) async fn compare(bench: &Bench, model: &Model, from: usize, most: usize, after: &str) {
    let (lists, entries) = (lists(), model.entries());
    for (name, query, takes, is_counted) in lists.iter().cycle().skip(from % lists.len()).take(most.min(lists.len())) {
        let mut ids: Vec<_> =
            entries.iter().filter(|(number, error)| takes(*number, error)).map(|(_, it)| it.id.clone()).collect();
        for newest_first in [false, true] {
            let found = pages(bench, query, newest_first, is_counted.then_some(ids.len())).await;
            let found: Vec<_> = found.into_iter().map(|error| error.id).collect();
            if newest_first {
                ids.reverse();
            }
            assert_eq!(found, ids, "the list {name}, newest first {newest_first}, after {after}");
        }
    }
}

/// A list in pages of two; the way back has to show the same.
async fn pages(bench: &Bench, query: &ErrorQuery, newest_first: bool, total: Option<usize>) -> Vec<ErrorSummary> {
    let mut paging = Paging { newest_first, ..Paging::first(2) };
    let mut all: Vec<ErrorSummary> = Vec::new();
    let last = loop {
        let page = bench.ledger.error_summaries(query, &paging).await.expect("a page");
        assert_eq!(page.total, total.map(|total| total as u64), "{query:?}");
        all.extend(page.items.iter().cloned());
        match paging.clone().next(&page) {
            Some(next) => paging = next,
            None => break page,
        }
    };
    let (mut back, mut page): (Vec<ErrorSummary>, ErrorPage<_>) = (last.items.clone(), last);
    while let Some(cursor) = page.previous.take() {
        let paging = Paging { newest_first, cursor: Some(cursor), limit: 2 };
        page = bench.ledger.error_summaries(query, &paging).await.expect("a page");
        back.splice(0..0, page.items.iter().cloned());
    }
    assert_eq!(back, all, "the way back of {query:?}");
    all
}

/// What waits, and who is found by their name.
pub(super) async fn compare_indexes(bench: &Bench, model: &Model, after: &str) {
    let (mut is, mut has_to_be) = (Facts::new(), Facts::new());
    let parked = bench.ledger.queued(&org(), Queued::Parked, 100).await.expect("parked");
    assert!(parked.windows(2).all(|two| two[0].0 >= two[1].0), "the newest first: {parked:?}");
    let mut parked: Vec<_> = parked.into_iter().map(|(_, id)| id).collect();
    parked.sort();
    is.insert("parked".into(), format!("{parked:?}"));
    let due = bench.ledger.due(&org(), 100).await.expect("timers");
    is.insert("due".into(), format!("{due:?}"));
    let (mut parks, mut waits) = (Vec::new(), Vec::new());
    for conv in model.convs.values() {
        match conv.does {
            Does::Parked => parks.push(conv.id.clone()),
            Does::Waits(when) => waits.push((when.0, conv.id.clone())),
            _ => {}
        }
    }
    waits.sort();
    has_to_be.insert("parked".into(), format!("{parks:?}"));
    has_to_be.insert("due".into(), format!("{waits:?}"));
    for number in 1..=CONVERSATIONS {
        let name = super::name(number, false);
        let found = bench.ledger.find_customer(&[org()], &name).await.expect("customers");
        let found: Vec<_> = found.items.into_iter().map(|of| of.id).collect();
        is.insert(format!("customer {name}"), format!("{found:?}"));
        let is_called = |of: Option<&String>| of == Some(&name);
        let named = model.convs.values().filter(|conv| {
            is_called(conv.name.as_ref()) || conv.errors.iter().any(|error| is_called(error.person.as_ref()))
        });
        let named: Vec<_> = named.map(|conv| conv.id.clone()).collect();
        has_to_be.insert(format!("customer {name}"), format!("{named:?}"));
    }
    assert_same(&is, &has_to_be, after);
}
