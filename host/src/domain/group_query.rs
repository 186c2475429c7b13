//! Which causes are meant, and in which order.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{Class, Condition, Fingerprint, Group, OrgId, PolicyName, Timestamp, has_words};

/// Causes that all filters match. A set that is empty narrows nothing; of a set, one has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GroupQuery {
    /// Organizations.
    pub orgs: BTreeSet<OrgId>,
    /// How they stand.
    pub conditions: BTreeSet<Condition>,
    /// Classes of the refusals.
    pub classes: BTreeSet<Class>,
    /// Codes of the refusals.
    pub codes: BTreeSet<String>,
    /// Policies at fault.
    pub policies: BTreeSet<PolicyName>,
    /// Who looks after them; an empty name stands for nobody.
    pub assignees: BTreeSet<String>,
    /// Words of title, code, text or note.
    pub text: Option<String>,
}

impl GroupQuery {
    /// Whether a cause is meant.
    #[must_use]
    pub fn matches(&self, group: &Group, now: Timestamp) -> bool {
        fn is_in<T: Ord>(set: &BTreeSet<T>, value: &T) -> bool {
            set.is_empty() || set.contains(value)
        }
        let words = || {
            let note = group.note.as_deref().unwrap_or_default();
            format!("{} {} {} {note}", group.title, group.code, group.text)
        };
        is_in(&self.orgs, &group.org)
            && (self.conditions.is_empty() || self.conditions.contains(&group.condition(now)))
            && is_in(&self.classes, &group.class)
            && is_in(&self.codes, &group.code)
            && (self.policies.is_empty() || group.policy.as_ref().is_some_and(|policy| self.policies.contains(policy)))
            && (self.assignees.is_empty() || self.assignees.contains(group.assignee.as_deref().unwrap_or_default()))
            && self.text.as_ref().is_none_or(|text| has_words(&words(), text))
    }
}

/// The order of a list of causes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum GroupOrder {
    /// Those with the most open sync errors first.
    #[default]
    Open,
    /// Those with the most pending sync errors first.
    Pending,
    /// Those that failed last first.
    LastSeen,
    /// Those that failed first at the latest first.
    FirstSeen,
}

impl GroupOrder {
    /// Every order, by the word that stands for it in the API.
    pub const ALL: [(&'static str, Self); 4] = [
        ("-open", Self::Open),
        ("-pending", Self::Pending),
        ("-last_seen", Self::LastSeen),
        ("-first_seen", Self::FirstSeen),
    ];

    /// What a cause is ordered by.
    #[must_use]
    pub const fn measure(self, group: &Group) -> u64 {
        match self {
            Self::Open => group.open(),
            Self::Pending => group.counts.pending,
            Self::LastSeen => group.last_seen.as_millis(),
            Self::FirstSeen => group.first_seen.as_millis(),
        }
    }

    /// Where a cause stands in the list now.
    #[must_use]
    pub fn place(self, group: &Group) -> GroupPlace {
        GroupPlace(Reverse((self.measure(group), group.last_seen)), group.org.clone(), group.id.clone())
    }
}

/// A place in a list of causes: what the list is ordered by, and what tells equal ones apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupPlace(Reverse<(u64, Timestamp)>, OrgId, Fingerprint);

impl fmt::Display for GroupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Reverse((measure, last_seen)), org, id) = self;
        write!(f, "{measure}~{}~{org}~{id}", last_seen.as_millis())
    }
}

impl FromStr for GroupPlace {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<_> = text.split('~').collect();
        let [measure, last_seen, org, id] = parts.as_slice() else { return Err(()) };
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        let first = Reverse((number(measure)?, Timestamp::from_millis(number(last_seen)?)));
        Ok(Self(first, org.parse().map_err(|_| ())?, id.parse().map_err(|_| ())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Annotation, Cause, GroupChange, Refusal, State};

    fn group(text: &str, pending: usize, at: u64) -> Group {
        let (org, refusal) = (OrgId::new("acme").unwrap(), Refusal::new(Class::Record, "CODE", text));
        let at = Timestamp::from_millis(at);
        let mut group = Group::new(&Cause::new(&org, &refusal), at);
        for number in 0..pending {
            let sync_error = format!("se-{number:05}").parse().unwrap();
            group.apply(GroupChange { sync_error, before: None, after: Some(State::Pending), failed: true, at });
        }
        group
    }

    #[test]
    fn every_filter_narrows_by_what_it_names() {
        let (mut group, now) = (group("the order needs a number", 1, 10), Timestamp::from_millis(20));
        group.annotate(Annotation::Assignee(Some("ann".to_owned())));
        group.annotate(Annotation::Note(Some("asked Bob".to_owned())));
        let base = GroupQuery::default;
        for (query, expected) in [
            (base(), true),
            (GroupQuery { orgs: [OrgId::new("emea").unwrap()].into(), ..base() }, false),
            (GroupQuery { conditions: [Condition::New].into(), ..base() }, true),
            (GroupQuery { conditions: [Condition::Quiet].into(), ..base() }, false),
            (GroupQuery { classes: [Class::Auth].into(), ..base() }, false),
            (GroupQuery { codes: ["CODE".to_owned()].into(), ..base() }, true),
            (GroupQuery { codes: ["OTHER".to_owned()].into(), ..base() }, false),
            (GroupQuery { policies: [PolicyName::new("p").unwrap()].into(), ..base() }, false),
            (GroupQuery { assignees: ["ann".to_owned()].into(), ..base() }, true),
            (GroupQuery { assignees: [String::new()].into(), ..base() }, false),
            (GroupQuery { text: Some("bob order".to_owned()), ..base() }, true),
            (GroupQuery { text: Some("invoice".to_owned()), ..base() }, false),
        ] {
            assert_eq!(query.matches(&group, now), expected, "{query:?}");
        }
    }

    #[test]
    fn a_place_is_in_the_order_of_the_list_and_reads_back() {
        let (few, many) = (group("a thing", 1, 30), group("another thing", 5, 10));
        assert!(GroupOrder::Open.place(&many) < GroupOrder::Open.place(&few));
        assert!(GroupOrder::LastSeen.place(&few) < GroupOrder::LastSeen.place(&many));
        let place = GroupOrder::Pending.place(&many);
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!("1~2~acme".parse::<GroupPlace>().is_err());
    }
}
