//! What is sent to those who listen, and what that costs the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};

use super::filter::Filter;
use super::frame::Place;
use super::listener::Listener;
use super::tail::Tail;
use crate::clock::Clock;
use crate::domain::{EventType, OrgId, PolicyName, PolicyRevision, PolicySource, RevisionState, Timestamp};
use crate::ledger::Ledger;
use crate::store::{Fault, FaultyStore, MemoryStore, Point, ring};

const NAME: &str = "0123456789abcdef";
const LONG: Duration = Duration::from_secs(3_600);

/// A store whose events can be listened to.
struct Host {
    ledger: Ledger,
    store: Arc<FaultyStore>,
    tail: Arc<Tail>,
    may: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    revisions: u32,
}

impl Host {
    fn start() -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
        let ledger = Ledger::new(store.clone());
        let tail = Tail::new(&ledger, NAME.to_owned(), Clock::System);
        let follows = Arc::clone(&tail);
        tokio::spawn(async move { follows.follow().await });
        let (may, stop) = (Arc::new(AtomicBool::new(true)), watch::Sender::new(false));
        Self { ledger, store, tail, may, stop, revisions: 0 }
    }

    fn listens(&self, filter: Filter, after: Option<u64>, heartbeat: Duration) -> Listener {
        let may = Arc::clone(&self.may);
        let after = after.map(|number| Place { of: NAME.to_owned(), number });
        let may = Box::new(move || may.load(Ordering::SeqCst));
        Listener::new(&self.tail, filter, after, may, self.stop.subscribe(), heartbeat)
    }

    /// One event: another revision decides.
    async fn changes(&mut self) {
        self.revisions += 1;
        let at = Timestamp::from_millis(self.revisions.into());
        let source = PolicySource {
            toml: String::new(),
            scripts: std::collections::BTreeMap::default(),
            origin: crate::domain::Origin::Embedded,
            at,
        };
        let revision = PolicyRevision {
            number: self.revisions,
            digest: String::new(),
            source,
            plugins: std::collections::BTreeMap::default(),
            state: RevisionState::InForce,
            reason: None,
            changed_at: at,
        };
        let policy = PolicyName::new("acme").unwrap();
        self.ledger.keep_policy_revisions(&policy, &[revision], &[]).await.unwrap();
    }

    /// Returns when nobody is to be told of what has changed until now.
    async fn is_quiet(&self) {
        while *self.tail.end().borrow() < self.tail.newest() {
            tokio::task::yield_now().await;
        }
    }

    /// How often the events were read.
    fn reads(&self) -> usize {
        self.store.struck()
    }
}

async fn piece(listener: &mut Listener) -> Option<String> {
    let piece = tokio::time::timeout(Duration::from_secs(20), listener.piece()).await.expect("nothing came");
    piece.map(|bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn place(number: u64) -> Option<String> {
    Some(format!("id: {NAME}-{number}\n\n"))
}

fn of(what: EventType) -> Filter {
    Filter { types: [what].into(), ..Filter::default() }
}

#[tokio::test]
async fn while_nothing_comes_it_is_said_how_far_all_was_told_until_the_token_ends_or_the_host_stops() {
    let mut host = Host::start();
    let heartbeat = Duration::from_millis(1);
    let mut one = host.listens(Filter::default(), None, heartbeat);
    for _ in 0..3 {
        assert_eq!(piece(&mut one).await, place(0));
    }
    host.may.store(false, Ordering::SeqCst);
    assert_eq!(piece(&mut one).await, None);
    host.changes().await;
    assert_eq!(piece(&mut one).await, None, "nothing more is told");
    host.may.store(true, Ordering::SeqCst);
    let mut other = host.listens(Filter::default(), None, LONG);
    assert_eq!(piece(&mut other).await, place(1));
    host.stop.send_replace(true);
    assert_eq!(piece(&mut other).await, None);
}

#[tokio::test]
async fn what_does_not_match_is_not_sent_and_moves_the_place_from_which_a_client_goes_on() {
    let mut host = Host::start();
    let mut one = host.listens(of(EventType::GroupNew), None, Duration::from_millis(1));
    let acme = Filter { orgs: [OrgId::new("acme").unwrap()].into(), ..Filter::default() };
    let mut other = host.listens(acme, None, Duration::from_millis(1));
    for listener in [&mut one, &mut other] {
        assert_eq!(piece(listener).await, place(0));
    }
    host.changes().await;
    host.changes().await;
    for listener in [&mut one, &mut other] {
        let mut told = piece(listener).await;
        while told == place(0) || told == place(1) {
            told = piece(listener).await;
        }
        assert_eq!(told, place(2));
    }
}

#[tokio::test]
async fn the_store_is_read_once_for_all_who_listen_and_not_at_all_while_nobody_does() {
    let mut host = Host::start();
    let open = Arc::new(Semaphore::new(1_000));
    host.store.plan([Fault::at(Point::Read).of(ring::RING).waiting_for(open)]);
    for _ in 0..10 {
        host.changes().await;
    }
    host.is_quiet().await;
    let mut listeners: Vec<_> = (0..50).map(|_| host.listens(Filter::default(), None, LONG)).collect();
    for listener in &mut listeners {
        assert_eq!(piece(listener).await, place(10));
    }
    assert_eq!(host.reads(), 0);
    host.changes().await;
    for listener in &mut listeners {
        assert!(piece(listener).await.is_some_and(|told| told.contains("\"policy.in_force\"")));
    }
    assert_eq!(host.reads(), 1);
    let mut behind = host.listens(Filter::default(), Some(3), LONG);
    assert_eq!(piece(&mut behind).await, place(3));
    let told = piece(&mut behind).await.unwrap();
    let ids: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("id: 0123456789abcdef-")).collect();
    assert_eq!(ids, ["4", "5", "6", "7", "8", "9", "10", "11"]);
    assert_eq!(host.reads(), 2);
}

#[tokio::test]
async fn who_has_fallen_behind_what_can_be_read_comes_again_and_who_is_up_to_date_waits_for_the_store() {
    let mut host = Host::start();
    host.changes().await;
    host.is_quiet().await;
    let mut behind = host.listens(Filter::default(), Some(0), LONG);
    let mut near = host.listens(Filter::default(), None, LONG);
    assert_eq!((piece(&mut behind).await, piece(&mut near).await), (place(0), place(1)));
    host.store.plan([Fault::at(Point::Read).of(ring::RING)]);
    assert_eq!(piece(&mut behind).await, None);
    host.changes().await;
    let hears = tokio::spawn(async move { piece(&mut near).await });
    while host.reads() < 2 {
        tokio::task::yield_now().await;
    }
    host.store.plan([]);
    assert!(hears.await.unwrap().is_some_and(|told| told.contains("\"revision\":2")));
}
