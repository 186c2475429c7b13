//! What people ask of a lane: retry, ignore, reopen, and retry all that is pending.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::Error;
use super::turn::Turn;
use crate::domain::{Change, Class, Event, MessageId, State, SyncErrorId, Timestamp};
use crate::store::{self, ErrorFilter};

/// Asked of a lane by a person.
pub(super) enum Command {
    Retry {
        error: SyncErrorId,
        by: String,
        reply: Reply<()>,
    },
    Ignore {
        error: SyncErrorId,
        by: String,
        reason: String,
        reply: Reply<()>,
    },
    Reopen {
        error: SyncErrorId,
        by: String,
        reply: Reply<()>,
    },
    /// Of this class only what is pending, else everything that is not over.
    RetryAll {
        class: Option<Class>,
        by: String,
        reply: Reply<u64>,
    },
    /// Not a person's wish but an administrator's: forget some of what is older.
    Sweep {
        before: Timestamp,
        reply: Reply<usize>,
    },
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Tells whoever asked; called when what was asked is durable.
pub(super) type Answer = Box<dyn FnOnce() + Send>;

impl Command {
    /// Whether it lifts what holds the organization back: a person's retry does, and what mended that very class.
    pub(super) fn lifts(&self, held_by: Option<Class>) -> bool {
        match self {
            Self::Retry { .. } | Self::RetryAll { class: None, .. } => true,
            Self::RetryAll { class, .. } => held_by == *class,
            Self::Ignore { .. } | Self::Reopen { .. } | Self::Sweep { .. } => false,
        }
    }

    /// Does what was asked; a retry-all only begins.
    pub(super) fn obey(self, turn: &mut Turn<'_>, all: &mut RetryingAll) -> Result<Option<Answer>, store::Error> {
        let (reply, answer) = match self {
            Self::Retry { error, by, reply } => (reply, retry(turn, &error, by)?),
            Self::Ignore { error, by, reason, reply } => {
                let change = Change::Ignore { by: by.clone(), reason: reason.clone() };
                let event = |_| Event::IgnoreAsked { error: error.clone(), by, reason };
                (reply, asked(turn, &error, &change, event)?)
            }
            Self::Reopen { error, by, reply } => {
                let change = Change::Reopen { by: by.clone() };
                let event = |message| Event::ReopenAsked { error: error.clone(), message, by };
                (reply, asked(turn, &error, &change, event)?)
            }
            Self::Sweep { before, reply } => {
                let looked_at = turn.sweep(before)?;
                return Ok(Some(Box::new(move || drop(reply.send(Ok(looked_at))))));
            }
            Self::RetryAll { class, by, reply } => {
                let count = all.begin(turn, class, &by)?;
                all.0.push_back(Step::Reply(reply, count));
                return Ok(None);
            }
        };
        Ok(Some(Box::new(move || drop(reply.send(answer)))))
    }
}

/// Retry-alls that are under way: so much is retried in one turn, so that a large one delays nothing else for long.
#[derive(Default)]
pub(super) struct RetryingAll(VecDeque<Step>);

enum Step {
    Retry(SyncErrorId, String),
    Reply(Reply<u64>, u64),
}

impl RetryingAll {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sync errors whose turn has not come, and people who wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Notes what is to be retried: of a class what is pending, else everything that is not over. Answers how many.
    pub(super) fn begin(&mut self, turn: &Turn<'_>, class: Option<Class>, by: &str) -> Result<u64, store::Error> {
        let mut count = 0;
        let states: &[State] = if class.is_some() { &[State::Pending] } else { &[State::Pending, State::Retrying] };
        for state in states {
            let filter = ErrorFilter { org: Some(turn.org.clone()), state: Some(*state), class };
            let mut cursor = None;
            loop {
                let page = turn.records.sync_errors(&filter, cursor.as_deref(), 500)?;
                count += page.items.len() as u64;
                self.0.extend(page.items.into_iter().map(|error| Step::Retry(error.id, by.to_owned())));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Retries up to so many; answers whoever's last one was among them.
    pub(super) fn go_on(&mut self, turn: &mut Turn<'_>, most: usize) -> Result<Vec<Answer>, store::Error> {
        let mut answers: Vec<Answer> = Vec::new();
        for _ in 0..most {
            match self.0.pop_front() {
                None => break,
                // One that got through meanwhile needs no retry.
                Some(Step::Retry(error, by)) => drop(retry(turn, &error, by)?),
                Some(Step::Reply(reply, count)) => answers.push(Box::new(move || drop(reply.send(Ok(count))))),
            }
        }
        Ok(answers)
    }
}

fn retry(turn: &mut Turn<'_>, error: &SyncErrorId, by: String) -> Result<Result<(), Error>, store::Error> {
    let change = Change::Retry { by: by.clone() };
    asked(turn, error, &change, |_| Event::RetryAsked { error: error.clone(), by })
}

/// Moves the delivery of a sync error, if the sync error allows the change.
fn asked(
    turn: &mut Turn<'_>,
    id: &SyncErrorId,
    change: &Change,
    event: impl FnOnce(MessageId) -> Event,
) -> Result<Result<(), Error>, store::Error> {
    let Some(error) = turn.sync_error(id)? else { return Ok(Err(Error::NoSuchError(id.clone()))) };
    if let Err(no) = error.allows(change) {
        return Ok(Err(no.into()));
    }
    turn.step(&error.conversation, event(error.message))?;
    Ok(Ok(()))
}
