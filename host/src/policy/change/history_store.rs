//! Where revisions are kept beyond the life of the host: given from outside, since this room knows no store.

use std::future::Future;
use std::pin::Pin;

use crate::domain::{PolicyName, PolicyRevision};

/// Keeps revisions of a policy that changed, and forgets those with these numbers. The words of an `Err` go into the
/// rejection of what was to be kept.
pub type Keep = Box<
    dyn Fn(PolicyName, Vec<PolicyRevision>, Vec<u32>) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>
        + Send
        + Sync,
>;

/// The revisions of earlier starts, and where those of this one are kept. The default has none and keeps none.
#[derive(Default)]
pub struct HistoryStore {
    /// Every revision that was kept.
    pub past: Vec<(PolicyName, PolicyRevision)>,
    /// Where the next ones are kept.
    pub keep: Option<Keep>,
}

impl HistoryStore {
    pub(super) async fn keep(
        &self,
        name: PolicyName,
        changed: Vec<PolicyRevision>,
        forgotten: Vec<u32>,
    ) -> Result<(), String> {
        match &self.keep {
            Some(keep) => keep(name, changed, forgotten).await,
            None => Ok(()),
        }
    }
}
