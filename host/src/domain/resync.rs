//! Which conversations that got through are sent once more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ConversationId, Delivery, Period, Phase, PolicyName, Timestamp};

/// Conversations that got through and have no sync error now. A set that is empty narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResyncQuery {
    /// When they last got through.
    #[serde(skip_serializing_if = "Period::is_unbounded")]
    pub delivered: Period,
    /// Policies that said where they are to go.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub policies: BTreeSet<PolicyName>,
    /// Revisions of these policies.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub revisions: BTreeSet<u32>,
    /// Queues, by name, or users, by id, that they went to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub queues: BTreeSet<String>,
}

impl ResyncQuery {
    /// Whether a conversation that stands so is meant, as of this time.
    #[must_use]
    pub fn matches(&self, delivery: &Delivery, as_of: Timestamp) -> bool {
        let Some(at) = delivery.delivered_at.filter(|at| *at <= as_of) else { return false };
        let routed = delivery.records.routed.as_ref();
        let by = |holds: &dyn Fn(&super::Routed) -> bool| routed.is_some_and(|routed| holds(routed));
        delivery.phase == Phase::Idle
            && delivery.open.is_none()
            && self.delivered.contains(at)
            && (self.policies.is_empty() || by(&|routed| self.policies.contains(&routed.policy.name)))
            && (self.revisions.is_empty() || by(&|routed| self.revisions.contains(&routed.policy.revision)))
            && (self.queues.is_empty() || by(&|routed| self.queues.contains(&routed.to)))
    }
}

/// How far an operation has gone through the conversations that have nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The last one that was looked at, with its day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<(u32, ConversationId)>,
    /// Whether there is nothing more to look at.
    #[serde(default)]
    pub is_over: bool,
    /// How many were looked at.
    #[serde(default)]
    pub looked_at: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PolicyRef, Records, Routed};

    #[test]
    fn every_filter_narrows_by_what_it_names() {
        let at = Timestamp::from_millis;
        let policy = PolicyRef { name: PolicyName::new("acme").unwrap(), revision: 3 };
        let routed = Some(Box::new(Routed { policy, to: "Care".to_owned() }));
        let delivery = Delivery {
            delivered_at: Some(at(10)),
            records: Records { routed, ..Records::default() },
            ..Delivery::default()
        };
        let all = ResyncQuery::default;
        let period = |from, before| Period { from: Some(at(from)), before: Some(at(before)) };
        for (query, expected) in [
            (all(), true),
            (ResyncQuery { delivered: period(10, 11), ..all() }, true),
            (ResyncQuery { delivered: period(11, 20), ..all() }, false),
            (ResyncQuery { policies: [PolicyName::new("acme").unwrap()].into(), ..all() }, true),
            (ResyncQuery { policies: [PolicyName::new("other").unwrap()].into(), ..all() }, false),
            (ResyncQuery { revisions: [3].into(), ..all() }, true),
            (ResyncQuery { revisions: [4].into(), ..all() }, false),
            (ResyncQuery { queues: ["Care".to_owned()].into(), ..all() }, true),
            (ResyncQuery { queues: ["Other".to_owned()].into(), ..all() }, false),
        ] {
            assert_eq!(query.matches(&delivery, at(10)), expected, "{query:?}");
        }
        assert!(!all().matches(&delivery, at(9)), "it got through after that");
        assert!(!all().matches(&Delivery { phase: Phase::Held, ..delivery }, at(10)));
        assert!(!all().matches(&Delivery::default(), at(10)), "it never got through");
    }
}
