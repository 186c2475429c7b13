//! Forgets what is older than an administrator wants it kept, a little at a time.

use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::command::Command;
use super::erase::History;
use super::turn::Turn;
use super::{Engine, Error};
use crate::domain::{ConversationId, Fingerprint, OperationId, Phase, State, SyncError, Timestamp};
use crate::ledger::{Forgotten, Ledger};
use crate::store;
use crate::troubles::Trouble;

/// The kind of trouble that it is when nothing can be forgotten, and what has it.
const TROUBLE: &str = "retention";
const SETTING: &str = "store.keep_days";
/// Conversations, and sync errors, that are looked at in one turn.
const MOST: usize = 50;
/// Actions that are forgotten with one commit, and commits of one round.
const ACTIONS: usize = 500;
const ACTION_COMMITS: usize = 100;
/// Entries of the quarantine that are forgotten with one commit.
const QUARANTINED: usize = 10_000;
/// How often is looked for what has become too old.
const EVERY: Duration = Duration::from_secs(3600);
/// So long a lane may take for one part of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far the time by which is forgotten moves ahead in one round: a clock that is years ahead for a while forgets nothing
/// much, and a host that was off for long catches up within some hours.
const STEP: Duration = Duration::from_secs(24 * 3600);

/// Looks for it in every organization that has records, again and again.
pub(super) async fn run(engine: std::sync::Arc<Engine>, keep: Duration, mut stopping: watch::Receiver<bool>) {
    // The time by which actions are forgotten; those of a lane have one on record.
    let mut by = Timestamp::default();
    loop {
        let now = engine.clock.now();
        let round = async {
            forget_actions(&engine, keep, &mut by, now).await?;
            forget_quarantined(&engine, before(by, keep)).await?;
            everywhere(&engine, keep).await
        };
        match round.await {
            Ok(()) => engine.troubles.cure(TROUBLE, None, SETTING),
            Err(error) => {
                tracing::error!(%error, "what is too old could not be forgotten");
                let what = format!("what is too old could not be forgotten: {error}");
                let cure = "it is tried again every hour; find out why the store cannot be read or written";
                engine.troubles.raise(Trouble::new(TROUBLE, SETTING, &what, cure, now));
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = engine.clock.sleep_until(now.after(EVERY)) => {}
        }
    }
}

/// Forgets what requests with an idempotency key were answered with a day ago, again and again.
pub(super) async fn forget_answers(engine: std::sync::Arc<Engine>, mut stopping: watch::Receiver<bool>) {
    loop {
        let now = engine.clock.now();
        if let Err(error) = engine.ledger.forget_answers(now).await {
            tracing::error!(%error, "answers to requests of a day ago could not be forgotten; it is tried again in an hour");
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = engine.clock.sleep_until(now.after(EVERY)) => {}
        }
    }
}

async fn everywhere(engine: &Engine, keep: Duration) -> Result<(), Error> {
    for lane in engine.lanes.values() {
        let mut first = true;
        loop {
            let (reply, answer) = oneshot::channel();
            lane.commands.send(Command::Forget { keep, first, reply }).await.map_err(|_| Error::Stopping)?;
            // A lane that cannot write answers when it can again.
            let answer = tokio::time::timeout(PATIENCE, answer).await.map_err(|_| Error::TooSlow)?;
            if answer.map_err(|_| Error::Stopping)?? == 0 {
                break;
            }
            first = false;
        }
    }
    Ok(())
}

/// Forgets actions that are as old as the audit that is forgotten. What one round leaves over is the next one's.
async fn forget_actions(engine: &Engine, keep: Duration, by: &mut Timestamp, now: Timestamp) -> Result<(), Error> {
    let seen = engine.ledger.newest_action().await?.unwrap_or_default();
    *by = trusted(*by, seen, now);
    let before = before(*by, keep);
    for _ in 0..ACTION_COMMITS {
        if engine.ledger.forget_actions(before, ACTIONS).await? < ACTIONS {
            break;
        }
    }
    Ok(())
}

/// Forgets what was set aside so long ago: it may hold a customer's words, and nobody put it back.
async fn forget_quarantined(engine: &Engine, before: Timestamp) -> Result<(), Error> {
    let mut forgotten = 0;
    loop {
        let now = engine.ledger.forget_quarantined(before, QUARANTINED).await?;
        forgotten += now;
        if now < QUARANTINED {
            break;
        }
    }
    if forgotten > 0 {
        tracing::warn!(forgotten, "entries of the quarantine are older than `store.keep_days`, and gone");
    }
    Ok(())
}

/// What is older than this is forgotten, where that is kept for so long.
pub(super) fn before(by: Timestamp, keep: Duration) -> Timestamp {
    Timestamp::default().after(by.since(Timestamp::default().after(keep)))
}

/// The time by which is forgotten: the clock's, but no more than a step after the one of the round before. The first round
/// begins with the newest time that the organization has seen.
#[must_use]
pub(super) fn trusted(before: Timestamp, seen: Timestamp, now: Timestamp) -> Timestamp {
    let before = if before == Timestamp::default() { seen } else { before };
    if before == Timestamp::default() { now } else { now.min(before.after(STEP)) }
}

/// What may be forgotten, as far as it is looked at in one turn.
pub(super) struct Old {
    /// Each with the day by which it was found.
    conversations: Vec<(u32, ConversationId, History)>,
    errors: Vec<SyncError>,
    operations: Vec<(u64, OperationId)>,
    before: Timestamp,
}

impl Old {
    /// Reads it.
    pub(super) async fn of(
        ledger: &Ledger,
        org: &crate::domain::OrgId,
        before: Timestamp,
    ) -> Result<Self, store::Error> {
        let mut conversations = Vec::new();
        for (day, id) in ledger.aged(org, before.day(), MOST).await? {
            let history = History::of(ledger, org, &id).await?;
            conversations.push((day, id, history));
        }
        let mut resolved = ledger.error_list(org, State::Resolved, None, MOST).await?;
        // A conversation may have changed since its sync error was seen first. An ignored one goes with its conversation.
        resolved.retain(|error| error.last_seen < before);
        let resolved: Vec<_> = resolved.into_iter().map(|error| error.id).collect();
        let errors = ledger.sync_errors_of(&resolved).await?;
        let operations = ledger.operations_over(org, before, MOST).await?;
        Ok(Self { conversations, errors, operations, before })
    }

    /// The causes that it is about.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Fingerprint> {
        let of_conversations = self.conversations.iter().flat_map(|(_, _, history)| history.errors());
        of_conversations.chain(&self.errors).map(|error| &error.group)
    }

    /// The conversations that it is about.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ConversationId> {
        self.conversations.iter().map(|(_, id, _)| id)
    }
}

