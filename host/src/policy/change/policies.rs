//! The policies by name, and which revision and plugin answer a question that is put to one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};

use super::current::{CurrentRevision, neither_in_force, no_policy};
use super::policy::Policy;
use crate::domain::{Fault, History, PolicyName, PolicyRevision, Question};
use crate::policy::locks::{read, write};
use crate::policy::revision::{DEFAULT_POLICY, Revision};
use crate::policy::runtime::ConfiguredPlugin;

/// Every policy of which anything is known.
pub(crate) struct Policies {
    by_name: RwLock<BTreeMap<PolicyName, Arc<Policy>>>,
    /// The revision of the default policy, for those who hold no policies.
    pub(super) default: Arc<CurrentRevision>,
    /// How many decisions of one policy may run at the same moment.
    places: usize,
}

/// Who answers a question as of now: whatever is swapped later, this decision is made by it.
pub(crate) struct Decider {
    pub(crate) policy: Arc<Policy>,
    pub(crate) revision: Arc<Revision>,
    pub(crate) plugin: Arc<ConfiguredPlugin>,
}

impl Decider {
    fn new(policy: Arc<Policy>, question: Question) -> Option<Self> {
        let revision = policy.in_force()?;
        let plugin = revision.plugin(question)?.clone();
        Some(Self { policy, revision, plugin })
    }
}

impl Policies {
    /// Policies with revisions of earlier starts; nothing is in force yet.
    pub(crate) fn new(past: Vec<(PolicyName, PolicyRevision)>, places: usize) -> Self {
        let mut histories = BTreeMap::<_, Vec<_>>::new();
        for (name, revision) in past {
            histories.entry(name).or_default().push(revision);
        }
        let policies = Self { by_name: RwLock::default(), default: Arc::default(), places };
        for (name, kept) in histories {
            let policy = Arc::new(policies.create(&name, History::new(kept)));
            write(&policies.by_name).insert(name, policy);
        }
        policies
    }

    fn create(&self, name: &PolicyName, history: History) -> Policy {
        let is_default = name.as_str() == DEFAULT_POLICY;
        let current = if is_default { Arc::clone(&self.default) } else { Arc::default() };
        Policy::new(current, history, self.places)
    }

    pub(crate) fn get(&self, name: &PolicyName) -> Option<Arc<Policy>> {
        read(&self.by_name).get(name).cloned()
    }

    /// The policy of a name, new if there is none yet.
    pub(crate) fn get_or_create(&self, name: &PolicyName) -> Arc<Policy> {
        if let Some(known) = self.get(name) {
            return known;
        }
        let create = || Arc::new(self.create(name, History::default()));
        write(&self.by_name).entry(name.clone()).or_insert_with(create).clone()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> BTreeMap<PolicyName, Arc<Policy>> {
        read(&self.by_name).clone()
    }

    /// Who answers a question that is put to a policy: its own revision, or the default policy's where there is none or
    /// the question is left to that one. `None` where nobody may answer.
    pub(crate) fn decider(&self, name: &PolicyName, question: Question) -> Option<Decider> {
        let policy = self.get(name);
        if policy.as_ref().is_some_and(|policy| policy.refused().is_some()) {
            // What it would have decided is known to nobody: a wrong queue is worse than a late one.
            return None;
        }
        let missing = policy.as_ref().is_none_or(|policy| policy.in_force().is_none());
        if let Some(decider) = policy.and_then(|policy| Decider::new(policy, question)) {
            return Some(decider);
        }
        if missing && !self.get_or_create(name).missed.swap(true, Ordering::Relaxed) {
            tracing::warn!(policy = %name, "no such policy is in force; the default policy answers");
        }
        Decider::new(self.get(&default_policy())?, question)
    }

    /// Why nobody may answer a question that is put to a policy.
    pub(crate) fn no_decider(&self, name: &PolicyName) -> Fault {
        match self.get(name).and_then(|policy| policy.refused()) {
            Some(why) => no_policy(format!("the policy `{name}` is refused, and none was in force before it: {why}")),
            None => neither_in_force(name),
        }
    }
}

fn default_policy() -> PolicyName {
    PolicyName::new(DEFAULT_POLICY).unwrap_or_else(|error| unreachable!("{error}"))
}
