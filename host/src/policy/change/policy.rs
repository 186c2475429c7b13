//! A policy over its revisions: which one decides, which came before it, and how it fares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::{Semaphore, watch};

use super::current::CurrentRevision;
use super::guard::{Guard, RolledBack};
use super::shadow::Shadow;
use crate::domain::{History, PolicyRevision, PolicySource};
use crate::policy::locks::{lock, read, write};
use crate::policy::revision::{Counters, Rejection, Revision};

/// Everything that is known of one policy.
pub(crate) struct Policy {
    current: Arc<CurrentRevision>,
    pub(super) history: Mutex<History>,
    pub(super) last_rejection: Mutex<Option<Rejection>>,
    /// What was refused because a plugin is not there.
    pub(super) waiting: Mutex<Option<PolicySource>>,
    /// Set while the revision in force is new.
    guard: Mutex<Option<Guard>>,
    /// Spares most decisions the lock of the guard.
    guarded: AtomicBool,
    shadow: RwLock<Option<Arc<Shadow>>>,
    /// Decisions since the start, of every revision.
    pub(crate) counters: Counters,
    /// Keeps a policy whose every decision runs to the deadline from taking all places.
    pub(crate) places: Semaphore,
    /// Whether it was said already that nothing of this name is in force.
    pub(super) missed: AtomicBool,
    changed: watch::Sender<()>,
    /// The newest rollback since the start.
    pub(super) rolled_back: watch::Sender<Option<RolledBack>>,
}

impl Policy {
    /// A policy with its earlier revisions, of which `places` decisions may run at the same moment.
    pub(super) fn new(current: Arc<CurrentRevision>, history: History, places: usize) -> Self {
        Self {
            current,
            history: Mutex::new(history),
            last_rejection: Mutex::default(),
            waiting: Mutex::default(),
            guard: Mutex::default(),
            guarded: AtomicBool::new(false),
            shadow: RwLock::default(),
            counters: Counters::default(),
            places: Semaphore::new(places),
            missed: AtomicBool::new(false),
            changed: watch::Sender::default(),
            rolled_back: watch::Sender::default(),
        }
    }

    pub(crate) fn in_force(&self) -> Option<Arc<Revision>> {
        self.current.get()
    }

    /// Every revision that is kept, oldest first.
    pub(crate) fn revisions(&self) -> Vec<PolicyRevision> {
        lock(&self.history).revisions().to_vec()
    }

    /// One that is kept.
    pub(crate) fn revision(&self, number: u32) -> Option<PolicyRevision> {
        lock(&self.history).get(number).cloned()
    }

    /// The newest rollback since the start, and those that follow.
    pub(crate) fn rollbacks(&self) -> watch::Receiver<Option<RolledBack>> {
        self.rolled_back.subscribe()
    }

    /// Why nothing decides: it was refused, and nothing was in force before.
    pub(super) fn refused(&self) -> Option<Rejection> {
        if self.current.get().is_some() {
            return None;
        }
        lock(&self.last_rejection).clone()
    }

    /// From here on this revision decides; with a guard, only as long as it does no worse than the one before.
    pub(super) fn put_in_force(&self, revision: Arc<Revision>, guard: Option<Guard>) {
        let mut guarding = lock(&self.guard);
        self.guarded.store(guard.is_some(), Ordering::SeqCst);
        *guarding = guard;
        self.current.set(revision);
        drop(guarding);
        self.tell();
    }

    /// Whether there is anything to tell of it: a revision in force, a shadow, or why there is none.
    pub(crate) fn is_known(&self) -> bool {
        self.current.get().is_some() || self.shadow().is_some() || lock(&self.last_rejection).is_some()
    }

    /// From here on nothing of it decides, and there is nothing to tell of it but its revisions.
    pub(super) fn end(&self) {
        let mut guarding = lock(&self.guard);
        self.guarded.store(false, Ordering::SeqCst);
        *guarding = None;
        self.current.clear();
        drop(guarding);
        self.set_shadow(None);
        *lock(&self.last_rejection) = None;
        *lock(&self.waiting) = None;
        self.tell();
    }

    /// Forgets why the newest change was refused, and what it waits for; `false` when there was nothing, or when nothing is in
    /// force: then that is why nothing decides.
    pub(crate) fn forget_rejection(&self) -> bool {
        if self.current.get().is_none() {
            return false;
        }
        *lock(&self.waiting) = None;
        lock(&self.last_rejection).take().is_some()
    }

    /// Puts the same revision with or without snapshots in its place, unless another revision took the place meanwhile.
    pub(super) fn replace(&self, old: &Arc<Revision>, new: Arc<Revision>) {
        self.current.replace(old, new);
        self.tell();
    }

    /// Wakes those who wait for a change.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
    }

    /// Tells when the revision in force is another one, or begins or ceases to decide from snapshots.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Looks at the guard, if there is one.
    pub(super) fn with_guard<T>(&self, look: impl FnOnce(&mut Option<Guard>) -> Option<T>) -> Option<T> {
        if !self.guarded.load(Ordering::Relaxed) {
            return None;
        }
        let mut guard = lock(&self.guard);
        let seen = look(&mut guard);
        self.guarded.store(guard.is_some(), Ordering::SeqCst);
        seen
    }

    pub(crate) fn shadow(&self) -> Option<Arc<Shadow>> {
        read(&self.shadow).clone()
    }

    pub(super) fn set_shadow(&self, shadow: Option<Arc<Shadow>>) -> Option<Arc<Shadow>> {
        std::mem::replace(&mut *write(&self.shadow), shadow)
    }
}
