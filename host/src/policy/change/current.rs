//! The revision of a policy that decides at present, which others may be swapped for at any moment.

use std::sync::{Arc, RwLock};

use crate::domain::{Fault, PolicyName};
use crate::policy::locks::{read, write};
use crate::policy::revision::Revision;

/// The revision in force; none where none was ever accepted.
#[derive(Default)]
pub(super) struct CurrentRevision(RwLock<Option<Arc<Revision>>>);

impl CurrentRevision {
    pub(super) fn get(&self) -> Option<Arc<Revision>> {
        read(&self.0).clone()
    }

    pub(super) fn set(&self, revision: Arc<Revision>) {
        *write(&self.0) = Some(revision);
    }

    pub(super) fn clear(&self) {
        *write(&self.0) = None;
    }

    /// Puts the same revision with or without snapshots in its place, unless another revision took the place meanwhile.
    pub(super) fn replace(&self, old: &Arc<Revision>, new: Arc<Revision>) {
        let mut current = write(&self.0);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, old)) {
            *current = Some(new);
        }
    }
}

/// Why a question has no answer where nothing decides.
pub(super) fn no_policy(message: String) -> Fault {
    Fault::Refused { code: "NO_POLICY".into(), message }
}

/// The same where neither a policy nor the one that stands in for it decides.
pub(super) fn neither_in_force(name: &PolicyName) -> Fault {
    no_policy(format!("neither the policy `{name}` nor the default policy is in force"))
}
