//! What queries read of causes, held in memory until their lane writes one of them: a page of a list reads hundreds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::domain::{Class, ErrorCounts, Fingerprint, OrgId};

/// So many causes are held, over all organizations; about half a kilobyte each.
const MOST: usize = 10_000;

/// What a query reads of a cause.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Head {
    pub(super) id: Fingerprint,
    pub(super) org: OrgId,
    title: String,
    pub(super) class: Class,
    pub(super) code: String,
    #[serde(default)]
    text: String,
    pub(super) counts: ErrorCounts,
}

impl Head {
    /// The words that it is found by.
    pub(super) fn words(&self) -> String {
        format!("{} {} {}", self.title, self.code, self.text)
    }
}

/// The causes of organizations as their lanes wrote them last.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Heads(Mutex<HashMap<OrgId, Held>>);

#[derive(Debug, Default)]
struct Held {
    /// How often the lane has written causes.
    version: u64,
    heads: Option<Arc<Vec<Head>>>,
}

impl Heads {
    fn all(&self) -> MutexGuard<'_, HashMap<OrgId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The causes of an organization, or the version under which they may be kept once they are read.
    pub(super) fn of(&self, org: &OrgId) -> Result<Arc<Vec<Head>>, u64> {
        let all = self.all();
        let held = all.get(org);
        held.and_then(|held| held.heads.clone()).ok_or_else(|| held.map_or(0, |held| held.version))
    }

    /// Holds what was read, unless it may be old by now or is too much.
    pub(super) fn keep(&self, org: &OrgId, version: u64, heads: &Arc<Vec<Head>>) {
        let mut all = self.all();
        let others = all.iter().filter(|(of, _)| *of != org).filter_map(|(_, held)| held.heads.as_ref());
        let fits = others.map(|heads| heads.len()).sum::<usize>() + heads.len() <= MOST;
        let held = all.entry(org.clone()).or_default();
        if fits && held.version == version {
            held.heads = Some(Arc::clone(heads));
        }
    }

    /// The lane of an organization writes causes until this is dropped: then they have to be read again.
    pub(in crate::ledger) fn changing<'a>(&'a self, org: &'a OrgId) -> Changing<'a> {
        Changing { heads: self, org }
    }
}

/// Causes are being written.
pub(in crate::ledger) struct Changing<'a> {
    heads: &'a Heads,
    org: &'a OrgId,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let mut all = self.heads.all();
        let held = all.entry(self.org.clone()).or_default();
        held.version += 1;
        held.heads = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(org: &OrgId, count: usize) -> Arc<Vec<Head>> {
        let head = Head {
            id: Fingerprint::unnamed(),
            org: org.clone(),
            title: String::new(),
            class: Class::Record,
            code: String::new(),
            text: String::new(),
            counts: ErrorCounts::default(),
        };
        Arc::new(vec![head; count])
    }

    #[test]
    fn what_was_read_before_a_write_is_not_held_after_it() {
        let (all, org) = (Heads::default(), OrgId::new("acme").unwrap());
        let version = all.of(&org).unwrap_err();
        drop(all.changing(&org));
        all.keep(&org, version, &heads(&org, 1));
        let version = all.of(&org).unwrap_err();
        all.keep(&org, version, &heads(&org, 2));
        assert_eq!(all.of(&org).unwrap().len(), 2);
        drop(all.changing(&org));
        assert!(all.of(&org).is_err());
    }

    #[test]
    fn more_causes_than_fit_are_read_again() {
        let (all, org) = (Heads::default(), OrgId::new("acme").unwrap());
        all.keep(&org, 0, &heads(&org, MOST));
        let other = OrgId::new("other").unwrap();
        all.keep(&other, 0, &heads(&other, 1));
        assert!(all.of(&org).is_ok() && all.of(&other).is_err());
    }
}
