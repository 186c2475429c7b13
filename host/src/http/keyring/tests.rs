//! The mirror of the tokens: what opens, what does not, and what is written of it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::clock::ManualClock;
use crate::domain::{Asker, Deed, Secret, TokenScope, Via, api_token_text};
use crate::ledger::ActionFilter;
use crate::store::{Fault, FaultyStore, MemoryStore, Point, Range, Store};

const FIRST: u64 = 1_790_000_000_000;

struct Bench {
    store: Arc<FaultyStore>,
    clock: ManualClock,
    keyring: Keyring,
}

fn configured() -> Token {
    Token { name: "ops".into(), secret: Secret::new("a-configured-secret"), scopes: vec![TokenScope::Tokens] }
}

async fn bench() -> Bench {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    let clock = ManualClock::new(Timestamp::from_millis(FIRST));
    let keyring = loaded(&store, &clock).await;
    Bench { store, clock, keyring }
}

async fn loaded(store: &Arc<FaultyStore>, clock: &ManualClock) -> Keyring {
    let ledger = Ledger::new(Arc::clone(store) as Arc<dyn Store>);
    Keyring::load(&[configured()], ledger, Clock::Manual(clock.clone())).await.unwrap()
}

/// The token with this number, and its text.
fn token(number: u8, at: Timestamp) -> (ApiToken, String) {
    let text = api_token_text(&[number; 64]).unwrap();
    let token = ApiToken {
        id: ApiTokenId::made(at, number.into()),
        name: format!("robot {number}"),
        hash: hex::encode(hash(&text)),
        scopes: [TokenScope::Read].into(),
        orgs: None,
        made_by: "ops".to_owned(),
        made_by_token: None,
        made_at: at,
        expires_at: None,
        revoked_at: None,
        revoked_by: None,
    };
    (token, text)
}

fn action(bench: &Bench, what: Deed) -> Action {
    let asker = Asker::new("ops", Via::Api, None);
    Action {
        order: crate::ledger::action_order(),
        ..Action::new(&asker, what, Clock::Manual(bench.clock.clone()).now())
    }
}

impl Bench {
    fn now(&self) -> Timestamp {
        Clock::Manual(self.clock.clone()).now()
    }

    async fn make(&self, token: ApiToken) -> Making {
        self.keyring.make(token, &action(self, Deed::TokenMake)).await.unwrap()
    }

    async fn revoke(&self, id: &ApiTokenId) -> Result<bool, Error> {
        self.keyring.revoke(id, &[], "ops", action(self, Deed::TokenRevoke)).await
    }

    async fn actions(&self, what: Deed) -> usize {
        let ledger = Ledger::new(Arc::clone(&self.store) as Arc<dyn Store>);
        let filter = ActionFilter { what: Some(what), ..ActionFilter::default() };
        ledger.actions(&filter, None, 500).await.unwrap().actions.len()
    }

