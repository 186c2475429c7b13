//! What a lane has on its way: attempts and probes, each of which ends, also one that panics.

use std::collections::{HashMap, HashSet};

use futures_util::future::BoxFuture;
use tokio::task::{Id, JoinError, JoinSet};

use crate::domain::{ConversationId, MessageId, Refusal};
use crate::engine::attempt::Outcome;

/// An attempt on its way.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) id: ConversationId,
    /// The newest message of what is attempted.
    pub(super) message: MessageId,
    /// Every message that has not got through, the newest last.
    pub(super) affected: Vec<MessageId>,
}

/// What came to its end.
#[derive(Debug)]
pub(super) enum Landed {
    /// An attempt; `None` where it broke off.
    Attempt(Flight, Option<Outcome>),
    /// A probe without a conversation; `None` where it broke off.
    Probe(Option<Result<(), Refusal>>),
}

enum Ended {
    Attempt(Option<Outcome>),
    Probe(Result<(), Refusal>),
}

/// Everything on its way.
#[derive(Default)]
pub(super) struct Flights {
    tasks: JoinSet<Ended>,
    attempts: HashMap<Id, Flight>,
    ids: HashSet<ConversationId>,
}

impl Flights {
    pub(super) fn begin(&mut self, flight: Flight, attempt: BoxFuture<'static, Option<Outcome>>) {
        self.ids.insert(flight.id.clone());
        let task = self.tasks.spawn(async move { Ended::Attempt(attempt.await) });
        self.attempts.insert(task.id(), flight);
    }

    pub(super) fn probe(&mut self, probe: BoxFuture<'static, Result<(), Refusal>>) {
        self.tasks.spawn(async move { Ended::Probe(probe.await) });
    }

    /// Attempts on their way.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The conversations on their way.
    pub(super) const fn ids(&self) -> &HashSet<ConversationId> {
        &self.ids
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The next one that ends; `None` where nothing is on its way.
    pub(super) async fn next(&mut self) -> Option<Landed> {
        let ended = self.tasks.join_next_with_id().await?;
        Some(self.landed(ended))
    }

    /// One that has ended already.
    pub(super) fn try_next(&mut self) -> Option<Landed> {
        let ended = self.tasks.try_join_next_with_id()?;
        Some(self.landed(ended))
    }

    /// Gives up what is on its way.
    pub(super) async fn abort(&mut self) {
        self.tasks.shutdown().await;
        self.attempts.clear();
        self.ids.clear();
    }

    fn landed(&mut self, ended: Result<(Id, Ended), JoinError>) -> Landed {
        let (task, ended) = match ended {
            Ok((task, ended)) => (task, Some(ended)),
            Err(error) => {
                tracing::error!(%error, "an attempt broke off");
                (error.id(), None)
            }
        };
        let Some(flight) = self.attempts.remove(&task) else {
            return Landed::Probe(match ended {
                Some(Ended::Probe(answer)) => Some(answer),
                Some(Ended::Attempt(_)) | None => None,
            });
        };
        self.ids.remove(&flight.id);
        match ended {
            Some(Ended::Attempt(outcome)) => Landed::Attempt(flight, outcome),
            Some(Ended::Probe(_)) | None => Landed::Attempt(flight, None),
        }
    }
}
