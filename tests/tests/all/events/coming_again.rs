//! Who comes again with the last id misses nothing and hears nothing twice, or is told that it did.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use switchyard::store::{Fault, Point, ring};
use switchyard_tests::{ADMIN, TestHost};

use super::listening::Listening;
use super::{many_changes, of};
use crate::at_once::{unmapped, with_errors};

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_again_with_the_last_id_misses_nothing_and_hears_nothing_twice_also_after_a_restart() {
    let host = TestHost::start().await;
    let mut listening = Listening::to(&host, "?type=sync_error.opened", None).await;
    host.notify(unmapped(1)).await;
    let first = listening.event().await;
    drop(listening);
    for number in 2..=4 {
        host.notify(unmapped(number)).await;
    }
    host.until("all are on record", |health| health.sync_errors.pending == 4).await;
    let host = host.restart().await;
    host.notify(unmapped(5)).await;
    let mut listening = Listening::to(&host, "?type=sync_error.opened", Some(&first.id)).await;
    let mut told = vec![of(&first, "sync_error").to_owned()];
    for _ in 2..=5 {
        let block = listening.event().await;
        told.push(of(&block, "sync_error").to_owned());
    }
    let (_, page) = host.get("/v1/sync-errors?sort=first_seen").await;
    let mut known: Vec<_> =
        page["sync_errors"].as_array().unwrap().iter().map(|error| error["id"].as_str().unwrap()).collect();
    known.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, known);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_told_once_although_the_store_says_that_its_commit_failed_and_keeps_it() {
    let host = TestHost::start().await;
    let mut listening = Listening::to(&host, "?type=sync_error.opened", None).await;
    for (number, point) in [(1, Point::AfterCommit), (2, Point::BeforeCommit)] {
        host.store.plan([Fault::at(point).of(ring::RING).times(1)]);
        let before = host.store.struck();
        host.notify(unmapped(number)).await;
        host.until("it is on record", |health| health.sync_errors.pending == number).await;
        assert_eq!(host.store.struck(), before + 1);
    }
    host.notify(unmapped(3)).await;
    let mut told = BTreeSet::new();
    for _ in 1..=3 {
        assert!(told.insert(of(&listening.event().await, "sync_error").to_owned()), "twice");
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_whose_events_are_not_kept_is_answered_by_a_reset_and_nonsense_is_refused() {
    let host = with_errors(1, unmapped).await;
    let first = Listening::to(&host, "", None).await.block().await.unwrap();
    let (name, number) = first.id.split_once('-').unwrap();
    let future = format!("{name}-{}", number.parse::<u64>().unwrap() + 1);
    for id in [&*future, &format!("{name}-{}", u64::MAX), "0123456789abcdef-1"] {
        let mut listening = Listening::to(&host, "", Some(id)).await;
        let reset = listening.block().await.unwrap();
        assert_eq!((of(&reset, "type"), &reset.id), ("reset", &first.id), "{id}: from the newest one on");
    }
    many_changes(&host, ring::KEPT + 1).await;
    let mut gone = Listening::to(&host, "?org=other&type=group.new", Some(&first.id)).await;
    let mut reset = gone.block().await.unwrap();
    while reset.event.is_none() {
        reset = gone.block().await.unwrap();
    }
    assert_eq!(of(&reset, "type"), "reset", "whatever the filters are");
    host.notify(unmapped(2)).await;
    let mut still = Listening::to(&host, "", Some(&reset.id)).await;
    assert_eq!(still.types(1).await, ["sync_error.opened"]);
    for bad in ["7", "-1", "x", "0123456789abcdef-99999999999999999999", "0123456789abcdef--1", "id:\u{7f}"] {
        if let Ok(value) = reqwest::header::HeaderValue::from_str(bad) {
            let url = format!("http://{}/v1/events", host.app.address);
            let answer = host.http.get(url).bearer_auth(ADMIN).header("Last-Event-ID", value).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
        }
    }
    host.stop().await;
}