    async fn keys(&self, prefix: &str) -> usize {
        self.store.range(Range::of(prefix, 20_000).keys_only()).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_token_opens_from_its_making_to_its_revoking_and_after_a_restart() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    assert!(bench.keyring.find(&text).is_none());
    assert_eq!(bench.make(made.clone()).await, Making::Done);
    assert_eq!(bench.keyring.find(&text).unwrap().token, made);
    assert!(bench.keyring.find("a-configured-secret").unwrap().of_configuration);
    let again = loaded(&bench.store, &bench.clock).await;
    assert_eq!(again.find(&text).unwrap().token, made);
    assert!(bench.revoke(&made.id).await.unwrap());
    assert!(bench.keyring.find(&text).is_none() && !bench.keyring.stands(&made.id));
    let again = loaded(&bench.store, &bench.clock).await;
    assert!(again.find(&text).is_none());
    assert_eq!(again.get(&made.id).unwrap().token.revoked_by.as_deref(), Some("ops"));
}

#[tokio::test]
async fn a_token_that_was_revoked_a_moment_ago_makes_no_other_one() {
    let bench = bench().await;
    let (maker, _) = token(1, bench.now());
    bench.make(maker.clone()).await;
    let child = |number| ApiToken { made_by_token: Some(maker.id.clone()), ..token(number, bench.now()).0 };
    assert_eq!(bench.make(child(2)).await, Making::Done);
    bench.revoke(&maker.id).await.unwrap();
    assert_eq!(bench.make(child(3)).await, Making::MakerEnded);
    assert_eq!(bench.keys("api-token/").await, 2);
}

#[tokio::test]
async fn what_is_revoked_by_many_at_once_is_revoked_by_one_of_them() {
    let bench = bench().await;
    let (made, _) = token(1, bench.now());
    bench.make(made.clone()).await;
    let answers = join_all((0..10).map(|_| bench.revoke(&made.id))).await;
    assert_eq!(answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count(), 1);
    assert_eq!(bench.actions(Deed::TokenRevoke).await, 1);
}

#[tokio::test]
async fn what_the_store_does_not_take_is_revoked_all_the_same_and_written_when_it_is_asked_again() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    bench.make(made.clone()).await;
    bench.store.plan([Fault::at(Point::BeforeCommit)]);
    assert!(bench.revoke(&made.id).await.is_err());
    assert!(bench.keyring.find(&text).is_none(), "at once");
    bench.store.plan([]);
    assert!(loaded(&bench.store, &bench.clock).await.find(&text).is_some(), "the store knows nothing of it");
    assert!(bench.revoke(&made.id).await.unwrap());
    assert!(loaded(&bench.store, &bench.clock).await.find(&text).is_none());
    assert!(!bench.revoke(&made.id).await.unwrap(), "once is enough");
}

#[tokio::test]
async fn what_the_store_does_not_take_is_not_made() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    bench.store.plan([Fault::at(Point::BeforeCommit)]);
    assert!(bench.keyring.make(made, &action(&bench, Deed::TokenMake)).await.is_err());
    bench.store.plan([]);
    assert!(bench.keyring.find(&text).is_none());
    assert_eq!((bench.keys("api-token/").await, bench.actions(Deed::TokenMake).await), (0, 0));
}

#[tokio::test]
async fn what_was_made_and_not_answered_opens_nothing_that_anybody_knows_and_is_listed_after_a_restart() {
    let bench = bench().await;
    let (made, _) = token(1, bench.now());
    bench.store.plan([Fault::at(Point::AfterCommit)]);
    assert!(bench.keyring.make(made.clone(), &action(&bench, Deed::TokenMake)).await.is_err());
    bench.store.plan([]);
    assert!(bench.keyring.get(&made.id).is_none());
    assert!(loaded(&bench.store, &bench.clock).await.get(&made.id).is_some(), "who looks after tokens sees it");
    assert_eq!(bench.actions(Deed::TokenMake).await, 1);
}

#[tokio::test]
async fn what_has_expired_opens_nothing_also_where_the_clock_goes_back_and_the_host_starts_again() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    let made = ApiToken { expires_at: Some(bench.now().after(Duration::from_secs(60))), ..made };
    bench.make(made.clone()).await;
    bench.clock.advance(Duration::from_millis(59_999));
    assert!(bench.keyring.find(&text).is_some());
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.keyring.find(&text).is_none(), "to the millisecond");
    bench.keyring.keep_uses().await;
    bench.clock.turn_back(Duration::from_secs(3_000));
    assert!(bench.keyring.find(&text).is_none() && !bench.keyring.stands(&made.id));
    assert!(loaded(&bench.store, &bench.clock).await.find(&text).is_none());
}

#[tokio::test]
async fn when_tokens_were_used_is_one_commit_and_none_while_none_is_used() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    bench.make(made.clone()).await;
    bench.keyring.keep_uses().await;
    assert_eq!(bench.keys("api-token-use/").await, 0);
    for _ in 0..1_000 {
        bench.keyring.find(&text);
        bench.keyring.find("a-configured-secret");
    }
    assert_eq!(bench.keys("api-token-use/").await, 0, "no request waits for that");
    bench.keyring.keep_uses().await;
    assert_eq!(bench.keys("api-token-use/").await, 2);
    // Nothing was used since: a store that takes nothing is not asked.
    bench.store.plan([Fault::at(Point::BeforeCommit)]);
    bench.keyring.keep_uses().await;
    bench.store.plan([]);
    bench.clock.advance(Duration::from_secs(60));
    let again = loaded(&bench.store, &bench.clock).await;
    assert_eq!(again.get(&made.id).unwrap().used_at(), Some(Timestamp::from_millis(FIRST)));
    // Of a token that is gone, it is forgotten.
    let mut batch = crate::store::Batch::default();
    batch.delete(format!("api-token/{}", made.id));
    bench.store.commit(batch).await.unwrap();
    loaded(&bench.store, &bench.clock).await.keep_uses().await;
    assert_eq!(bench.keys("api-token-use/").await, 1);
}

