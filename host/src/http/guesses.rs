//! Wrong tokens: each is answered a little later than the one before, and those who look after the host hear of it. A
//! right one never waits.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};

use super::problem::{Kind, Problem};
use super::refused::Refused;
use super::serving::Peer;
use crate::clock::Clock;
use crate::domain::{Timestamp, Via};
use crate::ledger::Ledger;
use crate::telemetry::{Metrics, Wrong};

/// One wrong token is answered each so much time, whoever sent it: behind a proxy all have one address.
const EACH: Duration = Duration::from_millis(100);
/// Wrong tokens that wait for their answer; further ones are refused unheard.
const WAITING: usize = 50;
/// The log tells of wrong tokens so often at the most.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Guesses {
    each: Duration,
    waiting: Semaphore,
    turn: Mutex<()>,
    told: std::sync::Mutex<Told>,
    /// The same, on record as actions.
    pub(super) refused: Refused,
    clock: Clock,
    metrics: Metrics,
}

#[derive(Default)]
struct Told {
    last: Option<Timestamp>,
    /// How many the log has not told of.
    untold: u64,
}

impl Guesses {
    pub(super) fn new(clock: Clock, metrics: Metrics, ledger: Ledger) -> Self {
        let (waiting, turn, told) = (Semaphore::new(WAITING), Mutex::default(), std::sync::Mutex::default());
        Self { each: EACH, waiting, turn, told, refused: Refused::new(ledger), clock, metrics }
    }

    /// Returns when a wrong token may be answered.
    ///
    /// # Errors
    /// When too many wait for that.
    pub(super) async fn wrong(&self, via: Via, from: Option<Peer>) -> Result<(), Problem> {
        let at = match via {
            Via::Api | Via::Folder | Via::Host => "the API",
            Via::Console => "the console",
        };
        self.metrics.wrong_tokens.get_or_create(&Wrong { at }).inc();
        self.tell(at, from);
        self.refused.note(via, from.map(|Peer(address)| address.ip()), self.clock.now()).await;
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| Problem::new(Kind::TooManyWrongTokens, "wait before the next one is tried"))?;
        let _turn = self.turn.lock().await;
        tokio::time::sleep(self.each).await;
        Ok(())
    }

    fn tell(&self, at: &'static str, from: Option<Peer>) {
        let now = self.clock.now();
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        told.untold += 1;
        if told.last.is_none_or(|last| now < last || now.since(last) >= TELL_EVERY) {
            let tokens = std::mem::take(&mut told.untold);
            told.last = Some(now);
            drop(told);
            let from = from.map_or_else(|| "somewhere".to_owned(), |Peer(address)| address.ip().to_string());
            tracing::warn!(tokens, at, from, "wrong tokens were given");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use futures_util::future::join_all;

    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test]
    async fn wrong_tokens_wait_for_one_another_and_no_more_than_some_do() {
        let (clock, metrics) = (ManualClock::new(Timestamp::from_millis(1)), Metrics::default());
        let each = Duration::from_millis(1);
        let ledger = Ledger::new(std::sync::Arc::new(crate::store::MemoryStore::default()));
        let guesses = Guesses { each, ..Guesses::new(Clock::Manual(clock), metrics.clone(), ledger) };
        let answers = join_all((0..WAITING + 10).map(|_| guesses.wrong(Via::Api, None))).await;
        let refused: Vec<_> = answers.into_iter().filter_map(Result::err).map(|problem| problem.status()).collect();
        assert_eq!(refused, [StatusCode::TOO_MANY_REQUESTS; 10]);
        assert!(metrics.render().contains("switchyard_wrong_tokens_total{at=\"the API\"} 60"), "{}", metrics.render());
        assert_eq!(guesses.told.lock().unwrap().untold, 59, "the log told of the first");
        assert!(guesses.wrong(Via::Api, None).await.is_ok());
    }
}
