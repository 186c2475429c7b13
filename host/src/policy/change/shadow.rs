//! A candidate that is asked whatever the policy in force is asked; what differs is counted and kept as examples.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use tokio::sync::Semaphore;

use super::candidate::{Candidate, Difference, difference};
use crate::domain::{Conversation, Decision, PluginName, Timestamp};
use crate::policy::locks::lock;

/// How many decisions of a shadow may be under way; those beyond are not compared.
const AT_ONCE: usize = 4;
/// How many of the newest differences are kept.
const EXAMPLES: usize = 20;

/// A candidate beside the policy in force.
pub(crate) struct Shadow {
    candidate: Candidate,
    /// The candidate's revision.
    pub(super) number: u32,
    since: Timestamp,
    places: Arc<Semaphore>,
    same: AtomicU64,
    different: AtomicU64,
    faults: AtomicU64,
    skipped: AtomicU64,
    examples: Mutex<VecDeque<Difference>>,
}

/// How a shadow compares with the policy in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShadowStatus {
    /// Its revision.
    pub revision: u32,
    /// When it began.
    pub since: Timestamp,
    /// Decisions in which both said the same.
    pub same: u64,
    /// Decisions in which they did not.
    pub different: u64,
    /// Decisions in which the shadow failed or refused and the policy in force did not; part of `different`.
    pub faults: u64,
    /// Decisions that were not compared, because too many were under way.
    pub skipped: u64,
    /// The newest differences, oldest first.
    pub examples: Vec<Difference>,
}

impl Shadow {
    pub(super) fn new(candidate: Candidate, number: u32, since: Timestamp) -> Self {
        Self {
            candidate,
            number,
            since,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            same: AtomicU64::new(0),
            different: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            examples: Mutex::default(),
        }
    }

    /// Asks the candidate the same in the background. The decision that it is compared with is made already: whatever
    /// the candidate does delays and harms nothing.
    pub(crate) fn compare<T, F>(
        self: Arc<Self>,
        of: &Conversation,
        made: &Decision<T>,
        ask: impl FnOnce(Candidate, Conversation) -> F,
    ) where
        T: Clone + PartialEq + Serialize + Send + Sync + 'static,
        F: Future<Output = Decision<T>> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let (of, made) = (of.clone(), made.clone());
        let asked = ask(self.candidate.clone(), of.clone());
        tokio::spawn(async move {
            let then = asked.await;
            drop(place);
            let Some(difference) = difference(&of, &made, &then) else {
                self.same.fetch_add(1, Ordering::Relaxed);
                return;
            };
            if made.answer.is_ok() && then.answer.is_err() {
                self.faults.fetch_add(1, Ordering::Relaxed);
            }
            let mut examples = lock(&self.examples);
            examples.push_back(difference);
            if examples.len() > EXAMPLES {
                examples.pop_front();
            }
            drop(examples);
            self.different.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Whether it names this plugin.
    pub(super) fn names(&self, plugin: &PluginName) -> bool {
        self.candidate.names(plugin)
    }

    pub(super) fn status(&self) -> ShadowStatus {
        ShadowStatus {
            revision: self.number,
            since: self.since,
            same: self.same.load(Ordering::Relaxed),
            different: self.different.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            examples: lock(&self.examples).iter().cloned().collect(),
        }
    }
}