#[tokio::test]
async fn a_token_that_is_misspelt_or_cannot_be_read_opens_nothing_and_the_others_do() {
    let bench = bench().await;
    for number in 1..=2 {
        bench.make(token(number, bench.now()).0).await;
    }
    let (first, text) = token(1, bench.now());
    for bad in ["", "swy_", &text[..41], &format!("{text}\0"), &text.replace("swy_", "swy-"), &"x".repeat(100_000)] {
        assert!(bench.keyring.find(bad).is_none(), "{bad}");
    }
    let mut batch = crate::store::Batch::default();
    batch.put(format!("api-token/{}", first.id), "{\"2\":{\"id\":7}}");
    bench.store.commit(batch).await.unwrap();
    let again = loaded(&bench.store, &bench.clock).await;
    assert!(again.find(&text).is_none() && again.find(&token(2, bench.now()).1).is_some());
    let ledger = Ledger::new(Arc::clone(&bench.store) as Arc<dyn Store>);
    let verified = ledger.verify(|_| ()).await.unwrap();
    assert_eq!(verified.differences, 1, "{verified:?}");
}

#[tokio::test]
async fn there_are_so_many_tokens_and_no_more_and_what_ended_makes_place() {
    let bench = bench().await;
    let numbered = |number: u32| {
        let (token, _) = token(1, bench.now());
        ApiToken { id: ApiTokenId::made(bench.now(), number.into()), hash: format!("{number:064x}"), ..token }
    };
    let made = action(&bench, Deed::TokenMake);
    let (first, second, most) = (numbered(0), numbered(1), u32::try_from(MOST).unwrap());
    let mut batch = crate::store::Batch::default();
    for number in 0..most {
        let token = numbered(number);
        batch.put(format!("api-token/{}", token.id), serde_json::json!({ "2": token }).to_string());
    }
    bench.store.commit(batch).await.unwrap();
    let full = loaded(&bench.store, &bench.clock).await;
    assert_eq!(full.make(numbered(most), &made).await.unwrap(), Making::Full);
    let ids: BTreeSet<_> = full.list(None, 20_000, |_| true).iter().map(|kept| kept.token.id.clone()).collect();
    assert_eq!(ids.len(), MOST + 1, "and that of the configuration");
    let mut paged = BTreeSet::new();
    let mut after = None;
    loop {
        let page = full.list(after.as_ref(), 500, |_| true);
        let Some(last) = page.last() else { break };
        after = Some(last.token.id.clone());
        paged.extend(page.iter().map(|kept| kept.token.id.clone()));
    }
    assert_eq!(paged, ids);
    full.revoke(&first.id, &[], "ops", action(&bench, Deed::TokenRevoke)).await.unwrap();
    // It is past for certain.
    bench.clock.advance(Duration::from_secs(60));
    full.keep_uses().await;
    assert_eq!(full.make(numbered(most), &made).await.unwrap(), Making::Done);
    assert!(full.get(&first.id).is_none() && full.get(&second.id).is_some());
    assert_eq!(bench.keys("api-token/").await, MOST);
}

#[tokio::test]
async fn a_clock_that_is_a_year_ahead_for_a_moment_forgets_no_token_that_expires_until_then() {
    let bench = bench().await;
    let (made, text) = token(1, bench.now());
    let expires_at = Some(bench.now().after(Duration::from_secs(7 * 86_400)));
    bench.make(ApiToken { expires_at, ..made }).await;
    bench.clock.advance(Duration::from_secs(365 * 86_400));
    assert!(bench.keyring.find(&text).is_none());
    bench.make(token(2, bench.now()).0).await;
    bench.clock.turn_back(Duration::from_secs(365 * 86_400));
    assert!(bench.keyring.find(&text).is_some());
}
