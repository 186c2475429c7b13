//! What a data call holds and counts while it is under way; dropping it ends that, however the call ended.

use std::sync::Arc;

use super::SharedOrg;
use crate::journal::lock;

/// What a data call holds; dropping it frees that, however the call ended.
pub(super) struct Held<'a>(pub(super) &'a SharedOrg, pub(super) u64);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        lock(self.0).locks.release(self.1);
    }
}

/// A data call under way; dropping it ends that, however the call ended.
pub(super) struct UnderWay(SharedOrg);

impl UnderWay {
    pub(super) fn begin(org: &SharedOrg) -> Self {
        let mut guard = lock(org);
        guard.under_way += 1;
        guard.totals.most_at_once = guard.totals.most_at_once.max(guard.under_way);
        Self(Arc::clone(org))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0).under_way -= 1;
    }
}
