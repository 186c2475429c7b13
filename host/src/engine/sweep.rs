//! Forgets what is older than an administrator wants it kept, a little at a time.

use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::command::Command;
use super::turn::Turn;
use super::{Engine, Error};
use crate::domain::{Phase, State, SyncErrorId, Timestamp};
use crate::store;

/// Conversations, and sync errors of each state, that are looked at in one turn.
const MOST: usize = 50;
/// How often is looked for what has become too old.
const EVERY: Duration = Duration::from_secs(3600);

/// Sweeps every organization, again and again.
pub(super) async fn run(engine: std::sync::Arc<Engine>, keep: Duration, mut stopping: watch::Receiver<bool>) {
    loop {
        let now = engine.clock.now();
        let before = Timestamp::default().after(now.since(Timestamp::default().after(keep)));
        if let Err(error) = everything(&engine, before).await {
            tracing::error!(%error, "what is too old could not be forgotten");
        }
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            () = engine.clock.sleep_until(now.after(EVERY)) => {}
        }
    }
}

async fn everything(engine: &Engine, before: Timestamp) -> Result<(), Error> {
    for lane in engine.lanes.values() {
        loop {
            let (reply, answer) = oneshot::channel();
            lane.commands.send(Command::Sweep { before, reply }).await.map_err(|_| Error::Stopping)?;
            if answer.await.map_err(|_| Error::Stopping)?? == 0 {
                break;
            }
        }
    }
    Ok(())
}

impl Turn<'_> {
    /// Forgets some of what did not change since; answers how much was looked at. What is not settled is kept.
    pub(super) fn sweep(&mut self, before: Timestamp) -> Result<usize, store::Error> {
        let mut looked_at = 0;
        let today = self.now.day();
        for (day, id) in self.records.aged(self.org, before.day(), MOST)? {
            looked_at += 1;
            let mut delivery = self.delivery(&id)?;
            if delivery.phase != Phase::Idle || self.touches(&id) {
                // It is looked at again when it would have become too old, had it changed today.
                self.write.age(self.org, &id, day, today);
                delivery.day = today;
                self.deliveries.insert(id, delivery);
                continue;
            }
            for message in self.records.conversation(self.org, &id)?.into_iter().flat_map(|known| known.messages) {
                self.write.forget_audit(&self.records.audit(&message.id)?);
                if let Some(error) = self.sync_error(&SyncErrorId::of(self.org, &message.id))? {
                    self.forget_error(&error);
                }
            }
            self.write.forget_conversation(self.org, &id, day);
            self.forgotten.insert(id);
        }
        for state in [State::Resolved, State::Ignored] {
            for error in self.records.older_errors(self.org, state, before, MOST)? {
                looked_at += 1;
                self.forget_error(&error);
            }
        }
        Ok(looked_at)
    }
}
