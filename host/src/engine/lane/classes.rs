//! How many causes have open sync errors, and how many of these there are, by class: kept beside the causes' own counts, of which
//! an organization has some thousand at most.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Class, Fingerprint, Group, OrgId};
use crate::telemetry::{Metrics, OfClass};

/// The open sync errors of causes, by class.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// Of each cause that has some.
    open: HashMap<Fingerprint, (Class, u64)>,
    /// Causes and sync errors; a class that had some once is there with zeros.
    totals: BTreeMap<Class, (u64, u64)>,
}

impl Classes {
    /// These causes are all of the organization.
    pub(super) fn read(groups: &[Group]) -> Self {
        let mut classes = Self::default();
        classes.change(groups);
        classes
    }

    /// These causes are as they are now.
    pub(super) fn change<'a>(&mut self, groups: impl IntoIterator<Item = &'a Group>) {
        for group in groups {
            let (class, open) = (group.class, group.open());
            let before = match open {
                0 => self.open.remove(&group.id),
                _ => self.open.insert(group.id.clone(), (class, open)),
            };
            if let Some((class, open)) = before {
                let (causes, errors) = self.totals.entry(class).or_default();
                (*causes, *errors) = (causes.saturating_sub(1), errors.saturating_sub(open));
            }
            if open > 0 {
                let (causes, errors) = self.totals.entry(class).or_default();
                (*causes, *errors) = (*causes + 1, *errors + open);
            }
        }
    }

    /// Shows them.
    pub(super) fn report(&self, org: &OrgId, metrics: &Metrics) {
        for (class, (causes, errors)) in &self.totals {
            let labels = OfClass { org: org.to_string(), class: class.as_str() };
            let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            metrics.groups.get_or_create(&labels).set(gauge(*causes));
            metrics.open_sync_errors.get_or_create(&labels).set(gauge(*errors));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, ErrorCounts, Refusal, Timestamp};

    fn group(code: &str, class: Class, pending: u64) -> Group {
        let org = OrgId::new("acme").unwrap();
        let refusal = Refusal::new(class, code, "no");
        let cause = Cause::new(&org, &refusal);
        let counts = ErrorCounts { pending, ignored: 3, ..ErrorCounts::default() };
        Group { counts, ..Group::new(&cause, Timestamp::default()) }
    }

    #[test]
    fn causes_and_their_open_sync_errors_are_counted_by_class_however_often_they_change() {
        let mut classes = Classes::read(&[group("A", Class::Record, 2), group("B", Class::Record, 0)]);
        assert_eq!(classes.totals[&Class::Record], (1, 2));
        classes.change(&[group("A", Class::Record, 5), group("B", Class::Record, 1), group("C", Class::Config, 1)]);
        classes.change(&[group("A", Class::Record, 5)]);
        assert_eq!((classes.totals[&Class::Record], classes.totals[&Class::Config]), ((2, 6), (1, 1)));
        classes.change(&[group("A", Class::Record, 0), group("B", Class::Record, 0), group("C", Class::Config, 0)]);
        assert_eq!((classes.totals[&Class::Record], classes.totals[&Class::Config]), ((0, 0), (0, 0)));
        assert!(classes.open.is_empty(), "what is over is not kept");
        let metrics = Metrics::default();
        classes.report(&OrgId::new("acme").unwrap(), &metrics);
        let shown = "switchyard_open_sync_errors{org=\"acme\",class=\"record\"} 0";
        assert!(metrics.render().contains(shown), "{}", metrics.render());
    }
}
