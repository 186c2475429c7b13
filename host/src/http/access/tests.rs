//! Who may do what: tokens, sessions and where requests come from.

use std::sync::Arc;
use std::time::Duration;

use super::super::sessions::{SESSION, SESSIONS};
use super::*;
use crate::clock::ManualClock;
use crate::domain::{Deed, Secret, Timestamp};
use crate::ledger::action_order;
use crate::store::{Fault, FaultyStore, MemoryStore, Point, Store};

#[test]
fn only_names_of_this_machine_reach_a_host_without_tokens() {
    for here in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
        assert!(names_this_machine(here), "{here}");
    }
    for there in ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1:80"] {
        assert!(!names_this_machine(there), "{there}");
    }
}

fn token(name: &str) -> Token {
    Token { name: name.into(), secret: Secret::new(name), scopes: vec![Scope::Read] }
}

struct Bench {
    clock: ManualClock,
    ledger: Ledger,
    access: Access,
}

impl Bench {
    async fn start(tokens: &[Token]) -> Self {
        let clock = ManualClock::new(Timestamp::from_millis(1_790_000_000_000));
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let access = Access::load(tokens, &ledger, &Clock::Manual(clock.clone())).await.unwrap();
        Self { clock, ledger, access }
    }

    async fn restart(self, tokens: &[Token]) -> Self {
        let access = Access::load(tokens, &self.ledger, &Clock::Manual(self.clock.clone())).await.unwrap();
        Self { access, ..self }
    }

    fn action(caller: &Caller) -> Action {
        Action { order: action_order(), ..Action::new(&caller.asker(), Deed::SignIn, Timestamp::from_millis(1)) }
    }

    /// Signs in; answers what the browser sends from now on.
    async fn sign_in(&self, token: &str) -> Option<HeaderMap> {
        let value = self.access.sign_in(token, |caller| Self::action(&caller)).await.unwrap()?;
        Some(HeaderMap::from_iter([(header::COOKIE, format!("a=b; {COOKIE}={value}").parse().unwrap())]))
    }

    fn name(&self, headers: &HeaderMap) -> Option<String> {
        self.access.caller(headers).map(|caller| caller.name)
    }

    async fn kept(&self) -> usize {
        self.ledger.console_sessions().await.unwrap().len()
    }
}

#[tokio::test]
async fn a_session_ends_and_a_wrong_token_opens_none() {
    let bench = Bench::start(&[token("ann")]).await;
    assert!(bench.sign_in("anx").await.is_none());
    let session = bench.sign_in("ann").await.unwrap();
    assert_eq!(bench.name(&session).as_deref(), Some("ann"));
    let caller = bench.access.caller(&session).unwrap();
    assert!(bench.access.stands(&caller));
    bench.clock.advance(SESSION);
    assert!(bench.name(&session).is_none() && !bench.access.stands(&caller));
    assert_eq!(bench.kept().await, 1);
    bench.access.keep().await;
    assert_eq!(bench.kept().await, 0);
}

#[tokio::test]
async fn no_session_lives_on_because_the_clock_went_back() {
    let bench = Bench::start(&[token("ann")]).await;
    let session = bench.sign_in("ann").await.unwrap();
    bench.clock.turn_back(Duration::from_secs(60));
    assert!(bench.name(&session).is_some(), "a clock that is set right");
    bench.clock.turn_back(Duration::from_secs(86_400));
    assert!(bench.name(&session).is_none(), "nobody knows how old it is");
}

#[tokio::test]
async fn whoever_signs_in_again_and_again_ends_no_session_of_others() {
    let bench = Bench::start(&[token("ann"), token("bob")]).await;
    let anns = bench.sign_in("ann").await.unwrap();
    let mut bobs = Vec::new();
    for _ in 0..2 * SESSIONS {
        bench.clock.advance(Duration::from_millis(1));
        bobs.push(bench.sign_in("bob").await.unwrap());
    }
    assert_eq!(bench.name(&anns).as_deref(), Some("ann"));
    assert_eq!(bobs.iter().filter(|session| bench.name(session).is_some()).count(), SESSIONS);
    assert_eq!(bench.kept().await, SESSIONS + 1);
}