impl Turn<'_> {
    /// Forgets what did not change since; answers how much was looked at. What is not settled is kept.
    pub(super) fn forget_old(&mut self, old: Old) -> usize {
        let looked_at = old.conversations.len() + old.errors.len() + old.operations.len();
        for (day, id, history) in old.conversations {
            let delivery = self.delivery(&id);
            if !matches!(delivery.phase, Phase::Idle | Phase::Held) || delivery.day != day {
                // Nothing else would ever remove it, and it would be found again and again.
                self.commit.forgotten.push(Forgotten::Aged(day, id.clone()));
            }
            if delivery.phase != Phase::Idle || self.changed(&id) || delivery.day >= old.before.day() {
                // It is looked at again when it would have become too old, had it changed today.
                let mut delivery = delivery;
                delivery.day = self.now.day();
                self.set_delivery(&id, delivery);
                continue;
            }
            for error in history.errors() {
                self.forget_error(error);
            }
            self.forget(&id);
        }
        for error in old.errors {
            self.forget_error(&error);
        }
        let operations = old.operations.into_iter().map(|(number, id)| Forgotten::Operation { number, id });
        self.commit.forgotten.extend(operations);
        looked_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_years_ahead_moves_what_is_forgotten_by_one_day() {
        let at = |days: u64| Timestamp::from_millis(days * 86_400_000);
        assert_eq!(trusted(at(100), at(100), at(100)), at(100));
        assert_eq!(trusted(at(100), at(100), at(2_000)), at(101));
        assert_eq!(trusted(Timestamp::default(), at(100), at(2_000)), at(101), "the first round after a start");
        assert_eq!(trusted(Timestamp::default(), Timestamp::default(), at(100)), at(100), "a new store");
        assert_eq!(trusted(at(100), at(100), at(90)), at(90), "a clock that goes back forgets less");
    }
}
