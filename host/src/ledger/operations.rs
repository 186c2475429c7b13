//! Operations: those that go on, and those that are over.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Ledger, key, record};
use crate::domain::{Operation, OperationId, OperationStatus, OrgId, Timestamp};
use crate::store::{Error, Range};

impl Ledger {
    /// What was asked of many sync errors of an organization and is not over, by its number.
    ///
    /// # Errors
    /// When the store cannot be read; so for all readers below. A record that cannot be understood is left out.
    pub async fn operations(&self, org: &OrgId) -> Result<BTreeMap<u64, Operation>, Error> {
        let mut operations = BTreeMap::new();
        for prefix in [key::operations(org), key::operations_auto(org)] {
            self.each(&prefix, false, |(name, value)| {
                match record::decode(&name, &value) {
                    Ok(operation) => drop(operations.insert(key::part(&name, 0)?, operation)),
                    Err(error) => tracing::error!(%error, "an operation is left out"),
                }
                Ok(())
            })
            .await?;
        }
        Ok(operations)
    }

    /// Those of an organization, over or not, that name a customer who is found by one of these terms, with their numbers.
    pub async fn operations_naming(
        &self,
        org: &OrgId,
        terms: &BTreeSet<String>,
    ) -> Result<Vec<(u64, Operation)>, Error> {
        let mut found = Vec::new();
        for prefix in [key::operations(org), key::operations_auto(org), key::operations_over(org)] {
            self.each(&prefix, false, |(name, value)| {
                match record::decode::<Operation>(&name, &value) {
                    Ok(operation) if operation.names(terms) => found.push((key::part(&name, 0)?, operation)),
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "an operation is left out"),
                }
                Ok(())
            })
            .await?;
        }
        Ok(found)
    }

    /// So many of the newest operations of some organizations, those that go on or are held first, each in all of these
    /// organizations that it is about, with its numbers there.
    pub async fn newest_operations(&self, orgs: &[OrgId], limit: usize) -> Result<Vec<(OrgId, u64, Operation)>, Error> {
        let mut all = Vec::new();
        for prefix in [key::operations, key::operations_auto, key::operations_over] {
            let ranges = orgs.iter().map(|org| Range::of(prefix(org), limit).backward()).collect();
            for (org, pairs) in orgs.iter().zip(self.store.ranges(ranges).await?) {
                for (name, value) in pairs {
                    let number = key::part(&name, 0)?;
                    match record::decode::<Operation>(&name, &value) {
                        Ok(operation) => all.push((org.clone(), number, operation)),
                        Err(error) => tracing::error!(%error, "an operation is left out"),
                    }
                }
            }
        }
        // What a policy ignores within its brake is no work that goes on.
        let rests = |operation: &Operation| {
            operation.ended_at.is_some() || operation.stands() && operation.status == OperationStatus::Running
        };
        all.sort_by_key(|(_, _, operation)| (rests(operation), std::cmp::Reverse(operation.as_of)));
        let mut ids = HashSet::new();
        for (_, _, operation) in &all {
            if ids.len() < limit {
                ids.insert(operation.id.clone());
            }
        }
        all.retain(|(_, _, operation)| ids.contains(&operation.id));
        Ok(all)
    }

    /// The first operations of an organization that ended before this time, with their numbers.
    pub async fn operations_over(
        &self,
        org: &OrgId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(u64, OperationId)>, Error> {
        let mut found = Vec::new();
        for (name, value) in self.store.range(Range::of(key::operations_over(org), limit)).await? {
            let operation: Operation = record::decode(&name, &value)?;
            // A later one may have ended sooner; it is found when this one is forgotten.
            if operation.ended_at.is_none_or(|ended_at| ended_at >= before) {
                break;
            }
            found.push((key::part(&name, 0)?, operation.id));
        }
        Ok(found)
    }

    /// An operation in each of its organizations, with its numbers there.
    pub async fn operation(&self, id: &OperationId) -> Result<Vec<(OrgId, u64, Operation)>, Error> {
        let mut places: Vec<(OrgId, u64)> = Vec::new();
        self.each(&key::operation_ids(id), false, |(name, value)| {
            places.push((key::part(&name, 0)?, record::decode(&name, &value)?));
            Ok(())
        })
        .await?;
        let keys = places.iter().flat_map(|(org, number)| {
            [key::operation, key::operation_auto, key::operation_over].map(|of| of(org, *number).into_bytes())
        });
        let keys: Vec<_> = keys.collect();
        let values = self.store.get_many(keys.clone()).await?;
        let mut found = Vec::new();
        for ((org, number), at) in places.into_iter().zip((0..).step_by(3)) {
            let pair = (at..at + 3).find_map(|at| Some((&keys[at], values[at].as_ref()?)));
            if let Some((name, value)) = pair {
                found.push((org, number, record::decode(name, value)?));
            }
        }
        Ok(found)
    }
}
