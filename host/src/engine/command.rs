//! What people ask of a lane. What is asked about one sync error is committed with its effect and answered as of that commit.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Error;
use super::attempt::newest;
use super::turn::Turn;
use crate::domain::{
    Action, Asker, Cause, Change, ConversationId, Deed, Event, Failure, Operation, Phase, Refusal, SyncError,
    SyncErrorId, Verdict, Work,
};
use crate::ledger::{Quarantined, action_order};

/// Asked of a lane.
pub(super) enum Command {
    /// About one sync error.
    Error { id: SyncErrorId, conversation: ConversationId, ask: Ask, by: Asker, reply: Reply<SyncError> },
    /// A conversation that waits for the end of an incident is not to be synchronized.
    IgnoreParked { conversation: ConversationId, by: Asker, reason: String, reply: Reply<SyncError> },
    /// Another attempt at every sync error that is open.
    RetryAll { by: Asker, reply: Reply<u64> },
    /// The cause of an incident is gone, somebody says: probe now. Answers how many conversations are parked.
    Lift { action: Box<Action>, reply: Reply<u64> },
    /// Forget some of what is older than so long; `first` begins a round.
    Forget { keep: Duration, first: bool, reply: Reply<usize> },
}

/// An entry of the quarantine is to go back under its key.
pub(super) struct PutBack {
    pub(super) entry: Quarantined,
    /// Who asked for it.
    pub(super) action: Option<Action>,
    pub(super) reply: Reply<()>,
}

/// What is asked about a sync error.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Retry,
    Ignore(String),
    Reopen,
}

impl Ask {
    const fn deed(&self) -> Deed {
        match self {
            Self::Retry => Deed::Retry,
            Self::Ignore(_) => Deed::Ignore,
            Self::Reopen => Deed::Reopen,
        }
    }
}

/// Where the answer goes; whoever asked may have gone.
pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Tells whoever asked; called when what was asked is durable.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

impl Command {
    /// Whether it says that the cause of an incident is gone.
    pub(super) const fn lifts(&self) -> bool {
        matches!(self, Self::Error { ask: Ask::Retry, .. } | Self::RetryAll { .. } | Self::Lift { .. })
    }

    /// The conversation that has to be loaded for it.
    pub(super) const fn conversation(&self) -> Option<&ConversationId> {
        match self {
            Self::Error { conversation, .. } | Self::IgnoreParked { conversation, .. } => Some(conversation),
            _ => None,
        }
    }
}

impl Turn<'_> {
    /// Does what is asked about a sync error, if its state allows that; answers how it stands then.
    pub(super) fn ask(
        &mut self,
        id: &SyncErrorId,
        conversation: &ConversationId,
        ask: &Ask,
        asker: &Asker,
    ) -> Result<SyncError, Error> {
        let by = asker.name.clone();
        let error = self.sync_error(id).ok_or_else(|| Error::NoSuchError(id.clone()))?;
        let (change, event) = match ask {
            Ask::Retry => (Change::Retry { by: by.clone() }, Event::RetryAsked { by, work: Work::Due }),
            Ask::Ignore(reason) => {
                let reason = reason.clone();
                let change = Change::Ignore { by: by.clone(), reason: reason.clone() };
                (change, Event::IgnoreAsked { by, reason })
            }
            Ask::Reopen => (Change::Reopen { by: by.clone() }, Event::ReopenAsked { by }),
        };
        error.allows(&change)?;
        self.step(conversation, event);
        let action = self.action(asker, ask.deed()).about(id);
        self.commit.actions.push(match ask {
            Ask::Ignore(reason) => action.because(reason),
            Ask::Retry | Ask::Reopen => action,
        });
        self.sync_error(id).cloned().ok_or_else(|| Error::NoSuchError(id.clone()))
    }

    /// Ignores a conversation that waits for the end of an incident: its sync error has the incident's refusal.
    pub(super) fn ignore_parked(
        &mut self,
        id: &ConversationId,
        by: &Asker,
        reason: &str,
        refusal: Option<&Refusal>,
    ) -> Result<SyncError, Error> {
        let delivery = self.delivery(id);
        let (Phase::Parked { .. }, Some(refusal)) = (delivery.phase, refusal) else {
            return Err(Error::NotParked(id.clone()));
        };
        if delivery.open.is_none() {
            let message = self.conversation(id).map(newest).ok_or_else(|| Error::NotParked(id.clone()))?;
            let (refusal, affected) = (refusal.clone(), vec![message.clone()]);
            let failure = Failure {
                error: delivery.error_id(self.org, id),
                group: Cause::new(self.org, &refusal).identify().id,
                message,
                affected,
                records: delivery.records,
                refusal,
                verdict: Verdict::Hold,
                judged_by: None,
                parks: false,
                jitter: 0,
            };
            self.step(id, Event::Started);
            self.step(id, Event::Failed(Box::new(failure)));
        }
        self.step(id, Event::IgnoreAsked { by: by.name.clone(), reason: reason.to_owned() });
        let open = self.delivery(id).open.and_then(|open| self.sync_error(&open.id).cloned());
        let open = open.ok_or_else(|| Error::NotParked(id.clone()))?;
        self.commit.actions.push(self.action(by, Deed::IgnoreParked).about(id).because(reason));
        Ok(open)
    }

    /// Begins to retry everything that is open, and what is parked; answers how much that is.
    pub(super) fn retry_all(&mut self, by: &Asker) -> u64 {
        let open = self.state.errors.pending + self.state.errors.retrying;
        if open > 0 {
            self.state.operations += 1;
            let operation = Operation::retry_all(by.name.clone(), self.now.max(self.state.highest), open);
            self.commit.operations.push((self.state.operations, Some(operation)));
        }
        let count = open + self.state.phases.parked;
        self.commit.actions.push(self.action(by, Deed::RetryAll).counting(count));
        count
    }

    /// An action about the organization, of this turn.
    fn action(&self, by: &Asker, what: Deed) -> Action {
        let order = action_order(self.commit.actions.len());
        Action { order, ..Action::new(by, what, self.now).of(self.org) }
    }
}
