//! What there is to tell of a policy.

use serde::Serialize;

use super::policies::{Decider, Policies};
use super::policy::Policy;
use super::shadow::ShadowStatus;
use crate::domain::{Origin, PluginName, PolicyName, PolicyRef, Question, Timestamp};
use crate::policy::component::Part;
use crate::policy::locks::lock;
use crate::policy::revision::{Faults, Rejection};
use crate::policy::runtime::Isolation;

/// What is known of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: PolicyName,
    /// The revision in force; none when none was ever accepted.
    pub in_force: Option<InForce>,
    /// Why the newest attempt to replace it was refused, if it was.
    pub last_rejection: Option<Rejection>,
    /// What answers beside it, to be compared.
    pub shadow: Option<ShadowStatus>,
    /// Decisions since the start.
    pub decisions: u64,
    /// Those that ended in a fault, by the way in which they did.
    pub faults: Faults,
}

/// A revision in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// Counted from 1.
    pub revision: u32,
    /// SHA-256 over its texts and its plugins, in hexadecimal.
    pub digest: String,
    /// When it was given.
    pub applied_at: Timestamp,
    /// Where it came from.
    pub origin: Origin,
    /// Who answers, for each question.
    pub answered_by: Vec<AnsweredBy>,
}

/// Who answers a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnsweredBy {
    /// The question.
    pub question: Question,
    /// The policy itself, or the default policy where it leaves the question to that.
    pub policy: PolicyRef,
    /// The plugin.
    pub plugin: PluginName,
    /// The plugin's SHA-256, in hexadecimal.
    pub plugin_digest: String,
    /// The script's file, where there is one.
    pub script: Option<String>,
    /// What keeps its decisions apart.
    pub isolation: Isolation,
    /// Whether decisions start from a frozen copy; if not, each of them configures the plugin again.
    pub frozen: bool,
    /// Why it is not frozen.
    pub not_frozen_because: Option<String>,
}

impl PolicyStatus {
    pub(crate) fn of(policies: &Policies, name: &PolicyName, policy: &Policy) -> Self {
        let questions = || Part::ALL.into_iter().flat_map(Part::questions).copied();
        let in_force = policy.in_force().map(|revision| InForce {
            revision: revision.policy.revision,
            digest: revision.draft.digest.clone(),
            applied_at: revision.draft.source.at,
            origin: revision.draft.source.origin.clone(),
            answered_by: questions().filter_map(|question| AnsweredBy::of(policies, name, question)).collect(),
        });
        Self {
            name: name.clone(),
            in_force,
            last_rejection: lock(&policy.last_rejection).clone(),
            shadow: policy.shadow().map(|shadow| shadow.status()),
            decisions: policy.counters.decisions(),
            faults: policy.counters.faults(),
        }
    }
}

impl AnsweredBy {
    fn of(policies: &Policies, name: &PolicyName, question: Question) -> Option<Self> {
        let Decider { revision, plugin, .. } = policies.decider(name, question)?;
        Some(Self {
            question,
            policy: revision.policy.clone(),
            plugin: plugin.plugin.status.name.clone(),
            plugin_digest: plugin.plugin.status.digest.clone(),
            script: plugin.assignment.script.clone(),
            isolation: plugin.assignment.isolation,
            frozen: plugin.snapshot.is_ok(),
            not_frozen_because: plugin.snapshot.clone().err().map(|why| revision.waits_for_a_place().unwrap_or(why)),
        })
    }
}
