//! A policy over its revisions: which one decides, which came before it, and how it fares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::{Semaphore, watch};

use crate::domain::{History, PolicySource};
use crate::policy::change::guard::{Guard, RolledBack};
use crate::policy::change::shadow::Shadow;
use crate::policy::change::status::Counters;
use crate::policy::revision::rejection::Rejection;
use crate::policy::revision::revision::Revision;

/// Everything that is known of one policy.
pub(crate) struct Policy {
    in_force: RwLock<Option<Arc<Revision>>>,
    pub(crate) history: Mutex<History>,
    pub(crate) last_rejection: Mutex<Option<Rejection>>,
    /// What was refused because a plugin is not there.
    pub(crate) waiting: Mutex<Option<PolicySource>>,
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
    pub(crate) missed: AtomicBool,
    changed: watch::Sender<()>,
    /// The newest rollback since the start.
    pub(crate) rolled_back: watch::Sender<Option<RolledBack>>,
}

impl Policy {
    pub(crate) fn new(history: History, places: usize) -> Self {
        Self {
            in_force: RwLock::default(),
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
        read(&self.in_force).clone()
    }

    /// Why nothing decides: it was refused, and nothing was in force before.
    pub(crate) fn refused(&self) -> Option<Rejection> {
        if read(&self.in_force).is_some() {
            return None;
        }
        lock(&self.last_rejection).clone()
    }

    /// From here on this revision decides; with a guard, only as long as it does no worse than the one before.
    pub(crate) fn put_in_force(&self, revision: Arc<Revision>, guard: Option<Guard>) {
        let mut guarding = lock(&self.guard);
        self.guarded.store(guard.is_some(), Ordering::SeqCst);
        *guarding = guard;
        *write(&self.in_force) = Some(revision);
        drop(guarding);
        self.tell();
    }

    /// Puts another form of a revision in its place, unless yet another revision took the place meanwhile.
    pub(crate) fn replace(&self, old: &Arc<Revision>, new: Arc<Revision>) {
        let mut in_force = write(&self.in_force);
        if in_force.as_ref().is_some_and(|in_force| Arc::ptr_eq(in_force, old)) {
            *in_force = Some(new);
        }
        drop(in_force);
        self.tell();
    }

    /// Wakes those who wait for a change.
    pub(crate) fn tell(&self) {
        self.changed.send_replace(());
    }

    /// Tells when the revision in force is another one, or in another form.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Looks at the guard, if there is one.
    pub(crate) fn with_guard<T>(&self, look: impl FnOnce(&mut Option<Guard>) -> Option<T>) -> Option<T> {
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

    pub(crate) fn set_shadow(&self, shadow: Option<Arc<Shadow>>) -> Option<Arc<Shadow>> {
        std::mem::replace(&mut *write(&self.shadow), shadow)
    }
}

pub(crate) fn read<T>(of: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    of.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(of: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    of.write().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
