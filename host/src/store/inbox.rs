//! The order of arrivals in the inboxes.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Error, Records};
use crate::domain::OrgId;

/// Numbers the arrivals of all inboxes, upwards over restarts.
#[derive(Debug)]
pub struct Inbox {
    next: AtomicU64,
}

impl Inbox {
    /// Continues after the highest number that is waiting.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(records: &Records, orgs: &[OrgId]) -> Result<Self, Error> {
        let mut highest = 0;
        for org in orgs {
            let (prefix, mut after) = (format!("inbox/{org}/"), None);
            loop {
                let pairs = records.store().scan(prefix.as_bytes(), after.as_deref(), 1_000)?;
                let Some((last, _)) = pairs.last() else { break };
                let number = String::from_utf8_lossy(last).rsplit('/').next().and_then(|part| part.parse().ok());
                highest = highest.max(number.unwrap_or(0));
                after = Some(last.clone());
            }
        }
        Ok(Self { next: AtomicU64::new(highest + 1) })
    }

    /// A number that was never given before.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