#[tokio::test]
async fn a_session_survives_a_restart_but_not_another_secret_under_the_same_name() {
    let bench = Bench::start(&[token("ann"), token("bob")]).await;
    let (anns, bobs) = (bench.sign_in("ann").await.unwrap(), bench.sign_in("bob").await.unwrap());
    let bench = bench.restart(&[token("ann"), token("bob")]).await;
    assert_eq!((bench.name(&anns).as_deref(), bench.name(&bobs).as_deref()), (Some("ann"), Some("bob")));
    let changed = Token { secret: Secret::new("another secret"), ..token("bob") };
    let bench = bench.restart(&[token("ann"), changed]).await;
    assert_eq!((bench.name(&anns).as_deref(), bench.name(&bobs)), (Some("ann"), None));
    let bench = bench.restart(&[token("bob")]).await;
    assert!(bench.name(&anns).is_none(), "the token is gone");
    bench.access.keep().await;
    assert_eq!(bench.kept().await, 1);
}

#[tokio::test]
async fn whoever_signs_out_is_out_at_once_and_stays_so_when_the_store_takes_it_later() {
    let clock = ManualClock::new(Timestamp::from_millis(1_790_000_000_000));
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    let ledger = Ledger::new(Arc::clone(&store) as Arc<dyn Store>);
    let access = Access::load(&[token("ann")], &ledger, &Clock::Manual(clock.clone())).await.unwrap();
    let bench = Bench { clock, ledger, access };
    let session = bench.sign_in("ann").await.unwrap();
    store.plan([Fault::at(Point::BeforeCommit)]);
    assert!(bench.access.sign_out(&session, |caller| Bench::action(&caller)).await.is_err());
    assert!(bench.name(&session).is_none());
    store.plan([]);
    bench.access.keep().await;
    let bench = bench.restart(&[token("ann")]).await;
    assert!(bench.name(&session).is_none());
    assert_eq!(bench.kept().await, 0);
}

#[tokio::test]
async fn a_token_that_may_not_look_opens_no_session() {
    let bench = Bench::start(&[Token { scopes: vec![Scope::Intake], ..token("ann") }]).await;
    assert!(bench.sign_in("ann").await.is_none());
}

#[tokio::test]
async fn the_name_of_the_scheme_has_no_case() {
    let bench = Bench::start(&[token("ann"), token("bob")]).await;
    for (value, known) in [("Bearer ann", true), ("bearer ann", true), ("BEARER  bob", true), ("Basic ann", false)] {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bench.name(&headers).is_some(), known, "{value}");
    }
}

#[test]
fn an_origin_that_cannot_be_read_is_foreign() {
    let ours = |origin: &[u8]| is_ours(&HeaderValue::from_bytes(origin).unwrap(), "localhost:1");
    assert!(ours(b"http://localhost:1") && ours(b"https://LOCALHOST:1"));
    assert!(!ours(b"http://localhost:1\xe9") && !ours("http://évil".as_bytes()) && !ours(b"null") && !ours(b""));
}

#[test]
fn two_hosts_or_none_are_refused_and_http_1_0_may_name_none() {
    let request = |hosts: &[&str], version: Version| {
        let mut request = Request::default();
        *request.version_mut() = version;
        for host in hosts {
            request.headers_mut().append(header::HOST, host.parse().unwrap());
        }
        the_host(&request).map(str::to_owned).ok()
    };
    assert_eq!(request(&["here"], Version::HTTP_11).as_deref(), Some("here"));
    assert_eq!(request(&[], Version::HTTP_10).as_deref(), Some(""));
    assert_eq!(request(&[], Version::HTTP_11), None);
    assert_eq!(request(&["here", "there"], Version::HTTP_11), None);
    assert_eq!(request(&["here", "here"], Version::HTTP_10), None);
}
