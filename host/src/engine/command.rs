//! What people ask of a lane. What is asked about one sync error is committed with its effect and answered as of that commit.

use std::time::Duration;

use tokio::sync::oneshot;

use super::Error;
use super::attempt::{affected, newest};
use super::choosing::Choosing;
use super::turn::Turn;
use crate::domain::{
    Action, Annotation, Asker, Cause, Change, ConversationId, Deed, Event, Expected, Failure, Fingerprint, Group,
    OpenError, Operation, OperationStatus, Phase, Refusal, SyncError, SyncErrorId, Verdict,
};
use crate::ledger::{Quarantined, action_order};

/// Asked of a lane.
pub(super) enum Command {
    /// About one sync error.
    Error {
        id: SyncErrorId,
        conversation: ConversationId,
        ask: Ask,
        by: Asker,
        /// The span of the request.
        trace: Option<String>,
        reply: Reply<SyncError>,
    },
    /// Which contact the customer of a conversation is.
    Choose {
        asked: Box<Choosing>,
        by: Asker,
        /// The span of the request.
        trace: Option<String>,
        reply: Reply<SyncError>,
    },
    /// A conversation that waits for the end of an incident is not to be synchronized.
    IgnoreParked { conversation: ConversationId, by: Asker, reason: String, reply: Reply<SyncError> },
    /// What people put to a cause.
    Annotate {
        group: Fingerprint,
        expected: Expected,
        annotations: Vec<Annotation>,
        action: Box<Action>,
        reply: Reply<Group>,
    },
    /// Something is begun over many sync errors; its number and its time are given to it here.
    Begin { operation: Box<Operation>, action: Box<Action>, reply: Reply<Operation> },
    /// An operation is paused, resumed or cancelled.
    Change { number: u64, status: OperationStatus, action: Box<Action>, reply: Reply<Operation> },
    /// The cause of an incident is gone, somebody says: probe now. Answers how many conversations are parked.
    Lift { action: Option<Box<Action>>, reply: Reply<u64> },
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
    pub(super) fn lifts(&self) -> bool {
        match self {
            Self::Error { ask: Ask::Retry, .. } | Self::Lift { .. } => true,
            Self::Begin { operation, .. } => operation.task.sends(),
            _ => false,
        }
    }

    /// The cause that has to be loaded for it.
    pub(super) const fn group(&self) -> Option<&Fingerprint> {
        match self {
            Self::Annotate { group, .. } => Some(group),
            _ => None,
        }
    }

    /// The conversation that has to be loaded for it.
    pub(super) fn conversation(&self) -> Option<&ConversationId> {
        match self {
            Self::Error { conversation, .. } | Self::IgnoreParked { conversation, .. } => Some(conversation),
            Self::Choose { asked, .. } => Some(&asked.error.conversation),
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
            Ask::Retry => (Change::Retry { by: by.clone() }, Event::RetryAsked { by, operation: None }),
            Ask::Ignore(reason) => {
                let reason = reason.clone();
                let change = Change::Ignore { by: by.clone(), reason: reason.clone(), operation: None };
                (change, Event::IgnoreAsked { by, reason, operation: None })
            }
            Ask::Reopen => (Change::Reopen { by: by.clone() }, Event::ReopenAsked { by }),
        };
        error.allows(&change)?;
        self.step_as_asked(conversation, event, asker.request.known());
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
        // What came since its sync error failed, or was ignored, is ignored with it: so it fails first.
        let covers = |open: &OpenError| open.version.max(open.ignored_at) >= delivery.wanted;
        if !delivery.open.as_ref().is_some_and(covers) {
            let conversation = self.conversation(id).ok_or_else(|| Error::NotParked(id.clone()))?;
            let message = newest(conversation);
            let (refusal, affected) = (refusal.clone(), affected(conversation, delivery.delivered.as_ref()));
            let failure = Failure {
                error: delivery.error_id(self.org, id),
                group: Cause::new(self.org, &refusal).identify().id,
                message,
                affected,
                records: delivery.records,
                refusal,
                verdict: Verdict::Hold,
                judged_by: None,
                ignored_by: None,
                held: None,
                parks: false,
                jitter: 0,
            };
            self.step(id, Event::Started);
            self.step(id, Event::Failed(Box::new(failure)));
        }
        let event = Event::IgnoreAsked { by: by.name.clone(), reason: reason.to_owned(), operation: None };
        self.step_as_asked(id, event, by.request.known());
        let open = self.delivery(id).open.and_then(|open| self.sync_error(&open.id).cloned());
        let open = open.ok_or_else(|| Error::NotParked(id.clone()))?;
        self.commit.actions.push(self.action(by, Deed::IgnoreParked).about(id).because(reason));
        Ok(open)
    }

    /// Puts something to a cause; answers how it stands then.
    pub(super) fn annotate(
        &mut self,
        id: &Fingerprint,
        expected: &Expected,
        annotations: Vec<Annotation>,
    ) -> Result<Group, Error> {
        let known = self.groups.get(id).or_else(|| self.loaded.groups.get(id));
        let mut group = known.cloned().ok_or_else(|| Error::NoSuchGroup(id.clone()))?;
        expected.check(Some(&group.tag()))?;
        annotations.into_iter().for_each(|annotation| group.annotate(annotation));
        self.groups.insert(id.clone(), group.clone());
        Ok(group)
    }

    /// An action about the organization, of this turn.
    pub(super) fn action(&self, by: &Asker, what: Deed) -> Action {
        Action { order: action_order(), ..Action::new(by, what, self.now).of(self.org) }
    }
}
